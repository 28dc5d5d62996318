"""People and firms as they are found by what somebody wrote, the same on every backend."""

from collections.abc import AsyncIterator

import pytest

from domain.people import Role
from storage import house, people
from storage.database import Database, Tx
from tests import making
from tests.backends import open_house


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    opened = await open_house()
    yield opened
    await opened.close()


@pytest.mark.parametrize("written", ["acme", "ACME 机械", "Acme", "机械"])
async def test_a_part_of_a_firms_name_finds_it_in_small_letters_and_capitals(database: Database, written: str) -> None:
    async def unit(tx: Tx) -> list[str]:
        await making.make_enterprise(tx, "Acme 机械有限公司", short_name="爱克")
        await making.make_enterprise(tx, "和顺物流有限公司", short_name="和顺")
        return [firm.short_name for firm in await people.enterprises_called(tx, written)]

    assert await database.transaction(unit) == ["爱克"]


@pytest.mark.parametrize("written", ["%", "_", "\\", "100%"])
async def test_signs_of_the_databases_own_mean_themselves(database: Database, written: str) -> None:
    async def unit(tx: Tx) -> list[str]:
        await making.make_enterprise(tx, "宏达机械有限公司")
        return [firm.name for firm in await people.enterprises_called(tx, written)]

    assert await database.transaction(unit) == []


async def test_of_several_accounts_the_one_bound_last_stands_in_the_roster(database: Database) -> None:
    async def unit(tx: Tx) -> str:
        wang = await making.make_person(tx, "王敏", Role.LIAISON, chat=False)
        for name, bound_at in (("late", 2), ("early", 1), ("unknown", None)):
            await tx.run(
                """INSERT INTO accounts(channel, external_id, person_id, bound_at)
                   VALUES ('telegram', :name, :person, :at)""",
                {"name": name, "person": wang, "at": bound_at},
            )
        return (await house.read(tx)).people[wang].telegram_id or ""

    assert await database.transaction(unit) == "late"
