"""The voice model of hibari: phonemes in, a source-filter description of the sound out."""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personas.errors import UnavailableError

SAMPLE_RATE = 24_000
HOP = 300
"""Samples from one frame to the next: 12.5 ms."""
BINS = 601
"""Frequencies of a frame, 0 to 12 kHz."""

_UNIT = 0.025
_DURATIONS = "/Clip_output_0"
_FASTEST, _SLOWEST = 2.0, 0.5

Frames = NDArray[np.float32]


@dataclass(frozen=True)
class Spectra:
    """A stretch of speech before it is made audible.

    Attributes:
        harmonic: [601, n] log magnitude of the voice's overtones.
        phase: [601, n] their phase, before tanh, in units of pi.
        noise: [601, n] log magnitude of what is not voiced: fricatives, bursts, breath.
        noise_phase: [601, n] radians.
        f0: [n] pitch in Hz, about 0 where unvoiced.
        seconds: for each phoneme given (with the silence before and after), how long it is.
    """

    harmonic: Frames
    phase: Frames
    noise: Frames
    noise_phase: Frames
    f0: Frames
    seconds: NDArray[np.float64]


class AcousticModel:
    """Loads once, on first use; safe to use from several threads."""

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._session: Any = None
        self._vocabulary: dict[str, int] = {}

    def known(self, symbol: str) -> bool:
        """Whether the model has a sound for this letter."""
        self._load()
        return symbol in self._vocabulary

    def predict(self, symbols: Sequence[str], rate: float) -> Spectra:
        """What `symbols` sound like.

        Args:
            symbols: misaki letters, all known; at most about 500.
            rate: speed, 1 is the speaker's own pace; limited to 0.5 ... 2.

        Raises:
            UnavailableError: the model cannot be loaded or run.
        """
        session = self._load()
        ids = [0, *(self._vocabulary[symbol] for symbol in symbols), 0]
        speed = min(max(rate, _SLOWEST), _FASTEST)
        inputs = {"ids": np.array([ids], np.int64), "speed": np.array([speed], np.float32)}
        names = ["lh", "theta", "lr", "phi", "f0", _DURATIONS]
        try:
            harmonic, phase, noise, noise_phase, f0, units = session.run(names, inputs)
        except Exception as error:
            raise UnavailableError("The voice model could not speak this text.") from error
        return Spectra(
            harmonic=harmonic[0],
            phase=phase[0],
            noise=noise[0],
            noise_phase=noise_phase[0],
            f0=f0[0],
            seconds=units.reshape(-1).astype(np.float64) * _UNIT,
        )

    def _load(self) -> Any:
        with self._lock:
            if self._session is None:
                try:
                    self._session = self._open()
                except Exception as error:
                    raise UnavailableError(
                        "The voice model could not be loaded. Reinstall the package hibari-tts."
                    ) from error
            return self._session

    def _open(self) -> Any:
        from hibari.tts import ASSETS

        onnxruntime: Any = importlib.import_module("onnxruntime")
        assets = Path(ASSETS)
        vocabulary = json.loads((assets / "vocab.json").read_text(encoding="utf-8"))
        self._vocabulary = {symbol: int(number) for symbol, number in vocabulary.items()}
        model = (assets / "hibari.onnx").read_bytes() + _extra_output(_DURATIONS)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # between two answers there may be hours: no thread should spin, no arena should stay
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = False
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _extra_output(name: str) -> bytes:
    """What makes a tensor inside an ONNX graph one of its outputs when appended to the file.

    Protocol buffers that follow each other merge, so a model with nothing but one more output
    (`ModelProto.graph` is field 7, `GraphProto.output` 12, `ValueInfoProto.name` 1) adds it
    without parsing the eight megabytes before it.
    """

    def field(number: int, content: bytes) -> bytes:
        assert len(content) < 128, "one byte of length"
        return bytes([number << 3 | 2, len(content)]) + content

    return field(7, field(12, field(1, name.encode())))
