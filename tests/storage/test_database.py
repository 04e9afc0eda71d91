"""Work that is broken off leaves the database as usable as it was."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime

from storage.settings import StorageSettings
from storage.store import Storage


async def test_who_is_cancelled_while_writing_leaves_no_lock(here: StorageSettings) -> None:
    today, chance = datetime.now(UTC).date(), random.Random(1)
    async with await Storage.open(here.model_copy(update={"busy_seconds": 2.0})) as storage:
        for _ in range(60):
            work = asyncio.create_task(storage.usage.spend("discord:1", "1", "message", today))
            await asyncio.sleep(chance.uniform(0, 0.006))
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await storage.usage.spend("discord:1", "2", "message", today)
        assert await storage.usage.used("discord:1", "message", today, "2") == 60
