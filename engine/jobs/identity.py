"""Identity: which version and settings show in what is made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final

from pydantic import BaseModel

from engine.jobs.works import CLIP, PORTRAIT, SPEECH

_CATALOGUES: Final = {
    "models": ("engine.models", "catalogue.toml"),
    "styles": ("personas", "styles.toml"),
    "voices": ("personas.voices", ""),
}
_DIGITS: Final = 12


def made_by(portrait: BaseModel, speech: BaseModel, talking_head: BaseModel) -> dict[str, str]:
    """What shows in a result, by kind of work: it is part of a job's identity."""
    program = version("chatanything")
    return {
        PORTRAIT: _digest([program, portrait.model_dump(mode="json")]),
        SPEECH: _digest([program, speech.model_dump(mode="json")]),
        CLIP: _digest(
            [program, speech.model_dump(mode="json"), talking_head.model_dump(mode="json")]
        ),
    }


def fingerprint(*, renderer: str, size: int, portrait_size: int) -> Mapping[str, str]:
    """What a bot and its workers must have in common, in words that people can compare.

    Models are named in the catalogue with their hashes, so that its hash is theirs, too.

    Args:
        renderer: the talking head that is asked for.
        size: of clips, pixels.
        portrait_size: likewise of portraits.
    """
    told = {"program": version("chatanything"), "renderer": renderer}
    told |= {"clip size": str(size), "portrait size": str(portrait_size)}
    for name, (package, file) in _CATALOGUES.items():
        folder = files(package)
        texts = (
            [folder / file]
            if file
            else sorted(
                (one for one in folder.iterdir() if one.name.endswith(".toml")),
                key=lambda one: one.name,
            )
        )
        told[f"catalogue of {name}"] = _digest([one.read_text("utf-8") for one in texts])
    return told


def _digest(value: Any) -> str:
    told = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:_DIGITS]
