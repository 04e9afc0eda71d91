"""Any OpenAI-compatible `/audio/transcriptions` endpoint, through the official client."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from engine.hearing.base import HeardWord, NothingHeardError, Transcript
from engine.hearing.doubts import believable
from engine.hearing.languages import tag_of, whisper_tag
from engine.hearing.recording import SAMPLE_RATE, Sound, read_recording
from engine.hearing.settings import HearingSettings
from engine.llm.failures import EndpointError, explain, fault
from personas.errors import UnavailableError
from personas.languages import language_of
from personas.text import clean

if TYPE_CHECKING:
    from openai import OpenAI

OPENAI_URL = "https://api.openai.com/v1"
DEFAULT_MODEL = "whisper-1"

_LONGEST_ANSWER = 4_000_000
"""Bytes: words with their times of hours of speech."""


class OpenAIRecognizer:
    """A `SpeechRecognizer` behind an endpoint.

    What is sent is the sound alone, as 16 kHz WAV: every endpoint reads it, and neither pictures
    nor the file's metadata leave this machine.

    Args:
        settings: model, limits, timeout, retries, language.
        base_url: of the endpoint, usually ending in /v1.
        api_key: its key; any text where none is needed.
    """

    def __init__(self, settings: HearingSettings, *, base_url: str, api_key: str) -> None:
        self._settings = settings
        self._base_url = base_url.rstrip("/")
        self._key = api_key
        self._model = settings.model or DEFAULT_MODEL
        host = urlsplit(self._base_url).hostname or self._base_url
        self._place = f"the endpoint for hearing at {host}"
        self._opening = threading.Lock()
        self._client: OpenAI | None = None
        self._detailed = True

    @property
    def name(self) -> str:
        """The model's name at the endpoint."""
        return self._model

    @property
    def online(self) -> bool:
        """Recordings are sent away."""
        return True

    def warm_up(self) -> None:
        """Imports the client, which takes longer than anything else here."""
        self._open()

    def transcribe(self, data: bytes, language: str | None = None) -> Transcript:
        """Writes down what is said; the endpoint decides what `language` is worth.

        Raises:
            InvalidInputError: too large, too long, damaged, without sound.
            NothingHeardError: nobody speaks.
            UnavailableError: the endpoint does not answer, or not with a transcript.
        """
        settings = self._settings
        sound = read_recording(data, max_seconds=settings.max_seconds, max_bytes=settings.max_bytes)
        # A persona's language is only what to expect: endpoints take theirs as a command.
        answer = self._send(sound, whisper_tag(settings.language))
        return self._read(answer, len(sound) / SAMPLE_RATE, settings.language or language or "")

    def _send(self, sound: Sound, language: str) -> dict[str, Any]:
        """The endpoint's answer: with words and segments where it has them, else the text alone."""
        import openai

        request: dict[str, Any] = {
            "model": self._model,
            "file": ("recording.wav", _wav(sound), "audio/wav"),
        }
        if language:
            request["language"] = language
        client = self._open()
        while True:
            detailed = self._detailed
            form: dict[str, Any] = {"response_format": "json"}
            if detailed:
                form = {
                    "response_format": "verbose_json",
                    "timestamp_granularities": ["word", "segment"],
                }
            try:
                return self._body(client, {**request, **form})
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                if not detailed:
                    raise self._explain(error) from fault(error, self._key)
                self._detailed = False
            except openai.APIStatusError as error:
                if error.status_code == 413:
                    raise UnavailableError(
                        "This recording is too large for the endpoint that listens to it. "
                        "Send a shorter one."
                    ) from fault(error, self._key)
                raise self._explain(error) from fault(error, self._key)
            except UnavailableError:
                raise
            except Exception as error:
                raise self._explain(error) from fault(error, self._key)

    def _body(self, client: OpenAI, request: dict[str, Any]) -> dict[str, Any]:
        """One request; its answer is read no further than any transcript is long."""
        until = time.monotonic() + self._settings.timeout
        body = bytearray()
        create = client.audio.transcriptions.with_streaming_response.create
        with create(**request) as response:
            for piece in response.iter_bytes():
                body += piece
                if len(body) > _LONGEST_ANSWER or time.monotonic() > until:
                    raise self._nonsense("its answer has no end")
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise self._nonsense("its answer is no JSON") from error
        if not isinstance(answer, dict) or not isinstance(answer.get("text"), str):
            raise self._nonsense("its answer holds no text")
        return answer

    def _read(self, answer: dict[str, Any], seconds: float, expected: str) -> Transcript:
        segments = [part for part in _list(answer, "segments") if isinstance(part.get("text"), str)]
        text = clean(answer["text"])
        doubted = [part for part in segments if not _believed(part)]
        if doubted:
            kept = [part for part in segments if part not in doubted]
            text = clean(" ".join(part["text"].strip() for part in kept))
        if not any(character.isalnum() for character in text):
            raise NothingHeardError("I cannot make out a word in this recording.")
        language = tag_of(answer.get("language")) or language_of(text, expected)
        return Transcript(text, language, () if doubted else _words(answer, seconds), seconds)

    def _open(self) -> OpenAI:
        with self._opening:
            if self._client is None:
                import openai

                self._client = openai.OpenAI(
                    base_url=self._base_url,
                    api_key=self._key or "none",
                    timeout=self._settings.timeout,
                    max_retries=self._settings.retries,
                )
            return self._client

    def _nonsense(self, reason: str) -> UnavailableError:
        error = UnavailableError(
            f"{self._place[:1].upper()}{self._place[1:]} does not answer with a transcript. Check "
            "base_url and model in the section hearing."
        )
        error.__cause__ = EndpointError(reason)
        return error

    def _explain(self, error: BaseException) -> UnavailableError:
        return explain(
            error,
            place=self._place,
            model=self._model,
            key=self._key,
            remedy='Check base_url in the section hearing and the network, or set backend = "off".',
        )


def _wav(sound: Sound) -> bytes:
    import io
    import wave

    from engine.speech.wav import pcm16

    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm16(sound))
    return buffer.getvalue()


def _list(answer: dict[str, Any], key: str) -> Iterable[dict[str, Any]]:
    found = answer.get(key)
    return [part for part in found if isinstance(part, dict)] if isinstance(found, list) else []


def _number(value: Any, otherwise: float) -> float:
    usable = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if usable and math.isfinite(value) else otherwise


def _believed(segment: dict[str, Any]) -> bool:
    """Endpoints that give no figures for a segment are believed."""
    return believable(
        segment["text"],
        no_speech=_number(segment.get("no_speech_prob"), 0.0),
        log_probability=_number(segment.get("avg_logprob"), 0.0),
        compression=_number(segment.get("compression_ratio"), 1.0),
    )


def _words(answer: dict[str, Any], seconds: float) -> tuple[HeardWord, ...]:
    """The timed words; none where their times make no sense."""
    words: list[HeardWord] = []
    at = 0.0
    for part in _list(answer, "words"):
        text = part.get("word")
        start, end = _number(part.get("start"), -1.0), _number(part.get("end"), -1.0)
        if not isinstance(text, str) or not at - 0.5 <= start <= end <= seconds + 1.0:
            return ()
        words.append(HeardWord(clean(text), start, end))
        at = start
    return tuple(words)
