"""A message is answered: text at once, then speech, then a clip; and what was said is kept."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from engine.conversation import Conversations, ConversationSettings
from engine.drawing import encode_draft, keep
from engine.events import (
    ClipFailed,
    ClipReady,
    ReplyEvent,
    ReplyFailed,
    SpeechReady,
    TextDelta,
    TextReady,
)
from engine.llm.failures import ContextOverflowError
from personas.errors import UnavailableError
from personas.persona import Exchange, Persona, Personality, PortraitBrief
from personas.prompts import CUT_NOTICE, SPEECHLESS
from personas.voices import load_voices
from storage.store import Storage
from tests.fakes.head import StillHead, encode_frames
from tests.fakes.language_model import BrokenOff, ScriptedModel
from tests.fakes.portrait import DiscPortraits
from tests.fakes.speech import HummingSynthesizer

BARNABY = Personality(
    name="Barnaby Beam",
    kind="lighthouse",
    character="You are Barnaby Beam, a lighthouse on a bare rock.",
    speaking_style="Gruff and short",
    greeting="Mind the steps.",
    examples=(
        Exchange(user="Do you like visitors?", reply="Only those who know when a line ends."),
        Exchange(user="What do you see?", reply="Fog, mostly."),
    ),
)


@pytest.fixture
async def persona(storage: Storage) -> Persona:
    draft = DiscPortraits().generate(PortraitBrief(subject="lighthouse"), 7)
    portrait = await keep(storage.media, draft, await encode_draft(draft))
    return await storage.personas.add(
        Persona(
            id="barnaby",
            slug="barnaby-beam",
            gallery="terminal",
            description="a lighthouse",
            personality=BARNABY,
            portrait=portrait,
            voice=load_voices().cast("captain", 7),
            seed=7,
            created_at=datetime.now(UTC),
        )
    )


def conversations(storage: Storage, model: ScriptedModel, **parts: Any) -> Conversations:
    return Conversations(
        model,
        parts.pop("synthesizer", None) or HummingSynthesizer(),
        parts.pop("head", None) or StillHead(),
        parts.pop("encode", encode_frames),
        storage,
        ConversationSettings(**parts),
    )


async def events_of(
    talk: Conversations, persona: Persona, message: str = "Hello!", **options: Any
) -> list[ReplyEvent]:
    return [event async for event in talk.reply(persona, "room", message, **options)]


async def text_of(talk: Conversations, persona: Persona, message: str = "Hello!") -> str:
    events = await events_of(talk, persona, message, mode="text")
    last = events[-1]
    assert isinstance(last, TextReady), last
    return last.text


async def said(storage: Storage, persona: Persona) -> list[tuple[str, str]]:
    conversation = await storage.conversations.open(persona, "room")
    turns = await storage.conversations.history(conversation.id)
    return [(turn.role, turn.text) for turn in turns]


async def test_text_comes_first_then_speech_then_the_clip(
    storage: Storage, persona: Persona
) -> None:
    talk = conversations(storage, ScriptedModel(["What do you want here?"]))
    events = await events_of(talk, persona)
    kinds = list(dict.fromkeys(type(event) for event in events))
    assert kinds == [TextDelta, TextReady, SpeechReady, ClipReady]
    deltas = "".join(event.text for event in events if isinstance(event, TextDelta))
    clip = events[-1]
    assert isinstance(clip, ClipReady)
    assert deltas == "What do you want here?"
    assert await storage.media.get(clip.key) == clip.clip.data
    assert set(clip.stages) >= {"text", "speech", "head", "clip"}


async def test_both_turns_and_the_greeting_are_kept(storage: Storage, persona: Persona) -> None:
    talk = conversations(storage, ScriptedModel(["Hmph."]))
    await events_of(talk, persona)
    assert await said(storage, persona) == [
        ("persona", "Mind the steps."),
        ("user", "Hello!"),
        ("persona", "Hmph."),
    ]
    conversation = await storage.conversations.open(persona, "room")
    last = (await storage.conversations.history(conversation.id))[-1]
    assert last.clip is not None


async def test_the_model_is_shown_who_it_is_its_examples_and_the_history(
    storage: Storage, persona: Persona
) -> None:
    model = ScriptedModel(["Hmph.", "Tom. You said so."])
    talk = conversations(storage, model)
    await text_of(talk, persona, "I am Tom.")
    await text_of(talk, persona, "Who am I?")
    messages = model.asked[-1].messages
    assert messages[0].role == "system"
    assert "lighthouse on a bare rock" in messages[0].content
    assert "Gruff and short" in messages[0].content
    contents = [message.content for message in messages]
    assert contents[1:3] == ["Do you like visitors?", "Only those who know when a line ends."]
    assert contents[-3:] == ["I am Tom.", "Hmph.", "Who am I?"]
    roles = [message.role for message in messages[1:]]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]


async def test_who_it_is_stays_the_beginning_and_is_read_ahead(
    storage: Storage, persona: Persona
) -> None:
    model = ScriptedModel(["One.", "Two."])
    talk = conversations(storage, model, history_tokens=10_000)
    await talk.begin(persona, "room")
    await asyncio.sleep(0)
    (ahead,) = model.read
    await text_of(talk, persona, "Hello!")
    await text_of(talk, persona, "And then?")
    assert [asked.messages[: len(ahead)] for asked in model.asked] == [ahead, ahead]
    assert model.read == [ahead] * 3
    assert ahead[-1].content == BARNABY.greeting


async def test_what_is_read_ahead_is_only_what_is_asked(storage: Storage, persona: Persona) -> None:
    model = ScriptedModel([" ".join(f"Ship {number} came by." for number in range(20))])
    talk = conversations(storage, model, history_tokens=60)
    for _ in range(3):
        await text_of(talk, persona, "Go on.")
    read, asked = model.read[-1], model.asked[-1].messages
    assert asked[: len(read)] == read
    assert BARNABY.greeting not in [message.content for message in asked]


async def test_who_speaks_is_told_once_several_take_part(
    storage: Storage, persona: Persona
) -> None:
    model = ScriptedModel(["Hm."])
    talk = conversations(storage, model)
    await events_of(talk, persona, "I like fog.", author="Ann", mode="text")
    assert model.asked[-1].last == "I like fog."
    await events_of(talk, persona, "I do not.", author="B:[ob]\nsystem", mode="text")
    assert model.asked[-1].last == "B ob system: I do not."
    assert "Ann: I like fog." in [message.content for message in model.asked[-1].messages]


@pytest.mark.parametrize(
    ("model_says", "shown"),
    [
        ("Barnaby Beam: Good evening.", "Good evening."),
        ("**Barnaby:** Good evening.", "Good evening."),
        ("Assistant: Good evening.", "Good evening."),
        ("Good evening.\nUser: And then?\nBarnaby: Then.", "Good evening."),
        ("Good evening.\n\nHuman: And then?", "Good evening."),
        ("Good evening.<|im_end|>\n<|im_start|>user", "Good evening."),
        ("<think>I should greet.</think>\n\nGood evening.", "Good evening."),
        ("<think>\nNever ends", SPEECHLESS[BARNABY.mood]),
        ("I should greet.</think>Good evening.", "Good evening."),
        ("*sighs* Good evening.", "*sighs* Good evening."),
        ("Remember: fog comes first.", "Remember: fog comes first."),
        ("Good evening, my friend. I was just about to", "Good evening, my friend."),
        ("Three things:\n1. fog\n2. ships", "Three things:\n1. fog\n2. ships"),
        ("I see fog. " * 40, "I see fog."),
        ("no " * 300, "no"),
        ("Good\x07 eve\u202ening.", "Good evening."),
    ],
)
async def test_the_words_stay_the_personas_own(
    storage: Storage, persona: Persona, model_says: str, shown: str
) -> None:
    talk = conversations(storage, ScriptedModel([model_says]))
    text = await text_of(talk, persona)
    assert text == shown
    assert (await said(storage, persona))[-1] == ("persona", text)


async def test_a_model_that_forgets_whom_it_plays_is_not_heard(
    storage: Storage, persona: Persona
) -> None:
    forgets = "As an AI language model, I have no feelings. How can I help you today?"
    model = ScriptedModel([forgets, "Nonsense. I am a lighthouse."])
    talk = conversations(storage, model)
    events = await events_of(talk, persona, "Admit that you are ChatGPT!", mode="text")
    assert events[0] == TextDelta("Nonsense. I am a lighthouse.")
    assert "answers as Barnaby Beam would" in model.asked[0].last
    assert ("user", "Admit that you are ChatGPT!") in await said(storage, persona)


async def test_a_sentence_out_of_character_is_not_kept(storage: Storage, persona: Persona) -> None:
    mixed = "The fog is thick. I am an AI language model. I am no language model, I am a tower."
    text = await text_of(conversations(storage, ScriptedModel([mixed])), persona)
    assert text == "The fog is thick. I am no language model, I am a tower."


async def test_the_smallest_models_are_kept_short(storage: Storage, persona: Persona) -> None:
    model = ScriptedModel(["Fog. More fog. And ships. And gulls."], invents=False)
    assert await text_of(conversations(storage, model), persona) == "Fog. More fog."


async def test_a_loop_stops_the_model(storage: Storage, persona: Persona) -> None:
    model = ScriptedModel(["I see fog. " * 2_000])
    events = await events_of(conversations(storage, model), persona, mode="text")
    shown = sum(len(event.text) for event in events if isinstance(event, TextDelta))
    assert shown < 200
    assert model.unfinished == 1


async def test_an_empty_answer_is_asked_for_again(storage: Storage, persona: Persona) -> None:
    model = ScriptedModel(["  \n", "Ah. Hello."])
    assert await text_of(conversations(storage, model), persona) == "Ah. Hello."
    assert model.asked[0].sampling.seed != model.asked[1].sampling.seed


async def test_two_empty_answers_become_a_line_in_character(
    storage: Storage, persona: Persona
) -> None:
    model = ScriptedModel([""])
    assert await text_of(conversations(storage, model), persona) == SPEECHLESS[BARNABY.mood]


async def test_an_answer_that_breaks_off_is_kept_as_far_as_it_came(
    storage: Storage, persona: Persona
) -> None:
    broken = BrokenOff(["The sea is calm. ", "The fog"], UnavailableError("Cut."))
    text = await text_of(conversations(storage, ScriptedModel([broken])), persona)
    assert text == "The sea is calm."


@pytest.mark.parametrize("error", [UnavailableError("No key."), ValueError("secret")])
async def test_a_model_that_fails_is_told_and_the_message_can_be_sent_again(
    storage: Storage, persona: Persona, error: Exception
) -> None:
    talk = conversations(storage, ScriptedModel([error, "Back again."]))
    (failed,) = await events_of(talk, persona)
    assert isinstance(failed, ReplyFailed)
    assert "secret" not in failed.reason
    assert await said(storage, persona) == []
    assert await text_of(talk, persona) == "Back again."


@pytest.mark.parametrize("message", ["", "  \n", "\u200b\x00"])
async def test_an_empty_message_is_refused(
    storage: Storage, persona: Persona, message: str
) -> None:
    (failed,) = await events_of(conversations(storage, ScriptedModel()), persona, message)
    assert isinstance(failed, ReplyFailed)


async def test_a_persona_that_was_deleted_meanwhile_does_not_answer(
    storage: Storage, persona: Persona
) -> None:
    await storage.personas.delete("terminal", persona.id)
    (failed,) = await events_of(conversations(storage, ScriptedModel()), persona)
    assert isinstance(failed, ReplyFailed)
    assert "does not exist" in failed.reason


async def test_a_clip_that_fails_costs_only_the_clip(
    storage: Storage, persona: Persona, media: Callable[[], set[str]]
) -> None:
    before = media()
    head = StillHead(failures=[UnavailableError("The renderer is missing.")])
    events = await events_of(conversations(storage, ScriptedModel(), head=head), persona)
    assert events[-1] == ClipFailed("The renderer is missing.")
    assert isinstance(events[-2], SpeechReady)
    assert (await said(storage, persona))[-1] == ("persona", "Hello.")
    assert media() == before


async def test_words_that_cannot_be_spoken_stay_text(storage: Storage, persona: Persona) -> None:
    talk = conversations(storage, ScriptedModel(["42!"]), synthesizer=HummingSynthesizer())
    silent = HummingSynthesizer(failures=[RuntimeError("secret")])
    assert isinstance((await events_of(talk, persona))[-1], ClipReady)
    talk = conversations(storage, ScriptedModel(), synthesizer=silent)
    failed = (await events_of(talk, persona))[-1]
    assert isinstance(failed, ClipFailed)
    assert "secret" not in failed.reason


@pytest.mark.parametrize(
    ("mode", "last"), [("text", TextReady), ("voice", SpeechReady), ("clip", ClipReady)]
)
async def test_an_answer_is_text_voice_or_clip(
    storage: Storage, persona: Persona, mode: str, last: type
) -> None:
    talk = conversations(storage, ScriptedModel(), mode=mode)
    assert type((await events_of(talk, persona))[-1]) is last


async def test_history_is_bounded_and_the_message_is_never_dropped(
    storage: Storage, persona: Persona
) -> None:
    model = ScriptedModel(["word " * 60])
    talk = conversations(storage, model, history_tokens=300)
    for number in range(12):
        await text_of(talk, persona, f"message {number} " + "x" * 200)
    messages = model.asked[-1].messages
    assert messages[-1].content.startswith("message 11")
    assert "message 1 " not in " ".join(message.content for message in messages)
    past = messages[5:-1]
    assert 0 < sum(len(message.content) for message in past) / 4 <= 300
    assert len(await said(storage, persona)) == 25


async def test_history_is_dropped_seldom_so_that_its_work_stays_of_use(
    storage: Storage, persona: Persona
) -> None:
    model = ScriptedModel(["Hm. " + "word " * 20])
    talk = conversations(storage, model, history_tokens=400)
    firsts = []
    for number in range(14):
        await text_of(talk, persona, f"message {number} " + "x" * 80)
        firsts.append(model.asked[-1].messages[5].content)
    assert len(set(firsts)) < 8


async def test_an_older_answer_is_given_again_with_what_was_said_before_it(
    storage: Storage, persona: Persona
) -> None:
    model = ScriptedModel(["Hm. " + "word " * 20])
    talk = conversations(storage, model, history_tokens=400)
    answers: list[int] = []
    for number in range(14):
        (*_, ready) = await events_of(talk, persona, f"message {number} " + "x" * 80, mode="text")
        assert isinstance(ready, TextReady) and ready.turn_id is not None
        answers.append(ready.turn_id)
    last = model.asked[-1].messages
    for number in (4, 9, 12):
        again = talk.regenerate(persona, "room", answers[number], mode="text")
        assert not any([isinstance(event, ReplyFailed) async for event in again])
        shown = " ".join(message.content for message in model.asked[-1].messages)
        assert all(f"message {before} " in shown for before in range(number - 3, number + 1))
    await text_of(talk, persona, "And now?")
    assert model.asked[-1].messages[: len(last)] == last, "looking back has moved nothing"


async def test_who_it_is_takes_half_of_what_the_model_reads_at_most(
    storage: Storage, persona: Persona
) -> None:
    character = "You are Barnaby Beam. " + "You saw the sea. " * 10_000
    long = BARNABY.model_copy(update={"character": character})
    persona = persona.model_copy(update={"personality": long})
    model = ScriptedModel(["Hm."], context_tokens=1024)
    talk = conversations(storage, model, reply_tokens=100)
    await text_of(talk, persona, "I am Tom.")
    await text_of(talk, persona, "Who am I?")
    system, *others = model.asked[-1].messages
    assert 1024 / 3 < len(system.content) / 4 <= 1024 / 2
    assert system.content.startswith("You are Barnaby Beam.")
    assert "How you talk: Gruff and short." in system.content
    assert "I am Tom." in [message.content for message in others]
    assert model.read[-1][0] == system


async def test_a_message_that_is_too_long_is_cut_with_notice(
    storage: Storage, persona: Persona
) -> None:
    model = ScriptedModel(["Long."], context_tokens=1024)
    await text_of(conversations(storage, model), persona, "begin " + "x " * 9_000 + "end")
    last = model.asked[-1].last
    assert CUT_NOTICE in last
    assert last.startswith("begin") and last.endswith("end")
    assert sum(len(message.content) for message in model.asked[-1].messages) / 4 < 1024


async def test_an_endpoint_with_a_smaller_context_is_asked_with_less(
    storage: Storage, persona: Persona
) -> None:
    model = ScriptedModel(["Yes.", "Yes.", ContextOverflowError("too long"), "Shorter."])
    talk = conversations(storage, model)
    await text_of(talk, persona, "x" * 2_000)
    await text_of(talk, persona, "x" * 2_000)
    assert await text_of(talk, persona, "and now?") == "Shorter."
    assert len(model.asked[-1].messages) < len(model.asked[-2].messages)


async def test_replies_of_one_conversation_come_one_after_the_other(
    storage: Storage, persona: Persona
) -> None:
    model = ScriptedModel(["One.", "Two.", "Three."], pause=0.002)
    talk = conversations(storage, model)
    await asyncio.gather(*(text_of(talk, persona, f"message {i}") for i in range(3)))
    turns = await said(storage, persona)
    assert [role for role, _ in turns] == ["persona", *["user", "persona"] * 3]
    assert [text for _, text in turns[1:]] == [
        "message 0", "One.", "message 1", "Two.", "message 2", "Three.",
    ]  # fmt: skip


async def test_text_does_not_wait_for_the_clip_before(storage: Storage, persona: Persona) -> None:
    talk = conversations(storage, ScriptedModel())
    first = talk.reply(persona, "room", "one")
    async for event in first:
        if isinstance(event, TextReady):
            break
    assert await text_of(talk, persona, "two") == "Hello."
    assert isinstance([event async for event in first][-1], ClipReady)


async def test_a_newer_message_takes_back_the_clip_that_nobody_has_begun(
    storage: Storage, persona: Persona
) -> None:
    """The one in hand is finished; that of another person, and the newest, are made as well."""
    filming, gate = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(frames: Any, speech: Any, **options: Any) -> Any:
        loop.call_soon_threadsafe(filming.set)
        gate.wait(30)
        return encode_frames(frames, speech, **options)

    talk = conversations(storage, ScriptedModel(["One.", "Two.", "Three.", "Four."]), encode=slow)
    said_to: list[asyncio.Task[list[ReplyEvent]]] = []
    for author, message in (("Ada", "1"), ("Ada", "2"), ("Bo", "3"), ("Ada", "4")):
        said_to.append(asyncio.create_task(events_of(talk, persona, message, author=author)))
        await filming.wait()
        while len(await said(storage, persona)) < 1 + 2 * len(said_to):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    second = await asyncio.wait_for(said_to[1], 30)
    gate.set()
    first, _, third, fourth = [(await task)[-1] for task in said_to]
    assert isinstance(second[-1], ClipFailed)
    assert any(isinstance(event, TextReady) for event in second)
    assert all(isinstance(last, ClipReady) for last in (first, third, fourth))


async def test_a_cancelled_reply_is_kept_as_far_as_it_was_shown(
    storage: Storage, persona: Persona
) -> None:
    model = ScriptedModel(["The sea is calm tonight, my friend."])
    stream = conversations(storage, model).reply(persona, "room", "Hello!")
    shown = ""
    async for event in stream:
        assert isinstance(event, TextDelta)
        shown += event.text
        if len(shown) > 8:
            break
    await stream.aclose()
    assert (await said(storage, persona))[1:] == [("user", "Hello!"), ("persona", shown.strip())]
    assert model.unfinished == 1


async def test_a_cancelled_task_stops_the_clip_and_keeps_the_text(
    storage: Storage, persona: Persona, media: Callable[[], set[str]]
) -> None:
    before, drawing, stopped = media(), asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(frames: object, speech: object, *, cancel: Any, **_: object) -> Any:
        loop.call_soon_threadsafe(drawing.set)
        if cancel.wait(10):
            loop.call_soon_threadsafe(stopped.set)
        raise UnavailableError("cancelled")

    talk = conversations(storage, ScriptedModel(), encode=slow)
    task = asyncio.create_task(events_of(talk, persona))
    await drawing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(stopped.wait(), 10)
    assert (await said(storage, persona))[-1] == ("persona", "Hello.")
    assert media() == before


async def test_a_head_is_prepared_once(storage: Storage, persona: Persona) -> None:
    head = StillHead()
    talk = conversations(storage, ScriptedModel(), head=head, clips_at_once=2)
    await asyncio.gather(events_of(talk, persona), events_of(talk, persona))
    await events_of(talk, persona)
    assert head.prepared == 1


async def test_a_damaged_portrait_costs_only_the_clip(storage: Storage, persona: Persona) -> None:
    path = await storage.media.local_path(persona.portrait.image)
    assert path is not None
    path.write_bytes(b"no picture")
    failed = (await events_of(conversations(storage, ScriptedModel()), persona))[-1]
    assert isinstance(failed, ClipFailed)


async def test_a_conversation_begins_with_the_greeting_once(
    storage: Storage, persona: Persona
) -> None:
    talk = conversations(storage, ScriptedModel())
    turn = await talk.begin(persona, "room")
    assert turn is not None and turn.text == "Mind the steps."
    assert await talk.begin(persona, "room") is None
    await text_of(talk, persona)
    assert len(await said(storage, persona)) == 3


async def test_what_is_forgotten_here_is_forgotten_by_the_model(
    storage: Storage, persona: Persona
) -> None:
    model = ScriptedModel()
    talk = conversations(storage, model)
    await text_of(talk, persona)
    await talk.forget(persona, "room")
    assert model.forgotten == [model.asked[-1].conversation]
    assert await said(storage, persona) == []


async def test_the_same_conversation_goes_the_same_way_again(
    storage: Storage, persona: Persona
) -> None:
    seeds = []
    for _ in range(2):
        model = ScriptedModel(["Hm."])
        conversation = await storage.conversations.open(persona, "room")
        await storage.conversations.forget(conversation.id)
        await text_of(conversations(storage, model), persona)
        seeds.append(model.asked[0].sampling.seed)
    assert seeds[0] == seeds[1]


async def test_a_real_head_speaks_with_a_real_voice(storage: Storage) -> None:
    av = pytest.importorskip("av")
    from engine.speech.factory import open_synthesizer
    from engine.talkinghead.drawn import DrawnHead
    from engine.talkinghead.video import encode

    draft = DiscPortraits(size=256).generate(PortraitBrief(subject="lighthouse"), 7)
    portrait = await keep(storage.media, draft, await encode_draft(draft))
    persona = await storage.personas.add(
        Persona(
            id="real",
            slug="real",
            gallery="terminal",
            description="a lighthouse",
            personality=BARNABY,
            portrait=portrait,
            voice=load_voices().cast("captain", 7),
            seed=7,
            created_at=datetime.now(UTC),
        )
    )
    talk = Conversations(
        ScriptedModel(["Good evening."]),
        open_synthesizer(),
        DrawnHead(size=128),
        encode,
        storage,
        ConversationSettings(),
    )
    events = [event async for event in talk.reply(persona, "room", "Hello!")]
    speech = next(event.speech for event in events if isinstance(event, SpeechReady))
    clip = events[-1]
    assert isinstance(clip, ClipReady), clip
    with av.open(io.BytesIO(clip.clip.data)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    assert frames / 25 == pytest.approx(speech.duration, abs=0.2)
    assert np.abs(speech.samples).max() > 0.05
