"""Telegram's limits, kept: a queue for each chat, in order, and no chat waits for another.

Telegram allows 30 messages a second in all, one a second in a chat and 20 a minute in a group;
new messages and edits count. A permit comes back only a while after the *answer* has come, so
that no delay on the way can push two requests closer together than is allowed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from telegram.error import BadRequest, NetworkError, RetryAfter, TelegramError
from telegram.ext import BaseRateLimiter

from bot.telegram.clock import Clock
from bot.telegram.durations import seconds_of
from bot.telegram.permits import Permits
from bot.telegram.request import FileTooLargeError, NotArrivedError, backoff

log = logging.getLogger(__name__)

Result = bool | dict[str, Any] | list[dict[str, Any]]

_COUNTED: Final = ("send", "edit", "copy", "forward")
_ACTION: Final = "sendChatAction"
_DRAFT: Final = "sendMessageDraft"
_AGAIN: Final = ("get", "edit", "delete", "set", "answer", "pin", "unpin", "leave", _ACTION, _DRAFT)
"""Done twice, these are as if done once."""


class Urgency(StrEnum):
    """What becomes of a request for which there is no room just now."""

    WAITS = "waits"
    FLEETING = "fleeting"


class NotNowError(TelegramError):
    """A fleeting request found no room or did not arrive; the next will show as much and more."""


class QueueFullError(TelegramError):
    """Too many requests wait for one chat."""


@dataclass(frozen=True)
class Limits:
    """What Telegram allows.

    Attributes:
        overall: messages a second, by the whole bot.
        chat_seconds: between two messages to one chat.
        group: messages a minute to one group.
        group_seconds: the length of that minute.
        spare: of the group's messages, how many are not for fleeting requests.
        waiting: requests that may wait for one chat.
        patience: seconds for which a request is tried again.
    """

    overall: int = 30
    chat_seconds: float = 1.0
    group: int = 20
    group_seconds: float = 60.0
    spare: int = 12
    waiting: int = 200
    patience: float = 150.0


class _Chat:
    """What one chat may still get."""

    def __init__(self, limits: Limits, clock: Clock, *, is_group: bool) -> None:
        self.turn = Permits(1, limits.chat_seconds, clock)
        self.drafts = Permits(1, limits.chat_seconds, clock)
        self.minute = Permits(limits.group, limits.group_seconds, clock) if is_group else None
        self.resting = 0

    @property
    def permits(self) -> list[Permits]:
        return [p for p in (self.turn, self.drafts, self.minute) if p is not None]

    @property
    def idle(self) -> bool:
        return not self.resting and all(permits.idle for permits in self.permits)


class ChatLimiter(BaseRateLimiter[Urgency]):
    """A rate limiter of python-telegram-bot.

    Requests to one chat are done one after the other, in the order in which they were made. What
    is refused for a while or did not arrive is tried again; a message whose *answer* was lost is
    not, because it may be there already. A chat that nothing happens in is forgotten.

    Args:
        limits: what Telegram allows.
        clock: what time it is.
    """

    def __init__(self, limits: Limits | None = None, clock: Clock | None = None) -> None:
        self._limits, self._clock = limits or Limits(), clock or Clock()
        self._overall = Permits(self._limits.overall, 1.0, self._clock)
        self._chats: dict[str, _Chat] = {}
        self._unreachable = False

    @property
    def chats(self) -> int:
        """Chats that are remembered: those in which something happened within a minute."""
        return len(self._chats)

    async def initialize(self) -> None:
        """Nothing is needed."""

    async def shutdown(self) -> None:
        """Forgets all."""
        self._overall.close()
        for chat in self._chats.values():
            for permits in chat.permits:
                permits.close()
        self._chats.clear()

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Result]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: Urgency | None,
    ) -> Result:
        """Makes a request when it is its turn.

        Raises:
            NotNowError: it was fleeting, and there was no room, or it did not arrive.
            QueueFullError: too many wait for this chat.
            TelegramError: whatever Telegram says that waiting does not change.
        """

        async def call() -> Result:
            return await callback(*args, **kwargs)

        id = data.get("chat_id")
        counted = endpoint.startswith(_COUNTED)
        if not counted:
            return await self._persist(call, endpoint, overall=False)
        if id is None:
            return await self._persist(call, endpoint, overall=True)
        chat = self._chat(str(id))
        if endpoint in (_ACTION, _DRAFT):
            return await self._aside(call, endpoint, str(id), chat)
        if rate_limit_args is Urgency.FLEETING:
            return await self._in_passing(call, str(id), chat)
        return await self._in_turn(call, endpoint, str(id), chat)

    def _chat(self, id: str) -> _Chat:
        chat = self._chats.get(id)
        if chat is None:
            # Names such as @channel stand for channels and public groups only.
            chat = self._chats[id] = _Chat(
                self._limits, self._clock, is_group=id.startswith(("-", "@"))
            )
        return chat

    def _forget(self, id: str) -> None:
        chat = self._chats.get(id)
        if chat is not None and chat.idle:
            del self._chats[id]

    async def _in_turn(
        self, call: Callable[[], Coroutine[Any, Any, Result]], endpoint: str, id: str, chat: _Chat
    ) -> Result:
        """After all that was asked of this chat before."""
        if chat.turn.waiting >= self._limits.waiting:
            raise QueueFullError("Too many messages wait for this chat")
        await chat.turn.take()
        try:
            if chat.minute is not None:
                await chat.minute.take()
            try:
                return await self._persist(call, endpoint, overall=True, chat=chat)
            finally:
                if chat.minute is not None:
                    chat.minute.give_back(then=lambda: self._forget(id))
        finally:
            chat.turn.give_back(then=lambda: self._forget(id))

    async def _in_passing(
        self, call: Callable[[], Coroutine[Any, Any, Result]], id: str, chat: _Chat
    ) -> Result:
        """Now, or not at all; never in the place of a message that will be needed."""
        minute = chat.minute
        crowded = minute is not None and minute.free <= self._limits.spare
        if crowded or chat.resting or not chat.turn.free or not self._overall.free:
            self._forget(id)
            raise NotNowError("No room")
        taken = [permits for permits in (chat.turn, minute) if permits is not None]
        return await self._once(call, id, chat, taken)

    async def _aside(
        self,
        call: Callable[[], Coroutine[Any, Any, Result]],
        endpoint: str,
        id: str,
        chat: _Chat,
    ) -> Result:
        """What is no message: drafts have a pace of their own, actions only the bot's."""
        taken = [chat.drafts] if endpoint == _DRAFT else []
        room = self._overall.free and all(permits.free for permits in taken)
        if chat.resting or not room:
            self._forget(id)
            raise NotNowError("No room")
        return await self._once(call, id, chat, taken)

    async def _once(
        self,
        call: Callable[[], Coroutine[Any, Any, Result]],
        id: str,
        chat: _Chat,
        taken: list[Permits],
    ) -> Result:
        rest = 0.0
        for permits in (self._overall, *taken):
            await permits.take()
        try:
            return await call()
        except RetryAfter as error:
            rest = seconds_of(error, "retry_after")
            self._rest(id, chat, rest)
            raise NotNowError("Telegram wants a pause") from error
        except NotArrivedError as error:
            raise NotNowError("It did not arrive") from error
        finally:
            self._overall.give_back()
            for permits in taken:
                permits.give_back(rest, lambda: self._forget(id))
            if not taken and not rest:
                self._forget(id)

    def _rest(self, id: str, chat: _Chat, seconds: float) -> None:
        """Lets nothing fleeting into a chat for a while."""

        def over() -> None:
            chat.resting -= 1
            self._forget(id)

        chat.resting += 1
        self._clock.later(seconds, over)

    async def _persist(
        self,
        call: Callable[[], Coroutine[Any, Any, Result]],
        endpoint: str,
        *,
        overall: bool,
        chat: _Chat | None = None,
    ) -> Result:
        """Tries until it is done, until trying again could do it twice, or until it is enough."""
        deadline, attempt = self._clock.now() + self._limits.patience, 0
        while True:
            if overall:
                await self._overall.take()
            failure: TelegramError
            try:
                result = await call()
            except RetryAfter as error:
                wait, failure = seconds_of(error, "retry_after"), error
                log.info("Telegram wants a pause of %.0f s in one chat", wait)
            except NetworkError as error:
                if not _may_try_again(error, endpoint):
                    raise
                wait, failure = backoff(attempt), error
                self._notice(error)
                if chat is not None and chat.minute is not None:
                    # It may have been counted already.
                    await chat.minute.take()
                    chat.minute.give_back(wait)
            else:
                self._notice(None)
                return result
            finally:
                if overall:
                    self._overall.give_back()
            attempt += 1
            if self._clock.now() + wait > deadline:
                raise failure
            if chat is not None:
                chat.resting += 1
            try:
                await self._clock.sleep(wait)
            finally:
                if chat is not None:
                    chat.resting -= 1

    def _notice(self, error: TelegramError | None) -> None:
        """Logs that Telegram cannot be reached, once, and that it is back."""
        if error is not None and not self._unreachable:
            log.warning("Telegram cannot be reached (%s); trying on", error)
        elif error is None and self._unreachable:
            log.info("Telegram is back")
        self._unreachable = error is not None


def _may_try_again(error: NetworkError, endpoint: str) -> bool:
    if isinstance(error, BadRequest | FileTooLargeError):
        return False
    return isinstance(error, NotArrivedError) or endpoint.startswith(_AGAIN)
