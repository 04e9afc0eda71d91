"""A process of its own that pulls the first model of a catalogue; arguments FOLDER CATALOGUE."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.models.catalogue import Catalogue
from engine.models.store import ModelStore

if __name__ == "__main__":
    catalogue = Catalogue.model_validate_json(Path(sys.argv[2]).read_text(encoding="utf-8"))
    ModelStore(Path(sys.argv[1]), catalogue).pull(catalogue.models[0].name)
