"""WordGuard: the model's words, while they come, kept the persona's own."""

from __future__ import annotations

import re
from collections.abc import Iterable

from personas.text import clean, loops, sentence_ends, whole_sentences

_SELF = ("assistant", "ai", "model", "bot", "response", "answer", "reply")
_OTHERS = ("user", "human", "system", "question", "customer", "visitor")
_TOKENS = ("<|", "[INST]", "[/INST]", "<s>", "</s>", "###", "<end_of_turn>", "<start_of_turn>")
_THINK = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
_THOUGHT = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_MARKS = "*_\"'“” \t"
_LOOK_EVERY = 24
"""Characters between two looks for loops."""


class WordGuard:
    """Takes the pieces of an answer and gives what may be shown of it.

    Thoughts, labels such as `Name:` and the model's own tokens are taken out; an invented turn
    of somebody else ends the answer, and so does a loop. Only what could still become one of
    these is held back, so words are shown as they come.

    Args:
        name: of the persona.
        others: names whose turns the model must not write.
        limit: characters; the answer ends there.
        sentences: likewise; 0 for as many as come.

    Attributes:
        done: nothing more will be shown; the model can be stopped.
    """

    def __init__(
        self, name: str, others: Iterable[str] = (), limit: int = 6_000, sentences: int = 0
    ) -> None:
        first = name.split()[0] if name.split() else name
        self._own = tuple(label.casefold() for label in (name, first, *_SELF) if label)
        self._others = tuple(label.casefold() for label in (*others, *_OTHERS) if label.strip())
        self._limit = limit
        self._sentences = sentences
        self._raw = ""
        self._shown = ""
        self._kept = ""
        self._looked = 0
        self.done = False

    def feed(self, piece: str) -> str:
        """Takes a piece; what may be shown now is returned, often the same, at times nothing."""
        if self.done:
            return ""
        self._raw += piece
        return self._advance(ended=False)

    def finish(self) -> str:
        """The model has ended: what was held back."""
        return "" if self.done else self._advance(ended=True)

    @property
    def kept(self) -> str:
        """The answer so far: what was shown, unless some of it turned out to be a thought."""
        return self._kept

    def text(self) -> str:
        """The whole answer as it is kept: without a loop at its end or half a sentence."""
        text = clean(self._kept)
        loop = loops(text)
        if loop is not None:
            text = text[:loop].rstrip(" ,;:-")
        return whole_sentences(text)

    def _advance(self, ended: bool) -> str:
        allowed = self._allowed(ended)
        if len(allowed) > self._limit:
            allowed, self.done = allowed[: self._limit], True
        if self._sentences and len(ends := sentence_ends(allowed)) > self._sentences:
            allowed, self.done = allowed[: ends[self._sentences - 1]], True
        self._kept = allowed
        if not allowed.startswith(self._shown):
            return ""  # a thought was shown: it cannot be taken back, but it is not kept
        fresh = allowed[len(self._shown) :]
        self._shown = allowed
        if len(allowed) - self._looked >= _LOOK_EVERY or ended:
            self._looked = len(allowed)
            if loops(allowed[-1200:]) is not None:
                self.done = True
        return fresh

    def _allowed(self, ended: bool) -> str:
        """What may be shown of all that came so far."""
        text = self._without_thoughts(ended)
        for token in _TOKENS:
            at = text.find(token)
            if at == 0:
                text = text[len(token) :]
            elif at > 0:
                text, self.done = text[:at], True
        text = text.lstrip()
        lines = text.split("\n")
        kept: list[str] = []
        for number, line in enumerate(lines):
            last = number == len(lines) - 1
            label, rest = self._label(line)
            if label == "other" and any(kept):
                self.done = True
                return "\n".join(kept).rstrip()
            if label == "own" or (label == "other" and not any(kept)):
                line = rest
            elif last and not ended and not self.done and self._may_be_label(line):
                kept.append("")
                return "\n".join(kept) if any(kept) else ""
            kept.append(line)
        allowed = "\n".join(kept).lstrip()
        return allowed if ended else self._without_beginnings(allowed)

    def _without_thoughts(self, ended: bool) -> str:
        text = self._raw
        while start := _THINK.search(text):
            end = _THOUGHT.search(text, start.end())
            if end is None:
                return text[: start.start()]
            text = text[: start.start()] + text[end.end() :].lstrip()
        stray = _THOUGHT.search(text)  # some models' templates open the thought themselves
        if stray:
            text = text[stray.end() :]
        return text

    def _without_beginnings(self, text: str) -> str:
        """Holds back an end that may become a token or a tag."""
        for sign in ("<", "[", "#"):
            at = text.rfind(sign)
            if at >= 0 and len(text) - at <= 12:
                tail = text[at:]
                wanted = (*_TOKENS, "<think>", "<thinking>", "</think>")
                if any(token.startswith(tail) for token in wanted):
                    return text[:at]
        return text

    def _label(self, line: str) -> tuple[str, str]:
        """Whose label a line begins with, `own`, `other` or none, and what follows it."""
        head, colon, rest = line.partition(":")
        name = head.strip(_MARKS).casefold()
        if not colon or len(head) > 60:
            return "", line
        rest = rest.lstrip(_MARKS if head.strip()[:1] in ("*", "_") else " \t")
        if name in self._own:
            return "own", rest
        return ("other", rest) if name in self._others else ("", line)

    def _may_be_label(self, line: str) -> bool:
        start = line.strip(_MARKS).casefold()
        if not start:
            return bool(line.strip())
        return any(label.startswith(start) for label in (*self._own, *self._others))
