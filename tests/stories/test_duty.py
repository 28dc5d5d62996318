"""Duties that hold, told through the whole program: a week of leave, a rota, a cadre who is transferred."""

from collections.abc import AsyncIterator

import pytest

from domain.people import Role
from tests.handlers.talk import BOSS, DEPUTY, DUTY, HEAD, LIAISON, OFFICE, OTHER, change, newcomer
from tests.stories.town import Said, Town

NEW = "王强"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    opened = await Town.open(at="2026-03-11 09:00")
    await opened.settle()
    yield opened
    await opened.close()


def told(said: list[Said]) -> list[tuple[str, str, str]]:
    """Who heard what when, without the office's digest."""
    return [(line.time, line.listener, line.key) for line in said if line.key != "digest.office"]


async def test_a_leave_without_a_deputy_from_its_asking_to_its_first_morning(town: Town) -> None:
    await change(town, "UPDATE enterprises SET deputy_id = NULL")
    await town.says(BOSS, "诉求 车间电压低，一天跳停三次")
    await town.says(LIAISON, "接单")
    assert told(await town.says(LIAISON, "请假 3月12日-3月15日")) == [
        ("03-11 09:00", LIAISON, "duty.on_leave_alone"),
        ("03-11 09:00", OFFICE, "duty.left_alone"),
    ]
    assert told(await town.wait(until="2026-03-12 09:00")) == []
    assert told(await town.says(BOSS, "催办 1")) == [
        ("03-12 09:00", BOSS, "work.urged"),
        ("03-12 09:00", OFFICE, "task.urged"),
    ]
    await town.presses(OFFICE, "指派备岗")
    assert told(await town.says(OFFICE, "李强")) == [
        ("03-12 09:00", OFFICE, "duty.stand_in_noted"),
        ("03-12 09:00", DEPUTY, "duty.stand_in"),
        ("03-12 09:00", LIAISON, "duty.stand_in_named"),
    ]
    await town.says(BOSS, "补充 1 二号车间也停了")
    (line,) = [said for said in town.said if said.key == "task.supplemented"]
    assert line.listener == DEPUTY
    assert line.text.splitlines()[0] == "（代王敏）"
    await town.says(DEPUTY, "进展 1 已到现场，变压器负荷过高")
    back = await town.wait(until="2026-03-16 08:35")
    assert told(back)[-3:] == [
        ("03-16 08:30", LIAISON, "duty.back"),
        ("03-16 08:30", DEPUTY, "duty.stand_in_over"),
        ("03-16 08:30", LIAISON, "digest.cadre"),
    ]
    (greeting,) = [said for said in back if said.key == "duty.back"]
    assert greeting.text.splitlines() == [
        "欢迎回来，请假已结束，您的事项都回到您手上。",
        "这期间有变化的1件：",
        "· #1 宏达机械 车间电压低：办理中（王敏）",
    ]
    await town.says(LIAISON, "办结 1 已换变压器")
    assert (await town.one("SELECT on_time FROM appeals"))["on_time"] == 1


async def test_nobody_standing_in_is_in_the_morning_digest(town: Town) -> None:
    await change(town, "UPDATE enterprises SET deputy_id = NULL")
    await town.says(LIAISON, "请假 3天")
    said = await town.wait(until="2026-03-12 09:00")
    (digest,) = [line.text for line in said if line.key == "digest.office"]
    assert "值班与请假\n· 王敏请假到3月13日（周五），没有备岗，请发“代班 王敏 姓名”" in digest


async def test_a_rota_decides_who_takes_what_comes_until_it_ends(town: Town) -> None:
    await newcomer(town, NEW, Role.HANDLER)
    await change(town, f"UPDATE people SET department_id = 1 WHERE name = '{NEW}'")
    assert told(await town.says(HEAD, "值班 3月12日-3月13日 王强")) == [
        ("03-11 09:00", HEAD, "duty.rota_entered"),
        ("03-11 09:00", NEW, "duty.on_rota"),
    ]
    owners = []
    for number, day in enumerate(("2026-03-11 10:00", "2026-03-12 10:00", "2026-03-13 10:00", "2026-03-16 10:00"), 1):
        await town.wait(until=day)
        await town.says(BOSS, f"诉求 第{number}件说不清的事")
        said = await town.says(OFFICE, f"派单 {number} 供电公司")
        owners += [line.listener for line in said if line.key == "task.dispatched"]
    assert owners == [DUTY, NEW, NEW, DUTY]
    digests = [line.text for line in town.said if line.key == "digest.office"]
    assert "县供电公司的值班表只排到3月13日（周五）" in digests[-1]


async def test_a_cadre_is_transferred_while_firms_go_on_speaking(town: Town) -> None:
    await town.says(BOSS, "诉求 车间停电")
    await town.presses(LIAISON, "接单")
    await town.says(OTHER, "诉求 库房停电")
    await town.says(OFFICE, "交接 王敏 李强")
    await town.says(OTHER, "诉求 冷库停电")
    assert told(await town.presses(OFFICE, "确认")) == [("03-11 09:00", OFFICE, "duty.ask_hand_over")]
    assert sorted((who, key) for _, who, key in told(await town.presses(OFFICE, "确认"))) == sorted(
        [
            (OFFICE, "duty.handed_over"),
            (BOSS, "firm.handed_over"),
            (OTHER, "firm.handed_over"),
            (OTHER, "firm.handed_over"),
            (DEPUTY, "duty.received"),
            (LIAISON, "duty.given_away"),
        ]
    )
    assert told(await town.says(BOSS, "催办 1"))[-1] == ("03-11 09:00", DEPUTY, "task.urged")
    await town.says(DEPUTY, "接单 2")
    said = await town.says(BOSS, "诉求 变压器冒烟")
    assert ("03-11 09:00", DEPUTY, "task.dispatched") in told(said)
    reminded = await town.wait(until="2026-03-24 09:00")
    assert LIAISON not in {line.listener for line in reminded}
