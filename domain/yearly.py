"""What a year's new table changes: which days become free, which are worked, which the law frees and it forgets."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from domain.holidays import YearTable, provisional_year
from domain.workdays import Calendar

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Changed:
    """Days that were worked and are off now, and the other way round."""

    off: tuple[date, ...]
    worked: tuple[date, ...]


def changed(before: Calendar, after: Calendar, year: int) -> Changed:
    """The days of a year and of the December before it on which two calendars differ."""
    days = [day for day in _days(year) if before.is_working_day(day) != after.is_working_day(day)]
    worked = tuple(day for day in days if after.is_working_day(day))
    return Changed(tuple(day for day in days if day not in worked), worked)


def _days(year: int) -> Iterator[date]:
    day = date(year - 1, 12, 1)
    while day.year <= year:
        yield day
        day += _ONE_DAY


def forgotten(table: YearTable) -> tuple[date, ...]:
    """Statutory days that a table does not free; those that fall on a weekend need not stand in it."""
    statutory = provisional_year(table.year).holidays
    return tuple(day for day in sorted(statutory - table.holidays) if day.weekday() < 5)
