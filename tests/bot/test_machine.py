"""Machine time follows the database's clock where machines share one."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.machine import MachineClock
from storage import leases
from storage.database import Database
from tests.backends import open_bare

AT = datetime(2026, 3, 11, 9, tzinfo=UTC)



async def test_it_is_the_machines_own_until_it_follows() -> None:
    assert MachineClock(lambda: AT)() == AT


@pytest.mark.parametrize("backend", ["postgres"], indirect=True)
async def test_machines_whose_clocks_differ_come_to_the_same_moment() -> None:
    database = await open_bare()
    slow, fast = MachineClock(lambda: AT), MachineClock(lambda: AT + timedelta(hours=3))
    for clock in (slow, fast):
        await clock.follow(database)
    now = await database.reading(leases.now)
    assert abs(slow() - fast()) < timedelta(seconds=2)
    assert abs(slow() - now) < timedelta(seconds=2)
    await database.close()


async def test_it_goes_on_as_before_where_the_database_cannot_be_asked() -> None:
    database: Database = await open_bare()
    await database.close()
    clock = MachineClock(lambda: AT)
    await clock.follow(database)
    assert clock() == AT
