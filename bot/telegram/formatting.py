"""What a model wrote, as Telegram shows it: its emphasis as entities, nothing else as markup.

Nothing is ever sent with a parse mode. Telegram itself turns @names and /commands into something
that pings or runs when it is touched; in a model's text they are taken apart invisibly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from telegram import MessageEntity

TEXT_LIMIT: Final = 4096
"""UTF-16 units of one message."""
_JOINER: Final = "\u2060"
"""A word joiner: it has no width and breaks no line."""

_PINGING = re.compile(r"(?<!\w)@(?=\w)")
_TOUCHABLE = re.compile(r"(?<!\w)@(?=\w)|(?<![\w/<.])/(?=[A-Za-z])")
_FENCE = re.compile(r"(`{3}|~{3})[ \t]*([\w+#.-]{0,30})[ \t]*\n(.*?)(?:\n?\1|\Z)", re.DOTALL)
_INLINE = re.compile(
    r"(?P<code>`(?P<code_in>[^`\n]+)`)"
    r"|(?P<both>(?<![\w*])\*\*\*(?=\S)(?P<both_in>[^\n*]+?)(?<=\S)\*\*\*(?!\*))"
    r"|(?P<bold>(?<!\*)\*\*(?=\S)(?P<bold_in>[^\n]+?)(?<=\S)\*\*(?!\*))"
    r"|(?P<strong>(?<!\w)__(?=\S)(?P<strong_in>[^\n]+?)(?<=\S)__(?!\w))"
    r"|(?P<struck>~~(?=\S)(?P<struck_in>[^\n]+?)(?<=\S)~~)"
    r"|(?P<italic>(?<![\w*])\*(?=[^\s*])(?P<italic_in>[^\n*]+?)(?<=[^\s*])\*(?![\w*]))"
    r"|(?P<slanted>(?<!\w)_(?=[^\s_])(?P<slanted_in>[^\n_]+?)(?<=[^\s_])_(?!\w))"
)
_KINDS: Final = {
    "code": (MessageEntity.CODE,),
    "both": (MessageEntity.BOLD, MessageEntity.ITALIC),
    "bold": (MessageEntity.BOLD,),
    "strong": (MessageEntity.BOLD,),
    "struck": (MessageEntity.STRIKETHROUGH,),
    "italic": (MessageEntity.ITALIC,),
    "slanted": (MessageEntity.ITALIC,),
}
_HEADING = re.compile(r"^#{1,6} +(?=\S)(.+?)#*$", re.MULTILINE)


@dataclass
class Rich:
    """Text and its entities, built piece by piece. Offsets are UTF-16 units, as Telegram's."""

    text: str = ""
    entities: list[MessageEntity] = field(default_factory=list)

    @property
    def units(self) -> int:
        """Length in UTF-16 units."""
        return utf16_length(self.text)

    def add(self, text: str, *kinds: str, language: str | None = None) -> Rich:
        """Appends text as it is; with `kinds`, in these styles."""
        start, inside = self.units, text.strip()
        self.text += text
        if inside:
            lead = utf16_length(text[: len(text) - len(text.lstrip())])
            for kind in kinds:
                self.entities.append(
                    MessageEntity(kind, start + lead, utf16_length(inside), language=language)
                )
        return self

    def join(self, other: Rich, *kinds: str) -> Rich:
        """Appends another one; with `kinds`, all of it in these styles too."""
        start = self.units
        self.text += other.text
        for kind in kinds:
            if other.text.strip():
                self.entities.append(MessageEntity(kind, start, other.units))
        self.entities += [
            MessageEntity(e.type, e.offset + start, e.length, language=e.language)
            for e in other.entities
        ]
        return self


def utf16_length(text: str) -> int:
    """UTF-16 units of a text: characters beyond the basic plane count twice."""
    return len(text) + sum(character > "\uffff" for character in text)


def harmless(text: str) -> str:
    """`text` with @names and /commands that neither ping nor run."""
    return _TOUCHABLE.sub(lambda match: match[0] + _JOINER, text)


def quiet(text: str) -> str:
    """A sentence of ours, in which somebody's words may stand: commands work, names do not ping."""
    return _PINGING.sub(lambda match: match[0] + _JOINER, text)


def rich(markdown: str) -> Rich:
    """A model's text: **bold**, *italic*, `code`, fences, ~~struck~~ and headings as entities.

    What is not closed stays as it was written; so do lists and links.
    """
    result, at = Rich(), 0
    for fence in _FENCE.finditer(markdown):
        result.join(_lines(markdown[at : fence.start()]))
        result.add(fence[3], MessageEntity.PRE, language=fence[2] or None)
        at = fence.end()
    return result.join(_lines(markdown[at:]))


def _lines(text: str) -> Rich:
    """Text without fences."""
    result, at = Rich(), 0
    for heading in _HEADING.finditer(text):
        result.join(_inline(text[at : heading.start()]))
        result.join(_inline(heading[1].strip()), MessageEntity.BOLD)
        at = heading.end()
    return result.join(_inline(text[at:]))


def _inline(text: str, depth: int = 0) -> Rich:
    """Text without fences and headings; styles may stand in each other, three deep."""
    result, at = Rich(), 0
    for match in _INLINE.finditer(text):
        name = match.lastgroup or ""
        name = name.removesuffix("_in")
        inside = match[f"{name}_in"]
        result.add(harmless(text[at : match.start()]))
        if name == "code":
            result.add(inside, MessageEntity.CODE)
        else:
            deeper = _inline(inside, depth + 1) if depth < 2 else Rich(harmless(inside))
            result.join(deeper, *_KINDS[name])
        at = match.end()
    return result.add(harmless(text[at:]))


def split(message: Rich, limit: int = TEXT_LIMIT) -> list[Rich]:
    """One message, or several of at most `limit` UTF-16 units, entities cut where they are."""
    pieces, rest = [], message
    while rest.units > limit:
        at = _break(rest.text, limit)
        pieces.append(_cut(rest, 0, at))
        rest = _cut(rest, at, len(rest.text))
    return [*pieces, rest]


def _break(text: str, limit: int) -> int:
    """Where to break: after a paragraph, a line, a word, else where the room ends."""
    units, end = 0, 0
    for end, character in enumerate(text):  # noqa: B007
        units += 2 if character > "\uffff" else 1
        if units > limit:
            break
    for mark in ("\n\n", "\n", " "):
        at = text.rfind(mark, end // 2, end)
        if at > 0:
            return at + len(mark)
    return max(1, end)


def _cut(message: Rich, start: int, end: int) -> Rich:
    first, last = utf16_length(message.text[:start]), utf16_length(message.text[:end])
    entities = []
    for entity in message.entities:
        begin, close = max(entity.offset, first), min(entity.offset + entity.length, last)
        if begin < close:
            entities.append(
                MessageEntity(entity.type, begin - first, close - begin, language=entity.language)
            )
    return Rich(message.text[start:end], entities)
