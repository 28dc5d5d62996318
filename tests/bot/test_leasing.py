"""Work that one process alone may do: held by a lease, given back, taken over from the dead."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from bot import leasing
from storage import leases
from storage.database import Database
from storage.open import open_database

NAME = "telegram:123456"


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    opened = await open_database("sqlite:///:memory:")
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leasing, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(leasing, "RENEW_SECONDS", 0.02)


class Work:
    """Notes who does it now."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0
        self.begun = asyncio.Event()

    async def __call__(self) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.now -= 1


async def stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_one_works_and_the_other_takes_over_as_soon_as_it_stops(database: Database) -> None:
    work = Work()
    tasks = [asyncio.create_task(leasing.hold(database, NAME, work)) for _ in range(2)]
    async with asyncio.timeout(5):
        await work.begun.wait()
        await asyncio.sleep(0.03)
        assert work.now == 1
        work.begun.clear()
        await stop(tasks[0])
        await work.begun.wait()
    assert (work.now, work.most) == (1, 1)
    await stop(tasks[1])


def dead_pid() -> int:
    """A number that no process has."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


@pytest.mark.parametrize("own", [True, False])
async def test_a_holder_of_this_machine_that_is_dead_is_followed_at_once(database: Database, own: bool) -> None:
    pid = os.getpid() if own else dead_pid()
    holder = f"{socket.gethostname()}:{pid}:another.life"
    await database.transaction(lambda tx: leases.take(tx, NAME, holder, 3600))
    work = Work()
    task = asyncio.create_task(leasing.hold(database, NAME, work))
    async with asyncio.timeout(5):
        await work.begun.wait()
    await stop(task)


@pytest.mark.parametrize("holder", ["another-machine:1:x", "nonsense", f"{socket.gethostname()}:{os.getppid()}:x"])
async def test_a_holder_that_may_be_alive_is_waited_for(database: Database, holder: str) -> None:
    await database.transaction(lambda tx: leases.take(tx, NAME, holder, 3600))
    work = Work()
    task = asyncio.create_task(leasing.hold(database, NAME, work))
    await asyncio.sleep(0.04)
    assert work.now == 0
    await stop(task)


async def test_work_stops_when_the_lease_is_lost(database: Database) -> None:
    work = Work()
    task = asyncio.create_task(leasing.hold(database, NAME, work))
    async with asyncio.timeout(5):
        await work.begun.wait()
        await database.transaction(
            lambda tx: tx.run("UPDATE leases SET holder = 'another-machine:1:x', token = token + 1")
        )
        while work.now:  # noqa: ASYNC110 - seen from outside
            await asyncio.sleep(0.005)
    await stop(task)


async def test_work_that_fails_ends_it_and_leaves_the_lease_free(database: Database) -> None:
    async def broken() -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        await leasing.hold(database, NAME, broken)
    assert await database.transaction(lambda tx: leases.take(tx, NAME, "other", 10)) is not None
