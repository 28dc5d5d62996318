"""Where do my matters stand: lists, one matter, its whole course; each with no more than its asker may see."""

import pytest

from tests.handlers.talk import (
    BOSS,
    CHIEF,
    CONTROL,
    DUTY,
    HEAD,
    INSPECTOR,
    LIAISON,
    MULTI,
    OFFICE,
    OTHER,
    SINGLE,
    heard,
    reported_done,
    taken_on,
    to,
)
from tests.stories.town import Town


async def test_an_owner_reads_his_matters_the_open_ones_first(park: Town) -> None:
    await reported_done(park, "一号车间停电")
    await park.says(BOSS, "满意 1")
    await park.says(BOSS, "诉求 变压器冒烟")
    await park.says(OTHER, "诉求 门口停电")
    text = heard(await park.says(BOSS, "我的"), BOSS)
    assert text.splitlines() == [
        "贵公司共2件：",
        "#2 变压器冒烟｜待接单｜3月25日（周三）",
        "#1 一号车间停电｜已销号",
    ]


async def test_a_long_list_says_how_many_more_there_are(park: Town) -> None:
    for n in range(13):
        await park.says(BOSS, f"诉求 第{n}台变压器")
    text = heard(await park.says(BOSS, "我的"), BOSS)
    assert "贵公司共13件" in text
    assert "另有3件" in text


async def test_who_has_filed_nothing_is_told_how(park: Town) -> None:
    assert "诉求" in heard(await park.says(BOSS, "我的"), BOSS)


async def test_a_cadre_reads_what_waits_for_him_with_the_firms_names(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    await park.says(OTHER, "诉求 门口变压器冒烟")
    text = heard(await park.says(LIAISON, "待办"), LIAISON)
    assert "#1 宏达机械 停电｜待接单" in text
    assert "#2 和顺物流 门口变压器冒烟｜待接单" in text
    assert heard(await park.says(LIAISON, "我的"), LIAISON) == text


async def test_a_coordinator_reads_what_is_to_be_dispatched_and_decided(park: Town) -> None:
    await park.says(BOSS, "诉求 有件说不清的事")
    await taken_on(park, "变压器冒烟")
    await taken_on(park, "又停电了")
    await park.says(LIAISON, "转办 3 县供电公司 要换线")
    text = heard(await park.says(OFFICE, "待办"), OFFICE)
    assert "#1 宏达机械 有件说不清的事｜待受理" in text
    assert "#3 宏达机械 又停电了" in text
    assert "#2" not in text


async def test_an_owners_todo_is_what_waits_for_his_word(park: Town) -> None:
    await reported_done(park)
    await park.says(BOSS, "诉求 变压器冒烟")
    text = heard(await park.says(BOSS, "待办"), BOSS)
    assert "#1 车间停电｜请您确认" in text
    assert "#2" not in text


@pytest.mark.parametrize("where", [MULTI, SINGLE])
@pytest.mark.parametrize("who", [BOSS, LIAISON])
@pytest.mark.parametrize("command", ["我的", "待办", "回溯 1"])
async def test_lists_asked_in_a_firms_group_are_answered_privately(
    park: Town, command: str, who: str, where: str
) -> None:
    await park.says(BOSS, "诉求 停电")
    said = await park.says(who, command, where=where)
    assert to(said, where) == ["reply.sent_privately"]
    assert len(to(said, who)) == 1


async def test_one_matter_is_shown_in_place_in_its_firms_own_group_in_the_firms_words(park: Town) -> None:
    await reported_done(park)
    for who in (BOSS, LIAISON):
        said = await park.says(who, "进度 1", where=SINGLE)
        assert to(said, SINGLE) == ["look.status"]
        assert "现状：请您确认" in heard(said, SINGLE)
        assert "已送电" in heard(said, SINGLE)
        assert not [label for label in said[0].buttons if "满意" in label or "解决" in label]


async def test_elsewhere_one_matter_is_shown_privately(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    said = await park.says(BOSS, "进度 1", where=MULTI)
    assert (to(said, MULTI), to(said, BOSS)) == (["reply.sent_privately"], ["look.status"])
    assert to(await park.says(OFFICE, "进度 1", where=CONTROL), CONTROL) == ["look.status"]


async def test_one_matter_shows_what_can_be_done_next(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    assert (await park.says(BOSS, "进度 1"))[0].buttons == ("补充", "催办", "回溯")
    assert (await park.says(LIAISON, "进度 1"))[0].buttons == ("接单", "已联系", "退单", "转办", "回溯")
    await park.presses(LIAISON, "接单")
    assert (await park.says(LIAISON, "进度 1"))[0].buttons == ("已联系", "进展", "办结", "转办", "回溯")
    await park.says(LIAISON, "办结 1 已送电")
    assert "满意" in (await park.says(BOSS, "进度 1"))[0].buttons
    assert (await park.says(CHIEF, "进度 1"))[0].buttons == ("回溯",)


async def test_a_matter_whose_end_was_reported_shows_no_deadline(park: Town) -> None:
    await reported_done(park)
    assert "时限" not in heard(await park.says(BOSS, "进度 1"), BOSS)


async def test_the_whole_course_tells_reminders_in_words(park: Town) -> None:
    await taken_on(park)
    await park.wait(until="2026-03-27 09:00")
    text = heard(await park.says(LIAISON, "回溯 1"), LIAISON)
    assert "催办王敏（到期前2个工作日）" in text
    assert "催办王敏（到期）" in text
    assert "催办王敏（超期1个工作日）" in text


async def test_a_firm_is_not_shown_the_offices_inner_steps(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    await park.says(LIAISON, "备注 1 企业超容用电")
    await park.says(LIAISON, "退单 1 待定 不归我管")
    await park.says(OFFICE, "派单 1 县供电公司 你们办")
    await park.wait(until="2026-03-13 09:00")
    text = heard(await park.says(BOSS, "回溯 1"), BOSS)
    for inner in ("超容", "退单", "不归我管", "备注", "你们办", "催办"):
        assert inner not in text
    full = heard(await park.says(OFFICE, "回溯 1"), OFFICE)
    for inner in ("超容", "退单", "不归我管", "你们办", "催办赵工"):
        assert inner in full


@pytest.mark.parametrize("who", [LIAISON, CHIEF, HEAD])
async def test_who_handles_a_matter_does_not_read_its_rating(park: Town, who: str) -> None:
    await reported_done(park)
    await park.says(BOSS, "基本满意 1")
    assert "满意" not in heard(await park.says(who, "回溯 1"), who)
    assert "基本满意" in heard(await park.says(INSPECTOR, "回溯 1"), INSPECTOR)


@pytest.mark.parametrize("who", [CHIEF, HEAD, INSPECTOR, OFFICE, LIAISON, "李强"])
async def test_everybody_concerned_may_look_and_nobody_else(park: Town, who: str) -> None:
    await park.says(BOSS, "诉求 停电")
    assert to(await park.says(who, "进度 1"), who) == ["look.status"]
    assert to(await park.says(DUTY, "进度 1"), DUTY) == ["refused.not_found"]
    assert to(await park.says(OTHER, "进度 1"), OTHER) == ["refused.not_found"]
