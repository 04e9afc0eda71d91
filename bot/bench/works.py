"""Cheap works for the benches: what they make is real, and how long they take is set.

They stand where models of a GPU would, so that what is measured is the program around them.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from bot.app import App
from engine.llm.base import DEFAULT_SAMPLING, Message, Sampling, Schema, UnusableAnswerError, Usage
from engine.portrait.base import Image, PortraitCapabilities, PortraitDraft, Progress
from engine.speech.base import Speech, SpeechCapabilities
from engine.talkinghead.base import HeadCapabilities
from personas.persona import PortraitBrief, Voice

if TYPE_CHECKING:
    from bot.settings import Settings

_WORD: Final = 6
"""Characters of an answer that are written at once."""
_PAUSE: Final = 0.02
"""Seconds between two pieces of an answer."""
_SOUND: Final = 0.6
"""Seconds of each speech."""
_SIZE: Final = 64
_FPS: Final = 10


def answer_to(question: str) -> str:
    """What is answered to a message: told by the message alone."""
    digest = hashlib.sha256(question.strip().encode()).hexdigest()[:12]
    return f"You said: {question.strip()}. I say: {digest}, and not one word more than that."


class EchoModel:
    """A LanguageModel that answers with `answer_to`, in pieces."""

    name = "bench-echo"
    context_tokens = 4096
    invents = False

    def __init__(self) -> None:
        self.usage = Usage()

    async def read_ahead(self, messages: Sequence[Message] = ()) -> None:
        """There is nothing to load."""

    async def stream(
        self,
        messages: Sequence[Message],
        sampling: Sampling = DEFAULT_SAMPLING,
        *,
        conversation: str = "",
    ) -> AsyncGenerator[str]:
        """The answer, piece by piece."""
        said = next((one.content for one in reversed(messages) if one.role == "user"), "")
        text = answer_to(question_in(said))
        self.usage.requests += 1
        for start in range(0, len(text), _WORD):
            await asyncio.sleep(_PAUSE)
            yield text[start : start + _WORD]

    async def parse(
        self,
        messages: Sequence[Message],
        schema: type[Schema],
        sampling: Sampling = DEFAULT_SAMPLING,
    ) -> Schema:
        """It has no form; personalities are improvised."""
        raise UnusableAnswerError("This model only answers.")

    async def count_tokens(self, text: str) -> int:
        """About four characters each."""
        return (len(text) + 3) // 4

    async def forget(self, conversation: str) -> None:
        """There is nothing to forget."""

    async def aclose(self) -> None:
        """There is nothing to end."""


def question_in(said: str) -> str:
    """The bench's question in what a model is shown."""
    start = said.rfind("question ")
    return said[start:].split("\n")[0].strip() if start >= 0 else said


class EggPortraits:
    """A PortraitGenerator: a face on an egg, at once."""

    capabilities = PortraitCapabilities(styles=(), guided=False, size=_SIZE, needs_gpu=False)

    def generate(
        self,
        brief: PortraitBrief,
        seed: int,
        *,
        photo: Image | None = None,
        progress: Progress | None = None,
    ) -> PortraitDraft:
        """Draws it."""
        from engine.talkinghead.bench import sample_portrait

        return sample_portrait(_SIZE)


class SyllableVoice:
    """A SpeechSynthesizer: syllables of a made-up voice.

    Args:
        seconds: how long it takes to say something.
    """

    name = "bench"
    capabilities = SpeechCapabilities(("mul",), True, False, False)

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def warm_up(self) -> None:
        """There is nothing to load."""

    def synthesize(self, text: str, voice: Voice) -> Speech:
        """Says it."""
        from engine.talkinghead.bench import sample_speech

        time.sleep(self._seconds)
        return sample_speech(_SOUND)


class SlowHead:
    """A TalkingHead that shows the portrait, frame by frame.

    Args:
        seconds: how long a clip takes.
    """

    name = "bench-slow"
    capabilities = HeadCapabilities(
        fps=_FPS, size=_SIZE, needs_layers=False, needs_landmarks=False, needs_gpu=False
    )

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def prepare(self, portrait: PortraitDraft) -> Image:
        """There is nothing to prepare."""
        return portrait.image

    def frames(self, prepared: Image, speech: Speech, seed: int = 0) -> Iterator[Image]:
        """As many as the speech is long."""
        count = max(1, round(speech.duration * _FPS))
        for _ in range(count):
            time.sleep(self._seconds / count)
            yield prepared

    def idle(self, prepared: Image, seconds: float, seed: int = 0) -> Iterator[Image]:
        """The portrait, as long as is wanted."""
        for _ in range(max(1, round(seconds * _FPS))):
            yield prepared


class BenchApp(App):
    """The program as ever, with cheap works in place of models.

    Args:
        settings: of the program.
        seconds: how long a clip takes; its speech takes a quarter of that.
    """

    def __init__(self, settings: Settings, seconds: float) -> None:
        super().__init__(settings)
        self._seconds = seconds

    @cached_property
    def portraits(self) -> Any:
        """Who draws."""
        return EggPortraits()

    @cached_property
    def synthesizer(self) -> Any:
        """Who speaks."""
        return SyllableVoice(self._seconds / 4)

    @cached_property
    def head(self) -> Any:
        """Who moves the face."""
        return SlowHead(self._seconds)

    async def model(self) -> Any:
        """Who writes."""
        return EchoModel()
