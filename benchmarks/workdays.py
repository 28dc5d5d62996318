"""How long a deadline takes, plain and with two moves, beside a loop over days: `python -m benchmarks.workdays`."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from time import perf_counter_ns
from zoneinfo import ZoneInfo

from domain.deadlines import Pause, Reckoning
from domain.workdays import Calendar, Hours, Span, Unit, YearTable, parse_interval
from storage.years import read_years

LIMIT_US = 10.0
LIMIT_RATIO = 0.5  # of the day loop
ROUNDS = 7
ZONE = ZoneInfo("Asia/Shanghai")
HOURS = Hours((parse_interval("08:30-12:00"), parse_interval("14:00-17:30")))
STARTS = [datetime(2024, 2, 1, 2, 15, tzinfo=UTC) + timedelta(hours=7 * step) for step in range(3000)]

Add = Callable[[datetime], datetime]
Call = Callable[[datetime], object]


def walk_days(tables: tuple[YearTable, ...]) -> Add:
    """The plain way: look at one day after the other until ten working days have been met."""
    off: set[date] = set().union(*(table.holidays for table in tables))
    made_up: set[date] = set().union(*(table.makeup_workdays for table in tables))

    def add(start: datetime) -> datetime:
        day, left = start.astimezone(ZONE).date(), 10
        while left:
            day += timedelta(days=1)
            left -= day in made_up or (day.weekday() < 5 and day not in off)
        return datetime.combine(day, time(17, 30), ZONE).astimezone(UTC)

    return add


def reckonings() -> dict[datetime, Reckoning]:
    """Each start with ten working days, a suspension of three days and an extension of five working days."""
    term, extension = Span(10, Unit.WORKING_DAYS), Span(5, Unit.WORKING_DAYS)
    day = timedelta(days=1)
    return {start: Reckoning(start, (term,), (Pause(start + day, start + 4 * day), extension)) for start in STARTS}


def microseconds(call: Call) -> float:
    """Median time of one call over several rounds."""
    rounds = []
    for _ in range(ROUNDS):
        begun = perf_counter_ns()
        for start in STARTS:
            call(start)
        rounds.append((perf_counter_ns() - begun) / len(STARTS) / 1000)
    return statistics.median(rounds)


def main() -> int:
    """Print the figures; 1 if a deadline takes longer than the limit or the two ways disagree."""
    tables = read_years()
    begun = perf_counter_ns()
    park = Calendar(tables, HOURS, ZONE)
    for year in (2024, 2025, 2026):
        park.is_working_day(date(year, 1, 1))
    laid_out = (perf_counter_ns() - begun) / 1_000_000
    days, hours = Span(10, Unit.WORKING_DAYS), Span(4 * 3600, Unit.WORKING_HOURS)
    slow = walk_days(tables)
    if any(park.add(start, days) != slow(start) for start in STARTS):
        print("the calendar and the day loop disagree")
        return 1
    plain: list[float] = []
    loops: list[float] = []
    for _ in range(3):  # in turns, so that whatever slows the machine slows both
        plain.append(microseconds(lambda start: park.add(start, days)))
        loops.append(microseconds(slow))
    quick, naive = min(plain), min(loops)
    counted = reckonings()
    print(f"three years laid out once   {laid_out:8.2f} ms")
    print(f"add 4 working hours         {microseconds(lambda start: park.add(start, hours)):8.2f} µs")
    print(f"is it quiet                 {microseconds(park.is_quiet):8.2f} µs")
    print(f"with two moves              {microseconds(lambda start: counted[start].deadline(park)):8.2f} µs")
    print(f"add 10 working days         {quick:8.2f} µs   limit {LIMIT_US:.0f} µs")
    print(f"the same by a day loop      {naive:8.2f} µs   ratio {quick / naive:.2f}, limit {LIMIT_RATIO}")
    return int(quick > LIMIT_US or quick > LIMIT_RATIO * naive)


if __name__ == "__main__":
    sys.exit(main())
