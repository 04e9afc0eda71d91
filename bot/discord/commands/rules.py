"""/settings and /help."""

from __future__ import annotations

import re
from typing import Any, Final

import discord
from discord import app_commands

from bot.discord.buttons import Choose, forgotten
from bot.discord.commands import options
from bot.discord.commands.limits import LIMITS, LimitsButton
from bot.discord.context import context_of, explained, say
from bot.discord.places import asked_by
from bot.discord.speakers import NOBODY
from personas.gallery import Policy

_EVERYONE, _CREATOR = ("everyone", "Everyone"), ("creator", "Who made it, and moderators")
_MODERATORS, _NOBODY = ("moderators", "Moderators"), ("nobody", "Nobody")
_MENUS: Final[dict[str, tuple[str, tuple[tuple[str, str], ...]]]] = {
    "create": ("Who may create personas", (_EVERYONE, _MODERATORS, _NOBODY)),
    "delete": ("Who may delete a persona", (_CREATOR, _MODERATORS, _NOBODY)),
    "settle": ("Who may choose who talks in a channel", (_EVERYONE, _MODERATORS, _NOBODY)),
    "trigger": (
        "What is answered where a persona lives",
        (("everything", "Everything that is said"), ("called", "Only calls, mentions, replies")),
    ),
    "mode": (
        "What an answer is, where a channel has not chosen",
        (
            ("usual", "As this bot is set up"),
            ("text", "Text"),
            ("voice", "Text and a voice message"),
            ("clip", "Text and a clip"),
        ),
    ),
    "hearing": (
        "Voice messages",
        (
            ("answer", "Are answered"),
            ("transcribe", "Are written down"),
            ("off", "Are not listened to"),
        ),
    ),
}
_MOST_CHANNELS: Final = 25


@app_commands.command(description="How personas are used on this server.")
@app_commands.default_permissions(manage_guild=True)
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@options.installed
async def settings(interaction: discord.Interaction[Any]) -> None:
    """Shows the rules, to be changed."""
    place, person = asked_by(interaction)
    rooms = context_of(interaction).chat.rooms
    # Changing nothing asks whether this person could change something.
    policy = await rooms.set_rules(place, person)
    await interaction.response.send_message(
        view=settings_view(policy, await rooms.used(place, person)),
        ephemeral=True,
        allowed_mentions=NOBODY,
    )


def settings_view(policy: Policy, used: str = "") -> discord.ui.LayoutView:
    """The rules with the menus that change them."""
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(discord.ui.TextDisplay("## How personas are used here"))
    for key, (label, _) in _MENUS.items():
        view.add_item(discord.ui.TextDisplay(label))
        view.add_item(discord.ui.ActionRow(RuleMenu(key, str(_value(policy, key)))))
    view.add_item(discord.ui.TextDisplay("Channels where personas may be used; none: all"))
    view.add_item(discord.ui.ActionRow(ChannelMenu(policy.channels)))
    limits = "\n".join(
        f"-# {label}: {'as usual' if getattr(policy, key) is None else getattr(policy, key)}"
        for key, label in LIMITS
    )
    note = "-# Personas for adults show up in age-restricted channels only."
    view.add_item(discord.ui.TextDisplay("\n".join(filter(None, (limits, note, used)))))
    view.add_item(discord.ui.ActionRow(LimitsButton(), LimitsButton("budget")))
    return forgotten(view)


async def change(interaction: discord.Interaction[Any], **changes: Any) -> None:
    """Changes rules, if this person may, and shows them."""
    place, person = asked_by(interaction)
    rooms = context_of(interaction).chat.rooms
    policy = await rooms.set_rules(place, person, **changes)
    used = await rooms.used(place, person)
    await interaction.response.edit_message(view=settings_view(policy, used))


def _value(policy: Policy, key: str) -> Any:
    value = getattr(policy, key)
    return "usual" if value is None else getattr(value, "value", value)


class RuleMenu(Choose, template=r"ca:rule:(?P<key>create|delete|settle|trigger|mode|hearing)"):
    """Changes one rule."""

    def __init__(self, key: str, chosen: str = "") -> None:
        menu = [
            discord.SelectOption(label=label, value=value, default=value == chosen)
            for value, label in _MENUS[key][1]
        ]
        super().__init__(discord.ui.Select(custom_id=f"ca:rule:{key}", options=menu))
        self._key = key

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str]
    ) -> RuleMenu:
        """The menu in which something was chosen."""
        return cls(match["key"])

    async def chosen(self, interaction: discord.Interaction[Any], values: list[Any]) -> None:
        """Changes the rule, if this person may."""
        value = None if values[0] == "usual" else values[0]
        await change(interaction, **{self._key: value})


class ChannelMenu(
    discord.ui.DynamicItem[discord.ui.ChannelSelect[Any]], template=r"ca:rule:channels"
):
    """Chooses the channels where personas may be used."""

    def __init__(self, channels: tuple[str, ...] = ()) -> None:
        chosen = [
            discord.SelectDefaultValue(
                id=int(channel.rpartition(":")[2]), type=discord.SelectDefaultValueType.channel
            )
            for channel in channels[:_MOST_CHANNELS]
        ]
        super().__init__(
            discord.ui.ChannelSelect(
                custom_id="ca:rule:channels",
                min_values=0,
                max_values=_MOST_CHANNELS,
                default_values=chosen,
                channel_types=[
                    discord.ChannelType.text,
                    discord.ChannelType.news,
                    discord.ChannelType.forum,
                    discord.ChannelType.voice,
                ],
            )
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str]
    ) -> ChannelMenu:
        """The menu in which channels were chosen."""
        return cls()

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Changes the rule, if this person may."""
        async with explained(interaction):
            channels = tuple(f"discord:{channel.id}" for channel in self.item.values)
            await change(interaction, channels=channels)


_HELP: Final = """## How this works
**/create** — describe anything, and it comes to life: with a face, a voice, a character
**/gallery** — who lives on this server
**/talk** — let somebody live in this channel, or leave it with `off`
**/ask** — say something to somebody who lives elsewhere
**/duet** — two of them talk with each other
**/mode** — answers as text, with a voice message, or with a clip
**/persona** — show, rename, edit, recast, redraw, delete, export, import
**/forget** — what was said in this channel is forgotten
**/settings** — the rules of this server, for those who manage it
Right-click a message, *Apps*, **Who is this?** tells who is behind it.
"""
_HEARS_ALL: Final = "Personas hear all that is said where they live; call them by name elsewhere."
_HEARS_CALLS: Final = (
    "Personas hear you when you mention {bot}, press **Reply** under their words, or use **/ask**."
)


@app_commands.command(description="What there is to do.")
@options.here
@options.installed
async def help(interaction: discord.Interaction[Any]) -> None:
    """Tells what there is to do."""
    stage = context_of(interaction).stage
    me = stage.client.user
    hears = _HEARS_CALLS.format(bot=me.mention if me else "me")
    await say(interaction, _HELP + (hears if stage.reply_button else _HEARS_ALL))
