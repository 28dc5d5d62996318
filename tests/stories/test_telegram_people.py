"""How people are reached on Telegram: by Start, by a link, by name in a group where their private chat is shut."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from domain.people import Role
from storage import invites, people
from storage.database import Tx
from tests.stories.telegram_town import TelegramTown, telegram_town
from tests.stories.town import Said

GROUP = "宏达机械联企群"


@pytest.fixture
async def town() -> AsyncIterator[TelegramTown]:
    async with telegram_town(at="2026-03-11 09:00") as opened:
        yield opened


def told(said: list[Said], listener: str) -> list[str]:
    return [line.key for line in said if line.listener == listener]


async def test_a_stranger_who_presses_start_is_asked_who_he_is(town: TelegramTown) -> None:
    town.users["路人"] = town.emulator.user(7001, "路人", started=True)
    assert told(await town.says("路人", "/start"), "路人") == ["joining.ask_bind"]


async def test_a_start_link_with_a_code_binds(town: TelegramTown) -> None:
    async def coded(tx: Tx) -> str:
        (firm,) = await people.enterprises_called(tx, "和顺物流")
        return await invites.make(tx, firm, town.app.civil())

    town.users["路人"] = town.emulator.user(7001, "陈小顺", started=True)
    code = await town.database.transaction(coded)
    assert told(await town.says("路人", f"/start {code}"), "路人") == ["joining.bound"]
    assert told(await town.says("路人", "诉求 停电"), "路人") == ["appeal.filed"]


async def shut(town: TelegramTown, name: str, how: str) -> None:
    """His private chat is closed to the bot, in one of the ways there are."""
    user = town.users[name]
    if how == "never started":
        user.started = False
    elif how == "blocked":
        await town.emulator.blocks(user)
    else:
        town.emulator.deactivate(user)
    await town.settle()


@pytest.mark.parametrize("how", ["never started", "blocked", "deactivated"])
async def test_a_cadre_whom_nothing_reaches_is_called_by_name_in_a_group_once_a_day(
    town: TelegramTown, how: str
) -> None:
    await shut(town, "王敏", how)
    said = await town.says("张建国", "诉求 车间电压低")
    called = [line for line in said if line.key == "reach.mention"]
    assert len(called) == 1
    assert called[0].listener in town.groups
    assert "@王敏" in called[0].text
    assert "https://t.me/lianqi_bot" in called[0].text
    assert "电压" not in called[0].text
    (sent,) = [each for each in town.emulator.sent if each.text == called[0].text]
    (entity,) = sent.params["entities"]
    assert (entity["type"], entity["user"]["id"]) == ("text_mention", town.users["王敏"].id)
    assert told(said, "周芳") == ["watch.unreachable"]
    again = await town.says("张建国", "诉求 又停电")
    assert "reach.mention" not in [line.key for line in again]
    assert told(again, "周芳") == ["watch.unreachable"]
    town.app.civil.move_to(town.app.civil() + timedelta(days=1))
    later = await town.says("张建国", "诉求 还是停电")
    assert "reach.mention" in [line.key for line in later]


async def test_once_he_presses_start_the_next_word_reaches_him(town: TelegramTown) -> None:
    await town.emulator.blocks(town.users["王敏"])
    await town.says("张建国", "诉求 车间电压低")
    await town.emulator.unblocks(town.users["王敏"])
    await town.settle()
    assert told(await town.says("张建国", "诉求 又停电"), "王敏") == ["task.dispatched"]


async def test_a_firm_that_nothing_reaches_gets_the_way_to_its_private_chat(town: TelegramTown) -> None:
    await town.emulator.blocks(town.users["张建国"])
    await town.settle()
    said = await town.says("张建国", "/投诉 有人刁难", where=GROUP)
    (answer,) = [line for line in said if line.key == "reply.come_private"]
    assert "https://t.me/lianqi_bot" in answer.text
    assert "刁难" not in "".join(line.text for line in said if line.listener in town.groups)


async def commands_of(town: TelegramTown, name: str) -> list[str]:
    await town.settle()
    listed = town.emulator.commands.get(f"chat:{town.users[name].id}", [])
    return [line["command"] for line in listed]


async def menus_set(town: TelegramTown, name: str) -> int:
    scope = {"type": "chat", "chat_id": town.users[name].id}
    calls = [call for call in town.emulator.calls if call.method == "setMyCommands"]
    return sum(call.params.get("scope") == scope for call in calls)


async def test_everybody_gets_the_commands_of_his_own_work_once(town: TelegramTown) -> None:
    await town.says("张建国", "帮助")
    await town.says("王敏", "帮助")
    await town.says("王敏", "待办")
    assert await commands_of(town, "张建国") == [
        *("appeal", "ask", "complain", "suggest", "my", "urge", "withdraw", "status", "policy", "language", "help")
    ]
    assert {"todo", "accept", "resolve", "record"} <= set(await commands_of(town, "王敏"))
    assert await menus_set(town, "王敏") == 1


async def test_a_new_role_or_language_brings_another_list(town: TelegramTown) -> None:
    await town.says("王敏", "帮助")
    before = [line["description"] for line in town.emulator.commands[f"chat:{town.users['王敏'].id}"]]
    await town.says("王敏", "语言 英文")
    after = [line["description"] for line in town.emulator.commands[f"chat:{town.users['王敏'].id}"]]
    assert len(before) == len(after)
    assert before != after

    async def promoted(tx: Tx) -> None:
        (wang,) = await people.people_named(tx, "王敏", town.app.civil())
        await tx.run("INSERT INTO person_roles VALUES (:id, :role)", {"id": wang.id, "role": Role.COORDINATOR.value})

    await town.database.transaction(promoted)
    await town.says("王敏", "待办")
    assert "publish" in await commands_of(town, "王敏")


async def test_strangers_and_groups_have_lists_in_both_languages(town: TelegramTown) -> None:
    listed = town.emulator.commands
    everywhere = {"default", "all_private_chats", "all_group_chats"}
    assert {f"{scope}{language}" for scope in everywhere for language in ("", "/zh", "/en")} <= set(listed)
    assert [line["command"] for line in listed["all_private_chats"]] == ["bind", "appeal", "policy", "help"]


async def test_a_web_chat_is_owed_no_list_of_commands(town: TelegramTown) -> None:
    await town.says("张建国", "帮助")
    kinds = await town.all("SELECT c.channel, o.kind FROM outbox o JOIN chats c ON c.id = o.chat_id")
    assert {row["channel"] for row in kinds if row["kind"] == "menu"} == {"telegram"}
