"""A chat platform in memory: it shows what outlets show, and can be told to fail."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.chat.base import Activity, Before, GoneError, TooLargeError
from engine.speech.base import Speech
from engine.talkinghead.base import Clip
from personas.errors import UnavailableError
from personas.persona import Persona


@dataclass
class Platform:
    """What everybody in the channels sees.

    Attributes:
        messages: text by message id, as it is now, in the order of posting.
        by: which persona wrote a message.
        files: clips and sounds by message id.
        told: sentences for one person alone.
        quoted: what was understood of voice messages.
        activities: what personas were seen doing.
        looks: how often a text was shown.
        text_limit: characters a message.
        file_limit: bytes a file, as the platform says.
        takes: bytes a file, as it is in truth.
        gone_after: calls after which the channel is gone.
        away_for: the next calls, which do not get through.
        finds: what was posted is found again by the answer it belongs to, as on Discord; else
            nobody can ask for it, as on Telegram.
    """

    messages: dict[str, str] = field(default_factory=dict)
    by: dict[str, Persona] = field(default_factory=dict)
    files: dict[str, Clip | Speech] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    quoted: list[str] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    looks: int = 0
    opened: int = 0
    text_limit: int = 2_000
    interval: float = 0.0
    file_limit: int = 10_000_000
    takes: int = 10_000_000
    gone_after: int | None = None
    away_for: int = 0
    finds: bool = True
    answers: dict[tuple[str, int], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ids = itertools.count(1)
        self.posted = asyncio.Event()
        self.lets_in = asyncio.Event()
        self.lets_in.set()

    async def open(self, persona: Persona, before: Before) -> MemoryOutlet:
        """An `OpenOutlet`."""
        self.opened += 1
        await self.lets_in.wait()
        return MemoryOutlet(self, persona, before)

    @property
    def said(self) -> list[str]:
        """All texts that stand there."""
        return list(self.messages.values())

    async def arrived(self) -> None:
        """A call has done what it was to do, and whoever made it does not know yet."""

    def call(self) -> None:
        """One call of the platform."""
        if self.away_for:
            self.away_for -= 1
            raise UnavailableError("The platform is out of reach.")
        if self.gone_after is not None:
            self.gone_after -= 1
            if self.gone_after < 0:
                raise GoneError("The channel is gone.")

    def post(self) -> str:
        """A call that makes a message; gives its id."""
        self.call()
        return f"m{next(self._ids)}"


class MemoryOutlet:
    """An Outlet."""

    def __init__(self, platform: Platform, persona: Persona, before: Before) -> None:
        self._platform = platform
        self._persona = persona
        self._posted = Posted(self._send, self._edit, self._delete, before.messages)
        self._before = list(before.files)
        self._answer, self._journal = before.answer, before.journal
        self._final = False
        self._files: list[str] = []
        self.text_limit = platform.text_limit
        self.interval = platform.interval
        self.file_limit = platform.file_limit

    @property
    def message_ids(self) -> tuple[str, ...]:
        return self._posted.ids

    @property
    def file_ids(self) -> tuple[str, ...]:
        return tuple(self._files)

    @asynccontextmanager
    async def activity(self, doing: Activity) -> AsyncIterator[None]:
        self._platform.activities.append(doing)
        yield

    async def heard(self, text: str) -> None:
        self._platform.quoted.append(text)

    async def show(self, pieces: Sequence[str], *, final: bool) -> None:
        self._platform.looks += 1
        self._final = final
        await self._posted.show(pieces, final=final)

    async def send_clip(self, clip: Clip) -> None:
        await self._file(clip, len(clip.data))

    async def send_voice(self, speech: Speech) -> None:
        await self._file(speech, len(speech.samples))

    async def tell(self, reason: str) -> None:
        self._platform.told.append(reason)

    async def _file(self, file: Clip | Speech, size: int) -> None:
        if size > self._platform.takes:
            raise TooLargeError("The file is too large.")
        if self._journal is not None:
            await self._journal.sending("file")
        message = self._platform.post()
        for old in self._before:
            self._platform.files.pop(old, None)
        self._before.clear()
        self._platform.files[message] = file
        await self._platform.arrived()
        self._files.append(message)
        if self._journal is not None:
            await self._journal.sent("file", message)
        self._platform.posted.set()

    async def _send(self, number: int, text: str) -> str:
        if self._journal is not None and self._final and not self._platform.finds:
            await self._journal.sending("text")
        key = (self._answer, number)
        message = self._platform.answers.get(key) if self._platform.finds and key[0] else None
        message = message or self._platform.post()
        self._platform.answers[key] = message
        self._platform.messages[message] = text
        self._platform.by[message] = self._persona
        await self._platform.arrived()
        if self._journal is not None:
            await self._journal.sent("text", message)
        self._platform.posted.set()
        return message

    async def _edit(self, message: str, text: str) -> None:
        self._platform.call()
        if message not in self._platform.messages:
            raise GoneError("The message is gone.")
        self._platform.messages[message] = text
        await self._platform.arrived()

    async def _delete(self, message: str) -> None:
        self._platform.messages.pop(message, None)


class Posted:
    """Keeps messages in step with the pieces of a text."""

    def __init__(
        self,
        send: Callable[[int, str], Awaitable[str]],
        edit: Callable[[str, str], Awaitable[None]],
        delete: Callable[[str], Awaitable[None]],
        known: Sequence[str] = (),
    ) -> None:
        self._send = send
        self._edit = edit
        self._delete = delete
        self._ids = list(known)
        self._texts: list[str | None] = [None] * len(known)

    @property
    def ids(self) -> tuple[str, ...]:
        """The messages, in order."""
        return tuple(id for id in self._ids if id)

    async def show(self, pieces: Sequence[str], *, final: bool) -> None:
        """Posts new pieces and edits changed ones; at the end, messages too many go.

        A call that fails leaves what was done before it, so it can be repeated.
        """
        for number, piece in enumerate(pieces):
            if number == len(self._ids):
                self._ids.append(await self._send(number, piece))
                self._texts.append(piece)
            elif self._texts[number] != piece and self._ids[number]:
                await self._edit(self._ids[number], piece)
                self._texts[number] = piece
        while final and len(self._ids) > max(1, len(pieces)):
            await self._delete(self._ids[-1])
            self._ids.pop()
            self._texts.pop()
