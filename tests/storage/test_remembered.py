"""The roster is read once: until it changes here, is changed by another program, or was changed in vain."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.people import Role
from storage import people
from storage.database import Database, Tx
from storage.open import open_database
from storage.remembered import changes_kept
from tests import making
from tests.making import civil

NOW = civil("2026-03-11 09:00")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(f"sqlite:///{tmp_path}/house.db")
    yield opened
    await opened.close()


@pytest.fixture
async def wang(database: Database) -> int:
    return await database.transaction(lambda tx: making.make_person(tx, "王敏", Role.LIAISON))


async def name_of(database: Database, person_id: int) -> str:
    async def unit(tx: Tx) -> str:
        found = await people.person(tx, person_id, NOW)
        assert found is not None
        return found.name

    return await database.transaction(unit)


def renamed(name: str, person_id: int) -> tuple[str, dict[str, object]]:
    return "UPDATE people SET name = :name WHERE id = :id", {"name": name, "id": person_id}


async def test_what_one_unit_changes_the_next_one_sees(database: Database, wang: int) -> None:
    assert await name_of(database, wang) == "王敏"
    await database.transaction(lambda tx: tx.run(*renamed("王小敏", wang)))
    assert await name_of(database, wang) == "王小敏"


async def test_a_unit_sees_what_it_has_changed_itself(database: Database, wang: int) -> None:
    async def unit(tx: Tx) -> list[str]:
        seen = []
        for name in ("甲", "乙"):
            await tx.run(*renamed(name, wang))
            found = await people.person(tx, wang, NOW)
            assert found is not None
            seen.append(found.name)
        return seen

    await name_of(database, wang)
    assert await database.transaction(unit) == ["甲", "乙"]


async def test_what_was_undone_is_not_remembered(database: Database, wang: int) -> None:
    async def unit(tx: Tx) -> None:
        await tx.run(*renamed("无人", wang))
        await people.person(tx, wang, NOW)
        raise ValueError("in vain")

    with pytest.raises(ValueError, match="in vain"):
        await database.transaction(unit)
    assert await name_of(database, wang) == "王敏"


async def test_a_block_that_was_undone_is_not_remembered(database: Database, wang: int) -> None:
    async def unit(tx: Tx) -> str:
        try:
            async with tx.savepoint():
                await tx.run(*renamed("无人", wang))
                await people.person(tx, wang, NOW)
                raise ValueError("in vain")
        except ValueError:
            pass
        found = await people.person(tx, wang, NOW)
        assert found is not None
        return found.name

    assert await database.transaction(unit) == "王敏"
    assert await name_of(database, wang) == "王敏"


async def test_what_another_program_changes_is_seen(database: Database, wang: int, tmp_path: Path) -> None:
    assert await name_of(database, wang) == "王敏"
    other = await open_database(f"sqlite:///{tmp_path}/house.db")
    await other.transaction(lambda tx: tx.run(*renamed("王大敏", wang)))
    await other.close()
    assert await name_of(database, wang) == "王大敏"


@pytest.mark.parametrize(
    "sql, changes",
    [
        ("UPDATE people SET name = :n", True),
        ("  INSERT INTO person_roles VALUES (:a, :b)", True),
        ("DELETE FROM contacts WHERE person_id = 1", True),
        ("delete  from chat_enterprises", True),
        ("WITH x AS (SELECT 1) UPDATE accounts SET person_id = 1", True),
        ("INSERT INTO closures(day, reason) VALUES (:day, :reason)", True),
        ("DELETE FROM closures WHERE day = :day", True),
        ("INSERT INTO calendar_years(year, body) VALUES (:y, :b) ON CONFLICT (year) DO UPDATE SET body = :b", True),
        ("UPDATE calendar_counted SET fingerprint = :new", False),
        ("SELECT * FROM people", False),
        ("UPDATE chats SET heard_at = 1", False),
        ("INSERT INTO outbox(person_id) SELECT id FROM people", False),
        ("UPDATE people_of_another_table SET x = 1", False),
    ],
)
def test_only_writes_to_roster_and_calendar_make_it_forget(sql: str, changes: bool) -> None:
    assert changes_kept(sql) is changes
