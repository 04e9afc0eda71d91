"""A small fault run: real processes are killed, real services fail, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from typing import Any

from bot.bench.children import Child
from bot.bench.faults import FaultRun
from bot.bench.ledger import Change, endings, recoveries
from bot.bench.plans import FaultPlan
from bot.bench.platform import Asked, Platform
from bot.bench.s3 import FailingProxy
from bot.bench.services import Bucket
from tests.bot.conftest import Terminal
from tests.services.postgres import Postgres
from tests.services.s3 import ACCESS_KEY, S3, SECRET_KEY


class Restartable:
    """The server of the tests, in the words of the bench."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    def restart(self, *, crash: bool = False) -> None:
        self._postgres.restart()


async def test_nothing_is_lost_or_doubled_when_parts_are_killed(
    postgres: Postgres, s3: S3, bucket: str
) -> None:
    plan = FaultPlan(
        jobs=40,
        bots=2,
        workers=2,
        worker_kills=1,
        bot_kills=1,
        restarts=1,
        seconds=0.4,
        patience=200,
    )
    url = postgres.url(postgres.create(empty=True))
    server: Any = Restartable(postgres)
    with FailingProxy(s3.endpoint, plan.s3_failures, plan.seed) as proxy:
        place = Bucket(bucket, ACCESS_KEY, SECRET_KEY, proxy)
        report = await FaultRun(plan, server, url, place, lambda *_: None).run()
    assert report.lost == []
    assert report.doubled == []
    assert report.messages == report.answered == report.clips == 20
    assert report.jobs == report.ended_once == 40
    assert (report.worker_kills, report.bot_kills, report.restarts) == (1, 1, 1)
    assert report.is_whole
    assert report.s3_requests > 40
    assert json.loads(json.dumps(report.as_dict()))["is_whole"]


def test_the_platform_knows_a_message_that_is_sent_again_by_its_nonce() -> None:
    def send(path: str, **body: str) -> Any:
        data = json.dumps(body).encode()
        with urllib.request.urlopen(f"{platform.url}{path}", data) as answer:
            return json.load(answer)

    with Platform() as platform:
        platform.write(Asked("1", "discord:1", "discord:1", "7", "question 1"))
        with urllib.request.urlopen(f"{platform.url}/events?since=0") as answer:
            assert [one["text"] for one in json.load(answer)] == ["question 1"]
        first = send("/send", nonce="n", question="1", text="He")
        assert send("/send", nonce="n", question="1", text="He") == first
        send("/edit", id=first["id"], text="Hello.")
        send("/edit", id=first["id"], clip="clip 1")
        (post,) = platform.answers("1")
        assert (post.text, post.clips, platform.repeated) == ("Hello.", ["clip 1"], 1)
        send("/send", nonce="m", question="1", text="Hello.")
        assert len(platform.answers("1")) == 2


def test_what_the_proxy_fails_is_done_now_and_then(s3: S3, bucket: str) -> None:
    import boto3
    import botocore.exceptions
    from botocore.config import Config

    with FailingProxy(s3.endpoint, 0.5, seed=1) as proxy:
        client = boto3.client(
            "s3",
            endpoint_url=proxy.url,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(retries={"total_max_attempts": 1}),
        )
        refused = 0
        for number in range(20):
            try:
                client.put_object(Bucket=bucket, Key=str(number), Body=b"hello")
            except botocore.exceptions.ClientError:
                refused += 1
        client.close()
        assert proxy.requests == 20
        assert proxy.failed == refused
        kept = len(s3.keys(bucket))
        assert 20 - refused < kept < 20


async def test_the_ledger_tells_who_took_the_jobs_of_a_killed_worker() -> None:
    class Killed(Child):
        def __init__(self) -> None:
            self.pid, self.killed = 42, 10.0

    def change(at: float, key: str, status: str, pid: int) -> Change:
        return Change(at, key, "clip", status, f"host-{pid}-abc")

    changes = [
        change(5, "kept", "active", 42),
        change(6, "done", "active", 42),
        change(7, "other", "active", 43),
        change(9, "done", "complete", 42),
        change(12, "kept", "queued", 42),
        change(13, "kept", "active", 43),
        change(14, "kept", "complete", 43),
        change(15, "other", "complete", 43),
    ]
    assert recoveries(changes, Killed()) == [3.0]
    assert endings(changes) == {"kept": 1, "done": 1, "other": 1}
    await asyncio.sleep(0)


def test_a_wrong_database_is_explained(terminal: Terminal) -> None:
    result = terminal("bench", "faults", "--database-url", "sqlite:x.db", "--recoveries", "0")
    assert result.exit_code == 4
    assert "PostgreSQL" in result.stderr
