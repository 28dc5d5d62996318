"""易 / 中 / 难, 即办, 紧急, 提请, 督办 and 批示, and what a handler takes back within his minute."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace

import docx
import pytest

from domain.rules import Clock
from storage.values import to_ms
from tests.handlers.talk import BOSS, CHIEF, DUTY, HEAD, INSPECTOR, LIAISON, OFFICE, appeal, change, heard, taken_on, to
from tests.making import civil, make_rules
from tests.stories.town import LADDERS, Said, Town


def words_of(content: bytes) -> str:
    """Everything that stands on a paper."""
    file = docx.Document(io.BytesIO(content))
    cells = [cell.text for table in file.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in file.paragraphs), *cells])


def papers(park: Town, who: str) -> dict[str, str]:
    """The papers that somebody was sent: what stands on each, by its name."""
    parcels = [parcel for parcel in park.channel.sent if parcel.chat == f"private:{who}"]
    return {paper.name: words_of(paper.content) for parcel in parcels for paper in parcel.documents}


def reminded(told: list[Said], who: str) -> list[str]:
    return [line.time for line in told if line.listener == who and line.key.startswith("remind.")]


# 难易 -----------------------------------------------------------------------------------------------------------------
async def test_what_shortens_the_time_holds_at_once_and_is_told(park: Town) -> None:
    await taken_on(park)
    said = await park.says(LIAISON, "难易 1 易")
    assert (to(said, LIAISON), to(said, BOSS)) == (["orders.graded"], ["firm.redated"])
    assert (await appeal(park))["due_at"] == to_ms(civil("2026-03-16 17:30"))


async def test_what_lengthens_the_time_is_the_coordinators_to_decide(park: Town) -> None:
    await taken_on(park)
    asked = await park.says(LIAISON, "难易 1")
    assert asked[0].buttons == ("易", "中", "难")
    assert to(await park.presses(LIAISON, "难"), LIAISON) == ["ask.difficulty_reason"]
    said = await park.says(LIAISON, "要改线路")
    assert (to(said, OFFICE), (await appeal(park))["difficulty"]) == (["triage.asked_difficulty"], "normal")
    said = await park.presses(OFFICE, "批准")
    assert "3月25日（周三）17:30" in heard(said, BOSS)
    assert "4月1日（周三）17:30" in heard(said, BOSS)
    assert to(await park.says(LIAISON, "难易 1 特别难"), LIAISON) == ["refused.difficulty_unknown"]


# 即办 / 紧急 ----------------------------------------------------------------------------------------------------------
async def test_what_is_done_at_once_still_asks_the_firm(park: Town) -> None:
    await park.says(BOSS, "咨询 停电检修怎么查")
    said = await park.says(LIAISON, "即办 1 在政务大厅3号窗口可查，链接已发")
    assert to(said, BOSS) == ["firm.survey"]
    assert "3号窗口" in heard(said, BOSS)
    row = await appeal(park)
    assert row["status"] == "resolved"
    assert None not in (row["acknowledged_at"], row["contacted_at"])
    assert to(await park.presses(BOSS, "满意"), BOSS) == ["work.closed"]


async def test_what_nobody_has_yet_is_answered_at_intake_by_the_coordinator(park: Town) -> None:
    await park.says(BOSS, "咨询 设备补助怎么申报")
    assert (await appeal(park))["handler_id"] is None
    said = await park.says(OFFICE, "即办 1 在政务大厅3号窗口申报")
    assert to(said, BOSS) == ["firm.survey"]
    row = await park.one("SELECT p.name FROM appeals a JOIN people p ON p.id = a.handler_id")
    assert row["name"] == OFFICE
    await taken_on(park)
    assert to(await park.says(OFFICE, "即办 2 好了"), OFFICE) == ["refused.not_yours"]


async def test_an_explanation_ends_the_work_and_is_counted_as_one(park: Town) -> None:
    await taken_on(park)
    assert to(await park.says(LIAISON, "解释办结 1 按规定不在支持范围"), LIAISON) == ["work.resolved"]
    assert (await appeal(park))["resolution"] == "explained"


async def test_the_owners_word_makes_it_urgent_at_any_hour(park: Town) -> None:
    await park.wait(until="2026-03-11 21:30")
    await park.says(BOSS, "诉求 车间停电")
    said = await park.says(BOSS, "紧急 1 冷库要化了")
    assert "119" in heard(said, BOSS)
    assert to(said, LIAISON) == ["task.urgent"]
    assert "冷库要化了" in heard(said, LIAISON)
    assert (await appeal(park))["acknowledge_due_at"] == to_ms(civil("2026-03-11 23:30"))
    assert reminded(await park.wait(until="2026-03-11 23:31"), LIAISON) == ["03-11 22:30", "03-11 23:30"]
    assert to(await park.says(BOSS, "紧急 1"), BOSS) == ["refused.urgent_already"]


# 提请 -----------------------------------------------------------------------------------------------------------------
async def test_a_hard_case_goes_to_the_chief_with_a_brief(park: Town) -> None:
    await taken_on(park, "车间电压低，一天跳停三次")
    await park.says(LIAISON, "进展 1 已现场勘查")
    said = await park.says(LIAISON, "提请 1 卡在线路产权，请协调供电公司")
    assert (to(said, OFFICE), to(said, CHIEF)) == (["triage.asked_refer"], [])
    said = await park.presses(OFFICE, "批准")
    assert (to(said, CHIEF), to(said, LIAISON)) == (["watch.referred"], ["task.referred"])
    (brief,) = papers(park, CHIEF).values()
    for words in ("宏达机械", "车间电压低，一天跳停三次", "卡在线路产权", "已现场勘查", "王敏", "3月25日"):
        assert words in brief
    assert to(await park.presses(CHIEF, "已阅"), CHIEF) == ["orders.read"]


async def test_a_firm_without_a_chief_is_not_referred_to_nobody(park: Town) -> None:
    await change(park, "UPDATE enterprises SET chief_id = NULL")
    await taken_on(park)
    said = await park.says(LIAISON, "提请 1 请协调")
    assert to(said, LIAISON) == ["refused.no_chief"]
    assert "首席服务官" in heard(said, LIAISON)


# 督办 / 批示 ----------------------------------------------------------------------------------------------------------
async def test_an_order_is_chased_like_a_date_until_it_is_answered(park: Town) -> None:
    await taken_on(park)
    said = await park.says(CHIEF, "批示 1 3月13日 供电、建设现场会商")
    assert (to(said, LIAISON), to(said, HEAD)) == (["task.ordered"], ["watch.ordered"])
    told = await park.wait(until="2026-03-17 09:00")
    assert "03-13 17:30" in reminded(told, LIAISON)
    assert reminded(told, CHIEF) == ["03-16 17:30"]
    said = await park.says(LIAISON, "进展 1 已会商，周五换线")
    assert to(said, CHIEF) == ["watch.order_answered"]
    assert "周五换线" in heard(said, CHIEF)
    assert reminded(await park.wait(until="2026-03-20 12:00"), CHIEF) == []


async def test_supervision_is_counted_and_comes_with_its_paper(park: Town) -> None:
    await taken_on(park)
    await park.says(OFFICE, "督办 1 3月13日 请尽快更换")
    (notice,) = papers(park, LIAISON).values()
    assert next(iter(papers(park, LIAISON))).startswith("督办通知书")
    for words in ("请尽快更换", "3月13日（周五）17:30", "宏达机械", "LQ-2026-00001"):
        assert words in notice
    (letter,) = papers(park, HEAD).values()
    assert next(iter(papers(park, HEAD))).startswith("工作提示函")
    assert "督办" not in letter
    assert "催办" not in letter
    assert "商请" in letter
    assert (await appeal(park))["supervisions"] == 1


async def test_two_orders_are_two_dates_and_both_givers_hear_the_answer(park: Town) -> None:
    await taken_on(park)
    await park.says(OFFICE, "督办 1 3月13日 请尽快")
    await park.says(CHIEF, "批示 1 现场会商")
    assert [row["due_at"] for row in await park.all("SELECT due_at FROM parts ORDER BY n")] == [
        to_ms(civil("2026-03-13 17:30")),
        to_ms(civil("2026-03-16 17:30")),
    ]
    said = await park.says(LIAISON, "进展 1 明天会商")
    assert (to(said, OFFICE), to(said, CHIEF)) == (["watch.order_answered"], ["watch.order_answered"])


@pytest.mark.parametrize("who", [LIAISON, DUTY, HEAD, BOSS])
async def test_only_leaders_give_orders(park: Town, who: str) -> None:
    await taken_on(park)
    said = await park.says(who, "督办 1 3月13日 请尽快")
    assert to(said, who)[0] in ("refused.not_yours", "refused.not_found")
    assert (await appeal(park))["supervisions"] == 0


async def test_what_was_rejected_twice_is_the_inspectors_and_not_the_chiefs(park: Town) -> None:
    await taken_on(park)
    for _ in range(2):
        await park.says(LIAISON, "办结 1 好了")
        await park.says(BOSS, "不满意 1 还是停")
    assert to(await park.says(CHIEF, "批示 1 继续办"), CHIEF) == ["refused.awaits_inspector"]
    assert to(await park.says(INSPECTOR, "批示 1 换线路"), INSPECTOR) == ["oversight.decided"]


# The ladder's paper ---------------------------------------------------------------------------------------------------
@pytest.fixture
async def strict() -> AsyncIterator[Town]:
    """A park whose rung of the first late day brings its paper along."""
    papered = {"+1wd": "reminder_notice"}
    steps = tuple(replace(rung, document=papered.get(rung.label, "")) for rung in LADDERS[Clock.RESOLVE])
    opened = await Town.open(rules=make_rules(ladders={**LADDERS, Clock.RESOLVE: steps}))
    await opened.settle()
    yield opened
    await opened.close()


async def test_the_first_late_day_brings_a_notice_to_cadres_and_a_letter_to_outside_units(strict: Town) -> None:
    await taken_on(strict, "车间电压低，一天跳停三次")
    await strict.wait(until="2026-03-27 09:00")
    ((name, notice),) = papers(strict, LIAISON).items()
    assert name == "催办通知书-LQ-2026-00001.docx"
    for words in ("王敏：", "3月25日（周三）17:30", "1个工作日", "车间电压低，一天跳停三次", "宏达机械"):
        assert words in notice
    ((name, letter),) = papers(strict, HEAD).items()
    assert name == "工作提示函-LQ-2026-00001.docx"
    assert "县供电公司：" in letter
    assert [word for word in ("催办", "督办") if word in letter] == []


# 撤销 -----------------------------------------------------------------------------------------------------------------
@pytest.fixture
async def hasty(park: Town) -> Town:
    """The park with a matter under way, whose people speak within the minute."""
    await taken_on(park)
    park.in_haste = True
    return park


@pytest.mark.parametrize("line", ["进展 1 发错群了", "办结 1 发错了", "解释办结 1 发错了", "即办 1 发错了"])
@pytest.mark.parametrize("back", ["撤销", "撤销 1"])
async def test_a_slip_is_taken_back_before_anybody_hears_of_it(hasty: Town, line: str, back: str) -> None:
    before = dict(await appeal(hasty))
    await hasty.says(LIAISON, line)
    said = await hasty.says(LIAISON, back)
    assert to(said, LIAISON) == ["work.taken_back"]
    later = await hasty.wait(hours=2)
    assert (to(said, BOSS), to(later, BOSS)) == ([], [])
    after = dict(await appeal(hasty))
    changed = {key for key in after if after[key] != before[key]}
    assert changed <= {"version", "next_due_at"}
    assert "发错" not in heard(await hasty.says(BOSS, "回溯 1"), BOSS)
    assert "发错" not in heard(await hasty.says(BOSS, "进度 1"), BOSS)


async def test_the_button_below_the_answer_takes_it_back_as_well(hasty: Town) -> None:
    await hasty.says(LIAISON, "办结 1 发错了")
    assert to(await hasty.presses(LIAISON, "撤销"), LIAISON) == ["work.taken_back"]
    assert (await appeal(hasty))["status"] == "in_progress"


async def test_after_a_minute_it_is_too_late(hasty: Town) -> None:
    await hasty.says(LIAISON, "办结 1 发错了")
    said = await hasty.wait(hours=1 / 60)
    assert to(said, BOSS) == ["firm.survey"]
    said = await hasty.says(LIAISON, "撤销 1")
    assert to(said, LIAISON) == ["refused.too_late_to_take_back"]
    assert "60秒" in heard(said, LIAISON)


async def test_what_the_firm_has_answered_is_not_taken_back(hasty: Town) -> None:
    await hasty.says(LIAISON, "办结 1 好了")
    await hasty.says(BOSS, "满意 1")
    assert to(await hasty.says(LIAISON, "撤销 1"), LIAISON) == ["refused.not_yours"]
    assert (await appeal(hasty))["status"] == "closed"


async def test_nobody_takes_back_what_another_has_said(hasty: Town) -> None:
    await hasty.says(LIAISON, "办结 1 好了")
    assert to(await hasty.says(OFFICE, "撤销 1"), OFFICE) == ["refused.not_yours"]
    assert (await appeal(hasty))["status"] == "resolved"


async def test_an_order_answered_by_a_slip_is_owed_again(hasty: Town) -> None:
    await hasty.says(CHIEF, "批示 1 3月13日 现场会商")
    await hasty.says(LIAISON, "进展 1 发错了")
    await hasty.says(LIAISON, "撤销")
    told = await hasty.wait(until="2026-03-13 18:00")
    assert to(told, CHIEF) == []
    assert "03-13 17:30" in reminded(told, LIAISON)
