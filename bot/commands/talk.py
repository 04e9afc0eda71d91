"""say: one message, one answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import typer

from bot.answers import Answer, kept_file, watch_reply
from bot.files import check_writable, write_file
from bot.output import plain, print_json
from bot.output import say as tell
from personas.errors import InvalidInputError

if TYPE_CHECKING:
    from bot.app import App
    from engine.conversation import Mode

CHANNEL = "terminal"


def chosen_mode(app: App, mode: str) -> Mode:
    """The mode a person named, or the configured one.

    Raises:
        InvalidInputError: there is no such mode.
    """
    from engine.conversation import Mode

    if not mode:
        return app.settings.conversation.mode
    if mode not in get_args(Mode):
        raise InvalidInputError(f"There is no mode {mode!r}; choose text, voice or clip.")
    return cast("Mode", mode)


async def say(
    app: App,
    name: str,
    message: str,
    *,
    out: Path | None,
    mode: str,
    force: bool,
    gallery: str,
    as_json: bool,
) -> None:
    """Sends one message to a persona; prints the answer and where its clip or voice lies."""
    wanted = chosen_mode(app, mode)
    if out is not None:
        suffix = out.suffix.lower()
        if suffix not in (".mp4", ".wav"):
            raise InvalidInputError(f"{out} is neither an .mp4 nor a .wav file.")
        if suffix == ".mp4" and wanted != "clip":
            raise InvalidInputError(f"With --mode {wanted} there is no video to write to {out}.")
        wanted = "voice" if suffix == ".wav" and wanted == "text" else wanted
        check_writable(out, force=force)
    storage = await app.storage()
    persona = await storage.personas.get(gallery, name, loosely=True)
    conversations = await app.conversations()
    events = conversations.reply(persona, CHANNEL, message, mode=wanted)
    answer = await watch_reply(events, echo=not as_json)
    if out is None:
        file = await kept_file(storage, answer)
    else:
        file = _write(answer, out, force=force)
    if as_json:
        print_json(as_data(answer, file))
    elif file:
        tell(f"{'Voice' if _is_sound(file) else 'Clip'}: {file}")
    if answer.clip_failure:
        tell(f"No clip: {answer.clip_failure}")
        if out is not None:
            raise typer.Exit(5)


def _write(answer: Answer, out: Path, *, force: bool) -> str:
    """Writes what was asked for, and gives the file's name; empty: there is nothing to write."""
    if _is_sound(out.name) and answer.speech is not None:
        from engine.speech.wav import wav_bytes

        write_file(out, wav_bytes(answer.speech), force=force)
    elif not _is_sound(out.name) and answer.clip is not None:
        write_file(out, answer.clip.clip.data, force=force)
    else:
        return ""
    return str(out)


def _is_sound(file: str) -> bool:
    return file.lower().endswith(".wav")


def as_data(answer: Answer, file: str) -> dict[str, Any]:
    """An answer as data, with the file of its clip or voice."""
    return {
        "text": plain(answer.text),
        "spoken": answer.speech.text if answer.speech else None,
        "clip": file if file and not _is_sound(file) else None,
        "voice": file if _is_sound(file) else None,
        "seconds": round(answer.speech.duration, 3) if answer.speech else None,
        "failure": answer.clip_failure,
        "stages": {stage: round(value, 3) for stage, value in answer.stages.items()},
    }
