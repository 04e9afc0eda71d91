"""Weights of looks: what is here, what has to be fetched, and fetching it when somebody asks.

The hub's own cache, endpoint, token and offline settings are honoured (`HF_HOME`, `HF_ENDPOINT`,
`HF_TOKEN`, `HF_HUB_OFFLINE`). Only safetensors are read: a pickle can run code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from engine.portrait.base import Progress
from personas.errors import UnavailableError
from personas.recipes import Weights

MODELS = ("unet", "vae", "text_encoder", "text_encoder_2", "transformer", "controlnet")
"""Parts of a pipeline that have weights."""
LEFT_OUT = ("safety_checker", "feature_extractor", "image_encoder")
"""Parts that are not used here."""
_FOR_WORDS = ("text_encoder", "tokenizer")
_STEMS = ("diffusion_pytorch_model", "model")


class HubStore:
    """The weights of looks in the hub's cache or in folders of this machine.

    Args:
        download: fetch what is missing when it is asked for.
        offline: never use the network.
    """

    def __init__(self, *, download: bool = False, offline: bool = False) -> None:
        self._download = download
        self._offline = offline

    def has(self, weights: Weights) -> bool:
        """Whether all of it is here; asks nobody."""
        return self._here(weights) is not None

    def path(self, weights: Weights, look: str) -> Path:
        """The folder or file of weights that are here.

        Args:
            weights: which.
            look: the style that needs them, for the message.

        Raises:
            UnavailableError: they are not here; the message says what to do.
        """
        here = self._here(weights)
        if here is None and self._download and not weights.is_local:
            self.pull(weights)
            here = self._here(weights)
        if here is None:
            if weights.is_local:
                raise UnavailableError(
                    f"The weights of the look '{look}' are not complete in {weights.repo}: "
                    "a folder of diffusers with safetensors files, or one such file, is needed."
                )
            raise UnavailableError(
                f"The weights of the look '{look}' ({weights.repo}) have not been fetched: "
                f"chatanything models pull {look}"
            )
        return here

    def pull(self, weights: Weights, progress: Progress | None = None) -> None:
        """Fetches weights into the hub's cache; what was fetched before is kept.

        Raises:
            UnavailableError: the hub cannot be reached, or has no such weights.
        """
        if weights.is_local or self.has(weights):
            return
        from huggingface_hub import constants, hf_hub_download

        if self._offline or constants.is_offline_mode():
            raise UnavailableError(
                f"{weights.repo} is not in the cache of the Hugging Face hub, and this program is "
                "set to be offline."
            )
        try:
            files = self._wanted(weights)
            for number, name in enumerate(files):
                if progress is not None:
                    progress(number / len(files), f"fetching {weights.repo}: {name}")
                hf_hub_download(weights.repo, name, revision=weights.revision, endpoint=_endpoint())
        except UnavailableError:
            raise
        except Exception as error:
            raise UnavailableError(self._explained(weights, error)) from error
        if not self.has(weights):
            raise UnavailableError(
                f"{weights.repo} at {weights.revision} holds no complete model in safetensors."
            )

    def _wanted(self, weights: Weights) -> list[str]:
        from huggingface_hub import HfApi

        if weights.file:
            return [weights.file]
        hub = HfApi(endpoint=_endpoint())
        info = hub.model_info(weights.repo, revision=weights.revision, timeout=30)
        listed = [file.rfilename for file in info.siblings or ()]
        below = f"{weights.folder}/" if weights.folder else ""
        names = [name.removeprefix(below) for name in listed if name.startswith(below)]
        chosen = choose_files(names)
        if not any(name.endswith(".safetensors") for name in chosen):
            raise UnavailableError(f"{weights.repo} holds no safetensors; nothing else is read.")
        return [below + name for name in chosen]

    def _here(self, weights: Weights) -> Path | None:
        if weights.is_local:
            place = Path(weights.repo).expanduser() / weights.folder
            place = place / weights.file if weights.file else place
        else:
            found = self._snapshot(weights)
            if found is None:
                return None
            place = found / weights.folder / weights.file
        if place.is_file():
            return place if place.suffix == ".safetensors" else None
        return place if place.is_dir() and is_complete(place) else None

    def _snapshot(self, weights: Weights) -> Path | None:
        from huggingface_hub import try_to_load_from_cache

        below = f"{weights.folder}/" if weights.folder else ""
        for name in (weights.file, f"{below}model_index.json", f"{below}config.json"):
            if not name:
                continue
            found = try_to_load_from_cache(weights.repo, name, revision=weights.revision)
            if isinstance(found, str):
                return Path(found).parents[name.count("/")]
        return None

    def _explained(self, weights: Weights, error: Exception) -> str:
        from huggingface_hub.errors import (
            GatedRepoError,
            LocalEntryNotFoundError,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )

        if isinstance(error, GatedRepoError):
            return (
                f"{weights.repo} wants its terms accepted: open {weights.url}, accept them, and "
                "set HF_TOKEN."
            )
        if isinstance(error, RevisionNotFoundError):
            return f"{weights.repo} has no revision {weights.revision}."
        if isinstance(error, RepositoryNotFoundError):
            return f"There is no {weights.repo} on the hub, or it is not for everybody (HF_TOKEN)."
        if isinstance(error, OSError) and error.errno == 28:
            return f"The disk is full: {weights.repo} does not fit. Make room, or set HF_HOME."
        # The hub's client is httpx, or its successor: what both call a fault of the transport.
        transport = any(kind.__name__ == "TransportError" for kind in type(error).__mro__)
        if transport or isinstance(error, LocalEntryNotFoundError | OSError):
            return (
                f"The Hugging Face hub cannot be reached for {weights.repo}. Check the network, or "
                "set HF_ENDPOINT to a mirror; what was fetched is kept."
            )
        return f"{weights.repo} could not be fetched; the log says why. What was fetched is kept."


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT") or None


def choose_files(names: Iterable[str]) -> list[str]:
    """What of a repository is needed: configurations, and each part's weights once.

    Half precision is taken where it is offered: it is half as much, and single precision is made
    of it where that is needed.
    """
    listed = set(names)
    chosen: list[str] = []
    for name in sorted(listed):
        folder, _, file = name.rpartition("/")
        if folder.split("/")[0] in LEFT_OUT or folder.count("/"):
            continue
        if file.endswith((".json", ".txt", ".model")) and not file.endswith(".index.json"):
            if folder or file in ("model_index.json", "config.json"):
                chosen.append(name)
        elif file in {f"{stem}.fp16.safetensors" for stem in _STEMS}:
            chosen.append(name)
        elif file in {f"{stem}.safetensors" for stem in _STEMS}:
            half = name.removesuffix(".safetensors") + ".fp16.safetensors"
            # Files in the root are whole models in another form, unless the root is one part.
            if half not in listed and (folder or "config.json" in listed):
                chosen.append(name)
    return chosen


def is_complete(folder: Path) -> bool:
    """Whether a folder holds a whole pipeline, or one model."""
    index = folder / "model_index.json"
    if not index.is_file():
        return (folder / "config.json").is_file() and _has_weights(folder)
    try:
        parts = json.loads(index.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    needed = [
        name
        for name, kind in parts.items()
        if isinstance(kind, list) and kind[0] is not None and name not in LEFT_OUT
    ]
    return all(
        (folder / name).is_dir() and (name not in MODELS or _has_weights(folder / name))
        for name in needed
    )


def lacking(folder: Path) -> dict[str, None]:
    """The parts for words that a pipeline says it has not: it listens to embeddings."""
    try:
        parts = json.loads((folder / "model_index.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}  # no pipeline: whoever reads it says so
    return {name: None for name in _FOR_WORDS if parts.get(name) == [None, None]}


def has_half_precision(folder: Path) -> bool:
    """Whether the weights in a folder are files of half precision."""
    return any(folder.rglob("*.fp16.safetensors"))


def _has_weights(folder: Path) -> bool:
    # A link to a blob that is not there any more is no file.
    return any(path.is_file() for path in folder.glob("*.safetensors"))
