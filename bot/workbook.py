"""Reads a roster's workbook, or a folder of CSV files, as plain text within limits, and marks faults."""

from __future__ import annotations

import csv
import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
from defusedxml.ElementTree import fromstring, iterparse
from openpyxl.utils.cell import range_boundaries

from domain.errors import Refused
from domain.roster import Problem, Table
from domain.said import Said
from reports.roster import write_tables

MOST_BYTES = 20 * 1024 * 1024
MOST_UNPACKED = 64 * 1024 * 1024
MOST_PARTS = 2_000
MOST_ROWS = 20_000
MOST_COLUMNS = 60
MOST_SECONDS = 20
MOST_CELL = 2_000
MOST_MERGES = 5_000

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_OLE = b"\xd0\xcf\x11\xe0"
_PREFIXED = re.compile(r"'[=+\-@\t\r]")
_DECLARATION = re.compile(rb"<\0?!\0?(?:D\0?O\0?C\0?T\0?Y\0?P\0?E|E\0?N\0?T\0?I\0?T\0?Y)")  # in UTF-16, too
_EXACT = 10**15  # whole numbers up to here survive a spreadsheet's binary fractions

Clock = Callable[[], float]
Cells = tuple[str, ...]
Faults = dict[tuple[int, int], str]

if not openpyxl.DEFUSEDXML:  # the library falls back to the plain parser without a word
    raise ImportError("openpyxl does not find defusedxml; workbooks from outside must not be read without it")


def read(path: Path, tick: Clock) -> tuple[Table, ...]:
    """Every sheet of an xlsx file, or every CSV file of a folder, as text; formulas are never evaluated.

    `tick` tells machine time in seconds. Refused, with what to do instead, for what is too large, too slow, locked or
    no workbook at all; single bad cells come back as faults of their table.
    """
    watch = _Watch(tick)
    if path.is_dir():
        return tuple(_read_csv(file, watch) for file in sorted(path.glob("*.csv")))
    if not path.is_file():
        raise Refused("roster.no_file", {"file": path.name})
    if path.suffix.lower() == ".csv":
        return (_read_csv(path, watch),)
    return _read_xlsx(_content(path), watch)


def mark(tables: Sequence[Table], problems: Iterable[Problem], speak: Callable[[Said], str]) -> bytes:
    """The same sheets as an xlsx, every bad cell coloured and with its cause as a comment."""
    marks: dict[tuple[str, int, int], str] = {}
    for problem in problems:
        place = (problem.sheet, problem.row, problem.place)
        marks[place] = "\n".join(filter(None, (marks.get(place), speak(problem.cause))))
    return write_tables(tables, marks)


class _Watch:
    """The time that reading may take, and how much may be read: one text may stand in a million cells."""

    def __init__(self, tick: Clock) -> None:
        self._tick = tick
        self._until = tick() + MOST_SECONDS
        self._left = MOST_UNPACKED

    def took(self, texts: Iterable[str]) -> None:
        self._left -= sum(map(len, texts))
        if self._left < 0:
            raise Refused("roster.too_large", {"most": MOST_UNPACKED // 1024**2})

    def look(self) -> None:
        if self._tick() > self._until:
            raise Refused("roster.too_slow", {"most": MOST_SECONDS})


def _content(path: Path) -> bytes:
    if path.stat().st_size > MOST_BYTES:
        raise Refused("roster.too_large", {"most": MOST_BYTES // 1024**2})
    return path.read_bytes()


# xlsx -----------------------------------------------------------------------------------------------------------------
def _read_xlsx(content: bytes, watch: _Watch) -> tuple[Table, ...]:
    if content.startswith(_OLE):  # what office programs wrap an encrypted workbook in, and the old xls
        raise Refused("roster.encrypted" if b"E\0n\0c\0r\0y\0p\0t\0e\0d" in content else "roster.not_a_workbook")
    try:
        return tuple(_sheets(content, watch))
    except (Refused, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - a broken file makes openpyxl and its parsers stumble in more ways than they name
        raise Refused("roster.not_a_workbook") from None


def _sheets(content: bytes, watch: _Watch) -> Iterator[Table]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _check_size(archive)
        _check_declarations(archive, watch)
        merges = {name: _merged(archive, part, watch) for name, part in _parts(archive)}
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
    try:
        for sheet in book.worksheets:
            yield _table(sheet, merges.get(sheet.title, ()), watch)
    finally:
        book.close()


def _check_size(archive: zipfile.ZipFile) -> None:
    """A part never unpacks to more than it declares, so the declared sizes are a true limit."""
    parts = archive.infolist()
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise Refused("roster.too_large", {"most": MOST_UNPACKED // 1024**2})


def _check_declarations(archive: zipfile.ZipFile, watch: _Watch) -> None:
    """No part of a workbook declares a document type; one that does is up to something, whoever would parse it."""
    for name in archive.namelist():
        watch.look()
        if name.endswith((".xml", ".rels")) and _DECLARATION.search(archive.read(name)):
            raise Refused("roster.not_a_workbook")


def _parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """The name of each sheet and the part that holds it."""
    targets = {
        link.get("Id"): link.get("Target", "") for link in fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    }
    for sheet in fromstring(archive.read("xl/workbook.xml")).iter(f"{_MAIN}sheet"):
        target = targets.get(sheet.get(f"{_REL}id"), "")
        yield sheet.get("name", ""), posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")


def _merged(archive: zipfile.ZipFile, part: str, watch: _Watch) -> tuple[tuple[int, int, int, int], ...]:
    """The merged ranges of a sheet as (first column, first row, last column, last row)."""
    if part not in archive.namelist():
        return ()
    found: list[tuple[int, int, int, int]] = []
    with archive.open(part) as stream:
        for count, (_, element) in enumerate(iterparse(stream)):
            if count % 1000 == 0:
                watch.look()
            if element.tag == f"{_MAIN}mergeCell" and len(found) < MOST_MERGES:
                columns = range_boundaries(element.get("ref", "A1"))
                found.append(tuple(bound or 1 for bound in columns))  # type: ignore[arg-type]  # four bounds of a range
            elif element.tag == f"{_MAIN}row":
                element.clear()
    return tuple(found)


def _table(sheet: Any, merges: Iterable[tuple[int, int, int, int]], watch: _Watch) -> Table:
    """One sheet; its own claim about its size is not believed."""
    sheet.reset_dimensions()
    rows: list[tuple[int, Cells]] = []
    faults: Faults = {}
    for row, cells in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS + 1), 1):
        if row % 100 == 0:
            watch.look()
        texts = [_text(cell, (row, place), faults) for place, cell in enumerate(cells, 1)]
        _check_shape(sheet.title, row, texts)
        watch.took(texts)
        if any(texts) or any((row, place) in faults for place in range(1, len(texts) + 1)):
            rows.append((row, _trimmed(texts)))
    _mark_merges(merges, faults)
    return Table(sheet.title, tuple(rows), faults)


def _check_shape(name: str, row: int, texts: Sequence[str]) -> None:
    if row > MOST_ROWS:
        raise Refused("roster.too_many_rows", {"sheet": name, "most": MOST_ROWS})
    if any(texts[MOST_COLUMNS:]):
        raise Refused("roster.too_many_columns", {"sheet": name, "most": MOST_COLUMNS})


def _trimmed(texts: Sequence[str]) -> Cells:
    filled = [place for place, text in enumerate(texts, 1) if text]
    return tuple(texts[: filled[-1] if filled else 0])


def _mark_merges(merges: Iterable[tuple[int, int, int, int]], faults: Faults) -> None:
    """A merged range says something in its first cell only; the row below would be read as blank."""
    for left, top, right, bottom in merges:
        if (right, bottom) != (left, top):
            for row in range(top, min(bottom, top + 200) + 1):
                faults.setdefault((row, left), "roster.merged")


def _text(cell: Any, at: tuple[int, int], faults: Faults) -> str:
    """A cell as people see it, as far as that can be known without evaluating anything."""
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        faults[at] = "roster.formula"
    elif cell.data_type == "e":
        faults[at] = "roster.error_cell"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float):
        return _number(value, at, faults)
    if isinstance(value, datetime | date):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return str(value).strip()[:MOST_CELL]


def _number(value: float, at: tuple[int, int], faults: Faults) -> str:
    if abs(value) >= _EXACT:
        faults[at] = "roster.number_rounded"
    whole = isinstance(value, int) or value.is_integer()
    return str(int(value)) if whole else f"{value:.15g}"


# CSV ------------------------------------------------------------------------------------------------------------------
def _read_csv(path: Path, watch: _Watch) -> Table:
    lines = csv.reader(io.StringIO(_decoded(path), newline=""), delimiter=_delimiter(path))
    rows: list[tuple[int, Cells]] = []
    try:
        for number, line in enumerate(lines, 1):
            if number % 100 == 0:
                watch.look()
            texts = [_unprefixed(cell.strip()[:MOST_CELL]) for cell in line]
            _check_shape(path.stem, number, texts)
            if any(texts):
                rows.append((number, _trimmed(texts)))
    except csv.Error:
        raise Refused("roster.not_text", {"file": path.name}) from None
    return Table(path.stem, tuple(rows))


def _decoded(path: Path) -> str:
    """The text of a CSV file, in the encodings that office programs write."""
    content = _content(path)
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Refused("roster.not_text", {"file": path.name})


def _delimiter(path: Path) -> str:
    first = _decoded(path).partition("\n")[0]
    return "\t" if "\t" in first and "," not in first else ","


def _unprefixed(text: str) -> str:
    """Without the apostrophe that keeps a spreadsheet from taking a text for a formula."""
    return text[1:] if _PREFIXED.match(text) else text
