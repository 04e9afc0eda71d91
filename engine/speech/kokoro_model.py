"""The network of Kokoro: phonemes and a style in, sound and the time of each phoneme out.

Its graph gets three changes on loading. How long each phoneme takes becomes an output. Between
the melody it plans and the part that sings it stands a small calculation that moves and widens
the melody, so that the voice changes its pitch and nothing else.
"""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.speech.graphs import node, output, renamed_result, scalar_input
from personas.errors import NotFoundError, UnavailableError

SAMPLE_RATE = 24_000
MODEL = "kokoro-82m"
"""Its name in the catalogue of models."""
MOST_SYMBOLS = 510

_FILE = "kokoro.onnx"
_UNIT = 0.025
_STYLE = 256
_FASTEST, _SLOWEST = 2.0, 0.5
_LOWEST_VOICED = 30.0
"""Hz; below, the plan means unvoiced."""
_DURATIONS = "/encoder/Cast_output_0"
_MELODY = "/encoder/F0_proj/Conv_output_0"
_PLANNED = "/encoder/F0_plan/Conv_output_0"
_KEEP, _FLATTEN, _LOWEST, _ONE = "melody/keep", "melody/flatten", "melody/lowest", "melody/one"
_INPUTS = (_KEEP, _FLATTEN, _LOWEST, _ONE)
_PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")


@dataclass(frozen=True)
class Sound:
    """What the network said.

    Attributes:
        samples: [n] float32 mono at 24 kHz.
        seconds: for each symbol given, with the silence before and after, how long it is.
    """

    samples: NDArray[np.float32]
    seconds: NDArray[np.float64]


class KokoroModel:
    """Loads once, on first use; safe to use from several threads.

    Args:
        folder: where the model is; called on first use, its errors are passed on.
        threads: of the processor.
    """

    def __init__(self, folder: Callable[[], Path], threads: int = 1) -> None:
        self._find = folder
        self._threads = threads
        self._lock = threading.Lock()
        self._session: Any = None
        self._folder = Path()
        self._vocabulary: dict[str, int] = {}
        self._styles: dict[str, NDArray[np.float32]] = {}

    def known(self, symbol: str) -> bool:
        """Whether there is a sound for this letter."""
        self.load()
        return symbol in self._vocabulary

    def style(self, speaker: str) -> NDArray[np.float32]:
        """[510, 256] how a speaker speaks, by the number of symbols in an utterance.

        Raises:
            NotFoundError: there is no such speaker.
            UnavailableError: the model is not here.
        """
        self.load()
        with self._lock:
            if speaker not in self._styles:
                path = self._folder / f"{speaker}.bin"
                if not speaker.isidentifier() or not path.is_file():
                    raise NotFoundError(f"Kokoro has no speaker called “{speaker[:40]}”.")
                self._styles[speaker] = np.fromfile(path, "<f4").reshape(-1, _STYLE)
            return self._styles[speaker]

    def speak(
        self,
        symbols: Sequence[str],
        style: NDArray[np.float32],
        *,
        speed: float = 1.0,
        pitch: float = 1.0,
        melody: float = 1.0,
    ) -> Sound:
        """What `symbols` sound like.

        Args:
            symbols: misaki letters, all known; at most `MOST_SYMBOLS`.
            style: [510, 256], or a mixture of several.
            speed: 1 is the speaker's own pace; limited to 0.5 ... 2.
            pitch: ratio to the speaker's own.
            melody: how far it moves: 0 stays on its mean, 1 is the speaker's own.

        Raises:
            UnavailableError: the model is not here, or cannot be run.
        """
        session = self.load()
        ids = [0, *(self._vocabulary[symbol] for symbol in symbols), 0]
        row = min(max(len(symbols) - 1, 0), len(style) - 1)
        numbers = (pitch * melody, pitch * (1 - melody), _LOWEST_VOICED, 1.0)
        inputs = {
            "tokens": np.array([ids], np.int64),
            "style": style[row : row + 1].astype(np.float32),
            "speed": np.array([min(max(speed, _SLOWEST), _FASTEST)], np.float32),
            **{
                name: np.array([number], np.float32)
                for name, number in zip(_INPUTS, numbers, strict=True)
            },
        }
        try:
            samples, units = session.run(["audio", _DURATIONS], inputs)
        except Exception as error:
            raise UnavailableError("The voice model Kokoro could not speak this text.") from error
        return Sound(samples.reshape(-1), units.reshape(-1).astype(np.float64) * _UNIT)

    def load(self) -> Any:
        """The session; loads it where that has not happened yet.

        Raises:
            UnavailableError: the model is not here, or cannot be loaded.
        """
        with self._lock:
            if self._session is None:
                self._folder = self._find()
                try:
                    self._session = self._open(self._folder / _FILE)
                except Exception as error:
                    raise UnavailableError(
                        "The voice model Kokoro could not be loaded. "
                        f"`chatanything models verify {MODEL}` looks at its files."
                    ) from error
            return self._session

    def _open(self, path: Path) -> Any:
        from hibari.tts import ASSETS

        onnxruntime: Any = importlib.import_module("onnxruntime")
        # hibari is distilled from Kokoro, and their letters have the same numbers
        text = (Path(ASSETS) / "vocab.json").read_text(encoding="utf-8")
        self._vocabulary = {symbol: int(number) for symbol, number in json.loads(text).items()}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = False
        there = onnxruntime.get_available_providers()
        providers = [name for name in _PROVIDERS if name in there]
        return onnxruntime.InferenceSession(_changed(path.read_bytes()), options, providers)


def _changed(model: bytes) -> bytes:
    """With durations as an output, and inputs that shape the melody.

    melody = keep * plan + flatten * (mean of the voiced plan) where it is voiced
    """
    return b"".join(
        [
            renamed_result(model, _MELODY, _PLANNED),
            output(_DURATIONS),
            *(scalar_input(name) for name in _INPUTS),
            node("Greater", [_PLANNED, _LOWEST], "melody/is_voiced"),
            node("Cast", ["melody/is_voiced"], "melody/voiced", to=1),
            node("Mul", [_PLANNED, "melody/voiced"], "melody/heard"),
            node("ReduceSum", ["melody/heard"], "melody/total"),
            node("ReduceSum", ["melody/voiced"], "melody/frames"),
            node("Max", ["melody/frames", _ONE], "melody/count"),
            node("Div", ["melody/total", "melody/count"], "melody/mean"),
            node("Mul", ["melody/mean", _FLATTEN], "melody/level"),
            node("Mul", ["melody/voiced", "melody/level"], "melody/flat"),
            node("Mul", [_PLANNED, _KEEP], "melody/kept"),
            node("Add", ["melody/kept", "melody/flat"], _MELODY),
        ]
    )
