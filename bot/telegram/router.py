"""Router: what came in, and who takes care of it."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from typing import Any, Final

from telegram import CallbackQuery, ChatMember, ChatMemberUpdated, Message, MessageEntity, Update

from bot.chat.base import Person
from bot.telegram import carrying, inline
from bot.telegram.backlog import STALE_SECONDS, Backlog
from bot.telegram.commands import COMMANDS, guide, press
from bot.telegram.desk import Desk
from bot.telegram.incoming import incoming, person, person_of
from bot.telegram.spots import Spot, channel_of, place_of, spot_of
from bot.telegram.touch import Touch
from bot.telegram.visit import Visit
from engine.observing import arriving
from personas.errors import NotFoundError
from personas.gallery import Visibility, gallery_id

log = logging.getLogger(__name__)

UPDATES: Final = [
    Update.MESSAGE,
    Update.EDITED_MESSAGE,
    Update.CALLBACK_QUERY,
    Update.INLINE_QUERY,
    Update.MY_CHAT_MEMBER,
]
_PATIENCE: Final = 3.0
"""Seconds for which a button may wait for what it does."""
_HERE: Final = (ChatMember.MEMBER, ChatMember.ADMINISTRATOR, ChatMember.RESTRICTED)
_BLIND: Final = (
    "I cannot see pictures and files, but I can read and listen. A photo with the caption "
    "/create makes somebody of it; a character card with the caption /import brings them in."
)


@dataclass(frozen=True)
class Command:
    """A command as it was written: its name, the words behind it, and whose it is."""

    name: str
    words: str
    addressed: bool
    is_ours: bool


class Router:
    """Takes updates and hands each to what it is for; nothing here takes long.

    Args:
        desk: what all visits share.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._backlog = Backlog(desk.clock, self._hand_on)

    async def take(self, update: Update, _: Any = None) -> None:
        """Takes an update; one that came before is ignored."""
        if not self._desk.updates.is_new(update.update_id):
            return
        arriving(_name_of(update))
        if update.inline_query is not None:
            self._desk.go_on(inline.answer(self._desk, update.inline_query))
        elif update.callback_query is not None:
            await self._press(update.callback_query)
        elif update.my_chat_member is not None:
            await self._membership(update.my_chat_member)
        elif update.message is not None:
            await self._message(update.message)
        elif update.edited_message is not None:
            await self._said(update.edited_message, edited=True)

    def finish(self) -> None:
        """Hands on what it still waits with, where no more updates come."""
        self._backlog.hand_over_all()

    async def _message(self, message: Message) -> None:
        if message.migrate_to_chat_id is not None:
            await self._move(message.chat.id, message.migrate_to_chat_id)
        elif message.migrate_from_chat_id is not None:
            await self._move(message.migrate_from_chat_id, message.chat.id)
        if message.via_bot is not None and message.via_bot.id == self._desk.bot.id:
            return  # a card that somebody posted with inline mode
        command = command_of(message, self._desk.bot.username)
        if command is None:
            await self._plain(message)
        elif command.is_ours:
            await self._command(message, command)

    async def _move(self, old: int, new: int) -> None:
        """Follows a group to its new id; both of its ids announce the move."""
        log.info("Chat %d has become %d", old, new)
        await self._desk.chat.move(
            gallery=(gallery_id("telegram", old), gallery_id("telegram", new)),
            channel=(channel_of(old), channel_of(new)),
        )

    async def _command(self, message: Message, command: Command) -> None:
        visit = self._visit(message, await self._with_rank(message))
        if visit.person.is_bot:
            return
        answer = COMMANDS.get(command.name)
        async with visit.explained():
            if answer is not None:
                await answer(visit, command.words)
            elif visit.place.private or command.addressed:
                raise NotFoundError(f"There is no /{command.name[:32]}. /help lists what there is.")

    async def _plain(self, message: Message) -> None:
        """What is no command: a card that is brought, or something that is said."""
        visit = self._visit(message, person_of(message))
        if visit.place.private and not (message.text or message.caption):
            card = carrying.card_of(message) if message.document is not None else None
            if card is not None:
                visit.go_on(carrying.bring(visit, card))
                return
            if message.photo or message.document or message.sticker or message.animation:
                await self._blind(visit, message)
                return
        await self._said(message)

    async def _blind(self, visit: Visit, message: Message) -> None:
        """Says what to do with a picture; once for an album."""
        album = message.media_group_id or message.message_id
        if self._desk.notices.is_new(("album", album), self._desk.clock.now()):
            async with visit.explained():
                await visit.say(_BLIND)

    async def _said(self, message: Message, *, edited: bool = False) -> None:
        """Lets whoever it is for answer; the answer takes its time."""
        private = message.chat.type == message.chat.PRIVATE
        age = time.time() - message.date.timestamp()
        if not private and age > 60 * self._desk.settings.group_minutes:
            return  # a group has gone on since
        if edited and command_of(message, self._desk.bot.username) is not None:
            return
        if private and not edited and message.text and age > STALE_SECONDS:
            self._backlog.add(message)
            return
        async with self._visit(message, person_of(message)).explained():
            self._hand_on([message], await self._author(message), edited=edited)

    def _hand_on(
        self, messages: list[Message], author: Person | None = None, *, edited: bool = False
    ) -> None:
        """Hands what was said to the chat; several messages as one."""
        message = messages[-1]
        visit = self._visit(message, author or person_of(message))
        heard = [incoming(one, self._desk.bot, visit.person) for one in messages]
        said = replace(heard[-1], text="\n".join(one.text for one in heard if one.text.strip()))
        if said.author.is_bot or not (said.text.strip() or said.sound):
            return
        if message.media_group_id is not None and not edited:
            self._desk.notices.is_new(("album", message.media_group_id), self._desk.clock.now())
        opener = self._desk.opener(visit.spot, visit.place, visit.person, message.message_id)
        replies = self._desk.chat.replies
        answer = replies.edited if edited else replies.receive
        visit.go_on(answer(said, opener))

    async def _press(self, query: CallbackQuery) -> None:
        message, touch = query.message, Touch(query)
        if message is None or query.data is None:
            await touch.rest()
            return
        # Who sees a button wait for long touches it again.
        resting = asyncio.get_running_loop().call_later(
            _PATIENCE, lambda: self._desk.go_on(touch.rest())
        )
        whole = message if isinstance(message, Message) else None
        private = message.chat.type == message.chat.PRIVATE
        spot = spot_of(whole) if whole is not None else Spot(message.chat.id, None, private)
        who = person(query.from_user)
        if not private:
            manages = await self._desk.members.manages(message.chat.id, query.from_user.id)
            who = Person(who.id, who.name, is_moderator=manages, is_bot=who.is_bot)
        visit = Visit(self._desk, spot, place_of(spot), who, whole, touch)
        async with visit.explained():
            await press(visit, query.data)
        resting.cancel()
        await touch.rest()

    async def _membership(self, change: ChatMemberUpdated) -> None:
        """Says hello to a group; notes where it was thrown out."""
        before, after = change.old_chat_member.status, change.new_chat_member.status
        if after not in _HERE:
            log.info("No longer in chat %d", change.chat.id)
        elif before not in _HERE and change.chat.type in ("group", "supergroup"):
            spot = Spot(change.chat.id)
            visit = Visit(self._desk, spot, place_of(spot), person(change.from_user))
            async with visit.explained():
                await guide(visit, "")

    async def _with_rank(self, message: Message) -> Person:
        """Who wrote, and whether they manage the group."""
        who = person_of(message)
        if who.is_moderator or who.is_bot or message.chat.type == message.chat.PRIVATE:
            return who
        if message.sender_chat is not None:
            return who
        manages = await self._desk.members.manages(message.chat.id, int(who.id))
        return Person(who.id, who.name, is_moderator=manages)

    async def _author(self, message: Message) -> Person:
        """Who wrote; with their rank only where it decides who talks with whom."""
        who = person_of(message)
        if who.is_bot or message.chat.type == message.chat.PRIVATE:
            return who
        policy = await self._desk.chat.rooms.rules(place_of(spot_of(message)))
        return await self._with_rank(message) if policy.visibility is Visibility.CREATOR else who

    def _visit(self, message: Message, who: Person) -> Visit:
        spot = spot_of(message)
        return Visit(self._desk, spot, place_of(spot), who, message)


def _name_of(update: Update) -> str:
    """What a request is called in the log: its chat and message, or its update."""
    message = update.message or update.edited_message
    if message is None:
        return f"telegram/u{update.update_id}"
    edited = "" if update.edited_message is None else "/edited"
    return f"telegram:{message.chat.id}/{message.message_id}{edited}"


def command_of(message: Message, bot_name: str) -> Command | None:
    """The command that a message is; what was forwarded commands nothing."""
    text = message.text or message.caption or ""
    entities = message.entities or message.caption_entities
    first = next((e for e in entities if e.offset == 0), None)
    if first is None or first.type != MessageEntity.BOT_COMMAND or message.forward_origin:
        return None
    name, sign, addressee = text[1 : first.length].partition("@")
    return Command(
        name.lower(),
        text[first.length :].strip(),
        addressed=bool(sign),
        is_ours=not sign or addressee.lower() == bot_name.lower(),
    )
