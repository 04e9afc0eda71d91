"""export and import: Character Cards, which other programs read and write."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bot.commands.personas import introduce
from bot.files import check_writable, read_file, write_file
from bot.output import say
from bot.progress import watch_creation
from personas.errors import InvalidInputError

if TYPE_CHECKING:
    from bot.app import App


def _form(file: Path, spec: str) -> Literal["png", "v2-json", "v3-json"]:
    if spec not in ("v2", "v3"):
        raise InvalidInputError(f"There is no Character Card version {spec!r}; choose v2 or v3.")
    if file.suffix.lower() == ".png":
        return "png"
    if file.suffix.lower() == ".json" or str(file) == "-":
        return "v2-json" if spec == "v2" else "v3-json"
    raise InvalidInputError(f"{file} is neither a .png nor a .json file.")


async def export(app: App, name: str, file: Path, *, spec: str, force: bool, gallery: str) -> None:
    """Writes a persona as a card."""
    from engine.exchange import export_card

    form = _form(file, spec)
    if str(file) != "-":
        check_writable(file, force=force)
    storage = await app.storage()
    persona = await storage.personas.get(gallery, name, loosely=True)
    data = await export_card(storage, persona, form)
    if str(file) == "-":
        await asyncio.to_thread(sys.stdout.buffer.write, data)
    else:
        write_file(file, data, force=force)
        say(f"{persona.personality.name} is in {file}")


async def import_file(
    app: App, file: Path, *, style: str, voice: str, gallery: str, as_json: bool
) -> None:
    """Makes a persona of a card, with the card's own picture where it has one."""
    from engine.exchange import import_card
    from personas.cards import MAX_CARD_BYTES

    data = await asyncio.to_thread(read_file, file, MAX_CARD_BYTES)
    storage = await app.storage()
    events = import_card(
        await app.creator(), storage, data, gallery=gallery, style=style, voice=voice
    )
    ready = await watch_creation(events, "Reading the card")
    await introduce(storage, ready.persona, as_json=as_json)
