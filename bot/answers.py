"""A reply as a terminal shows it: text as it is written, then what became of the clip."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

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


@dataclass
class Answer:
    """What came of one message."""

    text: str = ""
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
                    case TextReady(text=text, stages=stages):
                        answer.text, answer.stages = text, stages
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
