"""Portraits are prepared once: for all clips, and where it is costly for all processes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.conversation import Conversations, ConversationSettings
from engine.creation import CreationRequest, Creator
from engine.drawing import encode_draft, keep
from engine.events import ClipReady, PersonaReady
from engine.heads import Heads
from engine.portrait.base import PortraitDraft
from engine.talkinghead.base import Clip
from engine.talkinghead.clips import pictures
from engine.talkinghead.drawn import DrawnHead
from engine.talkinghead.fallback import FallbackHead
from engine.talkinghead.sadtalker.head import SadTalkerHead
from engine.talkinghead.video import encode
from personas.errors import InvalidInputError, UnavailableError
from personas.persona import Persona, Portrait
from personas.styles import load_styles
from personas.voices import load_voices
from storage.store import Storage
from tests.engine.talkinghead.speeches import portrait as drawn
from tests.fakes.answers import ANSWER
from tests.fakes.language_model import ScriptedModel
from tests.fakes.portrait import DiscPortraits
from tests.fakes.sadtalker import Keypoints, MovingPicture, tiny_networks
from tests.fakes.speech import HummingSynthesizer
from tests.fakes.talkinghead import FakeHead


@pytest.fixture
async def portrait(storage: Storage) -> Portrait:
    draft = drawn(64)
    return await keep(storage.media, draft, await encode_draft(draft))


async def test_two_clips_at_once_prepare_once(storage: Storage, portrait: Portrait) -> None:
    head = FakeHead()
    heads = Heads(head, storage.media)
    one, two = await asyncio.gather(heads.get(portrait), heads.get(portrait))
    assert one is two
    assert head.prepared == 1


async def test_what_is_quick_to_prepare_is_not_kept(storage: Storage, portrait: Portrait) -> None:
    head = FakeHead()
    await Heads(head, storage.media).prepare_ahead(portrait)
    assert head.prepared == 0
    await Heads(head, storage.media).get(portrait)
    assert await storage.media.preparations.get(portrait.image, head.name) is None


async def test_what_is_costly_is_kept_for_the_next_process(
    storage: Storage, portrait: Portrait
) -> None:
    first, second = FakeHead(keeps=True), FakeHead(keeps=True)
    made = await Heads(first, storage.media).get(portrait)
    assert np.array_equal(await Heads(second, storage.media).get(portrait), made)
    assert (first.prepared, second.prepared) == (1, 0)


async def test_of_another_version_it_is_prepared_again(
    storage: Storage, portrait: Portrait
) -> None:
    await Heads(FakeHead(keeps=True, size=32), storage.media).get(portrait)
    head = FakeHead(keeps=True, size=64)
    assert (await Heads(head, storage.media).get(portrait)).shape == (64, 64, 3)
    assert head.prepared == 1
    again = FakeHead(keeps=True, size=64)
    await Heads(again, storage.media).get(portrait)
    assert again.prepared == 0


async def test_a_head_that_fails_ahead_of_time_is_only_told_in_the_log(
    storage: Storage, portrait: Portrait, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(FakeHead):
        def prepare(self, portrait: PortraitDraft) -> np.ndarray:
            raise UnavailableError("No memory left.")

    await Heads(Broken(keeps=True), storage.media).prepare_ahead(portrait)
    assert "not prepared" in caplog.text


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("full"), UnavailableError("The file is being fetched.")]
)
async def test_a_head_that_fails_for_the_moment_is_asked_again_for_the_next_clip(
    storage: Storage, portrait: Portrait, error: Exception
) -> None:
    head = FallbackHead(FakeHead(keeps=True, refusals=[error]), FakeHead())
    heads = Heads(head, storage.media)
    assert not (await heads.get(portrait)).is_first
    part = await heads.get(portrait)
    assert part.is_first and await heads.get(portrait) is part
    assert await storage.media.preparations.get(portrait.image, head.name)


async def test_what_was_kept_and_cannot_be_loaded_for_the_moment_is_loaded_for_the_next_clip(
    storage: Storage, portrait: Portrait
) -> None:
    before = FallbackHead(FakeHead(keeps=True), FakeHead())
    await Heads(before, storage.media).prepare_ahead(portrait)
    first = FakeHead(keeps=True, refusals=[torch.OutOfMemoryError("full")])
    heads = Heads(FallbackHead(first, FakeHead()), storage.media)
    assert not (await heads.get(portrait)).is_first
    assert (await heads.get(portrait)).is_first
    assert first.prepared == 0


async def test_a_portrait_that_a_head_cannot_move_is_shown_to_it_once(
    storage: Storage, portrait: Portrait
) -> None:
    first = FakeHead(keeps=True, refusals=[InvalidInputError("No face.")])
    heads = Heads(FallbackHead(first, FakeHead()), storage.media)
    part = await heads.get(portrait)
    assert not part.is_first and await heads.get(portrait) is part
    assert first.prepared == 1


async def test_what_cannot_be_packed_serves_this_process(
    storage: Storage, portrait: Portrait, caplog: pytest.LogCaptureFixture
) -> None:
    class Unpackable(FakeHead):
        def pack(self, prepared: np.ndarray) -> bytes:
            raise RuntimeError("a fault")

    heads = Heads(Unpackable(keeps=True), storage.media)
    assert await heads.get(portrait) is await heads.get(portrait)
    assert "cannot be packed" in caplog.text


async def created(storage: Storage, heads: Heads) -> Persona:
    maker = Creator(
        ScriptedModel([json.dumps(ANSWER)]),
        DiscPortraits(size=64),
        load_styles(),
        load_voices(),
        storage,
        heads=heads,
    )
    *_, last = [e async for e in maker.create(CreationRequest("a grumpy lighthouse", seed=7))]
    assert isinstance(last, PersonaReady)
    return last.persona


async def test_who_is_created_is_prepared_with_it_and_goes_whole(
    storage: Storage, tmp_path: Path
) -> None:
    head = FakeHead(keeps=True)
    persona = await created(storage, Heads(head, storage.media))
    assert head.prepared == 1
    assert await storage.media.preparations.get(persona.portrait.image, head.name)
    await storage.personas.delete(persona.gallery, persona.id)
    assert not [file for file in (tmp_path / "data" / "media").rglob("*.*") if file.is_file()]


def moving(**changes: object) -> FallbackHead:
    networks = tiny_networks(**changes)
    head = SadTalkerHead(lambda: networks, size=128, resolution=128)
    return FallbackHead(head, DrawnHead(size=128))


async def test_a_moving_head_is_made_once_and_found_again_in_the_media_store(
    storage: Storage,
) -> None:
    name = moving().name
    persona = await created(storage, Heads(moving(), storage.media))
    key = persona.portrait.image
    kept = await storage.media.preparations.get(key, name)
    assert kept is not None
    part = await Heads(moving(), storage.media).get(persona.portrait)
    assert part.is_first
    assert await storage.media.preparations.get(key, name) == kept
    # Other weights see something else: it is made anew.
    await Heads(moving(keypoints=Keypoints(seed=2.0)), storage.media).get(persona.portrait)
    assert await storage.media.preparations.get(key, name) != kept


async def test_from_a_description_to_clips_in_which_the_picture_moves(storage: Storage) -> None:
    generator = MovingPicture()
    head = moving(generator=generator)
    persona = await created(storage, Heads(head, storage.media))
    talk = Conversations(
        ScriptedModel([]),
        HummingSynthesizer(),
        head,
        encode,
        storage,
        ConversationSettings(clips_at_once=2),
    )

    async def say(text: str) -> Clip:
        *_, last = [event async for event in talk.perform(persona, text)]
        assert isinstance(last, ClipReady), last
        return last.clip

    clips = await asyncio.gather(say("Who is there?"), say("Nobody, it seems, but the wind."))
    assert sum(clip.frames for clip in clips) == sum(generator.batches) > 20
    rest = (await Heads(head, storage.media).get(persona.portrait)).prepared.canvas.picture
    for clip in clips:
        shown = list(pictures(clip))
        assert len(shown) == clip.frames
        assert np.abs(shown[0].astype(int) - rest).mean() < 4
        assert max(np.abs(frame.astype(int) - shown[0]).max() for frame in shown) > 25


async def test_who_cannot_be_prepared_is_created_all_the_same(storage: Storage) -> None:
    class Broken(FakeHead):
        def prepare(self, portrait: PortraitDraft) -> np.ndarray:
            raise RuntimeError("a fault")

    persona = await created(storage, Heads(Broken(keeps=True), storage.media))
    assert await storage.personas.by_id(persona.id) == persona
