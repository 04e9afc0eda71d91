"""What answers may cost a day, and what they have cost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.chat.base import Activity
from bot.chat.quotas import QuotaError
from bot.chat.settings import BudgetSettings, ChatSettings, Limits
from bot.operating.tally import Tally
from engine.observing import Observers
from engine.speech.base import Speech
from engine.talkinghead.base import Clip
from personas.errors import UnavailableError
from personas.gallery import Policy
from tests.bot.chat.conftest import ANA, BEN, ELSEWHERE, HERE, MOD, MakeWorld, World, made
from tests.fakes.language_model import BrokenOff


async def spent(world: World, kind: str, amount: int, member: str = "1") -> None:
    """Somebody has used so much today."""
    day = datetime.now(UTC).date()
    await world.storage.usage.add(HERE.gallery, member, {kind: amount}, day)


async def settled(make_world: MakeWorld, mode: str = "clip", **options: Any) -> World:
    world = make_world(mode, **options)
    persona = await world.make()
    await world.chat.rooms.settle(HERE, ANA, persona)
    return world


def shown(world: World) -> str:
    """What the last answer was."""
    files = list(world.platform.files.values())
    if not files:
        return "text"
    return "clip" if isinstance(files[-1], Clip) else "voice"


async def test_without_budgets_nothing_changes(make_world: MakeWorld) -> None:
    world = await settled(make_world)
    await spent(world, "clip/cpu", 10**9)
    await spent(world, "tokens/in", 10**9)
    await world.say("Hi")
    assert shown(world) == "clip" and world.platform.told == []


@pytest.mark.parametrize(
    ("used", "mode"), [(80_000, "clip"), (95_000, "voice"), (100_000, "text"), (900_000, "text")]
)
async def test_clips_become_voices_and_voices_text(
    make_world: MakeWorld, used: int, mode: str
) -> None:
    world = await settled(make_world, budget=BudgetSettings(cpu_seconds_each=100))
    await spent(world, "clip/cpu", used)
    await world.say("Hi")
    assert world.platform.said == ["Mind the rocks."]
    assert shown(world) == mode


async def test_of_another_device_voices_are_not_spared_for_it(make_world: MakeWorld) -> None:
    """Clips on a GPU, voices on the CPU: the GPU's budget is for clips to the last second."""
    world = await settled(make_world, budget=BudgetSettings(gpu_seconds=100))
    world.head.device = "cuda"
    await spent(world, "clip/cuda", 95_000)
    await world.say("One")
    assert shown(world) == "clip"
    await spent(world, "clip/cuda", 20_000, "somebody else")
    await world.say("Two")
    assert shown(world) == "voice"
    assert Activity.SPEAKING in world.platform.activities


async def test_it_is_said_once_a_day_and_person(make_world: MakeWorld) -> None:
    world = await settled(make_world, budget=BudgetSettings(cpu_seconds=100))
    await spent(world, "clip/cpu", 95_000)
    for person in (ANA, ANA, BEN):
        await world.say("Hi", person)
    sentence = "Clips are used up for today. Until midnight, UTC, I answer with my voice."
    assert world.platform.told == [sentence] * 2
    await spent(world, "clip/cpu", 5_000)
    await world.say("Hi")
    assert world.platform.told[2:] == [
        "Clips and voices are used up for today. Until midnight, UTC, I answer in writing."
    ]


async def test_another_process_does_not_say_it_again(make_world: MakeWorld) -> None:
    first = await settled(make_world, budget=BudgetSettings(cpu_seconds=100))
    await spent(first, "clip/cpu", 200_000)
    await first.say("Hi")
    second = make_world("clip", budget=BudgetSettings(cpu_seconds=100))
    await second.say("Hi again")
    assert (len(first.platform.told), len(second.platform.told)) == (1, 0)


async def test_who_wants_text_is_told_nothing(make_world: MakeWorld) -> None:
    world = await settled(make_world, "text", budget=BudgetSettings(cpu_seconds=1))
    await spent(world, "clip/cpu", 5_000)
    await world.say("Hi")
    assert world.platform.told == [] and world.platform.said


async def test_without_tokens_it_is_refused_until_midnight(make_world: MakeWorld) -> None:
    world = await settled(make_world, "text", budget=BudgetSettings(tokens_each=100, tokens=150))
    await spent(world, "tokens/in", 90)
    await world.say("One")
    await spent(world, "tokens/out", 10)
    with pytest.raises(QuotaError, match=r"You have used up your words for today.*midnight"):
        await world.say("Two")
    await world.say("Three", BEN)
    await spent(world, "tokens/in", 50, BEN.id)
    with pytest.raises(QuotaError, match="This community has used up its words"):
        await world.say("Four", BEN)
    assert len(world.platform.said) == 2
    # What was refused is not counted as a message either.
    assert await world.storage.usage.used(HERE.gallery, "message") == 2


async def test_other_communities_have_budgets_of_their_own(make_world: MakeWorld) -> None:
    budget = BudgetSettings(tokens=10, communities={ELSEWHERE.gallery: Limits(tokens=1_000)})
    world = await settled(make_world, "text", budget=budget)
    persona = await world.make(ELSEWHERE, "Bo Kettle")
    await world.chat.rooms.settle(ELSEWHERE, ANA, persona)
    day = datetime.now(UTC).date()
    for gallery in (HERE.gallery, ELSEWHERE.gallery):
        await world.storage.usage.add(gallery, "1", {"tokens/in": 500}, day)
    with pytest.raises(QuotaError):
        await world.say("Hi")
    await world.say("Hi", place=ELSEWHERE)
    assert len(world.platform.said) == 1


async def test_a_community_lowers_its_budget_and_cannot_raise_it(make_world: MakeWorld) -> None:
    world = await settled(make_world, "text", budget=BudgetSettings(tokens=100))
    await spent(world, "tokens/in", 60)
    await world.chat.rooms.set_rules(HERE, MOD, tokens=50)
    with pytest.raises(QuotaError):
        await world.say("Hi")
    await world.chat.rooms.set_rules(HERE, MOD, tokens=9_999)
    await world.say("Hi")
    await spent(world, "tokens/in", 60)
    with pytest.raises(QuotaError):
        await world.say("Hi", BEN)


async def test_new_personas_need_words_and_machines(make_world: MakeWorld) -> None:
    world = make_world(budget=BudgetSettings(tokens=100, cpu_seconds=100))
    persona = await world.make()
    await spent(world, "tokens/in", 100)
    with pytest.raises(QuotaError, match="words"):
        await world.make(name="Bo Kettle")
    # Another portrait of somebody who is there needs no words.
    assert await made(world.chat.gallery.redraw(HERE, ANA, persona, seed=9))
    await spent(world, "portrait/cpu", 100_000)
    with pytest.raises(QuotaError, match="time on the machines"):
        await made(world.chat.gallery.redraw(HERE, ANA, persona, seed=10))
    with pytest.raises(QuotaError, match="time on the machines"):
        await world.chat.gallery.greet(HERE, ANA, persona)


async def test_what_workers_keep_busy_is_known_from_what_they_did(make_world: MakeWorld) -> None:
    """In this process everything would be done by the CPU."""
    world = make_world(budget=BudgetSettings(gpu_seconds=100))
    await world.make()
    await spent(world, "portrait/cuda", 100_000)
    with pytest.raises(QuotaError, match="time on the machines"):
        await world.make(name="Bo Kettle")


async def test_admins_see_what_was_used(make_world: MakeWorld) -> None:
    world = await settled(make_world, budget=BudgetSettings(cpu_seconds=3_600, tokens=5_000))
    await spent(world, "tokens/in", 1_200)
    await spent(world, "clip/cpu", 65_400)
    await spent(world, "clip/cuda", 12_000)
    await world.say("Hi")
    line = await world.chat.rooms.used(HERE, MOD)
    assert line == (
        "Today: 1 answer, 1 new persona, 1,200 of 5,000 tokens, 12 GPU seconds, "
        "65 of 3,600 CPU seconds."
    )
    with pytest.raises(Exception, match="Only moderators"):
        await world.chat.rooms.used(HERE, ANA)


def test_every_budget_can_be_lowered_by_a_community() -> None:
    assert set(Limits.model_fields) <= set(Policy.model_fields)


# What it has cost


async def costs(world: World, member: str = "1") -> dict[str, int]:
    used = await world.storage.usage.day(HERE.gallery, member, datetime.now(UTC).date())
    return {kind: one.own for kind, one in used.items() if "/" in kind and one.own}


async def test_an_answer_is_charged_to_who_asked(make_world: MakeWorld) -> None:
    tally = Observers([Tally()])
    world = await settled(make_world, observer=tally)
    world.speech.pause, world.head.pause = 0.02, 0.03
    await world.say("Hi", BEN)
    mine, bens = await costs(world), await costs(world, BEN.id)
    assert set(mine) == {"portrait/cpu"}
    assert set(bens) == {"speech/cpu", "clip/cpu"}
    assert bens["speech/cpu"] >= 20 and bens["clip/cpu"] >= 30


async def test_what_was_stopped_or_failed_is_charged_too(make_world: MakeWorld) -> None:
    world = await settled(make_world, "text")

    def costly(_: str) -> Any:
        Tally().tokens(40, 2)
        return BrokenOff([], UnavailableError("It has gone."))

    world.answers = costly
    await world.say("Hi", BEN)
    assert await costs(world, BEN.id) == {"tokens/in": 40, "tokens/out": 2}
    assert await world.storage.usage.used(HERE.gallery, "message") == 0  # and given back


async def test_accounts_are_exact_when_many_answers_are_made_at_once(
    make_world: MakeWorld,
) -> None:
    settings = ChatSettings(at_once=16, waiting_each=100)
    world = await settled(make_world, "text", settings=settings)
    tally = Tally()

    def answer(_: str) -> str:
        tally.tokens(7, 3)
        return "Mind the rocks."

    world.answers = answer
    before = world.storage.usage.add
    writes = 0

    async def counted(*arguments: Any) -> None:
        nonlocal writes
        writes += 1
        await before(*arguments)

    world.storage.usage.add = counted  # type: ignore[method-assign]
    people = [ANA, BEN, MOD]
    await asyncio.gather(*(world.say(f"Hi {n}", people[n % 3]) for n in range(30)))
    assert writes == 30  # one for each answer
    used = await world.storage.usage.day(HERE.gallery, ANA.id, datetime.now(UTC).date())
    assert (used["tokens/in"].own, used["tokens/in"].all) == (70, 210)
    assert (used["tokens/out"].own, used["tokens/out"].all) == (30, 90)


async def test_a_sum_that_cannot_be_written_costs_nobody_an_answer(
    make_world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world = await settled(make_world, observer=Observers([Tally()]))
    world.speech.pause = 0.01

    async def broken(*_: Any) -> None:
        raise UnavailableError("The database is away.")

    world.storage.usage.add = broken  # type: ignore[method-assign]
    await world.say("Hi")
    assert shown(world) == "clip"
    assert "could not be written" in caplog.text
    assert isinstance(list(world.platform.files.values())[-1], Clip | Speech)
