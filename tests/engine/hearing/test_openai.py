"""An OpenAI-compatible endpoint that listens: what it is sent, and what it may do wrong."""

from __future__ import annotations

import io
import logging
import wave
from typing import Any

import pytest

from engine.hearing.base import NothingHeardError
from engine.hearing.openai import OpenAIRecognizer
from engine.hearing.settings import HearingSettings
from personas.errors import InvalidInputError, UnavailableError
from tests.engine.hearing.endpoint import (
    Answer,
    drips,
    fails,
    raw,
    says,
    serving,
    sleeps,
)
from tests.engine.hearing.recordings import noise, recording, silence

KEY = "sk-a-secret-key-of-ours"
VIDEO = recording(noise(1.5), 16_000, "video note")
WORDS = [{"word": "Guten", "start": 0.1, "end": 0.4}, {"word": "Tag", "start": 0.4, "end": 0.8}]


def ears(url: str, **options: Any) -> OpenAIRecognizer:
    settings = HearingSettings(**{"timeout": 5.0, "retries": 1, "max_seconds": 10, **options})
    return OpenAIRecognizer(settings, base_url=url, api_key=KEY)


def test_only_the_sound_is_sent_and_the_answer_is_read() -> None:
    said = says(text=" Guten Tag ", language="german", duration=1.5, words=WORDS, segments=[])
    with serving(said) as endpoint:
        heard = ears(endpoint.url).transcribe(VIDEO, "en")
    assert (heard.text, heard.language) == ("Guten Tag", "de")
    assert [(w.text, w.start, w.end) for w in heard.words] == [
        ("Guten", 0.1, 0.4),
        ("Tag", 0.4, 0.8),
    ]
    assert heard.duration == pytest.approx(1.5, abs=0.2)
    with wave.open(io.BytesIO(endpoint.files[0])) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
    assert endpoint.fields[0]["model"] == "whisper-1"
    assert "language" not in endpoint.fields[0]
    assert endpoint.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_a_language_that_is_set_is_sent() -> None:
    with serving(says(text="Olá")) as endpoint:
        heard = ears(endpoint.url, language="pt-BR", model="mine").transcribe(VIDEO)
    assert endpoint.fields[0]["language"] == "pt"
    assert endpoint.fields[0]["model"] == "mine"
    assert heard.language == "pt-BR"


def test_an_endpoint_that_knows_no_details_is_asked_for_the_text_and_remembered() -> None:
    refusal = fails(400, "response_format 'verbose_json' is not compatible with model")
    with serving(refusal, says(text="Hello you")) as endpoint:
        recognizer = ears(endpoint.url)
        assert recognizer.transcribe(VIDEO).text == "Hello you"
        assert recognizer.transcribe(VIDEO).words == ()
    assert [f["response_format"] for f in endpoint.fields] == ["verbose_json", "json", "json"]


def test_a_request_that_comes_too_often_is_sent_again() -> None:
    with serving(fails(429, **{"Retry-After": "0"}), says(text="Hello")) as endpoint:
        assert ears(endpoint.url).transcribe(VIDEO).text == "Hello"
    assert len(endpoint.files) == 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (fails(401, f"Incorrect API key provided: {KEY}"), "does not accept the key"),
        (fails(404), "has no model called 'whisper-1'"),
        (fails(413), "too large for the endpoint"),
        (fails(429, "You exceeded your current quota"), "credit at"),
        (fails(500), "has a fault of its own"),
        (fails(418), "cannot do this: error 418"),
        (raw(b"<html>log in</html>", "text/html"), "does not answer with a transcript"),
        (raw(b"{"), "does not answer with a transcript"),
        (raw(b"[" * 100_000), "does not answer with a transcript"),
        (raw(b"\xff\xfe"), "does not answer with a transcript"),
        (says(), "does not answer with a transcript"),
        (says(text=None), "does not answer with a transcript"),
        (says(text=["Hello"]), "does not answer with a transcript"),
        (raw(b'{"text": "' + b"a" * 5_000_000 + b'"}'), "does not answer with a transcript"),
    ],
)
def test_what_goes_wrong_is_explained_without_the_key(
    answer: Answer, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "engine")
    with serving(answer) as endpoint, pytest.raises(UnavailableError, match=reason) as caught:
        ears(endpoint.url, retries=0).transcribe(VIDEO)
    for error in (caught.value, caught.value.__cause__):
        assert KEY not in str(error)


def test_one_that_does_not_answer_is_given_up() -> None:
    with serving(sleeps(3)) as endpoint, pytest.raises(UnavailableError, match="took too long"):
        ears(endpoint.url, timeout=0.3, retries=0).transcribe(VIDEO)


def test_one_that_never_ends_is_given_up() -> None:
    with serving(drips(100, 0.05)) as endpoint, pytest.raises(UnavailableError):
        ears(endpoint.url, timeout=0.4, retries=0).transcribe(VIDEO)


def test_one_that_is_not_there_is_named() -> None:
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1 cannot be reached"):
        ears("http://127.0.0.1:9/v1", retries=0).transcribe(VIDEO)


@pytest.mark.parametrize(
    "extra",
    [
        {"words": "none", "segments": 3, "language": 7},
        {"words": [None, {"word": 1}], "segments": [None, {"text": 5}]},
        {"words": [{"word": "a", "start": "x", "end": 1}]},
        {"words": [{"word": "a", "start": 5, "end": 1}]},
        {"words": [{"word": "a", "start": 0, "end": 10**9}]},
        {"words": [{"word": "a", "start": True, "end": 1}], "language": "../../etc"},
        {"segments": [{"text": "Hi", "avg_logprob": "low", "no_speech_prob": []}]},
    ],
)
def test_details_that_make_no_sense_are_left_out(extra: dict[str, Any]) -> None:
    with serving(says(text="Hi \x1b[31m<b>\u202e", **extra)) as endpoint:
        heard = ears(endpoint.url).transcribe(VIDEO)
    assert heard.text == "Hi [31m<b>"
    assert heard.words == () and heard.language == "en"


def test_what_it_made_up_is_left_out() -> None:
    segments = [
        {"text": " Hello.", "avg_logprob": -0.2, "no_speech_prob": 0.1, "compression_ratio": 1},
        {"text": " Thanks for watching!", "avg_logprob": -0.9, "no_speech_prob": 0.9},
    ]
    with serving(says(text="Hello. Thanks for watching!", segments=segments)) as endpoint:
        assert ears(endpoint.url).transcribe(VIDEO).text == "Hello."
    made_up = says(text="Thanks for watching!", segments=segments[1:])
    with serving(made_up) as endpoint, pytest.raises(NothingHeardError):
        ears(endpoint.url).transcribe(VIDEO)


def test_nothing_is_sent_that_cannot_be_listened_to() -> None:
    with serving(says(text="Hello")) as endpoint:
        for data in (b"", b"no recording", recording(noise(30), 16_000)):
            with pytest.raises(InvalidInputError):
                ears(endpoint.url).transcribe(data)
        with pytest.raises(NothingHeardError):
            ears(endpoint.url).transcribe(recording(silence(2), 16_000))
    assert endpoint.files == []
