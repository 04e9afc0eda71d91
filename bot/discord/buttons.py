"""Views that cost nothing: their buttons carry in their id what they need, and work for ever."""

from __future__ import annotations

from typing import Any

import discord


def view_of(*items: discord.ui.Item[Any]) -> discord.ui.View:
    """A view for one message, which the library need not remember.

    The library keeps views to find who answers a click. Dynamic items are found by the pattern
    of their id, so that a view of them may be forgotten as soon as it is sent: ten thousand
    messages with buttons take no memory, and those from before a restart work like new ones.
    """
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view
