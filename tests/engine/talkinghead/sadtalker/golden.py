"""What the original program computed, for parity; see docs/sadtalker.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).parents[3] / "data" / "sadtalker" / "golden.npz"


class Golden:
    """Arrays by name, read when they are asked for."""

    def __init__(self) -> None:
        self._arrays = np.load(FILE, allow_pickle=False)

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[name]

    def names(self, prefix: str) -> list[str]:
        return [name for name in self._arrays.files if name.startswith(prefix)]


def assert_near(found: Any, wanted: Any, largest: float = 1e-4, mean: float = 1e-5) -> None:
    """Within the tolerance that a second run of the original itself asks for."""
    found, wanted = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    assert found.shape == wanted.shape
    off = np.abs(found - wanted)
    assert off.max(initial=0) <= largest, off.max()
    assert (off.mean() if off.size else 0) <= mean, off.mean()
