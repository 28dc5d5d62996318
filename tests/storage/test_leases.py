"""Leases: one holder at a time, and a token that tells an old holder from a new one."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from storage import leases
from storage.database import Database
from storage.leases import Lease
from tests.backends import open_bare

TABLE = """CREATE TABLE leases (
    name TEXT PRIMARY KEY, holder TEXT NOT NULL, token BIGINT NOT NULL, until_ms BIGINT NOT NULL)"""
OVER = 0  # seconds: a lease that has run out at once


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    opened = await open_bare()
    await opened.transaction(lambda tx: tx.run(TABLE))
    yield opened
    await opened.close()


async def take(database: Database, holder: str, seconds: float = 60, name: str = "polling") -> Lease | None:
    return await database.transaction(lambda tx: leases.take(tx, name, holder, seconds))


async def taken(database: Database, holder: str, seconds: float = 60) -> Lease:
    lease = await take(database, holder, seconds)
    assert lease is not None
    return lease


async def renew(database: Database, lease: Lease, seconds: float = 60) -> Lease | None:
    return await database.transaction(lambda tx: leases.renew(tx, lease, seconds))


async def held(database: Database, lease: Lease) -> bool:
    return await database.reading(lambda tx: leases.held(tx, lease))


async def test_one_holds_it_and_the_others_are_turned_away(database: Database) -> None:
    lease = await taken(database, "first")
    assert (lease.name, lease.holder, lease.token) == ("polling", "first", 1)
    assert await take(database, "second") is None
    assert await held(database, lease)


async def test_different_leases_have_nothing_to_do_with_each_other(database: Database) -> None:
    await taken(database, "first")
    assert await take(database, "second", name="sealer") is not None


async def test_whether_any_of_a_kind_is_held_can_be_asked(database: Database) -> None:
    async def held_by_any(prefix: str) -> bool:
        return await database.reading(lambda tx: leases.any_held(tx, prefix))

    assert not await held_by_any("wecom_aibot:")
    await taken(database, "a", OVER)
    lease = await take(database, "a", name="wecom_aibot:aib1")
    assert lease is not None
    assert await held_by_any("wecom_aibot:")
    assert not await held_by_any("wecomXaibot:")
    assert not await held_by_any("polling")
    await database.transaction(lambda tx: leases.release(tx, lease))
    assert not await held_by_any("wecom_aibot:")


async def test_a_lease_that_ran_out_is_taken_over_with_the_next_token(database: Database) -> None:
    old = await taken(database, "first", OVER)
    new = await taken(database, "second")
    assert (new.holder, new.token) == ("second", old.token + 1)
    assert not await held(database, old)
    assert await renew(database, old) is None
    assert not await database.transaction(lambda tx: leases.release(tx, old))
    assert await held(database, new)


async def test_a_lease_from_before_the_clock_was_put_back_is_taken_over_with_the_next_token(database: Database) -> None:
    lost = await taken(database, "first")
    await database.transaction(lambda tx: tx.run("UPDATE leases SET until_ms = until_ms + 3 * 3600 * 1000"))
    taken_over = await taken(database, "second")
    assert (taken_over.holder, taken_over.token) == ("second", 2)
    assert await renew(database, lost) is None


async def test_its_holder_who_takes_it_again_keeps_the_token(database: Database) -> None:
    first = await taken(database, "first", 10)
    again = await taken(database, "first", 60)
    assert again.token == first.token
    assert again.until > first.until


async def test_its_holder_who_let_it_run_out_gets_a_new_token(database: Database) -> None:
    old = await taken(database, "first", OVER)
    assert await renew(database, old) is None
    assert (await taken(database, "first")).token == old.token + 1


async def test_renewing_gives_more_time_under_the_same_token(database: Database) -> None:
    lease = await taken(database, "first", 10)
    renewed = await renew(database, lease, 60)
    assert renewed is not None
    assert renewed.token == lease.token
    assert timedelta(seconds=49) < renewed.until - lease.until < timedelta(seconds=60)


async def test_a_released_lease_is_free_and_its_token_still_grows(database: Database) -> None:
    lease = await taken(database, "first")
    assert await database.transaction(lambda tx: leases.release(tx, lease))
    assert not await held(database, lease)
    assert (await taken(database, "second")).token == lease.token + 1


async def test_the_time_is_the_databases(database: Database) -> None:
    lease = await taken(database, "first", 60)
    now = await database.reading(leases.now)
    assert timedelta(seconds=59) < lease.until - now <= timedelta(seconds=60)
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=2)  # noqa: TID251 - a server on this machine has its clock
