"""Texts as vectors: the real model where it has been fetched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.embedding import BATCH, MiniLmEmbedder
from personas.errors import UnavailableError


@pytest.fixture(scope="module")
def embedder(require_model: Callable[[str], Path]) -> MiniLmEmbedder:
    return MiniLmEmbedder(require_model("minilm-l6-int8"))


def test_rows_have_length_one(embedder: MiniLmEmbedder) -> None:
    rows = embedder.encode(["teapot", "", "a much longer text " * 40, "灯台"])
    assert rows.shape == (4, 384) and rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)


def test_like_meanings_are_near(embedder: MiniLmEmbedder) -> None:
    kettle, teapot, tiger = embedder.encode(["kettle", "teapot", "tiger"])
    assert kettle @ teapot > kettle @ tiger + 0.2


def test_a_text_has_the_same_vector_alone_and_in_company(embedder: MiniLmEmbedder) -> None:
    alone = embedder.encode(["umbrella"])[0]
    crowd = embedder.encode([*(f"word {i}" for i in range(BATCH)), "umbrella"])[-1]
    assert alone @ crowd > 0.99


def test_nothing_to_encode_is_no_rows(embedder: MiniLmEmbedder) -> None:
    assert embedder.encode([]).shape == (0, 384)


@pytest.mark.parametrize("content", [None, b"", b"not a model"])
def test_a_missing_or_broken_model_says_how_to_fetch_it(
    tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "model.onnx").write_bytes(content)
        (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(UnavailableError, match="models pull minilm-l6-int8"):
        MiniLmEmbedder(tmp_path).encode(["hello"])
