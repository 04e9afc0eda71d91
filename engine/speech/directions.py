"""Stage directions: *smiles*, (laughs), [sighs]. Not read aloud; they steer the face.

In chat an asterisk means emphasis as often as action. What is done stands on its own and starts
with a verb in the third person; what is stressed stands inside a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Interpreter = Callable[[str, bool, bool], str | None]
"""Says which action a marked passage is, or None. It is given the passage, whether it was marked
with asterisks or underscores (not brackets), and whether it stands on its own."""

_FIRST_MARK, _LAST_MARK = 0xE000, 0xF8FF
"""A stage direction is held in the text by one character of the private use area."""

_VERBS = frozenset(
    re.findall(
        r"\S+",
        """
    smile laugh sigh nod wink grin giggle chuckle cry sob weep blush shrug frown smirk gasp yawn
    bow wave cough sneeze snort growl purr bark meow hiss roar whisper shout scream yell sing
    hum whistle dance jump spin twirl stretch clap point stare glare blink gaze look glance peek
    lean sit stand walk run step turn tilt shake scratch rub tap pat hug kiss bounce wiggle wag
    sniff snore sleep think pause ponder hesitate clear take raise lift lower roll close open
    hold hand pour drink sip eat munch beam glow flicker shine sparkle shimmer rustle creak
    crackle beep buzz whirr whir click groan moan grumble mutter mumble huff puff gulp swallow
    shiver tremble shudder squint pout facepalm cackle snicker snigger chirp croak flap flutter
    hop swing sway fidget stammer stutter squeal exhale inhale breathe fade vanish appear salute
    kneel stroke adjust straighten cross fold cheer applaud scoff tear sweat flinch grimace
    wince stumble trip fall float hover
    """,
    )
)
_NOTES = frozenset({"laughter", "applause", "silence", "pause", "music", "sigh", "laugh", "cough"})
_SUBJECTS = frozenset({"the", "he", "she", "it", "they", "his", "her", "its", "their", "a", "an"})
_SPAN = re.compile(
    r"(?<![\w*])\*(?![\s*])([^*\n]{1,240}?)(?<![\s])\*(?![\w*])"
    r"|(?<![\w_])_(?![\s_])([^_\n]{1,240}?)(?<![\s])_(?![\w_])"
    r"|\(([^()\n]{1,120})\)"
    r"|\[([^\[\]\n]{1,120})\]"
)
_MARKS = re.compile(f"[{chr(_FIRST_MARK)}-{chr(_LAST_MARK)}]")
_BOUNDARY = ".!?…:;,—-\"”“'’)(][*_\n"


class Directions:
    """The stage directions found in one text; in the text, a mark holds the place of each."""

    def __init__(self) -> None:
        self.actions: list[str] = []

    def mark(self, action: str) -> str:
        """Keeps an action, and returns the character that stands for it."""
        if len(self.actions) > _LAST_MARK - _FIRST_MARK:
            return ""
        self.actions.append(action)
        return chr(_FIRST_MARK + len(self.actions) - 1)

    def action(self, char: str) -> str | None:
        """What a mark stands for; None for every other character."""
        number = ord(char) - _FIRST_MARK
        return self.actions[number] if 0 <= number < len(self.actions) else None


def without_marks(text: str) -> str:
    """Text in which no character can be taken for a mark."""
    return _MARKS.sub(" ", text)


def english_action(content: str, starred: bool, stands_alone: bool) -> str | None:
    """The action that a passage in English is; None where it is words to be said."""
    return _tidy(content) if _is_action(content, starred, stands_alone) else None


def take_directions(
    text: str, directions: Directions, interpret: Interpreter = english_action
) -> str:
    """The text with a mark in the place of each stage direction.

    Other emphasis loses its asterisks; other brackets become pauses.
    """

    def replace(match: re.Match[str]) -> str:
        starred = match.group(1) or match.group(2)
        content = starred or match.group(3) or match.group(4) or ""
        before = text[max(0, match.start() - 3) : match.start()].rstrip(" \t")
        after = text[match.end() : match.end() + 3].lstrip(" \t")
        starts = not before or before[-1] in _BOUNDARY or bool(_MARKS.match(before[-1]))
        ends = not after or after[0] in _BOUNDARY or after[0].isupper()
        action = interpret(content, bool(starred), starts and ends)
        if action is not None:
            return f" {directions.mark(action)} "
        if content.strip().isdigit():  # the area of a telephone number
            return f" {content.strip()} "
        return content if starred else f", {content.strip()}, "

    return _SPAN.sub(replace, text)


def _is_action(content: str, starred: bool, stands_alone: bool) -> bool:
    words = re.findall(r"[A-Za-z']+", content.lower())
    while words and (words[0].endswith("ly") or words[0] in ("i", "and")) and len(words) > 1:
        words.pop(0)
    if not words or len(words) > 30:
        return False
    first = words[0]
    if _lemma(first) in _VERBS and first != _lemma(first):
        return True
    if not stands_alone:
        return False
    if first in _VERBS or (len(words) == 1 and first in _NOTES):
        return starred or len(words) == 1
    if not starred:
        return False
    looks_like_verb = len(first) > 3 and (first.endswith("ing") or first[-1] == "s" != first[-2])
    if looks_like_verb and len(words) >= 2 and not content[:1].isupper():
        return True
    return len(words) >= 4 and first in _SUBJECTS


def _lemma(word: str) -> str:
    """A verb without the ending of he does, doing."""
    for ending, base in (
        ("ies", "y"),
        ("es", ""),
        ("es", "e"),
        ("s", ""),
        ("ing", ""),
        ("ing", "e"),
    ):
        if word.endswith(ending) and word[: -len(ending)] + base in _VERBS:
            return word[: -len(ending)] + base
    if word.endswith("ing") and len(word) > 6 and word[-4] == word[-5]:
        return word[:-4]
    return word


def _tidy(content: str) -> str:
    plain = re.sub(r"[^\w\s',.-]+", " ", content)
    return re.sub(r"\s+", " ", plain).strip(" .,-").lower()[:80]
