"""The gallery: the personas of a server, page by page, with their faces."""

from __future__ import annotations

import asyncio
import io
import re
from typing import Any, Final, Literal

import discord

from bot.chat.gallery import Page
from bot.discord.buttons import Choose, Form, Press, forgotten
from bot.discord.cards import WARM, show_card
from bot.discord.context import context_of
from bot.discord.faces import face_png
from bot.discord.names import quotable
from bot.discord.places import asked_by
from bot.discord.speakers import NOBODY
from personas.persona import Persona
from personas.text import shorten

SIZE: Final = 5
"""Personas on a page: with a portrait each, a page has half of the components it may have."""
_QUERY: Final = 60
"""Characters of a search that a button can carry."""

Way = Literal["back", "on", "search"]


async def show_gallery(
    interaction: discord.Interaction[Any], query: str = "", number: int = 0, *, turn: bool = False
) -> None:
    """Answers with a page of the gallery, or turns the page that was clicked on.

    Raises:
        ChatAnythingError: this person may not look.
    """
    context, (place, person) = context_of(interaction), asked_by(interaction)
    page = await context.chat.gallery.page(
        place, person, query=query[:_QUERY], number=number, size=SIZE
    )
    images = await asyncio.gather(*(_face(interaction, one) for one in page.personas))
    files = [
        discord.File(io.BytesIO(image), filename=_file(persona))
        for persona, image in zip(page.personas, images, strict=True)
    ]
    view = gallery_view(page)
    if turn and interaction.message is not None:
        await interaction.response.edit_message(
            view=view, attachments=files, allowed_mentions=NOBODY
        )
    else:
        await interaction.response.send_message(view=view, files=files, allowed_mentions=NOBODY)


def gallery_view(page: Page) -> discord.ui.LayoutView:
    """A page, with the buttons that turn it."""
    container: discord.ui.Container[Any] = discord.ui.Container(accent_colour=WARM)
    container.add_item(discord.ui.TextDisplay(_title(page)))
    for persona in page.personas:
        portrait: discord.ui.Thumbnail[Any] = discord.ui.Thumbnail(
            f"attachment://{_file(persona)}", description=f"Portrait of {persona.personality.name}"
        )
        container.add_item(discord.ui.Section(_lines(persona), accessory=portrait))
    if page.personas:
        container.add_item(discord.ui.ActionRow(Meet(page.personas)))
    back = PageButton("back", page.number - 1, page.query, disabled=page.number == 0)
    on = PageButton("on", page.number + 1, page.query, disabled=page.number + 1 >= page.pages)
    search = PageButton("search", 0, page.query)
    container.add_item(discord.ui.ActionRow(back, on, search))
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(container)
    return forgotten(view)


class PageButton(
    Press,
    template=re.compile(
        r"ca:gallery:(?P<way>back|on|search):(?P<number>-?\d{1,6}):(?P<query>.{0,60})", re.DOTALL
    ),
):
    """Turns a page, or asks what to look for."""

    def __init__(self, way: Way, number: int, query: str, *, disabled: bool = False) -> None:
        label, emoji = {"back": ("Back", "◀️"), "on": ("On", "▶️"), "search": ("Search", "🔍")}[way]
        super().__init__(
            discord.ui.Button(
                label=label,
                emoji=emoji,
                disabled=disabled,
                custom_id=f"ca:gallery:{way}:{number}:{query[:_QUERY]}",
            )
        )
        self._way, self._number, self._query = way, number, query

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str]
    ) -> PageButton:
        """The button that was pressed."""
        return cls(match["way"], int(match["number"]), match["query"])  # type: ignore[arg-type]

    async def pressed(self, interaction: discord.Interaction[Any]) -> None:
        """Shows the page, or the form."""
        if self._way == "search":
            await interaction.response.send_modal(SearchForm(self._query))
        else:
            await show_gallery(interaction, self._query, self._number, turn=True)


class Meet(Choose, template=r"ca:gallery:meet"):
    """Chooses a persona of the page, whose card is shown."""

    def __init__(self, personas: tuple[Persona, ...] = ()) -> None:
        options = [
            discord.SelectOption(
                label=shorten(one.personality.name, 100),
                value=one.id,
                description=shorten(one.personality.tagline or one.personality.kind, 100),
            )
            for one in personas
        ]
        super().__init__(
            discord.ui.Select(
                custom_id="ca:gallery:meet", placeholder="Meet somebody …", options=options
            )
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str]
    ) -> Meet:
        """The menu in which something was chosen."""
        return cls()

    async def chosen(self, interaction: discord.Interaction[Any], values: list[Any]) -> None:
        """Shows the card."""
        place, person = asked_by(interaction)
        gallery = context_of(interaction).chat.gallery
        await show_card(interaction, await gallery.by_id(place, person, values[0]))


class SearchForm(Form):
    """What to look for in the gallery."""

    def __init__(self, query: str) -> None:
        super().__init__(title="Search the gallery", timeout=3_600)
        self.words: discord.ui.TextInput[Any] = discord.ui.TextInput(
            default=query or None,
            required=False,
            max_length=_QUERY,
        )
        self.add_item(discord.ui.Label(text="Words of a name or description", component=self.words))

    async def submitted(self, interaction: discord.Interaction[Any]) -> None:
        """Shows what was found."""
        await show_gallery(interaction, self.words.value, turn=True)


def _title(page: Page) -> str:
    if not page.total and not page.query:
        return "## Gallery\nNobody lives here yet. Describe somebody with **/create**."
    looked_for = f" with “{quotable(page.query)}”" if page.query else ""
    count = "1 persona" if page.total == 1 else f"{page.total} personas"
    return f"## Gallery\n-# {count}{looked_for} · page {page.number + 1} of {page.pages}"


def _lines(persona: Persona) -> str:
    who = persona.personality
    made = f" · by <@{persona.creator}>" if persona.creator.isdecimal() else ""
    tagline = f"\n*{quotable(who.tagline)}*" if who.tagline else ""
    told = quotable(shorten(persona.description, 120))
    return f"**{quotable(who.name)}**{tagline}\n-# {told}{made}"


def _file(persona: Persona) -> str:
    safe = re.sub(r"[^a-z0-9]", "", persona.id.lower())[:32] or "persona"
    return f"{safe}.png"


async def _face(interaction: discord.Interaction[Any], persona: Persona) -> bytes:
    image = await context_of(interaction).chat.gallery.portrait(persona)
    return await asyncio.to_thread(face_png, image, persona.portrait)
