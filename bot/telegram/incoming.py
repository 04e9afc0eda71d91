"""What Telegram says happened, in the words of the chat."""

from __future__ import annotations

from typing import Final

from telegram import Audio, Message, MessageEntity, User, Video, VideoNote, Voice
from telegram.error import BadRequest, TelegramError
from telegram.ext import ExtBot

from bot.chat.base import IncomingMessage, Person, Sound
from bot.telegram.durations import seconds_of
from bot.telegram.failures import translated
from bot.telegram.limiter import Urgency
from bot.telegram.spots import place_of, spot_of
from personas.errors import InvalidInputError

DOWNLOAD_LIMIT: Final = 20_000_000
_ANONYMOUS: Final = 1087968824
"""Telegram's user for administrators who hide who they are."""

Bot = ExtBot[Urgency]


def person_of(message: Message) -> Person:
    """Who wrote. A channel's own posts in its group, and other bots, are nobody."""
    sender = message.sender_chat
    if sender is not None:
        hidden = sender.id == message.chat.id
        name = (hidden and message.author_signature) or sender.effective_name or ""
        posted = bool(message.is_automatic_forward)
        return Person(str(sender.id), name, is_moderator=hidden, is_bot=posted)
    if message.from_user is None:
        return Person("", is_bot=True)
    return person(message.from_user)


def person(user: User) -> Person:
    """Somebody with an account."""
    return Person(str(user.id), user.full_name, is_bot=user.is_bot and user.id != _ANONYMOUS)


def incoming(message: Message, bot: Bot, author: Person) -> IncomingMessage:
    """A message as the chat takes it, without the bot's name in it."""
    text, mentioned = _without_mention(message, bot)
    answered = _answered(message)
    if answered is not None and answered.from_user is not None:
        mentioned = mentioned or answered.from_user.id == bot.id
    return IncomingMessage(
        id=str(message.message_id),
        place=place_of(spot_of(message)),
        author=author,
        text=text,
        mentioned=mentioned,
        reply_to=str(answered.message_id) if answered is not None else "",
        sound=_sound(message, bot),
    )


def _answered(message: Message) -> Message | None:
    """The message that somebody replied to; in a topic, every message replies to its beginning."""
    answered = message.reply_to_message
    if answered is None or answered.forum_topic_created is not None:
        return None
    return answered


def _without_mention(message: Message, bot: Bot) -> tuple[str, bool]:
    text = message.text or message.caption or ""
    units = text.encode("utf-16-le", "surrogatepass")
    entities = message.entities or message.caption_entities
    found = False
    for entity in sorted(entities, key=lambda one: -one.offset):
        start, end = entity.offset * 2, (entity.offset + entity.length) * 2
        covered = units[start:end].decode("utf-16-le", "replace")
        named = (
            entity.type == MessageEntity.MENTION and covered.lower() == f"@{bot.username}".lower()
        )
        meant = (
            entity.type == MessageEntity.TEXT_MENTION
            and entity.user is not None
            and entity.user.id == bot.id
        )
        if named or meant:
            found = True
            units = units[:start] + units[end:]
    text = units.decode("utf-16-le", "replace")
    # What stood around the name stays as it was written.
    return (text.strip(" ,:\n") if found else text), found


def _sound(message: Message, bot: Bot) -> Sound | None:
    """A voice message, a round video, a sound file or a video: all can be listened to."""
    recorded: Voice | VideoNote | Audio | Video | None = (
        message.voice or message.video_note or message.audio or message.video
    )
    if recorded is None:
        return None
    size = recorded.file_size or 0
    return sound_of(bot, recorded.file_id, seconds_of(recorded, "duration"), size)


def sound_of(bot: Bot, file_id: str, seconds: float, size: int) -> Sound:
    """A recording, by Telegram's name for its file."""
    return Sound(seconds, size, lambda: fetch(bot, file_id), file_id)


async def fetch(bot: Bot, file_id: str) -> bytes:
    """A file that somebody sent.

    Raises:
        InvalidInputError: Telegram gives bots no file of this size.
        ChatAnythingError: it cannot be had.
    """
    try:
        file = await bot.get_file(file_id)
        return bytes(await file.download_as_bytearray())
    except BadRequest as error:
        if "too big" in str(error).lower():
            limit = DOWNLOAD_LIMIT // 1_000_000
            raise InvalidInputError(f"Telegram hands me files of up to {limit} MB.") from error
        raise translated(error) from error
    except TelegramError as error:
        raise translated(error) from error
