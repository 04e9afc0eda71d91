"""Orders that wait for the device, and the one thread that serves those which go together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from engine.portrait.base import Image, PortraitDraft, Progress
from personas.persona import PortraitBrief


@dataclass(eq=False)
class Order:
    """One portrait that somebody waits for.

    Attributes:
        brief: what to paint.
        seed: decides everything that is left open.
        photo: RGB, whose face guides; None: a drawn one.
        progress: told how far it is; what it raises gives the order up.
        draft: the portrait, once it is painted.
        error: why there is none.
    """

    brief: PortraitBrief
    seed: int
    photo: Image | None = None
    progress: Progress | None = None
    draft: PortraitDraft | None = None
    error: BaseException | None = None
    settled: threading.Event = field(default_factory=threading.Event)

    @property
    def is_open(self) -> bool:
        """Whether somebody still waits for it."""
        return not self.settled.is_set()

    def tell(self, fraction: float, doing: str) -> None:
        """Reports progress; an order that was called off is given up here."""
        if self.progress is None or not self.is_open:
            return
        try:
            self.progress(fraction, doing)
        except BaseException as error:
            self.give_up(error)

    def finish(self, draft: PortraitDraft) -> None:
        """The portrait is there."""
        self.draft = draft
        self.settled.set()

    def give_up(self, error: BaseException) -> None:
        """There will be none."""
        self.error = error
        self.settled.set()

    def result(self) -> PortraitDraft:
        """The portrait, or the error that was."""
        if self.error is not None:
            raise self.error
        assert self.draft is not None
        return self.draft


class OrderDesk:
    """Collects what threads ask for while the device is busy, and serves it together.

    The thread that gets the device paints for all who wait with the same key; the others find
    their order settled when their turn comes.

    Args:
        serve: paints orders of one key and settles each of them.
        most: orders that are served together.
    """

    def __init__(self, serve: Callable[[list[Order]], None], most: int) -> None:
        self._serve = serve
        self._most = most
        self._device = threading.Lock()
        self._book = threading.Lock()
        self._waiting: list[tuple[Hashable, Order]] = []

    def place(self, key: Hashable, orders: list[Order]) -> None:
        """Waits until all of `orders` are settled.

        Args:
            key: what orders must have in common to be painted together.
            orders: any number of that key.
        """
        with self._book:
            self._waiting += [(key, order) for order in orders]
        for order in orders:
            while order.is_open:
                with self._device:
                    if order.is_open:
                        self._serve_with(key, order)

    def _serve_with(self, key: Hashable, first: Order) -> None:
        with self._book:
            others = [o for k, o in self._waiting if k == key and o is not first]
            batch = [first, *others[: self._most - 1]]
            self._waiting = [entry for entry in self._waiting if entry[1] not in batch]
        try:
            self._serve(batch)
        except BaseException as error:
            for order in batch:
                if order.is_open:
                    order.give_up(error)
