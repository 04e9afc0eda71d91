"""For all tests of portraits."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `auto` means on most processors, so that tests see the same numbers on all of them."""
    monkeypatch.setattr("engine.portrait.diffusion.device.multiplies_bfloat16", lambda: False)
