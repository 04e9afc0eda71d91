"""Emoji, emoticons, typographic signs and letters of other alphabets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.speech.directions import Directions

_EMOJI = (
    "\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u2300-\u23ff\u25a0-\u25ff\u203c\u2049"
    "\u3030\u303d\u3297\u3299"
)
_JOINERS = "\u200d\ufe0e\ufe0f\u20e3\U000e0020-\U000e007f"
_RUN = re.compile(f"[{_EMOJI}{_JOINERS}]+(?:[ \t]?[{_EMOJI}{_JOINERS}]+){{0,50}}")
_SKIN = re.compile(f"[\U0001f3fb-\U0001f3ff{_JOINERS}]")

# what a face in the text does, for the face of the persona
_ACTIONS = {
    "😀😃😄😁☺😊🙂😌🥰😍🤗😇😺": "smiles",
    "😆😂🤣😹": "laughs",
    "😉": "winks",
    "😢😭🥺😿": "cries",
    "😞😔☹🙁😟😥": "looks sad",
    "😠😡🤬👿😤": "frowns",
    "😮😯😲😱🤯": "gasps",
    "🙄": "rolls eyes",
    "😴💤": "yawns",
    "😏😼😈": "smirks",
    "🤔🧐": "thinks",
    "🤷": "shrugs",
    "😳🫣": "blushes",
}
_ACTION_OF = {emoji: action for run, action in _ACTIONS.items() for emoji in run}

# what people say where they would send nothing else
_SAID = {
    "👍": "Okay!", "👎": "No.", "👋": "Hi!", "🎉": "Hooray!", "🥳": "Hooray!", "❤": "Love you.",
    "♥": "Love you.", "😂": "Ha ha ha!", "🤣": "Ha ha ha!", "😊": "Aww.", "😢": "Oh no.",
    "😭": "Oh no.", "😮": "Oh!", "😱": "Oh no!", "🤔": "Hmm.", "😴": "Good night.",
    "🙏": "Thank you.", "👏": "Bravo!", "🔥": "Fire!", "💯": "One hundred percent.",
}  # fmt: skip
_HEARTS = frozenset("❤♥💕💖💗💙💚💛💜🖤🧡🤍🤎💘💓💞")
_DETERMINERS = re.compile(
    r"\b(?:a|an|the|my|your|our|his|her|their|this|that|some|of|more|no|\d+|with|for) $", re.I
)

_EMOTICON = re.compile(
    r"(?<![\w:;=])(?:"
    r"(?P<smiles>[:=]-?[)\]D3]|\^[_.]?\^|[xX]D+)"
    r"|(?P<winks>;-?[)D])"
    r"|(?P<sad>:'?-?\(|[TQ]_[TQ])"
    r"|(?P<gasps>[:=]-?[oO])"
    r"|(?P<shrugs>¯\\?_\(ツ\)_/¯)"
    r"|<3+|[:=]-?[pP*|/\\]"
    r")(?![\w/])"
)
_DOES = {
    "smiles": "smiles", "winks": "winks", "sad": "looks sad", "gasps": "gasps", "shrugs": "shrugs",
}  # fmt: skip

_EXCITED = re.compile(r"[!?]{2,}")
_BLANKS = re.compile(r"[^\S\n]+")

_SIGNS = {
    "&": " and ", "@": " at ", "%": " percent ", "+": " plus ", "=": " equals ", "°": " degrees ",
    "±": " plus or minus ", "×": " times ", "÷": " divided by ", "≈": " about ", "≠": " is not ",
    "≤": " at most ", "≥": " at least ", "∞": " infinity ", "√": " the square root of ",
    "π": " pi ", "½": " one half ", "¼": " one quarter ", "¾": " three quarters ",
    "⅓": " one third ", "⅔": " two thirds ", "²": " squared ", "³": " cubed ", "µ": " micro ",
    "§": " section ", "№": " number ", "α": " alpha ", "β": " beta ", "γ": " gamma ",
    "δ": " delta ", "λ": " lambda ", "Ω": " omega ", "ω": " omega ", "σ": " sigma ",
    "|": ", ", "→": ", ", "⇒": ", ", "•": ", ", "·": " ", "~": " ", "^": " ", "_": " ",
}  # fmt: skip
SILENT_SIGNS = {sign: said for sign, said in _SIGNS.items() if said in (" ", ", ")}
"""Signs that are a pause in every language."""
_FOLD = {
    "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "“": '"', "”": '"', "„": '"', "«": '"',
    "»": '"', "–": "-", "‐": "-", "‑": "-", "−": "-", "―": "—", "。": ".", "，": ",", "！": "!",
    "？": "?", "；": ";", "：": ":", "、": ",", "¿": " ", "¡": " ", "\u00a0": " ", "\u00ad": "",
}  # fmt: skip
_LATIN = {"Ø": "Oe", "Đ": "D", "đ": "d", "Ł": "L", "ł": "l", "ı": "i", "ħ": "h", "ŋ": "ng"}
_KEPT = frozenset("àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿœßšžāēīōūăąćčďęěğłńňřśşťůźż")
"""Letters that the pronunciation knows besides a to z."""
PUNCTUATION = frozenset(".,!?;:—…'-")


def emoji_to_words(text: str, directions: Directions, words: EmojiWords | None = None) -> str:
    """Without emoji and emoticons; the faces among them become stage directions.

    An emoji that stands for a word is read as that word: "I ❤️ you", "a slice of 🍕". Where a
    text has no words at all, its emoji are what is said. English where no `words` are given.
    """
    words = words or ENGLISH
    text = _emoticons(text, directions)
    no_words = not any(char.isalnum() for char in text)
    kept: list[str] = []
    position = said = 0
    for match in _RUN.finditer(text):
        kept.append(text[position : match.start()])
        position = match.end()
        symbols = list(dict.fromkeys(_SKIN.sub("", match.group()).replace(" ", "")))[:12]
        if not symbols:
            continue
        actions = [_ACTION_OF[symbol] for symbol in symbols if symbol in _ACTION_OF]
        if actions:
            kept.append(f" {directions.mark(actions[0])} ")
        if not no_words:
            before = text[max(0, match.start() - 12) : match.start()]
            kept.append(f" {_as_word(symbols, before, text[position : position + 2], words)} ")
        elif said < 3:
            said += 1
            kept.append(f" {words.said.get(symbols[0]) or words.name(symbols[0])} ")
    kept.append(text[position:])
    return "".join(kept)


def _emoticons(text: str, directions: Directions) -> str:
    def replace(match: re.Match[str]) -> str:
        action = _DOES.get(match.lastgroup or "")
        return f" {directions.mark(action)} " if action else " "

    return _EMOTICON.sub(replace, text)


def folded(text: str, keep: str = "") -> str:
    """Typographic signs as plain ones, decorated letters (bold, wide, circled) as letters.

    Args:
        text: any text.
        keep: characters to leave alone.
    """
    text = unicodedata.normalize("NFC", text)
    if not text.isascii():
        text = "".join(_FOLD.get(char, char) for char in text)
        text = "".join(char if char in keep else _compatible(char) for char in text)
    text = text.replace("--", "—")
    text = re.sub(r"\.{2,}", "…", text)
    text = _EXCITED.sub(
        lambda match: "?!" if "?" in match[0] and "!" in match[0] else match[0][0], text
    )
    return _BLANKS.sub(" ", text)


def signs_to_words(text: str) -> str:
    """Signs that are read out, as words."""
    return "".join(_SIGNS.get(char, char) for char in text)


def speakable_letters(text: str) -> str:
    """Only letters that can be pronounced, spaces and punctuation; the rest becomes a space."""
    return "".join(map(_letter, text))


def is_letter(char: str) -> bool:
    """Whether a letter can be pronounced."""
    return ("a" <= char.lower() <= "z") or char.lower() in _KEPT


def _letter(char: str) -> str:
    if char in PUNCTUATION or char == " " or is_letter(char):
        return char
    if char in _LATIN:
        return _LATIN[char]
    if unicodedata.category(char) in ("Mn", "Cf"):
        return ""
    plain = "".join(c for c in unicodedata.normalize("NFKD", char) if "a" <= c.lower() <= "z")
    return plain or " "


def _compatible(char: str) -> str:
    """A letter or digit behind a decoration: 𝓗, ｗ, Ⅳ, ①."""
    if char.isascii() or char in _SIGNS or char.lower() in _KEPT or char == "…":
        return char
    plain = unicodedata.normalize("NFKC", char)
    if plain != char and plain.isascii() and plain.isprintable():
        return plain
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    return char


def _as_word(symbols: list[str], before: str, after: str, words: EmojiWords) -> str:
    goes_on = after.strip()[:1].isalpha() or after[:1].isalpha()
    if symbols[0] in _HEARTS:
        return words.love if words.love and _LOVERS.search(before) and goes_on else ""
    ends = not after.strip() or after.strip()[0] in ".,!?"
    if (
        symbols[0] not in _ACTION_OF
        and words.determiners is not None
        and words.determiners.search(before)
        and (ends or goes_on)
        and len(symbols) == 1
    ):
        name = words.name(symbols[0])
        return re.sub(r"^\w+ of ", "", name) if before.endswith("of ") else name
    return ""


def _name(symbol: str) -> str:
    try:
        name = unicodedata.name(symbol).lower()
    except ValueError:
        return ""
    name = re.sub(
        r"\b(?:face|with|sign|symbol|heavy|black|white|emoji|regional indicator.*)\b", " ", name
    )
    return re.sub(r"[^a-z]+", " ", name).strip()


@dataclass(frozen=True)
class EmojiWords:
    """What a language says of emoji.

    Attributes:
        name: the name of one emoji; empty where it has none that can be said.
        said: for some, what people would say who send nothing else.
        determiners: matches the end of a text after which an emoji stands for a noun.
        love: the verb that a heart stands for between two people.
    """

    name: Callable[[str], str]
    said: Mapping[str, str]
    determiners: re.Pattern[str] | None = None
    love: str = ""


_LOVERS = re.compile(r"\b(?:I|i|we|they|you) $")
ENGLISH = EmojiWords(_name, _SAID, _DETERMINERS, "love")
