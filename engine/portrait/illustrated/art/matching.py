"""Which picture fits a subject: by name first, by meaning where no name fits."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.embedding import Embedder, Vectors
from engine.portrait.illustrated.art.concepts import Concept
from engine.portrait.illustrated.art.words import Phrase
from personas.errors import UnavailableError

NAMED = 0.9
"""A score from here on says that the picture bears the subject's own name."""

FITTING = 0.5
"""A score below this says that nothing fits."""

_FACE_WORDS = frozenset(["face", "smiley", "emoji", "emoticon", "smile", "grin", "expression"])

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scored:
    """A concept and how well it fits: from `NAMED` on it is the thing itself."""

    concept: Concept
    score: float


class Matcher:
    """Scores concepts against subjects.

    The table of meanings is computed when a subject first needs it, in a second or two, and kept
    in `cache`; subjects that bear the name of a picture never need it.

    Args:
        concepts: what there are pictures of.
        embedder: compares meanings.
        cache: a folder for the table of meanings.
    """

    def __init__(self, concepts: Sequence[Concept], embedder: Embedder, cache: Path) -> None:
        self._concepts = concepts
        self._embedder = embedder
        self._cache = cache
        self._table: Vectors | None = None
        self._by_code = {concept.code: at for at, concept in enumerate(concepts) if concept.code}
        self._names: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        self._keywords: defaultdict[str, list[int]] = defaultdict(list)
        self._parts: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        self._words: list[frozenset[str]] = []
        for at, concept in enumerate(concepts):
            self._index(at, concept)

    def by_emoji(self, codes: Sequence[str]) -> Concept | None:
        """The first of these emoji that there is a picture of."""
        for code in codes:
            at = self._by_code.get(code, self._by_code.get(code.split("-")[0]))
            if at is not None:
                return self._concepts[at]
        return None

    def score(
        self, phrase: Phrase, favour: Callable[[Concept], float], *, by_meaning: bool = True
    ) -> list[Scored]:
        """All concepts that have to do with the subject, the best first.

        Args:
            phrase: the subject taken apart.
            favour: what a concept's score is raised by, for reasons of the caller.
            by_meaning: compare meanings where no picture bears the subject's name.
        """
        scores = self._by_name(phrase)
        best = max(scores.values(), default=0.0)
        if by_meaning and best < NAMED:
            self._add_meaning(scores, phrase)
        context = frozenset((*phrase.words[:-1], *phrase.others))
        results = []
        for at, score in scores.items():
            concept = self._concepts[at]
            shared = len(context & self._words[at])
            fit = score + 0.02 * min(shared, 3) + favour(concept)
            if concept.kind == "face" and not _FACE_WORDS & set(phrase.words):
                fit -= 0.1
            results.append(Scored(concept, fit))
        return sorted(results, key=lambda scored: (-scored.score, scored.concept.id))

    def prepare(self) -> None:
        """Computes the table of meanings now rather than when it is first needed."""
        self._meanings()

    def _index(self, at: int, concept: Concept) -> None:
        for weight, names in ((1.01, concept.aliases), (1.0, (concept.name,))):
            for name in names:
                self._names[name].append((at, weight))
                words = name.split()
                if len(words) > 1:
                    self._parts[words[-1]].append((at, 0.72))
                    for word in words[:-1]:
                        self._parts[word].append((at, 0.5))
        for name in concept.likes:
            self._names[name].append((at, 0.88))
        for keyword in concept.keywords:
            self._keywords[keyword].append(at)
        words_of = {word for name in (concept.name, *concept.aliases) for word in name.split()}
        self._words.append(
            frozenset(words_of | {w for keyword in concept.keywords for w in keyword.split()})
        )

    def _by_name(self, phrase: Phrase) -> dict[int, float]:
        scores: dict[int, float] = {}

        def note(at: int, score: float) -> None:
            scores[at] = max(scores.get(at, 0.0), score)

        for tail in phrase.tails:
            length = 0.03 * (len(tail.split()) - 1)
            for at, weight in self._names.get(tail, ()):
                note(at, weight - 0.05 + length)
            related = self._keywords.get(tail, ())
            for at in related:
                note(at, 0.55 + 0.15 / len(related) + length)
        for at, weight in self._parts.get(phrase.head, ()):
            note(at, weight)
        for word in phrase.words[:-1]:  # a tea cosy is nearer to tea than to nothing
            for at, weight in self._names.get(word, ()):
                note(at, 0.5 * weight)
        return scores

    def _add_meaning(self, scores: dict[int, float], phrase: Phrase) -> None:
        texts = [text for text in dict.fromkeys((" ".join(phrase.words), phrase.head)) if text]
        if not texts:
            return
        try:
            table = self._meanings()
            wanted = self._embedder.encode(texts)
        except UnavailableError as error:
            log.warning("Pictures are matched by name only: %s", error)
            return
        meaning = (table @ wanted.T).max(axis=1)
        kinds = self._likely_kinds(meaning)
        for at in np.argsort(-meaning)[:40]:
            kind = kinds.get(self._concepts[at].kind, 0.0)
            near = float(meaning[at]) * 0.85 + 0.1 * kind
            scores[int(at)] = max(scores.get(int(at), 0.0) + 0.15 * float(meaning[at]), near)

    def _likely_kinds(self, meaning: Vectors) -> dict[str, float]:
        """What share of the nearest concepts each kind has."""
        nearest = np.argsort(-meaning)[:12]
        kinds = Counter(self._concepts[at].kind for at in nearest)
        return {kind: count / len(nearest) for kind, count in kinds.items()}

    def _meanings(self) -> Vectors:
        """[concepts, dimensions]: keywords are left to exact matching, they blur the meaning."""
        if self._table is None:
            texts = [concept.name for concept in self._concepts]
            key = hashlib.sha256("\n".join((self._embedder.name, *texts)).encode()).hexdigest()
            self._table = self._kept(key, len(texts))
            if self._table is None:
                self._table = self._embedder.encode(texts)
                self._keep(key, self._table)
        return self._table

    def _kept(self, key: str, rows: int) -> Vectors | None:
        try:
            table = np.load(self._cache / f"meanings-{key[:16]}.npy", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return table.astype(np.float32) if table.ndim == 2 and len(table) == rows else None

    def _keep(self, key: str, table: Vectors) -> None:
        with contextlib.suppress(OSError):  # a cache that cannot be written costs only time
            self._cache.mkdir(parents=True, exist_ok=True)
            handle, partial = tempfile.mkstemp(dir=self._cache, suffix=".part")
            with os.fdopen(handle, "wb") as stream:
                np.save(stream, table.astype(np.float16))
            Path(partial).replace(self._cache / f"meanings-{key[:16]}.npy")
