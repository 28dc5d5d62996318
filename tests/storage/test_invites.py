"""Codes: single use, seven days, kept as a hash, and of no use to somebody who guesses."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Refused
from domain.people import Person, Purpose, Role
from storage import accounts, invites, people
from storage.database import Database, Tx
from tests.backends import open_house
from tests.making import civil, make_enterprise, make_group, make_person

NOON = civil("2026-03-11 12:00")


@pytest.fixture
async def db() -> AsyncIterator[Database]:
    database = await open_house("sqlite:///:memory:")
    yield database
    await database.close()


async def strange(tx: Tx, name: str = "张总") -> int:
    return await people.meet(tx, "telegram", f"id-{name}", name)


async def unbound(tx: Tx, firm: int, name: str) -> int:
    person = await make_person(tx, name, Role.CONTACT, chat=False)
    await tx.run("UPDATE accounts SET person_id = NULL WHERE person_id = :id", {"id": person})
    await tx.run("INSERT INTO contacts(enterprise_id, person_id) VALUES (:f, :p)", {"f": firm, "p": person})
    return person


def test_a_code_has_fifty_bits_in_signs_that_nobody_mistakes() -> None:
    assert len(set(invites.ALPHABET)) == 32
    assert not set("01IO") & set(invites.ALPHABET)
    codes = {invites.new_code() for _ in range(200)}
    assert len(codes) == 200
    assert all(invites.looks_like(code) and len(code) == 12 for code in codes)


@given(st.text(alphabet=invites.ALPHABET, min_size=10, max_size=10))
def test_a_code_is_understood_however_it_is_typed(signs: str) -> None:
    full_width = "".join(chr(ord(sign) + 0xFEE0) for sign in signs)
    for typed in (signs.lower(), f" {signs[:4]} {signs[4:]}", f"{signs[:4]}—{signs[4:]}", full_width):
        assert invites.plain(typed) == signs
        assert invites.looks_like(typed)


async def test_a_code_binds_its_person_once(db: Database) -> None:
    async def unit(tx: Tx) -> None:
        wang = await people.person(tx, await make_person(tx, "王敏", Role.LIAISON, chat=False), NOON)
        assert wang is not None
        code = await invites.make(tx, wang, NOON)
        stored = await tx.all("SELECT * FROM invites")
        assert code not in str([dict(row) for row in stored])
        assert invites.plain(code) not in str([dict(row) for row in stored])
        mine, other = await strange(tx), await strange(tx, "别人")
        invited = await invites.redeem(tx, code, mine, NOON)
        assert invited is not None
        assert invited.person == wang
        assert await accounts.bound_to(tx, mine) == wang.id
        assert await invites.redeem(tx, code, other, NOON) is None
        assert await accounts.bound_to(tx, other) is None

    await db.transaction(unit)


async def test_a_code_ends_after_seven_days(db: Database) -> None:
    async def unit(tx: Tx) -> None:
        wang = await people.person(tx, await make_person(tx, "王敏", Role.LIAISON, chat=False), NOON)
        assert wang is not None
        code = await invites.make(tx, wang, NOON)
        week = NOON + timedelta(days=7)
        assert await invites.meant(tx, code, week - timedelta(seconds=1)) is not None
        assert await invites.meant(tx, code, week) is None
        assert await invites.redeem(tx, code, await strange(tx), week) is None

    await db.transaction(unit)


async def test_after_five_wrong_codes_even_the_right_one_is_not_heard_for_an_hour(db: Database) -> None:
    async def unit(tx: Tx) -> None:
        wang = await people.person(tx, await make_person(tx, "王敏", Role.LIAISON, chat=False), NOON)
        assert wang is not None
        code, mine = await invites.make(tx, wang, NOON), await strange(tx)
        for minute in range(4):
            assert await invites.redeem(tx, "WRNG-WRNG-22", mine, NOON + timedelta(minutes=minute)) is None
            assert not await invites.silenced(tx, mine, NOON + timedelta(minutes=minute))
        fifth = NOON + timedelta(minutes=5)
        await invites.redeem(tx, "WRNG-WRNG-22", mine, fifth)
        assert await invites.silenced(tx, mine, fifth + timedelta(minutes=59))
        assert await invites.redeem(tx, code, mine, fifth + timedelta(minutes=59)) is None
        assert not await invites.silenced(tx, mine, fifth + timedelta(hours=1))
        assert await invites.redeem(tx, code, mine, fifth + timedelta(hours=1)) is not None

    await db.transaction(unit)


async def test_slow_slips_are_no_guessing(db: Database) -> None:
    async def unit(tx: Tx) -> None:
        mine = await strange(tx)
        for slip in range(20):
            await invites.redeem(tx, "WRNG-WRNG-22", mine, NOON + timedelta(minutes=16 * slip))
            assert not await invites.silenced(tx, mine, NOON + timedelta(minutes=16 * slip))

    await db.transaction(unit)


async def test_a_firms_code_binds_the_only_contact_who_waits(db: Database) -> None:
    async def unit(tx: Tx) -> None:
        firm_id = await make_enterprise(tx)
        waiting = await unbound(tx, firm_id, "张建国")
        firm = await people.enterprise(tx, firm_id)
        invited = await invites.redeem(tx, await invites.make(tx, firm, NOON), await strange(tx), NOON)
        assert invited is not None
        assert invited.person is not None
        assert (invited.person.id, invited.enterprise) == (waiting, firm)

    await db.transaction(unit)


@pytest.mark.parametrize(
    "waiting, given, name", [(0, "", "张总"), (2, "", "张总"), (1, "李四", "李四"), (0, "李四", "李四")]
)
async def test_a_firms_code_makes_a_new_contact_where_nobody_or_several_wait(
    db: Database, waiting: int, given: str, name: str
) -> None:
    async def unit(tx: Tx) -> None:
        firm_id = await make_enterprise(tx)
        for number in range(waiting):
            await unbound(tx, firm_id, f"联系人{number}")
        firm = await people.enterprise(tx, firm_id)
        invited = await invites.redeem(tx, await invites.make(tx, firm, NOON), await strange(tx), NOON, given)
        assert invited is not None
        assert isinstance(invited.person, Person)
        assert (invited.person.name, set(invited.person.enterprise_ids)) == (name, {firm_id})
        assert invited.person.roles == {Role.CONTACT}

    await db.transaction(unit)


async def test_a_look_alike_name_is_told_apart_by_the_firm(db: Database) -> None:
    async def unit(tx: Tx) -> None:
        await make_person(tx, "王敏", Role.LIAISON)
        firm = await people.enterprise(tx, await make_enterprise(tx))
        code = await invites.make(tx, firm, NOON)
        invited = await invites.redeem(tx, code, await strange(tx, "王\u200b敏"), NOON)
        assert invited is not None
        assert invited.person is not None
        assert invited.person.name == "王敏（宏达机械）"

    await db.transaction(unit)


async def test_a_cadre_cannot_become_a_firms_contact_and_the_code_stays_good(db: Database) -> None:
    firm_id = await db.transaction(make_enterprise)

    async def prepare(tx: Tx) -> tuple[str, int]:
        wang = await make_person(tx, "王敏", Role.LIAISON)
        row = await tx.one("SELECT id FROM accounts WHERE person_id = :id", {"id": wang})
        assert row is not None
        return await invites.make(tx, await people.enterprise(tx, firm_id), NOON), row["id"]

    code, account = await db.transaction(prepare)
    with pytest.raises(Refused, match=r"joining\.office_not_contact"):
        await db.transaction(lambda tx: invites.redeem(tx, code, account, NOON))
    assert await db.transaction(lambda tx: invites.meant(tx, code, NOON)) is not None


async def test_a_persons_code_does_not_turn_somebody_into_somebody_else(db: Database) -> None:
    async def unit(tx: Tx) -> None:
        wang = await people.person(tx, await make_person(tx, "王敏", Role.LIAISON), NOON)
        zhang = await make_person(tx, "张建国", Role.CONTACT)
        assert wang is not None
        row = await tx.one("SELECT id FROM accounts WHERE person_id = :id", {"id": zhang})
        assert row is not None
        with pytest.raises(Refused, match=r"joining\.bound_already"):
            await invites.redeem(tx, await invites.make(tx, wang, NOON), row["id"], NOON)

    await db.transaction(unit)


async def test_a_groups_code_lets_a_guest_in(db: Database) -> None:
    async def unit(tx: Tx) -> None:
        chat = await people.chat(tx, await make_group(tx, Purpose.LIAISON))
        mine = await strange(tx)
        invited = await invites.redeem(tx, await invites.make(tx, chat, NOON), mine, NOON)
        assert invited is not None
        assert (invited.chat, invited.person) == (chat, None)
        guests = await tx.all("SELECT account_id FROM chat_guests WHERE chat_id = :id", {"id": chat.id})
        assert [row["account_id"] for row in guests] == [mine]

    await db.transaction(unit)
