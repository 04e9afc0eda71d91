"""What the language model costs is counted, also where an answer is broken off."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.llm.base import Message, Sampling
from engine.llm.llamacpp import LlamaOptions
from engine.llm.local import LocalModel
from engine.llm.openai import OpenAIModel
from engine.observing import Observer
from personas.errors import UnavailableError
from tests.engine.llm.endpoint import Endpoint, chunk, fails, says, serving, streams

HELLO = [Message("user", "x" * 300)]


@dataclass
class Counting(Observer):
    counted: list[tuple[int, int]] = field(default_factory=list)
    lookups: list[bool] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def tokens(self, prompt: int, completion: int) -> None:
        self.counted.append((prompt, completion))

    def looked_up(self, cache: str, found: bool) -> None:
        assert cache == "prompts"
        self.lookups.append(found)

    def failed(self, part: str, backend: str) -> None:
        self.told.append(f"{part} {backend} failed")

    def worked(self, part: str, backend: str) -> None:
        self.told.append(f"{part} {backend} worked")


def model(endpoint: Endpoint, counting: Counting) -> OpenAIModel:
    return OpenAIModel(
        base_url=endpoint.url, api_key="k", model="first", retries=0, observer=counting
    )


async def test_an_endpoint_tells_what_an_answer_cost() -> None:
    counting = Counting()
    async with serving(says("Good evening.")) as endpoint:
        opened = model(endpoint, counting)
        assert [piece async for piece in opened.stream(HELLO)]
        await opened.aclose()
    assert counting.counted == [(11, 7)]
    assert counting.told == ["language model first worked"]


async def test_a_running_total_is_counted_once() -> None:
    """Some endpoints tell the usage so far with every piece."""
    counting = Counting()
    usage = [{"prompt_tokens": 5, "completion_tokens": n, "total_tokens": 5 + n} for n in (1, 2)]
    events = [{**chunk("a"), "usage": usage[0]}, {**chunk("b", "stop"), "usage": usage[1]}]
    async with serving(streams(*events)) as endpoint:
        opened = model(endpoint, counting)
        assert [piece async for piece in opened.stream(HELLO)] == ["a", "b"]
        await opened.aclose()
    assert counting.counted == [(5, 2)]


async def test_what_is_broken_off_is_estimated() -> None:
    counting = Counting()
    async with serving(says("Good evening, stranger, mind the rocks.")) as endpoint:
        opened = model(endpoint, counting)
        async with contextlib.aclosing(opened.stream(HELLO)) as pieces:
            await anext(pieces)
            await anext(pieces)
        await opened.aclose()
    assert counting.counted == [(100, 2)]  # a token for three letters, one for each piece


async def test_a_failure_is_told_and_costs_nothing() -> None:
    counting = Counting()
    async with serving(fails(400, "No.")) as endpoint:
        opened = model(endpoint, counting)
        with pytest.raises(UnavailableError):
            async for _ in opened.stream(HELLO):
                pass
        await opened.aclose()
    assert counting.counted == []
    assert counting.told == ["language model first failed"]


async def test_a_model_of_this_machine_tells_exactly_wherever_it_ends(
    require_model: Callable[[str], Path],
) -> None:
    counting = Counting()
    opened = LocalModel(
        require_model("smollm2-135m"), "small", LlamaOptions(256, 1, 1), observer=counting
    )
    messages = [Message("user", "Tell me of the sea.")]
    sampling = Sampling(seed=1, max_tokens=12, temperature=0)
    try:
        assert [piece async for piece in opened.stream(messages, sampling)]
        async with contextlib.aclosing(opened.stream(messages, sampling)) as pieces:
            for _ in range(4):
                await anext(pieces)
    finally:
        await opened.aclose()
    (prompt, whole), (again, part) = counting.counted
    assert prompt == again > 8
    assert whole == 12 and 4 <= part < 12
    assert counting.lookups == [False, True]
