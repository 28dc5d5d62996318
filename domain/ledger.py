"""The problem ledger 问题台账: its columns in the order that parks use, and what stands in each of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias

from domain.appeal import Satisfaction, Solution, Source, Status
from domain.rules import Difficulty, Kind, Rules
from domain.said import Said
from domain.workdays import Calendar

Cell: TypeAlias = "str | int | Said | tuple[Said, ...] | None"

COLUMNS = (
    "ledger.ordinal",
    "ledger.number",
    "ledger.received",
    "ledger.source",
    "ledger.enterprise",
    "ledger.zone",
    "ledger.contact",
    "ledger.category",
    "ledger.kind",
    "ledger.problem",
    "ledger.request",
    "ledger.difficulty",
    "ledger.department",
    "ledger.handler",
    "ledger.co_handlers",
    "ledger.liaison",
    "ledger.chief",
    "ledger.due",
    "ledger.due_now",
    "ledger.acknowledged",
    "ledger.progress",
    "ledger.progressed",
    "ledger.meetings",
    "ledger.resolved",
    "ledger.resolution",
    "ledger.on_time",
    "ledger.satisfaction",
    "ledger.solution",
    "ledger.followed_up",
    "ledger.closed",
    "ledger.closed_at",
    "ledger.reminders",
    "ledger.supervisions",
    "ledger.returns",
    "ledger.reworks",
    "ledger.common",
    "ledger.remarks",
)
"""Text keys of the headers, in the order of the sheet."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One appeal as the ledger needs it; sealed ones never become an Entry. Times are UTC.

    `first_due` is the date that category and difficulty gave, `due` the one in force.
    """

    id: int
    number: str
    kind: Kind
    status: Status
    title: str
    text: str
    category: str
    difficulty: Difficulty
    source: Source
    urgent: bool
    escalated: bool
    enterprise: str
    zone: str
    received_at: datetime
    first_due: datetime
    due: datetime
    contact: str | None = None
    department: str | None = None
    handler: str | None = None
    co_handlers: tuple[str, ...] = ()
    liaison: str | None = None
    chief: str | None = None
    acknowledged_at: datetime | None = None
    progress: str = ""
    progressed_at: datetime | None = None
    meetings: int = 0
    resolved_at: datetime | None = None
    resolution: str | None = None
    on_time: bool | None = None
    satisfaction: Satisfaction | None = None
    solution: Solution | None = None
    followed_up_at: datetime | None = None
    followed_up_by: str | None = None
    settled_at: datetime | None = None
    merged_into: str | None = None
    reminders: int = 0
    supervisions: int = 0
    returns: int = 0
    reworks: int = 0
    common: bool = False


def cells(entry: Entry, ordinal: int, rules: Rules) -> tuple[Cell, ...]:
    """The cells of one row, one for each of COLUMNS; dates as civil text, words still to be said."""
    return (*_intake(entry, ordinal, rules), *_work(entry, rules.calendar), *_outcome(entry, rules.calendar))


def _intake(entry: Entry, ordinal: int, rules: Rules) -> tuple[Cell, ...]:
    return (
        ordinal,
        paper_number(entry.number, entry.received_at, rules.calendar),
        _civil(entry.received_at, rules.calendar),
        Said(f"source.{entry.source}"),
        entry.enterprise,
        entry.zone,
        masked(entry.contact),
        rules.category(entry.category).name,
        Said(f"kind.{entry.kind}"),
        entry.text or entry.title,
        entry.title,
        Said(f"difficulty.{entry.difficulty}"),
    )


def _work(entry: Entry, calendar: Calendar) -> tuple[Cell, ...]:
    extended = entry.due > entry.first_due  # the date of a rework lies earlier and is no extension
    return (
        entry.department,
        entry.handler,
        "、".join(entry.co_handlers),
        entry.liaison,
        entry.chief,
        _civil(entry.first_due, calendar),
        _civil(entry.due, calendar) if extended else None,
        _civil(entry.acknowledged_at, calendar),
        entry.progress,
        _civil(entry.progressed_at, calendar),
        entry.meetings,
    )


_RESOLUTIONS: Mapping[str, str] = {
    "resolved": "ledger.by_solution",
    "explained": "ledger.by_explanation",
}


def _outcome(entry: Entry, calendar: Calendar) -> tuple[Cell, ...]:
    declined, closed = entry.status is Status.DECLINED, entry.status is Status.CLOSED
    return (
        _civil(entry.settled_at if declined else entry.resolved_at, calendar),
        _resolution(entry),
        _yes_or_no(entry.on_time) if entry.resolved_at else None,
        Said(f"satisfaction.{entry.satisfaction}") if entry.satisfaction else None,
        Said(f"solution.{entry.solution}") if entry.solution else None,
        _followed_up(entry, calendar),
        _yes_or_no(closed),
        _civil(entry.settled_at, calendar) if closed else None,
        entry.reminders,
        entry.supervisions,
        entry.returns,
        entry.reworks,
        _yes_or_no(entry.common),
        _remarks(entry),
    )


def _resolution(entry: Entry) -> Said | None:
    if entry.status is Status.DECLINED:
        return Said(f"status.{entry.status}")
    key = _RESOLUTIONS.get(entry.resolution or "") if entry.resolved_at else None
    return Said(key) if key else None


def _followed_up(entry: Entry, calendar: Calendar) -> str | None:
    if entry.followed_up_at is None:
        return None
    return f"{_civil(entry.followed_up_at, calendar)} {entry.followed_up_by or ''}".rstrip()


def _remarks(entry: Entry) -> tuple[Said, ...]:
    """The status in words, and what no other column says."""
    found = [Said(f"status.{entry.status}")]
    if entry.merged_into:
        found.append(Said("ledger.merged_into", {"number": entry.merged_into}))
    if entry.urgent:
        found.append(Said("ledger.urgent"))
    if entry.escalated:
        found.append(Said("ledger.escalated"))
    return tuple(found)


def _yes_or_no(true: bool | None) -> Said | None:
    if true is None:
        return None
    return Said("word.yes") if true else Said("word.no")


def _civil(at: datetime | None, calendar: Calendar) -> str | None:
    return f"{calendar.local(at):%Y-%m-%d %H:%M}" if at else None


def masked(name: str | None) -> str | None:
    """A contact's name on paper: the first character only, as 张**."""
    stripped = (name or "").strip()
    return f"{stripped[0]}**" if stripped else None


def paper_number(number: str, received_at: datetime, calendar: Calendar) -> str:
    """The long spelling LQ-2026-00012; the year is decoration, the serial alone counts."""
    year = calendar.local(received_at).year
    return f"LQ-{year}-{number:0>5}"


# Which part of the ledger -----------------------------------------------------------------------------------
EVERYTHING_SINCE = datetime(2000, 1, 1, tzinfo=UTC)
_THIS_MONTH = frozenset({"", "本月", "month"})
_EVERYTHING = frozenset({"全部", "all"})
_WRITTEN = re.compile(r"(20[0-9]{2})\s*年?(?:\s*[-/.]?\s*(0?[1-9]|1[0-2])\s*月?)?")


@dataclass(frozen=True, slots=True)
class Period:
    """From one instant up to, not including, another; `name` is plain enough for a file's name."""

    since: datetime
    until: datetime
    name: str


def period(words: str, at: datetime, calendar: Calendar) -> Period | None:
    """What 本月, 全部, 2026 or 2026-03 means at a moment (nothing said is this month); None for anything else."""
    said = words.strip().casefold()
    today = calendar.local(at).date()
    if said in _THIS_MONTH:
        return _months(today.year, today.month, 1, calendar)
    if said in _EVERYTHING:
        return Period(EVERYTHING_SINCE, _midnight(today + timedelta(days=1), calendar), "all")
    written = _WRITTEN.fullmatch(said)
    if written is None:
        return None
    year = int(written[1])
    return _months(year, int(written[2]), 1, calendar) if written[2] else _months(year, 1, 12, calendar)


def _months(year: int, month: int, count: int, calendar: Calendar) -> Period:
    first = date(year, month, 1)
    after = date(year + (month + count - 1) // 12, (month + count - 1) % 12 + 1, 1)
    name = f"{year}-{month:02}" if count == 1 else f"{year}"
    return Period(_midnight(first, calendar), _midnight(after, calendar), name)


def _midnight(day: date, calendar: Calendar) -> datetime:
    return datetime.combine(day, time(), tzinfo=calendar.zone).astimezone(UTC)
