"""What happens on Discord in the words of the chat: places, people, messages."""

from __future__ import annotations

import re
from typing import Any

import discord

from bot.chat.base import IncomingMessage, Person, Place, Sound
from bot.discord.failures import persistently
from personas.gallery import gallery_id

_MENTION = re.compile(r"<(@!?|@&|#)(\d{1,20})>")
_EMOJI = re.compile(r"<a?:(\w{1,32}):\d{1,20}>")
_SAYS_SOMETHING = frozenset({discord.MessageType.default, discord.MessageType.reply})


def place_of(channel: Any, user: discord.abc.User) -> Place:
    """The place that a channel, thread or private chat is.

    Args:
        channel: of a message or interaction.
        user: who is there; a private chat is a community of one.
    """
    guild = getattr(channel, "guild", None)
    if guild is None:
        gallery = gallery_id("discord", user.id)
        return Place(gallery, channel_id(channel.id), private=True)
    parent = channel.parent_id if isinstance(channel, discord.Thread) else None
    return Place(
        gallery_id("discord", guild.id),
        channel_id(channel.id),
        parent=channel_id(parent) if parent else "",
        adult=_is_adult(channel),
    )


def channel_id(id: int) -> str:
    """A channel, thread or private chat as a `Place` names it."""
    return f"discord:{id}"


async def channel_named(client: discord.Client, channel: str) -> object:
    """The channel, thread or private chat that a `Place` names.

    Raises:
        GoneError: it is gone, or out of reach.
        UnavailableError: Discord does not answer.
    """
    id = int(channel.partition(":")[2])
    return client.get_channel(id) or await persistently(lambda: client.fetch_channel(id))


def is_served_by(client: discord.Client, place: Place) -> bool:
    """Whether a place is in one of the shards that this process runs."""
    shards = getattr(client, "shards", None)
    count = client.shard_count
    if not shards or not count:
        return True
    # Private chats are in the first shard.
    guild = 0 if place.private else int(place.gallery.partition(":")[2])
    return (guild >> 22) % count in shards


def person_of(user: discord.abc.User, permissions: discord.Permissions | None = None) -> Person:
    """Somebody, with what they may do.

    Args:
        user: who writes or clicks.
        permissions: as the platform told with an interaction; else what the cache knows.
    """
    if permissions is None and isinstance(user, discord.Member):
        permissions = user.guild_permissions
    return Person(
        id=str(user.id),
        name=user.display_name,
        is_moderator=permissions is not None and permissions.manage_guild,
        is_bot=user.bot,
    )


def asked_by(interaction: discord.Interaction[Any]) -> tuple[Place, Person]:
    """Where an interaction happens, and who acts."""
    user = interaction.user
    permissions = interaction.permissions if interaction.guild_id is not None else None
    return place_of(interaction.channel, user), person_of(user, permissions)


def incoming(message: discord.Message, me: discord.ClientUser) -> IncomingMessage | None:
    """What somebody said; None for what no person says: bots, webhooks, notices."""
    if message.author.bot or message.webhook_id or message.type not in _SAYS_SOMETHING:
        return None
    reference = message.reference
    reply_to = reference.message_id if reference is not None else None
    return IncomingMessage(
        id=str(message.id),
        place=place_of(message.channel, message.author),
        author=person_of(message.author),
        text=readable(message, me),
        mentioned=_mentions(message, me),
        reply_to=str(reply_to or ""),
        sound=_sound(message),
    )


def readable(message: discord.Message, me: discord.ClientUser) -> str:
    """The text of a message as people see it, without the call of the bot."""
    people = {user.id: user.display_name for user in message.mentions}
    roles = {role.id: role.name for role in message.role_mentions}
    mine = {role.id for role in message.role_mentions if _is_mine(role, me)}

    def name(match: re.Match[str]) -> str:
        kind, id = match[1], int(match[2])
        if id == me.id or id in mine:
            return ""
        if kind == "#":
            channel = message.guild.get_channel_or_thread(id) if message.guild else None
            return f"#{channel.name}" if channel is not None else "#channel"
        known = roles if kind == "@&" else people
        return f"@{known[id]}" if id in known else "@somebody"

    text = _MENTION.sub(name, message.content)
    return _EMOJI.sub(r":\1:", text).strip()


def _mentions(message: discord.Message, me: discord.ClientUser) -> bool:
    named = any(user.id == me.id for user in message.mentions)
    return named or any(_is_mine(role, me) for role in message.role_mentions)


def _is_mine(role: discord.Role, me: discord.ClientUser) -> bool:
    """Whether this is the role that Discord made for the bot; people mix the two up."""
    return role.tags is not None and role.tags.bot_id == me.id


def _sound(message: discord.Message) -> Sound | None:
    for attachment in message.attachments:
        kind = attachment.content_type or ""
        if attachment.is_voice_message() or kind.startswith("audio/"):
            return Sound(attachment.duration or 0.0, attachment.size, attachment.read)
    return None


def _is_adult(channel: Any) -> bool:
    is_nsfw = getattr(channel, "is_nsfw", None)
    return bool(is_nsfw()) if is_nsfw is not None else False
