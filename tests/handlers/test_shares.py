"""Who works along: parts with dates of their own, external units, what is waived, what lies beyond the park."""

from collections.abc import Sequence

import pytest

from domain.people import Role
from storage.database import Tx
from storage.values import to_ms
from tests.handlers.talk import (
    BOSS,
    DUTY,
    LIAISON,
    OFFICE,
    TEACHER,
    appeal,
    change,
    heard,
    taken_on,
    to,
)
from tests.making import civil, make_department
from tests.stories.town import Said, Town, make

BUILDER, BUILD_HEAD = "吴工", "石局长"


@pytest.fixture
async def site(park: Town) -> Town:
    """The park with a building office of its own chain of command, and a matter that the liaison works on."""

    async def unit(tx: Tx) -> None:
        office = await make_department(tx, "县建设局", "building")
        duty = await make(tx, BUILDER, Role.HANDLER, department_id=office)
        head = await make(tx, BUILD_HEAD, Role.HEAD, department_id=office)
        staff = {"d": duty, "h": head, "id": office}
        await tx.run("UPDATE departments SET duty_id = :d, head_id = :h WHERE id = :id", staff)

    await park.database.transaction(unit)
    await taken_on(park)
    return park


async def share(site: Town, words: str = "协办 1 建设局 出具占用绿地意见") -> None:
    await site.says(LIAISON, words)
    await site.presses(OFFICE, "批准")


async def part(site: Town, n: int = 1) -> dict[str, object]:
    return dict(await site.one("SELECT * FROM parts WHERE n = :n", n=n))


def reminded(told: Sequence[Said], who: str) -> list[str]:
    return [line.text for line in told if line.listener == who and line.key.startswith("remind.")]


async def test_a_part_is_asked_for_granted_and_told_with_its_own_date(site: Town) -> None:
    said = await site.says(LIAISON, "协办 1 建设局 出具占用绿地意见")
    assert (to(said, LIAISON), to(said, OFFICE)) == (["oversight.asked"], ["triage.asked_assist"])
    for words in ("县建设局", "出具占用绿地意见", "3月16日（周一）17:30", "3月25日（周三）17:30"):
        assert words in heard(said, OFFICE)
    said = await site.presses(OFFICE, "批准")
    assert (to(said, BUILDER), to(said, BOSS)) == (["task.part"], ["firm.part"])
    assert "3月16日（周一）17:30" in heard(said, BUILDER)
    assert "不计入您名下" in heard(said, LIAISON)
    assert (await part(site))["due_at"] == to_ms(civil("2026-03-16 17:30"))


@pytest.mark.parametrize(
    "line,key",
    [
        ("协办 1 卫健局 出意见", "refused.unit_unknown"),
        ("协办 1 建设局 3月26日 出意见", "refused.part_after_lead"),
        ("协办 1 建设局", "ask.assist_what"),
        ("协办 1", "ask.assist"),
    ],
)
async def test_what_is_wrong_with_a_part_is_said(site: Town, line: str, key: str) -> None:
    assert to(await site.says(LIAISON, line), LIAISON) == [key]


async def test_a_unit_has_one_part_at_a_time(site: Town) -> None:
    await share(site)
    assert to(await site.says(LIAISON, "协办 1 建设局 再出一份"), LIAISON) == ["refused.part_given"]


async def test_the_words_of_a_handler_mean_the_part_where_a_co_handler_says_them(site: Town) -> None:
    await share(site)
    said = await site.says(BUILDER, "接单 1")
    assert (to(said, BUILDER), to(said, LIAISON)) == (["shares.part_acknowledge"], ["task.part_acknowledge"])
    await site.presses(BUILDER, "进展")
    said = await site.says(BUILDER, "已现场踏勘")
    assert "已现场踏勘" in heard(said, LIAISON)
    assert to(said, BOSS) == []
    said = await site.says(BUILDER, "办结 1 同意临时占用")
    assert "同意临时占用" in heard(said, LIAISON)
    row = await appeal(site)
    assert (row["status"], (await part(site))["outcome"]) == ("in_progress", "done")
    assert to(await site.says(BUILDER, "进展 1 再说一句"), BUILDER) == ["refused.no_such_part"]


async def test_the_lead_cannot_finish_while_a_part_is_open(site: Town) -> None:
    await share(site)
    for word in ("办结", "解释办结", "即办"):
        said = await site.says(LIAISON, f"{word} 1 好了")
        assert to(said, LIAISON) == ["refused.part_open"]
        assert "县建设局" in heard(said, LIAISON)
    said = await site.says(OFFICE, "免办 1 建设局 已另行解决")
    assert (to(said, BUILDER), to(said, LIAISON)) == (["task.part_waived"], ["task.waived"])
    assert "已另行解决" in heard(said, LIAISON)
    assert to(await site.says(LIAISON, "办结 1 好了"), LIAISON) == ["work.resolved"]


async def test_a_part_is_waived_with_a_reason_and_by_the_coordinator_alone(site: Town) -> None:
    await share(site)
    assert to(await site.says(LIAISON, "免办 1 建设局 不需要了"), LIAISON) == ["refused.not_yours"]
    assert to(await site.says(OFFICE, "免办 1"), OFFICE) == ["ask.waive"]
    assert to(await site.says(OFFICE, "建设局"), OFFICE) == ["refused.waive_without_reason"]
    assert (await part(site))["outcome"] is None


async def test_a_late_part_chases_its_own_department_and_is_booked_to_it(site: Town) -> None:
    await share(site)
    told = await site.wait(until="2026-03-19 18:00")
    chased = [(line.time, line.listener) for line in told if line.key.startswith("remind.")]
    assert ("03-16 17:30", BUILDER) in chased
    assert {who for time, who in chased if "03-17" <= time < "03-18"} == {BUILDER, BUILD_HEAD}
    assert ("03-19 17:30", LIAISON) in chased
    watched = [line for line in told if line.listener == LIAISON and line.key == "remind.one"]
    assert "由县建设局负责" in watched[-1].text
    assert (await appeal(site))["on_time"] is None


async def test_an_external_unit_is_asked_and_never_ordered(site: Town) -> None:
    await share(site, "协办 1 县供电公司 更换变压器")
    told = await site.wait(until="2026-03-18 12:00")
    spoken = [line.text for line in site.said + told if line.listener == DUTY]
    assert any("商请" in text or "烦请" in text for text in spoken)
    assert [text for text in spoken if "催办" in text or "督办" in text] == []


async def test_a_unit_that_gives_its_part_back_leaves_it_to_the_coordinator(site: Town) -> None:
    await share(site)
    await site.presses(BUILDER, "退单")
    said = await site.says(BUILDER, "绿地归自然资源局管")
    assert (to(said, LIAISON), to(said, OFFICE)) == (["task.part_return"], ["watch.part_return"])
    assert "绿地归自然资源局管" in heard(said, OFFICE)
    assert to(await site.says(LIAISON, "办结 1 好了"), LIAISON) == ["work.resolved"]


async def test_the_coordinator_speaks_for_a_unit_that_answers_by_phone(site: Town) -> None:
    await share(site, "协办 1 县供电公司 更换变压器")
    said = await site.says(OFFICE, "代复 1 供电公司 周五换")
    assert "周五换" in heard(said, LIAISON)
    said = await site.says(OFFICE, "代复 1 供电公司 办结 已更换")
    assert to(said, OFFICE) == ["shares.part_done"]
    row = await site.one("SELECT facts FROM events WHERE name = 'part_done'")
    assert "县供电公司" in row["facts"]


async def test_a_unit_without_anybody_is_the_coordinators_to_ask(site: Town) -> None:
    await change(site, "UPDATE departments SET duty_id = NULL WHERE code = 'power'")
    await site.says(LIAISON, "协办 1 县供电公司 更换变压器")
    said = await site.presses(OFFICE, "批准")
    assert (await part(site))["handler_id"] is None
    assert to(said, DUTY) == []
    told = await site.wait(until="2026-03-16 18:00")
    assert any("更换变压器" in text for text in reminded(told, OFFICE))


async def test_what_pauses_the_matter_pauses_its_parts(site: Town) -> None:
    await share(site)
    said = await site.says(OFFICE, "挂起 1 3月20日 等批复")
    assert to(said, BUILDER) == ["task.part_paused"]
    told = await site.wait(until="2026-03-23 09:00")
    assert to(told, BUILDER) == ["task.part_resumed", "digest.cadre"]
    assert (await part(site))["due_at"] == to_ms(civil("2026-03-26 17:00"))


async def test_who_works_on_a_part_sees_the_matter_and_nobody_else_does(site: Town) -> None:
    assert to(await site.says(BUILDER, "进度 1"), BUILDER) == ["refused.not_found"]
    await share(site)
    assert to(await site.says(BUILDER, "进度 1"), BUILDER) == ["look.status"]
    assert "#1" in heard(await site.says(BUILDER, "待办"), BUILDER)
    assert to(await site.says(TEACHER, "进度 1"), TEACHER) == ["refused.not_found"]


async def test_the_state_of_a_matter_names_who_works_along_and_until_when(site: Town) -> None:
    await share(site)
    await site.says(OFFICE, "督办 1 3月18日 请尽快")
    for who in (BOSS, LIAISON):
        assert "县建设局“出具占用绿地意见”，3月16日（周一）17:30前" in heard(await site.says(who, "进度 1"), who)
    assert "请尽快" in heard(await site.says(LIAISON, "进度 1"), LIAISON)
    assert "请尽快" not in heard(await site.says(BOSS, "进度 1"), BOSS)
    await site.says(OFFICE, "挂起 1 3月20日 等批复")
    stands = heard(await site.says(BOSS, "进度 1"), BOSS)
    assert "暂缓到：3月20日（周五）17:30" in stands
    assert "办结时限" not in stands


async def test_what_lies_beyond_the_park_says_whom_it_asked_and_when(site: Town) -> None:
    said = await site.says(LIAISON, "超权限 1 市供电公司 3月9日 增容批复")
    assert (to(said, BOSS), to(said, OFFICE)) == (["firm.beyond"], ["watch.beyond"])
    for words in ("3月9日", "市供电公司", "增容批复"):
        assert words in heard(said, BOSS)
    told = await site.wait(until="2026-03-26 12:00")
    assert any("增容批复" in text for text in reminded(told, LIAISON))
    said = await site.says(LIAISON, "超权限 1 答复 同意增容到800千伏安")
    assert "同意增容到800千伏安" in heard(said, BOSS)


@pytest.mark.parametrize(
    "line", ["超权限 1 市供电公司 增容批复", "超权限 1 市供电公司 3月20日 增容批复", "超权限 1 答复"]
)
async def test_whom_and_when_cannot_be_left_out(site: Town, line: str) -> None:
    assert to(await site.says(LIAISON, line), LIAISON)[0] in ("refused.beyond_unclear", "refused.no_such_part")


async def test_each_mornings_list_names_the_parts_that_one_answers_for(site: Town) -> None:
    await share(site)
    told = await site.wait(until="2026-03-12 08:31")
    mornings = {line.listener: line.text for line in told if line.key.startswith("digest.cadre")}
    assert "有1件事要办" in mornings[BUILDER]
    assert "#1 配合“出具占用绿地意见”：3月16日（周一）17:30前反馈" in mornings[BUILDER]
    assert "配合" not in mornings[LIAISON]
    late = await site.wait(until="2026-03-17 08:31")
    assert "应在3月16日（周一）17:30前反馈" in next(
        line.text for line in reversed(late) if line.listener == BUILDER and line.key.startswith("digest.cadre")
    )
    await site.says(BUILDER, "办结 1 已出具意见")
    told = await site.wait(until="2026-03-18 08:31")
    assert not [line for line in told if line.listener == BUILDER and line.key.startswith("digest.")]
