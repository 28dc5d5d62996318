"""A roster goes into the house and out again; nothing is dropped, and every change is history."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

import pytest

from bot.demo.park import demo_roster
from domain.errors import Refused
from domain.people import Role
from domain.roster import DepartmentEntry, EnterpriseEntry, GroupEntry, PersonEntry, Roster, Sheet
from storage import invites, people, roster
from storage.database import Database, Tx
from storage.roster import Counts
from storage.values import from_json
from tests.backends import open_house
from tests.making import civil

NOON = civil("2026-03-11 12:00")
LATER = civil("2026-03-12 12:00")
CODE, OTHER = "91350100M000100Y43", "91990000MA0000001N"
PARK = Roster(
    enterprises=(EnterpriseEntry("宏达机械有限公司", "宏达机械", CODE, "大树营", liaison="王敏", tags=("出口",)),),
    people=(
        PersonEntry("王敏", (Role.LIAISON,), phone="13812345678", telegram_id="100001"),
        PersonEntry("张建国", (Role.CONTACT,), enterprises=("宏达机械有限公司",), wecom_userid="zjg"),
    ),
    departments=(DepartmentEntry("供电", "县供电公司", external=True),),
    groups=(GroupEntry("telegram", "-100200300", "联企群", enterprises=("宏达机械有限公司",)),),
)


@pytest.fixture
async def db() -> AsyncIterator[Database]:
    database = await open_house("sqlite:///:memory:")
    yield database
    await database.close()


async def imported(db: Database, park: Roster, at: datetime = NOON) -> roster.Imported:
    return await db.transaction(lambda tx: roster.apply(tx, park, at))


async def test_a_roster_is_imported_and_read_back_as_values(db: Database) -> None:
    done = await imported(db, PARK)
    assert done.counts[Sheet.PEOPLE] == Counts(added=2)

    async def unit(tx: Tx) -> None:
        firm = (await people.enterprises_called(tx, "宏达机械"))[0]
        liaison = await people.person(tx, firm.liaison_id or 0, NOON)
        assert liaison is not None
        assert (liaison.name, set(liaison.roles)) == ("王敏", {Role.LIAISON})
        assert [one.name for one in await people.contacts_of(tx, firm.id, NOON)] == ["张建国"]
        unit = await people.department_called(tx, "供电")
        assert unit is not None
        assert unit.external

    await db.transaction(unit)


async def test_importing_an_account_binds_it_and_opens_the_private_chat(db: Database) -> None:
    await imported(db, PARK)

    async def unit(tx: Tx) -> None:
        bound = await people.by_account(tx, "telegram", "100001", NOON)
        assert bound is not None
        assert bound.name == "王敏"
        chat = await people.private_chat(tx, bound.id)
        assert chat is not None
        assert (chat.channel, chat.external_id) == ("telegram", "100001")
        both = [await people.by_account(tx, channel, "zjg", NOON) for channel in ("wecom_app", "wecom_aibot")]
        assert [one.name for one in both if one] == ["张建国", "张建国"]

    await db.transaction(unit)


async def test_importing_a_group_approves_it(db: Database) -> None:
    async def strange(tx: Tx) -> bool:
        chat = await people.enter(tx, "telegram", "-100200300", private=False, name="联企群", account_id=None, at=NOON)
        return chat.approved

    assert not await db.transaction(strange)
    await imported(db, PARK)
    assert await db.transaction(strange)


async def test_importing_twice_changes_nothing_and_writes_no_history(db: Database) -> None:
    await imported(db, demo_roster())
    lines = await db.transaction(lambda tx: tx.all("SELECT id FROM events"))
    again = await imported(db, demo_roster(), LATER)
    assert all(counts.added == counts.updated == 0 for counts in again.counts.values())
    assert len(await db.transaction(lambda tx: tx.all("SELECT id FROM events"))) == len(lines)


async def test_an_export_imported_into_an_empty_house_is_the_same_house(db: Database) -> None:
    await imported(db, demo_roster())
    first = await db.transaction(roster.export)
    other = await open_house("sqlite:///:memory:")
    await imported(other, first)
    assert await other.transaction(roster.export) == first
    await other.close()


async def test_what_is_not_in_the_file_is_kept_and_named(db: Database) -> None:
    await imported(db, PARK)
    smaller = replace(PARK, people=PARK.people[:1], groups=())
    done = await imported(db, smaller, LATER)
    assert done.kept == ((Sheet.PEOPLE, "张建国"), (Sheet.GROUPS, "联企群"))
    assert len((await db.transaction(roster.export)).people) == 2
    only_firms = replace(PARK, people=(), groups=(), departments=(), sheets=frozenset({Sheet.ENTERPRISES}))
    assert (await imported(db, only_firms, LATER)).kept == ()


async def test_what_a_file_leaves_unsaid_stays_and_a_blank_clears(db: Database) -> None:
    await imported(db, PARK)
    await imported(db, Roster(enterprises=(EnterpriseEntry("宏达机械有限公司", liaison=""),)), LATER)
    firm = (await db.transaction(roster.export)).enterprises[0]
    assert (firm.uscc, firm.zone, firm.tags, firm.liaison) == (CODE, "大树营", ("出口",), "")


async def test_a_firm_is_known_by_its_code_when_its_name_changes(db: Database) -> None:
    await imported(db, PARK)
    await imported(db, Roster(enterprises=(EnterpriseEntry("宏达智造有限公司", uscc=CODE),)), LATER)
    assert [one.name for one in (await db.transaction(roster.export)).enterprises] == ["宏达智造有限公司"]


async def test_another_firm_may_take_the_name_that_a_renamed_one_left(db: Database) -> None:
    await imported(db, PARK)
    two = (
        EnterpriseEntry("宏达机械有限公司", uscc=OTHER),
        EnterpriseEntry("宏达智造有限公司", uscc=CODE),
    )
    done = await imported(db, Roster(enterprises=two), LATER)
    assert done.counts[Sheet.ENTERPRISES] == Counts(added=1, updated=1)


async def test_code_and_name_of_two_different_firms_are_refused_and_nothing_is_imported(db: Database) -> None:
    await imported(db, PARK)
    await imported(db, Roster(enterprises=(EnterpriseEntry("和顺物流", uscc=OTHER),)))
    mixed = Roster(enterprises=(EnterpriseEntry("新厂"), EnterpriseEntry("和顺物流", uscc=CODE)))
    with pytest.raises(Refused, match=r"roster\.conflict"):
        await imported(db, mixed, LATER)
    assert len((await db.transaction(roster.export)).enterprises) == 2


async def test_every_change_is_history_and_holds_nothing_that_must_be_erasable(db: Database) -> None:
    await imported(db, PARK)
    wang = replace(PARK.people[0], phone="13987654321", zone="白杨", telegram_id="100002")
    await imported(db, replace(PARK, people=(wang, PARK.people[1])), LATER)
    rows = await db.transaction(
        lambda tx: tx.all("SELECT subject, facts FROM events WHERE subject LIKE 'person:%' ORDER BY id")
    )
    last = from_json(rows[-1]["facts"])
    assert (last["changed"], last["zone"], last["zone_before"]) == ("zone, phone, telegram_id", "白杨", "")
    everything = " ".join(row["facts"] for row in rows)
    for secret in ("13987654321", "13812345678", "100001", "100002", "王敏", "张建国"):
        assert secret not in everything


async def test_a_new_account_takes_the_place_of_the_old_one(db: Database) -> None:
    await imported(db, PARK)
    wang = replace(PARK.people[0], telegram_id="100002")
    await imported(db, replace(PARK, people=(wang, PARK.people[1])), LATER)

    async def unit(tx: Tx) -> None:
        assert await people.by_account(tx, "telegram", "100001", LATER) is None
        assert await people.by_account(tx, "telegram", "100002", LATER) is not None

    await db.transaction(unit)


async def test_two_people_may_swap_their_accounts(db: Database) -> None:
    first = PersonEntry("甲", (Role.LIAISON,), telegram_id="1111")
    second = PersonEntry("乙", (Role.LIAISON,), telegram_id="2222")
    await imported(db, Roster(people=(first, second)))
    swapped = (replace(first, telegram_id="2222"), replace(second, telegram_id="1111"))
    await imported(db, Roster(people=swapped), LATER)
    assert [one.telegram_id for one in (await db.transaction(roster.export)).people] == ["2222", "1111"]


async def test_who_only_calls_himself_so_never_becomes_the_cadre_of_that_name(db: Database) -> None:
    """A name that a platform shows proves nothing (it could be anybody's)."""
    await imported(db, PARK)

    async def stranger(tx: Tx) -> None:
        firm = (await people.enterprises_called(tx, "宏达机械"))[0]
        account = await people.meet(tx, "telegram", "666666", "李雷")
        await invites.bind_to_firm(tx, firm, account, by=None, at=NOON, name="李雷")

    await db.transaction(stranger)
    await imported(db, Roster(people=(PersonEntry("李雷", (Role.COORDINATOR,)),)), LATER)

    async def unit(tx: Tx) -> None:
        bound = await people.by_account(tx, "telegram", "666666", LATER)
        assert bound is not None
        assert (bound.name, set(bound.roles)) == ("李雷（宏达机械）", {Role.CONTACT})

    await db.transaction(unit)
