"""Turns: a job's tick is taken once, by the transaction that does its work."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from storage import turns
from storage.database import Database, Tx
from tests.backends import open_bare

AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    opened = await open_bare()
    await opened.transaction(
        lambda tx: tx.run("CREATE TABLE turns (job TEXT, tick TEXT, taken_at BIGINT, PRIMARY KEY (job, tick))")
    )
    yield opened
    await opened.close()


async def take(database: Database, job: str, tick: str) -> bool:
    return await database.transaction(lambda tx: turns.take(tx, job, tick, AT))


async def test_a_tick_is_taken_once(database: Database) -> None:
    assert await take(database, "digest", "2026-01-05T09:00")
    assert not await take(database, "digest", "2026-01-05T09:00")


async def test_other_ticks_and_other_jobs_have_turns_of_their_own(database: Database) -> None:
    assert await take(database, "digest", "2026-01-05T09:00")
    assert await take(database, "digest", "2026-01-06T09:00")
    assert await take(database, "report", "2026-01-05T09:00")


async def test_work_that_fails_gives_the_turn_back(database: Database) -> None:
    async def work(tx: Tx) -> None:
        assert await turns.take(tx, "digest", "2026-01-05T09:00", AT)
        raise KeyError

    with pytest.raises(KeyError):
        await database.transaction(work)
    assert await take(database, "digest", "2026-01-05T09:00")
