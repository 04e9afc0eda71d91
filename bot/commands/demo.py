"""demo: the main job from end to end, with everything it makes laid out in a folder."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bot.answers import watch_reply
from bot.commands.models import fetch_needed
from bot.files import write_file
from bot.output import human_size, plain, print_table, say
from bot.progress import watch_creation
from personas.errors import UnavailableError

if TYPE_CHECKING:
    from bot.app import App
    from personas.persona import Persona

DESCRIPTION = "a grumpy old lighthouse that loves poetry"
MESSAGE = "Hello! Who are you?"
CHANNEL = "demo"


async def demo(app: App, description: str, message: str, *, out: Path, seed: int) -> None:
    """Builds a persona, or finds the one built before; says something to it; keeps all of it."""
    description, message = description or DESCRIPTION, message or MESSAGE
    stages: list[tuple[str, float]] = []

    started = time.monotonic()
    await fetch_needed(app, quiet=True)
    stages.append(("models fetched", time.monotonic() - started))

    typer.echo(plain(f"\nDescription: {description}"))
    persona = await _build(app, description, seed, stages)
    typer.echo(plain(f"Born: {persona.personality.name}, {persona.personality.tagline}\n"))

    storage = await app.storage()
    conversation = await storage.conversations.open(persona, CHANNEL)
    await storage.conversations.forget(conversation.id)
    conversations = await app.conversations()
    await (await app.model()).read_ahead()
    typer.echo(plain(f"You: {message}"))
    typer.echo(plain(f"{persona.personality.name}: "), nl=False)
    answer = await watch_reply(
        conversations.reply(persona, CHANNEL, message, mode="clip"), echo=True
    )
    if answer.clip is None or answer.speech is None:
        raise UnavailableError(answer.clip_failure or "There is no clip; the log says why.")
    stages += [(stage, seconds) for stage, seconds in answer.stages.items()]

    from engine.speech.wav import wav_bytes

    files: dict[str, str | bytes] = {
        "persona.json": json.dumps(persona.model_dump(mode="json"), ensure_ascii=False, indent=2),
        "portrait.png": await storage.media.get(persona.portrait.image),
        "reply.txt": answer.text + "\n",
        "reply.wav": wav_bytes(answer.speech),
        "reply.mp4": answer.clip.clip.data,
    }
    folder = out / persona.slug
    typer.echo()
    print_table(("stage", "seconds"), [*stages, ("all", time.monotonic() - started)])
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        write_file(folder / name, data, force=True)
        typer.echo(f"{folder / name}  ({human_size(len(data))})")
    say(f"\nGo on talking:  .venv/bin/chatanything chat {persona.slug}")


async def _build(app: App, description: str, seed: int, stages: list[tuple[str, float]]) -> Persona:
    from engine.creation import CreationRequest

    creator = await app.creator()
    request = CreationRequest(description, creator="demo", seed=seed)
    ready = await watch_creation(creator.create(request))
    if ready.existing:
        say("It was built before, and is the same as ever.")
    stages += ready.stages.items()
    return ready.persona
