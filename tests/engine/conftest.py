"""What the engine's tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def media(tmp_path: Path) -> Callable[[], set[str]]:
    """Tells the names of the files in the media folder."""
    folder = tmp_path / "data" / "media"
    return lambda: {path.name for path in folder.rglob("*.*") if path.is_file()}
