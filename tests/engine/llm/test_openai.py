"""Any OpenAI-compatible endpoint: well-behaved, peculiar, or broken."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback

import pytest
from pydantic import BaseModel, Field

from engine.llm.base import Message, RefusedError, Sampling, UnusableAnswerError
from engine.llm.failures import ContextOverflowError
from engine.llm.openai import OpenAIModel
from personas.errors import UnavailableError
from tests.engine.llm.endpoint import (
    Answer,
    Endpoint,
    chunk,
    fails,
    raw,
    says,
    serving,
    sleeps,
    streams,
)

KEY = "sk-very-secret-0123456789"
HELLO = [Message("system", "Be kind."), Message("user", "Hello")]


class Pet(BaseModel):
    name: str = Field(min_length=2)
    legs: int


GOOD = json.dumps({"name": "Rex", "legs": 4})


def model(endpoint: Endpoint, **options: object) -> OpenAIModel:
    settings: dict[str, object] = {"model": "first", "retries": 0, "timeout": 30.0, **options}
    return OpenAIModel(base_url=endpoint.url, api_key=KEY, **settings)  # type: ignore[arg-type]


async def streamed(endpoint: Endpoint, **options: object) -> str:
    opened = model(endpoint, **options)
    try:
        return "".join([piece async for piece in opened.stream(HELLO, Sampling(max_tokens=9))])
    finally:
        await opened.aclose()


async def parsed(endpoint: Endpoint, **options: object) -> Pet:
    opened = model(endpoint, **options)
    try:
        return await opened.parse(HELLO, Pet)
    finally:
        await opened.aclose()


async def test_an_answer_comes_in_pieces_and_is_counted() -> None:
    async with serving(says("Good evening, stranger.")) as endpoint:
        opened = model(endpoint)
        sampling = Sampling(temperature=0.5, max_tokens=9, seed=3, stop=("\n",))
        pieces = [piece async for piece in opened.stream(HELLO, sampling)]
        await opened.aclose()
    assert len(pieces) > 2 and "".join(pieces) == "Good evening, stranger."
    assert (opened.usage.prompt_tokens, opened.usage.completion_tokens) == (11, 7)
    (asked,) = endpoint.asked
    assert asked["messages"][0] == {"role": "system", "content": "Be kind."}
    assert (asked["temperature"], asked["seed"], asked["stop"]) == (0.5, 3, ["\n"])
    assert endpoint.headers[0]["Authorization"] == f"Bearer {KEY}"


async def test_a_structured_answer_is_asked_for_by_schema() -> None:
    async with serving(says(GOOD)) as endpoint:
        assert await parsed(endpoint) == Pet(name="Rex", legs=4)
    form = endpoint.asked[0]["response_format"]
    assert form["type"] == "json_schema"
    assert form["json_schema"]["schema"]["properties"]["name"]["minLength"] == 2


@pytest.mark.parametrize(
    "text",
    [
        f"Here you are:\n```json\n{GOOD}\n```\nAnything else?",
        f"<think>{{perhaps}} a dog</think>{GOOD}",
        "{'name': 'Rex', legs: 4,}",
        '{"name": "Rex", "legs": "4", "colour": "brown"}',
        '{"name": "Rex", "legs": 4',
    ],
)
async def test_an_endpoint_that_ignores_the_schema_is_understood(text: str) -> None:
    async with serving(says(text)) as endpoint:
        assert await parsed(endpoint) == Pet(name="Rex", legs=4)
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        fails(400, "response_format json_schema is not supported"),
        fails(422, "Extra inputs are not permitted: response_format"),
        fails(500, "Internal error"),
    ],
)
async def test_an_endpoint_that_refuses_the_schema_gets_it_in_words(refusal: Answer) -> None:
    async with serving(refusal, refusal, says(GOOD)) as endpoint:
        opened = model(endpoint)
        assert await opened.parse(HELLO, Pet) == Pet(name="Rex", legs=4)
        assert await opened.parse(HELLO, Pet) == Pet(name="Rex", legs=4)
        await opened.aclose()
    assert endpoint.asked[1]["response_format"] == {"type": "json_object"}
    assert "JSON schema" in endpoint.asked[1]["messages"][0]["content"]
    assert "response_format" not in endpoint.asked[2]
    assert len(endpoint.asked) == 4, "what was refused once is not tried again"


async def test_an_outage_takes_no_form_away() -> None:
    async with serving(*[fails(500)] * 3, says(GOOD)) as endpoint:
        opened = model(endpoint)
        with pytest.raises(UnavailableError, match="fault of its own"):
            await opened.parse(HELLO, Pet)
        assert await opened.parse(HELLO, Pet) == Pet(name="Rex", legs=4)
        await opened.aclose()
    forms = [asked.get("response_format", {}).get("type") for asked in endpoint.asked]
    assert forms == ["json_schema", "json_object", None, "json_schema"]


async def test_a_faulty_answer_is_shown_to_the_model_once() -> None:
    async with serving(says('{"name": "R"}'), says(GOOD)) as endpoint:
        assert await parsed(endpoint) == Pet(name="Rex", legs=4)
    *_, answer, complaint = endpoint.asked[1]["messages"]
    assert answer == {"role": "assistant", "content": '{"name": "R"}'}
    assert "legs" in complaint["content"]


async def test_a_model_that_does_not_learn_is_given_up() -> None:
    async with serving(says("I prefer prose.")) as endpoint:
        with pytest.raises(UnusableAnswerError, match="first"):
            await parsed(endpoint)
    assert len(endpoint.asked) == 2


@pytest.mark.parametrize(
    ("message", "dropped", "kept"),
    [
        ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'.", "max_tokens", 9),
        ("Unsupported value: 'temperature' does not support 0.5.", "temperature", None),
        ("Unknown field: stream_options", "stream_options", None),
        ("Unrecognized request argument supplied: repeat_penalty", "repeat_penalty", None),
    ],
)
async def test_a_parameter_that_is_not_taken_is_left_out(
    message: str, dropped: str, kept: int | None
) -> None:
    async with serving(fails(400, message), says("Fine.")) as endpoint:
        opened = model(endpoint, extra={"repeat_penalty": 1.1})
        sampling = Sampling(temperature=0.5, max_tokens=9)
        for _ in range(2):
            assert "".join([p async for p in opened.stream(HELLO, sampling)]) == "Fine."
        await opened.aclose()
    assert len(endpoint.asked) == 3
    assert dropped in endpoint.asked[0] and dropped not in endpoint.asked[1]
    assert endpoint.asked[1].get("max_completion_tokens") == kept


async def test_without_a_model_the_first_offered_is_taken() -> None:
    async with serving(says("Hi.")) as endpoint:
        assert await streamed(endpoint, model="") == "Hi."
        assert endpoint.asked[0]["model"] == "first"
        endpoint.models = []
        with pytest.raises(UnavailableError, match="Set model"):
            await streamed(endpoint, model="")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (fails(401, f"Incorrect API key provided: {KEY}"), "does not accept the key"),
        (fails(403, "Forbidden"), "does not accept the key"),
        (fails(402, "Insufficient balance"), "payment"),
        (fails(404, "The model `x` does not exist"), "no model called 'first'"),
        (fails(429, "Rate limit reached"), "too many requests"),
        (fails(429, "You exceeded your current quota"), "credit"),
        (fails(500, "oops"), "fault of its own"),
        (fails(503, "overloaded"), "fault of its own"),
        (fails(418, f"teapot {KEY}"), "cannot do this"),
        (raw("<html>Log in</html>"), "No answer|cannot do this"),
        (streams(), "No answer"),
        (streams(done=False), "No answer"),
        (streams({"error": {"message": "it broke", "code": 500}}), "cannot do this|fault"),
        (streams(chunk("Half an"), done=False, cut=True), "broke off"),
        (sleeps(1.0), "too long"),
    ],
)
async def test_every_fault_is_a_sentence_without_the_key(answer: Answer, sentence: str) -> None:
    async with serving(answer) as endpoint:
        with pytest.raises(UnavailableError, match=sentence) as caught:
            await streamed(endpoint, timeout=0.3)
    assert str(caught.value).endswith((".", ")", "!")) or "cannot do this" in str(caught.value)
    assert KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 4096 tokens, reduce max_tokens",
        "request (9031 tokens) exceeds the available context size (4096 tokens)",
    ],
)
async def test_too_long_a_conversation_is_told_apart(message: str) -> None:
    async with serving(fails(400, message)) as endpoint:
        with pytest.raises(ContextOverflowError):
            await streamed(endpoint)
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        fails(400, "The response was filtered", code="content_filter"),
        streams(chunk("I", None), chunk("", "content_filter")),
    ],
)
async def test_a_filter_is_told_apart(answer: Answer) -> None:
    async with serving(answer) as endpoint:
        with pytest.raises(RefusedError):
            await streamed(endpoint)


@pytest.mark.parametrize(
    "answer", [says("", finish="content_filter"), says("", refusal="I will not.")]
)
async def test_a_refusal_of_a_structured_answer_is_told_apart(answer: Answer) -> None:
    async with serving(answer) as endpoint:
        with pytest.raises(RefusedError):
            await parsed(endpoint)


async def test_an_empty_answer_is_no_error() -> None:
    async with serving(says("")) as endpoint:
        assert await streamed(endpoint) == ""


async def test_nobody_there_is_a_sentence() -> None:
    async with serving(says("")) as endpoint:
        pass
    with pytest.raises(UnavailableError, match="cannot be reached"):
        await streamed(endpoint)


async def test_a_passing_fault_is_tried_again() -> None:
    async with serving(fails(503), says("Back.")) as endpoint:
        assert await streamed(endpoint, retries=1) == "Back."


async def test_closing_the_stream_ends_the_request() -> None:
    gone = asyncio.Event()

    async def endless(request: object, body: object) -> object:
        from aiohttp import web

        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)  # type: ignore[arg-type]
        try:
            while True:
                await response.write(f"data: {json.dumps(chunk('on '))}\n\n".encode())
                await asyncio.sleep(0.01)
        except (ConnectionError, asyncio.CancelledError):
            gone.set()
            raise

    async with serving(endless) as endpoint:  # type: ignore[arg-type]
        opened = model(endpoint)
        stream = opened.stream(HELLO)
        assert await anext(stream) == "on "
        await stream.aclose()
        await asyncio.wait_for(gone.wait(), 5)
        await opened.aclose()


async def test_the_key_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with serving(fails(401, f"bad key {KEY}"), says("Hi.")) as endpoint:
            with pytest.raises(UnavailableError):
                await streamed(endpoint)
            await streamed(endpoint)
    assert KEY not in caplog.text


async def test_lone_surrogates_do_not_break_a_request() -> None:
    async with serving(says("Hi.")) as endpoint:
        opened = model(endpoint)
        text = "".join([p async for p in opened.stream([Message("user", "a\ud800b")])])
        await opened.aclose()
    assert text == "Hi." and endpoint.asked[0]["messages"][0]["content"] == "a?b"


async def test_after_closing_it_says_so() -> None:
    async with serving(says("Hi.")) as endpoint:
        opened = model(endpoint)
        await opened.aclose()
        await opened.aclose()
        with pytest.raises(UnavailableError, match="closed"):
            await opened.parse(HELLO, Pet)


async def test_tokens_are_estimated_on_the_high_side() -> None:
    opened = OpenAIModel(api_key="x")
    assert await opened.count_tokens("Hello there, world") >= 4
    assert await opened.count_tokens("悲しいロボット") >= 7
    assert opened.name == "gpt-4o-mini"
