"""Embedder: short texts as vectors whose dot product says how alike their meanings are."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from personas.errors import UnavailableError

Vectors = NDArray[np.float32]
"""[n, dimensions], every row of length 1."""

MAX_TOKENS = 64
"""A noun phrase and its details fit; what is longer is cut."""

BATCH = 16
"""Texts at a time: more is no faster on one core and takes more memory."""


class Embedder(Protocol):
    """Turns texts into vectors. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """The model: vectors of different models cannot be compared."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row for each text, in order.

        Raises:
            UnavailableError: the model is missing or cannot be run.
        """


class MiniLmEmbedder:
    """all-MiniLM-L6-v2 with int8 weights: 384 dimensions, a few milliseconds a phrase.

    The model is loaded when it is first used.

    Args:
        folder: holds `model.onnx` and `tokenizer.json`.
        threads: how many cores one call may use.
    """

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self._folder = folder
        self._threads = threads
        self._lock = threading.Lock()
        self._session: Any = None
        self._tokenizer: Any = None

    @property
    def name(self) -> str:
        """The model and the precision of its weights."""
        return "minilm-l6-int8"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row for each text: the mean of its tokens' vectors, of length 1."""
        self._load()
        rows: Vectors = np.zeros((len(texts), 384), np.float32)
        for chosen in _batches(texts):
            rows[chosen] = self._encode([texts[at] for at in chosen])
        return rows

    def _encode(self, texts: Sequence[str]) -> Vectors:
        encodings = self._tokenizer.encode_batch(list(texts))
        ids = np.array([encoding.ids for encoding in encodings], np.int64)
        mask = np.array([encoding.attention_mask for encoding in encodings], np.int64)
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        wanted = {entry.name for entry in self._session.get_inputs()}
        hidden = self._session.run(None, {k: v for k, v in feed.items() if k in wanted})[0]
        weights = mask[:, :, None].astype(np.float32)
        mean = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
        vectors: Vectors = mean / np.linalg.norm(mean, axis=1, keepdims=True).clip(1e-9)
        return vectors.astype(np.float32)

    def _load(self) -> None:
        with self._lock:
            if self._session is not None:
                return
            from tokenizers import Tokenizer

            onnxruntime: Any = importlib.import_module("onnxruntime")  # its exports are untyped
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = self._threads
            options.inter_op_num_threads = 1
            options.log_severity_level = 3
            options.enable_cpu_mem_arena = False  # it would keep what one batch needed for ever
            try:
                tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
                session = onnxruntime.InferenceSession(
                    str(self._folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
                )
            except Exception as error:  # both libraries raise their own, undocumented types
                raise UnavailableError(
                    "The model that compares meanings cannot be loaded; fetch it again with "
                    f"`chatanything models pull {self.name}`."
                ) from error
            tokenizer.enable_truncation(MAX_TOKENS)
            tokenizer.enable_padding()
            self._tokenizer, self._session = tokenizer, session


def _batches(texts: Sequence[str]) -> Iterator[list[int]]:
    """Positions in batches of texts of like length, so that little is padded."""
    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    for start in range(0, len(order), BATCH):
        yield order[start : start + BATCH]
