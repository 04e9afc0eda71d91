"""The whole program in a process of its own, as an operator sees it; Telegram and the model's
endpoint are on the loopback."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from storage.settings import StorageSettings
from storage.store import Storage
from tests.bot.operating.test_endpoints import Site, get
from tests.bot.telegram.house import ADA
from tests.engine.llm.endpoint import fails, says, serving
from tests.fakes.otlp_collector import collecting
from tests.fakes.telegram_rooms import TOKEN
from tests.fakes.telegram_server import TelegramServer
from tests.fakes.telegram_service import Telegram
from tests.storage.examples import add

GALLERY = f"telegram:{ADA}"
KEY = "sk-of-the-endpoint"


class Program(Site):
    """`chatanything telegram`, running.

    Attributes:
        log: the lines it has written, those that are JSON.
        said: the other ones.
    """

    def __init__(self, child: asyncio.subprocess.Process, port: int) -> None:
        self.child = child
        self.url = f"http://127.0.0.1:{port}"
        self.log: list[dict[str, Any]] = []
        self.said: list[str] = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.child.stderr is not None
        async for line in self.child.stderr:
            text = line.decode().rstrip()
            if text.startswith("{"):
                self.log.append(json.loads(text))
            else:
                self.said.append(text)

    async def until_ready(self, wanted: int = 200) -> Any:
        async with asyncio.timeout(120):
            while True:
                if self.child.returncode is not None:
                    raise AssertionError("\n".join(self.said))
                try:
                    status, _, body = await asyncio.to_thread(get, f"{self.url}/readyz")
                except OSError:
                    status, body = 0, "{}"
                if status == wanted:
                    return json.loads(body)
                await asyncio.sleep(0.1)

    async def until_counted(self, name: str) -> dict[str, float]:
        async with asyncio.timeout(60):
            while not (counted := await self.metrics()).get(name):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            return counted

    async def end(self) -> int:
        self.child.send_signal(signal.SIGTERM)
        code = await self.child.wait()
        await self._reading
        return code


def free_port() -> int:
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        return int(some.getsockname()[1])


async def run(*arguments: str, **settings: str) -> asyncio.subprocess.Process:
    options = {f"CHATANYTHING_{name}": value for name, value in settings.items()}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "bot", *arguments),
        env={**os.environ, **options},
        cwd=Path(__file__).parents[3],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_an_operator_sees_what_goes_on(tmp_path: Path) -> None:
    telegram, port = Telegram(limits=False), free_port()
    data = tmp_path / "data"
    async with await Storage.open(StorageSettings(data_folder=data)) as storage:
        await add(storage, "grumbel", gallery=GALLERY)
    answers = (says("Mind the rocks."), fails(400, "No."), says("Mind the rocks."))
    with collecting() as collector:
        async with TelegramServer(telegram) as server, serving(*answers) as endpoint:
            common = {"STORAGE__DATA_FOLDER": str(data)}
            child = await run(
                "telegram",
                **common,
                TELEGRAM__TOKEN=TOKEN,
                TELEGRAM__SERVER=server.base_url.removesuffix("/bot"),
                LANGUAGE_MODEL__BASE_URL=endpoint.url,
                LANGUAGE_MODEL__API_KEY=KEY,
                LANGUAGE_MODEL__RETRIES="0",
                CONVERSATION__MODE="voice",
                BUDGET__TOKENS="1000",
                OPERATING__HTTP=f"127.0.0.1:{port}",
                OPERATING__LOG_FORMAT="json",
                OPERATING__LOG_TO="stderr",
                OPERATING__OTLP_ENDPOINT=collector.url,
            )
            program = Program(child, port)
            try:
                told = await program.until_ready()
                assert set(told["checks"]) == {
                    *("program", "storage", "queue", "language model", "telegram")
                }
                assert (await program.json("/healthz"))[0] == 200
                ada = telegram.private(ADA)
                message = telegram.say(ada, "Good evening!")
                await telegram.until(lambda: [m for m in ada.from_bot if "voice" in m], 120)
                lost = telegram.say(ada, "And again?")
                counted = await program.until_counted(_answered("failed"))
            finally:
                code = await program.end()
    assert code == 0, program.said
    assert counted[_answered("done")] == 1
    assert counted["chatanything_tokens_total[('direction', 'in')]"] == 11
    assert counted["chatanything_tokens_total[('direction', 'out')]"] == 7
    assert counted["chatanything_stage_seconds_count[('stage', 'text')]"] == 2
    assert counted["chatanything_cache_lookups_total[('cache', 'speech'), ('result', 'miss')]"] == 1
    errors = {name: value for name, value in counted.items() if "errors_total" in name}
    assert sum(errors.values()) == 1 and "language model" in next(iter(errors))

    # Each line of the log is one object; the one about the failure names its message.
    [line] = [line for line in program.log if line["message"].startswith("No reply of")]
    assert line["request"] == f"telegram:{ADA}/{lost['message_id']}"
    assert KEY not in json.dumps(program.log) and TOKEN not in json.dumps(program.log)
    assert TOKEN.partition(":")[2] not in "\n".join(program.said)

    # A trace, with the failure marked.
    first, second = sorted(collector.named("message"), key=lambda span: span.failed)
    assert first.attributes["request"] == f"telegram:{ADA}/{message['message_id']}"
    assert (first.failed, second.failed) == (False, True)
    assert {s.name for s in collector.spans if s.trace == first.trace} >= {"text", "speech"}

    # And what it cost, asked by another process.
    asked = await run("usage", "--by", "person", "--json", **common)
    out, said = await asked.communicate()
    assert asked.returncode == 0, said.decode()
    [row] = json.loads(out)["usage"]
    assert (row["community"], row["person"]) == (GALLERY, str(ADA))
    assert (row["messages"], row["tokens_in"], row["tokens_out"]) == (1, 11, 7)
    assert row["cpu_seconds"] > 0 and set(row["stages"]) == {"speech/cpu"}


def _answered(outcome: str) -> str:
    return f"chatanything_request_seconds_count[('kind', 'message'), ('outcome', '{outcome}')]"


async def test_a_request_is_followed_to_the_worker(tmp_path: Path, postgres_url: str) -> None:
    """A bot and a worker, each a process of its own; what they share is a queue and the storage."""
    telegram, data = Telegram(limits=False), tmp_path / "data"
    async with await Storage.open(StorageSettings(data_folder=data)) as storage:
        await add(storage, "grumbel", gallery=GALLERY)
    with collecting() as collector:
        async with TelegramServer(telegram) as server, serving(says("Mind the rocks.")) as endpoint:
            common = {
                "STORAGE__DATA_FOLDER": str(data),
                "JOBS__BACKEND": "saq",
                "JOBS__DATABASE_URL": postgres_url,
                "OPERATING__LOG_FORMAT": "json",
                "OPERATING__LOG_TO": "stderr",
                "OPERATING__OTLP_ENDPOINT": collector.url,
            }
            ports = free_port(), free_port()
            bot = Program(
                await run(
                    "telegram",
                    **common,
                    TELEGRAM__TOKEN=TOKEN,
                    TELEGRAM__SERVER=server.base_url.removesuffix("/bot"),
                    LANGUAGE_MODEL__BASE_URL=endpoint.url,
                    CONVERSATION__MODE="voice",
                    OPERATING__HTTP=f"127.0.0.1:{ports[0]}",
                ),
                ports[0],
            )
            worker: Program | None = None
            try:
                await bot.until_ready()
                child = await run(
                    *("worker", "--stages", "speech", "--device", "cpu"),
                    **common,
                    OPERATING__HTTP=f"127.0.0.1:{ports[1]}",
                )
                worker = Program(child, ports[1])
                told = await worker.until_ready()
                assert set(told["checks"]) == {"program", "storage", "queue"}
                ada = telegram.private(ADA)
                message = telegram.say(ada, "Good evening!")
                await telegram.until(lambda: [m for m in ada.from_bot if "voice" in m], 120)
                made = await worker.until_counted(_served("speech job"))
                counted = await bot.until_counted(_served("message"))
            finally:
                codes = [await one.end() for one in (bot, worker) if one is not None]
    assert codes == [0, 0], (bot.said, worker.said if worker else "")
    device = "chatanything_device_seconds_total[('device', 'cpu'), ('stage', 'speech')]"
    assert made[device] > 0 and device not in counted
    assert counted[_served("message")] == 1
    assert counted["chatanything_queue_waiting[('kind', 'speech')]"] == 0

    # One trace, from the message to the worker's stage.
    [asked], [job] = collector.named("message"), collector.named("speech job")
    [spoken] = collector.named("speech")
    assert job.attributes["request"] == f"telegram:{ADA}/{message['message_id']}"
    assert (job.parent, spoken.parent) == (asked.id, job.id)
    assert {asked.trace} == {job.trace, spoken.trace}

    # Charged to who asked, by whoever did it: words by the bot, the voice by the worker.
    async with await Storage.open(StorageSettings(data_folder=data)) as storage:
        used = await storage.usage.day(GALLERY, str(ADA), datetime.now(UTC).date())
    assert {kind for kind, one in used.items() if one.own} == {
        *("message", "tokens/in", "tokens/out", "speech/cpu")
    }


def _served(kind: str) -> str:
    return f"chatanything_request_seconds_count[('kind', '{kind}'), ('outcome', 'done')]"
