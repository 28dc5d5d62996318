"""One appeal's whole life, told through the whole program with its clock pushed, held against a golden list."""

import io
import json
import os
from collections.abc import AsyncIterator

import openpyxl
import pytest

from tests.stories.town import GOLDEN, Town, transcript

LIST = GOLDEN / "one_appeal.json"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    opened = await Town.open(at="2026-03-11 08:40")
    yield opened
    await opened.close()


async def live_one_life(town: Town) -> None:
    """诉求 -> 接单 -> late -> chased -> escalated -> 办结 -> 不满意 -> 重办 -> 满意 -> 销号 -> digest -> ledger."""
    await town.says("张建国", "/诉求 车间电压低，一天跳停三次，影响交货", where="大树营联企群")
    await town.wait(until="2026-03-13 08:45")
    await town.presses("王敏", "接单")
    await town.presses("王敏", "已联系")
    await town.says("王敏", "进展 已现场勘查，变压器负荷过高", where="", reply_to=town.said[-1].id)
    await town.wait(until="2026-03-31 09:00")
    await town.presses("周芳", "放行")
    await town.wait(until="2026-04-01 09:00")
    await town.says("王敏", "办结 1 已更换变压器，复测电压正常")
    await town.presses("张建国", "部分解决")
    await town.presses("张建国", "不满意")
    await town.says("张建国", "下午还是跳闸")
    await town.wait(until="2026-04-02 10:00")
    await town.says("王敏", "办结 第二台变压器已换，连续两天无跳闸")
    await town.presses("张建国", "已解决")
    await town.presses("张建国", "满意")
    await town.wait(until="2026-04-03 08:30")
    await town.says("周芳", "台账 全部")


async def test_one_appeal_lives_as_the_golden_list_tells(town: Town) -> None:
    await live_one_life(town)
    told = transcript(town.said)
    if os.environ.get("LIANQI_WRITE_GOLDEN"):
        LIST.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert told == json.loads(LIST.read_text(encoding="utf-8"))


async def test_every_message_about_the_appeal_carries_its_number(town: Town) -> None:
    await live_one_life(town)
    about = await town.all("SELECT id FROM outbox WHERE appeal_id IS NOT NULL")
    numbered = {line.id: line.text for line in town.said}
    assert about
    assert [row["id"] for row in about if "#1" not in numbered[row["id"]]] == []


async def test_the_history_holds_one_event_for_each_step_without_a_gap(town: Town) -> None:
    await live_one_life(town)
    events = await town.all("SELECT version, name, to_status FROM events WHERE appeal_id IS NOT NULL ORDER BY id")
    assert [event["version"] for event in events] == list(range(1, len(events) + 1))
    assert [(event["name"], event["to_status"]) for event in events] == [
        ("file", "submitted"),
        ("dispatch", "dispatched"),
        ("acknowledge", "in_progress"),
        ("contacted", "in_progress"),
        ("progress", "in_progress"),
        ("resolve", "resolved"),
        ("partly_solved", "resolved"),
        ("dissatisfied", "rework"),
        ("resolve", "resolved"),
        ("solved", "resolved"),
        ("satisfied", "closed"),
    ]


async def test_the_ledger_tells_the_same_life(town: Town) -> None:
    await live_one_life(town)
    document = next(parcel for parcel in town.channel.sent if parcel.documents).documents[0]
    sheet = openpyxl.load_workbook(io.BytesIO(document.content)).worksheets[0]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    header = next(row for row in rows if row[0] == "序号")
    entry = dict(zip(header, rows[rows.index(header) + 1], strict=True))
    assert entry["编号"] == "LQ-2026-00001"
    assert entry["企业名称"] == "宏达机械有限公司"
    assert entry["企业评价"] == "满意"
    assert entry["是否解决"] == "已解决"
    assert entry["是否销号"] == "是"
    assert str(entry["重办次数"]) == "1"
    assert entry["联系人"] == "张**"
