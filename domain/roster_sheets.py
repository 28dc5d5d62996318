"""From sheets to lines: which sheet it is, where its header stands, what each row says or why it cannot be read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.roster import (
    COLUMNS,
    SHEET_WORDS,
    Column,
    DepartmentEntry,
    EnterpriseEntry,
    Entry,
    GroupEntry,
    PersonEntry,
    Problem,
    Sheet,
    Table,
)
from domain.roster_cells import READERS, Misread, check_chat_id, fold, plain
from domain.said import Said

HEADER_WITHIN = 10
"""Rows from the top among which the header is looked for; a title may stand above it."""

_SHEETS = {fold(word): sheet for sheet, zh in SHEET_WORDS.items() for word in (zh, sheet.value)}
_IGNORED = frozenset({"序号", "编号", "备注", "说明", "no", "no.", "#", "note", "notes", "remark", "remarks"})
_NOTE = re.compile(r"[(].*?[)]")
_FIELDS = {(Sheet.PEOPLE, "enterprise"): "enterprises"}


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a sheet: at which place each column stands, under which words."""

    row: int
    places: Mapping[str, int]
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """One row that could be read, and where it stood."""

    sheet: Sheet
    table: str
    row: int
    header: Header
    entry: Entry

    def problem(self, column: str, cause: Said, *, warning: bool = False) -> Problem:
        """Something wrong in this row under that column."""
        place = self.header.places.get(column, 1)
        return Problem(self.table, self.row, self.header.words.get(column, column), cause, place, warning)


@dataclass(slots=True)
class Reading:
    """What has been read so far of a whole workbook; `broken` are the good cells of rows that have bad ones."""

    lines: list[Line] = field(default_factory=list)
    broken: list[tuple[Sheet, Mapping[str, Any]]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    sheets: set[Sheet] = field(default_factory=set)


def read(tables: Sequence[Table]) -> Reading:
    """All lines of all sheets with everything that is wrong in single cells."""
    reading = Reading()
    for table in tables:
        sheet = _SHEETS.get(fold(table.name))
        if sheet is None:
            _pass_over(table, reading)
        elif sheet in reading.sheets:
            reading.problems.append(Problem(table.name, 1, "", Said("roster.sheet_twice")))
        else:
            reading.sheets.add(sheet)
            _read_sheet(sheet, table, reading)
    if not reading.sheets:
        known = "、".join(SHEET_WORDS.values())
        reading.problems.append(Problem("", 1, "", Said("roster.no_sheet", {"known": known})))
    return reading


def _pass_over(table: Table, reading: Reading) -> None:
    if any(any(cells) for _, cells in table.rows):
        reading.problems.append(Problem(table.name, 1, "", Said("roster.unknown_sheet"), warning=True))


def _read_sheet(sheet: Sheet, table: Table, reading: Reading) -> None:
    header = _find_header(sheet, table, reading)
    if header is None:
        return
    readable = all(column.name in header.places for column in COLUMNS[sheet] if column.required)
    for row, cells in table.rows:
        if row > header.row and any(cell.strip() for cell in cells):
            _read_strays(table, row, cells, header, reading)
            line = _read_row(sheet, table, (row, cells), header, reading)
            if line is not None and readable:
                reading.lines.append(line)


# The header -----------------------------------------------------------------------------------------------------------
def _column(sheet: Sheet, word: str) -> Column | None:
    name = _NOTE.sub("", fold(word)).strip("*:")
    for column in COLUMNS[sheet]:
        if name in (fold(spelling) for spelling in (column.name, column.zh, *column.also)):
            return column
    return None


def _find_header(sheet: Sheet, table: Table, reading: Reading) -> Header | None:
    """The row among the first that names most columns; the first row that says anything where none names two."""
    filled = [(row, cells) for row, cells in table.rows if any(cell.strip() for cell in cells)][:HEADER_WITHIN]
    if not filled:
        reading.problems.append(Problem(table.name, 1, "", Said("roster.empty_sheet"), warning=True))
        return None
    named = [sum(_column(sheet, cell) is not None for cell in cells) for _, cells in filled]
    best = named.index(max(named)) if max(named) > 1 else 0
    return _read_header(sheet, table, *filled[best], reading)


def _read_header(sheet: Sheet, table: Table, row: int, cells: Sequence[str], reading: Reading) -> Header:
    places: dict[str, int] = {}
    words: dict[str, str] = {}
    for place, word in enumerate((cell.strip() for cell in cells), 1):
        cause = _header_fault(sheet, table, (row, place), word, places)
        if cause is not None:
            reading.problems.append(Problem(table.name, row, word, cause, place))
        elif (column := _column(sheet, word)) is not None:
            places[column.name], words[column.name] = place, word
    for column in COLUMNS[sheet]:
        if column.required and column.name not in places:
            cause = Said("roster.missing_column", {"column": f"{column.zh} {column.name}"})
            reading.problems.append(Problem(table.name, row, column.zh, cause))
    return Header(row, places, words)


def _header_fault(sheet: Sheet, table: Table, at: tuple[int, int], word: str, places: Mapping[str, int]) -> Said | None:
    if at in table.faults:
        return Said(table.faults[at])
    column = _column(sheet, word)
    if column is None:
        known = "、".join(column.zh for column in COLUMNS[sheet])
        unknown = bool(word) and fold(word) not in _IGNORED
        return Said("roster.unknown_header", {"known": known}) if unknown else None
    return Said("roster.header_twice") if column.name in places else None


# The rows -------------------------------------------------------------------------------------------------------------
def _read_strays(table: Table, row: int, cells: Sequence[str], header: Header, reading: Reading) -> None:
    """A value under no header would be lost, so it is told; columns of notes have a header of their own."""
    headed = next((cells for number, cells in table.rows if number == header.row), ())
    for place, cell in enumerate(cells, 1):
        bare = place > len(headed) or not headed[place - 1].strip()
        if cell.strip() and bare:
            reading.problems.append(Problem(table.name, row, "", Said("roster.no_header"), place))


def _read_row(
    sheet: Sheet, table: Table, line: tuple[int, Sequence[str]], header: Header, reading: Reading
) -> Line | None:
    """The line, or None when a cell of it could not be read; every bad cell is told."""
    row, cells = line
    found: dict[str, Any] = {}
    before = len(reading.problems)
    for column in COLUMNS[sheet]:
        place = header.places.get(column.name)
        if place is None:
            continue
        text = cells[place - 1] if place <= len(cells) else ""
        try:
            found[_FIELDS.get((sheet, column.name), column.name)] = _read_cell(sheet, table, column, (row, place), text)
        except Misread as wrong:
            word = header.words[column.name]
            reading.problems.append(Problem(table.name, row, word, wrong.said, place))
    if sheet is Sheet.GROUPS:
        _read_chat_id(table, row, found, header, reading)
    complete = all(column.name in found for column in COLUMNS[sheet] if column.required)
    if len(reading.problems) > before or not complete:
        reading.broken.append((sheet, found))
        return None
    return Line(sheet, table.name, row, header, _entry(sheet, found))


def _read_cell(sheet: Sheet, table: Table, column: Column, at: tuple[int, int], text: str) -> Any:
    if at in table.faults:
        raise Misread(Said(table.faults[at]))
    if column.required and not text.strip():
        raise Misread(Said("roster.missing"))
    return READERS.get((sheet, column.name), plain)(text)


def _read_chat_id(table: Table, row: int, found: Mapping[str, Any], header: Header, reading: Reading) -> None:
    if not {"channel", "chat_id"} <= found.keys():
        return
    try:
        check_chat_id(found["channel"], found["chat_id"])
    except Misread as wrong:
        place, word = header.places["chat_id"], header.words["chat_id"]
        reading.problems.append(Problem(table.name, row, word, wrong.said, place))


_ENTRIES = {
    Sheet.ENTERPRISES: EnterpriseEntry,
    Sheet.PEOPLE: PersonEntry,
    Sheet.DEPARTMENTS: DepartmentEntry,
    Sheet.GROUPS: GroupEntry,
}


def _entry(sheet: Sheet, found: Mapping[str, Any]) -> Entry:
    made: Entry = _ENTRIES[sheet](**found)
    return made
