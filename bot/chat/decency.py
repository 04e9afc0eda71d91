"""Decency: words that belong where only adults read."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from bot.chat.base import Place, RefusedError
from personas.languages import language_of

if TYPE_CHECKING:
    from glin_profanity import Filter, Language

_LISTS: dict[str, Language] = {
    "ar": "arabic", "cs": "czech", "da": "danish", "nl": "dutch", "en": "english",
    "fi": "finnish", "fr": "french", "de": "german", "hi": "hindi", "hu": "hungarian",
    "it": "italian", "ja": "japanese", "ko": "korean", "no": "norwegian", "fa": "persian",
    "pl": "polish", "pt": "portuguese", "ru": "russian", "es": "spanish", "sv": "swedish",
    "th": "thai", "tr": "turkish", "zh": "chinese",
}  # fmt: skip

_NO_WORD = re.compile(r"\S{40,}")


class Decency:
    """Finds explicit words, by lists in many languages.

    Lists know words and no meaning: a rooster may be refused by its shorter name. So the person
    is told which word it is, and can say it differently.
    """

    def __init__(self) -> None:
        self._filters: dict[str, Filter] = {}
        self._making = threading.Lock()

    def is_for_adults(self, place: Place, text: str) -> bool:
        """Whether what somebody wants a persona to be is for adults only.

        Asked only where the platform tells apart channels for adults; elsewhere people decide
        for themselves. Takes a moment: call it in a thread.

        Raises:
            RefusedError: it is, and this is no channel for adults; says why, and what to do.
        """
        if place.adult is None:
            return False
        found = self._words(text)
        if found and not place.adult:
            raise RefusedError(
                f"“{found[0]}” is for channels with an age restriction, and this is none. Say it "
                "differently, or make this persona there."
            )
        return bool(found)

    def _words(self, text: str) -> list[str]:
        try:
            from glin_profanity import Filter
        except ImportError:
            return []  # no adapter of a platform with such channels is installed
        own: Language = _LISTS.get(language_of(text)[:2], "english")
        languages: list[Language] = ["english", own] if own != "english" else ["english"]
        with self._making:
            if own not in self._filters:
                self._filters[own] = Filter({"languages": languages})
            words = _NO_WORD.sub(" ", text)
            found: list[str] = self._filters[own].check_profanity(words)["profane_words"]
        return found
