"""What did not arrive: one alert a chat, a cause and a day, a list by chat and cause, and [补发], which works once."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bot.channel import Parcel, Uncertain, Undeliverable, Unsent
from domain.notices import Lane
from storage import outbox
from storage.outbox import Letter
from tests.handlers.talk import BOSS, CONTROL, INSPECTOR, LIAISON, MULTI, OFFICE, SINGLE, change, heard, to
from tests.stories.town import Town
from tests.summary import Tally

PERMANENT = [
    ("Forbidden: bot was kicked from the supergroup chat", True),
    ("Forbidden: bot was kicked from the group chat", True),
    ("Forbidden: bot was kicked from the channel chat", True),
    ("Forbidden: bot is not a member of the supergroup chat", True),
    ("Forbidden: bot is not a member of the channel chat", True),
    ("Forbidden: bot was blocked by the user", True),
    ("Forbidden: bot can't initiate conversation with a user", True),
    ("Forbidden: bot can't send messages to bots", True),
    ("Forbidden: user is deactivated", True),
    ("Forbidden: the group chat was deleted", True),
    ("Bad Request: chat not found", True),
    ("Bad Request: user not found", True),
    ("Bad Request: PEER_ID_INVALID", True),
    ("Bad Request: have no rights to send a message", True),
    ("Bad Request: message thread not found", False),
    ("Bad Request: message text is empty", False),
    ("Bad Request: CHAT_WRITE_FORBIDDEN", False),
    ("user not exist in chat, hint: [1741234567890123] from ip: 1.2.3.4, more info at https://x (81013)", True),
    ("not allow by the contact privilege (60111)", True),
    ("no such robot, hint: [aaaabbbbccccdddd] (93000)", True),
]


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    opened = await Town.open()
    yield opened
    await opened.close()


async def owe(town: Town, where: str, count: int = 1, *, lane: Lane = Lane.CASE) -> list[int]:
    """So many messages to a group or to somebody's private chat."""
    chat = await town.one(
        """SELECT c.id, a.person_id FROM chats c LEFT JOIN accounts a ON a.id = c.account_id
           WHERE c.external_id IN (:g, :p)""",
        g=f"group:{where}",
        p=f"private:{where}",
    )
    rows = []
    for n in range(count):
        facts = {"name": f"{where}{n}"}
        letter = Letter(chat["id"], "digest.nothing", facts, lane=lane, person_id=chat["person_id"])
        rows.append(await owed(town, letter))
    return [row for row in rows if row is not None]


async def owed(town: Town, letter: Letter) -> int | None:
    return await town.database.transaction(lambda tx: outbox.owe(tx, letter, at=town.app.civil()))


async def fails(town: Town, where: str, trouble: Exception, count: int = 1, **more: Any) -> list[int]:
    """Owe messages that fail so, and let the program come to rest."""
    await town.settle()
    rows = await owe(town, where, count, **more)
    with failing(town, where, trouble):
        await town.settle()
    return rows


@contextmanager
def failing(town: Town, where: str, trouble: Exception) -> Iterator[None]:
    """Nothing arrives in this chat."""
    arrives = town.channel.send

    async def send(parcel: Parcel) -> str:
        if parcel.chat in (f"group:{where}", f"private:{where}"):
            raise trouble
        return await arrives(parcel)

    town.channel.send = send  # type: ignore[method-assign]  # one chat fails
    yield
    town.channel.send = arrives  # type: ignore[method-assign]  # it works again


async def states(town: Town, rows: list[int]) -> list[str]:
    return [(await town.one("SELECT state FROM outbox WHERE id = :id", id=row))["state"] for row in rows]


# Alerts ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("cause,unreachable", PERMANENT)
async def test_ten_messages_that_fail_for_one_cause_are_one_alert_and_one_line(
    town: Town, cause: str, unreachable: bool, tally: Tally
) -> None:
    rows = await fails(town, SINGLE, Undeliverable(cause, unreachable=unreachable), 10)
    tally("R8", 1)
    assert await states(town, rows) == ["dead"] * 10
    assert to(town.said, OFFICE) == ["watch.undelivered"]
    (shown,) = await town.presses(OFFICE, "未送达")
    assert (shown.key, len(shown.facts["lines"])) == ("undelivered.list", 1)
    assert f"群“{SINGLE}”（memory）：没有送到 10 条" in shown.text
    back = await town.presses(OFFICE, "补发")
    assert [line.listener for line in back if line.key == "digest.nothing"] == [SINGLE] * 10
    assert await states(town, rows) == ["sent"] * 10


async def test_refusals_that_differ_in_their_hints_alone_are_one_cause(town: Town) -> None:
    for n in range(3):
        words = f"invalid chatid, hint: [17412345678901{n}0] from ip: 10.0.0.{n}, more info at https://x/{n} (40097)"
        await fails(town, SINGLE, Undeliverable(words))
    assert to(town.said, OFFICE) == ["watch.undelivered"]
    (shown,) = await town.presses(OFFICE, "未送达")
    assert "没有送到 3 条" in shown.text
    assert "invalid chatid (40097)" in shown.text


async def test_another_cause_another_chat_and_another_day_are_told_again(town: Town) -> None:
    await fails(town, SINGLE, Undeliverable("kicked"))
    await fails(town, SINGLE, Undeliverable("muted"))
    await fails(town, MULTI, Undeliverable("kicked"))
    assert to(town.said, OFFICE) == ["watch.undelivered"] * 3
    await town.wait(until="2026-03-12 09:00")
    await fails(town, SINGLE, Undeliverable("kicked"))
    assert to(town.said, OFFICE).count("watch.undelivered") == 4


# The list -------------------------------------------------------------------------------------------------------------
async def test_a_digest_of_which_nobody_knows_is_told_listed_and_sent_again_once(town: Town) -> None:
    rows = await fails(town, CONTROL, Uncertain("no answer"), lane=Lane.DIGEST)
    assert await states(town, rows) == ["uncertain"]
    assert to(town.said, OFFICE) == ["watch.doubtful"]
    (shown,) = await town.says(OFFICE, "未送达")
    assert "不知送达 1 条" in shown.text
    again = await town.presses(OFFICE, "补发")
    told = [(line.listener, line.key) for line in again]
    assert told == [(OFFICE, "undelivered.resent"), (CONTROL, "digest.nothing")]
    assert to(await town.says(OFFICE, button="resend:::x"), OFFICE) == ["undelivered.nothing_to_resend"]
    assert to(await town.says(OFFICE, "未送达"), OFFICE) == ["undelivered.none"]


async def test_dead_letters_leave_in_their_old_order_before_what_came_later(town: Town) -> None:
    rows = await fails(town, SINGLE, Undeliverable("kicked"), 4)
    with failing(town, SINGLE, Unsent("busy")):
        later = await owe(town, SINGLE)
        await town.settle()
    await town.says(OFFICE, "未送达 补发")
    await town.wait(hours=0.02)
    sent = await town.all("SELECT id FROM outbox WHERE text_key = 'digest.nothing' AND state = 'sent' ORDER BY seq")
    assert [row["id"] for row in sent] == rows + later
    assert [line.id for line in town.said if line.listener == SINGLE] == rows + later


async def test_one_chat_alone_is_sent_again_by_its_own_button(town: Town) -> None:
    here = await fails(town, SINGLE, Undeliverable("kicked"), 2)
    there = await fails(town, MULTI, Undeliverable("kicked"), 3)
    (shown,) = await town.presses(OFFICE, "未送达")
    assert shown.buttons == ("补发", MULTI, SINGLE)
    await town.presses(OFFICE, MULTI)
    assert await states(town, [*here, *there]) == ["dead"] * 2 + ["sent"] * 3


async def test_what_fails_once_more_is_listed_once_more(town: Town) -> None:
    await fails(town, SINGLE, Undeliverable("kicked"))
    await town.says(OFFICE, "未送达")
    with failing(town, SINGLE, Undeliverable("kicked")):
        await town.presses(OFFICE, "补发")
    (shown,) = await town.says(OFFICE, "未送达")
    assert shown.text.count("没有送到 1 条") == 1


async def test_a_digest_that_is_over_is_worth_nothing_and_not_listed(town: Town) -> None:
    rows = await fails(town, CONTROL, Uncertain("no answer"), lane=Lane.DIGEST)
    await change(town, "UPDATE outbox SET expires_at = written_at + 3600000 WHERE id = :id", id=rows[0])
    assert to(await town.says(OFFICE, "未送达"), OFFICE) == ["undelivered.list"]
    await town.wait(hours=2)
    assert to(await town.says(OFFICE, "未送达"), OFFICE) == ["undelivered.none"]


async def test_after_thirty_days_nobody_has_missed_it(town: Town) -> None:
    await fails(town, SINGLE, Undeliverable("kicked"))
    await town.wait(days=31)
    assert to(await town.says(OFFICE, "未送达"), OFFICE) == ["undelivered.none"]


# Who may ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("who", [BOSS, LIAISON])
async def test_nobody_else_sees_or_sends_any_of_it(town: Town, who: str) -> None:
    rows = await fails(town, SINGLE, Undeliverable("kicked"))
    assert to(await town.says(who, "未送达"), who) == ["refused.not_for_you"]
    assert to(await town.says(who, button="resend:::x"), who) == ["refused.not_for_you"]
    assert to(await town.says(who, button="undelivered:::x"), who) == ["refused.not_for_you"]
    assert await states(town, rows) == ["dead"]


async def test_asked_in_a_group_it_is_told_privately(town: Town) -> None:
    await fails(town, SINGLE, Undeliverable("kicked"))
    said = await town.says(OFFICE, "/未送达", where=MULTI)
    assert "undelivered.list" in to(said, OFFICE)
    assert SINGLE not in heard(said, MULTI)


async def test_the_list_holds_nobodys_words(town: Town) -> None:
    await town.says(BOSS, "诉求 锅炉房偷排废水", where=SINGLE)
    await fails(town, SINGLE, Undeliverable("kicked"))
    (shown,) = await town.says(OFFICE, "未送达")
    assert "锅炉" not in shown.text
    assert "废水" not in shown.text


async def test_of_sealed_matters_the_inspector_alone_has_a_list(town: Town) -> None:
    await town.says(BOSS, "诉求 车间停电", where=SINGLE)
    await change(town, "UPDATE appeals SET sealed = 1")
    rows = await fails(town, INSPECTOR, Undeliverable("blocked"))
    await change(town, "UPDATE outbox SET appeal_id = 1, person_id = NULL WHERE id = :id", id=rows[0])
    assert to(await town.says(OFFICE, "未送达"), OFFICE) == ["undelivered.none"]
    assert to(await town.says(OFFICE, button="resend:::x"), OFFICE) == ["undelivered.nothing_to_resend"]
    (shown,) = await town.says(INSPECTOR, "未送达")
    assert shown.buttons == (INSPECTOR,)
    await town.presses(INSPECTOR, INSPECTOR)
    assert await states(town, rows) == ["sent"]
