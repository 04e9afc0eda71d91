"""The built-in English voice keeps to the contract."""

from __future__ import annotations

import pytest

from engine.speech.base import SpeechSynthesizer
from engine.speech.hibari import HibariSynthesizer
from tests.engine.speech.contract import SynthesizerContract, contract_settings


class TestContract(SynthesizerContract):
    @pytest.fixture(scope="class")
    def synthesizer(self) -> SpeechSynthesizer:
        return HibariSynthesizer(contract_settings())
