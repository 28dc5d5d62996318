"""The SQLite backend: units one by one, commits shared, nothing confirmed that is not committed."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import closing, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from storage import sqlite_connection, sqlite_writer
from storage.database import Database, Tx
from storage.errors import ConstraintViolated, SeveralRows, StorageUnavailable, WriteRefused
from storage.sqlite import open_sqlite
from storage.sqlite_connection import connect
from tests.errors import ExpectedErrors
from tests.storage.notes import Unit, bodies, make_tables, owe_to_nobody, together, write, write_then_fail

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
    async def test_its_value_comes_back_and_its_rows_are_mappings(self, either: Database) -> None:
        async def unit(tx: Tx) -> tuple[object, object]:
            written = await tx.one("INSERT INTO notes (body) VALUES (:b) RETURNING id, body", {"b": "甲"})
            return dict(written or {}), await tx.one("SELECT 1 AS x WHERE 1 = 0")

        assert await either.transaction(unit) == ({"id": 1, "body": "甲"}, None)

    async def test_one_row_is_an_error_when_there_are_several(self, either: Database) -> None:
        await together(either, write("a"), write("b"))
        with pytest.raises(SeveralRows):
            await either.reading(lambda tx: tx.one("SELECT * FROM notes"))
        with pytest.raises(SeveralRows):
            await either.transaction(lambda tx: tx.one("SELECT * FROM notes"))

    async def test_run_counts_the_rows_it_changed(self, either: Database) -> None:
        await together(either, write("a"), write("b"), write("c"))

        async def unit(tx: Tx) -> list[int]:
            return [
                await tx.run("UPDATE notes SET body = body || '!' WHERE body IN ('a', 'b')"),
                await tx.run("UPDATE notes SET body = 'x' WHERE body = 'nobody'"),
                await tx.run("WITH c AS (SELECT 'c' AS b) UPDATE notes SET body = 'd' WHERE body IN (SELECT b FROM c)"),
                await tx.run("DELETE FROM notes WHERE body = 'd' RETURNING id"),
                await tx.run("INSERT INTO notes (body) VALUES ('a!') ON CONFLICT DO NOTHING"),
            ]

        assert await either.transaction(unit) == [2, 0, 1, 1, 0]

    async def test_what_it_raises_reaches_its_caller_and_undoes_it(self, either: Database) -> None:
        with pytest.raises(KeyError, match="why"):
            await either.transaction(write_then_fail("gone", KeyError("why")))
        assert await bodies(either) == []

    async def test_it_may_wait_for_nothing_but_its_tx(self, either: Database) -> None:
        left: list[str] = []

        async def unit(tx: Tx) -> None:
            await tx.run("INSERT INTO notes (body) VALUES ('gone')")
            try:
                await asyncio.sleep(0)
            finally:
                left.append("closed")

        with pytest.raises(RuntimeError, match="await only its Tx"):
            await either.transaction(unit)
        assert (await bodies(either), left) == ([], ["closed"])

    async def test_its_tx_is_of_no_use_afterwards(self, either: Database) -> None:
        kept: list[Tx] = []

        async def unit(tx: Tx) -> None:
            kept.append(tx)

        await either.transaction(unit)
        await either.reading(unit)
        for tx in kept:
            with pytest.raises(RuntimeError, match="finished"):
                await tx.all("SELECT 1")

    @pytest.mark.parametrize("word", ["COMMIT", " rollback", "BEGIN", "END", "SAVEPOINT x", "RELEASE x"])
    async def test_it_may_not_end_the_transaction_it_shares(self, either: Database, word: str) -> None:
        with pytest.raises(RuntimeError, match="savepoint"):
            await either.transaction(lambda tx: tx.run(word))
        with pytest.raises(RuntimeError, match="savepoint"):
            await either.reading(lambda tx: tx.all(word))

    async def test_it_sees_the_context_of_its_caller(self, either: Database) -> None:
        message = ContextVar("message", default="none")
        message.set("m-17")

        async def unit(tx: Tx) -> str:
            return message.get()

        assert await either.transaction(unit) == "m-17"

    async def test_a_time_cannot_be_stored_by_mistake(self, either: Database) -> None:
        with pytest.raises(TypeError, match="to_ms"):
            await either.transaction(lambda tx: tx.all("SELECT :at", {"at": datetime(2026, 1, 5, tzinfo=UTC)}))

    async def test_a_broken_rule_of_the_schema_is_told_as_such(self, either: Database) -> None:
        await either.transaction(write("a"))
        with pytest.raises(ConstraintViolated, match="UNIQUE"):
            await either.transaction(write("a"))

    async def test_a_mistake_in_the_sql_stays_a_mistake(self, either: Database) -> None:
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await either.transaction(lambda tx: tx.all("SELECT * FROM nowhere"))


class TestSavepoints:
    async def test_a_block_that_raises_is_undone_alone(self, either: Database) -> None:
        async def unit(tx: Tx) -> None:
            await tx.run("INSERT INTO notes (body) VALUES ('before')")
            with suppress(ValueError):
                async with tx.savepoint():
                    await tx.run("INSERT INTO notes (body) VALUES ('undone')")
                    async with tx.savepoint():
                        await tx.run("INSERT INTO notes (body) VALUES ('undone too')")
                    raise ValueError
            async with tx.savepoint():
                await tx.run("INSERT INTO notes (body) VALUES ('after')")

        await asyncio.gather(either.transaction(unit), either.transaction(write("beside")))
        assert await bodies(either) == ["before", "after", "beside"]

    async def test_its_calls_after_the_commit_are_dropped_with_it(self, either: Database) -> None:
        called: list[str] = []

        async def unit(tx: Tx) -> None:
            tx.on_commit(lambda: called.append("kept"))
            with suppress(ValueError):
                async with tx.savepoint():
                    tx.on_commit(lambda: called.append("dropped"))
                    raise ValueError

        await either.transaction(unit)
        assert called == ["kept"]


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

    async def test_a_unit_that_fails_is_undone_alone(self, either: Database) -> None:
        first, second, third = await together(
            either, write("one"), write_then_fail("two", KeyError("two")), write("three")
        )
        assert (first, third) == (1, 1)
        assert isinstance(second, KeyError)
        assert await bodies(either) == ["one", "three"]

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


class TestAfterTheCommit:
    async def test_calls_run_on_the_event_loop_and_before_the_answer(self, either: Database) -> None:
        loops: list[object] = []

        async def unit(tx: Tx) -> None:
            tx.on_commit(lambda: loops.append(asyncio.get_running_loop()))

        await either.transaction(unit)
        assert loops == [asyncio.get_running_loop()]

    async def test_a_unit_that_fails_calls_nothing(self, either: Database) -> None:
        called: list[int] = []

        async def unit(tx: Tx) -> None:
            tx.on_commit(lambda: called.append(1))
            raise KeyError

        await together(either, unit, write("beside"))  # type: ignore[arg-type]  # three units of different results
        with pytest.raises(KeyError):
            await either.transaction(unit)
        assert called == []

    async def test_a_call_that_fails_is_logged_and_takes_nobody_along(
        self, either: Database, expected_errors: ExpectedErrors
    ) -> None:
        expected_errors.expect("a call after a commit failed")
        called: list[int] = []

        async def unit(tx: Tx) -> int:
            tx.on_commit(lambda: called.append(1 // 0))
            tx.on_commit(lambda: called.append(2))
            return 7

        assert await either.transaction(unit) == 7
        assert called == [2]


class TestCancelling:
    async def test_a_cancelled_caller_harms_no_other(self, either: Database) -> None:
        called: list[str] = []

        async def unit(tx: Tx) -> int:
            tx.on_commit(lambda: called.append("pump"))
            return await write("cancelled while it ran")(tx)

        started = asyncio.create_task(either.transaction(unit))
        others = [asyncio.create_task(either.transaction(write(f"n{n}"))) for n in range(5)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # handed over to the writer by now
        started.cancel()
        with suppress(asyncio.CancelledError):
            await started
        assert await asyncio.gather(*others) == [1] * 5
        kept = await bodies(either)
        assert kept[-5:] == [f"n{n}" for n in range(5)]
        assert called == ["pump"] * (len(kept) - 5)

    async def test_a_unit_whose_caller_left_before_its_turn_does_not_run(self, either: Database) -> None:
        early = asyncio.create_task(either.transaction(write("never")))
        await asyncio.sleep(0)  # handed in, but not over
        early.cancel()
        await either.transaction(write("other"))
        assert await bodies(either) == ["other"]

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
    @pytest.mark.parametrize("sql", ["INSERT INTO notes (body) VALUES ('x') RETURNING id", "DELETE FROM notes"])
    async def test_it_cannot_write(self, either: Database, sql: str) -> None:
        for unit in (lambda tx: tx.all(sql), lambda tx: tx.run(sql)):
            with pytest.raises(WriteRefused):
                await either.reading(unit)
        await either.transaction(write("writing goes on"))

    async def test_it_has_no_commit_to_wait_for(self, either: Database) -> None:
        async def unit(tx: Tx) -> None:
            tx.on_commit(print)

        with pytest.raises(WriteRefused):
            await either.reading(unit)

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
