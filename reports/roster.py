"""Writes a roster as an xlsx workbook: text cells only, so that nothing in it can ever be a formula or a link."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from domain.people import Purpose, Role
from domain.roster import COLUMNS, SHEET_WORDS, Column, Entry, Roster, Sheet, Table
from domain.roster_cells import PURPOSE_WORDS, ROLE_WORDS

_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_WIDTH = 20
_MOST_COMMENT = 2_000
_FIELDS = {(Sheet.PEOPLE, "enterprise"): "enterprises"}
_LANGUAGES = {"zh": "中文", "en": "英文"}


def tables_of(roster: Roster, language: str = "zh") -> tuple[Table, ...]:
    """The roster as the four sheets of its workbook, with headers in the park's language."""
    entries: Mapping[Sheet, Sequence[Entry]] = {
        Sheet.ENTERPRISES: roster.enterprises,
        Sheet.PEOPLE: roster.people,
        Sheet.DEPARTMENTS: roster.departments,
        Sheet.GROUPS: roster.groups,
    }
    return tuple(_table(sheet, entries[sheet], language) for sheet in Sheet)


def write_roster(roster: Roster, language: str = "zh") -> bytes:
    """The workbook of `lianqi export roster`; imported again it changes nothing."""
    return write_tables(tables_of(roster, language))


def write_tables(tables: Sequence[Table], marks: Mapping[tuple[str, int, int], str] | None = None) -> bytes:
    """Sheets as an xlsx. `marks` are remarks by (sheet, row from 1, column from 1): such cells are coloured."""
    import xlsxwriter  # takes memory, and is seldom wanted

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        text = book.add_format({"num_format": "@"})
        bad = book.add_format({"num_format": "@", "bg_color": "#FFC7CE", "font_color": "#9C0006"})
        for table, name in zip(tables, _sheet_names(tables), strict=True):
            _write_table(book.add_worksheet(name), table, marks or {}, text, bad)
    return out.getvalue()


def _sheet_names(tables: Sequence[Table]) -> list[str]:
    """Names that a workbook takes: 31 characters, some not allowed, none twice."""
    names: list[str] = []
    for number, table in enumerate(tables, 1):
        name = _NOT_IN_NAMES.sub("_", table.name)[:31].strip("' ") or str(number)
        taken = name.casefold() in (other.casefold() for other in names)
        names.append(f"{name[:27]}-{number}" if taken else name)
    return names


def _table(sheet: Sheet, entries: Sequence[Entry], language: str) -> Table:
    columns = COLUMNS[sheet]
    header = tuple(column.zh if language == "zh" else column.name for column in columns)
    rows = [tuple(_cell(sheet, column, entry, language) for column in columns) for entry in entries]
    name = SHEET_WORDS[sheet] if language == "zh" else sheet.value
    return Table(name, tuple(enumerate([header, *rows], 1)))


def _cell(sheet: Sheet, column: Column, entry: Entry, language: str) -> str:
    value = getattr(entry, _FIELDS.get((sheet, column.name), column.name))
    if isinstance(value, bool):
        return ("是" if value else "否") if language == "zh" else ("yes" if value else "no")
    if isinstance(value, tuple):
        return "；".join(_word(item, language) for item in value)
    if column.name == "language" and language == "zh":
        return _LANGUAGES.get(str(value), "")
    return _word(value or "", language)


def _word(item: str, language: str) -> str:
    """A role or purpose in the park's language; anything else as it is."""
    if language == "zh" and isinstance(item, Role | Purpose):
        words: Mapping[str, Role | Purpose] = ROLE_WORDS if isinstance(item, Role) else PURPOSE_WORDS
        return next(word for word, meant in words.items() if meant is item and not word.isascii())
    return str(item)


def _write_table(page: Any, table: Table, marks: Mapping[tuple[str, int, int], str], text: Any, bad: Any) -> None:
    cells = {(row, place): cell for row, line in table.rows for place, cell in enumerate(line, 1)}
    remarks = {(row, place): remark for (name, row, place), remark in marks.items() if name == table.name}
    width = max((place for _, place in (*cells, *remarks)), default=1)
    page.set_column(0, width - 1, _WIDTH, text)
    if table.rows:
        page.freeze_panes(table.rows[0][0], 0)
    for row, place in sorted(cells.keys() | remarks.keys()):
        remark = remarks.get((row, place))
        page.write_string(row - 1, place - 1, cells.get((row, place), ""), bad if remark else text)
        if remark:
            page.write_comment(row - 1, place - 1, remark[:_MOST_COMMENT], {"x_scale": 2.5, "y_scale": 1.5})
