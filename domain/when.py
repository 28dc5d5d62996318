"""The head of `延期 5天 等配件到货` or `挂起 4月10日 等批复`: working days or a date, and what follows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from domain.workdays import Calendar, Span, Unit

SLIP = timedelta(days=60)
_AFTER = r"(?:以前|之前|之内|以内|(?:前|止|内)(?=[\s,，、:：;；。]|$))?[\s,，、:：;；]*"
_UNITS = r"(?:个)?(?:工作日|天|wd\b|working days?|days?)"
_DAYS = re.compile(rf"(\d{{1,3}})\s*{_UNITS}\s*{_AFTER}", re.IGNORECASE | re.ASCII)
_UNITS_BUT_DAY = r"(?:天|个|工作日|working|days?\b)"
_TO = r"(?:至|到|延至|延到|截至|until\s+|by\s+|to\s+)?\s*"
_MONTH_DAY = r"(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?!\d)"
_DATE = re.compile(
    rf"{_TO}(?:(\d{{4}})\s*[-/.年]\s*)?{_MONTH_DAY}(?!\s*{_UNITS_BUT_DAY})\s*[日号]?\s*{_AFTER}", re.IGNORECASE
)
_NAMED = re.compile(rf"{_TO}(今天|今日|明天|明日|后天|today|tomorrow)\s*{_AFTER}", re.IGNORECASE)
_NARROW = {0xFF10 + digit: str(digit) for digit in range(10)} | {0xFF0F: "/", 0xFF0D: "-", 0xFF0E: ".", 0x3000: " "}
_SHIFTS = {"今天": 0, "今日": 0, "today": 0, "明天": 1, "明日": 1, "tomorrow": 1, "后天": 2}


@dataclass(frozen=True, slots=True)
class When:
    """Working days from something on, or a day; one of the two is set. `rest` is what was written after it."""

    days: int | None
    day: date | None
    rest: str

    def span(self, calendar: Calendar, since: date) -> Span:
        """How many working days: as written, or up to the day, counted from the day after `since`."""
        if self.days is not None:
            return Span(self.days, Unit.WORKING_DAYS)
        assert self.day is not None  # one of the two is set
        return Span(calendar.working_days_between(since, self.day), Unit.WORKING_DAYS)


def read_when(text: str, today: date) -> When | None:
    """Read the head of a line; None where it begins with neither. A date without a year is the next such day.

    A date of the last 60 days that was written without its year is taken as it stands: a slip, not next year.
    """
    written = text.strip()
    line = written.translate(_NARROW)  # as long as what was written
    if found := _NAMED.match(line):
        return When(None, today + timedelta(days=_SHIFTS[found[1].lower()]), written[found.end() :])
    if found := _DATE.match(line):
        day = _day(found, today)
        return When(None, day, written[found.end() :]) if day else None
    if found := _DAYS.match(line):
        return When(int(found[1]), None, written[found.end() :])
    return None


def _day(found: re.Match[str], today: date) -> date | None:
    month, day = int(found[2]), int(found[3])
    years = (int(found[1]),) if found[1] else range(today.year - 1, today.year + 2)
    for year in years:
        try:
            meant = date(year, month, day)
        except ValueError:
            continue
        if found[1] or today - meant <= SLIP:
            return meant
    return None
