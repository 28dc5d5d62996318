"""Who is let through: roles, relations, outdated buttons, two people at once, what a group may read."""

from dataclasses import replace

import pytest

from domain.people import Role
from tests.handlers.talk import (
    BOSS,
    CHIEF,
    CLERK,
    CONTROL,
    DUTY,
    HEAD,
    INSPECTOR,
    LIAISON,
    MULTI,
    OFFICE,
    OTHER,
    SINGLE,
    appeal,
    change,
    count,
    heard,
    newcomer,
    newest,
    reported_done,
    taken_on,
    to,
)
from tests.making import make_rules
from tests.stories.town import Town

COMMANDS = ["进度", "撤回", "补充", "催办", "满意", "不满意", "已解决", "回溯", "接单", "办结", "派单", "备注", "改类"]


# Foreign and missing numbers ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("where", ["", MULTI])
async def test_a_foreign_number_is_answered_exactly_like_one_that_does_not_exist(
    park: Town, command: str, where: str
) -> None:
    await park.says(BOSS, "诉求 停电")
    foreign = await park.says(OTHER, f"{command} 1 请看看", where=where)
    missing = await park.says(OTHER, f"{command} 7 请看看", where=where)
    assert [line.key for line in foreign] == [line.key for line in missing] == ["refused.not_found"]
    assert heard(foreign, where or OTHER).replace("#1", "#") == heard(missing, where or OTHER).replace("#7", "#")
    assert [line.buttons for line in foreign] == [line.buttons for line in missing]


async def test_a_foreign_number_in_button_data_is_answered_the_same(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    foreign = await park.says(OTHER, button="withdraw:1:2")
    missing = await park.says(OTHER, button="withdraw:7:2")
    assert heard(foreign, OTHER).replace("#1", "#") == heard(missing, OTHER).replace("#7", "#")


# Buttons --------------------------------------------------------------------------------------------------------------
async def test_an_outdated_button_changes_nothing_and_shows_the_present_state(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    old = newest(park, LIAISON, "task.dispatched").data[2]
    await park.presses(LIAISON, "接单")
    version = (await appeal(park))["version"]
    said = await park.says(LIAISON, button=old)
    assert to(said, LIAISON) == ["refused.outdated"]
    assert said[0].buttons == ()
    assert "办理中" in heard(said, LIAISON)
    assert "#1 停电" in heard(said, LIAISON)
    assert (await appeal(park))["version"] == version


async def test_a_button_stays_good_while_nothing_but_words_were_added(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    button = newest(park, LIAISON, "task.dispatched").data[0]
    await park.says(BOSS, "补充 二号车间也停了")
    assert to(await park.says(LIAISON, button=button), LIAISON) == ["work.acknowledged"]


async def test_an_outdated_button_that_still_makes_sense_is_renewed(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    await park.presses(LIAISON, "接单")
    said = await park.says(BOSS, button=newest(park, BOSS, "appeal.filed").data[1])
    assert (to(said, BOSS), said[0].buttons) == (["refused.outdated"], ("撤回",))
    assert to(await park.presses(BOSS, "撤回"), BOSS) == ["work.withdrawn"]


async def test_a_button_that_only_adds_is_never_outdated(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    await park.presses(LIAISON, "接单")
    assert to(await park.presses(BOSS, "补充"), BOSS) == ["ask.supplement"]


async def test_two_coordinators_press_one_button_one_dispatches_and_the_other_is_told(park: Town) -> None:
    await newcomer(park, "冯协调", Role.COORDINATOR)
    await park.says(BOSS, "诉求 有件说不清的事")
    await park.presses(OFFICE, "派单")
    await park.presses("冯协调", "派单")
    await park.presses(OFFICE, "县供电公司")
    said = await park.presses("冯协调", "教体局")
    assert to(said, "冯协调") == ["refused.outdated"]
    handler = await park.one("SELECT p.name FROM appeals a JOIN people p ON p.id = a.handler_id")
    assert handler["name"] == DUTY


async def test_twenty_presses_of_one_button_have_one_effect(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    button = newest(park, LIAISON, "task.dispatched").data[0]
    for _ in range(20):
        await park.says(LIAISON, button=button)
    events = await park.all("SELECT id FROM events WHERE name = 'acknowledge'")
    assert len(events) == 1


@pytest.mark.parametrize(
    "data",
    [
        "",
        ":",
        "::",
        "acknowledge",
        "acknowledge:1",
        "ACKNOWLEDGE:1:2",
        "acknowledge:1:x",
        "acknowledge:1:99999999999",
        "acknowledge:1;drop table appeals:2",
        "nonsense:1:2",
        "a" * 5000,
        "accept:1:2\x00",
        "接单:1:2",
    ],
)
async def test_button_data_that_lianqi_never_wrote_is_turned_away(park: Town, data: str) -> None:
    await park.says(BOSS, "诉求 停电")
    assert to(await park.says(LIAISON, button=data), LIAISON) == ["refused.button_unknown"]
    assert (await appeal(park))["status"] == "dispatched"


# Where it is said -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("where", [MULTI, SINGLE])
@pytest.mark.parametrize(
    "line", ["接单 1", "退单 1 应由供电公司办", "备注 1 企业超容", "已联系 1", "转办 1 县供电公司 属线路改造", "回溯 1"]
)
async def test_what_the_office_does_in_a_firms_group_is_answered_privately(park: Town, where: str, line: str) -> None:
    await park.says(BOSS, "诉求 停电", where=where)
    said = await park.says(LIAISON, line, where=where)
    assert to(said, where)[-1] == "reply.sent_privately" or "reply.sent_privately" in to(said, where)
    assert len(to(said, LIAISON)) == 1
    loud = heard(said, where)
    for inner in ("退", "备注", "超容", "转办", "线路改造", "接单时限"):
        assert inner not in loud
    assert all(not line.buttons for line in said if line.listener == where)


async def test_a_question_of_the_office_is_put_and_answered_privately(park: Town) -> None:
    await taken_on(park, where=SINGLE)
    said = await park.says(LIAISON, "办结 1", where=SINGLE)
    assert (to(said, SINGLE), to(said, LIAISON)) == (["reply.sent_privately"], ["ask.resolve"])
    assert to(await park.says(LIAISON, "已送电"), LIAISON) == ["work.resolved"]


@pytest.mark.parametrize("where", [MULTI, SINGLE])
@pytest.mark.parametrize("line", ["满意 1", "基本满意 1", "不满意 1 还是停", "不满意 1", "已解决 1", "未解决 1"])
async def test_a_rating_given_in_a_group_is_never_read_there(park: Town, where: str, line: str) -> None:
    await reported_done(park, where=where)
    said = await park.says(BOSS, line, where=where)
    loud = heard(said, where)
    assert "reply.sent_privately" in to(said, where)
    assert [word for word in ("满意", "解决", "还是停", "原因") if word in loud] == []


async def test_a_group_of_several_firms_reads_the_firms_name_where_the_title_would_stand(park: Town) -> None:
    said = await park.says(BOSS, "诉求 密钥泄露的变压器停电", where=MULTI)
    assert "#1：宏达机械" in heard(said, MULTI)
    for line in ("补充 1 密钥在这里", "催办 1", "催办 1", "撤回 1", "撤回 1", "催办 1", "撤销 1"):
        said = await park.says(BOSS, line, where=MULTI)
        assert "密钥" not in heard(said, MULTI)
        assert "#1 宏达机械" in heard(said, MULTI), line


async def test_the_group_of_one_firm_reads_its_title_even_in_a_refusal(park: Town) -> None:
    await park.says(BOSS, "诉求 一号车间停电", where=SINGLE)
    await park.says(BOSS, "撤回 1", where=SINGLE)
    assert "#1 一号车间停电" in heard(await park.says(BOSS, "催办 1", where=SINGLE), SINGLE)


async def test_the_coordinators_group_reads_titles_and_sees_its_buttons(park: Town) -> None:
    await park.says(BOSS, "诉求 有件说不清的事")
    said = await park.says(OFFICE, "派单 1", where=CONTROL)
    assert to(said, CONTROL) == ["ask.whom"]
    assert "有件说不清的事" in heard(said, CONTROL)
    assert to(await park.says(OFFICE, button=said[0].data[0], where=CONTROL), CONTROL) == ["oversight.dispatched"]


@pytest.mark.parametrize("line", ["投诉 窗口推诿", "诉求 罚款太多"])
@pytest.mark.parametrize("where", [MULTI, SINGLE])
async def test_of_complaints_and_sensitive_matters_a_group_reads_nothing(park: Town, line: str, where: str) -> None:
    said = await park.says(BOSS, line, where=where)
    for later in ("补充 1 还有一次", "进度 1", "催办 1", "撤回 1"):
        said += await park.says(BOSS, later, where=where)
    assert set(to(said, where)) == {"reply.sent_privately"}


async def test_who_has_no_private_chat_gets_the_way_there_and_his_liaison_calls(park: Town) -> None:
    await change(park, "DELETE FROM chats WHERE external_id = :id", id=f"private:{BOSS}")
    said = await park.says(BOSS, "投诉 窗口推诿", where=MULTI)
    assert to(said, MULTI) == ["reply.come_private"]
    assert to(said, LIAISON) == ["watch.unreachable"]
    assert await count(park, "appeals") == 1


async def test_the_way_to_a_private_chat_holds_the_parks_address() -> None:
    town = await Town.open(rules=replace(make_rules(), public_url="https://park.example"))
    await change(town, "DELETE FROM chats WHERE external_id = :id", id=f"private:{BOSS}")
    assert "https://park.example" in heard(await town.says(BOSS, "我的", where=MULTI), MULTI)
    await town.close()


# Roles ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("who", [LIAISON, OFFICE, INSPECTOR, HEAD, CHIEF])
@pytest.mark.parametrize("line", ["满意 1", "基本满意 1", "不满意 1 不行", "已解决 1", "撤回 1", "催办 1", "撤销 1"])
async def test_nobody_of_the_office_gives_the_firms_answer(park: Town, who: str, line: str) -> None:
    await reported_done(park)
    before = await appeal(park)
    said = await park.says(who, line)
    own_slip = (who, line) == (LIAISON, "撤销 1")
    assert to(said, who) == ["refused.too_late_to_take_back" if own_slip else "refused.not_yours"]
    assert own_slip or "进度 1" in heard(said, who)
    assert await appeal(park) == before


async def test_the_other_contact_of_a_firm_may_do_what_the_first_may(park: Town) -> None:
    await reported_done(park)
    assert to(await park.says(CLERK, "满意 1"), CLERK) == ["work.closed"]
