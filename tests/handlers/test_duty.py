"""请假 and 代班: somebody always hears and may act, the chain of deputies ends well, and all is given back."""

import pytest

from domain.people import Role
from tests.handlers.talk import (
    BOSS,
    CHIEF,
    DEPUTY,
    DUTY,
    HEAD,
    INSPECTOR,
    LIAISON,
    OFFICE,
    TEACHER,
    appeal,
    change,
    heard,
    newcomer,
    newest,
    on_leave,
    taken_on,
    to,
)
from tests.stories.town import Town


async def owner(park: Town, number: int = 1) -> str:
    row = await park.one(
        "SELECT p.name FROM appeals a JOIN people p ON p.id = a.handler_id WHERE a.number = :n", n=str(number)
    )
    return str(row["name"])


async def no_deputies(park: Town) -> None:
    """The roster names nobody who stands in for anybody."""
    await change(park, "UPDATE enterprises SET deputy_id = NULL")


# Taking leave ---------------------------------------------------------------------------------------------------------
async def test_leave_with_a_deputy_tells_both_and_lists_what_is_open(park: Town) -> None:
    await taken_on(park)
    said = await park.says(LIAISON, "请假 3天 赵工")
    assert (to(said, LIAISON), to(said, DUTY), to(said, OFFICE)) == (["duty.on_leave"], ["duty.stand_in"], [])
    assert "#1 宏达机械 车间停电" in heard(said, DUTY)
    assert "3月13日（周五）" in heard(said, DUTY)
    assert newest(park, DUTY, "duty.stand_in").facts["count"] == 1


async def test_without_a_name_the_deputy_of_the_roster_stands_in(park: Town) -> None:
    teacher = "(SELECT id FROM people WHERE name = '郑老师')"
    await change(park, f"UPDATE people SET deputy_id = {teacher} WHERE name = '王敏'")
    said = await park.says(LIAISON, "请假 3天")
    assert to(said, TEACHER) == ["duty.stand_in"]


async def test_without_a_deputy_of_his_own_the_one_whom_all_his_firms_name_stands_in(park: Town) -> None:
    assert to(await park.says(LIAISON, "请假 3天"), DEPUTY) == ["duty.stand_in"]


async def test_leave_without_any_deputy_is_accepted_and_the_coordinators_are_told_at_once(park: Town) -> None:
    await no_deputies(park)
    await taken_on(park)
    said = await park.says(LIAISON, "请假 3天")
    assert to(said, LIAISON) == ["duty.on_leave_alone"]
    assert "优化办会指定" in heard(said, LIAISON)
    assert to(said, OFFICE) == ["duty.left_alone"]
    assert newest(park, OFFICE, "duty.left_alone").buttons == ("指派备岗",)
    assert "现有1件在办" in heard(said, OFFICE)


@pytest.mark.parametrize("deputy", ["王敏", "赵六", "张建国"])
async def test_a_deputy_is_a_colleague_who_is_there(park: Town, deputy: str) -> None:
    assert to(await park.says(LIAISON, f"请假 3天 {deputy}"), LIAISON) == ["duty.deputy_unfit"]


async def test_a_colleague_on_leave_does_not_stand_in(park: Town) -> None:
    await park.says(DEPUTY, "请假 2天 赵工")
    assert to(await park.says(LIAISON, "请假 3天 李强"), LIAISON) == ["duty.deputy_unfit"]


async def test_leave_that_cannot_be_read_is_asked_again(park: Town) -> None:
    assert to(await park.says(LIAISON, "请假"), LIAISON) == ["duty.ask_leave"]
    assert to(await park.says(LIAISON, "几天"), LIAISON) == ["duty.leave_unclear"]
    assert to(await park.says(LIAISON, "3天 李强"), LIAISON) == ["duty.on_leave"]


# Standing in ----------------------------------------------------------------------------------------------------------
async def test_what_is_meant_for_somebody_on_leave_goes_to_his_deputy_who_reads_why(park: Town) -> None:
    await taken_on(park)
    await park.says(LIAISON, "请假 3天 赵工")
    said = await park.says(BOSS, "催办 1")
    assert (to(said, LIAISON), to(said, DUTY)) == ([], ["task.urged"])
    assert heard(said, DUTY).startswith("（代王敏）\n")


async def test_a_deputy_does_what_the_handler_could(park: Town) -> None:
    await park.says(BOSS, "诉求 车间停电")
    await park.says(LIAISON, "请假 3天 赵工")
    for line, key in (
        ("待办", "look.tasks"),
        ("进度 1", "look.status"),
        ("接单 1", "work.acknowledged"),
        ("进展 1 已到现场", "work.progress"),
        ("办结 1 已送电", "work.resolved"),
    ):
        assert to(await park.says(DUTY, line), DUTY) == [key], line
    assert await owner(park) == LIAISON


async def test_before_and_after_the_leave_a_deputy_may_nothing(park: Town) -> None:
    await taken_on(park)
    assert to(await park.says(DUTY, "进展 1 已到现场"), DUTY) == ["refused.not_found"]
    await park.says(LIAISON, "请假 2天 赵工")
    await park.wait(until="2026-03-13 09:00")
    assert to(await park.says(DUTY, "进展 1 已到现场"), DUTY) == ["refused.not_found"]
    assert to(await park.says(BOSS, "催办 1"), LIAISON) == ["task.urged"]


async def test_a_new_matter_is_the_deputys_own_and_stays_so(park: Town) -> None:
    await park.says(LIAISON, "请假 1天 李强")
    await park.says(BOSS, "诉求 车间停电")
    assert await owner(park) == DEPUTY
    await park.says(LIAISON, "请假 结束")
    assert await owner(park) == DEPUTY


async def test_the_todo_of_a_deputy_names_whose_work_it_is(park: Town) -> None:
    await taken_on(park)
    await park.says(LIAISON, "请假 3天 赵工")
    assert "（代王敏）#1 宏达机械 车间停电" in heard(await park.says(DUTY, "待办"), DUTY)


async def test_a_reminder_goes_to_the_deputy_and_says_for_whom(park: Town) -> None:
    await taken_on(park)
    await park.says(LIAISON, "请假 20天 赵工")
    said = await park.wait(until="2026-03-25 18:00")
    reminded = [line for line in said if line.key == "remind.one"]
    assert {line.listener for line in reminded} == {DUTY}
    assert all(line.text.startswith("（代王敏）#1") for line in reminded)
    assert "进展" in reminded[0].buttons


async def test_a_reminder_reached_in_the_deputys_last_hour_is_told_to_who_is_back(park: Town) -> None:
    await taken_on(park)
    await park.says(LIAISON, "请假 到3月23日 赵工")
    await park.wait(until="2026-03-23 17:36")
    await change(park, "UPDATE rungs SET state = 'owed', told_at = NULL WHERE label = '-2wd'")
    said = await park.wait(until="2026-03-24 09:00")
    assert [line.listener for line in said if line.key == "remind.one"] == [LIAISON]


@pytest.mark.parametrize("away, by", [(LIAISON, DUTY), (DUTY, LIAISON)])
async def test_what_passes_to_a_stand_in_stands_in_his_one_message(park: Town, away: str, by: str) -> None:
    await taken_on(park)
    await park.says(BOSS, "诉求 车间停电")
    await park.says(OFFICE, "派单 2 供电公司 属其职责")
    await park.says(DUTY, "接单 2")
    await park.wait(until="2026-03-23 17:36")
    await change(park, "UPDATE rungs SET state = 'owed', told_at = NULL WHERE label = '-2wd'")
    await park.says(away, f"请假 3天 {by}")
    said = await park.wait(until="2026-03-24 09:00")
    reminded = [(line.listener, line.key) for line in said if line.key.startswith("remind")]
    assert reminded == [(by, "remind.several")]


async def test_heads_and_chiefs_are_stood_in_for_as_well(park: Town) -> None:
    await park.says(BOSS, "诉求 车间停电")
    await park.says(HEAD, "请假 60天 郑老师")
    await park.says(CHIEF, "请假 60天 李强")
    assert to(await park.says(TEACHER, "备注 1 已知"), TEACHER) == ["work.noted"]
    said = await park.wait(until="2026-03-27 09:00")
    late = [line for line in said if line.key == "remind.one" and line.listener in (HEAD, TEACHER)]
    assert {line.listener for line in late} == {TEACHER}
    await park.wait(until="2026-03-31 09:00")
    said = await park.says(OFFICE, "放行 1")
    said += await park.wait(until="2026-03-31 10:00")
    assert [line.listener for line in said if line.key.startswith("remind")] == [DEPUTY]


async def test_who_works_on_a_part_is_stood_in_for_as_well(park: Town) -> None:
    await taken_on(park)
    await park.says(OFFICE, "协办 1 供电公司 检查线路")
    await park.says(DUTY, "请假 3天 郑老师")
    assert "#1 宏达机械 车间停电" in heard(await park.says(TEACHER, "待办"), TEACHER)
    assert to(await park.says(TEACHER, "接单 1"), TEACHER) == ["shares.part_acknowledge"]
    assert to(await park.says(TEACHER, "办结 1 线路正常"), TEACHER) == ["shares.part_done"]


async def test_a_coordinator_on_leave_is_left_in_peace_while_another_is_there(park: Town) -> None:
    await newcomer(park, "冯协调", Role.COORDINATOR)
    await park.says(OFFICE, "请假 3天")
    said = await park.says(BOSS, "诉求 有件说不清的事")
    assert (to(said, OFFICE), to(said, "冯协调")) == ([], ["triage.unsure"])
    await park.says("冯协调", "请假 2天")
    said = await park.says(BOSS, "诉求 还有件说不清的事")
    assert to(said, OFFICE) == ["triage.unsure"]


async def test_what_is_said_in_the_evening_goes_to_who_is_there_in_the_morning(park: Town) -> None:
    await taken_on(park)
    await park.says(LIAISON, "请假 1天 赵工")
    await park.wait(until="2026-03-11 20:00")
    await park.says(BOSS, "补充 1 两台车间都停了")
    said = await park.wait(until="2026-03-12 09:00")
    assert "task.supplemented" in to(said, LIAISON)
    assert "task.supplemented" not in to(said, DUTY)


async def test_what_is_sealed_never_passes_to_a_deputy(park: Town) -> None:
    await park.says(INSPECTOR, "请假 3天 赵工")
    await park.says(BOSS, "诉求 车间停电")
    await park.says(OFFICE, "派单 1 吴检")
    await change(park, "UPDATE appeals SET sealed = 1")
    said = await park.says(BOSS, "补充 1 证据")
    assert (to(said, DUTY), to(said, INSPECTOR)) == ([], ["task.supplemented"])
    assert to(await park.says(DUTY, "进度 1"), DUTY) == ["refused.not_found"]
    assert to(await park.says(DUTY, "待办"), DUTY) == ["look.nothing_to_do"]


# Chains ---------------------------------------------------------------------------------------------------------------
async def test_a_deputy_who_goes_away_himself_passes_it_on_to_his_own(park: Town) -> None:
    await taken_on(park)
    await park.says(LIAISON, "请假 5天 李强")
    said = await park.says(DEPUTY, "请假 2天 赵工")
    assert to(said, DUTY) == ["duty.stand_in", "duty.stand_in"]
    said = await park.says(BOSS, "催办 1")
    assert to(said, DUTY) == ["task.urged"]
    assert "（代王敏）" in heard(said, DUTY)
    await park.wait(until="2026-03-13 09:00")
    assert to(await park.says(BOSS, "补充 1 快点"), DEPUTY) == ["task.supplemented"]


async def test_two_who_stand_in_for_each_other_leave_it_to_the_coordinators(park: Town) -> None:
    await no_deputies(park)
    await taken_on(park)
    await park.says(LIAISON, "请假 3月12日-3月14日 李强")
    said = await park.says(DEPUTY, "请假 3月13日-3月14日 王敏")
    assert sorted(to(said, OFFICE)) == ["duty.left_alone", "duty.left_alone"]
    await park.wait(until="2026-03-13 10:00")
    said = await park.says(BOSS, "催办 1")
    assert to(said, OFFICE) == ["task.urged"]
    assert "（王敏请假，尚无备岗）" in heard(said, OFFICE)


async def test_the_office_hears_at_once_of_a_leave_that_will_be_left_alone_later(park: Town) -> None:
    await no_deputies(park)
    await park.says(LIAISON, "请假 3月13日-3月14日 李强")
    said = await park.says(DEPUTY, "请假 20天")
    assert [line.facts["name"] for line in said if line.key == "duty.left_alone"] == [LIAISON, DEPUTY]


async def test_a_deputy_who_left_the_roster_stands_in_for_nobody(park: Town) -> None:
    await no_deputies(park)
    await taken_on(park)
    await park.says(LIAISON, "请假 5天 李强")
    await change(park, "UPDATE people SET active = 0 WHERE name = '李强'")
    assert to(await park.says(BOSS, "催办 1"), OFFICE) == ["task.urged"]


# Nobody stands in -----------------------------------------------------------------------------------------------------
async def test_until_somebody_is_named_the_coordinators_hear_and_can_dispatch(park: Town) -> None:
    await no_deputies(park)
    await taken_on(park)
    await park.says(LIAISON, "请假 3天")
    said = await park.says(BOSS, "催办 1")
    assert to(said, OFFICE) == ["task.urged"]
    assert newest(park, OFFICE, "task.urged").buttons == ("派单",)
    assert "#1" in heard(await park.says(OFFICE, "待办"), OFFICE)


async def test_the_coordinator_names_somebody_by_the_button(park: Town) -> None:
    await no_deputies(park)
    await taken_on(park)
    await park.says(LIAISON, "请假 3天")
    assert to(await park.presses(OFFICE, "指派备岗"), OFFICE) == ["duty.ask_stand_in"]
    said = await park.says(OFFICE, "赵工")
    assert (to(said, OFFICE), to(said, LIAISON), to(said, DUTY)) == (
        ["duty.stand_in_noted"],
        ["duty.stand_in_named"],
        ["duty.stand_in"],
    )
    assert to(await park.says(BOSS, "催办 1"), DUTY) == ["task.urged"]


@pytest.mark.parametrize("line", ["代班 王敏 赵工", "指派备岗 王敏，赵工", "/standin 王敏 赵工", "代班 王敏 由赵工"])
async def test_the_coordinator_names_somebody_in_words(park: Town, line: str) -> None:
    await park.says(LIAISON, "请假 3天 李强")
    said = await park.says(OFFICE, line)
    assert (to(said, DUTY), to(said, DEPUTY)) == (["duty.stand_in"], ["duty.stand_in_over"])


async def test_who_already_stands_in_is_said_before_another_is_named(park: Town) -> None:
    await park.says(LIAISON, "请假 3天 李强")
    said = await park.says(OFFICE, "代班 王敏")
    assert "现在由李强代班" in heard(said, OFFICE)


@pytest.mark.parametrize(
    "line, key",
    [
        ("代班", "duty.ask_who_is_away"),
        ("代班 王敏 赵工", "duty.nobody_away"),
        ("代班 李强", "duty.ask_stand_in"),
        ("代班 李强 李强", "duty.deputy_unfit"),
        ("代班 无名氏 赵工", "refused.person_unknown"),
    ],
)
async def test_naming_somebody_asks_for_what_is_missing(park: Town, line: str, key: str) -> None:
    await park.says(DEPUTY, "请假 3天 郑老师")
    assert to(await park.says(OFFICE, line), OFFICE) == [key]
    assert to(await park.says(LIAISON, line), LIAISON) == ["refused.not_for_you"]


async def test_a_name_in_several_words_is_read_whole(park: Town) -> None:
    await newcomer(park, "Wang Min", Role.LIAISON)
    await newcomer(park, "Li Qiang", Role.LIAISON)
    await park.says("Wang Min", "leave 3 赵工")
    assert to(await park.says(OFFICE, "standin Wang Min Li Qiang"), "Li Qiang") == ["duty.stand_in"]


# A later day, and the end ---------------------------------------------------------------------------------------------
async def test_a_leave_that_begins_on_a_later_day_changes_nothing_until_then(park: Town) -> None:
    await taken_on(park)
    said = await park.says(LIAISON, "请假 3月13日-3月16日 赵工")
    assert "从3月13日（周五）开始" in heard(said, LIAISON)
    assert to(await park.says(BOSS, "催办 1"), LIAISON) == ["task.urged"]
    await park.wait(until="2026-03-13 09:00")
    assert to(await park.says(BOSS, "补充 1 快点"), DUTY) == ["task.supplemented"]
    await park.wait(until="2026-03-17 09:00")
    assert to(await park.says(BOSS, "补充 1 谢谢"), LIAISON) == ["task.supplemented"]


async def test_a_leave_that_has_not_begun_is_cancelled(park: Town) -> None:
    await park.says(LIAISON, "请假 明天 赵工")
    said = await park.says(LIAISON, "请假 结束")
    assert (to(said, LIAISON), to(said, DUTY)) == (["duty.leave_cancelled"], ["duty.stand_in_over"])
    assert to(await park.says(LIAISON, "请假 结束"), LIAISON) == ["duty.not_on_leave"]


async def test_who_is_back_early_hears_what_happened_meanwhile(park: Town) -> None:
    await taken_on(park)
    await park.says(LIAISON, "请假 3天 李强")
    await park.wait(hours=1)
    await park.says(DEPUTY, "进展 1 已到现场")
    await park.says(BOSS, "诉求 变压器冒烟")
    said = await park.says(LIAISON, "请假 结束")
    assert (to(said, LIAISON), to(said, DEPUTY)) == (["duty.back"], ["duty.stand_in_over"])
    assert newest(park, LIAISON, "duty.back").facts["meanwhile"]["duty.meanwhile"]["count"] == 2
    assert "#1 宏达机械 车间停电：办理中（王敏）" in heard(said, LIAISON)
    assert "#2 宏达机械 变压器冒烟：待接单（李强）" in heard(said, LIAISON)


async def test_who_is_back_hears_on_his_first_morning_and_once(park: Town) -> None:
    await park.says(LIAISON, "请假 3天 李强")
    said = await park.wait(until="2026-03-20 09:00")
    greeted = [line for line in said if line.key == "duty.back"]
    assert [(line.time, line.listener) for line in greeted] == [("03-16 08:30", LIAISON)]
    assert "没有变化" in greeted[0].text
    assert to(said, DEPUTY).count("duty.stand_in_over") == 1


async def test_a_leave_entered_during_another_prolongs_it(park: Town) -> None:
    await taken_on(park)
    await park.says(LIAISON, "请假 2天 赵工")
    await park.wait(until="2026-03-12 09:00")
    assert to(await park.says(LIAISON, "请假 3月13日-3月16日 赵工"), LIAISON) == ["duty.on_leave"]
    assert to(await park.says(BOSS, "催办 1"), DUTY) == ["task.urged"]
    assert to(await park.says(LIAISON, "请假 3月20日-3月21日 赵工"), LIAISON) == ["duty.leave_running"]
    said = await park.wait(until="2026-03-17 09:00")
    assert "duty.back" in to(said, LIAISON)


async def test_a_leave_planned_for_later_is_said_to_be_given_up(park: Town) -> None:
    await park.says(LIAISON, "请假 4月7日-4月10日 赵工")
    said = await park.says(LIAISON, "请假 1天 赵工")
    assert "原定4月7日（周二）到4月10日（周五）的请假不再保留" in heard(said, LIAISON)


async def test_ten_lines_are_enough(park: Town) -> None:
    for number in range(12):
        await park.says(BOSS, f"诉求 车间停电{number}")
    said = await park.says(LIAISON, "请假 3天 李强")
    assert heard(said, DEPUTY).count("· #") == 10
    assert "另有2件" in heard(said, DEPUTY)


async def test_lateness_stays_with_who_holds_the_step(park: Town) -> None:
    await taken_on(park)
    due = (await appeal(park))["due_at"]
    await on_leave(park, LIAISON, "2026-04-30 00:00", DEPUTY)
    await park.wait(until="2026-03-27 09:00")
    await park.says(DEPUTY, "办结 1 已送电")
    row = await appeal(park)
    assert (row["due_at"], row["on_time"], await owner(park)) == (due, 0, LIAISON)
