"""Faces: a lasting address for each portrait, for messages that show who speaks.

Addresses of attachments are signed and expire within a day, and a webhook is told the address of
a face with every message. Emoji of the application have addresses that last, need no permission
of any server, and can be found again by their name after a restart.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import OrderedDict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

import discord

from bot.discord.failures import Lost, is_full

if TYPE_CHECKING:
    from personas.persona import Persona, Portrait
    from storage.media import MediaStore

log = logging.getLogger(__name__)

SIZE: Final = 128
"""Pixels: the largest in which Discord keeps an emoji."""
PATIENCE: Final = 3.0
"""Seconds that an answer waits for the face of who gives it."""
_PREFIX: Final = "ca_"
_MARGIN: Final = 1.9
"""How much more than the face is shown."""
_FRESH_SECONDS: Final = 3600.0
_REST_SECONDS: Final = 300.0


class Faces:
    """The faces of personas as emoji of the application.

    Args:
        client: logged in.
        media: where portraits are.
        limit: how many are kept; the one not used for longest goes first.
    """

    def __init__(self, client: discord.Client, media: MediaStore, limit: int) -> None:
        self._client = client
        self._media = media
        self._limit = limit
        self._emoji: OrderedDict[str, discord.Emoji] = OrderedDict()
        self._loaded_at = -math.inf
        self._rest_until = -math.inf
        self._changing = asyncio.Lock()
        self._making: dict[str, asyncio.Task[discord.Emoji | None]] = {}

    async def emoji(self, persona: Persona) -> discord.Emoji | None:
        """The face, made if need be; None where there is none to be had now. Never fails.

        Discord lets few emoji be made in a row. Nobody waits for that: a persona speaks without
        a face until it has one, and those that have one go on meanwhile.
        """
        if not self._limit:
            return None
        name = emoji_name(persona.portrait)
        known = self._known(name)
        if known is not None:
            return known
        task = self._making.get(name)
        if task is None:
            task = self._making[name] = asyncio.create_task(self._get(name, persona))
            task.add_done_callback(lambda _: self._making.pop(name, None))
        await asyncio.wait({task}, timeout=PATIENCE)
        return task.result() if task.done() and not task.cancelled() else None

    def _known(self, name: str) -> discord.Emoji | None:
        """A face that is there by what was seen of late; it counts as used."""
        if not self._is_fresh or name not in self._emoji:
            return None
        self._emoji.move_to_end(name)
        return self._emoji[name]

    @property
    def _is_fresh(self) -> bool:
        return time.monotonic() - self._loaded_at <= _FRESH_SECONDS

    async def _get(self, name: str, persona: Persona) -> discord.Emoji | None:
        try:
            async with self._changing:
                if not self._is_fresh:
                    await self._load()
                found = self._emoji.get(name)
                if found is None and time.monotonic() >= self._rest_until:
                    found = await self._make(name, persona.portrait)
        except (discord.HTTPException, *Lost) as error:
            log.warning("No face for %s: %s", persona.slug, error)
            self._rest_until = time.monotonic() + _REST_SECONDS
            return self._emoji.get(name)
        except Exception:
            log.exception("No face for %s", persona.slug)
            return None
        if found is not None:
            self._emoji.move_to_end(name)
        return found

    async def url(self, persona: Persona) -> str | None:
        """The address of the face; it stays valid."""
        emoji = await self.emoji(persona)
        return emoji.url if emoji is not None else None

    async def _load(self) -> None:
        """What the application has already, the oldest first, in the order of use as known."""
        there = {emoji.name: emoji for emoji in await self._client.fetch_application_emojis()}
        used = [name for name in self._emoji if name in there]
        others = sorted(
            (name for name in there if name.startswith(_PREFIX) and name not in self._emoji),
            key=lambda name: there[name].id,
        )
        self._emoji = OrderedDict((name, there[name]) for name in (*others, *used))
        self._loaded_at = time.monotonic()

    async def _make(self, name: str, portrait: Portrait) -> discord.Emoji:
        data = await self._media.get(portrait.image)
        small = await asyncio.to_thread(face_png, data, portrait)
        while len(self._emoji) >= self._limit:
            await self._drop_oldest()
        try:
            emoji = await self._client.create_application_emoji(name=name, image=small)
        except discord.HTTPException as error:
            if not is_full(error) or not self._emoji:
                raise
            # Somebody else keeps emoji there, too.
            await self._drop_oldest()
            emoji = await self._client.create_application_emoji(name=name, image=small)
        self._emoji[name] = emoji
        return emoji

    async def _drop_oldest(self) -> None:
        _, emoji = self._emoji.popitem(last=False)
        try:
            await emoji.delete()
        except discord.NotFound:
            log.debug("The emoji %s was gone already", emoji.name)


def emoji_name(portrait: Portrait) -> str:
    """The name of a portrait's emoji: always the same, and of this portrait only."""
    return _PREFIX + PurePosixPath(portrait.image).stem[:24]


def face_png(image: bytes, portrait: Portrait) -> bytes:
    """The face of a portrait with what surrounds it, as a small PNG. Blocks for milliseconds."""
    import io

    from PIL import Image

    geometry = portrait.geometry
    with Image.open(io.BytesIO(image)) as picture:
        side = min(*picture.size, round(_MARGIN * max(geometry.width, geometry.height)))
        side = max(side, min(picture.size) // 2)
        x, y = geometry.centre
        left = min(max(round(x - side / 2), 0), picture.width - side)
        top = min(max(round(y - side / 2), 0), picture.height - side)
        face = picture.convert("RGB").crop((left, top, left + side, top + side))
    small = face.resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "PNG", optimize=True)
    return file.getvalue()
