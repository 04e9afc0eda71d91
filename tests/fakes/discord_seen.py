"""What people see of a message: its words, pictures and buttons, wherever they stand in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import discord


def words(message: Any) -> str:
    """All text of a message, that of its components included."""
    texts = [message.content or ""]
    texts += [one.content for one in _all(message) if isinstance(one, discord.TextDisplay)]
    return "\n".join(texts)


def buttons(message: Any) -> list[str]:
    """The labels of the buttons that can be pressed."""
    return [
        one.label or ""
        for one in _all(message)
        if isinstance(one, discord.Button) and not one.disabled
    ]


def menus(message: Any) -> list[discord.SelectMenu]:
    """The menus."""
    return [one for one in _all(message) if isinstance(one, discord.SelectMenu)]


def pictures(message: Any) -> list[str]:
    """The addresses of the pictures that components show."""
    urls = []
    for one in _all(message):
        if isinstance(one, discord.MediaGalleryComponent):
            urls += [item.media.url for item in one.items]
        if isinstance(one, discord.SectionComponent) and isinstance(
            one.accessory, discord.ThumbnailComponent
        ):
            urls.append(one.accessory.media.url)
    return urls


def _all(message: Any) -> Iterator[Any]:
    # A response of simcord has the message as the library knows it in an attribute.
    message = getattr(message, "message", message)
    waiting = list(message.components)
    while waiting:
        one = waiting.pop(0)
        yield one
        waiting[:0] = list(getattr(one, "children", ()))
        accessory = getattr(one, "accessory", None)
        if accessory is not None:
            waiting.insert(0, accessory)
