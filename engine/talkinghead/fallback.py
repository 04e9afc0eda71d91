"""FallbackHead: the better talking head where it can, the other one where it cannot."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any

from engine.portrait.base import Image, PortraitDraft
from engine.speech.base import Speech
from engine.talkinghead.base import HeadCapabilities, TalkingHead
from personas.errors import ChatAnythingError, InvalidInputError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """A portrait, and who moves it.

    Attributes:
        portrait: as it was given.
        prepared: by the first head where `is_first`, else by the second.
        is_first: whether the first one can.
        is_lasting: whether it stays so; False where the first one may be able to later.
    """

    portrait: PortraitDraft
    prepared: Any
    is_first: bool
    is_lasting: bool = True


class FallbackHead:
    """A TalkingHead of two. Both make frames of one size and at one speed.

    Args:
        first: who moves what it can.
        second: who takes every portrait, and steps in where the first one fails.
    """

    def __init__(self, first: TalkingHead[Any], second: TalkingHead[Any]) -> None:
        one, other = first.capabilities, second.capabilities
        if (one.size, one.fps) != (other.size, other.fps):
            raise ValueError("both heads must make the same frames")
        self._first = first
        self._second = second

    @property
    def name(self) -> str:
        """The first one's: whose clips are asked for."""
        return self._first.name

    @property
    def capabilities(self) -> HeadCapabilities:
        """The second one takes what the first one does not."""
        two = self._second.capabilities
        return HeadCapabilities(
            fps=two.fps,
            size=two.size,
            needs_layers=two.needs_layers,
            needs_landmarks=two.needs_landmarks,
            needs_gpu=two.needs_gpu,
            device=self._first.capabilities.device,
            keeps_prepared=self._first.capabilities.keeps_prepared,
            keeps_faces=self._first.capabilities.keeps_faces,
        )

    def prepare(self, portrait: PortraitDraft) -> Part:
        """Prepares with the first one, or with the second where the first one cannot.

        Raises:
            InvalidInputError: the portrait is no picture.
        """
        if self._is_for_first(portrait):
            try:
                return Part(portrait, self._first.prepare(portrait), is_first=True)
            except Exception as error:
                return self._stand_in(portrait, error)
        return Part(portrait, self._second.prepare(portrait), is_first=False)

    def pack(self, prepared: Part) -> bytes | None:
        """What the first one has prepared, as bytes; None where it was the second."""
        return self._first.pack(prepared.prepared) if prepared.is_first else None

    def unpack(self, data: bytes, portrait: PortraitDraft) -> Part:
        """What the first one has packed; prepared by the second where the first one breaks down.

        Raises:
            UnavailableError: the bytes are damaged, or another version packed them.
        """
        try:
            return Part(portrait, self._first.unpack(data, portrait), is_first=True)
        except ChatAnythingError:
            raise  # It is to be prepared again.
        except Exception as error:
            return self._stand_in(portrait, error)

    def is_lasting(self, prepared: Part) -> bool:
        """Whether it stays with whom it was prepared by."""
        return prepared.is_lasting

    def frames(self, prepared: Part, speech: Speech, seed: int = 0) -> Iterator[Image]:
        """Frames of the first one; where it breaks off, the second one goes on.

        Raises:
            InvalidInputError: the speech is not sound.
        """
        if not prepared.is_first:
            return self._second.frames(prepared.prepared, speech, seed)
        return self._guarded(
            prepared,
            self._first.frames(prepared.prepared, speech, seed),
            lambda stand_in: self._second.frames(stand_in, speech, seed),
        )

    def idle(self, prepared: Part, seconds: float, seed: int = 0) -> Iterator[Image]:
        """Likewise while it waits."""
        if not prepared.is_first:
            return self._second.idle(prepared.prepared, seconds, seed)
        return self._guarded(
            prepared,
            self._first.idle(prepared.prepared, seconds, seed),
            lambda stand_in: self._second.idle(stand_in, seconds, seed),
        )

    def _guarded(self, part: Part, frames: Iterator[Image], instead: Any) -> Iterator[Image]:
        shown = 0
        try:
            with closing(frames):  # type: ignore[type-var]
                for frame in frames:
                    yield frame
                    shown += 1
            return
        except Exception as error:
            self._tell(f"goes on after {shown} frames", error)
        yield from islice(instead(self._second.prepare(part.portrait)), shown, None)

    def _stand_in(self, portrait: PortraitDraft, error: Exception) -> Part:
        """The second one's part, after an error of the first."""
        self._tell("moves a portrait instead", error)
        # What is wrong with a portrait stays so; a device or memory may be there again next time.
        lasting = isinstance(error, InvalidInputError)
        return Part(portrait, self._second.prepare(portrait), is_first=False, is_lasting=lasting)

    def _is_for_first(self, portrait: PortraitDraft) -> bool:
        wants = self._first.capabilities
        has_layers = portrait.background is not None and portrait.body is not None
        found = portrait.geometry.source == "found"
        return (has_layers or not wants.needs_layers) and (found or not wants.needs_landmarks)

    def _tell(self, what: str, error: Exception) -> None:
        known = isinstance(error, ChatAnythingError)
        log.warning(
            "%s cannot, so %s %s: %s",
            self._first.name,
            self._second.name,
            what,
            error,
            exc_info=None if known else error,
        )
