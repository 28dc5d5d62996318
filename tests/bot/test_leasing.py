"""Work that one process alone may do: held by a lease, given back, taken over from the dead."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest

from bot import leasing
from storage import leases
from storage.database import Database
from storage.errors import StorageUnavailable
from tests.backends import open_house

NAME = "telegram:123456"


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    opened = await open_house("sqlite:///:memory:")
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
    await database.transaction(lambda tx: leases.take(tx, NAME, holder, 20))
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


class Shaky:
    """A database whose transactions fail in turn as told: an exception, or "hang"; afterwards it works."""

    def __init__(self, database: Database, *ends: Exception | str) -> None:
        self._work = database.transaction
        self.ends = list(ends)
        self.met = 0

    async def transaction(self, unit: Any) -> Any:
        self.met += 1
        end = self.ends.pop(0) if self.ends else None
        if isinstance(end, Exception):
            raise end
        if end == "hang":
            await asyncio.Event().wait()
        return await self._work(unit)


async def seen(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - seen from outside
            await asyncio.sleep(0.002)


async def until_of(database: Database) -> float:
    """The end of the lease and the database's time, as the difference in seconds."""
    row = await database.reading(
        lambda tx: tx.one(f"SELECT until_ms - {leases.NOW_MS['sqlite']} AS left_ms FROM leases", {})
    )
    assert row is not None
    return float(row["left_ms"]) / 1000


@pytest.mark.parametrize("trouble", [StorageUnavailable("the disk is full"), "hang"])
async def test_work_that_cannot_be_renewed_stops_before_the_lease_runs_out(
    database: Database, monkeypatch: pytest.MonkeyPatch, trouble: Exception | str
) -> None:
    monkeypatch.setattr(leasing, "LEASE_SECONDS", 0.3)
    monkeypatch.setattr(leasing, "STOP_SECONDS", 0.15)
    monkeypatch.setattr(leasing, "RENEW_SECONDS", 0.04)
    shaky, work = Shaky(database), Work()
    monkeypatch.setattr(database, "transaction", shaky.transaction)
    task = asyncio.create_task(leasing.hold(database, NAME, work))
    async with asyncio.timeout(5):
        await work.begun.wait()
    shaky.ends += [trouble] * 50
    await seen(lambda: not work.now)
    assert await until_of(database) > 0
    await stop(task)


async def test_one_renewal_that_fails_is_tried_again_and_nothing_stops(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, shaky = Work(), Shaky(database)
    monkeypatch.setattr(database, "transaction", shaky.transaction)
    task = asyncio.create_task(leasing.hold(database, NAME, work))
    async with asyncio.timeout(5):
        await work.begun.wait()
    shaky.ends += [StorageUnavailable("busy"), "hang"]
    met = shaky.met
    await seen(lambda: shaky.met > met + 3)
    assert (work.now, work.most) == (1, 1)
    work.begun.clear()
    await stop(task)
    assert not work.begun.is_set()


async def test_work_goes_on_undisturbed_for_as_long_as_the_lease_is_renewed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leasing, "LEASE_SECONDS", 10.0)
    monkeypatch.setattr(leasing, "STOP_SECONDS", 9.6)
    work, shaky = Work(), Shaky(database)
    monkeypatch.setattr(database, "transaction", shaky.transaction)
    task = asyncio.create_task(leasing.hold(database, NAME, work))
    async with asyncio.timeout(5):
        await work.begun.wait()
    work.begun.clear()
    await seen(lambda: shaky.met > 25)
    assert (work.now, work.begun.is_set()) == (1, False)
    await stop(task)


async def test_a_lease_that_storage_cannot_give_is_asked_for_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "transaction", Shaky(database, StorageUnavailable("busy")).transaction)
    work = Work()
    task = asyncio.create_task(leasing.hold(database, NAME, work))
    async with asyncio.timeout(5):
        await work.begun.wait()
    await stop(task)


async def test_work_that_meets_storage_trouble_begins_anew(database: Database) -> None:
    work, tries = Work(), []

    async def stumbling() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise StorageUnavailable("the disk is full")
        await work()

    task = asyncio.create_task(leasing.hold(database, NAME, stumbling))
    async with asyncio.timeout(5):
        await work.begun.wait()
    assert len(tries) == 2
    await stop(task)


async def test_a_bug_while_renewing_ends_the_work_and_is_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, shaky = Work(), Shaky(database)
    monkeypatch.setattr(database, "transaction", shaky.transaction)
    task = asyncio.create_task(leasing.hold(database, NAME, work))
    async with asyncio.timeout(5):
        await work.begun.wait()
        shaky.ends.append(ZeroDivisionError("a bug"))
        with pytest.raises(ZeroDivisionError):
            await task
    assert work.now == 0


async def test_a_dead_holder_of_another_machine_is_followed_once_its_lease_has_run_out(database: Database) -> None:
    await database.transaction(lambda tx: leases.take(tx, NAME, "another-machine:1:x", 0.03))
    work = Work()
    task = asyncio.create_task(leasing.hold(database, NAME, work))
    async with asyncio.timeout(5):
        await work.begun.wait()
    held = await database.reading(lambda tx: leases.holder_of(tx, NAME))
    assert held.startswith(f"{socket.gethostname()}:{os.getpid()}:")
    await stop(task)


async def test_a_lease_is_given_back_even_if_the_work_takes_its_time_to_stop(database: Database) -> None:
    begun = asyncio.Event()

    async def slow() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.02)

    task = asyncio.create_task(leasing.hold(database, NAME, slow))
    async with asyncio.timeout(5):
        await begun.wait()
    await stop(task)
    assert await database.transaction(lambda tx: leases.take(tx, NAME, "other", 10)) is not None
