"""Chooses who listens: a configured endpoint, else whisper on this machine, else nobody."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Protocol

from engine.hearing.base import SpeechRecognizer
from engine.hearing.settings import HearingSettings
from engine.models.catalogue import Catalogue, Purpose
from personas.errors import InvalidInputError

WORTH_FETCHING = "whisper-base"
"""What is named where no model is here: small, and it knows a hundred languages."""


class ModelFiles(Protocol):
    """What is needed of the model store."""

    @property
    def catalogue(self) -> Catalogue:
        """What there is."""

    def has(self, name: str) -> bool:
        """Whether the model is here, whole."""

    def path(self, name: str) -> Path:
        """Its file; NotFoundError or UnavailableError where it is not here."""


def open_recognizer(settings: HearingSettings, models: ModelFiles) -> SpeechRecognizer | None:
    """Who listens by these settings; None where nobody shall or, with `auto`, nobody can.

    Nothing is loaded before it is used, so what a recognizer lacks shows when it is asked; with
    `auto`, one that lacks its package is not chosen, one that lacks only its model is.

    Raises:
        InvalidInputError: the settings contradict each other.
    """
    if not settings.enabled or settings.backend == "off":
        return None
    if uses_endpoint(settings):
        return _endpoint(settings)
    if settings.backend == "auto" and not whisper_installed():
        return None
    from engine.hearing.whisper import WhisperRecognizer

    name = choose_model(settings, models)
    return WhisperRecognizer(name, lambda: models.path(name), settings)


def uses_endpoint(settings: HearingSettings) -> bool:
    """Whether these settings mean an endpoint.

    A key in the environment alone does not: it may be there for the language model, and people's
    voices leave this machine only where somebody said so.
    """
    if settings.backend == "auto":
        return bool(settings.base_url or settings.api_key.get_secret_value())
    return settings.backend == "openai"


def whisper_installed() -> bool:
    """Whether the extra `hearing` is installed."""
    return importlib.util.find_spec("faster_whisper") is not None


def choose_model(settings: HearingSettings, models: ModelFiles) -> str:
    """The name of the whisper model: the one set, else the best that is here."""
    if settings.model:
        return settings.model
    here = [e.name for e in models.catalogue.of(Purpose.HEARING) if models.has(e.name)]
    return here[0] if here else WORTH_FETCHING


def _endpoint(settings: HearingSettings) -> SpeechRecognizer:
    from engine.hearing.openai import OPENAI_URL, OpenAIRecognizer

    url = settings.base_url or os.environ.get("OPENAI_BASE_URL", "")
    key = settings.api_key.get_secret_value() or os.environ.get("OPENAI_API_KEY", "")
    if not url and not key:
        raise InvalidInputError(
            "Hearing is set to openai, but there is neither an api_key nor a base_url in the "
            'section hearing. Set one of them, or backend = "whisper".'
        )
    if url and "://" not in url:
        raise InvalidInputError(
            f"base_url of the section hearing must begin with http:// or https://, not "
            f"{url[:60]!r}."
        )
    return OpenAIRecognizer(settings, base_url=url or OPENAI_URL, api_key=key)
