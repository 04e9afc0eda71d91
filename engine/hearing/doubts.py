"""What a recognizer made up: models of whisper's kind write sentences into noise and silence."""

from __future__ import annotations

import math
import re
from typing import Final

_UNSURE: Final = -1.0
"""Mean log probability of the words: below it the model guessed."""
_DOUBTFUL: Final = -0.6
_NO_SPEECH: Final = 0.6
_REPETITIVE: Final = 5.0
"""How far the text can be compressed: beyond it the model is caught in a loop. People who say a
sentence four times over stay below."""
_WORD: Final = re.compile(r"\w")


def believable(text: str, *, no_speech: float, log_probability: float, compression: float) -> bool:
    """Whether a segment is likely to have been said.

    Args:
        text: of the segment.
        no_speech: probability that nobody speaks, as the model sees it.
        log_probability: mean of its tokens.
        compression: length of the text over its compressed length.
    """
    if not _WORD.search(text) or not math.isfinite(no_speech + log_probability + compression):
        return False
    if compression > _REPETITIVE or log_probability < _UNSURE - 0.5:
        return False
    return not (no_speech > _NO_SPEECH and log_probability < _DOUBTFUL)
