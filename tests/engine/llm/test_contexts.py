"""What a local model has read of a conversation is put aside, taken up again, and forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.llm.base import Message
from engine.llm.contexts import Contexts
from engine.llm.prompt_states import PromptStates

ANN = [Message("system", "You are Ann."), Message("user", "My secret is a boat.")]
BO = [Message("system", "You are Bo."), Message("user", "Hello!")]


class Runtime:
    """The part of llama.cpp's server that saves and restores contexts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.restored = 0
        self.may_save = asyncio.Event()
        self.may_save.set()

    async def post(self, url: str, body: Mapping[str, Any]) -> Any:
        if url.endswith("action=save"):
            await self.may_save.wait()
            (self.folder / body["filename"]).write_bytes(b"all that was said")
        if url.endswith("action=restore"):
            self.restored += 1


class Model:
    """A model with one context, and the folder in which others are put aside."""

    def __init__(self, folder: Path) -> None:
        self.states = PromptStates(folder, 1000, "model 1")
        assert self.states.open()
        self.runtime = Runtime(folder)
        self.contexts = Contexts(self.runtime, "", 1, self.states)  # type: ignore[arg-type]

    async def chat(self, messages: list[Message], conversation: str) -> None:
        async with self.contexts.chat(messages, ["Hm."], conversation):
            pass

    @property
    def put_aside(self) -> int:
        return len(list(self.states.folder.glob("*.passing")))


async def test_a_conversation_that_made_room_is_taken_up_again(tmp_path: Path) -> None:
    model = Model(tmp_path)
    await model.chat(ANN, "ann")
    await model.chat(BO, "bo")
    assert model.put_aside == 1
    await model.chat([*ANN, Message("assistant", "Hm."), Message("user", "And?")], "ann")
    assert model.runtime.restored == 1


async def test_what_was_put_aside_is_forgotten(tmp_path: Path) -> None:
    model = Model(tmp_path)
    await model.chat(ANN, "ann")
    await model.chat(BO, "bo")
    await model.contexts.forget("bo")
    assert model.put_aside == 1, "Ann's conversation stays"
    await model.contexts.forget("ann")
    assert model.put_aside == 0


async def test_what_was_forgotten_is_not_put_aside(tmp_path: Path) -> None:
    model = Model(tmp_path)
    await model.chat(ANN, "ann")
    await model.contexts.forget("ann")
    await model.chat(BO, "bo")
    assert model.put_aside == 0


async def test_what_is_just_being_put_aside_is_forgotten(tmp_path: Path) -> None:
    model = Model(tmp_path)
    await model.chat(ANN, "ann")
    model.runtime.may_save.clear()
    other = asyncio.create_task(model.chat(BO, "bo"))
    await asyncio.sleep(0.05)
    forgetting = asyncio.create_task(model.contexts.forget("ann"))
    await asyncio.sleep(0.05)
    model.runtime.may_save.set()
    await asyncio.gather(other, forgetting)
    assert model.put_aside == 0
