"""Working days and working hours of a park: which days count, and when a deadline falls."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from hashlib import sha256
from operator import itemgetter
from zoneinfo import ZoneInfo

from domain.holidays import YearTable, provisional_year
from domain.hours import Hours, Interval, Season, parse_interval
from domain.spans import Span, Unit, parse_span

__all__ = [
    "Calendar",
    "Hours",
    "Interval",
    "Season",
    "Span",
    "Unit",
    "YearTable",
    "parse_interval",
    "parse_span",
    "provisional_year",
]

Spell = tuple[datetime, datetime]  # a stretch of working time, UTC, end not included

_OPENS, _CLOSES = itemgetter(0), itemgetter(1)
_ONE_DAY = timedelta(days=1)
_LAST_MINUTE = time(23, 59)
DAYS_WANTED = 60
"""Where fewer days ahead lie in published years, the coordinators are asked for the next table."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """One year laid out, everything sorted."""

    days: tuple[int, ...]  # working days as proleptic ordinals
    closings: tuple[datetime, ...]  # the end of each of these days' working hours, UTC
    spells: tuple[Spell, ...]  # all working time of the year


class Calendar:
    """A park's working time: year tables, hours, zone and local closures. A value: it never changes.

    Every datetime that goes in must be aware (ValueError otherwise), every one that comes out is UTC.
    A year without a table counts by `provisional_year`. Of two tables for a year the later one given holds;
    a closure (a typhoon day, a local holiday) is no working day whatever the tables say.
    With `hours.always` every minute of every day is working time and a day ends at 23:59.
    """

    __slots__ = ("_covered", "_plans", "_published", "_rulings", "closures", "hours", "tables", "zone")

    zone: ZoneInfo
    hours: Hours
    tables: dict[int, YearTable]
    closures: frozenset[date]

    def __init__(
        self,
        years: Iterable[YearTable],
        hours: Hours,
        zone: ZoneInfo,
        closures: frozenset[date] = frozenset(),
    ) -> None:
        self.tables = {table.year: table for table in years}
        self.zone = zone
        self.hours = hours
        self.closures = closures
        self._published = frozenset(year for year, table in self.tables.items() if table.published)
        self._covered = date(max(self._published), 12, 31) if self._published else date.min
        self._rulings = _read_rulings(self.tables)
        self._plans: dict[int, _Plan] = {}  # filled once a year is asked for

    def amended(self, years: Iterable[YearTable], closures: frozenset[date]) -> Calendar:
        """The same hours and zone with further tables, which replace those of the same years, and these closures."""
        return Calendar((*self.tables.values(), *years), self.hours, self.zone, closures)

    @property
    def fingerprint(self) -> str:
        """What a deadline depends on, in 64 letters: it changes when zone, hours, a table or a closure does."""
        hours = (self.hours.always, self.hours.intervals, self.hours.seasons)
        tables = [
            (year, table.published, sorted(table.holidays), sorted(table.makeup_workdays))
            for year, table in sorted(self.tables.items())
        ]
        return sha256(repr((self.zone.key, hours, tables, sorted(self.closures))).encode()).hexdigest()

    def local(self, at: datetime) -> datetime:
        """The same instant on the park's clock."""
        if at.tzinfo is None:
            raise ValueError(f"{at} has no time zone: give an aware datetime")
        return at.astimezone(self.zone)

    def is_working_day(self, day: date) -> bool:
        """Whether people work on a local date."""
        days = self._plan(day.year).days
        spot = bisect_left(days, day.toordinal())
        return spot < len(days) and days[spot] == day.toordinal()

    def is_provisional(self, at: datetime) -> bool:
        """Whether the table of this local year has not been published, so that the day may still move."""
        return self.local(at).year not in self._published

    def covered_until(self) -> date:
        """The last day of the last published year; `date.min` when no year is published."""
        return self._covered

    def days_covered(self, at: datetime) -> int:
        """How many days after today's lie in published years; negative where the last of them is over."""
        return (self._covered - self.local(at).date()).days

    def add(self, start: datetime, span: Span) -> datetime:
        """The deadline that lies `span` after an event, by the counting rules of the offices.

        Working days: the day of the event does not count, and the deadline is the end of working hours of the
        last day counted; 0 wd is the first end of a working day after the event ("ruling the same day").
        Working hours: to the second; outside of working hours the count begins at the next opening.
        A wall span is elapsed time. A negative span is an offset.
        """
        if span.amount < 0:
            return self.offset(start, span)
        if span.unit is Unit.WORKING_DAYS:
            return self._closing_after(start, span.amount)
        if span.unit is Unit.WORKING_HOURS:
            return self._forward(start, timedelta(seconds=span.amount))
        return _utc(start) + timedelta(seconds=span.amount)

    def offset(self, deadline: datetime, span: Span) -> datetime:
        """A moment told from a deadline: -2 wd is two working days before it, at its own local time of day.

        Working hours count back to the latest moment with so much working time left, and forward like `add`;
        a zero span of any unit is the deadline itself.
        """
        if span.amount == 0:
            return _utc(deadline)
        length = timedelta(seconds=span.amount)
        if span.unit is Unit.WALL:
            return _utc(deadline) + length
        if span.unit is Unit.WORKING_HOURS:
            return self._forward(deadline, length) if span.amount > 0 else self._back(deadline, -length)
        local = self.local(deadline)
        plan, spot = self._step(local.date(), span.amount)
        return _at(date.fromordinal(plan.days[spot]), local.time(), self.zone)

    def share(self, start: datetime, deadline: datetime, part: float) -> datetime:
        """The moment when `part` (0 to 1) of the working time between two instants has passed, to the second.

        Where no working time lies between them, and with `hours.always`, it is a part of the elapsed time.
        A deadline that is not after its start gives the deadline. ValueError if part is not within 0 and 1.
        """
        if not 0 <= part <= 1:
            raise ValueError(f"a share lies between 0 and 1, not at {part}")
        begin, end = _utc(start), _utc(deadline)
        if part == 1 or end <= begin:
            return end
        if part == 0:
            return begin
        total = self.worked(begin, end)
        if not total:
            return begin + _portion(end - begin, part)
        return self._forward(begin, _portion(total, part))

    def worked(self, start: datetime, end: datetime) -> timedelta:
        """Working time from start to end; zero when the end is not after the start."""
        begin, until = _utc(start), _utc(end)
        if self.hours.always:
            return max(until - begin, timedelta())
        total = timedelta()
        for opens, closes in self._spells_after(begin):
            if opens >= until:
                break
            total += min(closes, until) - max(opens, begin)
        return total

    def working_days_between(self, a: date, b: date) -> int:
        """How many working days lie after `a` up to and including `b`; negative when `b` is before `a`."""
        if b < a:
            return -self.working_days_between(b, a)
        full = sum(len(self._plan(year).days) for year in range(a.year, b.year))
        return full + self._rank(b) - self._rank(a)

    def is_quiet(self, at: datetime) -> bool:
        """Whether people should be left in peace: at night, on a day off, at noon, before and after work."""
        if self.hours.always:
            return False
        local = self.local(at)
        day, clock = local.date(), local.time()
        if self.hours.quiet is not None and self.hours.quiet.covers(clock):
            return True
        return not (self.is_working_day(day) and any(each.covers(clock) for each in self.hours.on(day)))

    def next_open(self, at: datetime) -> datetime:
        """The first working instant that is not before `at`."""
        return self._forward(at, timedelta())

    def month_start(self, at: datetime) -> datetime:
        """Local midnight at the start of the month."""
        return _at(self.local(at).date().replace(day=1), time(), self.zone)

    def day_start(self, at: datetime) -> datetime:
        """Local midnight at the start of the day."""
        return _at(self.local(at).date(), time(), self.zone)

    def _closing_after(self, start: datetime, count: int) -> datetime:
        day = self.local(start).date()
        if count > 0:
            plan, spot = self._step(day, count)
            return plan.closings[spot]
        plan, spot = self._step(day - _ONE_DAY, 1)
        if plan.closings[spot] > start:
            return plan.closings[spot]
        plan, spot = self._step(day, 1)
        return plan.closings[spot]

    def _step(self, day: date, count: int) -> tuple[_Plan, int]:
        """The count-th working day after a day, before it if negative: its year's plan and place there."""
        year, ordinal = day.year, day.toordinal()
        plan = self._plan(year)
        here = bisect_right(plan.days, ordinal) - 1 if count > 0 else bisect_left(plan.days, ordinal)
        spot = here + count
        while spot >= len(plan.days):
            spot -= len(plan.days)
            year += 1
            plan = self._plan(year)
        while spot < 0:
            year -= 1
            plan = self._plan(year)
            spot += len(plan.days)
        return plan, spot

    def _rank(self, day: date) -> int:
        return bisect_right(self._plan(day.year).days, day.toordinal())

    def _forward(self, start: datetime, length: timedelta) -> datetime:
        begin, left = _utc(start), length
        if self.hours.always:
            return begin + left
        for opens, closes in self._spells_after(begin):
            begin = max(opens, begin)
            if left <= closes - begin:
                return begin + left
            left -= closes - begin
        raise ValueError(f"there is not so much working time after {start}")

    def _back(self, end: datetime, length: timedelta) -> datetime:
        until, left = _utc(end), length
        if self.hours.always:
            return until - left
        for opens, closes in self._spells_before(until):
            until = min(closes, until)
            if left <= until - opens:
                return until - left
            left -= until - opens
        raise ValueError(f"there is not so much working time before {end}")

    def _spells_after(self, at: datetime) -> Iterator[Spell]:
        """Spells that end after an instant, in order; the first may have begun before it."""
        first = self.local(at).year
        for year in range(first, MAXYEAR):
            spells = self._plan(year).spells
            skipped = bisect_right(spells, at, key=_CLOSES) if year == first else 0
            for spot in range(skipped, len(spells)):
                yield spells[spot]

    def _spells_before(self, at: datetime) -> Iterator[Spell]:
        """Spells that begin before an instant, latest first; the first may end after it."""
        first = self.local(at).year
        for year in range(first, MINYEAR, -1):
            spells = self._plan(year).spells
            kept = bisect_left(spells, at, key=_OPENS) if year == first else len(spells)
            for spot in range(kept - 1, -1, -1):
                yield spells[spot]

    def _plan(self, year: int) -> _Plan:
        plan = self._plans.get(year)
        if plan is None:
            plan = self._plans[year] = self._lay_out(year)
        return plan

    def _lay_out(self, year: int) -> _Plan:
        days = tuple(self._working_days(year))
        if self.hours.always:
            closings = tuple(_at(day, _LAST_MINUTE, self.zone) for day in days)
            return _Plan(tuple(day.toordinal() for day in days), closings, ())
        spells = tuple(_spell(day, interval, self.zone) for day in days for interval in self.hours.on(day))
        closings = tuple(_at(day, _closing_time(self.hours.on(day)), self.zone) for day in days)
        return _Plan(tuple(day.toordinal() for day in days), closings, spells)

    def _working_days(self, year: int) -> Iterator[date]:
        fixed = frozenset() if year in self.tables else provisional_year(year).holidays
        first = date(year, 1, 1)
        for shift in range((date(year, 12, 31) - first).days + 1):
            day = first + timedelta(days=shift)
            usual = day.weekday() < 5 and day not in fixed
            if self.hours.always or (day not in self.closures and self._rulings.get(day, usual)):
                yield day


def _read_rulings(tables: dict[int, YearTable]) -> dict[date, bool]:
    """What the tables say of single days; about a December day the next year's table has the last word."""
    rulings: dict[date, bool] = {}
    for year in sorted(tables):
        rulings.update(dict.fromkeys(tables[year].holidays, False))
        rulings.update(dict.fromkeys(tables[year].makeup_workdays, True))
    return rulings


def _closing_time(intervals: tuple[Interval, ...]) -> time:
    """When a day's work ends: 23:59 if it is open until midnight, so that its deadline bears its date."""
    return _LAST_MINUTE if intervals[-1].end == time() else intervals[-1].end


def _spell(day: date, interval: Interval, zone: ZoneInfo) -> Spell:
    last = day + _ONE_DAY if interval.end == time() else day
    return _at(day, interval.start, zone), _at(last, interval.end, zone)


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone: give an aware datetime")
    return at.astimezone(UTC)


def _portion(length: timedelta, part: float) -> timedelta:
    return timedelta(seconds=round(length.total_seconds() * part))
