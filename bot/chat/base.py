"""The words every chat platform shares, and what an adapter gives the chat: an outlet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

from engine.speech.base import Speech
from engine.talkinghead.base import Clip
from personas.errors import ChatAnythingError
from personas.persona import Persona


@dataclass(frozen=True)
class Person:
    """Somebody who writes or clicks.

    Attributes:
        id: as the platform names them; the same as `Persona.creator`.
        name: as people here call them.
        is_moderator: may manage this community. In a private chat everybody is at home.
        is_bot: a program, or a message that no person wrote.
    """

    id: str
    name: str = ""
    is_moderator: bool = False
    is_bot: bool = False


@dataclass(frozen=True)
class Place:
    """Where something happens.

    Attributes:
        gallery: the community's gallery, by `personas.gallery.gallery_id`.
        channel: `discord:<channel>`, `telegram:<chat>` or `telegram:<chat>:<topic>`.
        parent: the channel that a thread or topic belongs to; its personas and its mode hold
            where the thread has none of its own. Empty for others.
        private: a chat with one person, where every message is for the persona.
        adult: the platform keeps children out of this channel; None where it does not tell.
    """

    gallery: str
    channel: str
    parent: str = ""
    private: bool = False
    adult: bool | None = None


@dataclass(frozen=True)
class Sound:
    """A voice message or another recording that came with a message.

    Attributes:
        seconds: its length, as the platform tells; 0 where it does not.
        size: bytes.
        fetch: gets the file.
        name: by which the adapter finds it again after a restart, where it needs one.
    """

    seconds: float
    size: int
    fetch: Callable[[], Awaitable[bytes]]
    name: str = ""


@dataclass(frozen=True)
class IncomingMessage:
    """What somebody said.

    Attributes:
        id: of the message in its channel.
        place: where.
        author: by whom.
        text: without the mention of the bot.
        mentioned: the bot was called by its own name or role.
        reply_to: id of the message that this one replies to; may be empty.
        sound: what was spoken, if anything.
    """

    id: str
    place: Place
    author: Person
    text: str
    mentioned: bool = False
    reply_to: str = ""
    sound: Sound | None = None


class Activity(StrEnum):
    """What people see that the persona is doing."""

    WRITING = "writing"
    SPEAKING = "speaking"
    FILMING = "filming"


class Journal(Protocol):
    """Where an outlet writes down what it has posted, for whoever goes on after a kill.

    Both raise `GoneError` where another process goes on already.
    """

    async def sending(self, kind: Literal["", "text", "file"]) -> None:
        """Notes that a message is on its way which cannot be found again, so never sent again.

        For what stays: whole text, clips, sounds. Not for what can be found, or sent twice
        without harm. Empty: it certainly did not arrive.
        """

    async def sent(self, kind: Literal["text", "file"], message: str) -> None:
        """Notes a new message; its id is empty where the platform's answer was lost."""


@dataclass(frozen=True)
class Before:
    """What is there already of an answer, all empty for a new one.

    Attributes:
        messages: with the text, in order; they are changed instead of posting others. One whose
            id is not known is empty, and stays as it is.
        files: with the clip or the sound alone; they go when the new one comes.
        answer: id of the answer, the same for whoever goes on with it; may be empty.
        journal: told of each new message.
        again: a process that was killed has begun it, and may have posted what is not known.
    """

    messages: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    answer: str = ""
    journal: Journal | None = None
    again: bool = False


class RefusedError(ChatAnythingError):
    """Somebody may not do this here."""


class GoneError(ChatAnythingError):
    """The message, the channel or the right to write there is gone: nothing more can be shown."""


class TooLargeError(ChatAnythingError):
    """The platform takes no file of this size here."""


class Outlet(Protocol):
    """Where one answer goes: one persona, in one channel, to one message.

    The adapter's half of a reply. The chat decides what is shown and when, the outlet how. A
    call that fails for a moment (429, 5xx, no network) is tried again inside, and never shown
    twice.
    """

    @property
    def text_limit(self) -> int:
        """Characters that one message may have."""

    @property
    def interval(self) -> float:
        """Seconds between two looks of a text that is being written."""

    @property
    def file_limit(self) -> int:
        """Bytes that one file may have here."""

    @property
    def message_ids(self) -> tuple[str, ...]:
        """The messages that the text has become so far, in order."""

    @property
    def file_ids(self) -> tuple[str, ...]:
        """The messages that hold a clip or a sound and no text, so far."""

    async def heard(self, text: str) -> None:
        """Shows, quoted, what was understood of a voice message.

        Raises:
            GoneError: there is nowhere to show it any more.
        """

    def activity(self, doing: Activity) -> AbstractAsyncContextManager[None]:
        """Shows what the persona is doing for as long as the context lasts; never fails."""

    async def show(self, pieces: Sequence[str], *, final: bool) -> None:
        """Shows the text so far, whole: one message a piece, each within `text_limit`.

        Pieces only ever grow, but for the last look, which may differ from those before.

        Raises:
            GoneError: there is nowhere to show it any more.
        """

    async def send_clip(self, clip: Clip) -> None:
        """Sends the clip with the text or right after it.

        Raises:
            TooLargeError: not of this size; nothing was sent.
            GoneError: there is nowhere to show it any more.
        """

    async def send_voice(self, speech: Speech) -> None:
        """Sends the sound alone, as a voice message where the platform has them.

        Raises:
            TooLargeError: not of this size; nothing was sent.
            GoneError: there is nowhere to show it any more.
        """

    async def tell(self, reason: str) -> None:
        """Tells who asked, and where the platform can nobody else, a sentence. Never fails."""


OpenOutlet = Callable[[Persona, Before], Awaitable[Outlet]]
"""How an adapter makes an outlet, once it is known who answers."""
