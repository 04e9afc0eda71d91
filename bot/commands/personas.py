"""create, list, show, delete."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bot.files import read_file
from bot.output import plain, print_json, print_table, say
from bot.progress import watch_creation
from personas.persona import Persona

if TYPE_CHECKING:
    from bot.app import App
    from storage.store import Storage

MAX_IMAGE_BYTES = 30_000_000


async def create(
    app: App,
    description: str,
    *,
    style: str,
    voice: str,
    seed: int | None,
    image: Path | None,
    gallery: str,
    as_json: bool,
) -> None:
    """Builds a persona and introduces it."""
    from engine.creation import CreationRequest

    if style:
        app.styles.get(style)
    if voice:
        app.voices.get(voice)
    photo = await asyncio.to_thread(read_file, image, MAX_IMAGE_BYTES) if image else None
    request = CreationRequest(
        description, gallery=gallery, seed=seed, style=style, voice=voice, photo=photo
    )
    creator = await app.creator()
    ready = await watch_creation(creator.create(request))
    await introduce(await app.storage(), ready.persona, as_json=as_json)


async def introduce(storage: Storage, persona: Persona, *, as_json: bool) -> None:
    """Shows a persona: who it is, what it says first, where its portrait lies."""
    details = await describe(storage, persona)
    if as_json:
        print_json(details)
        return
    who = persona.personality
    typer.echo(plain(f"{who.name} ({persona.slug})"))
    if who.tagline:
        typer.echo(plain(who.tagline))
    typer.echo(plain(f"\n{who.greeting}\n"))
    voice, style = persona.voice, persona.portrait.style
    rows: list[tuple[str, str]] = [
        ("description", persona.description),
        ("character", who.character),
        ("speaks", who.speaking_style),
        ("voice", f"{voice.preset} ({voice.engine}, pitch {voice.pitch:.2f})"),
        ("portrait", str(details["portrait_file"] or persona.portrait.image)),
        ("style", f"{style}, seed {persona.portrait.seed}"),
        *(
            ("art", ", ".join(filter(None, (c.title, c.author, c.licence))))
            for c in persona.portrait.credits
        ),
        ("made", f"{persona.created_at:%Y-%m-%d %H:%M} by {persona.model or 'an import'}"),
    ]
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        if value:
            typer.echo(plain(f"{label:>{width}}  {value}"))
    typer.echo(plain(f"\nTalk to it:  chatanything chat {persona.slug}"))


async def describe(storage: Storage, persona: Persona) -> dict[str, Any]:
    """A persona as data, with the path of its portrait where it is a local file."""
    file = await storage.media.local_path(persona.portrait.image)
    return {**persona.model_dump(mode="json"), "portrait_file": str(file) if file else None}


async def list_all(app: App, search: str, *, limit: int, gallery: str, as_json: bool) -> None:
    """Lists the personas of a gallery, newest last: all, or the newest `limit`."""
    storage = await app.storage()
    count = await storage.personas.count(gallery, search=search)
    found = await storage.personas.list(
        gallery, search=search, limit=limit or count, newest_first=True
    )
    found.reverse()
    if as_json:
        print_json([await describe(storage, persona) for persona in found])
    elif not found:
        hint = f"with {search!r} " if search else ""
        say(f'No persona {hint}here yet. Make one: chatanything create "a shy teapot"')
    else:
        print_table(
            ("slug", "name", "what it is", "voice", "made"),
            [
                (
                    persona.slug,
                    persona.personality.name,
                    persona.personality.tagline or persona.personality.kind,
                    persona.voice.preset,
                    f"{persona.created_at:%Y-%m-%d}",
                )
                for persona in found
            ],
        )
    if limit and count > limit:
        say(f"... and {count - limit} more, which are older.")


async def show(app: App, name: str, *, gallery: str, as_json: bool) -> None:
    """Shows one persona."""
    storage = await app.storage()
    persona = await storage.personas.get(gallery, name, loosely=True)
    await introduce(storage, persona, as_json=as_json)


async def delete(app: App, name: str, *, yes: bool, gallery: str) -> None:
    """Deletes a persona with everything that belongs to it."""
    storage = await app.storage()
    persona = await storage.personas.get(gallery, name)
    if not yes:
        question = f"Delete {persona.personality.name}, its conversations and its clips?"
        if not await asyncio.to_thread(typer.confirm, plain(question), err=True):
            raise typer.Exit(1)
    await storage.personas.delete(gallery, persona.id)
    say(f"{persona.personality.name} is gone.")
