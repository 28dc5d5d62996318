"""Buttons and edits on Telegram: what is over vanishes, what is pressed too late changes nothing."""

from collections.abc import AsyncIterator

import pytest

from tests.errors import ExpectedErrors
from tests.stories.telegram_town import TelegramTown, telegram_town
from tests.stories.town import Said


@pytest.fixture
async def town() -> AsyncIterator[TelegramTown]:
    async with telegram_town(at="2026-03-11 09:00") as opened:
        yield opened


def told(said: list[Said], listener: str) -> list[str]:
    return [line.key for line in said if line.listener == listener]


def shown(town: TelegramTown, name: str) -> list[tuple[str, ...]]:
    """The buttons under each message of his private chat as they are now, oldest first."""
    now: dict[int, tuple[str, ...]] = {}
    for sent in town.emulator.sent:
        if sent.chat_id == town.users[name].id:
            now[sent.message_id] = tuple(label for row in sent.buttons for label, _ in row)
    return list(now.values())


async def test_a_press_stops_its_spinner(town: TelegramTown) -> None:
    await town.says("张建国", "诉求 车间电压低")
    await town.presses("王敏", "接单")
    assert set(town.emulator.answered.values()) == {None}
    assert len(town.emulator.answered) == 1


async def test_when_a_matter_is_taken_on_the_old_buttons_vanish_and_those_that_hold_stay(town: TelegramTown) -> None:
    await town.says("张建国", "诉求 车间电压低")
    assert shown(town, "王敏")[-1] == ("接单", "已联系", "退单")
    assert shown(town, "张建国")[-1] == ("补充", "撤回")
    await town.presses("王敏", "接单")
    assert shown(town, "王敏")[0] == ()
    assert shown(town, "张建国")[0] == ("补充",)
    assert "接单" not in shown(town, "王敏")[-1]


async def test_a_press_that_comes_too_late_changes_nothing_and_shows_how_it_stands(town: TelegramTown) -> None:
    await town.says("张建国", "诉求 车间电压低")
    task = next(line for line in town.said if "接单" in line.buttons)
    await town.presses("王敏", "接单")
    before = await town.all("SELECT * FROM appeals")
    said = await town.says("王敏", button=task.data[0], reply_to=task.id)
    assert told(said, "王敏") == ["refused.outdated"]
    assert await town.all("SELECT * FROM appeals") == before


async def test_somebody_elses_button_changes_nothing(town: TelegramTown) -> None:
    await town.says("张建国", "诉求 车间电压低")
    task = next(line for line in town.said if "接单" in line.buttons)
    before = await town.all("SELECT * FROM appeals"), await town.all("SELECT * FROM events")
    message = await town._platform_id(task.id)
    await town.emulator.presses(town.users["陈和顺"], message, task.data[0], chat=town.emulator.chat(task_chat(town)))
    await town.settle()
    assert (await town.all("SELECT * FROM appeals"), await town.all("SELECT * FROM events")) == before


def task_chat(town: TelegramTown) -> int:
    return town.users["王敏"].id


async def test_buttons_under_a_message_that_was_deleted_are_missed_by_nobody(town: TelegramTown) -> None:
    await town.says("张建国", "诉求 车间电压低")
    task = next(line for line in town.said if "接单" in line.buttons)
    town.emulator.deletes(await town._platform_id(task.id), town.emulator.chat(task_chat(town)))
    said = await town.says("王敏", "接单 1")
    assert told(said, "王敏") == ["work.acknowledged"]
    states = await town.all("SELECT state FROM outbox WHERE kind = 'edit' AND chat_id = "
                            "(SELECT id FROM chats WHERE external_id = :id)", id=str(task_chat(town)))  # fmt: skip
    assert {row["state"] for row in states} == {"dead"}
    assert not [line for line in said if line.key == "watch.undelivered"]


async def test_an_edited_message_adds_to_its_matter_until_somebody_takes_it_on(town: TelegramTown) -> None:
    asked = await town.emulator.says(town.users["张建国"], "诉求 车间电压低")
    await town.settle()
    await town.emulator.edits(town.users["张建国"], asked, "诉求 车间电压低，三号线最重")
    assert told(await town.settle(), "张建国") == ["work.supplemented"]
    await town.presses("王敏", "接单")
    await town.emulator.edits(town.users["张建国"], asked, "诉求 车间电压低，全厂都停")
    assert "work.supplemented" not in told(await town.settle(), "张建国")


async def test_an_update_that_cannot_be_read_is_set_aside_and_delays_nobody(
    town: TelegramTown, expected_errors: ExpectedErrors
) -> None:
    expected_errors.expect("could not be handled")
    chat = town.users["张建国"].id
    town.emulator.push_raw({"message": {"message_id": 1, "chat": {"id": chat}, "text": "诉求 停电"}})
    assert told(await town.says("陈和顺", "诉求 停电"), "陈和顺") == ["appeal.filed"]
    for _ in range(5):
        await town.wait(hours=0.1)
    (row,) = await town.all("SELECT state, body FROM inbox WHERE state <> 'done'")
    assert row["state"] == "dead"
    assert "诉求 停电" in row["body"]
    assert "watch.poison" in [line.key for line in town.said if line.listener == "周芳"]
    assert told(await town.says("张建国", "诉求 停电"), "张建国") == ["appeal.filed"]
