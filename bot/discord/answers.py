"""The buttons under an answer: Stop while it is written, then Regenerate, Reply and Delete."""

from __future__ import annotations

from enum import StrEnum

import discord

from bot.discord.buttons import view_of


class Buttons(StrEnum):
    """Which buttons a message of an answer has."""

    NONE = "none"
    WRITING = "writing"
    DONE = "done"


def answer_view(buttons: Buttons, *, reply: bool) -> discord.ui.View | None:
    """The view of a message of an answer.

    Args:
        buttons: which.
        reply: whether people need a button to reply, because replies cannot be read here.
    """
    return view_of() if buttons is Buttons.NONE else None
