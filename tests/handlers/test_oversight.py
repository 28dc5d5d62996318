"""The coordinator steers: dispatching, ruling, deciding what was asked, categories, calls to the firm."""

import pytest

from domain.people import Role
from tests.handlers.talk import (
    BOSS,
    DEPUTY,
    DUTY,
    INSPECTOR,
    LIAISON,
    OFFICE,
    TEACHER,
    appeal,
    heard,
    newcomer,
    newest,
    on_leave,
    reported_done,
    taken_on,
    to,
    words,
)
from tests.stories.town import Said, Town


async def owner(park: Town, number: int = 1) -> str:
    row = await park.one(
        "SELECT p.name FROM appeals a JOIN people p ON p.id = a.handler_id WHERE a.number = :n", n=str(number)
    )
    return str(row["name"])


# Dispatching ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "line, name, reason",
    [
        ("派单 1 县供电公司 属线路改造", DUTY, "属线路改造"),
        ("派单 1 供电公司 属线路改造", DUTY, "属线路改造"),
        ("派单 1 power", DUTY, ""),
        ("派单 1 赵工，属线路改造，急", DUTY, "属线路改造，急"),
        ("派单1 郑老师：先去看看", TEACHER, "先去看看"),
        ("/dispatch #1 李强", DEPUTY, ""),
        ("派单 县供电公司", DUTY, ""),
    ],
)
async def test_a_matter_is_dispatched_to_a_person_or_a_department(
    park: Town, line: str, name: str, reason: str
) -> None:
    await park.says(BOSS, "诉求 有件说不清的事")
    said = await park.says(OFFICE, line)
    assert to(said, OFFICE) == ["oversight.dispatched"]
    assert await owner(park) == name
    assert await words(park, "dispatch") == ([reason] if reason else [])
    assert to(said, name) == ["task.dispatched"]
    assert to(said, BOSS) == ["firm.dispatched"]


async def test_nobody_named_means_a_choice_of_liaison_and_departments(park: Town) -> None:
    await park.says(BOSS, "诉求 有件说不清的事")
    said = await park.presses(OFFICE, "派单")
    assert said[0].buttons == ("王敏", "县供电公司", "教体局")
    assert "有件说不清的事" in heard(said, OFFICE)
    await park.says(OFFICE, "教体局")
    assert await owner(park) == TEACHER


async def test_without_a_number_only_what_waits_for_an_owner_is_meant(park: Town) -> None:
    await taken_on(park)
    await park.says(BOSS, "诉求 有件说不清的事")
    assert to(await park.says(OFFICE, "派单 县供电公司"), OFFICE) == ["oversight.dispatched"]
    assert await owner(park, 2) == DUTY


async def test_of_several_that_wait_one_is_picked_and_the_name_is_not_lost(park: Town) -> None:
    await park.says(BOSS, "诉求 有件说不清的事")
    await park.says(BOSS, "诉求 还有件说不清的事")
    assert to(await park.says(OFFICE, "派单 县供电公司 属线路改造"), OFFICE) == ["ask.which"]
    await park.presses(OFFICE, "#2 还有件说不清的事")
    assert await owner(park, 2) == DUTY


async def test_a_department_whose_duty_officer_is_away_is_answered_by_his_deputy(park: Town) -> None:
    await on_leave(park, DUTY, "2026-03-20 00:00", "钱主任")
    await park.says(BOSS, "诉求 有件说不清的事")
    await park.says(OFFICE, "派单 1 县供电公司")
    assert await owner(park) == "钱主任"


async def test_who_has_it_already_is_not_given_it_again(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    said = await park.says(OFFICE, "派单 1 王敏")
    assert to(said, OFFICE) == ["refused.same_owner"]
    assert LIAISON not in (await park.says(OFFICE, "派单 1"))[0].buttons


async def test_two_people_of_one_name_are_told_apart_by_department(park: Town) -> None:
    await newcomer(park, "赵二", Role.HANDLER)
    await park.database.transaction(lambda tx: tx.run("UPDATE people SET name = '赵工' WHERE name = '赵二'"))
    await park.says(BOSS, "诉求 有件说不清的事")
    said = await park.says(OFFICE, "派单 1 赵工")
    assert to(said, OFFICE) == ["refused.person_unclear"]
    assert "部门" in heard(said, OFFICE)


# Transfer -------------------------------------------------------------------------------------------------------------
async def test_a_transfer_is_asked_for_step_by_step(park: Town) -> None:
    await taken_on(park)
    asked = await park.presses(LIAISON, "转办")
    assert asked[0].buttons == ("县供电公司", "教体局")
    assert to(await park.presses(LIAISON, "县供电公司"), LIAISON) == ["ask.transfer_reason"]
    said = await park.says(LIAISON, "要换变压器")
    assert (to(said, LIAISON), to(said, OFFICE)) == (["oversight.asked"], ["triage.asked_transfer"])
    assert "赵工" in heard(said, OFFICE)
    assert "要换变压器" in heard(said, OFFICE)
    assert await owner(park) == LIAISON


async def test_a_typed_transfer_without_a_reason_asks_for_the_reason_only(park: Town) -> None:
    await taken_on(park)
    assert to(await park.says(LIAISON, "转办 1 供电公司"), LIAISON) == ["ask.transfer_reason"]
    assert to(await park.says(LIAISON, "要换变压器"), LIAISON) == ["oversight.asked"]


@pytest.mark.parametrize("line", ["批准 1", "批准", "批准 #1"])
async def test_a_granted_transfer_moves_the_matter_and_not_its_date(park: Town, line: str) -> None:
    await taken_on(park)
    due = (await appeal(park))["due_at"]
    await park.says(LIAISON, "转办 1 县供电公司 要换变压器")
    await park.says(BOSS, "诉求 变压器冒烟")
    said = await park.says(OFFICE, line)
    assert to(said, DUTY) == ["task.dispatched"]
    assert await owner(park) == DUTY
    assert (await appeal(park))["due_at"] == due
    assert to(await park.says(LIAISON, "办结 1 好了"), LIAISON) == ["refused.not_yours"]


async def test_nothing_passes_to_somebody_who_has_left_since(park: Town) -> None:
    await taken_on(park)
    await park.says(LIAISON, "转办 1 赵工 要换变压器")
    await park.database.transaction(lambda tx: tx.run("UPDATE people SET active = 0 WHERE name = '赵工'"))
    assert to(await park.says(OFFICE, "批准 1"), OFFICE) == ["refused.choice_gone"]
    assert await owner(park) == LIAISON
    assert to(await park.says(OFFICE, "派单 1 教体局 由你们办"), OFFICE) == ["oversight.dispatched"]
    assert to(await park.says(OFFICE, "批准 1"), OFFICE) == ["refused.nothing_asked"]


async def test_a_refused_transfer_is_told_with_its_reason(park: Town) -> None:
    await taken_on(park)
    await park.says(LIAISON, "转办 1 县供电公司 太忙")
    assert to(await park.presses(OFFICE, "不同意"), OFFICE) == ["ask.deny"]
    said = await park.says(OFFICE, "请先到现场看看")
    assert to(said, LIAISON) == ["task.denied"]
    assert "请先到现场看看" in heard(said, LIAISON)
    assert to(await park.says(OFFICE, "批准 1"), OFFICE) == ["refused.nothing_asked"]


async def test_the_second_coordinator_who_decides_is_told(park: Town) -> None:
    await newcomer(park, "冯协调", Role.COORDINATOR)
    await taken_on(park)
    await park.says(LIAISON, "转办 1 县供电公司 要换变压器")
    await park.presses(OFFICE, "批准")
    assert to(await park.presses("冯协调", "批准"), "冯协调") == ["refused.outdated"]
    assert len(await park.all("SELECT id FROM events WHERE name = 'dispatch' AND actor_id IS NOT NULL")) == 1


async def test_a_dispatch_by_hand_settles_what_was_asked(park: Town) -> None:
    await taken_on(park)
    await park.says(LIAISON, "转办 1 县供电公司 要换变压器")
    await park.says(OFFICE, "派单 1 教体局")
    row = await park.one("SELECT granted FROM requests")
    assert row["granted"] == 0
    assert to(await park.says(OFFICE, "批准 1"), OFFICE) == ["refused.nothing_asked"]


async def test_handing_over_to_oneself_is_no_transfer(park: Town) -> None:
    await taken_on(park)
    assert to(await park.says(LIAISON, "转办 1 王敏 太忙"), LIAISON) == ["refused.same_owner"]


# Category and call ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("line", ["改类 1 用电", "改类 1 power", "改类 1 要素保障·用电", "改类1 用电"])
async def test_a_category_is_changed_by_name_and_the_dispatch_offered(park: Town, line: str) -> None:
    await park.says(BOSS, "诉求 有件说不清的事")
    said = await park.says(OFFICE, line)
    assert (to(said, OFFICE), said[0].buttons) == (["oversight.recategorised"], ("派单",))
    assert (await appeal(park))["category"] == "power"


async def test_a_category_is_picked_from_the_list(park: Town) -> None:
    await park.says(BOSS, "诉求 有件说不清的事")
    await park.presses(OFFICE, "改类")
    await park.presses(OFFICE, "用电")
    assert (await appeal(park))["category"] == "power"


@pytest.mark.parametrize(
    "line, status, value",
    [
        ("回访 1 满意", "closed", "satisfied"),
        ("回访 1 满意，处理得快", "closed", "satisfied"),
        ("回访 基本满意 慢了点", "closed", "fairly_satisfied"),
        ("回访 1 不满意：还是停电", "rework", "dissatisfied"),
        ("回访 1 无人接听", "resolved", None),
        ("followup 1 satisfied", "closed", "satisfied"),
    ],
)
async def test_a_call_is_recorded_with_its_caller(park: Town, line: str, status: str, value: str | None) -> None:
    await reported_done(park)
    await park.says(OFFICE, line)
    row = await appeal(park)
    assert (row["status"], row["satisfaction"]) == (status, value)
    event = await park.one("SELECT facts FROM events ORDER BY id DESC LIMIT 1")
    assert "周芳" in event["facts"]


@pytest.mark.parametrize("line", ["回访 1 满意度一般", "回访 1 还可以", "回访 1 不太满意"])
async def test_words_that_are_no_verdict_are_never_taken_for_one(park: Town, line: str) -> None:
    await reported_done(park)
    assert to(await park.says(OFFICE, line), OFFICE) == ["refused.follow_up_unknown"]
    assert (await appeal(park))["status"] == "resolved"


async def test_a_no_on_the_phone_needs_its_reason(park: Town) -> None:
    await reported_done(park)
    assert to(await park.says(OFFICE, "回访 1 不满意"), OFFICE) == ["ask.follow_up_reason"]
    said = await park.says(OFFICE, "下午又停了")
    assert to(said, OFFICE) == ["oversight.answered"]
    assert await words(park, "dissatisfied") == ["下午又停了"]


async def test_the_firm_hears_what_was_recorded_in_its_name(park: Town) -> None:
    await reported_done(park)
    said = await park.says(OFFICE, "回访 1 满意")
    assert to(said, BOSS) == ["firm.closed_by_call"]
    assert "周芳" in heard(said, BOSS)
    assert newest(park, BOSS, "firm.closed_by_call").buttons == ("不满意",)


async def test_three_vain_calls_leave_it_unrated_and_never_satisfied(park: Town) -> None:
    await reported_done(park)
    said: list[Said] = []
    for n in (1, 2, 3):
        said = await park.says(OFFICE, "回访 1 无人接听")
        assert f"第{n}次" in heard(said, OFFICE)
    assert "未评价归档" in heard(said, OFFICE)
    row = await appeal(park)
    assert (row["status"], row["satisfaction"]) == ("unrated", None)


async def test_the_inspector_decides_what_was_rejected_twice(park: Town) -> None:
    await reported_done(park)
    await park.says(BOSS, "不满意 1 还是停")
    await park.says(LIAISON, "办结 1 又送电了")
    await park.says(BOSS, "不满意 1 又停了")
    assert to(await park.says(LIAISON, "办结 1 好了"), LIAISON) == ["refused.awaits_inspector"]
    assert to(await park.says(INSPECTOR, "批示 1 请供电公司换线"), INSPECTOR) == ["oversight.decided"]
    assert (await appeal(park))["status"] == "in_progress"
