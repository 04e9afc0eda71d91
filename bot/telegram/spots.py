"""Where in Telegram something is written, for Telegram and for the chat."""

from __future__ import annotations

from dataclasses import dataclass

from telegram import Chat, Message

from bot.chat.base import Place
from personas.gallery import gallery_id


@dataclass(frozen=True)
class Spot:
    """A chat, or a topic in one.

    Attributes:
        chat: id of the chat.
        topic: thread of a forum; None elsewhere.
        private: a chat with one person.
    """

    chat: int
    topic: int | None = None
    private: bool = False


def spot_of(message: Message) -> Spot:
    """Where a message stands. Reply threads of ordinary groups are no places of their own."""
    topic = message.message_thread_id if message.is_topic_message else None
    return Spot(message.chat.id, topic, message.chat.type == Chat.PRIVATE)


def private_spot(user: int) -> Spot:
    """The chat with one person."""
    return Spot(user, private=True)


def channel_of(chat: int) -> str:
    """A chat's name among the channels of all platforms."""
    return f"telegram:{chat}"


def place_of(spot: Spot) -> Place:
    """The same spot, for the chat."""
    channel, gallery = channel_of(spot.chat), gallery_id("telegram", spot.chat)
    if spot.topic is None:
        return Place(gallery, channel, private=spot.private)
    return Place(gallery, f"{channel}:{spot.topic}", parent=channel, private=spot.private)


def spot_at(place: Place) -> Spot:
    """The same place, for Telegram."""
    _, chat, *topic = place.channel.split(":")
    return Spot(int(chat), int(topic[0]) if topic else None, place.private)
