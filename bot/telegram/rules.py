"""What a chat chooses: how answers are, and by which rules people live together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from telegram import InlineKeyboardMarkup

from bot.telegram.formatting import Rich
from bot.telegram.keys import key, rows
from bot.telegram.visit import Visit
from personas.errors import InvalidInputError
from personas.gallery import Hearing, Policy, Trigger, Visibility, Who

MODES: Final[Mapping[str, tuple[str, str, str]]] = {
    "note": ("⭕ Round video notes", "clip", "note"),
    "video": ("🎬 Videos", "clip", "video"),
    "voice": ("🎤 Voice notes", "voice", ""),
    "text": ("💬 Text only", "text", ""),
}
"""What people choose: its label, the chat's mode, and the form of a clip."""

_ANY: Final = (Who.EVERYONE, Who.MODERATORS, Who.NOBODY)
_OWN: Final = (Who.CREATOR, Who.EVERYONE, Who.MODERATORS, Who.NOBODY)

RULES: Final[Mapping[str, tuple[str, tuple[object, ...]]]] = {
    "create": ("Create personas", _ANY),
    "edit": ("Change one", _OWN),
    "delete": ("Delete one", _OWN),
    "settle": ("Choose who talks, and how", _ANY),
    "export": ("Export", (Who.EVERYONE, Who.CREATOR, Who.MODERATORS, Who.NOBODY)),
    "forget": ("Let them forget", _ANY),
    "visibility": ("Personas are seen by", tuple(Visibility)),
    "trigger": ("Answers to", tuple(Trigger)),
    "hearing": ("Voice messages", tuple(Hearing)),
    "mode": ("Answers are", (None, "clip", "voice", "text")),
    "clip_seconds": ("Longest clip", (None, 15, 30, 60, 120)),
}
"""What can be ruled, and the choices a button goes through."""
_NAMES: Final[Mapping[object, str]] = {
    Who.EVERYONE: "everyone",
    Who.CREATOR: "who made it",
    Who.MODERATORS: "admins",
    Who.NOBODY: "nobody",
    Visibility.COMMUNITY: "everyone",
    Visibility.CREATOR: "who made them",
    Trigger.EVERYTHING: "everything, where somebody lives",
    Trigger.CALLED: "their name, replies, mentions",
    Hearing.ANSWER: "answered",
    Hearing.TRANSCRIBE: "written down",
    Hearing.OFF: "not heard",
    None: "as usual",
    "clip": "clips",
    "voice": "voice notes",
    "text": "text",
}


async def choose_mode(visit: Visit, words: str) -> None:
    """`/mode`, or `/mode note|video|voice|text`.

    Raises:
        ChatAnythingError: it stays as it is; says why.
    """
    chosen = words.strip().lower()
    if not chosen:
        await visit.say("How shall answers be in this chat?", await _modes(visit))
        return
    await set_mode(visit, "note" if chosen == "clip" else chosen)
    await visit.say(f"Answers here are now: {MODES[chosen if chosen != 'clip' else 'note'][0]}")


async def set_mode(visit: Visit, chosen: str) -> None:
    """Chooses how answers are in this chat or topic.

    Raises:
        ChatAnythingError: it stays as it is; says why.
    """
    if chosen not in MODES:
        raise InvalidInputError("Choose note, video, voice or text.")
    _, mode, form = MODES[chosen]
    await visit.desk.chat.rooms.set_mode(visit.place, visit.person, mode)
    if form:
        await visit.desk.chat.rooms.set_form(visit.place, visit.person, form)


async def press_mode(visit: Visit, chosen: str) -> None:
    """The same by a button, which then shows the choice."""
    await set_mode(visit, chosen)
    if visit.message is not None:
        title = "How shall answers be in this chat?"
        await visit.change(visit.message, title, await _modes(visit))


async def show_rules(visit: Visit) -> None:
    """Shows the rules with a button for each.

    Raises:
        ChatAnythingError: this person may not change them.
    """
    # Asked for first, so that nobody gets buttons that would refuse them.
    policy = await visit.desk.chat.rooms.set_rules(visit.place, visit.person)
    await visit.say(await _title(visit), _buttons(policy))


async def press_rule(visit: Visit, name: str) -> None:
    """Takes a rule to its next choice.

    Raises:
        ChatAnythingError: this person may not change it.
    """
    if name not in RULES:
        raise InvalidInputError("There is no such rule.")
    choices = RULES[name][1]
    now = getattr(await visit.desk.chat.rooms.rules(visit.place), name)
    at = choices.index(now) if now in choices else -1
    value = choices[(at + 1) % len(choices)]
    policy = await visit.desk.chat.rooms.set_rules(visit.place, visit.person, **{name: value})
    if visit.message is not None:
        await visit.change(visit.message, await _title(visit), _buttons(policy))


async def _modes(visit: Visit) -> InlineKeyboardMarkup:
    chat = visit.desk.chat
    mode = await chat.rooms.mode(visit.place)
    form = await chat.rooms.form(visit.place) or visit.desk.settings.clips
    now = form if mode == "clip" else mode
    return rows(
        *(
            [key(f"{'✓ ' if name == now else ''}{label}", "mode", name)]
            for name, (label, _, _) in MODES.items()
        )
    )


async def _title(visit: Visit) -> Rich:
    what = "your private chat" if visit.place.private else "this group"
    title = Rich().add(f"The rules of {what}", "bold")
    title.add("\nTouch one to change it. Admins may always do everything.")
    return title.add(f"\n{await visit.desk.chat.rooms.used(visit.place, visit.person)}", "italic")


def _buttons(policy: Policy) -> InlineKeyboardMarkup:
    return rows(
        *(
            [key(f"{label}: {_named(getattr(policy, name))}", "rule", name)]
            for name, (label, _) in RULES.items()
        )
    )


def _named(value: object) -> str:
    return _NAMES.get(value) or f"{value} seconds"
