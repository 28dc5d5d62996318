"""值班: entered in a line, shown for four weeks, held when something comes to the department."""

import pytest

from domain.people import Role
from tests.handlers.talk import BOSS, DEPUTY, DUTY, HEAD, LIAISON, OFFICE, TEACHER, change, heard, newcomer, to
from tests.handlers.test_duty import owner
from tests.stories.town import Town

WANG = "王强"


@pytest.fixture
async def staffed(park: Town) -> Town:
    """One more cadre of the power company."""
    await newcomer(park, WANG, Role.HANDLER)
    unit = "(SELECT id FROM departments WHERE code = 'power')"
    await change(park, f"UPDATE people SET department_id = {unit} WHERE name = '{WANG}'")
    return park


@pytest.mark.parametrize(
    "line",
    [
        "值班 供电公司 3月11日-3月15日 王强",
        "值班 县供电公司 今天到3月15日 由王强值班",
        "/duty power 2026-03-11 to 2026-03-15 王强",
        "值班 供电公司，3月11日至15日，王强",
    ],
)
async def test_whoever_is_on_the_rota_takes_what_comes_to_the_department(staffed: Town, line: str) -> None:
    said = await staffed.says(OFFICE, line)
    assert (to(said, OFFICE), to(said, WANG)) == (["duty.rota_entered"], ["duty.on_rota"])
    await staffed.says(BOSS, "诉求 有件说不清的事")
    await staffed.says(OFFICE, "派单 1 县供电公司")
    assert await owner(staffed) == WANG
    await staffed.wait(until="2026-03-16 09:00")
    await staffed.says(BOSS, "诉求 还有件说不清的事")
    await staffed.says(OFFICE, "派单 2 县供电公司")
    assert await owner(staffed, 2) == DUTY


async def test_a_department_that_only_a_rota_mans_is_offered_while_it_does(staffed: Town) -> None:
    await change(staffed, "UPDATE departments SET duty_id = NULL WHERE code = 'power'")
    await staffed.says(BOSS, "诉求 有件说不清的事")
    assert "县供电公司" not in (await staffed.says(OFFICE, "派单 1"))[0].buttons
    await staffed.says(OFFICE, "值班 供电公司 3月11日-3月15日 王强")
    assert "县供电公司" in (await staffed.says(OFFICE, "派单 1"))[0].buttons


async def test_a_category_that_goes_to_a_department_goes_to_who_is_on_duty(staffed: Town) -> None:
    await change(staffed, "UPDATE departments SET code = 'land' WHERE code = 'power'")
    await staffed.says(HEAD, "值班 3月11日-3月15日 王强")
    await staffed.says(BOSS, "诉求 土地红线")
    assert await owner(staffed) == WANG


async def test_the_head_enters_his_own_departments_rota_and_no_other(staffed: Town) -> None:
    assert to(await staffed.says(HEAD, "值班 供电公司 明天 王强"), HEAD) == ["duty.rota_entered"]
    assert to(await staffed.says(HEAD, "值班 教体局 明天 郑老师"), HEAD) == ["duty.rota_not_yours"]
    assert to(await staffed.says(DUTY, "值班 供电公司 明天 王强"), DUTY) == ["duty.rota_not_yours"]
    assert to(await staffed.says(BOSS, "值班 供电公司"), BOSS) == ["refused.not_for_you"]


async def test_of_overlapping_entries_the_later_one_holds_for_its_days(staffed: Town) -> None:
    await staffed.says(OFFICE, "值班 供电公司 3月11日-3月20日 王强")
    await staffed.says(OFFICE, "值班 供电公司 3月13日 赵工")
    said = await staffed.says(OFFICE, "值班 供电公司")
    assert heard(said, OFFICE).splitlines()[1:5] == [
        "· 3月11日（周三）到3月12日（周四）：王强",
        "· 3月13日（周五）：赵工",
        "· 3月14日（周六）到3月20日（周五）：王强",
        "· 3月21日（周六）到4月7日（周二）：赵工",
    ]


async def test_who_is_on_duty_and_on_leave_is_stood_in_for(staffed: Town) -> None:
    await staffed.says(OFFICE, "值班 供电公司 3月11日-3月20日 王强")
    await staffed.says(WANG, "请假 3月12日-3月13日 赵工")
    await staffed.wait(until="2026-03-12 09:00")
    assert "王强（请假，赵工代）" in heard(await staffed.says(OFFICE, "值班 供电公司"), OFFICE)
    await staffed.says(BOSS, "诉求 有件说不清的事")
    await staffed.says(OFFICE, "派单 1 县供电公司")
    assert await owner(staffed) == DUTY


async def test_where_nobody_is_there_the_coordinator_is_told_to_name_a_person(staffed: Town) -> None:
    await staffed.says(DUTY, "请假 3天")
    await staffed.says(BOSS, "诉求 有件说不清的事")
    assert to(await staffed.says(OFFICE, "派单 1 县供电公司"), OFFICE) == ["refused.no_duty"]
    assert "赵工（请假，尚无备岗）" in heard(await staffed.says(OFFICE, "值班 供电公司"), OFFICE)
    assert "县供电公司：没有人" in heard(await staffed.says(OFFICE, "值班"), OFFICE)


@pytest.mark.parametrize(
    "line, key",
    [
        ("值班 供电公司 3月11日-3月15日 郑老师", "duty.not_of_department"),
        ("值班 供电公司 3月11日-3月15日 王敏", "duty.not_of_department"),
        ("值班 供电公司 3月11日-3月15日 无名氏", "refused.person_unknown"),
        ("值班 供电公司 2026-03-01 王强", "duty.rota_range"),
        ("值班 供电公司 3月15日-3月12日 王强", "duty.rota_range"),
        ("值班 供电公司 王强", "duty.rota_unclear"),
        ("值班 水务局 3月11日 王强", "duty.department_unknown"),
    ],
)
async def test_an_entry_that_cannot_be_is_refused_with_its_reason(staffed: Town, line: str, key: str) -> None:
    assert to(await staffed.says(OFFICE, line), OFFICE) == [key]
    assert not await staffed.all("SELECT id FROM rota")


async def test_a_missing_name_is_asked_for(staffed: Town) -> None:
    assert to(await staffed.says(OFFICE, "值班 供电公司 3月11日-3月15日"), OFFICE) == ["duty.ask_officer"]
    assert to(await staffed.says(OFFICE, "王强"), WANG) == ["duty.on_rota"]


async def test_the_word_alone_shows_ones_own_department_or_all_of_them(staffed: Town) -> None:
    assert "县供电公司今后四周值班" in heard(await staffed.says(DUTY, "值班"), DUTY)
    assert "县供电公司：赵工" in heard(await staffed.says(OFFICE, "值班"), OFFICE)
    assert "教体局：郑老师" in heard(await staffed.says(LIAISON, "值班"), LIAISON)
    assert TEACHER in heard(await staffed.says(DEPUTY, "值班 教体局"), DEPUTY)


async def test_talk_among_colleagues_that_sounds_like_it_is_left_alone(staffed: Town) -> None:
    assert not await staffed.says(OFFICE, "值班 今晚谁", where="优化办调度群")
