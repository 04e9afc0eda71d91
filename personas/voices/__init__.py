"""The mixture of voices: the catalogue a persona's voice is cast from.

The entries are data (the TOML files beside this one, one an engine); what an engine does with
them is the engine's business.
"""

from __future__ import annotations

from personas.voices.catalogue import OFFERED, VoiceCatalogue
from personas.voices.loading import load_voices, parse_voices
from personas.voices.part import Part
from personas.voices.preset import Effect, Spread, VoicePreset
from personas.voices.roster import Roster

__all__ = [
    "OFFERED",
    "Effect",
    "Part",
    "Roster",
    "Spread",
    "VoiceCatalogue",
    "VoicePreset",
    "load_voices",
    "parse_voices",
]
