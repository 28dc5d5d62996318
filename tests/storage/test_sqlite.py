"""The SQLite backend: units one by one, commits shared, nothing confirmed that is not committed."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from storage import sqlite_connection, sqlite_writer
from storage.database import Database, Tx
from storage.errors import ConstraintViolated, StorageUnavailable
from storage.sqlite import open_sqlite
from storage.sqlite_connection import connect
from tests.storage.notes import Unit, bodies, make_tables, owe_to_nobody, together, write

BACKENDS = ("sqlite",)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "house.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    opened = await open_sqlite(str(path))
    await opened.transaction(make_tables)
    yield opened
    await opened.close()


@pytest.fixture
async def memory() -> AsyncIterator[Database]:
    opened = await open_sqlite(":memory:")
    await opened.transaction(make_tables)
    yield opened
    await opened.close()


@pytest.fixture(params=["database", "memory"])
def either(request: pytest.FixtureRequest) -> Database:
    chosen: Database = request.getfixturevalue(request.param)
    return chosen


def commits_of(statements: list[str]) -> int:
    return sum(text.startswith("COMMIT") for text in statements)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What SQLite is told from now on, by connections opened from now on."""
    told: list[str] = []

    def traced(path: str) -> sqlite3.Connection:
        connection = connect(path)
        connection.set_trace_callback(told.append)
        return connection

    monkeypatch.setattr(sqlite_writer, "connect", traced)
    return told


class TestOneUnit:
    async def test_a_mistake_in_the_sql_stays_a_mistake(self, either: Database) -> None:
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await either.transaction(lambda tx: tx.all("SELECT * FROM nowhere"))


class TestSharedCommits:
    async def test_units_that_wait_share_a_commit_64_at_a_time(self, statements: list[str], path: Path) -> None:
        database = await open_sqlite(str(path))
        await database.transaction(make_tables)
        del statements[:]
        await together(database, *(write(f"n{n}") for n in range(130)))
        assert commits_of(statements) == 3
        assert await bodies(database) == [f"n{n}" for n in range(130)]
        await database.close()

    async def test_units_run_in_the_order_they_were_handed_in(self, either: Database) -> None:
        ran: list[int] = []

        def unit(number: int) -> Unit:
            async def run(tx: Tx) -> int:
                ran.append(number)
                return number

            return run

        assert await together(either, *map(unit, range(200))) == list(range(200))
        assert ran == list(range(200))

    async def test_a_commit_that_fails_is_tried_again_unit_by_unit(self, either: Database) -> None:
        runs: list[str] = []
        called: list[str] = []

        def counted(body: str) -> Unit:
            async def unit(tx: Tx) -> int:
                runs.append(body)
                tx.on_commit(lambda: called.append(body))
                return await write(body)(tx)

            return unit

        results = await together(either, counted("a"), owe_to_nobody, counted("b"))
        assert isinstance(results[1], ConstraintViolated)
        assert (results[0], results[2]) == (1, 1)
        assert await bodies(either) == ["a", "b"]
        assert runs == ["a", "b", "a", "b"]
        assert called == ["a", "b"]

    async def test_a_unit_that_throws_the_whole_transaction_away_harms_no_other(self, either: Database) -> None:
        await either.transaction(
            lambda tx: tx.run(
                """CREATE TRIGGER bomb BEFORE INSERT ON notes WHEN NEW.body = 'bomb'
                BEGIN SELECT RAISE(ROLLBACK, 'all gone'); END"""
            )
        )

        async def careless(tx: Tx) -> int:
            with suppress(ConstraintViolated):
                await tx.run("INSERT INTO notes (body) VALUES ('bomb')")
            return await tx.run("INSERT INTO notes (body) VALUES ('outside any transaction')")

        results = await together(either, write("a"), careless, write("b"))
        assert isinstance(results[1], StorageUnavailable)
        assert await bodies(either) == ["a", "b"]

    async def test_nothing_is_confirmed_before_the_commit(self, database: Database, path: Path) -> None:
        async def confirmed(body: str) -> bool:
            await database.transaction(write(body))
            with closing(sqlite3.connect(path)) as other:
                return other.execute("SELECT 1 FROM notes WHERE body = ?", [body]).fetchone() is not None

        assert all(await asyncio.gather(*(confirmed(f"n{n}") for n in range(40))))

    async def test_units_that_find_the_database_locked_wait_for_it_once(
        self, statements: list[str], path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sqlite_connection, "BUSY_SECONDS", 0.02)
        database = await open_sqlite(str(path))
        await database.transaction(make_tables)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            del statements[:]
            results = await together(database, *(write(f"n{n}") for n in range(64)))
        assert {type(result) for result in results} == {StorageUnavailable}
        assert statements == ["BEGIN IMMEDIATE"]
        await database.close()


class TestCancelling:
    async def test_a_cancelled_reading_leaves_its_connection_clean(self, database: Database) -> None:
        async def long(tx: Tx) -> object:
            return await tx.all(
                """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
                SELECT i FROM n"""
            )

        await bodies(database)  # its connection is open now and waits for the next
        for moment in range(64):
            await cancelled(database.reading(long), after=moment % 16)  # from before its BEGIN to amid its rows
        await database.transaction(write("seen by all"))
        assert await asyncio.gather(*(bodies(database) for _ in range(8))) == [["seen by all"]] * 8

    async def test_a_begin_that_runs_after_the_cancelling_is_undone(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("aiosqlite.core.sqlite3.connect", partial(sqlite3.connect, factory=SlowToBegin))
        await bodies(database)
        await cancelled(database.reading(lambda tx: tx.all("SELECT 1")), after=1)
        assert await bodies(database) == []


class SlowToBegin(sqlite3.Connection):
    """A connection whose thread takes its time over a BEGIN, so that a cancelling comes first."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if sql == "BEGIN":
            threading.Event().wait(0.02)
        return super().execute(sql, parameters)


async def cancelled(reading: Coroutine[Any, Any, object], *, after: int) -> None:
    """Cancel a reading after so many turns of the loop, and wait until it is over."""
    task = asyncio.create_task(reading)
    for _ in range(after):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


class TestReading:
    async def test_it_keeps_seeing_the_state_it_began_with(self, database: Database) -> None:
        async def unit(tx: Tx) -> list[int]:
            seen = [len(await tx.all("SELECT 1 FROM notes"))]
            await database.transaction(write("meanwhile"))
            async with tx.savepoint():
                return [*seen, len(await tx.all("SELECT 1 FROM notes"))]

        assert await database.reading(unit) == [0, 0]
        assert await bodies(database) == ["meanwhile"]

    async def test_more_readings_than_connections_take_turns(self, database: Database) -> None:
        await database.transaction(write("a"))
        assert await asyncio.gather(*(bodies(database) for _ in range(30))) == [["a"]] * 30
