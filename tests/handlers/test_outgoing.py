"""The last look before a message leaves, and what becomes of one that cannot arrive: through the whole program."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.channel import Uncertain, Undeliverable
from domain.notices import Lane
from domain.people import Role
from domain.said import Fact
from storage import chats, outbox
from storage.database import Tx
from storage.outbox import Letter
from storage.values import to_ms
from tests.stories.town import Said, Town, make


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    opened = await Town.open()
    yield opened
    await opened.close()


@pytest.fixture
async def raised(town: Town) -> Town:
    """宏达机械 has raised a matter from its own group, and 王敏 has it."""
    await town.says("张建国", "/诉求 车间电压低，一天跳停三次", where="宏达机械联企群")
    return town


async def chat_of(town: Town, name: str) -> int:
    """The chat of a person, or the group of that name."""
    row = await town.one(
        "SELECT id FROM chats WHERE external_id IN (:private, :group)", private=f"private:{name}", group=f"group:{name}"
    )
    return int(row["id"])


async def owe(town: Town, chat: str, key: str = "task.closed", *, person: bool = True, **more: Any) -> int:
    """Owe a message about the first matter, past all those who would have looked whether its listener may see it."""
    chat_id = await chat_of(town, chat)
    holder = await town.all("SELECT a.person_id FROM accounts a WHERE a.external_id = :n", n=chat)
    facts = {"number": "1", "title": "t", "firm": "f", "verdict": "v", "contact": "c", "status": "s"}
    given = {"appeal_id": 1, "person_id": holder[0]["person_id"] if person and holder else None, **more}
    letter = Letter(chat_id, key, facts, **given)
    row = await town.database.transaction(lambda tx: outbox.owe(tx, letter, at=town.app.civil()))
    assert row is not None
    return row


async def fate(town: Town, row: int) -> tuple[str, str | None]:
    """What became of a row, and why."""
    found = await town.one("SELECT state, error FROM outbox WHERE id = :id", id=row)
    return found["state"], found["error"]


async def run(town: Town, sql: str, **params: Any) -> None:
    await town.database.transaction(lambda tx: tx.run(sql, params))


HIDDEN = ("superseded", "not for the eyes of this chat any more")


# The guard -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["王敏", "张建国", "张会计", "周芳", "李强", "孙县长", "吴检"])
async def test_who_stands_to_the_matter_is_told(raised: Town, name: str) -> None:
    row = await owe(raised, name)
    await raised.settle()
    assert await fate(raised, row) == ("sent", None)


@pytest.mark.parametrize("name", ["陈和顺", "郑老师"])
async def test_who_does_not_is_not_told_whatever_the_outbox_says(raised: Town, name: str) -> None:
    row = await owe(raised, name)
    assert [line for line in await raised.settle() if line.listener == name] == []
    assert await fate(raised, row) == HIDDEN


async def test_who_has_lost_the_matter_before_the_message_left_is_not_told(raised: Town) -> None:
    teacher = await raised.one("SELECT id FROM people WHERE name = '郑老师'")
    await run(raised, "UPDATE appeals SET handler_id = :id", id=teacher["id"])
    row = await owe(raised, "郑老师")
    await run(raised, "UPDATE appeals SET handler_id = NULL")
    await raised.settle()
    assert await fate(raised, row) == HIDDEN


async def test_the_word_that_it_was_taken_over_reaches_him_all_the_same(raised: Town) -> None:
    row = await owe(raised, "郑老师", "task.taken_over")
    await raised.settle()
    assert (await fate(raised, row))[0] == "sent"


async def test_who_has_left_is_told_nothing(raised: Town) -> None:
    row = await owe(raised, "王敏")
    await run(raised, "UPDATE people SET active = 0 WHERE name = '王敏'")
    await raised.settle()
    assert await fate(raised, row) == HIDDEN


@pytest.mark.parametrize("group", ["大树营联企群", "宏达机械联企群", "优化办调度群"])
async def test_a_sealed_matter_never_stands_in_a_group(raised: Town, group: str) -> None:
    open_ = await owe(raised, group, person=False)
    await raised.settle()
    await run(raised, "UPDATE appeals SET sealed = 1")
    sealed = await owe(raised, group, person=False)
    await raised.settle()
    assert (await fate(raised, open_), await fate(raised, sealed)) == (("sent", None), HIDDEN)


@pytest.mark.parametrize("name", ["王敏", "张会计", "周芳", "孙县长"])
async def test_a_sealed_matter_is_between_its_reporter_and_the_inspector(raised: Town, name: str) -> None:
    await run(raised, "UPDATE appeals SET sealed = 1")
    rows = [await owe(raised, each) for each in (name, "张建国", "吴检")]
    await raised.settle()
    assert [await fate(raised, row) for row in rows] == [HIDDEN, ("sent", None), ("sent", None)]


async def test_nothing_leaves_for_a_group_that_is_not_approved(raised: Town) -> None:
    rows = [
        await owe(raised, "宏达机械联企群", person=False),
        await owe(raised, "宏达机械联企群", "reply.busy", person=False, appeal_id=None),
    ]
    await run(raised, "UPDATE chats SET approved_at = NULL WHERE private = 0")
    await raised.settle()
    assert [await fate(raised, row) for row in rows] == [HIDDEN, HIDDEN]


async def test_what_was_meant_for_one_is_not_read_by_the_next_holder_of_the_account(raised: Town) -> None:
    row = await owe(raised, "王敏", "reply.busy", appeal_id=None)
    chief = await raised.one("SELECT id FROM people WHERE name = '周芳'")
    await run(raised, "UPDATE accounts SET person_id = :id WHERE external_id = '王敏'", id=chief["id"])
    await raised.settle()
    assert await fate(raised, row) == HIDDEN


# Still true ----------------------------------------------------------------------------------------------------------
async def remind(town: Town, *tokens: str, name: str = "王敏") -> int:
    """Owe a reminder with one line for each token."""
    chat_id = await chat_of(town, name)
    person = await town.one("SELECT id FROM people WHERE name = :n", n=name)
    lines = [f"line {n}" for n in range(len(tokens))]
    facts: dict[str, Fact] = {"name": name, "count": len(tokens), "lines": lines, "holds": list(tokens)}
    letter = Letter(chat_id, "remind.several", facts, person_id=person["id"])
    row = await town.database.transaction(lambda tx: outbox.owe(tx, letter, at=town.app.civil()))
    assert row is not None
    return row


def lines_of(said: list[Said]) -> list[str]:
    return [word for line in said for word in line.text.split("\n") if word.startswith("line ")]


async def test_a_reminder_loses_the_lines_whose_work_was_done_meanwhile(raised: Town) -> None:
    await remind(raised, "1|acknowledge|1", "1|dispatch|1", "9|acknowledge|1", "1|acknowledge|2")
    assert lines_of(await raised.settle()) == ["line 0"]


async def test_a_reminder_of_nothing_left_does_not_leave(raised: Town) -> None:
    row = await remind(raised, "1|acknowledge|1")
    await raised.channel.say(raised.app.desk, press(raised, "王敏", "acknowledge:1:"))
    await raised.settle()
    assert await fate(raised, row) == ("superseded", "the work was done meanwhile")


def press(town: Town, who: str, data: str) -> dict[str, Any]:
    """A pressed button."""
    return {"chat": f"private:{who}", "private": True, "sender": who, "sender_name": who, "button": data}


async def test_of_a_matter_that_two_waiting_reminders_speak_of_the_later_one_speaks(raised: Town) -> None:
    earlier = await remind(raised, "1|acknowledge|1")
    later = await remind(raised, "1|resolve|1")
    assert lines_of(await raised.settle()) == ["line 0"]
    assert [(await fate(raised, row))[0] for row in (earlier, later)] == ["superseded", "sent"]


async def test_a_later_reminder_whose_line_is_over_takes_nothing_from_an_earlier_one(raised: Town) -> None:
    earlier = await remind(raised, "1|acknowledge|1")
    later = await remind(raised, "1|dispatch|1")
    assert lines_of(await raised.settle()) == ["line 0"]
    assert [(await fate(raised, row))[0] for row in (earlier, later)] == ["sent", "superseded"]


async def test_a_reminder_of_several_shows_no_line_of_a_matter_that_has_gone_to_somebody_else(raised: Town) -> None:
    await remind(raised, "1|acknowledge|1", "1|acknowledge|1", name="郑老师")
    assert lines_of(await raised.settle()) == []


# What cannot arrive --------------------------------------------------------------------------------------------------
def blocked(town: Town, *names: str, unreachable: bool = True) -> set[str]:
    """Nothing reaches the private chats of these people, as long as they stand in the set."""
    send = town.channel.send
    chats = {f"private:{name}" for name in names}

    async def refuse(parcel: Any) -> str:
        if parcel.chat in chats:
            raise Undeliverable("blocked by user", unreachable=unreachable)
        return await send(parcel)

    town.channel.send = refuse  # type: ignore[method-assign]  # the platform, not our code
    return chats


def told(said: list[Said], key: str) -> list[str]:
    return [line.listener for line in said if line.key == key]


async def test_who_can_call_hears_that_a_message_about_a_matter_does_not_arrive(raised: Town) -> None:
    blocked(raised, "王敏")
    await owe(raised, "王敏")
    assert told(await raised.settle(), "watch.unreachable") == ["周芳"]


async def test_a_firm_that_cannot_be_reached_is_called_by_its_liaison(raised: Town) -> None:
    blocked(raised, "张建国")
    await owe(raised, "张建国")
    assert told(await raised.settle(), "watch.unreachable") == ["王敏"]


async def test_the_next_chat_of_the_listener_carries_it_and_nobody_needs_to_call(raised: Town) -> None:
    await second_phone(raised, "王敏")
    blocked(raised, "王敏")
    row = await owe(raised, "王敏", lane=Lane.REPLY)
    said = await raised.settle()
    assert [(line.listener, line.key) for line in said] == [("王敏二", "task.closed")]
    assert (await fate(raised, row))[0] == "dead"
    (leg,) = await raised.all("SELECT lane, appeal_id FROM outbox WHERE dedupe_key = :key", key=f"leg:{row}")
    assert (leg["lane"], leg["appeal_id"]) == (Lane.REPLY, 1)


async def second_phone(town: Town, name: str) -> None:
    """Another account of the same person, in which he was heard longer ago."""

    async def unit(tx: Tx) -> None:
        person = await tx.one("SELECT person_id FROM accounts WHERE external_id = :n", {"n": name})
        account = await tx.one(
            "INSERT INTO accounts(channel, external_id, person_id) VALUES ('memory', :n, :p) RETURNING id",
            {"n": f"{name}二", "p": person and person["person_id"]},
        )
        await tx.run(
            "INSERT INTO chats(channel, external_id, private, account_id) VALUES ('memory', :n, 1, :a)",
            {"n": f"private:{name}二", "a": account and account["id"]},
        )

    await town.database.transaction(unit)


async def test_a_chat_that_was_given_up_is_used_again_when_somebody_speaks_there(raised: Town) -> None:
    chats = blocked(raised, "王敏")
    await owe(raised, "王敏")
    await raised.settle()
    chats.clear()
    row = await raised.one("SELECT reachable FROM chats WHERE external_id = 'private:王敏'")
    assert row["reachable"] == 0
    await raised.says("王敏", "待办")
    row = await raised.one("SELECT reachable FROM chats WHERE external_id = 'private:王敏'")
    assert row["reachable"] == 1


async def test_what_cannot_arrive_is_told_once_a_day_for_a_chat_and_cause(town: Town) -> None:
    await run(town, "UPDATE chats SET external_id = 'private:gone' WHERE external_id = 'group:大树营联企群'")
    blocked(town, "gone", unreachable=False)

    async def lose() -> list[str]:
        letter = Letter((await town.one("SELECT id FROM chats WHERE external_id = 'private:gone'"))["id"], "reply.busy")
        await town.database.transaction(lambda tx: outbox.owe(tx, letter, at=town.app.civil()))
        return told(await town.settle(), "watch.undelivered")

    assert [await lose(), await lose(), await lose()] == [["周芳"], [], []]
    town.app.civil.move_to(town.app.civil() + timedelta(days=1))
    assert await lose() == ["周芳"]


async def test_coordinators_who_cannot_be_reached_do_not_tell_each_other_for_ever(raised: Town) -> None:
    await raised.database.transaction(lambda tx: make(tx, "吴芳", Role.COORDINATOR))
    blocked(raised, "周芳", "吴芳", unreachable=False)
    await owe(raised, "周芳")
    await raised.settle()
    rows = await raised.all("SELECT id FROM outbox WHERE text_key = 'watch.unreachable'")
    assert len(rows) <= 3


async def test_an_edit_or_an_answer_that_cannot_arrive_is_told_to_nobody(raised: Town) -> None:
    blocked(raised, "王敏")
    await owe(raised, "王敏", kind="answer", reply_to="token")
    assert await raised.settle() == []
    row = await raised.one("SELECT reachable FROM chats WHERE external_id = 'private:王敏'")
    assert row["reachable"] == 1


async def test_what_is_told_about_a_chat_waits_for_office_hours(town: Town) -> None:
    town.app.civil.move_to(town.app.civil() + timedelta(hours=14))  # 23:00
    blocked(town, "陈和顺")
    letter = Letter(await chat_of(town, "陈和顺"), "reply.busy")
    await town.database.transaction(lambda tx: outbox.owe(tx, letter, at=town.app.civil()))
    assert await town.settle() == []
    (row,) = await town.all("SELECT due_at FROM outbox WHERE text_key = 'watch.undelivered'")
    assert row["due_at"] > to_ms(town.app.civil())


async def test_whom_nothing_reaches_is_called_in_his_group_though_no_matter_is_at_stake(town: Town) -> None:
    await town.database.transaction(lambda tx: chats.introduce(tx, "memory", "小联", "https://m.example/bot"))
    blocked(town, "陈和顺")
    owner = await town.one("SELECT person_id FROM accounts WHERE external_id = '陈和顺'")
    letter = Letter(await chat_of(town, "陈和顺"), "reply.busy", person_id=owner["person_id"])
    for _ in range(2):
        await town.database.transaction(lambda tx: outbox.owe(tx, letter, at=town.app.civil()))
        await town.settle()
    called = [line for line in town.said if line.key == "reach.mention"]
    assert [(line.listener, line.facts["name"]) for line in called] == [("大树营联企群", "陈和顺")]
    assert told(town.said, "watch.undelivered") == ["周芳"]


def shaken(town: Town, name: str) -> None:
    """Nothing is known of what is sent to that private chat."""
    send = town.channel.send

    async def send_or_doubt(parcel: Any) -> str:
        if parcel.chat == f"private:{name}":
            raise Uncertain("reset")
        return await send(parcel)

    town.channel.send = send_or_doubt  # type: ignore[method-assign]  # the platform, not our code


@pytest.mark.parametrize("lane", [Lane.CASE, Lane.DIGEST])
async def test_of_what_stays_in_doubt_the_office_hears_once_a_day(raised: Town, lane: Lane) -> None:
    shaken(raised, "王敏")
    for _ in range(2):
        await owe(raised, "王敏", lane=lane)
        await raised.settle()
    lines = [line for line in raised.said if line.key == "watch.doubtful"]
    assert [line.listener for line in lines] == ["周芳"]


async def test_of_a_broadcast_in_doubt_nobody_hears_as_its_own_list_shows_it(raised: Town) -> None:
    shaken(raised, "王敏")
    await owe(raised, "王敏", lane=Lane.BROADCAST)
    await raised.settle()
    assert "watch.doubtful" not in [line.key for line in raised.said]
