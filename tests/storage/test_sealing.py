"""Sealing where ids are committed out of order, and where two would seal at the same time."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest

from bot.clock import Bell
from domain.audit import Fault, Kind
from handlers import sealer
from storage import history, seals
from storage.database import Database, Tx
from storage.history import Line
from tests.backends import Backend, open_house
from tests.storage.tampering import AT, KEY, RULES, seal_all, verified

BACKENDS = ("postgres",)
LONG = 5.0


@pytest.fixture
async def house() -> AsyncIterator[Database]:
    opened = await open_house("sqlite:///one.db", connections=8)
    await opened.transaction(seal_all)
    yield opened
    await opened.close()


def noted(text: str = "") -> Callable[[Tx], Awaitable[int]]:
    return lambda tx: history.write(tx, Line("park", "noted", None, AT, {}, text=text))


class Slow:
    """A unit that writes a line and commits only when it is told to."""

    def __init__(self) -> None:
        self.written, self.go_on = threading.Event(), threading.Event()

    async def __call__(self, tx: Tx) -> int:
        made = await noted()(tx)
        self.written.set()
        assert self.go_on.wait(LONG)
        return made


async def begun(house: Database) -> tuple[Slow, "asyncio.Task[int]"]:
    slow = Slow()
    task = asyncio.create_task(house.transaction(slow))
    assert await asyncio.to_thread(slow.written.wait, LONG)
    return slow, task


async def order(house: Database) -> list[int]:
    rows = await house.reading(lambda tx: tx.all("SELECT event_id FROM seals WHERE n > 0 ORDER BY n"))
    return [row["event_id"] for row in rows]


async def test_an_event_that_is_committed_late_is_sealed_behind_those_of_higher_ids(house: Database) -> None:
    slow, task = await begun(house)
    later = await house.transaction(noted())
    await house.transaction(seal_all)
    assert await order(house) == [later]
    slow.go_on.set()
    early = await task
    await house.transaction(seal_all)
    assert early < later
    assert await order(house) == [later, early]
    assert (await house.reading(verified))[1] == []


async def test_in_a_long_chain_too_a_late_commit_has_its_time(house: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "WINDOW", {"postgres": 5})
    for _ in range(10):
        await house.transaction(noted())
    await house.transaction(seal_all)
    slow, task = await begun(house)
    for _ in range(4):
        await house.transaction(noted())
        await house.transaction(seal_all)
    slow.go_on.set()
    late = await task
    await house.transaction(seal_all)
    assert (await order(house))[-1] == late
    assert (await house.reading(verified))[1] == []


async def test_what_turns_up_later_than_any_transaction_can_is_never_sealed_and_told_as_inserted(
    house: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "WINDOW", {"postgres": 5})
    slow, task = await begun(house)
    for count in range(5):
        await house.transaction(noted())
        await house.transaction(seal_all)
        assert await house.reading(seals.floor) == 0, count
    await house.transaction(noted())
    await house.transaction(seal_all)
    slow.go_on.set()
    late = await task
    await house.transaction(seal_all)
    assert late not in await order(house)
    outcome, found = await house.reading(verified)
    assert (found, outcome.waiting) == ([Fault(Kind.INSERTED, 0, late)], 0)


def bell(database: Database) -> Bell:
    return Bell(database, RULES, [sealer(KEY)], civil=lambda: AT, done=lambda: None)


async def test_appenders_side_by_side_and_two_sealers_leave_one_chain(
    house: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "BATCH", 20)
    other = await open_house("sqlite:///one.db", connections=2)
    writing = [asyncio.create_task(_append(house, n)) for n in range(6)]

    async def keep_sealing(database: Database) -> None:
        own = bell(database)
        while not all(task.done() for task in writing):
            await own.ring()
            await asyncio.sleep(0)

    async with asyncio.timeout(40):
        await asyncio.gather(*writing, keep_sealing(house), keep_sealing(other))
    await bell(house).ring()
    outcome, found = await house.reading(verified)
    assert (found, outcome.waiting) == ([], 0)
    assert outcome.end is not None
    assert outcome.end.n == len(set(await order(house))) == 6 * 60
    await other.close()


async def _append(house: Database, n: int) -> None:
    """Transactions of one to three lines, every fifth of which is rolled back, so that ids are lost."""
    written = 0
    while written < 60:
        lines = min(1 + (written + n) % 3, 60 - written)

        async def unit(tx: Tx, lines: int = lines, fails: bool = (written + n) % 5 == 0) -> None:
            for _ in range(lines):
                await noted("原话")(tx)
            if fails:
                async with tx.savepoint():
                    await noted()(tx)
                    raise ZeroDivisionError

        with suppress(ZeroDivisionError):
            await house.transaction(_caught(unit))
        written += lines


def _caught(unit: Callable[[Tx], Awaitable[None]]) -> Callable[[Tx], Awaitable[None]]:
    async def wrapped(tx: Tx) -> None:
        with suppress(ZeroDivisionError):
            await unit(tx)

    return wrapped


class Stuck:
    """A sealer that freezes amid its unit, once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.frozen, self.thaw = threading.Event(), threading.Event()
        self._append = seals.append
        monkeypatch.setattr(seals, "append", self)

    async def __call__(self, tx: Tx, key: bytes, rows: object) -> None:
        await self._append(tx, key, rows)  # type: ignore[arg-type]  # handed on as it came
        if not self.frozen.is_set():
            self.frozen.set()
            assert self.thaw.wait(LONG)


async def test_while_one_sealer_is_frozen_nobody_doubles_its_work_and_when_its_session_ends_the_other_goes_on(
    house: Database, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await open_house("sqlite:///one.db", connections=2)
    events = [await house.transaction(noted()) for _ in range(4)]
    stuck = Stuck(monkeypatch)
    frozen = asyncio.create_task(bell(house).ring_safely())
    assert await asyncio.to_thread(stuck.frozen.wait, LONG)
    async with asyncio.timeout(LONG):
        await bell(other).ring()
    assert await order(other) == []
    ended = """SELECT COUNT(pg_terminate_backend(pid)) AS n FROM pg_stat_activity
               WHERE datname = current_database() AND state = 'idle in transaction'"""
    assert [row["n"] for row in await other.transaction(lambda tx: tx.all(ended))] == [1]
    async with asyncio.timeout(LONG):
        while not await order(other):
            await bell(other).ring()
    assert await order(other) == events
    events.append(await other.transaction(noted()))
    stuck.thaw.set()
    await frozen  # its commit finds the session gone
    assert await order(other) == events[:-1]
    await bell(house).ring()
    assert await order(other) == events
    assert (await house.reading(verified))[1] == []
    await other.close()
