"""The small language inside cards: {{char}}, {{user}}, example dialogues."""

from __future__ import annotations

import re
from collections.abc import Sequence

from personas.persona import Exchange

_CHAR = re.compile(r"\{\{\s*char\s*\}\}|<(?:char|bot)>", re.IGNORECASE)
_USER = re.compile(r"\{\{\s*user\s*\}\}|<user>", re.IGNORECASE)
_USERS = re.compile(r"(?:\{\{\s*user\s*\}\}|<user>)['’]s\b", re.IGNORECASE)
_CALLED = re.compile(r"\s*,\s*(?:\{\{\s*user\s*\}\}|<user>)(?=\s*(?:[.!?…~,;)\"”*]|$))", re.I)
_CALLED_FIRST = re.compile(
    r"(?:^|(?<=[.!?*\"“]\s))(?:\{\{\s*user\s*\}\}|<user>)\s*[,!]\s*(\w)", re.I
)
_CHOICE = re.compile(r"\{\{\s*(?:random|pick)\s*:\s*([^{}]*)\}\}", re.IGNORECASE)
_OTHER = re.compile(r"\{\{[^{}\n]{0,400}\}\}")
_START = re.compile(r"^[ \t]*<start>[ \t]*$|<start>", re.IGNORECASE | re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n{3,}")


def resolve(text: str, char: str, user: str | None = None) -> str:
    """Text about the persona with its macros filled in.

    Args:
        text: a description, as the card has it.
        char: what stands for {{char}}.
        user: what stands for {{user}}.
    """
    return _resolve(text, char, user or "the user", (user or "the user") + "'s")


def resolve_said(text: str, char: str, user: str | None = None) -> str:
    """Text said to whoever is there, with its macros filled in.

    Where nobody knows the other's name, they are spoken to without one: "Hello, {{user}}!" is
    "Hello!", "I know {{user}}'s face" is "I know your face".
    """
    if user is None:
        text = _CALLED.sub("", text)
        text = _CALLED_FIRST.sub(lambda match: match.group(1).upper(), text)
    return _resolve(text, char, user or "you", user + "'s" if user else "your")


def abstract(text: str, name: str) -> str:
    """Text with {{char}} wherever the persona's name stands as a word of its own."""
    if not name.strip():
        return text
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "{{char}}", text)


def read_examples(
    text: str, char: str, user: str | None = None
) -> tuple[list[Exchange], list[str]]:
    """Example dialogues, taken apart.

    Returns:
        The pairs of a message and its answer, and what the persona says unasked.
    """
    exchanges: list[Exchange] = []
    alone: list[str] = []
    for block in _START.split(text):
        asked: str | None = None
        for is_char, said in _turns(block, char):
            said = resolve_said(said, char, user).strip()
            if not said:
                continue
            if not is_char:
                asked = said
            elif asked is not None:
                exchanges.append(Exchange(user=asked, reply=said))
                asked = None
            else:
                alone.append(said)
    return exchanges, alone


def write_examples(examples: Sequence[Exchange], name: str) -> str:
    """Example dialogues as cards have them."""
    blocks = []
    for example in examples:
        user, reply = (abstract(said, name) for said in (example.user, example.reply))
        blocks.append("<START>\n{{user}}: " + user + "\n{{char}}: " + reply)
    return "\n".join(blocks)


def _resolve(text: str, char: str, user: str, users: str) -> str:
    # One pass each; what is filled in may look like a macro itself and must stay as it is.
    text = _CHOICE.sub(lambda match: match.group(1).split(",")[0].strip(), text)
    marked = {"char": "\ue000", "user": "\ue001", "users": "\ue002"}
    for mark in marked.values():
        text = text.replace(mark, "")
    text = _CHAR.sub(marked["char"], text)
    text = _USERS.sub(marked["users"], text)
    text = _USER.sub(marked["user"], text)
    text = _OTHER.sub("", text)
    text = text.replace(marked["users"], users).replace(marked["user"], user)
    text = text.replace(marked["char"], char)
    return _EMPTY_LINES.sub("\n\n", text.replace("\r\n", "\n")).strip()


def _turns(block: str, char: str) -> list[tuple[bool, str]]:
    """Who said what: (whether the persona did, what); lines without a speaker go on."""
    names = {char.casefold(), "{{char}}", "<bot>", "<char>"}
    turns: list[tuple[bool, str]] = []
    for line in block.replace("\r\n", "\n").split("\n"):
        speaker, colon, said = line.partition(":")
        speaker = re.sub(r"\s+", "", speaker).casefold() if "{{" in speaker else speaker
        speaker = speaker.strip().casefold()
        if colon and speaker in names:
            turns.append((True, said.strip()))
        elif colon and speaker in ("{{user}}", "<user>", "you", "user"):
            turns.append((False, said.strip()))
        elif turns:
            turns[-1] = (turns[-1][0], turns[-1][1] + "\n" + line)
        elif line.strip():
            turns.append((True, line.strip()))
    return turns
