"""How people come to the bot on Telegram and are reached there: Start, codes, shut private chats, lists of commands."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.people import Role
from storage import accounts, invites, people
from storage.database import Tx
from tests.stories.telegram_town import TelegramTown, telegram_town
from tests.stories.town import Said, Town

BOSS, LIAISON, OFFICE, DUTY = "张建国", "王敏", "周芳", "赵工"
GROUP, MULTI, DESK = "宏达机械联企群", "大树营联企群", "优化办调度群"
NEW = "马师傅"


@pytest.fixture
async def town() -> AsyncIterator[TelegramTown]:
    async with telegram_town(at="2026-03-11 09:00") as opened:
        yield opened


def told(said: list[Said], listener: str) -> list[str]:
    return [line.key for line in said if line.listener == listener]


async def code_for(town: TelegramTown, name: str) -> str:
    """A desk card's code for a firm."""

    async def unit(tx: Tx) -> str:
        (firm,) = await people.enterprises_called(tx, name)
        return await invites.make(tx, firm, town.app.civil())

    return await town.database.transaction(unit)


# Start ----------------------------------------------------------------------------------------------------------------
async def test_a_stranger_who_presses_start_is_told_how_to_make_himself_known(town: TelegramTown) -> None:
    town.stranger(7001, NEW)
    said = await town.says(NEW, "/start")
    assert told(said, NEW) == ["joining.ask_bind"]
    assert "邀请码" in said[0].text


async def test_start_with_a_code_binds_and_files_what_was_kept(town: TelegramTown) -> None:
    town.stranger(7001, NEW)
    kept = await town.says(NEW, "诉求 车间停电")
    assert told(kept, NEW) == ["joining.kept_alone"]
    said = await town.says(NEW, f"/start {await code_for(town, '宏达机械')}")
    assert told(said, NEW) == ["joining.kept_filed", "joining.bound"]
    assert next(line.facts["filed"] for line in said if line.key == "joining.bound") == 1
    appeal = await town.one("SELECT title, source FROM appeals")
    assert (appeal["title"], appeal["source"]) == ("车间停电", "private")
    assert told(said, LIAISON) == ["task.dispatched", "joining.joined"]


async def test_a_code_works_once_and_who_guesses_is_not_told_why(town: TelegramTown) -> None:
    town.stranger(7001, NEW)
    town.stranger(7002, "别人")
    code = await code_for(town, "宏达机械")
    await town.says(NEW, f"/start {code}")
    again = await town.says("别人", f"/start {code}")
    wrong = await town.says("别人", "/start K7QF-3M9T-X2")
    assert [line.text for line in again] == [line.text for line in wrong]
    assert told(wrong, "别人") == ["joining.wrong_code"]


# Out of reach ---------------------------------------------------------------------------------------------------------
async def file_and_take_on(town: TelegramTown, words: str = "车间停电") -> list[Said]:
    """The boss's matter, raised in his group and taken on; what was said after that."""
    await town.says(BOSS, f"诉求 {words}", where=GROUP)
    return await town.presses(LIAISON, "接单")


async def test_who_never_pressed_start_is_called_in_his_group_without_a_word_of_the_matter(town: TelegramTown) -> None:
    await town.out_of_reach(BOSS)
    said = await file_and_take_on(town)
    called = [sent for sent in town.got(GROUP) if "text_mention" in str(sent.params.get("entities"))]
    assert len(called) == 1
    mark = called[0].params["entities"][0]
    assert mark["user"]["id"] == town.users[BOSS].id
    assert called[0].text[mark["offset"] : mark["offset"] + mark["length"]] == f"@{BOSS}"
    assert "https://t.me/lianqi_bot" in called[0].text
    assert not any(word in called[0].text for word in ("停电", "#1", "接单"))
    assert town.got(BOSS) == []
    assert "watch.unreachable" in told(said, LIAISON)


async def test_he_is_called_once_a_day_and_his_liaison_hears_of_every_matter(town: TelegramTown) -> None:
    await town.out_of_reach(BOSS)
    await file_and_take_on(town)
    await file_and_take_on(town, "又停电了")
    assert [line.key for line in town.said if line.listener == GROUP].count("reach.mention") == 1
    assert [line.facts["number"] for line in town.said if line.key == "watch.unreachable"] == ["1", "2"]
    await town.wait(until="2026-03-12 09:00")
    await town.says(LIAISON, "进展 1 变压器已订货")
    await town.wait(until="2026-03-12 10:00")
    assert [line.time for line in town.said if line.key == "reach.mention"] == ["03-11 09:00", "03-12 09:00"]


async def test_after_he_presses_start_the_next_notice_arrives_privately(town: TelegramTown) -> None:
    await town.out_of_reach(BOSS)
    await file_and_take_on(town)
    await town.says(BOSS, "/start")
    said = await town.says(LIAISON, "进展 1 变压器已订货")
    assert told(said, BOSS) == ["firm.progress"]
    assert told(said, GROUP) == []


async def test_an_officer_out_of_reach_is_called_where_he_works_and_the_office_hears_so(town: TelegramTown) -> None:
    await town.out_of_reach(LIAISON)
    await town.says(BOSS, "诉求 停电")
    await town.out_of_reach(DUTY)
    said = await town.says(OFFICE, "派单 1 赵工")
    calls = [line for line in town.said if line.key == "reach.mention"]
    assert [(line.listener, line.facts["name"]) for line in calls] == [(MULTI, LIAISON), (DESK, DUTY)]
    assert [line.facts["whom"] for line in said if line.key == "watch.unreachable"][-1] == DUTY
    assert {line.listener for line in town.said if line.key == "watch.unreachable"} == {OFFICE}


async def test_in_a_group_that_cannot_be_written_to_nobody_is_called_and_the_office_hears_so(
    town: TelegramTown,
) -> None:
    await town.out_of_reach(BOSS)
    await town.says(BOSS, "诉求 停电", where=MULTI)
    for name in (GROUP, MULTI):
        town.groups[name].bot = "kicked"
    await town.presses(LIAISON, "接单")
    assert "watch.undelivered" in told(town.said, OFFICE)
    assert "watch.unreachable" in told(town.said, LIAISON)


@pytest.mark.parametrize("how", ["blocked", "blocked unseen", "deactivated"])
async def test_a_blocked_or_deleted_account_is_out_of_reach_until_it_is_back(town: TelegramTown, how: str) -> None:
    await town.says(BOSS, "诉求 停电")
    user = town.users[BOSS]
    if how == "blocked":
        await town.emulator.blocks(user)
        await town.settle()
    user.blocked, user.deactivated = how != "deactivated", how == "deactivated"
    said = await town.presses(LIAISON, "接单")
    assert told(said, BOSS) == []
    assert "watch.unreachable" in told(said, LIAISON)
    assert [line.listener for line in said if line.key == "reach.mention"] in ([GROUP], [MULTI])
    before = len(town.calls("sendMessage", BOSS))
    await town.says(LIAISON, "进展 1 已订货")
    assert len(town.calls("sendMessage", BOSS)) == before
    user.deactivated = False
    await town.emulator.unblocks(user)
    await town.settle()
    assert told(await town.says(LIAISON, "进展 1 明天到货"), BOSS) == ["firm.progress"]


async def test_who_complains_in_a_group_and_cannot_be_reached_gets_the_way_to_the_private_chat(
    town: TelegramTown,
) -> None:
    await town.out_of_reach(BOSS)
    await town.emulator.blocks(town.users[BOSS])
    await town.settle()
    said = await town.says(BOSS, "投诉 窗口推诿", where=GROUP)
    assert told(said, GROUP)[0] == "reply.come_private"
    assert "https://t.me/lianqi_bot" in town.got(GROUP)[0].text
    assert "推诿" not in " ".join(sent.text for sent in town.got(GROUP))


# Lists of commands ----------------------------------------------------------------------------------------------------
def menus_set(town: TelegramTown, who: str) -> list[list[str]]:
    """The lists that Telegram was given for somebody's private chat, in order."""
    calls = [params for params in town.calls("setMyCommands") if "chat_id" in params.get("scope", {})]
    mine = [params for params in calls if params["scope"]["chat_id"] == town.users[who].id]
    return [[line["command"] for line in params["commands"]] for params in mine]


async def test_everybody_gets_his_own_list_of_commands_with_his_first_private_word(town: TelegramTown) -> None:
    await town.says(BOSS, "进度", where=GROUP)
    assert town.menu(BOSS) == []
    await town.says(BOSS, "进度")
    await town.says(LIAISON, "待办")
    assert town.menu(BOSS)[:3] == ["appeal", "ask", "complain"]
    assert "accept" in town.menu(LIAISON)
    assert "accept" not in town.menu(BOSS)


async def test_no_list_is_given_twice(town: TelegramTown) -> None:
    for _ in range(3):
        await town.says(BOSS, "进度")
    await town.restart()
    await town.says(BOSS, "进度")
    assert len(menus_set(town, BOSS)) == 1


async def test_another_role_or_language_brings_another_list(town: TelegramTown) -> None:
    await town.says(DUTY, "待办")
    await town._write(
        "INSERT INTO person_roles SELECT id, :role FROM people WHERE name = :name",
        role=Role.COORDINATOR.value,
        name=DUTY,
    )
    await town.says(DUTY, "待办")
    chinese = town.emulator.commands[f"chat:{town.users[DUTY].id}"]
    await town.says(DUTY, "语言 en")
    english = town.emulator.commands[f"chat:{town.users[DUTY].id}"]
    lists = menus_set(town, DUTY)
    assert len(lists) == 3
    assert ["dispatch" in each for each in lists] == [False, True, True]
    assert [line["command"] for line in chinese] == [line["command"] for line in english]
    assert english[0]["description"].isascii()
    assert not chinese[0]["description"].isascii()


async def test_strangers_keep_the_list_of_their_own_language_until_they_are_known(town: TelegramTown) -> None:
    town.stranger(7001, NEW)
    await town.says(NEW, "/start")
    assert menus_set(town, NEW) == []
    await town.says(NEW, f"/start {await code_for(town, '宏达机械')}")
    assert town.menu(NEW)[0] == "appeal"


async def test_whose_account_is_let_go_sees_what_strangers_see(town: TelegramTown) -> None:
    await town.says(BOSS, "进度")

    async def let_go(tx: Tx) -> None:
        account = await accounts.account(tx, "telegram", str(town.users[BOSS].id))
        assert account is not None
        await accounts.bind(tx, account, None, by=None, at=town.app.civil())

    await town.database.transaction(let_go)
    await town.says(BOSS, "进度")
    assert town.menu(BOSS)[0] == "bind"


async def test_a_list_that_nobody_could_take_is_no_hindrance(town: TelegramTown) -> None:
    town.emulator.fault("setMyCommands", status=400, description="Bad Request: BOT_COMMAND_INVALID")
    said = await town.says(BOSS, "进度")
    assert said
    assert await town.all("SELECT id FROM outbox WHERE state IN ('pending', 'sending')") == []


async def test_where_no_list_is_shown_none_is_owed() -> None:
    town = await Town.open()
    await town.says(BOSS, "进度")
    await town.says(LIAISON, "待办")
    rows: Any = await town.all("SELECT id FROM outbox WHERE kind = 'menu'")
    assert rows == []
    await town.close()
