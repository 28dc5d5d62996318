"""`lianqi calendar import`: a year's table is read, refused where it cannot be right, stored, and all counted anew."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from unicodedata import east_asian_width

from bot.app import machine_time
from bot.errands import Echo, Failed, Office, read_office
from bot.program import opened
from domain.closures import listed, stretches
from domain.holidays import YearTable
from domain.recounts import Shift
from domain.rules import Rules
from domain.said import Fact, Said
from domain.workdays import Calendar
from domain.yearly import changed, forgotten
from handlers import recounts
from storage import calendars, people
from storage.database import Tx
from storage.years import YearTableError, read_table

FARTHEST_YEARS = 2
_COLUMNS = (
    "errand.year_column_number",
    "errand.year_column_firm",
    "errand.year_column_title",
    "errand.year_column_clock",
    "errand.year_column_before",
    "errand.year_column_after",
)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What an import comes to: the calendar before, the rules after, why, and the rows of what moves."""

    before: Calendar
    rules: Rules
    why: Said
    rows: Sequence[Sequence[str]]


async def import_year(path: Path, source: Path, echo: Echo, *, dry_run: bool) -> None:
    """Import one table; with `dry_run` only show which days and which deadlines would change."""
    office = read_office(path)
    at = machine_time()
    table = _read(office, source, at)
    async with opened(office.config.storage_url) as database:
        if dry_run:
            outcome = await database.reading(lambda tx: _foresee(tx, office, source, table, at))
        else:
            outcome = await database.transaction(lambda tx: _import(tx, office, source, table, at))
    if outcome is None:
        echo(office.say("errand.year_same", {"year": table.year}))
        return
    for line in _told(office, table, outcome):
        echo(line)
    echo(office.say("errand.year_would_import" if dry_run else "errand.year_imported"))


def _read(office: Office, source: Path, at: datetime) -> YearTable:
    """The table of the file; Failed names file, key and remedy."""
    try:
        table = read_table(source)
    except YearTableError as error:
        raise _fault(office, source, error.place, error.said) from None
    year = office.rules.calendar.local(at).year
    if table.year < year:
        raise _fault(office, source, "year", Said("errand.year_over", {"year": table.year}))
    if table.year > year + FARTHEST_YEARS:
        raise _fault(office, source, "year", Said("errand.year_far", {"year": table.year}))
    if table.published and not table.holidays:
        raise _fault(office, source, "holidays", Said("errand.year_empty"))
    return table


def _fault(office: Office, source: Path, place: str, cause: Said) -> Failed:
    key: Fact = place or Said("errand.year_whole")
    return Failed(office.say("errand.year_fault", {"file": source.name, "key": key, "cause": cause}))


async def _foresee(tx: Tx, office: Office, source: Path, table: YearTable, at: datetime) -> _Outcome | None:
    """What the table would change; None where it is the one in use."""
    rules = await calendars.in_force(tx, office.rules)
    before = rules.calendar
    known = before.tables.get(table.year)
    if known == table:
        return None
    if known is not None and known.published and not table.published:
        raise _fault(office, source, "published", Said("errand.year_draft", {"year": table.year}))
    then = replace(rules, calendar=before.amended((table,), before.closures))
    moved = await recounts.foreseen(tx, then, at)
    return _Outcome(before, then, _why(known, table), await _rows(tx, office, then, moved))


async def _import(tx: Tx, office: Office, source: Path, table: YearTable, at: datetime) -> _Outcome | None:
    """Store it and count again, in one transaction; the coordinators hear what moved."""
    foreseen = await _foresee(tx, office, source, table, at)
    if foreseen is None:
        return None
    await calendars.put_year(tx, table, at)
    rules = await calendars.in_force(tx, office.rules)
    moved = await recounts.recount(tx, rules, foreseen.why, at)
    await recounts.tell_office(tx, rules, foreseen.why, moved, at)
    return replace(foreseen, rules=rules, rows=await _rows(tx, office, rules, moved))


def _why(known: YearTable | None, table: YearTable) -> Said:
    if not table.published:
        return Said("recount.drafted", {"year": table.year})
    corrected = known is not None and known.published
    return Said("recount.corrected" if corrected else "recount.published", {"year": table.year})


async def _rows(tx: Tx, office: Office, rules: Rules, moved: Sequence[Shift]) -> list[list[str]]:
    return [await _row(tx, office, rules, shift) for shift in moved]


async def _row(tx: Tx, office: Office, rules: Rules, shift: Shift) -> list[str]:
    firm = await people.enterprise(tx, shift.appeal.enterprise_id)
    clock = office.render(Said(f"clock.{shift.clock}"))
    provisional = rules.provisional(shift.after, briefly=True)
    before = office.say("errand.year_moment", {"at": shift.before, "provisional": None})
    after = office.say("errand.year_moment", {"at": shift.after, "provisional": provisional})
    return [f"#{shift.appeal.number}", firm.short_name, shift.appeal.title, clock, before, after]


def _told(office: Office, table: YearTable, outcome: _Outcome) -> Iterator[str]:
    """The outcome, line by line."""
    days = changed(outcome.before, outcome.rules.calendar, table.year)
    yield office.say("errand.year_read", {"why": outcome.why, "count": len(days.off) + len(days.worked)})
    yield from _days(office, "errand.year_off", days.off)
    yield from _days(office, "errand.year_worked", days.worked)
    yield from _days(office, "errand.year_lacks", forgotten(table) if table.published else ())
    yield office.say("errand.year_moves", {"count": len(outcome.rows)})
    if outcome.rows:
        yield from aligned([[office.say(key) for key in _COLUMNS], *outcome.rows])


def _days(office: Office, key: str, days: Sequence[date]) -> Iterator[str]:
    if days:
        yield office.say(key, {"days": listed(stretches(days))})


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as lines whose columns stand under each other on a terminal, where a Chinese character is two wide."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _width(text: str) -> int:
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)
