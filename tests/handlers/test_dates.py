"""延期, 挂起 / 恢复, 长期, dates set by others: who asks, who decides, what the firm reads, what is refused and why."""

import pytest

from domain.people import Role
from storage.values import to_ms
from tests.handlers.talk import (
    BOSS,
    CHIEF,
    CLERK,
    DUTY,
    LIAISON,
    OFFICE,
    SINGLE,
    appeal,
    count,
    heard,
    newcomer,
    taken_on,
    to,
)
from tests.making import civil
from tests.stories.town import Town


async def due(park: Town, number: int = 1) -> int:
    return int((await appeal(park, number))["due_at"])


# 延期 -----------------------------------------------------------------------------------------------------------------
async def test_an_extension_is_asked_for_decided_and_told_with_who_why_and_until_when(park: Town) -> None:
    await taken_on(park, where=SINGLE)
    said = await park.says(LIAISON, "延期 1 5天 等配件到货")
    assert (to(said, LIAISON), to(said, OFFICE), to(said, BOSS)) == (["oversight.asked"], ["triage.asked_extend"], [])
    for words in ("5个工作日", "等配件到货", "3月25日（周三）17:30", "4月1日（周三）17:30"):
        assert words in heard(said, OFFICE)
    assert await due(park) == to_ms(civil("2026-03-25 17:30"))
    said = await park.presses(OFFICE, "批准")
    assert (to(said, BOSS), to(said, LIAISON), to(said, SINGLE)) == (
        ["firm.extended"],
        ["task.extended"],
        ["group.extended"],
    )
    for words in ("等配件到货", "优化办", "3月25日（周三）17:30", "4月1日（周三）17:30"):
        assert words in heard(said, BOSS)
    assert "等配件到货" not in heard(said, SINGLE)
    assert await due(park) == to_ms(civil("2026-04-01 17:30"))


async def test_a_refused_extension_leaves_the_date_and_is_told_with_its_reason(park: Town) -> None:
    await taken_on(park)
    await park.says(LIAISON, "延期 1 5天 等配件到货")
    await park.presses(OFFICE, "不同意")
    said = await park.says(OFFICE, "配件本地有货")
    assert to(said, LIAISON) == ["task.denied"]
    assert to(said, BOSS) == []
    assert "延期" in heard(said, LIAISON)
    assert "配件本地有货" in heard(said, LIAISON)
    assert await due(park) == to_ms(civil("2026-03-25 17:30"))


@pytest.mark.parametrize(
    "words,until",
    [
        ("5天 等配件", "2026-04-01 17:30"),
        ("５个工作日，等配件", "2026-04-01 17:30"),
        ("到4月1日 等配件", "2026-04-01 17:30"),
        ("2026-04-01 等配件", "2026-04-01 17:30"),
        ("4月5日 清明后到货", "2026-04-03 17:30"),
    ],
)
async def test_days_and_dates_mean_working_days(park: Town, words: str, until: str) -> None:
    await taken_on(park)
    await park.says(OFFICE, f"延期 1 {words}")
    assert await due(park) == to_ms(civil(until))


async def test_what_is_missing_is_asked_for_one_after_the_other(park: Town) -> None:
    await taken_on(park)
    asked = await park.says(LIAISON, "延期")
    assert to(asked, LIAISON) == ["ask.extend"]
    assert "4月23日" in heard(asked, LIAISON)
    assert to(await park.says(LIAISON, "5天"), LIAISON) == ["ask.extend_reason"]
    assert to(await park.says(LIAISON, "等配件到货"), LIAISON) == ["oversight.asked"]


@pytest.mark.parametrize("words", ["很久 等配件", "13月1日 等配件", "等配件"])
async def test_a_time_that_nobody_can_read_is_asked_for_again(park: Town, words: str) -> None:
    await taken_on(park)
    said = await park.says(LIAISON, f"延期 1 {words}")
    assert to(said, LIAISON) == ["refused.when_unclear"]
    assert "5天 等配件到货" in heard(said, LIAISON)
    assert await count(park, "requests") == 0


async def test_an_extension_is_asked_for_a_working_day_before_the_date_at_the_latest(park: Town) -> None:
    await taken_on(park)
    await park.wait(until="2026-03-24 17:31")
    said = await park.says(LIAISON, "延期 1 3天 等配件")
    assert to(said, LIAISON) == ["refused.extension_too_late"]
    assert "3月24日（周二）17:30" in heard(said, LIAISON)
    assert "进展" in heard(said, LIAISON)


async def test_the_last_possible_moment_is_in_time_and_the_decision_may_come_later(park: Town) -> None:
    await taken_on(park)
    await park.wait(until="2026-03-24 17:30")
    await park.says(LIAISON, "延期 1 3天 等配件")
    await park.wait(until="2026-03-25 10:00")
    await park.says(OFFICE, "批准 1")
    assert await due(park) == to_ms(civil("2026-03-30 17:30"))


async def test_a_second_extension_is_refused_and_for_what_is_hard_a_third(park: Town) -> None:
    await taken_on(park)
    await park.says(OFFICE, "延期 1 2天 等配件")
    assert to(await park.says(LIAISON, "延期 1 2天 又等"), LIAISON) == ["refused.extended_already"]
    await park.says(OFFICE, "难易 1 难")
    await park.says(OFFICE, "延期 1 2天 再等")
    said = await park.says(OFFICE, "延期 1 2天 还等")
    assert to(said, OFFICE) == ["refused.extended_already"]
    assert "2次" in heard(said, OFFICE)


async def test_an_extension_beyond_the_most_names_the_last_possible_day(park: Town) -> None:
    await taken_on(park)
    said = await park.says(LIAISON, "延期 1 21天 等配件")
    assert to(said, LIAISON) == ["refused.extension_beyond"]
    assert "4月23日（周四）17:30" in heard(said, LIAISON)
    assert to(await park.says(LIAISON, "延期 1 20天 等配件"), LIAISON) == ["oversight.asked"]


async def test_one_wish_at_a_time_and_the_same_again_takes_its_place(park: Town) -> None:
    await taken_on(park)
    await park.says(LIAISON, "延期 1 5天 等配件")
    said = await park.says(LIAISON, "挂起 1 4月10日 等批复")
    assert to(said, LIAISON) == ["refused.wish_open"]
    assert "延期" in heard(said, LIAISON)
    await park.says(LIAISON, "延期 1 3天 只要三天")
    await park.says(OFFICE, "批准 1")
    assert await due(park) == to_ms(civil("2026-03-30 17:30"))


async def test_a_button_that_showed_another_wish_decides_nothing(park: Town) -> None:
    await newcomer(park, "冯协调", Role.COORDINATOR)
    await taken_on(park)
    await park.says(LIAISON, "延期 1 3天 只要三天")
    shown = next(line for line in reversed(park.said) if line.listener == OFFICE and "批准" in line.buttons)
    await park.says(LIAISON, "延期 1 9天 还是要九天")
    said = await park.says(OFFICE, button=shown.data[shown.buttons.index("批准")], reply_to=shown.id)
    assert to(said, OFFICE) == ["refused.outdated"]
    assert await due(park) == to_ms(civil("2026-03-25 17:30"))


@pytest.mark.parametrize("who", [BOSS, CLERK, DUTY, CHIEF])
async def test_nobody_else_asks_for_time(park: Town, who: str) -> None:
    await taken_on(park)
    said = await park.says(who, "延期 1 5天 等配件")
    assert to(said, who)[0] in ("refused.not_yours", "refused.not_found")
    assert await count(park, "requests") == 0


# 挂起 / 恢复 ----------------------------------------------------------------------------------------------------------
async def test_a_suspension_ends_by_itself_and_adds_the_working_time(park: Town) -> None:
    await taken_on(park)
    await park.says(LIAISON, "挂起 1 3月20日 等电网批复")
    said = await park.presses(OFFICE, "批准")
    assert (to(said, BOSS), to(said, LIAISON)) == (["firm.suspended"], ["task.suspended"])
    for words in ("等电网批复", "3月20日（周五）17:30", "优化办", "顺延"):
        assert words in heard(said, BOSS)
    assert (await appeal(park))["status"] == "suspended"
    told = await park.wait(until="2026-03-23 12:00")
    assert [line.key for line in told if line.key.startswith("remind.")] == []
    assert to(told, BOSS) == ["firm.resumed"]
    row = await appeal(park)
    assert (row["status"], row["due_at"]) == ("in_progress", to_ms(civil("2026-04-07 17:00")))


async def test_what_slept_through_the_end_counts_only_the_time_that_was_granted(park: Town) -> None:
    await taken_on(park)
    await park.says(OFFICE, "挂起 1 3月20日 等电网批复")
    park.app.civil.move_to(civil("2026-03-25 09:00"))
    await park.settle()
    assert (await appeal(park))["due_at"] == to_ms(civil("2026-04-07 17:00"))


async def test_a_handler_asks_to_resume_and_the_coordinator_just_does(park: Town) -> None:
    await taken_on(park)
    await park.says(OFFICE, "挂起 1 4月10日 等批复")
    assert to(await park.says(LIAISON, "恢复 1"), LIAISON) == ["ask.resume"]
    said = await park.says(LIAISON, "批复已到")
    assert (to(said, LIAISON), to(said, OFFICE)) == (["oversight.asked"], ["triage.asked_resume"])
    said = await park.presses(OFFICE, "批准")
    assert (to(said, BOSS), to(said, LIAISON)) == (["firm.resumed"], ["task.resumed"])
    await park.says(OFFICE, "挂起 1 4月10日 又等")
    assert to(await park.says(OFFICE, "恢复 1"), OFFICE) == ["dates.resumed"]


@pytest.mark.parametrize(
    "words,key", [("3月1日 等批复", "refused.date_needed"), ("2026-12-30 等批复", "refused.date_too_far")]
)
async def test_a_suspension_ends_some_day_and_before_too_long(park: Town, words: str, key: str) -> None:
    await taken_on(park)
    assert to(await park.says(LIAISON, f"挂起 1 {words}"), LIAISON) == [key]
    assert (await appeal(park))["status"] == "in_progress"


# 长期 -----------------------------------------------------------------------------------------------------------------
async def long_term(park: Town) -> None:
    await taken_on(park)
    await park.says(LIAISON, "长期 1 6月30日 变电站完成立项")
    await park.presses(OFFICE, "批准")
    await park.presses(BOSS, "认可")


async def test_the_long_term_needs_the_coordinator_and_the_firm(park: Town) -> None:
    await taken_on(park)
    said = await park.says(LIAISON, "长期 1 6月30日 变电站完成立项")
    assert (to(said, OFFICE), to(said, BOSS)) == (["triage.asked_long_term"], [])
    said = await park.presses(OFFICE, "批准")
    assert to(said, BOSS) == ["firm.long_term_asked"]
    assert "6月30日（周二） 变电站完成立项" in heard(said, BOSS)
    assert (await appeal(park))["status"] == "in_progress"
    said = await park.presses(BOSS, "认可")
    assert (to(said, LIAISON), to(said, OFFICE)) == (["task.long_term"], ["watch.long_term"])
    assert (await appeal(park))["status"] == "long_term"


async def test_a_firm_that_does_not_agree_keeps_its_date(park: Town) -> None:
    await taken_on(park)
    await park.says(OFFICE, "长期 1 6月30日 变电站完成立项")
    said = await park.says(BOSS, "不认可 1 年底前必须用电")
    assert (to(said, LIAISON), to(said, OFFICE)) == (["task.disagreed"], ["watch.disagreed"])
    assert "年底前必须用电" in heard(said, LIAISON)
    row = await appeal(park)
    assert (row["status"], row["due_at"]) == ("in_progress", to_ms(civil("2026-03-25 17:30")))
    assert to(await park.says(BOSS, "认可 1"), BOSS) == ["refused.nothing_to_agree"]


async def test_nobody_agrees_for_the_firm(park: Town) -> None:
    await taken_on(park)
    await park.says(OFFICE, "长期 1 6月30日 变电站完成立项")
    assert to(await park.says(LIAISON, "认可 1"), LIAISON) == ["refused.not_yours"]
    assert to(await park.says(OFFICE, "认可 1"), OFFICE) == ["refused.not_yours"]


async def test_a_long_term_matter_is_chased_by_its_milestones(park: Town) -> None:
    await long_term(park)
    told = await park.wait(until="2026-04-30 09:00")
    assert [line.key for line in told if line.key.startswith("remind.")] == []
    told = await park.wait(until="2026-07-02 09:00")
    reminded = [(line.time, line.listener) for line in told if line.key.startswith("remind.")]
    assert ("06-30 17:30", LIAISON) in reminded
    assert {listener for time, listener in reminded if time > "06-30 18:00"} == {LIAISON, OFFICE}
    assert any("变电站完成立项" in line.text for line in told if line.key == "remind.one")


async def test_a_milestone_reached_is_told_and_the_last_one_is_a_question(park: Town) -> None:
    await long_term(park)
    said = await park.says(LIAISON, "里程碑 1 9月30日 主体完工")
    assert to(said, BOSS) == ["firm.milestone"]
    said = await park.says(LIAISON, "里程碑 1 完成 已批复立项")
    assert "变电站完成立项" in heard(said, BOSS)
    assert "已批复立项" in heard(said, BOSS)
    assert "主体完工" in heard(said, LIAISON)
    assert to(said, OFFICE) == []
    await park.says(LIAISON, "里程碑 1 完成")
    said = await park.says(LIAISON, "主体封顶")
    assert to(said, OFFICE) == ["watch.last_milestone"]
    await park.presses(OFFICE, "恢复")
    assert (await appeal(park))["status"] == "in_progress"


# Dates set by others --------------------------------------------------------------------------------------------------
async def test_of_our_date_and_one_set_by_others_the_earlier_rules(park: Town) -> None:
    await taken_on(park)
    said = await park.says(LIAISON, "外部时限 1 3月18日 12345转办单")
    assert to(said, BOSS) == ["firm.redated"]
    assert await due(park) == to_ms(civil("2026-03-18 17:30"))
    await park.says(LIAISON, "外部时限 1 4月20日 12345同意延后")
    assert await due(park) == to_ms(civil("2026-03-25 17:30"))


async def test_an_extension_never_goes_beyond_a_date_set_by_others(park: Town) -> None:
    await taken_on(park)
    await park.says(LIAISON, "外部时限 1 3月27日 12345转办单")
    said = await park.says(LIAISON, "延期 1 5天 等配件")
    assert to(said, LIAISON) == ["refused.extension_beyond"]
    assert "3月27日（周五）17:30" in heard(said, LIAISON)
    assert to(await park.says(LIAISON, "延期 1 2天 等配件"), LIAISON) == ["oversight.asked"]
