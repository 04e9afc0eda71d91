"""The adapter of the bench's platform: what `bot.discord` is for Discord, as small as can be."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final

import httpx2

from bot.chat.base import Activity, Before, IncomingMessage, Outlet, Person, Place
from bot.chat.chat import Chat
from bot.chat.pending import Pending
from bot.chat.succession import Succession
from engine.speech.base import Speech
from engine.talkinghead.base import Clip
from personas.errors import ChatAnythingError
from personas.persona import Persona

log = logging.getLogger(__name__)

_NONCE: Final = 25
"""Characters; as many as Discord takes."""


class BenchOutlet:
    """An Outlet: one answer on the platform of the bench.

    Args:
        send: sends a request and gives the answer.
        question: the message that is answered.
        before: what is there of the answer already.
    """

    text_limit = 1_800
    interval = 0.2
    file_limit = 10_000_000
    file_ids: tuple[str, ...] = ()

    def __init__(
        self, send: Callable[[str, dict[str, Any]], Awaitable[Any]], question: str, before: Before
    ) -> None:
        self._call = send
        self._question = question
        self._answer, self._journal = before.answer, before.journal
        self._messages = [id for id in before.messages if id]

    @property
    def message_ids(self) -> tuple[str, ...]:
        """The messages that the text has become so far, in order."""
        return tuple(self._messages)

    async def heard(self, text: str) -> None:
        """Nobody speaks here."""

    @contextlib.asynccontextmanager
    async def activity(self, doing: Activity) -> AsyncIterator[None]:
        """Nobody watches."""
        yield

    async def show(self, pieces: Sequence[str], *, final: bool) -> None:
        """Shows the text so far; the same piece of the same answer has the same nonce."""
        for place, text in enumerate(pieces):
            if place < len(self._messages):
                await self._call("/edit", {"id": self._messages[place], "text": text})
                continue
            told = f"{self._answer}\n{self._question}\n{place}"
            nonce = hashlib.sha256(told.encode()).hexdigest()[:_NONCE]
            body = {"nonce": nonce, "question": self._question, "text": text}
            sent = (await self._call("/send", body))["id"]
            self._messages.append(sent)
            if self._journal is not None:
                await self._journal.sent("text", sent)

    async def send_clip(self, clip: Clip) -> None:
        """Puts the clip on the last message, in place of one that is there."""
        await self._attach(clip.data)

    async def send_voice(self, speech: Speech) -> None:
        """Likewise the sound."""
        await self._attach(b"sound " + speech.samples.tobytes())

    async def tell(self, reason: str) -> None:
        """Tells who asked."""
        await self._call("/tell", {"reason": reason})

    async def _attach(self, data: bytes) -> None:
        kind = "sound" if data.startswith(b"sound ") else "clip"
        digest = f"{kind} {hashlib.sha256(data).hexdigest()[:16]}"
        await self._call("/edit", {"id": self._messages[-1], "clip": digest})


class BenchBot:
    """Hears all that is written on the platform, and lets the chat answer.

    Args:
        chat: the platform-neutral half.
        url: of the platform.
    """

    def __init__(self, chat: Chat, url: str) -> None:
        self._chat = chat
        self._http = httpx2.AsyncClient(base_url=url, timeout=30.0)
        self._succession = Succession(self._take_over, chat.takeover_seconds)
        self._answering: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Listens until it is cancelled. What was written before it came, it hears as well."""
        self._succession.begin()
        heard = 0
        while True:
            messages = (await self._http.get(f"/events?since={heard}")).json()
            heard += len(messages)
            for one in messages:
                self._begin(self._receive(one))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _receive(self, one: dict[str, str]) -> None:
        message = IncomingMessage(
            one["id"],
            Place(one["gallery"], one["channel"]),
            Person(one["person"], one["person"]),
            one["text"],
            mentioned=True,
        )
        await self._told(self._chat.replies.receive(message, self._opener(message.id)))

    async def _take_over(self) -> None:
        for pending in await self._chat.replies.take_over("discord"):
            self._begin(self._go_on(pending))

    async def _go_on(self, pending: Pending) -> None:
        opener = self._opener(pending.question.message)
        await self._told(self._chat.replies.resume(pending, opener))

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except ChatAnythingError as error:
            await self._send("/tell", {"reason": str(error)})
        except Exception:
            log.exception("A message could not be answered")
            await self._send("/tell", {"reason": "A fault of the program; its log says more."})

    def _opener(self, question: str) -> Callable[[Persona, Before], Awaitable[Outlet]]:
        async def open_outlet(persona: Persona, before: Before) -> Outlet:
            return BenchOutlet(self._send, question, before)

        return open_outlet

    async def _send(self, path: str, body: dict[str, Any]) -> Any:
        return (await self._http.post(path, json=body)).json()
