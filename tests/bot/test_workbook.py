"""Workbooks from outside are read as text, within limits, whatever they hold; and go back with their faults marked."""

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.workbook import Workbook

from bot import workbook
from domain.errors import Refused
from domain.roster import Problem, Table
from domain.roster_check import check
from domain.said import Said
from reports.roster import write_tables

FIRMS = [["名称", "统一社会信用代码"], ["宏达机械", "91350100M000100Y43"]]


def still() -> float:
    return 0.0


def build(path: Path, fill: Callable[[Any], None]) -> Path:
    """An xlsx with one sheet 企业, made by the library that people's programs resemble."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = "企业"
    for line in FIRMS:
        page.append(line)
    fill(page)
    book.save(path)
    return path


def rezip(path: Path, change: Callable[[str, bytes], bytes], extra: dict[str, bytes] | None = None) -> Path:
    """The same file with parts changed or added by hand."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: change(name, archive.read(name)) for name in archive.namelist()} | (extra or {})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def refusal(path: Path, tick: Callable[[], float] = still) -> str:
    with pytest.raises(Refused) as caught:
        workbook.read(path, tick)
    return caught.value.key


def test_cells_come_as_people_see_them(tmp_path: Path) -> None:
    def fill(page: Any) -> None:
        page.append([13812345678, 1.5, True, "  两边空 ", None])

    (table,) = workbook.read(build(tmp_path / "a.xlsx", fill), still)
    assert table.name == "企业"
    assert table.rows[2] == (3, ("13812345678", "1.5", "是", "两边空"))


def test_formulas_are_never_evaluated_and_told(tmp_path: Path) -> None:
    def fill(page: Any) -> None:
        page.append(["=1+1", '=HYPERLINK("http://example.test","x")'])
        page.append(["#N/A", "'=not one"])

    (table,) = workbook.read(build(tmp_path / "a.xlsx", fill), still)
    assert table.faults == {
        (3, 1): "roster.formula",
        (3, 2): "roster.formula",
        (4, 1): "roster.error_cell",
    }
    assert [(one.row, one.cause.key) for one in check([table]).errors][:2] == [
        (3, "roster.formula"),
        (3, "roster.formula"),
    ]


def test_a_code_that_was_rounded_as_a_number_is_told(tmp_path: Path) -> None:
    (table,) = workbook.read(build(tmp_path / "a.xlsx", lambda page: page.append(["甲厂", 911101085923662400])), still)
    assert [(one.row, one.cause.key) for one in check([table]).errors] == [(3, "roster.number_rounded")]


def test_merged_cells_are_told_and_a_merged_title_does_no_harm(tmp_path: Path) -> None:
    def fill(page: Any) -> None:
        page.insert_rows(1)
        page["A1"] = "企业名册"
        page.merge_cells("A1:B1")
        page.append(["甲厂", ""])
        page.merge_cells("B3:B4")

    (table,) = workbook.read(build(tmp_path / "a.xlsx", fill), still)
    told = [(one.row, one.column, one.cause.key) for one in check([table]).errors]
    assert told == [(3, "统一社会信用代码", "roster.merged"), (4, "统一社会信用代码", "roster.merged")]


def test_a_merge_over_the_whole_sheet_costs_nothing(tmp_path: Path) -> None:
    def huge(name: str, content: bytes) -> bytes:
        merge = b'<mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>'
        return content.replace(b"</sheetData>", b"</sheetData>" + merge) if "sheet1" in name else content

    path = rezip(build(tmp_path / "a.xlsx", lambda page: None), huge)
    (table,) = workbook.read(path, still)
    assert len(table.faults) <= 201


@pytest.mark.parametrize("claim", [b"A1:XFD1048576", b"A1:A1"])
def test_a_sheet_that_lies_about_its_size_is_not_believed(tmp_path: Path, claim: bytes) -> None:
    def lie(name: str, content: bytes) -> bytes:
        if "sheet1" not in name:
            return content
        claimed = re.sub(rb'<dimension ref="[^"]*" */>', b'<dimension ref="' + claim + b'"/>', content)
        assert claimed != content
        return claimed

    (table,) = workbook.read(rezip(build(tmp_path / "a.xlsx", lambda page: None), lie), still)
    assert [row for row, _ in table.rows] == [1, 2]


def test_a_row_in_the_depths_and_a_cell_far_out_are_refused(tmp_path: Path) -> None:
    def deep(page: Any) -> None:
        page.cell(row=1_048_576, column=1, value="x")

    def wide(page: Any) -> None:
        page.cell(row=1, column=61, value="x")

    assert refusal(build(tmp_path / "a.xlsx", deep)) == "roster.too_many_rows"
    assert refusal(build(tmp_path / "b.xlsx", wide)) == "roster.too_many_columns"


def test_a_zip_bomb_is_refused_before_it_unfolds(tmp_path: Path) -> None:
    bomb = {"xl/media/bomb.bin": b"\0" * (65 * 1024 * 1024)}
    path = rezip(build(tmp_path / "a.xlsx", lambda page: None), lambda _, content: content, bomb)
    assert path.stat().st_size < 1024 * 1024
    assert refusal(path) == "roster.too_large"


def test_a_file_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with path.open("wb") as out:
        out.truncate(workbook.MOST_BYTES + 1)
    assert refusal(path) == "roster.too_large"


def test_reading_stops_when_it_takes_too_long(tmp_path: Path) -> None:
    hours = iter(range(0, 100_000, 15))

    def long(page: Any) -> None:
        for _ in range(500):
            page.append(["厂", ""])

    path = build(tmp_path / "a.xlsx", long)
    assert refusal(path, lambda: float(next(hours))) == "roster.too_slow"


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/theme/theme1.xml"]
)
def test_entities_are_refused(tmp_path: Path, part: str) -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'

    def laugh(name: str, content: bytes) -> bytes:
        head, found, rest = content.partition(b"?>")
        if name != part:
            return content
        return head + found + laughs + rest if found else laughs + content

    path = tmp_path / "a.xlsx"
    path.write_bytes(write_tables([Table("企业", ((1, ("名称",)),))]))
    assert len(workbook.read(path, still)) == 1
    assert refusal(rezip(path, laugh)) == "roster.not_a_workbook"


@pytest.mark.parametrize(
    "content, key",
    [
        (b"", "roster.not_a_workbook"),
        (b"PK\x03\x04 nothing", "roster.not_a_workbook"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "roster.not_a_workbook"),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "roster.encrypted"),
        (b"name,uscc\n", "roster.not_a_workbook"),
    ],
)
def test_what_is_no_workbook_is_refused_with_a_remedy(tmp_path: Path, content: bytes, key: str) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    assert refusal(path) == key


def test_a_zip_of_something_else_and_a_torn_file_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.xlsx"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert refusal(other) == "roster.not_a_workbook"
    whole = build(tmp_path / "a.xlsx", lambda page: None).read_bytes()
    for cut in range(0, len(whole), 397):
        torn = tmp_path / "torn.xlsx"
        torn.write_bytes(whole[:cut])
        assert refusal(torn) == "roster.not_a_workbook"


def test_a_missing_file_is_told_by_name(tmp_path: Path) -> None:
    assert refusal(tmp_path / "名册.xlsx") == "roster.no_file"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_folder_of_csv_files_is_a_workbook_in_any_usual_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "企业.csv").write_text("名称,统一社会信用代码\n㐂镕机械,91350100M000100Y43\n", encoding=encoding)
    (tmp_path / "people.csv").write_text("姓名,角色,企业\n张建国,企业联系人,㐂镕机械\n", encoding=encoding)
    checked = check(workbook.read(tmp_path, still))
    assert not checked.errors
    assert checked.roster.enterprises[0].name == "㐂镕机械"


def test_csv_with_quotes_line_breaks_tabs_and_guarding_apostrophes_is_read(tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_text(
        'channel\tchat_id\tpurpose\ntelegram\t\'-1001234567890\t"联企\n群"\n', encoding="utf-8"
    )
    (table,) = workbook.read(tmp_path, still)
    assert table.rows[1] == (2, ("telegram", "-1001234567890", "联企\n群"))


@pytest.mark.parametrize("content", [b"\xff\xd8\xff\xe0\0\x10JFIF\0\x81", b"name\0,x\n", b"\x80\x81\xff\xff,\n"])
def test_a_csv_that_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "企业.csv").write_bytes(content)
    assert refusal(tmp_path) == "roster.not_text"


def test_the_marked_workbook_has_coloured_cells_with_the_cause_as_comment() -> None:
    tables = [Table("企业", ((1, ("名称",)), (2, ("=1+1",)))), Table("说/明*", ((1, ("x",)),)), Table("说/明*", ())]
    problems = [
        Problem("企业", 2, "名称", Said("roster.formula"), 1),
        Problem("企业", 2, "片区", Said("roster.missing"), 2),
    ]
    marked = openpyxl.load_workbook(io.BytesIO(workbook.mark(tables, problems, lambda said: said.key)))
    page = marked["企业"]
    assert page["A2"].value == "=1+1"
    assert page["A2"].data_type == "s"
    assert page["A2"].comment is not None
    assert "roster.formula" in str(page["A2"].comment.text)
    assert page["B2"].comment is not None
    assert page["A2"].fill.fgColor.rgb == "FFFFC7CE"
    assert page["A1"].comment is None
    assert marked.sheetnames == ["企业", "说_明_", "说_明_-3"]


PAYLOADS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    '=HYPERLINK("http://x")',
    "http://example.test",
    "mailto:a@b",
    "{=A1}",
    "\t=1",
    "'=1",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_written_is_a_formula_or_a_link(payload: str) -> None:
    written = openpyxl.load_workbook(io.BytesIO(write_tables([Table("a", ((1, (payload,)),))])))
    cell = written["a"]["A1"]
    assert (cell.data_type, cell.hyperlink, cell.value) == ("s", None, payload)
