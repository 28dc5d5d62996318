"""A roster's workbook is checked as a whole: every bad cell is named with sheet, row, column and cause."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.people import Purpose, Role
from domain.roster import EMPTY, Checked, EnterpriseEntry, PersonEntry, Roster, Sheet, Table
from domain.roster_check import check

CODE = "91350100M000100Y43"
FIRMS = [
    ["名称", "简称", "统一社会信用代码", "片区", "标签", "挂钩干部", "备岗", "首席服务官"],
    ["宏达机械有限公司", "宏达机械", CODE, "大树营", "出口；重点", "王敏", "李强", "郑为民"],
    ["和顺物流有限公司", "", "", "大树营", "", "", "", ""],
]
PEOPLE = [
    ["姓名", "角色", "部门", "企业", "电话", "telegram_id", "wecom_userid", "语言", "备岗"],
    ["王敏", "挂钩干部", "", "", "13812345678", "100001", "wangmin", "中文", "李强"],
    ["李强", "挂钩干部;经办人", "供电", "", "0731-82345678", "", "", "", ""],
    ["郑为民", "首席服务官", "", "", "", "", "", "", ""],
    ["张建国", "企业联系人", "", "宏达机械", "+86 139 1234 5678", "", "", "en", ""],
    ["宋卫东", "部门负责人", "县供电公司", "", "13812345679", "", "", "", ""],
]
UNITS = [["代码", "名称", "经办人", "负责人", "外部单位"], ["供电", "县供电公司", "李强", "宋卫东", "是"]]
GROUPS = [
    ["渠道", "chat_id", "名称", "用途", "企业", "片区"],
    ["telegram", "-1001234567890", "大树营联企群", "联企群", "宏达机械;和顺物流有限公司", "大树营"],
    ["企业微信", "wrABC", "协调群", "coordination", "", ""],
]
Cells = list[list[str]]


def table(name: str, cells: Cells, **more: object) -> Table:
    return Table(name, tuple((row, tuple(line)) for row, line in enumerate(cells, 1)), **more)  # type: ignore[arg-type]  # faults only


def workbook(**sheets: Cells) -> list[Table]:
    """The good workbook, with whole sheets replaced by their Chinese or English name."""
    good = {"企业": FIRMS, "人员": PEOPLE, "部门": UNITS, "群": GROUPS}
    return [table(name, cells) for name, cells in {**good, **sheets}.items()]


def with_cell(cells: Cells, row: int, place: int, text: str) -> Cells:
    """The same sheet with one cell changed; row and place from 1."""
    return [
        [text if (r, p) == (row, place) else cell for p, cell in enumerate(line, 1)] for r, line in enumerate(cells, 1)
    ]


def told(checked: Checked) -> list[tuple[str, int, str, str]]:
    return [(one.sheet, one.row, one.column, one.cause.key) for one in checked.errors]


def test_a_good_workbook_is_read_whole() -> None:
    checked = check(workbook())
    assert told(checked) == []
    roster = checked.roster
    assert roster.enterprises[0] == EnterpriseEntry(
        name="宏达机械有限公司",
        short_name="宏达机械",
        uscc=CODE,
        zone="大树营",
        tags=("出口", "重点"),
        liaison="王敏",
        deputy="李强",
        chief="郑为民",
    )
    assert roster.people[1].roles == (Role.LIAISON, Role.HANDLER)
    assert roster.people[1].department == "县供电公司"
    assert roster.people[3].enterprises == ("宏达机械有限公司",)
    assert roster.people[3].phone == "13912345678"
    assert roster.departments[0].external is True
    assert roster.groups[0].enterprises == ("宏达机械有限公司", "和顺物流有限公司")
    assert (roster.groups[1].channel, roster.groups[1].purpose) == ("wecom_aibot", Purpose.COORDINATION)


def test_an_empty_code_or_phone_is_a_warning_only() -> None:
    checked = check(workbook())
    assert {(one.sheet, one.row, one.cause.key) for one in checked.problems} == {
        ("企业", 3, "roster.uscc_empty"),
        ("人员", 4, "roster.phone_empty"),
    }
    assert checked.errors == ()


def test_english_sheets_and_headers_say_the_same() -> None:
    firms = [["name", "short_name", "USCC"], ["Hongda Ltd", "Hongda", CODE]]
    people = [["name", "roles", "enterprise", "phone"], ["Zhang", "contact", "Hongda", "13812345678"]]
    checked = check([table("Enterprises", firms), table("people", people)])
    assert told(checked) == []
    assert checked.roster.people[0].enterprises == ("Hongda Ltd",)
    assert checked.roster.sheets == {Sheet.ENTERPRISES, Sheet.PEOPLE}


def test_a_title_above_the_header_and_columns_of_notes_do_no_harm() -> None:
    firms = [["某园区企业名册"], [""], ["序号", "企业名称*", "信用代码（18位）", "备注"], ["1", "宏达", CODE, "好"]]
    checked = check([table("企业", firms)])
    assert told(checked) == []
    assert checked.roster.enterprises[0].uscc == CODE


def test_a_column_that_is_absent_is_left_unsaid_and_a_blank_cell_is_said_blank() -> None:
    firms = check([table("企业", [["名称", "片区"], ["宏达", ""]])]).roster.enterprises
    assert firms == (EnterpriseEntry("宏达", zone=""),)


BROKEN: list[tuple[str, str, Cells, tuple[str, int, str, str]]] = [
    ("a code of 17", "企业", with_cell(FIRMS, 2, 3, CODE[:-1]), ("企业", 2, "统一社会信用代码", "roster.uscc_length")),
    (
        "an O for a 0",
        "企业",
        with_cell(FIRMS, 2, 3, "9135O100M000100Y43"),
        ("企业", 2, "统一社会信用代码", "roster.uscc_alphabet"),
    ),
    (
        "two digits swapped",
        "企业",
        with_cell(FIRMS, 2, 3, "91530100M000100Y43"),
        ("企业", 2, "统一社会信用代码", "roster.uscc_check"),
    ),
    ("a code twice", "企业", with_cell(FIRMS, 3, 3, CODE), ("企业", 3, "统一社会信用代码", "roster.uscc_twice")),
    ("a firm twice", "企业", [*FIRMS, FIRMS[1][:2] + [""] * 6], ("企业", 4, "名称", "roster.twice")),
    ("a firm without name", "企业", with_cell(FIRMS, 3, 1, " "), ("企业", 3, "名称", "roster.missing")),
    ("an unknown liaison", "企业", with_cell(FIRMS, 3, 6, "王明"), ("企业", 3, "挂钩干部", "roster.unknown_person")),
    (
        "a liaison without the role",
        "企业",
        with_cell(FIRMS, 3, 6, "郑为民"),
        ("企业", 3, "挂钩干部", "roster.lacks_role"),
    ),
    ("a contact as deputy", "企业", with_cell(FIRMS, 3, 7, "张建国"), ("企业", 3, "备岗", "roster.lacks_role")),
    ("a liaison as chief", "企业", with_cell(FIRMS, 3, 8, "王敏"), ("企业", 3, "首席服务官", "roster.lacks_role")),
    ("his own deputy", "企业", with_cell(FIRMS, 2, 7, "王敏"), ("企业", 2, "备岗", "roster.own_deputy")),
    ("an unknown header", "企业", with_cell(FIRMS, 1, 4, "地址"), ("企业", 1, "地址", "roster.unknown_header")),
    ("a header twice", "企业", with_cell(FIRMS, 1, 4, "简称"), ("企业", 1, "简称", "roster.header_twice")),
    ("no header for a value", "企业", [FIRMS[0], [*FIRMS[1], "多出"], FIRMS[2]], ("企业", 2, "", "roster.no_header")),
    ("a name too long", "企业", with_cell(FIRMS, 3, 2, "长" * 101), ("企业", 3, "简称", "roster.too_long")),
    ("an unknown role", "人员", with_cell(PEOPLE, 2, 2, "挂钩干部；书记"), ("人员", 2, "角色", "roster.unknown_role")),
    ("no role", "人员", with_cell(PEOPLE, 6, 2, ""), ("人员", 6, "角色", "roster.missing")),
    ("a phone too short", "人员", with_cell(PEOPLE, 2, 5, "1381234567"), ("人员", 2, "电话", "roster.phone")),
    ("words for a phone", "人员", with_cell(PEOPLE, 2, 5, "找办公室"), ("人员", 2, "电话", "roster.phone")),
    (
        "a user name for an id",
        "人员",
        with_cell(PEOPLE, 2, 6, "@wangmin"),
        ("人员", 2, "telegram_id", "roster.telegram_id"),
    ),
    (
        "an account of two",
        "人员",
        with_cell(PEOPLE, 3, 6, "100001"),
        ("人员", 3, "telegram_id", "roster.account_twice"),
    ),
    (
        "a wecom id with spaces",
        "人员",
        with_cell(PEOPLE, 2, 7, "wang min"),
        ("人员", 2, "wecom_userid", "roster.wecom_userid"),
    ),
    ("an unknown language", "人员", with_cell(PEOPLE, 2, 8, "法语"), ("人员", 2, "语言", "roster.language")),
    ("two of one name", "人员", with_cell(PEOPLE, 4, 1, "宋卫东"), ("人员", 6, "姓名", "roster.person_twice")),
    ("an unknown firm", "人员", with_cell(PEOPLE, 5, 4, "宏大机械"), ("人员", 5, "企业", "roster.unknown_enterprise")),
    ("a contact of nobody", "人员", with_cell(PEOPLE, 5, 4, ""), ("人员", 5, "企业", "roster.contact_without_firm")),
    (
        "a firm but no contact",
        "人员",
        with_cell(PEOPLE, 3, 4, "宏达机械"),
        ("人员", 3, "角色", "roster.firm_without_contact"),
    ),
    (
        "an unknown department",
        "人员",
        with_cell(PEOPLE, 3, 3, "水利局"),
        ("人员", 3, "部门", "roster.unknown_department"),
    ),
    ("a deputy for himself", "人员", with_cell(PEOPLE, 2, 9, "王敏"), ("人员", 2, "备岗", "roster.own_deputy")),
    ("a department without code", "部门", with_cell(UNITS, 2, 1, ""), ("部门", 2, "代码", "roster.missing")),
    ("a head who heads nothing", "部门", with_cell(UNITS, 2, 4, "王敏"), ("部门", 2, "负责人", "roster.lacks_role")),
    ("an unknown duty officer", "部门", with_cell(UNITS, 2, 3, "李弱"), ("部门", 2, "经办人", "roster.unknown_person")),
    ("neither yes nor no", "部门", with_cell(UNITS, 2, 5, "大概"), ("部门", 2, "外部单位", "roster.yes_or_no")),
    ("a department twice", "部门", [*UNITS, ["供电", "电力", "", "", ""]], ("部门", 3, "代码", "roster.twice")),
    ("an unknown channel", "群", with_cell(GROUPS, 2, 1, "飞鸽"), ("群", 2, "渠道", "roster.channel")),
    (
        "a person's id for a group",
        "群",
        with_cell(GROUPS, 2, 2, "1001234567"),
        ("群", 2, "chat_id", "roster.telegram_group"),
    ),
    ("an unknown purpose", "群", with_cell(GROUPS, 2, 4, "聊天"), ("群", 2, "用途", "roster.purpose")),
    (
        "a group of an unknown firm",
        "群",
        with_cell(GROUPS, 2, 5, "某公司"),
        ("群", 2, "企业", "roster.unknown_enterprise"),
    ),
    ("a group twice", "群", [*GROUPS, GROUPS[1]], ("群", 4, "chat_id", "roster.twice")),
    ("no header at all", "群", GROUPS[1:], ("群", 1, "渠道", "roster.missing_column")),
]


@pytest.mark.parametrize("name, sheet, cells, problem", BROKEN, ids=[broken[0] for broken in BROKEN])
def test_a_broken_roster_is_told_by_sheet_row_column_and_cause(
    name: str, sheet: str, cells: Cells, problem: tuple[str, int, str, str]
) -> None:
    assert problem in told(check(workbook(**{sheet: cells})))


def test_one_bad_cell_is_told_once_and_breaks_no_other_row() -> None:
    bad = with_cell(PEOPLE, 2, 5, "123")
    assert told(check(workbook(人员=bad))) == [("人员", 2, "电话", "roster.phone")]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    firms = with_cell(with_cell(FIRMS, 2, 3, "123"), 3, 6, "王明")
    people = with_cell(with_cell(PEOPLE, 2, 5, "123"), 5, 4, "无此企业")
    keys = [key for *_, key in told(check(workbook(企业=firms, 人员=people)))]
    assert keys == ["roster.uscc_length", "roster.unknown_person", "roster.phone", "roster.unknown_enterprise"]


def test_a_fault_of_the_file_is_told_where_it_stands_and_elsewhere_does_no_harm() -> None:
    firms = table("企业", FIRMS, faults={(2, 4): "roster.formula", (99, 1): "roster.merged"})
    checked = check([firms, *workbook()[1:]])
    assert told(checked) == [("企业", 2, "片区", "roster.formula")]


def test_a_short_name_of_two_firms_names_neither() -> None:
    firms = with_cell(with_cell(FIRMS, 3, 2, "宏达机械"), 3, 3, "")
    assert ("人员", 5, "企业", "roster.ambiguous_enterprise") in told(check(workbook(企业=firms)))


def test_sheets_that_do_not_belong_are_told_and_none_at_all_is_an_error() -> None:
    unknown = check([*workbook(), table("说明", [["随便"]])])
    assert unknown.problems[-1].cause.key == "roster.unknown_sheet"
    assert unknown.errors == ()
    assert told(check([table("说明", [["随便"]])])) == [("", 1, "", "roster.no_sheet")]
    assert "roster.sheet_twice" in [key for *_, key in told(check([*workbook(), table("enterprises", FIRMS)]))]


def test_a_sheet_may_name_whom_the_house_knows_already() -> None:
    known = Roster(
        enterprises=(EnterpriseEntry("宏达机械有限公司", "宏达机械"),), people=(PersonEntry("王敏", (Role.LIAISON,)),)
    )
    firms = table("企业", [["名称", "挂钩干部"], ["新厂", "王敏"]])
    assert told(check([firms], known)) == []
    assert [key for *_, key in told(check([firms], EMPTY))] == ["roster.unknown_person"]


@given(
    st.lists(st.lists(st.text(max_size=12), max_size=8), max_size=8),
    st.sampled_from(["企业", "人员", "部门", "群", "x"]),
)
def test_no_sheet_whatever_makes_the_check_stumble(cells: Cells, name: str) -> None:
    checked = check([table(name, cells)])
    assert all(one.sheet in (name, "") and one.row >= 1 for one in checked.problems)


@given(st.sampled_from(["企业", "人员", "部门", "群"]), st.integers(2, 4), st.integers(1, 9), st.text(max_size=20))
def test_any_single_cell_may_hold_anything(sheet: str, row: int, place: int, text: str) -> None:
    good = {"企业": FIRMS, "人员": PEOPLE, "部门": UNITS, "群": GROUPS}[sheet]
    checked = check(workbook(**{sheet: with_cell(good, row, place, text)}))
    assert replace(checked.roster, sheets=frozenset()) is not None
