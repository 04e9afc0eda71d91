"""What every talking head promises. A new one is one more entry in HEADS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.talkinghead.base import TalkingHead
from engine.talkinghead.drawn import DrawnHead
from engine.talkinghead.fallback import FallbackHead
from engine.talkinghead.sadtalker.head import SadTalkerHead
from personas.errors import UnavailableError
from tests.engine.talkinghead.speeches import RATE, babble, portrait, speech
from tests.fakes.sadtalker import tiny_networks
from tests.fakes.talkinghead import FakeHead


def sadtalker() -> SadTalkerHead:
    return SadTalkerHead(tiny_networks, size=128, resolution=128)


HEADS: dict[str, Callable[[], TalkingHead[Any]]] = {
    "drawn": lambda: DrawnHead(size=128),
    "sadtalker": sadtalker,
    "fallback": lambda: FallbackHead(sadtalker(), DrawnHead(size=128)),
    "fake": lambda: FakeHead(size=128, keeps=True),
}


@pytest.fixture(params=HEADS)
def head(request: pytest.FixtureRequest) -> TalkingHead[Any]:
    return HEADS[request.param]()


def test_it_has_a_name_with_a_version_and_says_what_it_can(head: TalkingHead[Any]) -> None:
    assert "-" in head.name
    assert head.capabilities.fps > 0
    assert head.capabilities.size == 128


def test_as_many_frames_as_the_speech_lasts_all_of_the_size_it_says(head: TalkingHead[Any]) -> None:
    prepared = head.prepare(portrait())
    frames = [frame.copy() for frame in head.frames(prepared, babble(2.0))]
    assert len(frames) == 50
    assert {(frame.shape, frame.dtype.name) for frame in frames} == {((128, 128, 3), "uint8")}


def test_from_rest_to_rest_with_something_between(head: TalkingHead[Any]) -> None:
    prepared = head.prepare(portrait())
    frames = [frame.copy() for frame in head.frames(prepared, babble(2.0), seed=5)]
    assert np.array_equal(frames[0], frames[-1])
    assert any(not np.array_equal(frames[0], frame) for frame in frames)


def test_the_same_seed_gives_the_same_frames_also_from_two_at_once(head: TalkingHead[Any]) -> None:
    prepared = head.prepare(portrait())
    first, second = (head.frames(prepared, babble(1.5), seed=7) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one, other)


def test_idling_has_the_length_asked_for(head: TalkingHead[Any]) -> None:
    prepared = head.prepare(portrait())
    assert sum(1 for _ in head.idle(prepared, 1.0)) == head.capabilities.fps


def test_next_to_nothing_said_is_a_clip_too(head: TalkingHead[Any]) -> None:
    prepared = head.prepare(portrait())
    assert sum(1 for _ in head.frames(prepared, speech(("", 1 / RATE)))) == 1


def test_what_was_prepared_at_great_cost_can_be_kept(head: TalkingHead[Any]) -> None:
    if not head.capabilities.keeps_prepared:
        pytest.skip("it prepares again")
    packed = head.pack(head.prepare(portrait()))
    assert packed is not None
    prepared = head.unpack(packed, portrait())
    assert sum(1 for _ in head.frames(prepared, babble(1.0))) == 25
    with pytest.raises(UnavailableError):
        head.unpack(packed[: len(packed) // 2], portrait())


def test_frames_may_be_left_in_the_middle(head: TalkingHead[Any]) -> None:
    frames = head.frames(head.prepare(portrait()), babble(2.0))
    next(frames)
    frames.close()  # type: ignore[attr-defined]
