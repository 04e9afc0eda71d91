"""Speech by any endpoint with OpenAI's `/audio/speech`, through the official client."""

from __future__ import annotations

import os
import re
import threading
import time
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from engine.llm.failures import explain, fault
from engine.speech.acoustics import SAMPLE_RATE
from engine.speech.base import Speech, SpeechCapabilities
from engine.speech.decoding import decode
from engine.speech.delivery import Phrase, compose, prepare
from engine.speech.hibari import HibariSynthesizer
from engine.speech.recordings import Recording, check, divided
from engine.speech.rehearsal import Rehearser
from engine.speech.resynthesis import Shaping
from engine.speech.settings import SpeechSettings
from engine.speech.speakers import Speaker, Speakers
from engine.speech.text import SpokenSentence
from personas.errors import UnavailableError
from personas.persona import Voice
from personas.voices import VoiceCatalogue

if TYPE_CHECKING:
    from openai import OpenAI

NAME: Final = "openai"
OPENAI_URL: Final = "https://api.openai.com/v1"
_DEFAULT: Final = "alloy"
_LETTERS_A_SECOND: Final = 22.0
_LONGEST: Final = 3_000
"""Letters that are sent at once; OpenAI takes 4,096."""
_RATES: Final = (0.5, 2.0)
_MOST_BYTES: Final = 64 << 20
_REMEDY: Final = "Check base_url in the section speech.openai and the network."
_WITHOUT_SPEED: Final = re.compile(r"^gpt-")
_WITHOUT_INSTRUCTIONS: Final = re.compile(r"^tts-1")
_INSTRUCTIONS: Final = (
    "Speak like this: {manner}. Keep your own natural pitch and pace; they are changed later."
)
_SOUNDS: Final = ("mp3", "wav", "opus", "flac")


class OpenAISpeechSynthesizer:
    """Speaks with the voices of an endpoint; a preset's `speaker` is the voice's name there.

    The endpoint tells nothing of when it says what: the timings are made from the sound. It
    shapes the pace, where its model can; all else is done to the sound.
    """

    def __init__(
        self,
        settings: SpeechSettings | None = None,
        voices: VoiceCatalogue | None = None,
        rehearser: Rehearser | None = None,
    ) -> None:
        self._settings = settings or SpeechSettings()
        own = self._settings.openai
        self._base_url = own.base_url or os.environ.get("OPENAI_BASE_URL", "") or OPENAI_URL
        self._key = own.api_key.get_secret_value() or os.environ.get("OPENAI_API_KEY", "")
        host = urlsplit(self._base_url).hostname or self._base_url
        self._place = f"the endpoint for voices at {host}"
        self._refused: frozenset[str] = frozenset()
        """Fields, and forms of sound, that the endpoint would not take."""
        self._speakers = Speakers(NAME, _DEFAULT, voices)
        self._rehearser = rehearser or Rehearser(HibariSynthesizer(self._settings, voices))
        self._opening = threading.Lock()
        self._client: OpenAI | None = None

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
        """Loads the client and what times the speech; asks the endpoint nothing.

        Raises:
            UnavailableError: there is neither an address nor a key.
        """
        self._open()
        self._rehearser.warm_up()

    def synthesize(self, text: str, voice: Voice) -> Speech:
        """Says `text`, as a persona wrote it, in `voice`.

        Raises:
            InvalidInputError: there is nothing in the text that can be spoken.
            UnavailableError: the endpoint cannot be reached, refuses, breaks off, or sends what
                is no speech.
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
        spoken = self._spoken(sentences, voice, speaker)
        return compose(spoken, voice, self._settings, speaker.effect, sample_rate=SAMPLE_RATE)

    def _spoken(
        self, sentences: list[SpokenSentence], voice: Voice, speaker: Speaker
    ) -> Iterator[tuple[SpokenSentence, list[Phrase]]]:
        for batch in _batches(sentences):
            rate, recording = self._record(batch, voice, speaker)
            shaping = Shaping(
                pitch=voice.pitch,
                formant=voice.formant,
                rate=voice.rate / rate,
                range=voice.range,
                breath=voice.breath,
                effect=speaker.effect,
            )
            rehearsal = self._rehearser.rehearse(
                batch, speaker.language, gender=speaker.gender, rate=rate
            )
            seed = zlib.crc32(batch[0].spoken.encode())
            yield from divided(recording, batch, rehearsal, shaping, seed)

    def _record(
        self, sentences: list[SpokenSentence], voice: Voice, speaker: Speaker
    ) -> tuple[float, Recording]:
        """What the endpoint says, and at which rate."""
        text = " ".join(sentence.spoken for sentence in sentences)
        # played at the speed of the formant at last, so that the endpoint must speak the other way
        wanted = round(min(max(voice.rate / voice.formant, _RATES[0]), _RATES[1]), 2)
        data, rate = self._fetch(text, speaker, wanted)
        samples = decode(data, SAMPLE_RATE, max_seconds=4 * self._settings.max_seconds + 60)
        recording = Recording(samples, SAMPLE_RATE)
        check(recording, sentences, self._place)
        return rate, recording

    def _fetch(self, text: str, speaker: Speaker, rate: float) -> tuple[bytes, float]:
        """The sound, in a form that the endpoint has, and the rate that it was asked for."""
        import openai

        client = self._open()
        model = self._settings.openai.model
        while True:
            refused = self._refused
            request: dict[str, Any] = {
                "model": model,
                "voice": speaker.name,
                "input": text,
                "response_format": self._sound(refused),
            }
            asked = 1.0
            if rate != 1 and "speed" not in refused and not _WITHOUT_SPEED.match(model):
                request["speed"] = asked = rate
            if (
                speaker.manner
                and "instructions" not in refused
                and not _WITHOUT_INSTRUCTIONS.match(model)
            ):
                request["instructions"] = _INSTRUCTIONS.format(manner=speaker.manner)
            try:
                return self._body(client, request), asked
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                field = _objection(error, request)
                if field is None or field in refused:
                    raise self._explained(error) from fault(error, self._key)
                self._refused = refused | self._refused | {field}
            except UnavailableError:
                raise
            except Exception as error:
                raise self._explained(error) from fault(error, self._key)

    def _sound(self, refused: frozenset[str]) -> str:
        first = self._settings.openai.sound
        forms = [first, *(form for form in _SOUNDS if form != first)]
        return next((form for form in forms if form not in refused), first)

    def _body(self, client: OpenAI, request: dict[str, Any]) -> bytes:
        """One answer, read for no longer and no further than any speech is worth."""
        until = time.monotonic() + self._settings.openai.timeout
        body = bytearray()
        create = client.audio.speech.with_streaming_response.create
        with create(**request) as response:
            for piece in response.iter_bytes():
                body += piece
                if time.monotonic() > until or len(body) > _MOST_BYTES:
                    place = self._place[:1].upper() + self._place[1:]
                    raise UnavailableError(f"{place} took too long to answer. Try again later.")
        return bytes(body)

    def _open(self) -> OpenAI:
        with self._opening:
            if self._client is None:
                if not self._key and self._base_url == OPENAI_URL:
                    raise UnavailableError(
                        "There is neither an api_key nor a base_url in the section speech.openai."
                    )
                import openai

                self._client = openai.OpenAI(
                    base_url=self._base_url,
                    api_key=self._key or "none",
                    timeout=self._settings.openai.timeout,
                    max_retries=self._settings.openai.retries,
                )
            return self._client

    def _explained(self, error: BaseException) -> UnavailableError:
        model = self._settings.openai.model
        return explain(error, place=self._place, model=model, key=self._key, remedy=_REMEDY)


def _batches(sentences: list[SpokenSentence]) -> Iterator[list[SpokenSentence]]:
    """Sentences that are sent together: as many as fit, for their melody goes over the stops."""
    batch: list[SpokenSentence] = []
    letters = 0
    for sentence in sentences:
        if batch and letters + len(sentence.spoken) > _LONGEST:
            yield batch
            batch, letters = [], 0
        batch.append(sentence)
        letters += len(sentence.spoken) + 1
    if batch:
        yield batch


def _objection(error: Exception, request: dict[str, Any]) -> str | None:
    """What to leave out of the next request, where an endpoint says what it does not take."""
    said = f"{error} {getattr(error, 'body', '')}".lower()
    for field in ("instructions", "speed"):
        if field in request and field in said:
            return field
    form = str(request["response_format"])
    if re.search(r"response_format|format|codec", said) and form != _SOUNDS[-1]:
        return form
    return None
