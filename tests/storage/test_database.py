"""What every backend promises alike: one unit at a time or many, all of it or nothing, and nothing confirmed early."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.database import Database, Tx
from storage.errors import ConstraintViolated, SeveralRows, WriteRefused
from tests.backends import IN_MEMORY, Backend, open_bare
from tests.errors import ExpectedErrors
from tests.storage.notes import bodies, make_tables, together, write, write_then_fail

HANDS = 8


@pytest.fixture(params=["one", "several"])
async def either(request: pytest.FixtureRequest, backend: Backend, tmp_path: Path) -> AsyncIterator[Database]:
    """In memory, or one connection; in a file, or eight."""
    few = request.param == "one"
    url = IN_MEMORY if few or backend.name != "sqlite" else f"sqlite:///{tmp_path}/data/house.db"
    opened = await open_bare(url, connections=1 if few else HANDS)
    await opened.transaction(make_tables)
    yield opened
    await opened.close()


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
        found = await bodies(either)
        assert [body for body in found if body != "beside"] == ["before", "after"]
        assert len(found) == 3

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
    async def test_a_unit_that_fails_is_undone_alone(self, either: Database) -> None:
        first, second, third = await together(
            either, write("one"), write_then_fail("two", KeyError("two")), write("three")
        )
        assert (first, third) == (1, 1)
        assert isinstance(second, KeyError)
        assert sorted(await bodies(either)) == ["one", "three"]


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
        assert set(kept) - {"cancelled while it ran"} == {f"n{n}" for n in range(5)}
        assert called == ["pump"] * (len(kept) - 5)

    async def test_a_unit_whose_caller_left_before_its_turn_does_not_run(self, either: Database) -> None:
        gate = threading.Event()

        async def busy(_: Tx) -> None:
            gate.wait(10)

        ahead = [asyncio.create_task(either.transaction(busy)) for _ in range(HANDS)]
        await asyncio.sleep(0)
        early = asyncio.create_task(either.transaction(write("never")))
        await asyncio.sleep(0)  # handed in, but not over
        early.cancel()
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*ahead)
        await either.transaction(write("other"))
        assert await bodies(either) == ["other"]


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
