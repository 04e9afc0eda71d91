"""SadTalkerHead at work: memory, several clips at once, cancelling, and who steps in."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.portrait.base import Image
from engine.talkinghead.fallback import FallbackHead, Part
from engine.talkinghead.sadtalker.copying import Land
from engine.talkinghead.sadtalker.head import SadTalkerHead
from engine.talkinghead.sadtalker.rendering import Renderer
from engine.talkinghead.sadtalker.source import Source
from engine.talkinghead.video import ClipCancelledError, encode
from personas.errors import UnavailableError
from tests.engine.talkinghead.sadtalker.heads import film, make_head, silence
from tests.engine.talkinghead.speeches import babble, portrait
from tests.fakes.sadtalker import MovingPicture, tiny_networks
from tests.fakes.talkinghead import FakeHead


def is_fake(frame: Image) -> bool:
    return bool((frame[0] == 200).all())


class TestMemory:
    def test_a_batch_that_does_not_fit_is_made_smaller(self) -> None:
        generator = MovingPicture()
        generator.largest = 3
        assert len(film(make_head(generator, batch=16), babble(1.0))) == 25
        assert max(generator.batches) <= 3

    def test_the_first_frames_do_not_wait_for_a_full_batch(self) -> None:
        generator = MovingPicture()
        film(make_head(generator, batch=16), silence(2.0))
        assert generator.batches[0] == 4
        assert max(generator.batches) == 16

    def test_what_is_compiled_sees_batches_of_one_size_only(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(torch, "compile", lambda work, **_: work)
        generator = MovingPicture()
        networks = tiny_networks(generator=generator)
        head = make_head(generator)
        one, two = (head.prepare(portrait(128, mood=mood)) for mood in ("calm", "sad"))
        renderer = Renderer(networks, batch=4, compile=True)
        still = [source.keypoints.repeat(6, 1, 1) for source in (one, two)]
        first, second = renderer.frames(one, still[0]), renderer.frames(two, still[1])
        next(first), next(second)
        assert [sum(1 for _ in frames) for frames in (first, second)] == [5, 5]
        assert set(generator.batches) == {4}

    def test_what_is_compiled_and_does_not_fit_is_made_smaller_though_few_frames_are_wanted(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(torch, "compile", lambda work, **_: work)
        generator = MovingPicture()
        generator.largest = 4
        source = make_head().prepare(portrait(128))
        renderer = Renderer(tiny_networks(generator=generator), batch=16, compile=True)
        assert sum(1 for _ in renderer.frames(source, source.keypoints)) == 1
        assert generator.batches == [4]

    def test_how_many_frames_fit_is_measured_anew_for_each_clip(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gigabyte = 1 << 30
        free = 4 * gigabyte
        monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda _: None)
        monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 0)
        monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 0)
        monkeypatch.setattr(
            torch.cuda, "max_memory_allocated", lambda _: generator.batches[-1] * gigabyte
        )
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free, 80 * gigabyte))
        generator = MovingPicture()
        source = make_head().prepare(portrait(128))
        renderer = Renderer(tiny_networks(generator=generator))
        renderer._measures, renderer.batch = True, 0
        largest = []
        for _ in range(2):
            generator.batches.clear()
            list(renderer.frames(source, source.keypoints.repeat(100, 1, 1)))
            largest.append(max(generator.batches[1:]))
            free = 60 * gigabyte  # What else took the memory, a painting perhaps, is done.
        assert largest == [2, 32]

    def test_without_room_for_one_frame_it_says_so(self) -> None:
        generator = MovingPicture()
        generator.failures = [torch.OutOfMemoryError("full")] * 9
        with pytest.raises(UnavailableError, match="memory"):
            film(make_head(generator, batch=4), babble(1.0))

    def test_two_minutes_take_little_more_memory_than_ten_seconds(self) -> None:
        head = make_head(size=64)
        prepared = head.prepare(portrait(128))

        def peak(seconds: float) -> int:
            said = silence(seconds)
            tracemalloc.start()
            count = sum(1 for _ in head.frames(prepared, said))
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert count == seconds * 25
            return most

        # What grows are the mel windows, 5 kB a frame; frames and activations do not.
        assert peak(120) - peak(10) < 110 * 25 * 40_000

    def test_nobody_runs_ahead_of_who_takes_the_frames(self) -> None:
        generator = MovingPicture()
        head = make_head(generator, batch=8)
        frames = head.frames(head.prepare(portrait(128)), silence(20.0))
        for _ in range(10):
            next(frames)
        assert sum(generator.batches) <= 10 + 16
        frames.close()  # type: ignore[attr-defined]


class LateCopies:
    """Two batches on their way at once; each is there when it is asked for, not before."""

    depth = 2

    def __init__(self) -> None:
        self.flying = 0
        self.most = 0
        self.failures: list[Exception | None] = []
        """What the next ones to be there raise, one each."""

    def send(self, frames: Tensor, finite: Tensor) -> Land:
        sent, told = torch.empty_like(frames), torch.empty_like(finite)
        self.flying += 1
        self.most = max(self.most, self.flying)

        def land() -> tuple[Tensor, Tensor]:
            self.flying -= 1
            if self.failures and (failure := self.failures.pop(0)):
                raise failure
            with torch.inference_mode():
                return sent.copy_(frames), told.copy_(finite)

        return land


def one_by_one(source: Source, keypoints: Tensor) -> list[Image]:
    """The frames of a clip, each made alone."""
    return [next(Renderer(tiny_networks()).frames(source, one[None])) for one in keypoints]


class TestCopies:
    """Frames that are on their way to the host while later ones are made."""

    def renderer(self, **how: object) -> tuple[Renderer, LateCopies, Source]:
        copies = LateCopies()
        networks = tiny_networks(**how)
        source = make_head().prepare(portrait(128))
        return Renderer(networks, batch=4, copies=copies), copies, source

    def test_several_batches_are_under_way_and_come_in_order(self) -> None:
        renderer, copies, source = self.renderer()
        moved = source.keypoints + torch.linspace(-0.2, 0.2, 30)[:, None, None]
        found = [frame.copy() for frame in renderer.frames(source, moved)]
        assert copies.most == 2
        assert np.array_equal(found, one_by_one(source, moved))

    def test_two_clips_get_their_own_frames(self) -> None:
        renderer, _, source = self.renderer()
        there, back = torch.linspace(-0.2, 0.2, 21), torch.linspace(0.2, -0.2, 13)
        running = [
            renderer.frames(source, source.keypoints + way[:, None, None]) for way in (there, back)
        ]
        found: list[list[Image]] = [[], []]
        for _ in range(13):
            for frames, made in zip(running, found, strict=True):
                made.append(next(frames).copy())
        found[0] += [frame.copy() for frame in running[0]]
        assert [len(made) for made in found] == [21, 13]
        # Both pass the middle, each at its own time.
        assert np.array_equal(found[0][10], found[1][6])
        assert not np.array_equal(found[0][0], found[1][0])

    def test_broken_frames_end_the_clip_though_later_ones_fly(self) -> None:
        generator = MovingPicture()
        generator.spoil = True
        renderer, _, source = self.renderer(generator=generator)
        with pytest.raises(UnavailableError, match="broken"):
            list(renderer.frames(source, source.keypoints.repeat(30, 1, 1)))

    def test_frames_that_are_there_are_shown_before_those_that_are_broken(self) -> None:
        generator = MovingPicture()
        renderer, _, source = self.renderer(generator=generator)
        one, other = (renderer.frames(source, source.keypoints.repeat(30, 1, 1)) for _ in range(2))
        next(one)  # and seven more are made or being made
        generator.spoil = True
        with pytest.raises(UnavailableError, match="broken"):
            next(other)
        assert sum(1 for _ in islice(one, 7)) == 7
        with pytest.raises(UnavailableError, match="broken"):
            next(one)

    def test_memory_that_runs_out_while_a_batch_flies_makes_the_next_one_smaller(self) -> None:
        generator = MovingPicture()
        renderer, _, source = self.renderer(generator=generator)
        moved = source.keypoints + torch.linspace(-0.2, 0.2, 30)[:, None, None]
        frames = renderer.frames(source, moved)
        found = [next(frames).copy()]
        generator.failures = [torch.OutOfMemoryError("full")]
        found += [frame.copy() for frame in frames]
        assert np.array_equal(found, one_by_one(source, moved))
        assert generator.batches[:3] == [4, 4, 2] and max(generator.batches[2:]) == 2

    def test_a_batch_that_is_lost_ends_every_clip_that_is_in_it(self) -> None:
        renderer, copies, source = self.renderer()
        long, short = (
            renderer.frames(source, source.keypoints.repeat(count, 1, 1)) for count in (12, 2)
        )
        next(long)
        # The next batch is of the long clip alone, the one after it is shared.
        copies.failures = [None, RuntimeError("CUDA error: an illegal memory access")]
        errors: list[UnavailableError] = []

        def work(frames: Iterator[Image]) -> None:
            try:
                list(frames)
            except UnavailableError as error:
                errors.append(error)

        for frames in (short, long):
            thread = threading.Thread(target=work, args=(frames,), daemon=True)
            thread.start()
            thread.join(20)
            assert not thread.is_alive()
        assert [str(error.__cause__) for error in errors] == [
            "CUDA error: an illegal memory access"
        ] * 2
        assert errors[0] is not errors[1]
        assert sum(1 for _ in renderer.frames(source, source.keypoints.repeat(6, 1, 1))) == 6

    def test_a_clip_that_is_left_takes_its_flights_along(self) -> None:
        renderer, _, source = self.renderer()
        frames = renderer.frames(source, source.keypoints.repeat(30, 1, 1))
        next(frames)
        frames.close()  # type: ignore[attr-defined]
        again = renderer.frames(source, source.keypoints.repeat(6, 1, 1))
        assert sum(1 for _ in again) == 6


class TestSeveralClips:
    def test_share_their_batches_and_come_out_as_if_alone(self) -> None:
        generator = MovingPicture()
        head = make_head(generator, batch=8)
        prepared = [head.prepare(portrait(128, mood=mood)) for mood in ("calm", "cheerful")]
        said = [babble(1.0, seed=1), babble(2.0, seed=2)]
        alone = [
            np.stack([f.copy() for f in head.frames(p, s, 5)])
            for p, s in zip(prepared, said, strict=True)
        ]
        generator.batches.clear()
        running = [head.frames(p, s, 5) for p, s in zip(prepared, said, strict=True)]
        together: list[list[Image]] = [[], []]
        while any(frames is not None for frames in running):
            for index, frames in enumerate(running):
                if frames is not None and (frame := next(frames, None)) is not None:
                    together[index].append(frame.copy())
                else:
                    running[index] = None
        for one, other in zip(alone, together, strict=True):
            assert np.abs(one.astype(int) - np.stack(other)).max() <= 1
        assert len(generator.batches) <= 14  # alone they are 5 and 8, with small first ones

    def test_from_threads_all_get_their_frames(self) -> None:
        head = make_head(batch=4)
        prepared = head.prepare(portrait(128))
        counts: dict[int, int] = {}

        def work(index: int) -> None:
            counts[index] = sum(1 for _ in head.frames(prepared, babble(1.0 + index), index))

        threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert counts == {index: 25 * (index + 1) for index in range(4)}

    def test_one_that_is_left_in_the_middle_holds_up_no_other(self) -> None:
        head = make_head(batch=8)
        prepared = head.prepare(portrait(128))
        one, other = head.frames(prepared, babble(3.0)), head.frames(prepared, babble(1.0))
        next(one), next(other), next(one)
        one.close()  # type: ignore[attr-defined]
        assert sum(1 for _ in other) == 24


class TestCancelling:
    def test_a_cancelled_clip_ends_soon_and_the_next_one_is_made(self) -> None:
        generator = MovingPicture()
        head = make_head(generator, batch=4)
        prepared = head.prepare(portrait(128))
        cancel = threading.Event()

        def frames() -> Iterator[Image]:
            for index, frame in enumerate(head.frames(prepared, silence(60.0))):
                if index == 5:
                    cancel.set()
                yield frame

        with pytest.raises(ClipCancelledError):
            encode(frames(), silence(60.0), fps=25, size=128, cancel=cancel)
        assert sum(generator.batches) < 100
        assert sum(1 for _ in head.frames(prepared, silence(1.0))) == 25


class TestFallingBack:
    def test_weights_that_are_no_numbers_are_noticed_and_the_other_head_goes_on(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        generator = MovingPicture()
        head = FallbackHead(make_head(generator), FakeHead(size=128))
        prepared = head.prepare(portrait(128))
        frames = head.frames(prepared, babble(1.0))
        for _ in range(3):
            assert not is_fake(next(frames))
        generator.spoil = True
        rest = list(frames)
        assert len(rest) == 22
        assert is_fake(rest[-1])
        lines = [record for record in caplog.records if "fake-1" in record.getMessage()]
        assert len(lines) == 1 and "broken" in lines[0].getMessage()

    def test_memory_that_is_full_ends_in_a_whole_clip(self) -> None:
        generator = MovingPicture()
        generator.failures = [torch.OutOfMemoryError("full")] * 99
        head = FallbackHead(make_head(generator), FakeHead(size=128))
        assert sum(1 for _ in head.frames(head.prepare(portrait(128)), babble(1.0))) == 25

    def test_a_portrait_that_the_first_cannot_move_is_the_seconds_and_nothing_is_kept(self) -> None:
        head = FallbackHead(make_head(landmarks=True), FakeHead(size=128))
        prepared = head.prepare(portrait(128))
        assert not prepared.is_first
        assert head.pack(prepared) is None
        assert is_fake(next(head.frames(prepared, babble(1.0))))

    def test_found_faces_are_the_firsts_and_are_kept(self) -> None:
        draft = portrait(128)
        found = replace(draft, geometry=draft.geometry.model_copy(update={"source": "found"}))
        head = FallbackHead(make_head(landmarks=True), FakeHead(size=128))
        prepared = head.prepare(found)
        packed = head.pack(prepared)
        assert packed is not None
        assert head.unpack(packed, found).is_first
        assert head.capabilities.keeps_prepared
        assert not head.capabilities.needs_landmarks

    def test_networks_that_cannot_be_loaded_leave_it_to_the_second(self) -> None:
        def load() -> None:
            raise UnavailableError("The file is cut.")

        first = SadTalkerHead(load, size=128, resolution=128)  # type: ignore[arg-type]
        head = FallbackHead(first, FakeHead(size=128))
        assert not head.prepare(portrait(128)).is_first

    @pytest.mark.parametrize(
        "error", [torch.OutOfMemoryError("full"), RuntimeError("CUDA error: unknown")]
    )
    def test_what_was_kept_and_cannot_be_loaded_now_leaves_it_to_the_second(
        self, error: Exception
    ) -> None:
        def unpacked(refusals: list[Exception]) -> Part:
            first = FakeHead(keeps=True, refusals=refusals)
            head = FallbackHead(first, FakeHead())
            return head.unpack(bytes(64 * 64 * 3), portrait(128))

        assert unpacked([]).is_first
        part = unpacked([error])
        assert not part.is_first and not part.is_lasting

    def test_both_must_make_the_same_frames(self) -> None:
        with pytest.raises(ValueError, match="same frames"):
            FallbackHead(make_head(size=64), FakeHead(size=128))
