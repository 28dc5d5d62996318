"""Buttons, edits and updates that nobody can read, on Telegram: nothing is done twice, and nothing stands still."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.civil import CivilClock
from bot.dispatch import BACK_OFF, MOST_TRIES
from tests.errors import ExpectedErrors
from tests.making import civil
from tests.stories.telegram_town import TelegramTown, telegram_town
from tests.stories.town import Said

BOSS, OTHER_BOSS, LIAISON, DEPUTY, OFFICE, NEW = "张建国", "陈和顺", "王敏", "李强", "周芳", "马师傅"
GROUP, MULTI = "宏达机械联企群", "大树营联企群"
NINE = civil("2026-03-11 09:00")
PERMITTED = ("inbox", "outbox", "outbox_parts", "chats.last_seq", "chats.heard_at")
"""What a press that does nothing may change: that it came in, and what was answered."""


@pytest.fixture
def clock() -> CivilClock:
    return CivilClock(lambda: NINE, NINE, frozen=True)


@pytest.fixture
async def town(clock: CivilClock) -> AsyncIterator[TelegramTown]:
    async with telegram_town(clock=clock) as opened:
        await opened.settle()
        yield opened


def told(said: list[Said], listener: str) -> list[str]:
    return [line.key for line in said if line.listener == listener]


def button(town: TelegramTown, who: str, label: str) -> tuple[int, str]:
    """The newest message that shows somebody this button: its id, and the button's data."""
    for sent in reversed(town.got(who)):
        for shown, data in (key for row in sent.buttons for key in row):
            if shown == label:
                return sent.message_id, data
    raise AssertionError(f"{who} was shown no button {label}")


async def press(town: TelegramTown, who: str, message: int, data: str, where: str = "") -> list[Said]:
    """Somebody presses, whether the button still stands there or not."""
    await town.emulator.presses(town.users[who], message, data, chat=town.groups[where] if where else None)
    return await town.settle()


# Pressing -------------------------------------------------------------------------------------------------------------
async def test_a_press_is_answered_at_once_and_before_anything_is_done(town: TelegramTown) -> None:
    await town.says(BOSS, "诉求 停电")
    query = await town.emulator.presses(town.users[LIAISON], *button(town, LIAISON, "接单"))
    async with asyncio.timeout(5):
        while query not in town.emulator.answered:  # noqa: ASYNC110 - nothing rings when it is answered
            await asyncio.sleep(0.005)
    assert (await town.one("SELECT status FROM appeals"))["status"] == "dispatched"
    assert told(await town.settle(), LIAISON) == ["work.acknowledged"]


async def test_a_press_too_old_to_be_answered_is_done_all_the_same(town: TelegramTown) -> None:
    await town.says(BOSS, "诉求 停电")
    await town.emulator.presses(town.users[LIAISON], *button(town, LIAISON, "接单"), inaccessible=True)
    town.emulator.expire_queries()
    assert told(await town.settle(), LIAISON) == ["work.acknowledged"]


async def test_an_outdated_button_vanishes_from_every_message_that_showed_it(town: TelegramTown) -> None:
    await town.says(BOSS, "诉求 停电")
    await town.wait(until="2026-03-12 09:00")
    showing = [sent.message_id for sent in town.got(LIAISON) if "接单" in str(sent.buttons)]
    assert len(showing) > 1
    await town.presses(LIAISON, "接单")
    assert ["接单" in town.shown(LIAISON, message) for message in showing] == [False] * len(showing)
    edited = {call["message_id"] for call in town.calls("editMessageText", LIAISON)}
    assert edited == set(showing)


async def test_buttons_that_still_hold_stay_and_so_do_the_words(town: TelegramTown) -> None:
    await town.says(BOSS, "诉求 停电")
    message, data = button(town, BOSS, "补充")
    before = town.emulator.chat(town.users[BOSS].id).messages[message]["text"]
    assert town.shown(BOSS, message) == ["补充", "撤回"]
    await town.presses(LIAISON, "接单")
    assert town.shown(BOSS, message) == ["补充"]
    assert town.emulator.chat(town.users[BOSS].id).messages[message]["text"] == before
    assert told(await press(town, BOSS, message, data), BOSS) == ["ask.supplement"]


async def test_the_buttons_under_a_picture_vanish_as_well(town: TelegramTown) -> None:
    await town.says(BOSS, photo=b"\xff\xd8 picture", caption="诉求 停电")
    message, _ = button(town, LIAISON, "接单")
    assert "接单" in town.shown(LIAISON, message)
    await town.presses(LIAISON, "接单")
    assert "接单" not in town.shown(LIAISON, message)


async def test_a_press_on_an_outdated_button_changes_nothing_and_shows_how_things_stand(town: TelegramTown) -> None:
    await town.says(BOSS, "诉求 停电")
    message, data = button(town, LIAISON, "接单")
    await press(town, LIAISON, message, data)
    before = await town.everything(*PERMITTED)
    said = await press(town, LIAISON, message, data)
    assert told(said, LIAISON) == ["refused.outdated"]
    assert "办理中" in said[0].text
    assert await town.everything(*PERMITTED) == before


async def test_two_presses_at_once_are_one_step(town: TelegramTown) -> None:
    await town.says(BOSS, "诉求 停电")
    message, data = button(town, LIAISON, "接单")
    await town.emulator.presses(town.users[LIAISON], message, data)
    said = await press(town, LIAISON, message, data)
    assert sorted(told(said, LIAISON)) == ["refused.outdated", "work.acknowledged"]
    assert len(await town.all("SELECT id FROM events WHERE name = 'acknowledge'")) == 1


async def test_a_message_that_was_deleted_is_not_missed(town: TelegramTown) -> None:
    await town.says(BOSS, "诉求 停电")
    filed, _ = button(town, BOSS, "撤回")
    message, data = button(town, LIAISON, "接单")
    town.emulator.deletes(filed, town.users[BOSS])
    town.emulator.deletes(message, town.users[LIAISON])
    said = await press(town, LIAISON, message, data)
    assert told(said, LIAISON) == ["work.acknowledged"]
    assert told(said, OFFICE) == []
    assert await town.all("SELECT id FROM outbox WHERE state IN ('pending', 'sending')") == []
    assert told(await town.says(LIAISON, "进展 1 已到现场"), BOSS) == ["firm.progress"]


@pytest.mark.parametrize("who", [OTHER_BOSS, NEW, DEPUTY])
async def test_a_press_by_somebody_without_right_changes_nothing(town: TelegramTown, who: str) -> None:
    town.stranger(7001, NEW)
    await town.says(NEW, "大家好", where=MULTI)
    await town.says(who, "/help", where=MULTI)
    await town.says(BOSS, "诉求 停电", where=MULTI)
    withdraw = button(town, MULTI, "撤回")
    acknowledge = button(town, LIAISON, "接单")
    before = await town.everything(*PERMITTED)
    said = await press(town, who, *withdraw, where=MULTI)
    said += await press(town, who, withdraw[0], acknowledge[1], where=MULTI)  # as a forged client would
    said += await press(town, who, withdraw[0], "nonsense", where=MULTI)
    assert said
    assert all("停电" not in line.text for line in said)
    assert await town.everything(*PERMITTED) == before


# Edits ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("where", ["", GROUP])
async def test_an_edit_is_a_supplement_until_somebody_takes_it_on_and_nothing_afterwards(
    town: TelegramTown, where: str
) -> None:
    chat = town.groups[where] if where else None
    message = await town.hears(BOSS, "诉求 停电", where=where)
    await town.settle()
    await town.emulator.edits(town.users[BOSS], message, "诉求 三车间停电", chat=chat)
    said = await town.settle()
    assert told(said, where or BOSS) == ["work.supplemented"]
    assert len(await town.all("SELECT id FROM appeals")) == 1
    await town.presses(LIAISON, "接单")
    before = await town.everything(*PERMITTED)
    await town.emulator.edits(town.users[BOSS], message, "诉求 全厂停电", chat=chat)
    assert await town.settle() == []
    assert await town.everything(*PERMITTED) == before


@pytest.mark.parametrize("line, changed", [("进度", "撤回 1"), ("你好啊", "诉求 停水"), ("进度", "诉求 停水")])
async def test_an_edit_runs_no_command(town: TelegramTown, line: str, changed: str) -> None:
    await town.says(BOSS, "诉求 停电")
    message = await town.hears(BOSS, line)
    await town.settle()
    before = await town.everything(*PERMITTED)
    await town.emulator.edits(town.users[BOSS], message, changed)
    assert await town.settle() == []
    assert await town.everything(*PERMITTED) == before


# What cannot be read --------------------------------------------------------------------------------------------------
def broken(chat_id: int) -> dict[str, Any]:
    """An update as no platform should send it."""
    chat = {"id": chat_id, "type": "private"}
    return {"message": {"message_id": [], "date": "yesterday", "chat": chat, "from": 7, "text": "诉求 停电"}}


async def test_what_cannot_be_read_is_set_aside_and_told_and_holds_up_no_other_chat(
    town: TelegramTown, clock: CivilClock, expected_errors: ExpectedErrors
) -> None:
    expected_errors.expect("could not be handled")
    update = broken(town.users[BOSS].id)
    town.emulator.push_raw(update)
    await town.hears(BOSS, "进度")
    said = await town.says(OTHER_BOSS, "诉求 停电")
    assert told(said, OTHER_BOSS) == ["appeal.filed"]
    assert told(said, BOSS) == ["reply.trouble"]
    for wait in BACK_OFF:
        assert told(town.said, OFFICE).count("watch.poison") == 0
        clock.move_to(clock() + wait + timedelta(seconds=1))
        said = await town.settle()
    assert told(said, OFFICE) == ["watch.poison"]
    assert told(said, BOSS)  # what he said after it is answered now
    row = await town.one("SELECT id, state, attempts, body FROM inbox WHERE error <> ''")
    assert (row["state"], row["attempts"]) == ("dead", MOST_TRIES)
    assert str(row["id"]) in next(line.text for line in said if line.key == "watch.poison")
    assert json.loads(row["body"])["update"]["message"] == update["message"]


@pytest.mark.parametrize(
    "update",
    [
        {"message": None},
        {"message": "text"},
        {"callback_query": {"id": "1"}},
        {"poll": {"id": "1"}},
        {"message": {"chat": {"id": "x"}}},
        {"my_chat_member": []},
        {},
    ],
)
async def test_whatever_comes_the_next_is_heard(
    town: TelegramTown, clock: CivilClock, update: dict[str, Any], expected_errors: ExpectedErrors
) -> None:
    expected_errors.patterns.append("could not be handled")
    town.emulator.push_raw(update)
    assert told(await town.says(BOSS, "诉求 停电"), BOSS) == ["appeal.filed"]
    for wait in BACK_OFF:
        clock.move_to(clock() + wait + timedelta(seconds=1))
        await town.settle()
    assert await town.all("SELECT id FROM inbox WHERE state = 'new'") == []
    expected_errors.patterns[:] = [p for p in expected_errors.patterns if expected_errors.lines]
