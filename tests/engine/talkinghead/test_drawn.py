"""The drawn head: the portrait comes to life, and nothing of it tears."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from engine.face.painter import FacePainter
from engine.portrait.base import Image, PortraitDraft
from engine.speech.base import Speech, TimedPhoneme
from engine.talkinghead.drawn import DrawnHead, perform
from engine.talkinghead.factory import open_talking_head
from engine.talkinghead.performance import BodyPose, Performance
from engine.talkinghead.settings import TalkingHeadSettings
from engine.talkinghead.warp import BodyWarp
from personas.errors import InvalidInputError
from personas.persona import Mood
from tests.engine.talkinghead.speeches import RATE, babble, portrait, speech

POSES = [
    BodyPose(1.6, 1.6, 1.6),
    BodyPose(-1.6, 1.6, -1.6),
    BodyPose(1.6, -1.6, 0),
    BodyPose(0, -1.6, -1.6),
    BodyPose(0.37, -0.21, 0.53),
]


def layers(size: int = 256, *, full: bool = False) -> tuple[Image, Image]:
    """A green background, and a red body that stands on the bottom edge, or fills everything."""
    background = np.zeros((size, size, 3), np.uint8)
    background[..., 1] = 255
    body = np.zeros((size, size, 4), np.uint8)
    body[..., 0] = 255
    if full:
        body[..., 3] = 255
    else:
        body[size // 5 :, size // 4 : -size // 4, 3] = 255
    return background, body


def test_the_factory_opens_it() -> None:
    head = open_talking_head(TalkingHeadSettings(size=256))
    assert head.name == "drawn-1"
    assert head.capabilities.size == 256
    assert not head.capabilities.needs_gpu


@pytest.mark.parametrize("mood", [Mood.CHEERFUL, Mood.GRUMPY, Mood.MISCHIEVOUS])
def test_first_and_last_frame_are_the_portrait(mood: Mood) -> None:
    draft = portrait(256, mood=mood)
    head = DrawnHead(256)
    frames = [frame.copy() for frame in head.frames(head.prepare(draft), babble(2.0), 1)]
    for frame in (frames[0], frames[-1]):
        assert np.abs(frame.astype(int) - draft.image).max() <= 2


def test_idling_comes_back_to_where_it_began() -> None:
    draft = portrait(256)
    head = DrawnHead(256)
    frames = [frame.copy() for frame in head.idle(head.prepare(draft), 4.0, 1)]
    assert np.abs(frames[0].astype(int) - draft.image).max() <= 2
    steps = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(frames)]
    assert np.abs(frames[-1].astype(int) - frames[0]).mean() <= max(steps)


@pytest.mark.parametrize("pose", POSES)
def test_a_body_that_stands_on_the_edge_never_leaves_it(pose: BodyPose) -> None:
    background, body = layers()
    warp = BodyWarp(background, body)
    frame = warp.draw(warp.moved(pose), np.empty_like(background))
    middle = frame[-1, 256 // 3 : -256 // 3]
    assert (middle[:, 0] == 255).all()
    assert (middle[:, 1] == 0).all()


@pytest.mark.parametrize("pose", POSES)
def test_a_body_that_fills_the_picture_goes_on_beyond_it(pose: BodyPose) -> None:
    background, body = layers(full=True)
    warp = BodyWarp(background, body)
    frame = warp.draw(warp.moved(pose), np.empty_like(background))
    assert not frame[..., 1].any()


@pytest.mark.parametrize("pose", POSES)
def test_edges_stay_smooth_and_without_gaps(pose: BodyPose) -> None:
    background, body = layers()
    warp = BodyWarp(background, body)
    frame = warp.draw(warp.moved(pose), np.empty_like(background)).astype(int)
    body_rows = frame[256 // 5 + 20 :, :, 0] > 127
    starts = body_rows.argmax(axis=1)
    ends = 256 - body_rows[:, ::-1].argmax(axis=1)
    # One piece in every row, and an outline that has no steps.
    assert (body_rows.sum(axis=1) == ends - starts).all()
    assert np.abs(np.diff(starts)).max() <= 1
    assert np.abs(np.diff(ends)).max() <= 1
    # What the body does not cover is background, wholly.
    assert np.abs(frame[..., 0] + frame[..., 1] - 255).max() <= 2


@pytest.mark.parametrize("pose", POSES)
def test_what_hides_all_behind_it_looks_like_what_nearly_does(pose: BodyPose) -> None:
    random = np.random.default_rng(0)
    background = random.integers(0, 255, (256, 256, 3), np.uint8)
    y, x = np.mgrid[:256, :256]
    body = np.zeros((256, 256, 4), np.uint8)
    body[..., :3] = np.stack([x, y, 255 - x], axis=2)
    body[..., 3] = np.where((np.abs(x - 128) < 40 + y / 4) & (y > 50), 255, 0)
    body[100:110, 100:105, 3] = 0
    nearly = body.copy()
    np.minimum(nearly[..., 3], 254, out=nearly[..., 3])
    frames = []
    for pixels in (body, nearly):
        warp = BodyWarp(background, pixels)
        frames.append(warp.draw(warp.moved(pose), np.empty_like(background)).astype(int))
    assert np.abs(frames[0] - frames[1]).max() <= 4


def test_no_dark_fringe_where_transparent_pixels_are_black() -> None:
    background = np.full((256, 256, 3), 255, np.uint8)
    _, body = layers()
    body[..., :3] = np.where(body[..., 3:] > 0, 255, 0)
    warp = BodyWarp(background, body)
    frame = warp.draw(warp.moved(POSES[0]), np.empty_like(background))
    assert frame.min() >= 253


def test_the_face_goes_with_the_body() -> None:
    draft = portrait(256)
    head = DrawnHead(256)
    performance = Performance(3)
    performance["sway"] = np.float32([0, 1.5, 0])
    frames = [f.copy().astype(int) for f in perform(head.prepare(draft), performance)]

    def lips(frame: np.ndarray) -> float:
        green = (frame[..., 1] > frame[..., 0] + 60) & (frame[..., 1] > frame[..., 2] + 40)
        return float(np.nonzero(green)[1].mean())

    shift = lips(frames[1]) - lips(frames[0])
    assert 1.0 < shift < 8.0


def test_the_feet_stay_on_the_ground() -> None:
    background, body = layers()
    body[-40:, :, 3] = 0
    warp = BodyWarp(background, body)
    rest = warp.draw(warp.moved(BodyPose()), np.empty_like(background)).copy().astype(int)
    for pose in (BodyPose(sway=1.6), BodyPose(squash=1.6), BodyPose(squash=-1.6)):
        frame = warp.draw(warp.moved(pose), np.empty_like(background)).astype(int)
        assert np.abs(frame[210:214, 80:176] - rest[210:214, 80:176]).max() <= 2


@pytest.mark.parametrize("size", [(300, 200), (200, 300), (64, 64), (640, 640)])
def test_portraits_of_any_size_and_shape(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
    geometry = portrait(min(size)).geometry
    draft = PortraitDraft(image, geometry, "", 0, "")
    head = DrawnHead(128)
    frames = list(head.frames(head.prepare(draft), babble(1.0)))
    assert frames[0].shape == (128, 128, 3)


def test_a_picture_without_layers_speaks_with_its_own_features_painted_over() -> None:
    draft = portrait(256)
    flat = replace(draft, background=None, body=None)
    head = DrawnHead(256)
    prepared = head.prepare(flat)
    bare = prepared.stage.body[..., :3].astype(int)
    x, y = (round(v) for v in flat.geometry.mouth)
    lips = bare[y - 10 : y + 10, x - 15 : x + 15]
    assert (lips[..., 2] > lips[..., 1]).mean() > 0.95
    moved = [frame.copy() for frame in head.frames(prepared, babble(1.5))]
    assert np.array_equal(moved[0], moved[-1])


@pytest.mark.parametrize(
    "changes",
    [
        {"image": np.zeros((8, 8, 3), np.uint8)},
        {"image": np.zeros((256, 256), np.uint8)},
        {"body": np.zeros((255, 256, 4), np.uint8)},
        {"body": np.zeros((256, 256, 3), np.uint8)},
        {"background": np.zeros((10, 10, 3), np.uint8)},
    ],
)
def test_pictures_that_are_none_are_refused(changes: dict[str, Image]) -> None:
    with pytest.raises(InvalidInputError):
        DrawnHead(128).prepare(replace(portrait(256), **changes))


def test_an_invisible_body_is_only_a_face() -> None:
    draft = portrait(256)
    ghost = replace(draft, body=np.zeros((256, 256, 4), np.uint8))
    head = DrawnHead(128)
    assert len(list(head.frames(head.prepare(ghost), babble(1.0)))) == 25


def test_a_picture_that_keeps_its_own_brows_and_nose_turns_less() -> None:
    head = DrawnHead(128)
    own, drawn = (head.prepare(portrait(256, brow_weight=weight)) for weight in (0.0, 1.0))
    assert own.room[0] < drawn.room[0]
    assert own.room[1] < drawn.room[1]


def test_a_face_as_wide_as_its_body_turns_less() -> None:
    draft = portrait(256, brow_weight=1.0)
    assert draft.body is not None
    slim = draft.body.copy()
    half = round(draft.geometry.width * 0.36)
    slim[:, : 128 - half, 3] = 0
    slim[:, 128 + half :, 3] = 0
    head = DrawnHead(256)
    assert head.prepare(replace(draft, body=slim)).room[0] < head.prepare(draft).room[0] == 1.0


@pytest.mark.parametrize(
    "said",
    [
        Speech(np.zeros(0, np.float32), RATE, (), (), ""),
        Speech(np.full(RATE, np.nan, np.float32), RATE, (), (), ""),
        Speech(np.full(RATE, np.inf, np.float32), RATE, (TimedPhoneme("a", 0, 1),), (), ""),
        Speech(np.zeros(RATE, np.int16), RATE, (TimedPhoneme("漢", 0, 1),), (), ""),
        Speech(np.zeros(RATE, np.float32), RATE, (TimedPhoneme("a", 5, 1),), (), ""),
        Speech(np.zeros(3, np.float32), 1, (), (), ""),
        Speech(np.zeros(RATE * 3, np.float32), 192_000, (), (), ""),
        speech(*[("a", 0.004)] * 400),
    ],
    ids=["empty", "nan", "inf", "integers", "backwards", "1 Hz", "192 kHz", "hurried"],
)
def test_strange_speeches_are_shown_as_well_as_they_can_be(said: Speech) -> None:
    head = DrawnHead(128)
    frames = [frame.copy() for frame in head.frames(head.prepare(portrait(128)), said)]
    assert len(frames) == max(1, round(said.duration * 25))
    assert np.array_equal(frames[0], frames[-1])


@pytest.mark.parametrize(
    "said",
    [
        Speech(np.zeros((2, 100), np.float32), RATE, (), (), ""),
        Speech(np.zeros(100, np.float32), 0, (), (), ""),
        Speech(np.zeros(100, np.float32), -5, (), (), ""),
        Speech(np.array(["a"]), RATE, (), (), ""),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_speech_is_refused_before_the_first_frame(said: Speech) -> None:
    head = DrawnHead(128)
    with pytest.raises(InvalidInputError):
        head.frames(head.prepare(portrait(128)), said)


def test_frames_of_ten_minutes_take_no_more_memory_than_those_of_ten_seconds() -> None:
    head = DrawnHead(128)
    prepared = head.prepare(portrait(128))
    long = head.frames(prepared, speech(*[("m", 0.1), ("ɑ", 0.2)] * 2000))
    next(long)
    tracemalloc.start()
    try:
        for _ in range(50):
            next(long)
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(100):
            next(long)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Drawn features are kept up to a bound; frames are not.
    assert after - before < 2_000_000


def test_a_clip_is_the_same_whatever_the_portrait_said_before() -> None:
    head = DrawnHead(128)
    fresh, used = head.prepare(portrait(128)), head.prepare(portrait(128))
    for _ in head.frames(used, babble(2.0, seed=4)):
        pass
    pairs = zip(head.frames(fresh, babble(1.0)), head.frames(used, babble(1.0)), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)


def test_the_painter_is_what_the_portrait_was_painted_with() -> None:
    draft = portrait(256)
    assert draft.look is not None
    image = draft.image.copy()
    FacePainter(draft.geometry, draft.look).paint(image)
    assert np.abs(image.astype(int) - draft.image).mean() < 0.5
