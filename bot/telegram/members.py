"""Who manages a group, and who belongs to it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from telegram import ChatMember, ChatMemberRestricted
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.telegram.clock import Clock
from bot.telegram.limiter import Urgency

_REMEMBERED: Final = 60.0
_MOST: Final = 4096
_MANAGING: Final = (ChatMember.OWNER, ChatMember.ADMINISTRATOR)


class Members:
    """Asks Telegram, and remembers the answer for a minute."""

    def __init__(self, bot: ExtBot[Urgency], clock: Clock) -> None:
        self._bot, self._clock = bot, clock
        self._known: OrderedDict[tuple[int, int], tuple[float, str]] = OrderedDict()

    async def manages(self, chat: int, user: int) -> bool:
        """Whether somebody is an administrator of a group; not where Telegram does not say."""
        return await self._status(chat, user) in _MANAGING

    async def belongs(self, chat: int, user: int) -> bool:
        """Whether somebody is in a group, or this is their own private chat."""
        if chat == user:
            return True
        return await self._status(chat, user) in (*_MANAGING, ChatMember.MEMBER)

    async def _status(self, chat: int, user: int) -> str:
        known = self._known.get((chat, user))
        if known is not None and self._clock.now() - known[0] < _REMEMBERED:
            return known[1]
        try:
            member = await self._bot.get_chat_member(chat, user)
        except TelegramError:
            return ""
        status = str(member.status)
        if isinstance(member, ChatMemberRestricted) and member.is_member:
            status = ChatMember.MEMBER
        self._known[chat, user] = (self._clock.now(), status)
        self._known.move_to_end((chat, user))
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return status
