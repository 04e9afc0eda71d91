"""Moving everything: to PostgreSQL and S3 and back, whole, however often it is killed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from personas.errors import UnavailableError
from personas.gallery import Policy
from storage import tables as t
from storage.channels import Post, Resident
from storage.conversations import Turn
from storage.database import Database
from storage.jobs import RecordedJob
from storage.keeper import Swept
from storage.settings import StorageSettings
from storage.store import Storage
from storage.transfer.rows import count_of, digest_of, moved_tables
from storage.transfer.transfer import Moved, Transfer
from storage.unfinished import Unfinished
from tests.storage.examples import add
from tests.storage.looking import ask, files, write_file
from tests.storage.passing import to_line

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["there", "back", "nearby"])
def ways(
    request: pytest.FixtureRequest, here: StorageSettings, away: StorageSettings, tmp_path: Path
) -> tuple[StorageSettings, StorageSettings]:
    """From where to where."""
    nearby = here.model_copy(update={"data_folder": tmp_path / "nearby"})
    return {"there": (here, away), "back": (away, here), "nearby": (here, nearby)}[request.param]


async def fill(settings: StorageSettings, personas: int = 4) -> None:
    """Something in every table, with all that is hard to move."""
    async with await Storage.open(settings) as storage:
        for n in range(personas):
            persona = await add(storage, f"p{n}", name=f"Ünï {n} 🌊", gallery=f"discord:{n % 3}")
            conversation = await storage.conversations.open(persona, "discord:1:2")
            for turn in range(5):
                clip = await storage.media.put(b"clip %d %d" % (n, turn), ".mp4")
                said = Turn(
                    role="persona",
                    author="ש",
                    text=f'"{turn}" \\u0000 \n☔',
                    clip=clip if turn % 2 else None,
                    created_at=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(microseconds=turn),
                )
                last = await storage.conversations.append(conversation.id, said)
            await storage.channels.settle("discord:1", Resident(persona_id=persona.id))
            await storage.channels.posted(
                Post(channel="discord:1", message=f"{n}", persona_id=persona.id, turn_id=last.id)
            )
        await storage.media.preparations.keep(persona.portrait.image, "a head", b"prepared")
        begun = Unfinished(
            id="u",
            kind="answer",
            gallery="discord:1",
            channel="discord:1",
            member="42",
            body={"question": "☔"},
        )
        await storage.unfinished.begin(begun)
        await storage.media.put(b"nobody's yet", ".wav", reserved=3_600)
        job = RecordedJob(
            id="j", kind="portrait", community="discord:1", priority=30, body={"subject": "☔"}
        )
        await storage.jobs.record(job)
        await storage.conversations.delete(last.id or 0)  # its number is never given again
        await storage.galleries.set_policy("discord:9", Policy(max_personas=3))
        await storage.channels.set_mode("discord:1", "clip")
        await storage.channels.handle("discord:1", "7")
        await storage.usage.spend("discord:1", "42", "message", datetime.now(UTC).date())


async def move(source: StorageSettings, target: StorageSettings, batch: int = 3) -> Moved:
    return await Transfer(source, target, lambda *_: None, batch=batch).run()


async def contents(settings: StorageSettings) -> dict[str, tuple[int, str]]:
    database = Database(settings)
    try:
        return {
            table.name: (await count_of(database, table), await digest_of(database, table))
            for table in moved_tables()
        }
    finally:
        await database.aclose()


def test_what_is_moved_is_everything_but_what_tells_of_processes() -> None:
    stays = {"store", "owner", "lease", "chore", "transfer"}
    assert {table.name for table in moved_tables()} == set(t.metadata.tables) - stays


async def test_everything_arrives_and_the_source_stays(
    ways: tuple[StorageSettings, StorageSettings],
) -> None:
    source, target = ways
    await fill(source)
    before, kept = await contents(source), files(source)
    assert all(count for count, _ in before.values())
    moved = await move(source, target)
    assert moved.rows == {name: count for name, (count, _) in before.items()}
    assert moved.media is not None and moved.media.count == len(kept) and not moved.media.lost
    assert await contents(source) == await contents(target) == before
    assert files(target) == kept == files(source)
    async with await Storage.open(target) as storage:
        assert await storage.sweep() == Swept()  # all of it is wanted
        persona = await storage.personas.get("discord:0", "grumbel")
        assert await storage.media.get(persona.portrait.image)
        conversation = await storage.conversations.open(persona, "discord:1:2")
        said = await storage.conversations.append(conversation.id, Turn(role="user", text="Hi"))
    numbers = [row[0] for row in ask(source, "SELECT max(id) FROM turn")]
    # One turn was deleted; the next number is the one after it.
    assert said.id == int(str(numbers[0])) + 2


async def test_moving_twice_is_harmless(here: StorageSettings, away: StorageSettings) -> None:
    await fill(here)
    await move(here, away)
    async with await Storage.open(away) as storage:
        await storage.personas.delete("discord:0", "p0")
        await add(storage, "new")
    after = await contents(away)
    again = await move(here, away)
    assert again.was_done and again.rows == {}
    assert await contents(away) == after


async def test_a_target_with_other_data_is_refused(
    here: StorageSettings, away: StorageSettings
) -> None:
    await fill(here, 1)
    async with await Storage.open(away) as storage:
        await storage.channels.set_mode("discord:1", "text")
    with pytest.raises(UnavailableError, match=r"not empty.*channel"):
        await move(here, away)
    assert ask(away, "SELECT count(*) FROM persona") == [(0,)]


async def test_moving_back_over_what_is_old_is_refused(
    here: StorageSettings, away: StorageSettings
) -> None:
    await fill(here, 1)
    await move(here, away)
    with pytest.raises(UnavailableError, match="older or newer state"):
        await move(away, here)


async def test_media_of_other_data_are_not_overwritten(
    here: StorageSettings, away: StorageSettings
) -> None:
    await fill(here, 1)
    write_file(away, "store-id", b"somebody else")
    write_file(away, f"ab/{'ab' * 32}.png", b"theirs")
    with pytest.raises(UnavailableError, match="media of other data"):
        await move(here, away)


async def test_what_is_in_use_is_not_moved(here: StorageSettings, away: StorageSettings) -> None:
    await fill(here, 1)
    for used in (here, away):
        async with await Storage.open(used):
            with pytest.raises(UnavailableError, match="being used"):
                await move(here, away)
    assert (await move(here, away)).rows["persona"] == 1


async def test_only_media_or_only_the_database(
    here: StorageSettings, away: StorageSettings
) -> None:
    await fill(here, 2)
    kept = files(here)
    s3 = {name: value for name, value in away if name.startswith(("media", "s3"))}
    halfway = here.model_copy(update=s3)
    moved = await move(here, halfway)
    assert moved.rows == {} and moved.media is not None and files(away) == kept
    moved = await move(halfway, away)
    assert moved.rows["persona"] == 2 and moved.media is None
    async with await Storage.open(away) as storage:
        assert (await storage.sweep()).media == 0
    assert files(away) == kept
    with pytest.raises(UnavailableError, match="nothing to move"):
        await move(away, away)


async def test_lost_and_damaged_media_are_told_and_the_rest_is_moved(
    here: StorageSettings, away: StorageSettings
) -> None:
    await fill(here, 2)
    lost, damaged, *whole = sorted(files(here))
    (here.data_folder / "media" / lost).unlink()
    write_file(here, damaged, b"not what it was")
    moved = await move(here, away)
    assert moved.media is not None and set(moved.media.lost) == {lost, damaged}
    assert files(away) == set(whole)


async def test_what_changes_during_the_move_is_noticed(
    here: StorageSettings, away: StorageSettings
) -> None:
    await fill(here, 2)

    def meddle(what: str, done: int, total: int) -> None:
        if what == "turn" and done > 3:
            ask(here, "UPDATE turn SET text = 'meddled' WHERE id = 1")

    with pytest.raises(UnavailableError, match="Something has changed"):
        await Transfer(here, away, meddle, batch=2).run()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")
@pytest.mark.parametrize("way", ["there", "back"])
async def test_killed_at_any_point_it_goes_on(
    here: StorageSettings, away: StorageSettings, way: str
) -> None:
    quick = {"heartbeat_seconds": 0.05, "dead_seconds": 0.2}
    here, away = here.model_copy(update=quick), away.model_copy(update=quick)
    source, target = (here, away) if way == "there" else (away, here)
    await fill(source, 3)
    kept = files(source)
    before = await contents(source)
    lines = (f"move 0 {point} {to_line(source)}\t{to_line(target)}" for point in range(12, 999, 12))
    answers = await asyncio.to_thread(run_each, list(lines))
    assert answers[-1] == "done"
    kills = len(answers) - 1
    assert kills > 2
    assert await contents(target) == before
    assert files(target) == kept
    assert (await move(source, target)).was_done


def run_each(lines: list[str]) -> list[str]:
    """Lets children move, each killed a little later than the one before, until one is through."""
    command = [sys.executable, "-m", "tests.storage.crashing"]
    answers = []
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin and process.stdout
        for line in lines:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            answers.append(process.stdout.readline().strip())
            if answers[-1] != "killed":
                break
        process.stdin.close()
    return answers
