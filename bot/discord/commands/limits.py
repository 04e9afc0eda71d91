"""The numbers of /settings: how much members may use, and what it may cost, in two forms."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import discord

from bot.discord.buttons import Form, Press
from bot.discord.context import context_of
from bot.discord.places import asked_by
from personas.errors import InvalidInputError
from personas.gallery import Policy

Change = Callable[..., Awaitable[None]]
Fields = tuple[tuple[str, str], ...]

LIMITS: Final[Fields] = (
    ("messages_each", "Messages of one member a day"),
    ("messages", "Messages of the whole server a day"),
    ("creations_each", "New personas of one member a day"),
    ("creations", "New personas of the server a day"),
    ("clip_seconds", "Longest clip, in seconds"),
)
_TOKENS: Final[Fields] = (
    ("tokens_each", "Tokens of one member a day"),
    ("tokens", "Tokens of the whole server a day"),
)
_CPU: Final[Fields] = (
    ("cpu_seconds_each", "CPU seconds of one member a day"),
    ("cpu_seconds", "CPU seconds of the server a day"),
)
_GPU: Final[Fields] = (
    ("gpu_seconds_each", "GPU seconds of one member a day"),
    ("gpu_seconds", "GPU seconds of the server a day"),
)
_FORMS: Final = {"limits": ("Limits", "📏"), "budget": ("Budget", "🪙")}


class LimitsButton(Press, template=r"ca:rule:(?P<form>limits|budget)"):
    """Opens a form with numbers.

    Args:
        form: limits or budget.
    """

    def __init__(self, form: str = "limits") -> None:
        label, emoji = _FORMS[form]
        super().__init__(discord.ui.Button(label=label, emoji=emoji, custom_id=f"ca:rule:{form}"))
        self._form = form

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str]
    ) -> LimitsButton:
        """The button that was pressed."""
        return cls(match["form"])

    async def pressed(self, interaction: discord.Interaction[Any]) -> None:
        """Shows the form, if this person may fill it in."""
        from bot.discord.commands.rules import change

        place, person = asked_by(interaction)
        rooms = context_of(interaction).chat.rooms
        policy = await rooms.set_rules(place, person)
        fields = LIMITS
        if self._form == "budget":
            # What clips keep busy here is what a server can save; there is room for five numbers.
            fields = _TOKENS + (_CPU if rooms.busy == "cpu" else _GPU)
        form = LimitsForm(_FORMS[self._form][0], fields, policy, change)
        await interaction.response.send_modal(form)


class LimitsForm(Form):
    """How much members may use.

    Args:
        title: of the form.
        fields: the numbers, by their names in `Policy`.
        policy: what they are.
        change: changes them.
    """

    def __init__(self, title: str, fields: Fields, policy: Policy, change: Change) -> None:
        super().__init__(title=title, timeout=3_600)
        self._change = change
        self._fields: dict[tuple[str, str], discord.ui.TextInput[Any]] = {}
        for key, label in fields:
            value = getattr(policy, key)
            field: discord.ui.TextInput[Any] = discord.ui.TextInput(
                default=None if value is None else str(value),
                placeholder="as usual",
                required=False,
                max_length=10,
            )
            self._fields[key, label] = field
            self.add_item(discord.ui.Label(text=label, component=field))

    async def submitted(self, interaction: discord.Interaction[Any]) -> None:
        """Changes the numbers."""
        changes: dict[str, int | None] = {}
        for (key, label), field in self._fields.items():
            text = field.value.strip()
            if text and not text.isdecimal():
                raise InvalidInputError(f"{label}: this has to be a number, or nothing.")
            changes[key] = int(text) if text else None
        await self._change(interaction, **changes)
