"""A reply as a terminal shows it: text as it is written, then what became of clip and voice."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

from bot.output import plain
from bot.progress import Step
from engine.events import (
    ClipFailed,
    ClipReady,
    ReplyEvent,
    ReplyFailed,
    SpeechReady,
    TextDelta,
    TextReady,
)
from engine.speech.base import Speech
from personas.errors import UnavailableError

if TYPE_CHECKING:
    from storage.store import Storage


@dataclass
class Answer:
    """What came of one message."""

    text: str = ""
    turn_id: int | None = None
    speech: Speech | None = None
    clip: ClipReady | None = None
    clip_failure: str = ""
    stages: Mapping[str, float] = field(default_factory=dict)


async def watch_reply(events: AsyncGenerator[ReplyEvent], *, echo: bool) -> Answer:
    """Gathers a reply; with `echo`, its text goes to stdout while it is written.

    Raises:
        UnavailableError: there is no answer, with the reason.
    """
    answer = Answer()
    step: Step | None = None
    try:
        async with aclosing(events) as stream:
            async for event in stream:
                match event:
                    case TextDelta(text=text):
                        if echo:
                            typer.echo(plain(text), nl=False)
                            sys.stdout.flush()
                    case TextReady(text=text, stages=stages, turn_id=turn_id):
                        answer.text, answer.stages, answer.turn_id = text, stages, turn_id
                        if echo:
                            typer.echo()
                            step = Step("Speaking").__enter__()
                    case SpeechReady(speech=speech):
                        answer.speech = speech
                        if step:
                            step.at(None, "Drawing the clip")
                    case ClipReady():
                        answer.clip, answer.stages = event, event.stages
                    case ClipFailed(reason=reason):
                        answer.clip_failure = reason
                    case ReplyFailed(reason=reason):
                        raise UnavailableError(reason)
    finally:
        if step:
            step.__exit__()
    return answer


async def kept_file(storage: Storage, answer: Answer) -> str:
    """Where the clip of an answer is kept, or its voice where there is no clip; empty: nowhere."""
    if answer.clip is not None:
        key = answer.clip.key
    elif answer.speech is not None and answer.turn_id is not None:
        key = await _keep_voice(storage, answer.speech, answer.turn_id)
    else:
        return ""
    return str(await storage.media.local_path(key) or key)


async def _keep_voice(storage: Storage, speech: Speech, turn_id: int) -> str:
    """Keeps a speech as clips are kept: as long as what was said, at most."""
    from engine.speech.wav import wav_bytes

    key = await storage.media.put(await asyncio.to_thread(wav_bytes, speech), ".wav")
    try:
        await storage.conversations.attach_clip(turn_id, key)
    except BaseException:
        await asyncio.shield(storage.media.delete(key))
        raise
    return key
