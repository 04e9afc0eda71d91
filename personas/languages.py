"""Which language a text is in, as far as its script and commonest words tell."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_TAG = re.compile(r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$")
_LOOKED_AT = 1_000
_SCRIPTS = {
    "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "CJK": "zh", "CYRILLIC": "ru",
    "ARABIC": "ar", "HEBREW": "he", "GREEK": "el", "THAI": "th", "DEVANAGARI": "hi",
    "BENGALI": "bn", "TAMIL": "ta", "GEORGIAN": "ka", "ARMENIAN": "hy",
}  # fmt: skip
_SHARED = {
    "CYRILLIC": ("ru", "uk", "be", "bg", "sr", "mk", "kk", "ky", "mn", "tg"),
    "ARABIC": ("ar", "fa", "ur", "ps", "ug"), "DEVANAGARI": ("hi", "mr", "ne", "sa"),
    "HEBREW": ("he", "yi"), "CJK": ("zh", "ja", "yue"), "BENGALI": ("bn", "as"),
}  # fmt: skip
"""Languages that are written in one script: a claim among them is believed."""
_UKRAINIAN = frozenset("іїєґ")
_COMMON = {
    "en": "the and is you to of a an my i it in that for me are not with have who on no at",
    "de": "der die das und ist ich nicht ein eine du zu mit auf für wie wir mein bin",
    "fr": "le la les et est je ne pas un une vous de des que qui pour dans mon suis avec",
    "es": "el la los y es yo un una que de para en con mi por soy muy",
    "it": "il la gli e è io non un una che di per con mi sono mio ciao",
    "pt": "o a os e é eu não um uma que de para com meu sou você muito",
    "nl": "de het een en is ik niet je van met mijn ben voor dat wij",
    "sv": "och är jag inte det att som har för till du mitt ett vad en på",
    "pl": "nie jest się na że jak ja mam jestem czy tak ale dla cześć w",
    "tr": "ve bir bu ben çok için değil ne mi var evet ama sen merhaba",
}
_NAMES = {
    "english": "en", "german": "de", "deutsch": "de", "french": "fr", "spanish": "es",
    "italian": "it", "portuguese": "pt", "dutch": "nl", "russian": "ru", "japanese": "ja",
    "chinese": "zh", "korean": "ko", "arabic": "ar", "ukrainian": "uk", "swedish": "sv",
    "polish": "pl", "turkish": "tr",
}  # fmt: skip


def language_of(text: str, claimed: str = "", *, sure: int = 2) -> str:
    """The BCP 47 tag of the language of a text.

    The script decides, then the commonest words; where they do not tell, what was claimed, and
    English at last.

    Args:
        text: what was written.
        claimed: a tag or a language's name, perhaps by a model that is mistaken.
        sure: how many common words of a language decide for it; 1 for short texts.
    """
    letters = Counter(
        re.split("[ -]", unicodedata.name(character, ""), maxsplit=1)[0]
        for character in text[:_LOOKED_AT]
        if character.isalpha()
    )
    script = letters.most_common(1)[0][0] if letters else "LATIN"
    if script == "CJK" and letters["HIRAGANA"] + letters["KATAKANA"]:
        return "ja"
    claimed = _NAMES.get(claimed.strip().lower(), claimed.strip().replace("_", "-"))
    if script in _SCRIPTS:
        if _TAG.match(claimed) and claimed.split("-")[0] in _SHARED.get(script, ()):
            return claimed
        if script == "CYRILLIC" and not _UKRAINIAN.isdisjoint(text[:_LOOKED_AT].lower()):
            return "uk"
        return _SCRIPTS[script]
    words = Counter(re.findall(r"[^\W\d_]+", text[:_LOOKED_AT].lower()))
    scores = {tag: sum(words[word] for word in own.split()) for tag, own in _COMMON.items()}
    best = max(scores, key=lambda tag: scores[tag])
    if scores[best] >= sure and scores[best] > scores.get(claimed.split("-")[0], 0):
        return best
    return claimed if _TAG.match(claimed) else "en"
