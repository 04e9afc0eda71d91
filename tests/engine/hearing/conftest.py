"""Somebody who speaks, and who listens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.hearing.base import SpeechRecognizer
from engine.hearing.factory import open_recognizer
from engine.hearing.settings import HearingSettings
from engine.models.store import ModelStore
from engine.speech.base import Speech
from engine.speech.hibari import HibariSynthesizer
from personas.persona import Voice

SENTENCE = "Good morning! The old ship leaves the harbor, and the captain wants a cup of tea."


@pytest.fixture(scope="session")
def speaker() -> HibariSynthesizer:
    return HibariSynthesizer()


@pytest.fixture(scope="session")
def spoken(speaker: HibariSynthesizer) -> Speech:
    return speaker.synthesize(SENTENCE, Voice(engine="hibari", preset="woman"))


@pytest.fixture(scope="session")
def english_ears(models: ModelStore, require_model: Callable[[str], Path]) -> SpeechRecognizer:
    """The smallest model: English only."""
    require_model("whisper-tiny.en")
    recognizer = open_recognizer(HearingSettings(model="whisper-tiny.en", max_seconds=30), models)
    assert recognizer is not None
    return recognizer


@pytest.fixture(scope="session")
def ears(models: ModelStore, require_model: Callable[[str], Path]) -> SpeechRecognizer:
    """A model of many languages."""
    require_model("whisper-base")
    recognizer = open_recognizer(HearingSettings(model="whisper-base"), models)
    assert recognizer is not None
    return recognizer
