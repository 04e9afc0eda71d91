"""Changing a persona: its voice, its look, its name; letting it go."""

from __future__ import annotations

from typing import Final

from telegram import InlineKeyboardMarkup

from bot.telegram.creating import showing, watch
from bot.telegram.formatting import Rich, harmless
from bot.telegram.keys import fits, key, pack, rows
from bot.telegram.talking import hear, target
from bot.telegram.visit import Visit
from personas.errors import InvalidInputError
from personas.persona import Persona
from personas.voices import Part

_OFFERED: Final = 48
_PAGE: Final = 8


async def rename(visit: Visit, words: str) -> None:
    """`/rename new name`, or `/rename old name = new name`.

    Raises:
        ChatAnythingError: it keeps its name; says why.
    """
    old, sign, new = words.partition("=")
    if not sign:
        old, new = "", words
    if not new.strip():
        raise InvalidInputError("Write the new name: /rename Bob, or /rename Barnaby = Bob")
    persona = await target(visit, old)
    before = persona.personality.name
    changed = await visit.desk.chat.gallery.rename(visit.place, visit.person, persona, new)
    await visit.say(
        Rich()
        .add(harmless(before))
        .add(" is now called ")
        .add(harmless(changed.personality.name), "bold")
        .add(".")
    )


async def voice(visit: Visit, words: str) -> None:
    """`/voice`, `/voice persona` or `/voice persona = voice`.

    Raises:
        ChatAnythingError: it keeps its voice; says why.
    """
    name, sign, wanted = words.partition("=")
    persona = await target(visit, name)
    if sign and wanted.strip():
        await recast(visit, persona, wanted.strip())
        return
    await visit.say(_voice_title(persona), _voices(visit, persona, 0))


async def leaf_voices(visit: Visit, persona: Persona, number: int) -> None:
    """Turns to another page of voices, below the card or below the list."""
    if visit.message is not None and not visit.message.photo:
        await visit.change(visit.message, _voice_title(persona), _voices(visit, persona, number))
        return
    await visit.say(_voice_title(persona), _voices(visit, persona, number))


async def recast(visit: Visit, persona: Persona, wanted: str) -> None:
    """Gives a persona another voice, and lets people hear it.

    Raises:
        ChatAnythingError: it keeps its voice; says why.
    """
    changed = await visit.desk.chat.gallery.recast(visit.place, visit.person, persona, wanted)
    name = changed.personality.name
    await visit.say(f"{name} now speaks with the voice “{changed.voice.preset}”.")
    visit.go_on(hear(visit, changed))


async def portrait(visit: Visit, words: str) -> None:
    """`/portrait`, `/portrait persona` or `/portrait persona = look`.

    Raises:
        ChatAnythingError: it keeps its look; says why.
    """
    name, sign, wanted = words.partition("=")
    persona = await target(visit, name)
    if sign and wanted.strip():
        style = visit.desk.chat.styles.get(wanted.strip().lower())
        visit.go_on(redraw(visit, persona, style.name))
        return
    await visit.say(_look_title(persona), _looks(visit, persona, 0))


async def leaf_looks(visit: Visit, persona: Persona, number: int) -> None:
    """Turns to another page of looks."""
    if visit.message is not None and not visit.message.photo:
        await visit.change(visit.message, _look_title(persona), _looks(visit, persona, number))
        return
    await visit.say(_look_title(persona), _looks(visit, persona, number))


async def redraw(visit: Visit, persona: Persona, style: str = "") -> None:
    """Draws a persona anew.

    Raises:
        ChatAnythingError: it keeps its look; says why.
    """
    making = visit.desk.chat.gallery.redraw(
        visit.place,
        visit.person,
        persona,
        style=style,
        show=showing(f"Drawing {persona.personality.name} anew"),
    )
    await watch(visit, making)


async def ask_to_delete(visit: Visit, persona: Persona) -> None:
    """Asks whether a persona shall really go."""
    id = pack(persona.id)
    name = harmless(persona.personality.name)
    question = Rich().add("Delete ").add(name, "bold").add(", with all that was said with them?")
    await visit.say(question, rows([key("🗑 Delete", "deleted", id), key("Keep", "kept", id)]))


async def delete(visit: Visit, persona: Persona) -> None:
    """Lets a persona go.

    Raises:
        ChatAnythingError: it stays; says why.
    """
    await visit.desk.chat.gallery.delete(visit.place, visit.person, persona)
    gone = f"{persona.personality.name} is gone."
    if visit.message is not None:
        await visit.change(visit.message, gone)
    else:
        await visit.say(gone)


def _voice_title(persona: Persona) -> Rich:
    name = harmless(persona.personality.name)
    now = f" speaks with the voice “{persona.voice.preset}”. Choose another:"
    return Rich().add(name, "bold").add(now)


def _voices(visit: Visit, persona: Persona, number: int) -> InlineKeyboardMarkup:
    """The voices that suit it best, a page of them."""
    id = pack(persona.id)
    part = Part.of(persona.personality)
    fitting = [
        one.preset
        for one in visit.desk.chat.voices.candidates(part)[:_OFFERED]
        if fits("cast", id, one.preset.name)
    ]
    pages = max(1, -(-len(fitting) // _PAGE))
    number %= pages
    buttons = [
        key(
            f"{'✓ ' if one.name == persona.voice.preset else ''}{one.name}",
            "cast",
            id,
            one.name,
        )
        for one in fitting[number * _PAGE : (number + 1) * _PAGE]
    ]
    pairs = [buttons[at : at + 2] for at in range(0, len(buttons), 2)]
    more = [key("More voices", "voices", id, str(number + 1))] if pages > 1 else []
    return rows(*pairs, more)


def _look_title(persona: Persona) -> Rich:
    return Rich().add("How shall ").add(harmless(persona.personality.name), "bold").add(" look?")


def _looks(visit: Visit, persona: Persona, number: int) -> InlineKeyboardMarkup:
    id, styles = pack(persona.id), visit.desk.chat.styles.all()
    pages = max(1, -(-len(styles) // _PAGE))
    number %= pages
    buttons = [
        key(
            f"{'✓ ' if one.name == persona.portrait.style else ''}{one.label}", "draw", id, one.name
        )
        for one in styles[number * _PAGE : (number + 1) * _PAGE]
        if fits("draw", id, one.name)
    ]
    pairs = [buttons[at : at + 2] for at in range(0, len(buttons), 2)]
    more = [key("More looks", "looks", id, str(number + 1))] if pages > 1 else []
    return rows([key("🎲 Surprise me", "draw", id, "")], *pairs, more)
