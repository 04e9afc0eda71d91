"""SadTalkerHead: the portrait moves, in its place, in step, and whatever goes wrong is told."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from engine.portrait.base import PortraitDraft
from engine.speech.base import Cue
from engine.talkinghead.sadtalker import packing
from engine.talkinghead.sadtalker.direction import choose_style, direct, liveliness
from engine.talkinghead.sadtalker.head import SadTalkerHead
from engine.talkinghead.sadtalker.packing import fingerprint
from engine.talkinghead.settings import SadTalkerSettings
from personas.errors import InvalidInputError, UnavailableError
from personas.persona import FaceGeometry, Mood
from tests.engine.talkinghead.sadtalker.heads import film, make_head, silence
from tests.engine.talkinghead.speeches import babble, portrait
from tests.fakes.sadtalker import Keypoints, tiny_networks


class TestTheClip:
    def test_it_starts_and_ends_as_the_portrait_looks(self) -> None:
        head = make_head(size=256)
        draft = portrait(256)
        frames = film(head, babble(2.0), draft)
        assert np.array_equal(frames[0], frames[-1])
        assert np.abs(frames[0].astype(int) - draft.image).mean() < 1
        assert max(np.abs(f.astype(int) - frames[0]).mean() for f in frames) > 0.1

    def test_what_is_outside_the_face_never_moves(self) -> None:
        head = make_head(size=256)
        draft = small_face()
        prepared = head.prepare(draft)
        left, top, right, bottom = prepared.canvas.region
        outside = np.ones((256, 256), bool)
        outside[top:bottom, left:right] = False
        assert outside.mean() > 0.3
        for frame in head.frames(prepared, babble(1.0)):
            assert np.array_equal(frame[outside], prepared.canvas.picture[outside])

    def test_the_seed_decides(self) -> None:
        head = make_head()
        prepared = head.prepare(portrait(256))
        one, again, other = (
            np.stack([f.copy() for f in head.frames(prepared, babble(2.0), seed)])
            for seed in (1, 1, 2)
        )
        assert np.array_equal(one, again)
        assert not np.array_equal(one, other)

    def test_still_heads_only_speak_and_silence_keeps_them_so(self) -> None:
        head = make_head(still=True, blinks=False)
        quiet, spoken = film(head, silence(3.0)), film(head, babble(3.0))
        # The mouth is as it is in silence; nothing else moves.
        assert all(np.array_equal(quiet[10], frame) for frame in quiet[6:-6])
        assert any(not np.array_equal(a, b) for a, b in zip(quiet, spoken, strict=True))

    def test_stage_directions_move_the_head(self) -> None:
        head = make_head(blinks=False)
        nods = replace(silence(2.0), cues=(Cue("nods", 0.5),))
        plain, nodding = film(head, silence(2.0)), film(head, nods)
        moved = [np.abs(a.astype(int) - b).mean() for a, b in zip(plain, nodding, strict=True)]
        assert max(moved[14:35]) > 0.3
        assert moved[0] == moved[-1] == 0

    def test_the_camera_can_be_led(self) -> None:
        quiet = {"blinks": False, "still": True}
        plain = film(make_head(**quiet), silence(2.0))
        led = film(make_head(camera_yaw=[-30, 30], **quiet), silence(2.0))
        assert not np.array_equal(led[8], plain[8])
        assert not np.array_equal(led[8], led[40])
        assert np.array_equal(led[0], led[-1])

    def test_the_face_alone_fills_the_frame(self) -> None:
        whole = make_head(size=256).prepare(small_face()).canvas
        face = make_head(size=256, framing="crop").prepare(small_face()).canvas
        assert face.box[2] - face.box[0] > 1.5 * (whole.box[2] - whole.box[0])
        assert face.mask.min() == 255

    def test_idling_loops_and_blinks(self) -> None:
        head = make_head()
        frames = [f.copy() for f in head.idle(head.prepare(portrait(256)), 4.0, seed=2)]
        assert len(frames) == 100
        assert np.array_equal(frames[0], frames[-1])
        steps = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(frames)]
        assert max(steps) < 12

    @pytest.mark.parametrize("seconds", [0, -1, float("nan"), 1e9])
    def test_no_length_of_time_to_idle(self, seconds: float) -> None:
        head = make_head()
        with pytest.raises(InvalidInputError):
            head.idle(head.prepare(portrait(256)), seconds)

    @pytest.mark.parametrize("frames", [0, 1, 2, 3, 4, 5, 21, 33])
    def test_the_shortest_speeches_have_clips(self, frames: int) -> None:
        assert len(film(make_head(), silence(frames / 25))) == max(1, frames)

    def test_moods_move_in_styles_of_their_own(self) -> None:
        def movement(mood: str) -> float:
            frames = np.stack(film(make_head(blinks=False), silence(3.0), portrait(256, mood=mood)))
            return float(np.abs(np.diff(frames.astype(int), axis=0)).mean())

        assert movement("cheerful") > movement("sad")

    def test_the_text_makes_it_livelier_or_quieter(self) -> None:
        plain = silence(2.0)
        laughing = replace(plain, cues=(Cue("laughs", 0.5),), text="Wonderful! Ha!")
        sighing = replace(plain, cues=(Cue("sighs", 0.5),))
        for mood in Mood:
            quiet, usual, lively = (liveliness(mood, said) for said in (sighing, plain, laughing))
            assert quiet < usual == liveliness(mood) < lively

    def test_styles_follow_how_lively_it_is(self) -> None:
        random = np.random.default_rng(0)
        ranks = tuple(reversed(range(46)))
        for lively, allowed in ((0.5, range(40, 46)), (1.4, range(6)), (0.95, range(15, 31))):
            assert {choose_style(lively, ranks, random) for _ in range(50)} <= set(allowed)

    def test_a_style_can_be_set(self) -> None:
        settings = SadTalkerSettings(pose_style=7)
        made = direct(50, Mood.SAD, 1, settings=settings, ranks=tuple(range(46)))
        assert made.style == 7


def small_face() -> PortraitDraft:
    """A portrait in a corner of a larger picture."""
    draft = portrait(128)
    image = np.full((256, 256, 3), 90, np.uint8)
    image[100:228, 100:228] = draft.image
    return replace(
        draft, image=image, geometry=moved(draft.geometry, 1, 100, 100), background=None, body=None
    )


def moved(geometry: FaceGeometry, scale: float, left: float, top: float) -> FaceGeometry:
    points = {
        name: (getattr(geometry, name)[0] * scale + left, getattr(geometry, name)[1] * scale + top)
        for name in ("left_eye", "right_eye", "nose", "mouth", "centre")
    }
    lengths = {
        name: getattr(geometry, name) * scale
        for name in ("eye_radius", "mouth_width", "width", "height")
    }
    return geometry.model_copy(update={**points, **lengths})


class TestPortraits:
    @pytest.mark.parametrize("scale", [0.25, 1, 8])
    def test_of_any_size_look_the_same(self, scale: float) -> None:
        import cv2

        draft = portrait(512)
        image = np.asarray(cv2.resize(draft.image, None, fx=scale, fy=scale), np.uint8)
        other = replace(
            draft, image=image, geometry=moved(draft.geometry, scale, 0, 0),
            background=None, body=None,
        )  # fmt: skip
        head = make_head(size=256)
        one, two = head.prepare(draft), head.prepare(other)
        assert np.abs(np.subtract(one.canvas.box, two.canvas.box)).max() < 4
        frame = next(head.frames(two, silence(0.04)))
        assert np.abs(frame.astype(int) - two.canvas.picture).mean() < 2

    @pytest.mark.parametrize(("width", "height"), [(300, 900), (900, 300)])
    def test_that_are_not_square_show_the_square_around_the_face(
        self, width: int, height: int
    ) -> None:
        draft = portrait(256)
        image = np.full((height, width, 3), 90, np.uint8)
        left, top = width - 256, height - 256
        image[top:, left:] = draft.image
        other = replace(
            draft, image=image, geometry=moved(draft.geometry, 1, left, top),
            background=None, body=None,
        )  # fmt: skip
        canvas = make_head(size=300).prepare(other).canvas
        assert np.array_equal(canvas.picture, image[-300:, -300:])

    @pytest.mark.parametrize(
        ("right", "down"),
        [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0)],
    )
    def test_whose_face_an_edge_cuts_off_move_in_their_place(self, right: int, down: int) -> None:
        draft = portrait(256)
        x, y = 48 * right, 48 * down
        wide = np.pad(draft.image, ((48, 48), (48, 48), (0, 0)), mode="edge")
        other = replace(
            draft, image=wide[48 - y : 304 - y, 48 - x : 304 - x],
            geometry=moved(draft.geometry, 1, x, y), background=None, body=None,
        )  # fmt: skip
        head = make_head(size=256)
        prepared = head.prepare(other)
        frame = next(head.frames(prepared, silence(0.04)))
        assert np.array_equal(prepared.canvas.picture, other.image)
        assert np.abs(frame.astype(int) - other.image).mean() < 1

    def test_grey_and_transparent_ones_are_pictures_too(self) -> None:
        draft = portrait(128)
        grey = draft.image.mean(axis=2).astype(np.uint8)
        clear = np.dstack([draft.image, np.zeros((128, 128), np.uint8)])
        for image in (grey, grey[..., None], np.dstack([grey, grey]), clear):
            frames = film(make_head(), silence(0.1), replace(draft, image=image))
            assert frames[0].shape == (128, 128, 3)
        assert frames[0].min() > 250  # nothing but its ground

    @pytest.mark.parametrize(
        "changes",
        [
            {"left_eye": (128.0, 100.0), "right_eye": (128.0, 100.0)},
            {"left_eye": (float("nan"), 1.0)},
            {"left_eye": (-900.0, 10.0), "right_eye": (-800.0, 10.0)},
            {"mouth": (128.0, 9_000.0)},
        ],
    )
    def test_without_a_face_are_refused(self, changes: dict[str, object]) -> None:
        draft = portrait(256)
        broken = replace(draft, geometry=draft.geometry.model_copy(update=changes))
        with pytest.raises(InvalidInputError, match="face"):
            make_head().prepare(broken)

    def test_that_are_no_pictures_are_refused(self) -> None:
        draft = portrait(128)
        for image in (np.zeros((4, 4, 3), np.uint8), np.zeros((128, 128, 7), np.uint8)):
            with pytest.raises(InvalidInputError):
                make_head().prepare(replace(draft, image=image))

    def test_drawn_ones_are_left_to_others_where_that_is_wished(self) -> None:
        with pytest.raises(InvalidInputError, match="drawn"):
            make_head(landmarks=True).prepare(portrait(128))


class TestKeeping:
    def test_what_was_packed_makes_nearly_the_same_clip(self) -> None:
        head = make_head()
        prepared = head.prepare(portrait(256))
        again = head.unpack(head.pack(prepared), portrait(256))
        one, two = (next(head.frames(p, silence(0.04))) for p in (prepared, again))
        assert np.abs(one.astype(int) - two).max() <= 1
        assert again.mood == prepared.mood

    @pytest.mark.parametrize("cut", [0, 7, 100, 5_000])
    def test_what_was_cut_is_refused(self, cut: int) -> None:
        head = make_head()
        data = head.pack(head.prepare(portrait(128)))
        with pytest.raises(UnavailableError):
            head.unpack(data[:cut], portrait(128))

    def test_what_an_earlier_version_packed_is_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        head = make_head()
        with monkeypatch.context() as earlier:
            earlier.setattr(packing, "_FORM", packing._FORM - 1)
            data = make_head().pack(make_head().prepare(portrait(128)))
        with pytest.raises(UnavailableError):
            head.unpack(data, portrait(128))

    def test_what_others_packed_is_refused(self) -> None:
        data = make_head(size=64).pack(make_head(size=64).prepare(portrait(128)))
        with pytest.raises(UnavailableError, match="other"):
            make_head(size=128).unpack(data, portrait(128))
        other = tiny_networks(keypoints=Keypoints(seed=1.0))
        assert fingerprint(other) != fingerprint(tiny_networks())
        with pytest.raises(UnavailableError, match="other"):
            SadTalkerHead(lambda: other, size=64, resolution=128).unpack(data, portrait(128))
