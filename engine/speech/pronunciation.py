"""From words to phonemes: hibari's lexicon, its tagger and its net for unknown words."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Any

from personas.errors import UnavailableError

_LONGEST = 320
"""Letters of phonemes that the voice model is given at once."""
_BREAKS = frozenset(",;:—…")
_PUNCTUATION = frozenset(".,!?;:—…")
_OUTER = "\"'“”‘’.,!?;:—…-()"


@dataclass(frozen=True)
class Utterance:
    """What is spoken in one breath.

    Attributes:
        symbols: misaki letters, stress marks, spaces and punctuation.
        words: for each symbol, the index in the sentence of the word it belongs to.
        texts: the words by index, as they are written.
    """

    symbols: str
    words: tuple[int | None, ...]
    texts: dict[int, str]


class Pronouncer:
    """Loads the dictionaries once, on first use; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._g2p: Any = None

    def utterances(self, spoken: str) -> list[Utterance]:
        """The phonemes of one sentence, in parts that the voice model can take.

        Words are counted by white space, as `spoken.split()` does.

        Raises:
            UnavailableError: the dictionaries cannot be loaded.
        """
        g2p = self._load()
        tokens = g2p.phonemize_tokens(g2p.tokenize(spoken))
        symbols: list[str] = []
        words: list[int | None] = []
        texts: dict[int, str] = {}
        index = 0
        for token in tokens:
            text = token.text.strip(_OUTER)
            for symbol in _simplified(token.phonemes or ""):
                is_sound = symbol not in _PUNCTUATION and symbol != " "
                symbols.append(symbol)
                words.append(index if is_sound else None)
            if text:
                texts[index] = texts.get(index, "") + token.text
            if token.whitespace:
                symbols.append(" ")
                words.append(None)
                index += 1
        texts = {key: text.strip(_OUTER) for key, text in texts.items()}
        return _parts("".join(symbols), words, texts)

    def _load(self) -> Any:
        with self._lock:
            if self._g2p is None:
                try:
                    from hibari.g2p import G2P

                    self._g2p = G2P()  # type: ignore[no-untyped-call]
                    _ = self._g2p.oov
                except Exception as error:
                    raise UnavailableError(
                        "The pronunciation dictionary could not be loaded. "
                        "Reinstall the package hibari-tts."
                    ) from error
            return self._g2p


def _simplified(phonemes: str) -> str:
    """Without quotes and brackets, which are not spoken."""
    return re.sub(r"[\"“”()]", "", phonemes)


def _parts(symbols: str, words: list[int | None], texts: dict[int, str]) -> list[Utterance]:
    result: list[Utterance] = []
    start = 0
    while start < len(symbols):
        end = len(symbols)
        if end - start > _LONGEST:
            end = _break(symbols, start, start + _LONGEST)
        chunk = symbols[start:end]
        left = len(chunk) - len(chunk.lstrip())
        chunk = chunk.strip()
        owners = tuple(words[start + left : start + left + len(chunk)])
        if any(owner is not None for owner in owners):
            own = {w: texts[w] for w in dict.fromkeys(owners) if w is not None and w in texts}
            result.append(Utterance(chunk, owners, own))
        start = end
    return result


def _break(symbols: str, start: int, limit: int) -> int:
    """Where to breathe: after the last clause in the second half, else the last word."""
    for at in range(limit - 1, start + _LONGEST // 2, -1):
        if symbols[at] == " " and symbols[at - 1] in _BREAKS:
            return at + 1
    for at in range(limit - 1, start, -1):
        if symbols[at] == " ":
            return at + 1
    return limit
