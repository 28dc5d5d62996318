"""The ledger's rows: every open appeal once, no sealed one ever, and each column from where it is kept."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest

from domain import ledger
from domain.appeal import Appeal, Slip, Source, Status
from domain.figures import Identity
from domain.ledger import COLUMNS, Entry
from domain.people import Role
from domain.rules import Difficulty, Kind
from domain.said import Said
from domain.verbs import Verb
from handlers.ledger import attachment, build, document
from storage import figures
from storage import ledger as entries
from storage.database import Database, Tx
from storage.open import open_database
from tests.making import Maker, civil, make_department, make_enterprise, make_person, make_rules
from texts import Catalogue

RULES = make_rules()
CATALOGUE = Catalogue.load(strict=True)
MONDAY = civil("2026-03-09 09:00")
SINCE, UNTIL = civil("2026-03-01 00:00"), civil("2026-04-01 00:00")


async def opened() -> Database:
    return await open_database("sqlite:///:memory:")


async def all_rows(tx: Tx, since: datetime = SINCE, until: datetime = UNTIL) -> list[Entry]:
    return [entry async for page in entries.rows(tx, since, until) for entry in page]


async def a_whole_life(tx: Tx) -> Appeal:
    """One appeal that went through everything that the ledger has a column for."""
    make = Maker(tx, RULES)
    boss = await make_person(tx, "张建国", Role.CONTACT)
    liaison = await make_person(tx, "王敏", Role.LIAISON)
    chief = await make_person(tx, "赵县长", Role.CHIEF)
    power = await make_department(tx)
    firm = await make_enterprise(tx, "宏达机械有限公司", boss, liaison_id=liaison, chief_id=chief)
    appeal = await make.appeal(
        firm, MONDAY, "3号线电压低，一天跳停3次", contact_id=boss, liaison_id=liaison, source=Source.GROUP
    )
    hour = timedelta(hours=1)
    appeal = await make.take(appeal, Verb.DISPATCH, MONDAY, handler_id=liaison, department_id=power)
    appeal = await make.take(appeal, Verb.RETURN, MONDAY + hour, by=liaison, text="应由供电办理", unit="县供电公司")
    appeal = await make.take(appeal, Verb.DISPATCH, MONDAY + hour, handler_id=liaison, department_id=power)
    appeal = await make.take(appeal, Verb.ACKNOWLEDGE, MONDAY + 2 * hour, by=liaison)
    appeal = await make.take(appeal, Verb.URGE, MONDAY + 2 * hour, by=boss)
    appeal = await make.take(appeal, Verb.PROGRESS, MONDAY + 3 * hour, by=liaison, text="已现场勘查")
    appeal = await make.take(appeal, Verb.RESOLVE, MONDAY + 4 * hour, by=liaison, text="已更换变压器")
    appeal = await make.take(appeal, Verb.DISSATISFIED, MONDAY + 5 * hour, by=boss, text="还是跳闸")
    appeal = await make.take(appeal, Verb.RESOLVE, MONDAY + 6 * hour, by=liaison, text="已复测，电压正常")
    appeal = await make.take(appeal, Verb.FOLLOW_UP, MONDAY + 7 * hour, by=liaison)
    appeal = await make.take(appeal, Verb.SOLVED, MONDAY + 8 * hour, by=boss)
    return await make.take(appeal, Verb.SATISFIED, MONDAY + 8 * hour, by=boss)


async def remind(tx: Tx, appeal: Appeal, label: str, listener: str, *, clock: str = "resolve") -> None:
    await tx.run(
        """INSERT INTO rungs(appeal_id, clock, round, label, listener, due_at, reached_at, state, told_at)
           VALUES (:appeal, :clock, 1, :label, :listener, 1, 1, 'told', 2)""",
        {"appeal": appeal.id, "clock": clock, "label": label, "listener": listener},
    )


A_WHOLE_LIFE = {
    "序号": 1,
    "编号": "LQ-2026-00001",
    "受理日期": "2026-03-09 09:00",
    "来源渠道": "群",
    "企业名称": "宏达机械有限公司",
    "片区": "大树营片区",
    "联系人": "张**",
    "诉求类别": "要素保障·用电",
    "类型": "诉求",
    "问题描述": "3号线电压低，一天跳停3次",
    "具体诉求": "3号线电压低，一天跳停3次",
    "难易": "中",
    "牵头部门": "县供电公司",
    "责任人": "王敏",
    "配合部门": None,
    "挂钩干部": "王敏",
    "首席服务官": "赵县长",
    "完成时限": "2026-03-23 17:30",
    "延期后时限": None,
    "接单时间": "2026-03-09 11:00",
    "办理进展": "已复测，电压正常",
    "进展更新日期": "2026-03-09 15:00",
    "现场/协调次数": 0,
    "办结日期": "2026-03-09 15:00",
    "办结方式": "解决",
    "是否按时": "是",
    "企业评价": "满意",
    "是否解决": "已解决",
    "回访时间及回访人": "2026-03-09 16:00 王敏",
    "是否销号": "是",
    "销号日期": "2026-03-09 17:00",
    "催办次数": 3,
    "督办次数": 0,
    "退单次数": 1,
    "重办次数": 1,
    "是否共性": "否",
    "备注": "已销号",
}
"""The row of that appeal, column by column in the order of the sheet."""


async def test_each_column_says_what_is_known_of_an_appeal() -> None:
    async def unit(tx: Tx) -> bytes:
        appeal = await a_whole_life(tx)
        await remind(tx, appeal, "0s", "1")
        await remind(tx, appeal, "+1wd", "1")
        await remind(tx, appeal, "+1wd", "2")
        await remind(tx, appeal, "+3wd", "1", clock="survey")
        return await build(tx, RULES, CATALOGUE, SINCE, UNTIL)

    sheet = openpyxl.load_workbook(io.BytesIO(await (await opened()).transaction(unit)))["问题台账"]
    shown = {header.value: cell.value for header, cell in zip(sheet[2], sheet[3], strict=True)}
    assert list(shown.items()) == list(A_WHOLE_LIFE.items())


async def test_a_sealed_matter_stands_in_no_row_and_no_figure() -> None:
    async def unit(tx: Tx) -> tuple[list[Entry], Identity, bytes]:
        firm = await make_enterprise(tx)
        await Maker(tx, RULES).appeal(firm, MONDAY, "不给办，要好处", sealed=True, number="S7F3K")
        found = await all_rows(tx), await figures.month(tx, SINCE, UNTIL)
        return *found, await build(tx, RULES, CATALOGUE, SINCE, UNTIL)

    rows, month, content = await (await opened()).transaction(unit)
    assert rows == []
    assert month.received == 0
    assert month.holds
    sheets = openpyxl.load_workbook(io.BytesIO(content)).worksheets
    said = [str(cell.value) for sheet in sheets for row in sheet.iter_rows() for cell in row]
    assert not any("好处" in text or "S7F3K" in text for text in said)


async def test_sealed_matters_make_no_issue_common() -> None:
    async def unit(tx: Tx) -> list[Entry]:
        for n in range(3):
            firm = await make_enterprise(tx, f"企业{n}")
            await Maker(tx, RULES).appeal(firm, MONDAY, sealed=n == 0, number=f"{n + 1}")
        return await all_rows(tx)

    assert [row.common for row in await (await opened()).transaction(unit)] == [False, False]


async def test_an_issue_is_common_though_its_third_firm_came_last_month() -> None:
    async def unit(tx: Tx) -> list[Entry]:
        for n, at in enumerate([civil("2026-02-26 09:00"), MONDAY, MONDAY]):
            await Maker(tx, RULES).appeal(await make_enterprise(tx, f"企业{n}"), at)
        return await all_rows(tx)

    assert [row.common for row in await (await opened()).transaction(unit)] == [True, True]


async def test_a_period_holds_its_first_instant_and_not_its_end() -> None:
    async def unit(tx: Tx) -> list[Entry]:
        firm = await make_enterprise(tx)
        for at in (SINCE - timedelta(milliseconds=1), SINCE, UNTIL - timedelta(milliseconds=1), UNTIL):
            await Maker(tx, RULES).appeal(firm, at)
        return await all_rows(tx)

    rows = await (await opened()).transaction(unit)
    assert [row.number for row in rows] == ["2", "3"]


async def test_many_rows_come_in_pages_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "PAGE", 3)

    async def unit(tx: Tx) -> tuple[list[Sequence[Entry]], bytes]:
        firm = await make_enterprise(tx)
        for n in range(8):
            await Maker(tx, RULES).appeal(firm, MONDAY + timedelta(hours=n // 4))
        pages = [page async for page in entries.rows(tx, SINCE, UNTIL)]
        return pages, await build(tx, RULES, CATALOGUE, SINCE, UNTIL)

    pages, content = await (await opened()).transaction(unit)
    assert [len(page) for page in pages] == [3, 3, 2]
    assert [row.number for page in pages for row in page] == [str(n) for n in range(1, 9)]
    column = [cell.value for cell in openpyxl.load_workbook(io.BytesIO(content))["问题台账"]["A"]]
    assert column[2:] == list(range(1, 9))


async def test_a_refusal_is_how_a_declined_appeal_ended() -> None:
    async def unit(tx: Tx) -> Entry:
        make = Maker(tx, RULES)
        filed = await make.appeal(await make_enterprise(tx), MONDAY)
        await make.take(filed, Verb.DECLINE, MONDAY, text="不属于职责范围")
        return (await all_rows(tx))[0]

    cells = ledger.cells(await (await opened()).transaction(unit), 1, RULES)
    shown = dict(zip(COLUMNS, cells, strict=True))
    assert shown["ledger.resolved"] == "2026-03-09 09:00"
    assert shown["ledger.resolution"] == Said("status.declined")
    assert shown["ledger.closed"] == Said("word.no")


async def test_an_extended_date_stands_beside_the_one_that_the_category_gave() -> None:
    async def unit(tx: Tx) -> Entry:
        make = Maker(tx, RULES)
        who = await make_person(tx, "王敏", Role.LIAISON)
        work = await make.started(await make_enterprise(tx), MONDAY, who)
        work = await make.take(work, Verb.RECATEGORISE, MONDAY, difficulty=Difficulty.EASY)
        work = await make.take(work, Verb.SUSPEND, MONDAY, text="等批复", until=MONDAY + timedelta(days=60))
        await make.take(work, Verb.RESUME, MONDAY + timedelta(days=1))
        return (await all_rows(tx))[0]

    cells = ledger.cells(await (await opened()).transaction(unit), 1, RULES)
    shown = dict(zip(COLUMNS, cells, strict=True))
    assert shown["ledger.due"] == "2026-03-12 17:30"
    assert shown["ledger.due_now"] == "2026-03-13 17:30"


async def test_shares_and_supervision_are_counted_and_a_slip_is_not() -> None:
    async def unit(tx: Tx) -> Entry:
        make = Maker(tx, RULES)
        who = await make_person(tx, "王敏", Role.LIAISON)
        work = await make.started(await make_enterprise(tx), MONDAY, who)
        for office in ("建设局", "供电公司"):
            work = await make.take(work, Verb.ASSIST, MONDAY, text="出意见", title="出意见", unit=office)
        work = await make.take(work, Verb.SUPERVISE, MONDAY, text="请尽快", until=MONDAY + timedelta(days=3))
        work = await make.take(work, Verb.INSTRUCT, MONDAY, text="请会商", until=MONDAY + timedelta(days=3))
        work = await make.take(work, Verb.PROGRESS, MONDAY, by=who, text="已踏勘")
        slip = Slip(Verb.PROGRESS, who, MONDAY, work.status, work.progress_at)
        work = await make.take(work, Verb.PROGRESS, MONDAY, by=who, text="发错了")
        await make.take(work, Verb.TAKE_BACK, MONDAY, by=who, slip=slip, facts={"undone": "progress"})
        return (await all_rows(tx))[0]

    cells = ledger.cells(await (await opened()).transaction(unit), 1, RULES)
    shown = dict(zip(COLUMNS, cells, strict=True))
    assert shown["ledger.co_handlers"] == "建设局、供电公司"
    assert (shown["ledger.supervisions"], shown["ledger.progress"]) == (1, "已踏勘")


async def test_the_second_sheet_adds_up() -> None:
    async def unit(tx: Tx) -> bytes:
        make, firm = Maker(tx, RULES), await make_enterprise(tx)
        who = await make_person(tx, "王敏", Role.LIAISON)
        await make.appeal(firm, MONDAY)
        await make.resolved(firm, MONDAY, who)
        await make.take(await make.resolved(firm, MONDAY, who), Verb.SATISFIED, MONDAY)
        return await build(tx, RULES, CATALOGUE, SINCE, UNTIL)

    sheet = openpyxl.load_workbook(io.BytesIO(await (await opened()).transaction(unit)))["统计"]
    shown = {row[0].value: row[1].value for row in sheet.iter_rows(min_row=2)}
    assert shown.pop("核对：受理＝以上各项之和") == "相符"
    assert shown.pop("受理") == sum(int(str(count)) for count in shown.values()) == 3
    assert (shown["已销号"], shown["待评价"], shown["在办"]) == (1, 1, 1)


async def test_what_is_owed_is_built_as_it_is_at_delivery() -> None:
    async def unit(tx: Tx) -> tuple[str, bytes]:
        wanted = ledger.period("2026-03", MONDAY, RULES.calendar)
        assert wanted is not None
        owed = document(wanted)
        await Maker(tx, RULES).appeal(await make_enterprise(tx), MONDAY)
        return await attachment(tx, RULES, CATALOGUE, owed)

    name, content = await (await opened()).transaction(unit)
    assert name == "问题台账-2026-03.xlsx"
    sheet = openpyxl.load_workbook(io.BytesIO(content))["问题台账"]
    assert sheet["A1"].value == "测试园区问题台账（2026年3月1日至2026年3月31日）"
    assert sheet["A3"].value == 1


@pytest.mark.parametrize(
    "words,since,until",
    [
        ("", "2026-03-01 00:00", "2026-04-01 00:00"),
        ("本月", "2026-03-01 00:00", "2026-04-01 00:00"),
        ("2026-12", "2026-12-01 00:00", "2027-01-01 00:00"),
        ("2026年3月", "2026-03-01 00:00", "2026-04-01 00:00"),
        ("2025", "2025-01-01 00:00", "2026-01-01 00:00"),
        ("全部", "2000-01-01 08:00", "2026-03-10 00:00"),
    ],
)
def test_a_period_is_read_as_it_is_said(words: str, since: str, until: str) -> None:
    found = ledger.period(words, MONDAY, RULES.calendar)
    assert found is not None
    assert (found.since, found.until) == (civil(since), civil(until))


@pytest.mark.parametrize("words", ["上个世纪", "2026-13", "12", "20260", "2026-3-1"])
def test_what_is_no_period_is_not_guessed(words: str) -> None:
    assert ledger.period(words, MONDAY, RULES.calendar) is None


@pytest.mark.parametrize("name,shown", [("张建国", "张**"), ("李", "李**"), (" ", None), (None, None)])
def test_a_contact_stands_in_the_ledger_by_the_first_character_only(name: str | None, shown: str | None) -> None:
    assert ledger.masked(name) == shown


def test_an_entry_fills_every_column() -> None:
    at = datetime(2026, 3, 9, tzinfo=UTC)
    entry = Entry(
        id=1,
        number="1",
        kind=Kind.APPEAL,
        status=Status.SUBMITTED,
        title="t",
        text="t",
        category="power",
        difficulty=Difficulty.NORMAL,
        source=Source.PRIVATE,
        urgent=True,
        escalated=True,
        enterprise="e",
        zone="",
        received_at=at,
        first_due=at,
        due=at,
        merged_into="2",
    )
    cells = ledger.cells(entry, 1, RULES)
    assert len(cells) == len(COLUMNS) == 37
    assert cells[-1] == (
        Said("status.submitted"),
        Said("ledger.merged_into", {"number": "2"}),
        Said("ledger.urgent"),
        Said("ledger.escalated"),
    )
