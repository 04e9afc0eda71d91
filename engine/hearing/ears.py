"""faster-whisper's model, with a memory for what it has just looked at.

Looking at half a minute of sound (the encoder) is nearly all of the work, and it is needed twice:
to tell the language and to write the words. Importing this module imports faster-whisper.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from numpy.typing import NDArray

from engine.hearing.recording import Sound


class Ears(WhisperModel):
    """A whisper model in a folder, in 8-bit integers on the CPU. One thread at a time.

    Args:
        folder: model.bin, config.json, tokenizer.json and vocabulary.txt.
        threads: processor threads.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        super().__init__(
            str(folder),
            device="cpu",
            compute_type="int8",
            cpu_threads=threads,
            num_workers=1,
            local_files_only=True,
        )
        self._seen: tuple[NDArray[np.float32], Any] | None = None

    def encode(self, features: NDArray[np.float32]) -> Any:
        """What the encoder makes of a window of features; the last one is remembered."""
        if self._seen is not None and np.array_equal(self._seen[0], features):
            return self._seen[1]
        encoded = super().encode(features)
        self._seen = (features, encoded)
        return encoded

    def language_of(self, spoken: Sound) -> tuple[str, float]:
        """The language of the first half minute, and how likely it is, 0 to 1."""
        extract = self.feature_extractor
        features = extract(spoken[: extract.n_samples])
        # the same window that transcribing begins with, so that it is looked at once
        frames = min(extract.nb_max_frames, features.shape[-1] - 1)
        if len(spoken) > extract.n_samples:
            frames = extract.nb_max_frames
        encoded = self.encode(pad_or_trim(features[..., :frames]))
        token, likely = self.model.detect_language(encoded)[0][0]
        return token.strip("<|>"), float(likely)
