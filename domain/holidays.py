"""Days off and make-up working days of a year: as published, or the part the law fixes beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from domain.errors import Refused


@dataclass(frozen=True, slots=True)
class YearTable:
    """One year's days off on which people would else work, and weekend days on which they do work.

    `published` tells the State Council's notice from a draft; deadlines in a draft's year are provisional.
    Days of the December before may be named, as notices do for the New Year holiday.
    """

    year: int
    holidays: frozenset[date]
    makeup_workdays: frozenset[date]
    published: bool

    def __post_init__(self) -> None:
        """Refused where a day is of another year, named twice, or made up for although it is worked anyway."""
        for day in sorted(self.holidays | self.makeup_workdays):
            if day.year != self.year and (day.year, day.month) != (self.year - 1, 12):
                raise Refused("years.other_year", {"day": day, "year": self.year, "before": self.year - 1})
            if day in self.holidays and day in self.makeup_workdays:
                raise Refused("years.both", {"day": day})
        for day in sorted(self.makeup_workdays):
            if day.weekday() < 5:
                raise Refused("years.weekday", {"day": day})


# New Year's Day, Labour Day and National Day, by the rule in force since 2025-01-01
# (全国年节及纪念日放假办法, art. 2): 1, 2 and 3 days.
_FIXED = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))

# The first day of the lunar year, Qingming, Dragon Boat and Mid-Autumn; two lunar calendars agree on each.
_FESTIVALS = {
    2027: ((2, 6), (4, 5), (6, 9), (9, 15)),
    2028: ((1, 26), (4, 4), (5, 28), (10, 3)),
    2029: ((2, 13), (4, 4), (6, 16), (9, 22)),
    2030: ((2, 3), (4, 5), (6, 5), (9, 12)),
}


def provisional_year(year: int) -> YearTable:
    """What is sure before the notice: statutory days without bridging and make-up days.

    The festivals of moon and sun are known for 2027 to 2030; in other years the fixed dates stand alone.
    """
    days = {date(year, month, day) for month, day in _FIXED}
    if year in _FESTIVALS:
        spring, *others = (date(year, month, day) for month, day in _FESTIVALS[year])
        days.update(others)
        days.update(spring + timedelta(days=shift) for shift in (-1, 0, 1, 2))  # the eve and three days
    return YearTable(year, frozenset(days), frozenset(), published=False)
