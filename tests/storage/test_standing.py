"""Whoever stands in sees exactly what he may act on, in single looks and in lists; nothing sealed, nothing later."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest

from domain.access import Relation, relations
from domain.appeal import Appeal, Status
from domain.deadlines import fixed
from domain.parts import Part, PartKind
from domain.people import Role
from domain.rules import Listener
from storage import absences, appeals, gaps, people, rota, standing
from storage.database import Tx
from storage.open import open_database
from storage.scope import scope_of
from tests.making import Maker, civil, make_department, make_enterprise, make_person, make_rules

AT = civil("2026-03-11 10:00")
UNTIL = civil("2026-03-14 00:00")
PARTS = ("handler", "liaison", "firm_liaison", "firm_deputy", "chief", "head")


async def _case(tx: Tx, parts: Sequence[str], away: int, number: int) -> Appeal:
    """A matter in which somebody on leave has these parts."""
    unit = await make_department(tx, f"部门{number}", f"unit{number}", head_id=away if "head" in parts else None)
    firm = await make_enterprise(
        tx,
        f"企业{number}有限公司",
        liaison_id=away if "firm_liaison" in parts else None,
        deputy_id=away if "firm_deputy" in parts else None,
        chief_id=away if "chief" in parts else None,
    )
    other = await make_person(tx, f"别人{number}", Role.HANDLER)
    maker = Maker(tx, make_rules())
    handler = away if "handler" in parts else other
    liaison = away if "liaison" in parts else None
    return await maker.dispatched(firm, AT, handler, unit, liaison_id=liaison)


async def test_a_stand_in_sees_what_he_stands_to_whatever_the_part_is() -> None:
    database = await open_database("sqlite:///:memory:")

    async def unit(tx: Tx) -> None:
        stand_in = await make_person(tx, "李强", Role.LIAISON)
        away = await make_person(tx, "王敏", Role.LIAISON, deputy_id=stand_in)
        await absences.set_leave(tx, away, AT, UNTIL, None)
        every = [parts for size in range(3) for parts in itertools.combinations(PARTS, size)]
        cases = [(parts, await _case(tx, parts, away, number)) for number, parts in enumerate(every)]
        for moment in (AT, UNTIL):
            person = await people.person(tx, stand_in, moment)
            assert person is not None
            heads = await people.headed_by(tx, person)
            scope = scope_of(person, heads)
            listed = {one.id for one in await appeals.visible(tx, scope, tuple(Status), most=500)}
            for parts, appeal in cases:
                firm = await people.enterprise(tx, appeal.enterprise_id)
                held = relations(person, appeal, firm, heads)
                assert bool(held) == (moment == AT and bool(parts)), parts
                assert (Relation.HANDLER in held) == (moment == AT and "handler" in parts)
                assert (await appeals.get(tx, appeal.number, scope) is not None) == bool(held), parts
                assert (appeal.id in listed) == bool(held), parts

    await database.transaction(unit)
    await database.close()


async def test_nothing_sealed_is_seen_by_a_stand_in() -> None:
    database = await open_database("sqlite:///:memory:")

    async def unit(tx: Tx) -> None:
        stand_in = await make_person(tx, "李强", Role.LIAISON)
        inspector = await make_person(tx, "吴检", Role.INSPECTOR, deputy_id=stand_in)
        appeal = await _case(tx, PARTS, inspector, 1)
        await tx.run("UPDATE appeals SET sealed = 1")
        await absences.set_leave(tx, inspector, AT, UNTIL, None)
        person = await people.person(tx, stand_in, AT)
        assert person is not None
        heads = await people.headed_by(tx, person)
        assert await appeals.get(tx, appeal.number, scope_of(person, heads)) is None
        sealed = await appeals.by_id(tx, appeal.id or 0)
        assert sealed is not None
        assert not relations(person, sealed, await people.enterprise(tx, appeal.enterprise_id), heads)
        for listener in (Listener.HANDLER, Listener.LIAISON, Listener.HEAD, Listener.CHIEF):
            heard = await standing.persons(tx, listener, sealed, AT)
            assert stand_in not in [one.id for one in heard], listener

    await database.transaction(unit)
    await database.close()


@pytest.mark.parametrize("office", [Role.COORDINATOR, Role.INSPECTOR])
async def test_what_an_office_ordered_is_heard_by_who_is_there_of_it_and_may_know(office: Role) -> None:
    database = await open_database("sqlite:///:memory:")

    async def unit(tx: Tx) -> None:
        stand_in = await make_person(tx, "李强", Role.LIAISON)
        away = await make_person(tx, "周芳", office, deputy_id=stand_in)
        present = await make_person(tx, "陈静", office)
        appeal = await _case(tx, (), away, 1)
        order = Part(1, PartKind.ORDER, "请尽快", "", None, None, AT, fixed(UNTIL), UNTIL, asked_by=away)
        ordered = replace(appeal, parts=(order,))
        for moment, whom in ((AT, [present]), (UNTIL, [away])):
            await absences.set_leave(tx, away, AT, UNTIL, None)
            heard = await standing.hearers(tx, Listener.ORDERER, ordered, moment, part=1)
            assert [one.person.id for one in heard] == whom
            assert [one.instead_of for one in heard] == ["周芳" if moment == AT else None]

    await database.transaction(unit)
    await database.close()


async def test_what_a_chief_ordered_is_heard_by_the_firms_chief_of_now() -> None:
    database = await open_database("sqlite:///:memory:")

    async def unit(tx: Tx) -> None:
        gone, present = await make_person(tx, "孙县长", Role.CHIEF), await make_person(tx, "马县长", Role.CHIEF)
        appeal = await _case(tx, ("chief",), present, 1)
        order = Part(1, PartKind.ORDER, "请尽快", "", None, None, AT, fixed(UNTIL), UNTIL, asked_by=gone)
        heard = await standing.persons(tx, Listener.ORDERER, replace(appeal, parts=(order,)), AT, part=1)
        assert [one.id for one in heard] == [present]

    await database.transaction(unit)
    await database.close()


@pytest.mark.parametrize("role", [Role.CONTACT, Role.MONITOR])
async def test_who_is_not_of_the_parks_side_stands_in_for_nobody(role: Role) -> None:
    database = await open_database("sqlite:///:memory:")

    async def unit(tx: Tx) -> None:
        other = await make_person(tx, "某人", role)
        away = await make_person(tx, "王敏", Role.LIAISON, deputy_id=other)
        await absences.set_leave(tx, away, AT, UNTIL, None)
        assert (await absences.cover(tx, AT)).people == {away: None}

    await database.transaction(unit)
    await database.close()


async def test_what_is_missing_in_the_duties_is_told() -> None:
    database = await open_database("sqlite:///:memory:")

    async def unit(tx: Tx) -> None:
        today = AT.date()
        gone = await make_person(tx, "老刘", Role.LIAISON, active=0)
        lost = await make_person(tx, "老马")
        away = await make_person(tx, "王敏", Role.LIAISON, Role.HANDLER)
        await make_enterprise(tx, "宏达机械有限公司", liaison_id=gone)
        near = await make_department(tx, "县供电公司", "power", duty_id=lost)
        far = await make_department(tx, "教体局", "school", duty_id=away)
        for unit, last in ((near, today.replace(day=17)), (far, today.replace(day=18))):
            await rota.enter(tx, unit, (today, last), away, away, AT)
        await absences.set_leave(tx, away, AT, UNTIL, None)
        found = [(gap.key, gap.facts.get("name") or gap.facts["department"]) for gap in await gaps.gaps(tx, today, AT)]
        assert found == [
            ("gap.no_stand_in", "王敏"),
            ("gap.rota_ends", "县供电公司"),
            ("gap.liaison_left", "老刘"),
            ("gap.duty_left", "老马"),
        ]

    await database.transaction(unit)
    await database.close()
