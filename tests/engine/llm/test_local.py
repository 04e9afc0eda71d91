"""A model that runs here: it answers, keeps to forms, and is gone when it is closed."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import struct
import subprocess
import sys
import textwrap
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import psutil
import pytest
from pydantic import BaseModel, Field

from engine.llm.base import Message, Sampling
from engine.llm.contexts import Contexts
from engine.llm.failures import ContextOverflowError
from engine.llm.gguf import read_header
from engine.llm.llamacpp import LlamaOptions
from engine.llm.local import LocalModel
from engine.llm.slots import Slot
from personas.errors import UnavailableError

SMALL = "smollm2-135m"
OPTIONS = LlamaOptions(context_tokens=1024, threads=1)


@pytest.fixture
def file(require_model: Callable[[str], Path]) -> Path:
    path = require_model(SMALL)
    return path if path.is_file() else next(path.glob("*.gguf"))


@pytest.fixture
async def model(file: Path) -> AsyncIterator[LocalModel]:
    opened = LocalModel(file, SMALL, OPTIONS)
    yield opened
    await opened.aclose()


async def said(model: LocalModel, text: str, tokens: int = 12) -> str:
    sampling = Sampling(seed=1, max_tokens=tokens, temperature=0.5)
    return "".join([piece async for piece in model.stream([Message("user", text)], sampling)])


class Animal(BaseModel):
    name: str = Field(min_length=2, max_length=12)
    legs: int


async def test_it_answers_the_same_for_the_same_seed(model: LocalModel) -> None:
    first = await said(model, "Hello")
    assert first.strip()
    assert await said(model, "Hello") == first
    assert model.usage.completion_tokens == 24
    assert model.context_tokens == 1024


async def test_it_keeps_to_the_form(model: LocalModel) -> None:
    messages = [Message("user", "Invent an animal. Answer in JSON.")]
    animal = await model.parse(messages, Animal, Sampling(seed=1, max_tokens=60))
    assert 2 <= len(animal.name) <= 12


async def test_what_was_asked_before_does_not_change_a_form(model: LocalModel) -> None:
    async def animal(word: str) -> Animal:
        text = "Invent an animal that lives on an island far out in the sea. Answer in JSON. "
        sampling = Sampling(seed=3, max_tokens=60, temperature=0.9)
        return await model.parse([Message("user", text * 4 + word)], Animal, sampling)

    first = await animal("It is red.")
    await animal("It is a fish and it sings.")
    assert await animal("It is red.") == first


PERSONA = [
    Message("system", "You are Bo, an old boat that loves the sea, and talks of nothing else."),
    Message("user", "Hello!"),
    Message("assistant", "Ahoy! Smell that salt."),
]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "prompts"


def states_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix != ".owner")


@contextlib.asynccontextmanager
async def opened(file: Path, folder: Path | None, parallel: int = 2) -> AsyncIterator[LocalModel]:
    model = LocalModel(file, SMALL, LlamaOptions(512, 1, parallel, folder))
    try:
        yield model
    finally:
        await model.aclose()


async def answered(model: LocalModel, text: str) -> tuple[str, int]:
    """What a persona says to a first message, and how many tokens were read for it."""
    before = model.usage.prompt_tokens
    messages = [*PERSONA, Message("user", text)]
    sampling = Sampling(seed=4, max_tokens=12, temperature=0.9)
    pieces = [piece async for piece in model.stream(messages, sampling)]
    return "".join(pieces), model.usage.prompt_tokens - before


async def test_what_was_read_ahead_changes_no_word(file: Path, kept: Path) -> None:
    async with opened(file, None) as model:
        await model.read_ahead(PERSONA)
        fresh = await answered(model, "Who are you?")
    async with opened(file, kept) as model:
        await model.read_ahead(PERSONA)
        assert len(states_in(kept)) == 1
        assert await answered(model, "Who are you?") == fresh
    async with opened(file, kept) as model:
        await model.read_ahead(PERSONA)
        assert await answered(model, "Who are you?") == fresh, "restored from the disk"
        assert await answered(model, "Where do you live?") != fresh
    assert len(states_in(kept)) == 1


async def test_a_kept_prompt_is_not_read_again(
    file: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(file, kept) as model:
        await model.read_ahead(PERSONA)
    async with opened(file, kept) as model:

        async def read(*_: object) -> None:
            pytest.fail("it has been read before")

        monkeypatch.setattr(Contexts, "_read", read)
        await model.read_ahead(PERSONA)
        assert (await answered(model, "Who are you?"))[0]


@pytest.mark.parametrize("damage", ["cut", "foreign", "gone"])
async def test_a_damaged_state_costs_time_and_no_word(file: Path, kept: Path, damage: str) -> None:
    async with opened(file, kept) as model:
        await model.read_ahead(PERSONA)
        fresh = await answered(model, "Who are you?")
    (state,) = states_in(kept)
    match damage:
        case "cut":
            state.write_bytes(state.read_bytes()[:999])
        case "foreign":  # whole by its hash, but nothing that the runtime could use
            content = b"not a state"
            name = f"{state.stem[:41]}{hashlib.sha256(content).hexdigest()[:32]}.state"
            state.unlink()
            (kept / name).write_bytes(content)
        case "gone":
            state.unlink()
    async with opened(file, kept) as model:
        await answered(model, "Who are you?")
        await model.read_ahead(PERSONA)
    async with opened(file, kept) as model:
        assert await answered(model, "Who are you?") == fresh


async def test_a_form_is_the_same_read_or_restored(file: Path, kept: Path) -> None:
    async def animal(model: LocalModel, word: str) -> Animal:
        asked = [*PERSONA, Message("user", f"Invent an animal that is {word}. Answer in JSON.")]
        return await model.parse(asked, Animal, Sampling(seed=3, max_tokens=60, temperature=0.9))

    async with opened(file, None) as model:
        first = await animal(model, "red")
    async with opened(file, kept, parallel=1) as model:
        assert await animal(model, "red") == first
        await animal(model, "a fish")
        await answered(model, "Who are you?")
        assert await animal(model, "red") == first


async def test_a_conversation_that_made_room_is_taken_up_again(
    file: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restored: list[int] = []
    restore = Contexts._restore

    async def noted(self: Contexts, slot: Slot, messages: Sequence[Message], name: str) -> bool:
        restored.append(len(messages))
        return await restore(self, slot, messages, name)

    monkeypatch.setattr(Contexts, "_restore", noted)
    async with opened(file, kept, parallel=1) as model:
        await model.read_ahead(PERSONA)
        said, _ = await answered(model, "Who are you?")
        await answered(model, "Is it late?")
        talk = [*PERSONA, Message("user", "Who are you?"), Message("assistant", said)]
        talk.append(Message("user", "And then?"))
        assert [piece async for piece in model.stream(talk, Sampling(seed=1, max_tokens=4))]
    assert restored == [4]
    assert len(states_in(kept)) == 1, "conversations are not kept when the program ends"


async def test_two_at_once_and_one_given_up(model: LocalModel) -> None:
    stream = model.stream([Message("user", "Tell me a long story")], Sampling(max_tokens=800))
    await anext(stream)
    one, two = await asyncio.gather(said(model, "Hello"), said(model, "Good morning"))
    assert one.strip() and two.strip()
    await stream.aclose()
    assert await said(model, "Hello") == one


async def test_it_counts_and_says_when_it_is_too_much(model: LocalModel) -> None:
    assert await model.count_tokens("Hello there, world") == 4
    with pytest.raises(ContextOverflowError):
        await said(model, "word " * 3_000)


async def test_it_is_closed_to_others_and_gone_when_closed(file: Path) -> None:
    before = psutil.Process().num_threads()
    model = LocalModel(file, SMALL, OPTIONS)
    await said(model, "Hello", 2)
    assert model._server is not None
    url = f"{model._server.url}/v1/models"
    with pytest.raises(urllib.error.HTTPError) as refused:
        await asyncio.to_thread(urllib.request.urlopen, url)
    assert refused.value.code == 401
    refused.value.close()
    await model.aclose()
    await model.aclose()
    with pytest.raises(urllib.error.URLError):
        await asyncio.to_thread(urllib.request.urlopen, url)
    assert psutil.Process().num_threads() <= before + 4, "only the event loop's own threads"
    with pytest.raises(UnavailableError, match="closed"):
        await said(model, "Hello")


async def test_it_can_be_closed_as_soon_as_it_is_up(file: Path) -> None:
    for _ in range(3):
        model = LocalModel(file, SMALL, OPTIONS)
        await model.start()
        await asyncio.wait_for(model.aclose(), 30)
        with pytest.raises(UnavailableError, match="closed"):
            await said(model, "Hello")


@pytest.mark.parametrize("ending", ["return", "raise KeyError('x')", "raise SystemExit(3)"])
def test_it_does_not_outlive_the_program(file: Path, ending: str) -> None:
    program = f"""
        import asyncio
        from pathlib import Path
        from engine.llm.llamacpp import LlamaOptions
        from engine.llm.local import LocalModel

        async def main():
            model = LocalModel(Path({str(file)!r}), "m", LlamaOptions(1024, 1))
            await model.start()
            print("up", flush=True)
            {ending}

        asyncio.run(main())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout == "up\n", done.stderr
    assert done.returncode == {"return": 0, "raise SystemExit(3)": 3}.get(ending, 1), done.stderr


HEADER = b"GGUF" + struct.pack("<IQQ", 3, 0, 0)


@pytest.mark.parametrize(
    "content",
    [b"", b"GGUF", b"not a model at all", b"GGUF" + b"\xff" * 64, HEADER, HEADER + b"\0" * 500],
)
async def test_a_broken_file_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(content)
    model = LocalModel(path)
    with pytest.raises(UnavailableError, match=r"broken\.gguf"):
        await said(model, "Hello")
    await model.aclose()


@pytest.fixture
def half(tmp_path: Path, file: Path) -> Path:
    whole = file.read_bytes()
    path = tmp_path / "half.gguf"
    path.write_bytes(whole[: len(whole) // 2])
    return path


async def test_half_a_file_is_a_sentence(half: Path) -> None:
    with pytest.raises(UnavailableError, match="cannot be loaded"):
        await said(LocalModel(half), "Hello")


async def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"no model file called none\.gguf"):
        await said(LocalModel(tmp_path / "none.gguf"), "Hello")


async def test_a_model_that_memory_does_not_hold_is_a_sentence(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.llm.llamacpp.available_memory", lambda: 50 << 20)
    with pytest.raises(UnavailableError, match="GB of memory"):
        await said(LocalModel(file), "Hello")


def test_the_header_tells_what_it_will_take(file: Path) -> None:
    header = read_header(file)
    assert header.architecture == "llama"
    assert header.context_length >= 2048
    assert header.kv_bytes_per_token == 30 * 3 * 64 * 2 * 2
    assert header.memory_needed(1024) < 10**9
