"""The problem ledger as a workbook: rows in, bytes out; what people wrote is always text, never a formula."""

import re
from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any, TypeAlias

Cell: TypeAlias = "str | int | None"

FONT = "宋体"
MOST_ROWS = 1_048_576  # what a sheet holds, title and header included
MOST_CHARACTERS = 32_767  # what a cell holds, in UTF-16 units
_TOP = 2  # rows above the first entry: the title and the headers
_NARROW, _WIDE, _TEXT = 10, 17, 40
_WIDTHS = {
    **dict.fromkeys((1, 2, 4, 7, 17, 18, 19, 21, 23, 28, 30), _WIDE),
    **dict.fromkeys((9, 20), _TEXT),
    **dict.fromkeys((10, 36), 24),
}
# Characters that XML cannot hold, and those that turn the reading direction round so that a text lies.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


class LedgerBook:
    """A ledger that is being written; rows go to disk as they come, so that 100,000 of them need little memory."""

    def __init__(self, title: str, sheet: str, headers: Sequence[str]) -> None:
        """`title` stands in the first row, `headers` in the second; both stay in sight while one scrolls."""
        self._file = BytesIO()
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        import xlsxwriter  # takes memory, and is seldom wanted

        self._book = xlsxwriter.Workbook(self._file, options)
        self._plain = self._book.add_format({"font_name": FONT, "font_size": 10, "valign": "top"})
        self._wrapped = self._book.add_format({"font_name": FONT, "font_size": 10, "valign": "top", "text_wrap": True})
        self._sheet = self._book.add_worksheet(sheet)
        self._next = 0
        self._head(title, headers)

    def add(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Write further rows; ValueError when the sheet is full."""
        for row in rows:
            if self._next >= MOST_ROWS:
                raise ValueError(f"a sheet holds {MOST_ROWS - _TOP} entries: choose a shorter period")
            for column, cell in enumerate(row):
                wide = _WIDTHS.get(column) == _TEXT
                _write(self._sheet, self._next, column, cell, self._wrapped if wide else self._plain)
            self._next += 1

    def finish(self, sheet: str, figures: Iterable[Sequence[Cell]]) -> bytes:
        """Add a second sheet with the figures and give the file; nothing can be added afterwards."""
        page = self._book.add_worksheet(sheet)
        page.set_column(0, 0, 24)
        for number, row in enumerate(figures):
            for column, cell in enumerate(row):
                _write(page, number, column, cell, self._plain)
        self._book.close()
        return self._file.getvalue()

    def _head(self, title: str, headers: Sequence[str]) -> None:
        large = self._book.add_format({"font_name": "黑体", "font_size": 16, "bold": True})
        bold = self._book.add_format(
            {"font_name": FONT, "font_size": 10, "bold": True, "bg_color": "#D9E1F2", "text_wrap": True}
        )
        for column in range(len(headers)):
            self._sheet.set_column(column, column, _WIDTHS.get(column, _NARROW))
        self._sheet.set_landscape()
        self._sheet.repeat_rows(1)
        self._sheet.freeze_panes(_TOP, 0)
        _write(self._sheet, 0, 0, title, large)
        for column, header in enumerate(headers):
            _write(self._sheet, 1, column, header, bold)
        self._next = _TOP


def printable(text: str) -> str:
    """The text as a cell can hold it: without control characters, not longer than a cell."""
    kept = _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    units = kept.encode("utf-16-le")
    if len(units) <= MOST_CHARACTERS * 2:
        return kept
    return units[: (MOST_CHARACTERS - 1) * 2].decode("utf-16-le", "ignore") + "…"


def _write(sheet: Any, row: int, column: int, cell: Cell, dress: Any) -> None:
    """A number of ours as a number, everything else as a string, whatever it looks like."""
    if isinstance(cell, int):
        sheet.write_number(row, column, cell, dress)
    elif cell and (text := printable(cell)):
        sheet.write_string(row, column, text, dress)
    else:
        sheet.write_blank(row, column, None, dress)
