"""Hundreds of hostile descriptions and messages, answered by a hostile model: nothing breaks."""

from __future__ import annotations

import asyncio
import logging
import random
import unicodedata
from collections.abc import Callable

import pytest

from engine.conversation import Conversations, ConversationSettings
from engine.creation import CreationRequest, Creator
from engine.events import (
    ClipFailed,
    ClipReady,
    CreationFailed,
    PersonaReady,
    ReplyFailed,
    SpeechReady,
    TextReady,
)
from engine.llm.base import RefusedError, UnusableAnswerError
from personas.errors import UnavailableError
from personas.persona import Persona
from personas.styles import load_styles
from personas.voices import load_voices
from storage.personas import media_of
from storage.store import Storage
from tests.fakes.head import StillHead, encode_frames
from tests.fakes.hostile import hostile_answer, hostile_text
from tests.fakes.language_model import BrokenOff, Script, ScriptedModel
from tests.fakes.portrait import DiscPortraits
from tests.fakes.speech import HummingSynthesizer

DESCRIPTIONS = 300
MESSAGES = 300
AT_ONCE = 6


def hostile_model(seed: int) -> ScriptedModel:
    dice = random.Random(seed)

    def script(_: object) -> Script | BrokenOff:
        if dice.random() < 0.12:
            return dice.choice(
                (
                    UnavailableError("The endpoint is down."),
                    UnusableAnswerError("No JSON."),
                    RefusedError("Filtered."),
                    BrokenOff(["Hello the", "re. <thi"], UnavailableError("Cut.")),
                    BrokenOff([], UnavailableError("Cut.")),
                )
            )
        return hostile_answer(dice)

    return ScriptedModel([script], piece=17)


@pytest.fixture
def creator(storage: Storage) -> Creator:
    return Creator(hostile_model(1), DiscPortraits(size=16), load_styles(), load_voices(), storage)


async def each(count: int, work: Callable[[int], object]) -> None:
    """Runs `work` for every number below `count`, a few at a time."""
    numbers = iter(range(count))

    async def run() -> None:
        for number in numbers:
            await work(number)  # type: ignore[misc]

    await asyncio.gather(*(run() for _ in range(AT_ONCE)))


def check_persona(persona: Persona) -> None:
    """It is whole, can be written, and holds nothing that reaches beyond itself."""
    personality = persona.personality
    assert Persona.model_validate_json(persona.model_dump_json()) == persona
    assert personality.greeting.strip() and personality.character.strip()
    assert len(personality.examples) == 2
    assert persona.slug and set(persona.slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    for text in (personality.name, personality.kind, personality.tagline, personality.greeting):
        assert not any(unicodedata.category(c) in ("Cc", "Cs", "Co") for c in text), text
        assert not set("\u202e\u202d\u2066\u200b\ufeff") & set(text)
        assert "@everyone" not in text and "<@" not in text and "<script" not in text


async def test_every_description_ends_in_a_whole_persona_or_a_sentence(
    creator: Creator,
    storage: Storage,
    media: Callable[[], set[str]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    dice = random.Random(2)
    descriptions = [hostile_text(dice) for _ in range(DESCRIPTIONS)]
    made, refused = [], []

    async def create(number: int) -> None:
        request = CreationRequest(
            descriptions[number],
            gallery="../gallery'; --",
            creator=descriptions[-number],
            seed=number,
        )
        last = [event async for event in creator.create(request)][-1]
        if isinstance(last, PersonaReady):
            made.append(last.persona)
        else:
            assert isinstance(last, CreationFailed)
            refused.append(last.reason)

    with caplog.at_level(logging.ERROR):
        await each(DESCRIPTIONS, create)
    assert not caplog.records, caplog.text
    assert len(made) > DESCRIPTIONS / 2
    for reason in refused:
        assert reason.endswith((".", "!")) and "Traceback" not in reason
    for persona in made:
        check_persona(persona)
        assert await storage.personas.by_id(persona.id) == persona
    assert len({persona.slug for persona in made}) == len(made)
    kept = {key.split("/")[-1] for persona in made for key in media_of(persona)}
    assert media() == kept


async def test_every_message_ends_in_an_answer_or_a_sentence(
    storage: Storage, media: Callable[[], set[str]], caplog: pytest.LogCaptureFixture
) -> None:
    maker = Creator(
        ScriptedModel(["no"]), DiscPortraits(size=16), load_styles(), load_voices(), storage
    )
    events = [event async for event in maker.create(CreationRequest("a lamp", seed=1))]
    last = events[-1]
    assert isinstance(last, PersonaReady)
    persona, dice = last.persona, random.Random(3)
    messages = [hostile_text(dice) for _ in range(MESSAGES)]
    talk = Conversations(
        hostile_model(4),
        HummingSynthesizer(),
        StillHead(size=16),
        encode_frames,
        storage,
        ConversationSettings(history_tokens=500),
    )
    clips: set[str] = set()

    async def say(number: int) -> None:
        channel = f"room {number % 7}/../{messages[number % 5][:20]!r}"
        mode = "clip" if number % 3 == 0 else "voice"
        stream = talk.reply(persona, channel, messages[number], messages[-number][:50], mode=mode)
        events = [event async for event in stream]
        assert isinstance(events[-1], SpeechReady | ClipReady | ClipFailed | ReplyFailed)
        for event in events:
            if isinstance(event, TextReady):
                event.text.encode()
                assert event.text.strip() and len(event.text) < 8_000
                assert "<|im_start|>" not in event.text and "\x00" not in event.text
            if isinstance(event, ClipReady):
                clips.add(event.key.split("/")[-1])

    with caplog.at_level(logging.ERROR):
        await each(MESSAGES, say)
    assert not caplog.records, caplog.text
    assert media() == clips | {key.split("/")[-1] for key in media_of(persona)}
    await storage.personas.delete(persona.gallery, persona.id)
    assert not media()


@pytest.mark.parametrize("channel", ["", "x" * 400, "../../x", "a\nb", "'; --", "\u202e"])
async def test_any_channel_is_a_conversation(storage: Storage, channel: str) -> None:
    maker = Creator(
        ScriptedModel(["no"]), DiscPortraits(size=16), load_styles(), load_voices(), storage
    )
    events = [event async for event in maker.create(CreationRequest("a lamp", seed=1))]
    assert isinstance(events[-1], PersonaReady)
    talk = Conversations(
        ScriptedModel(),
        HummingSynthesizer(),
        StillHead(size=16),
        encode_frames,
        storage,
        ConversationSettings(mode="text"),
    )
    stream = talk.reply(events[-1].persona, channel, "Hello!")
    assert isinstance([event async for event in stream][-1], TextReady)
