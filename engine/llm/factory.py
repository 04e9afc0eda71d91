"""Chooses the language model: a configured endpoint, else the best that this machine can run."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from engine.llm.base import LanguageModel
from engine.llm.settings import LanguageModelSettings


class ModelFiles(Protocol):
    """What is needed of the model store."""

    def has(self, name: str) -> bool:
        """Whether the model is here, whole."""

    def path(self, name: str) -> Path:
        """Its file; NotFoundError or UnavailableError where it is not here."""


def open_language_model(settings: LanguageModelSettings, store: ModelFiles) -> LanguageModel:
    """The language model that `settings` ask for. Nothing is started before it is used.

    Raises:
        InvalidInputError: the settings contradict each other.
        UnavailableError: the model has not been fetched; the message names the command.
    """
    raise NotImplementedError


def choose_local_model(
    store: ModelFiles, memory_bytes: int | None = None, wanted: str | None = None
) -> str:
    """The catalogue name of the local model to use, fetched or still to be fetched.

    Args:
        store: tells which are here.
        memory_bytes: memory that may be used; measured when None.
        wanted: the name in the settings, if any.

    Raises:
        NotFoundError: `wanted` is no language model of the catalogue.
    """
    raise NotImplementedError
