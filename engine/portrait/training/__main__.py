"""Trains the tiny painter: `python -m engine.portrait.training --folder FOLDER`.

An hour and a half on two cores, less on more; it may be stopped at any time and goes on.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from engine.portrait.training.painter import Schedule, measure, train
from personas.errors import ChatAnythingError


def main(arguments: list[str] | None = None) -> int:
    """Runs one command.

    Returns:
        0 when all went well, 1 when something could not be done, 130 when it was stopped.
    """
    default = Schedule()
    parser = argparse.ArgumentParser(prog="python -m engine.portrait.training", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("tiny-painter"), help="of all of it")
    for name in ("network", "control", "probe"):
        parser.add_argument(
            f"--{name}", type=float, default=getattr(default, name), metavar="MINUTES"
        )
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--likeness", type=Path, metavar="RUN", help="measure a run of `bench landmarks` instead"
    )
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    schedule = Schedule(chosen.network, chosen.control, chosen.probe)
    try:
        import torch

        from engine.models.settings import ModelStoreSettings
        from engine.models.store import ModelStore
        from engine.portrait.factory import open_sentences

        torch.set_num_threads(chosen.threads)
        embedder = open_sentences(ModelStore.from_settings(ModelStoreSettings()))
        if chosen.likeness is not None:
            sys.stdout.write(measure(chosen.folder, embedder, chosen.likeness))
        else:
            place = train(chosen.folder, embedder, schedule, chosen.threads)
            sys.stdout.write(f"The tiny painter is in {place.parent}\n")
    except ImportError as error:
        sys.stderr.write(f"{error.name} is missing: pip install 'chatanything[gpu]'\n")
        return 1
    except (ChatAnythingError, FloatingPointError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. Run it again, and it goes on where it was.\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
