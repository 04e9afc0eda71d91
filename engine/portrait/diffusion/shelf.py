"""Shelf: loaded models within a budget of memory; what was used longest ago makes room."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from engine.portrait.diffusion.device import free_unused

log = logging.getLogger(__name__)


class Shelf:
    """Keeps what was loaded. Not safe for several threads: whoever has the device has the shelf.

    Args:
        budget: bytes that all of it may take.
        size_of: bytes that a thing takes.
    """

    def __init__(self, budget: int, size_of: Callable[[Any], int]) -> None:
        self._budget = budget
        self._size_of = size_of
        self._things: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    @property
    def used(self) -> int:
        """Bytes that all of it takes."""
        return sum(size for _, size in self._things.values())

    def keys(self) -> list[Hashable]:
        """What is on it, the longest unused first."""
        return list(self._things)

    def get(
        self,
        key: Hashable,
        load: Callable[[], Any],
        keep: frozenset[Hashable] = frozenset(),
        wanted: int = 0,
    ) -> Any:
        """A thing, loaded where it is not here.

        Args:
            key: names it.
            load: makes it.
            keep: what must not be given up for it.
            wanted: bytes that it will take, about; 0: as many as the largest that is here.
        """
        if key in self._things:
            self._things.move_to_end(key)
            return self._things[key][0]
        # Room is made before, not after, so that old and new are never both in memory where they do
        # not fit.
        largest = max((size for _, size in self._things.values()), default=0)
        self._make_room(wanted or largest, keep)
        thing = load()
        self._things[key] = (thing, self._size_of(thing))
        self._make_room(0, keep | {key})
        return thing

    def peek(self, key: Hashable) -> Any:
        """A thing if it is here, else None; it counts as used no more for that."""
        return self._things[key][0] if key in self._things else None

    def drop_others(self, keep: frozenset[Hashable]) -> bool:
        """Gives up all but some; tells whether anything was."""
        doomed = [key for key in self._things if key not in keep]
        for key in doomed:
            del self._things[key]
        if doomed:
            free_unused()
        return bool(doomed)

    def _make_room(self, wanted: int, keep: frozenset[Hashable]) -> None:
        given_up = False
        for key in list(self._things):
            if self.used + wanted <= self._budget:
                break
            if key not in keep:
                log.info("Unloading %s to make room", key)
                del self._things[key]
                given_up = True
        if given_up:
            free_unused()


def weight_bytes(thing: Any) -> int:
    """Bytes of the weights of a model, or of the models of a pipeline."""
    modules = getattr(thing, "components", None)
    parts = modules.values() if modules is not None else (thing,)
    return sum(
        tensor.numel() * tensor.element_size()
        for part in parts
        if hasattr(part, "parameters")
        for tensor in (*part.parameters(), *part.buffers())
    )
