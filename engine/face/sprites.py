"""SpriteCache: drawn features of one face, kept by what they do."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

from engine.face.canvas import Sprite

_MOST: Final = 400
_MOST_BYTES: Final = 32 << 20


class SpriteCache:
    """The features used last. Painters of the same face may share it, in any threads."""

    def __init__(self, most: int = _MOST, most_bytes: int = _MOST_BYTES) -> None:
        """Keeps at most so many features, and pixels of so many bytes."""
        self._most, self._most_bytes = most, most_bytes
        self._kept: OrderedDict[Hashable, Sprite | None] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def nbytes(self) -> int:
        """What the kept pixels take."""
        return self._bytes

    def get(self, key: Hashable, draw: Callable[[], Sprite | None]) -> Sprite | None:
        """The feature of this key; drawn, and kept, where it is not known.

        Args:
            key: all that the feature's look depends on.
            draw: makes it; None is a feature that this face does not have.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        # Not under the lock: at worst two threads draw the same.
        sprite = draw()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = sprite
                self._bytes += _size(sprite)
                while len(self._kept) > self._most or self._bytes > self._most_bytes:
                    self._bytes -= _size(self._kept.popitem(last=False)[1])
        return sprite


def _size(sprite: Sprite | None) -> int:
    return 0 if sprite is None else sprite.pixels.nbytes
