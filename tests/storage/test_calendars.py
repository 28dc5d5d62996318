"""The park's own calendar: in force in the next unit, everywhere, until it changes again."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from domain.closures import Closure
from domain.holidays import YearTable
from domain.rules import Rules
from storage import calendars
from storage.database import Database, Tx
from storage.open import open_database
from tests import making
from tests.making import civil, make_rules

NOW = civil("2026-08-19 09:00")
TYPHOON = date(2026, 8, 20)
RULES = make_rules()
NOTICE = YearTable(2027, frozenset({date(2027, 1, 1)}), frozenset({date(2027, 1, 3)}), published=True)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(f"sqlite:///{tmp_path}/house.db")
    yield opened
    await opened.close()


async def shut(tx: Tx) -> None:
    await calendars.close(tx, [Closure(TYPHOON, "台风")], None, NOW)


async def now(database: Database, rules: Rules = RULES) -> Rules:
    return await database.transaction(lambda tx: calendars.in_force(tx, rules))


async def read(database: Database) -> Rules:
    return await database.reading(lambda tx: calendars.in_force(tx, RULES))


async def test_without_entries_the_rules_are_those_of_the_config(database: Database) -> None:
    assert await now(database) is RULES
    assert await read(database) is RULES


async def test_a_closure_is_in_force_in_the_next_unit_for_writers_and_readers(database: Database) -> None:
    assert (await now(database)).calendar.is_working_day(TYPHOON)
    await database.transaction(shut)
    for rules in (await now(database), await read(database)):
        assert not rules.calendar.is_working_day(TYPHOON)
        assert rules.terms is RULES.terms


async def test_a_unit_sees_the_closure_that_it_has_entered_itself(database: Database) -> None:
    async def unit(tx: Tx) -> list[bool]:
        seen = [(await calendars.in_force(tx, RULES)).calendar.is_working_day(TYPHOON)]
        await shut(tx)
        in_force = await calendars.in_force(tx, RULES)
        seen.append(in_force.calendar.is_working_day(TYPHOON))
        await calendars.reopen(tx, [TYPHOON], None, NOW)
        seen.append((await calendars.in_force(tx, in_force)).calendar.is_working_day(TYPHOON))
        return seen

    assert await database.transaction(unit) == [True, False, True]
    assert await now(database) is RULES


async def test_a_closure_that_was_undone_is_not_in_force(database: Database) -> None:
    async def unit(tx: Tx) -> None:
        await shut(tx)
        await calendars.in_force(tx, RULES)
        raise ValueError("in vain")

    with pytest.raises(ValueError, match="in vain"):
        await database.transaction(unit)
    assert await now(database) is RULES


async def test_what_another_program_enters_is_in_force_here(database: Database, tmp_path: Path) -> None:
    await now(database)
    other = await open_database(f"sqlite:///{tmp_path}/house.db")
    await other.transaction(shut)
    await other.transaction(lambda tx: calendars.put_year(tx, NOTICE, NOW))
    await other.close()
    calendar = (await now(database)).calendar
    assert not calendar.is_working_day(TYPHOON)
    assert calendar.is_working_day(date(2027, 1, 3))
    assert calendar.covered_until() == date(2027, 12, 31)


async def test_a_table_takes_the_place_of_the_one_before_it(database: Database) -> None:
    first = YearTable(2026, frozenset({date(2026, 10, 1)}), frozenset(), published=True)
    second = YearTable(2026, frozenset({date(2026, 10, 1), date(2026, 10, 2)}), frozenset(), published=True)
    for table in (first, second):
        await database.transaction(lambda tx, table=table: calendars.put_year(tx, table, NOW))  # type: ignore[misc]  # mypy cannot type a lambda with a default
    assert (await now(database)).calendar.tables[2026] == second


async def test_the_calendar_is_laid_out_once_and_kept_while_nothing_changes(database: Database) -> None:
    await database.transaction(shut)
    first = (await now(database)).calendar
    assert (await now(database)).calendar is first
    assert (await read(database)).calendar is first
    await database.transaction(lambda tx: making.make_person(tx, "王敏"))  # the roster is forgotten, and with it this
    assert (await now(database)).calendar is first


async def test_two_parks_in_one_process_keep_their_own_calendars(database: Database) -> None:
    await database.transaction(shut)
    always = make_rules(always=True)
    assert (await now(database, always)).calendar.hours.always
    assert not (await now(database)).calendar.hours.always


async def test_closures_are_listed_from_a_day_on_and_their_changes_stand_in_the_history(database: Database) -> None:
    async def unit(tx: Tx) -> None:
        who = await making.make_person(tx, "周芳")
        await calendars.close(tx, [Closure(date(2026, 8, 21), "防汛"), Closure(TYPHOON, "台风")], who, NOW)
        await calendars.reopen(tx, [date(2026, 8, 21)], who, NOW)
        assert await calendars.closures(tx, TYPHOON) == [Closure(TYPHOON, "台风")]
        assert await calendars.closures(tx, date(2026, 8, 21)) == []
        lines = await tx.all("SELECT name, actor_id FROM events WHERE subject = 'calendar' ORDER BY id")
        assert [(line["name"], line["actor_id"]) for line in lines] == [
            ("closed", who), ("closed", who), ("reopened", who)
        ]  # fmt: skip

    await database.transaction(unit)


async def test_only_one_takes_the_turn_of_counting_by_a_calendar(database: Database) -> None:
    async def turn(mark: str) -> bool:
        return await database.transaction(lambda tx: calendars.take_count(tx, mark, NOW))

    assert [await turn("a"), await turn("a"), await turn("b"), await turn("a")] == [True, False, True, True]
    assert await database.reading(calendars.counted_by) == "a"
