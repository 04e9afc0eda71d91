"""Speech by the voices of Microsoft Edge: natural, in eighty languages, online."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from engine.speech.acoustics import SAMPLE_RATE
from engine.speech.base import Speech, SpeechCapabilities
from engine.speech.decoding import decode
from engine.speech.delivery import compose, prepare
from engine.speech.hibari import HibariSynthesizer
from engine.speech.recordings import Boundary, Recording, check, divided
from engine.speech.rehearsal import Rehearser
from engine.speech.resynthesis import Shaping
from engine.speech.settings import SpeechSettings
from engine.speech.speakers import Speakers
from engine.speech.text import SpokenSentence
from personas.errors import UnavailableError
from personas.persona import Voice
from personas.voices import VoiceCatalogue

_Result = TypeVar("_Result")

NAME: Final = "edge"
_DEFAULT: Final = "en-US-EmmaMultilingualNeural"
_TICKS: Final = 10_000_000
"""Units of the service's times in a second."""
_LETTERS_A_SECOND: Final = 22.0
_BYTES_A_SECOND: Final = 6_000
_PITCHES: Final = (0.6, 1.5)
_RATES: Final = (0.5, 2.0)
"""Ratios that the service takes; the rest is done to the sound."""
_PLACE: Final = "Microsoft Edge's voice service"
_NOT_INSTALLED: Final = "The voices of Edge are not installed: pip install 'chatanything[edge]'."


class EdgeSynthesizer:
    """Speaks with the voices that Edge reads pages with; a preset's `speaker` is its short name.

    The service says when each word begins; the phonemes inside are found in the sound. It shapes
    pitch and pace, all else is done to the sound.
    """

    def __init__(
        self,
        settings: SpeechSettings | None = None,
        voices: VoiceCatalogue | None = None,
        rehearser: Rehearser | None = None,
    ) -> None:
        self._settings = settings or SpeechSettings()
        self._speakers = Speakers(NAME, _DEFAULT, voices)
        self._rehearser = rehearser or Rehearser(HibariSynthesizer(self._settings, voices))

    @property
    def name(self) -> str:
        """The engine, as `Voice.engine` names it."""
        return NAME

    @property
    def capabilities(self) -> SpeechCapabilities:
        """What it can do."""
        return SpeechCapabilities(
            languages=self._speakers.languages,
            phoneme_timing=True,
            word_timing=True,
            online=True,
        )

    def warm_up(self) -> None:
        """Loads what times the speech; asks the service nothing.

        Raises:
            UnavailableError: the extra is not installed.
        """
        _library()
        self._rehearser.warm_up()

    def synthesize(self, text: str, voice: Voice) -> Speech:
        """Says `text`, as a persona wrote it, in `voice`.

        Raises:
            InvalidInputError: there is nothing in the text that can be spoken.
            UnavailableError: the service cannot be reached, refuses, breaks off, or sends what
                is no speech; or the extra is not installed.
        """
        speaker = self._speakers.of(voice, text)
        sentences = prepare(
            text,
            voice,
            self._settings,
            speaker.effect,
            letters_a_second=_LETTERS_A_SECOND,
            language=speaker.language,
        )
        # played at the speed of the formant at last, so that the service must speak the other way
        pitch = min(max(voice.pitch / voice.formant, _PITCHES[0]), _PITCHES[1])
        rate = min(max(voice.rate / voice.formant, _RATES[0]), _RATES[1])
        request = {
            "voice": speaker.name,
            "pitch": f"{round((pitch - 1) * speaker.hertz):+d}Hz",
            "rate": f"{round((rate - 1) * 100):+d}%",
        }
        recording = self._record(sentences, request)
        shaping = Shaping(
            pitch=voice.pitch / pitch,
            formant=voice.formant,
            rate=voice.rate / rate,
            range=voice.range,
            breath=voice.breath,
            effect=speaker.effect,
        )
        rehearsal = self._rehearser.rehearse(
            sentences, speaker.language, gender=speaker.gender, rate=rate
        )
        seed = zlib.crc32(text.encode("utf-8", "replace"))
        spoken = divided(recording, sentences, rehearsal, shaping, seed)
        return compose(spoken, voice, self._settings, speaker.effect, sample_rate=SAMPLE_RATE)

    def _record(self, sentences: list[SpokenSentence], request: dict[str, str]) -> Recording:
        text = "\n".join(sentence.spoken for sentence in sentences)
        # many times what anybody says in that time
        most = (4 * self._settings.max_seconds + 60) * _BYTES_A_SECOND
        data, boundaries = _run(self._fetch(text, request, int(most)))
        samples = decode(data, SAMPLE_RATE, max_seconds=most / _BYTES_A_SECOND)
        recording = Recording(samples, SAMPLE_RATE, boundaries)
        check(recording, sentences, _PLACE)
        return recording

    async def _fetch(
        self, text: str, request: dict[str, str], most: int
    ) -> tuple[bytes, list[Boundary]]:
        """The MP3 file, and when each word is said in it."""
        edge_tts = _library()
        settings = self._settings.edge
        sound = bytearray()
        boundaries: list[Boundary] = []
        try:
            async with asyncio.timeout(settings.timeout):
                speech = edge_tts.Communicate(
                    text, boundary="WordBoundary", proxy=settings.proxy or None, **request
                )
                async for part in speech.stream():
                    if part["type"] == "audio":
                        sound += part["data"]
                    elif part["type"] == "WordBoundary":
                        start = part["offset"] / _TICKS
                        end = start + part["duration"] / _TICKS
                        boundaries.append(Boundary(str(part["text"]), start, end))
                    if len(sound) > most:
                        raise UnavailableError(f"{_PLACE} sends more than was asked for.")
        except UnavailableError:
            raise
        except Exception as error:
            # the service changes without notice, and then the library stumbles in many ways
            raise _explained(error) from error
        return bytes(sound), boundaries


def _library() -> Any:
    try:
        import edge_tts
    except ImportError as error:
        raise UnavailableError(_NOT_INSTALLED) from error
    return edge_tts


def _explained(error: Exception) -> UnavailableError:
    import aiohttp

    edge_tts = _library()
    if isinstance(error, TimeoutError):
        return UnavailableError(f"{_PLACE} took too long to answer. Try again later.")
    if isinstance(error, aiohttp.ClientResponseError):
        return UnavailableError(
            f"{_PLACE} refuses to speak ({error.status}). It changes now and then: update with "
            "pip install --upgrade edge-tts."
        )
    if isinstance(error, edge_tts.exceptions.NoAudioReceived):
        return UnavailableError(f"{_PLACE} sent no sound. Try again later, or another voice.")
    if isinstance(error, edge_tts.exceptions.WebSocketError):
        return UnavailableError(f"{_PLACE} broke off in the middle of a speech. Try again.")
    if isinstance(error, aiohttp.ClientError | OSError):
        return UnavailableError(f"{_PLACE} cannot be reached. Is this machine online?")
    return UnavailableError(
        f"{_PLACE} gave an answer that cannot be understood. Try again later, or update with "
        "pip install --upgrade edge-tts."
    )


def _run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Runs to the end here, or in a thread beside where an event loop runs in this one."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(asyncio.run, work).result()
