"""The demo's park is believable, complete and the same every time; its past is told to nobody anew."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from bot.demo.park import demo_roster, moment, seed
from domain import uscc
from domain.people import Purpose, Role
from domain.roster import Sheet
from domain.roster_check import check
from reports.roster import tables_of
from storage import people
from storage.database import Database, Tx
from storage.open import open_database
from tests.making import civil, make_rules

RULES = make_rules()
MORNING = civil("2026-03-11 08:30")


@pytest.fixture
async def db() -> AsyncIterator[Database]:
    database = await open_database("sqlite:///:memory:")
    yield database
    await database.close()


def test_the_park_has_what_a_park_has() -> None:
    park = demo_roster()
    roles = Counter(role for person in park.people for role in person.roles or ())
    assert (len(park.enterprises), len(park.departments), len(park.groups)) == (30, 8, 8)
    assert (roles[Role.LIAISON], roles[Role.CHIEF], roles[Role.INSPECTOR]) == (12, 2, 1)
    assert roles[Role.COORDINATOR] >= 1
    assert sum(bool(unit.external) for unit in park.departments) == 4
    assert len({person.name for person in park.people}) == len(park.people)
    assert Counter(group.purpose for group in park.groups)[Purpose.LIAISON] == 5
    one_firm = [group for group in park.groups if len(group.enterprises or ()) == 1]
    assert len(one_firm) == 2
    assert sum(not firm.liaison for firm in park.enterprises) == 1


def test_the_firm_of_the_examples_is_there() -> None:
    park = demo_roster()
    firm = next(firm for firm in park.enterprises if firm.short_name == "宏达机械")
    contacts = [person.name for person in park.people if firm.name in (person.enterprises or ())]
    assert (firm.liaison, firm.zone, contacts[0]) == ("王敏", "大树营片区", "张建国")
    assert "县供电公司" in [unit.name for unit in park.departments]


def test_the_parks_own_roster_passes_every_check() -> None:
    checked = check(tables_of(demo_roster()))
    assert checked.problems == ()
    assert all(uscc.fault(firm.uscc or "") is None for firm in checked.roster.enterprises)
    assert checked.roster.sheets == frozenset(Sheet)


async def test_everybody_has_a_seat_and_can_be_reached(db: Database) -> None:
    assert await seed(db, RULES, MORNING)

    async def unit(tx: Tx) -> None:
        for row in await tx.all("SELECT id FROM people"):
            bound = await people.by_account(tx, "web", f"person:{row['id']}", MORNING)
            assert bound is not None
            assert bound.id == row["id"]
            assert await people.private_chat(tx, row["id"]) is not None
        groups = await people.groups_for(tx, Purpose.LIAISON)
        assert all(group.approved and group.external_id.startswith("group:") for group in groups)

    await db.transaction(unit)


async def test_the_past_holds_what_a_digest_tells_and_owes_nothing(db: Database) -> None:
    await seed(db, RULES, MORNING)

    async def unit(tx: Tx) -> None:
        rows = await tx.all("SELECT status, due_at, received_at, satisfaction FROM appeals")
        statuses = Counter(row["status"] for row in rows)
        assert statuses["closed"] >= 3
        assert statuses["resolved"] == 1
        now = int(MORNING.timestamp() * 1000)
        overdue = [row for row in rows if row["status"] == "in_progress" and row["due_at"] < now]
        assert len(overdue) == 1
        assert all(row["received_at"] < now for row in rows)
        assert await tx.all("SELECT id FROM outbox WHERE state <> 'sent' OR sent_at > :now", {"now": now}) == []
        assert await tx.all("SELECT id FROM outbox") != []
        assert await tx.all("SELECT id FROM events WHERE at > :now", {"now": now}) == []

    await db.transaction(unit)


async def test_a_house_that_is_lived_in_is_left_alone(db: Database) -> None:
    assert await seed(db, RULES, MORNING)
    before = await db.transaction(lambda tx: tx.all("SELECT id FROM events"))
    assert not await seed(db, RULES, MORNING)
    assert len(await db.transaction(lambda tx: tx.all("SELECT id FROM events"))) == len(before)


@pytest.mark.parametrize("start", ["2026-01-01 03:00", "2026-02-24 08:00", "2026-10-08 23:50", "2026-11-21 12:00"])
async def test_the_past_can_lie_behind_any_day(db: Database, start: str) -> None:
    assert await seed(db, RULES, civil(start))


def test_a_moment_of_the_past_is_never_ahead() -> None:
    assert moment(RULES, MORNING, 0, "17:00") == MORNING
    assert moment(RULES, MORNING, 1, "17:00") == civil("2026-03-10 17:00")
    assert moment(RULES, MORNING, 3, "09:00") == civil("2026-03-06 09:00")
