"""An honest Embedder without a model: texts are alike when they share letters."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from engine.embedding import Vectors
from personas.errors import UnavailableError


class LettersEmbedder:
    """Rows are counts of hashed letter triples; counts how often it was asked."""

    def __init__(self) -> None:
        self.encoded = 0

    @property
    def name(self) -> str:
        return "letters"

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.encoded += len(texts)
        rows: Vectors = np.full((len(texts), 64), 1e-6, np.float32)
        for row, text in zip(rows, texts, strict=True):
            for at in range(len(text) - 2):
                row[hashlib.md5(text[at : at + 3].encode()).digest()[0] % 64] += 1
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


class MissingEmbedder:
    """Has not been fetched."""

    @property
    def name(self) -> str:
        return "missing"

    def encode(self, texts: Sequence[str]) -> Vectors:
        raise UnavailableError("The model 'minilm' is not here yet.")
