"""Working hours of a day: intervals, seasons in which they differ, and the hours of quiet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from itertools import pairwise

_INTERVAL = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})")
_MIDNIGHT = time(0)


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of local time, start included, end not; an end of 00:00 is midnight at the end of the day.

    An end before the start wraps over midnight, which only quiet hours may do.
    """

    start: time
    end: time

    @property
    def wraps(self) -> bool:
        """Whether it runs over midnight into the next day."""
        return self.end != _MIDNIGHT and self.end <= self.start

    def covers(self, clock: time) -> bool:
        """Whether a local time of day lies in it."""
        if self.end == _MIDNIGHT:
            return clock >= self.start
        if self.wraps:
            return clock >= self.start or clock < self.end
        return self.start <= clock < self.end


@dataclass(frozen=True, slots=True)
class Season:
    """Days of every year, from (month, day) up to and including (month, day), with hours of their own.

    A season may run over the turn of the year, such as (10, 1) to (4, 30).
    """

    start: tuple[int, int]
    end: tuple[int, int]
    intervals: tuple[Interval, ...]

    def __post_init__(self) -> None:
        for month, day in (self.start, self.end):
            _check_month_day(month, day)
        _check_intervals(self.intervals)

    def covers(self, day: date) -> bool:
        """Whether a day falls into the season."""
        spot = (day.month, day.day)
        if self.start <= self.end:
            return self.start <= spot <= self.end
        return spot >= self.start or spot <= self.end


@dataclass(frozen=True, slots=True)
class Hours:
    """When a park works: its intervals, its seasons (the first that covers a day counts), its quiet hours.

    `always` makes every minute of every day working time; nothing is quiet then.
    """

    intervals: tuple[Interval, ...]
    seasons: tuple[Season, ...] = ()
    always: bool = False
    quiet: Interval | None = None

    def __post_init__(self) -> None:
        if not self.always:
            _check_intervals(self.intervals)

    def on(self, day: date) -> tuple[Interval, ...]:
        """The intervals that hold on a day, if it is a working day."""
        for season in self.seasons:
            if season.covers(day):
                return season.intervals
        return self.intervals


def parse_interval(text: str) -> Interval:
    """Read "08:30-12:00"; "21:00-08:00" wraps over midnight and "18:00-24:00" ends at it.

    Raises ValueError with a sentence that says what would be right.
    """
    match = _INTERVAL.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'"{text}" is not a stretch of the day: write it as 08:30-12:00')
    from_hour, from_minute, to_hour, to_minute = (int(part) for part in match.groups())
    if (to_hour, to_minute) == (24, 0):
        to_hour = 0
    try:
        interval = Interval(time(from_hour, from_minute), time(to_hour, to_minute))
    except ValueError:
        raise ValueError(
            f'"{text}" names a time that no clock shows: hours go from 00 to 23, minutes from 00 to 59'
        ) from None
    if interval.start == interval.end != _MIDNIGHT:
        raise ValueError(f'"{text}" ends when it begins: write the whole day as 00:00-24:00')
    return interval


def _check_month_day(month: int, day: int) -> None:
    try:
        date(2024, month, day)
    except ValueError:
        raise ValueError(
            f"a season cannot begin or end on {month:02}-{day:02}: no year has it; write 05-01 for May 1"
        ) from None


def _check_intervals(intervals: Sequence[Interval]) -> None:
    if not intervals:
        raise ValueError("working hours need at least one interval, such as 08:30-12:00")
    for interval in intervals:
        if interval.wraps:
            raise ValueError(
                f"working hours cannot run over midnight ({_show(interval)}): "
                "end one interval at 24:00 and begin another at 00:00"
            )
    for before, after in pairwise(intervals):
        if before.end == _MIDNIGHT or after.start < before.end:
            raise ValueError(f"working hours come in order, but {_show(after)} begins before {_show(before)} has ended")


def _show(interval: Interval) -> str:
    return f"{interval.start:%H:%M}-{interval.end:%H:%M}"
