"""Which context a request goes to: where most of it was read, and nothing is lost."""

from __future__ import annotations

import asyncio

from engine.llm.base import Message
from engine.llm.slots import Slots

BO = [Message("system", "You are Bo.")]
ANN = [Message("system", "You are Ann.")]


def talk(persona: list[Message], *turns: str) -> list[Message]:
    said = [Message("assistant" if n % 2 else "user", text) for n, text in enumerate(turns)]
    return [*persona, *said]


async def taken(slots: Slots, messages: list[Message], answer: str = "") -> int:
    async with slots.take(messages) as slot:
        slot.hold((*messages, *([Message("assistant", answer)] if answer else [])))
        return slot.index


async def test_a_conversation_stays_where_it_is() -> None:
    slots = Slots(2)
    bo = await taken(slots, talk(BO, "Hi"), "Ahoy. *waves*")
    ann = await taken(slots, talk(ANN, "Hi"), "Hello.")
    assert ann != bo
    assert await taken(slots, talk(BO, "Hi", "Ahoy.", "Bye")) == bo
    assert await taken(slots, talk(ANN, "Hi", "Hello.", "Bye")) == ann


async def test_another_conversation_with_the_same_persona_takes_nothing_from_it() -> None:
    slots = Slots(2)
    first = await taken(slots, talk(BO, "Hi"), "Ahoy.")
    assert await taken(slots, talk(BO, "Good evening")) != first


async def test_what_was_only_read_ahead_is_gone_on_with() -> None:
    slots = Slots(2)
    ahead = await taken(slots, BO)
    assert slots.holds(BO) and not slots.holds(ANN)
    assert await taken(slots, talk(BO, "Hi")) == ahead


async def test_the_longest_unused_makes_room() -> None:
    slots = Slots(2)
    bo = await taken(slots, talk(BO, "Hi"), "Ahoy.")
    await taken(slots, talk(ANN, "Hi"), "Hello.")
    third = talk([Message("system", "You are Cy.")], "Hi")
    async with slots.take(third) as slot:
        assert slot.index == bo
        assert slot.loses(third)


async def test_a_conversation_that_was_forgotten_makes_room_first() -> None:
    slots = Slots(2)
    async with slots.take(talk(BO, "Hi")) as bo:
        bo.hold(talk(BO, "Hi"), "bo")
    async with slots.take(talk(ANN, "Hi")) as ann:
        ann.hold(talk(ANN, "Hi"), "ann")
    slots.forget("ann")
    assert slots.holds(talk(BO, "Hi")) and not slots.holds(ANN)
    assert await taken(slots, talk([Message("system", "You are Cy.")], "Hi")) == ann.index


async def test_who_comes_when_all_are_busy_waits() -> None:
    slots = Slots(1)
    async with slots.take(BO):
        waiting = asyncio.create_task(taken(slots, ANN))
        await asyncio.sleep(0)
        assert not waiting.done()
    assert await waiting == 0
