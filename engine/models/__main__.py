"""The model store by itself: `python -m engine.models list|pull|verify|remove [NAME...]`.

For scripts that set a machine up before the program proper is there. People use
`chatanything models`, which also reads their configuration.
"""

from __future__ import annotations

import argparse
import sys

from engine.models.bars import PullBars
from engine.models.settings import ModelStoreSettings
from engine.models.store import ModelStore
from personas.errors import ChatAnythingError


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 when all went well, 1 when something could not be done.
    """
    parser = argparse.ArgumentParser(prog="python -m engine.models", description="Model store.")
    parser.add_argument("command", choices=["list", "pull", "verify", "remove"])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--defaults", action="store_true", help="and all that come as default")
    chosen = parser.parse_intermixed_args(arguments)
    try:
        store = ModelStore.from_settings(ModelStoreSettings())
        names = list(chosen.names)
        if chosen.defaults:
            names = [entry.name for entry in store.catalogue.defaults()] + names
        if chosen.command == "list":
            for status in store.entries():
                size = f"{status.entry.size / 1e6:,.0f} MB"
                sys.stdout.write(f"{status.entry.name:24} {status.state:8} {size:>9}\n")
            return 0
        with PullBars() as bars:
            for name in names:
                if chosen.command == "pull":
                    store.pull(name, bars)
                elif chosen.command == "verify":
                    store.verify(name, bars)
                else:
                    store.remove(name)
    except ChatAnythingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
