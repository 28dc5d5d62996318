"""Two processes that seal while history grows, killed and frozen at any moment: one chain, no gap, nothing twice."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from storage import history, seals
from storage.database import Database
from storage.history import Line
from tests import needs
from tests.backends import BOTH as BACKENDS
from tests.backends import Backend, open_house
from tests.storage.tampering import AT, KEY, seal_all, verified

ROOT = Path(__file__).resolve().parents[2]
TROUBLES = 60 if needs.full() else 5

__all__ = ["BACKENDS"]


class Sealers:
    """Two of them; one that dies is followed by another."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder, self.born = url, folder, 0
        self.alive: list[asyncio.subprocess.Process] = []

    async def start(self) -> None:
        self.born += 1
        ready = self.folder / f"{self.born}.ready"
        command = [sys.executable, "-m", "tests.faults.sealer", self.url, KEY.hex(), str(ready)]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.alive.append(await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=env))
        async with asyncio.timeout(30):
            while not ready.exists():  # noqa: ASYNC110 - another process rings no event
                await asyncio.sleep(0.02)

    async def trouble(self, chance: random.Random) -> None:
        """Kill one of them, or freeze it for a moment."""
        victim = chance.choice(self.alive)
        if chance.random() < 0.5:
            victim.send_signal(signal.SIGSTOP)
            await asyncio.sleep(0.05 * chance.randrange(1, 6))
            victim.send_signal(signal.SIGCONT)
            return
        victim.kill()
        await victim.wait()
        self.alive.remove(victim)
        await self.start()

    async def close(self) -> None:
        for process in self.alive:
            process.kill()
            await process.wait()


@asynccontextmanager
async def growing(house: Database) -> AsyncIterator[None]:
    """History goes on being written."""

    over = asyncio.Event()

    async def write() -> None:
        while not over.is_set():
            await house.transaction(lambda tx: history.write(tx, Line("park", "noted", 1, AT, {}, text="原话")))
            await asyncio.sleep(0.002)

    writers = [asyncio.create_task(write()) for _ in range(3)]
    try:
        yield
    finally:
        over.set()
        await asyncio.gather(*writers)


@pytest.mark.timeout(180)
async def test_sealers_that_are_killed_and_frozen_leave_one_chain_without_gap_or_double(
    tmp_path: Path, backend: Backend
) -> None:
    file = f"sqlite:///{tmp_path}/house.db"
    house = await open_house(file, connections=3)
    await house.transaction(seal_all)
    sealers, chance = Sealers(backend.url(file), tmp_path), random.Random(20)
    for _ in range(2):
        await sealers.start()
    try:
        async with growing(house):
            for _ in range(TROUBLES):
                await asyncio.sleep(0.05)
                await sealers.trouble(chance)
        async with asyncio.timeout(30):
            while await house.reading(lambda tx: seals.unsealed(tx, 1)):  # noqa: ASYNC110 - other processes ring no event
                await asyncio.sleep(0.02)
    finally:
        await sealers.close()
    outcome, found = await house.reading(verified)
    rows = await house.reading(lambda tx: tx.all("SELECT n, event_id FROM seals WHERE n > 0 ORDER BY n"))
    (count,) = await house.reading(lambda tx: tx.all("SELECT COUNT(*) AS n FROM events"))
    await house.close()
    assert (found, outcome.waiting) == ([], 0)
    assert [row["n"] for row in rows] == list(range(1, count["n"] + 1))
    assert len({row["event_id"] for row in rows}) == count["n"] > 100
