"""Civil days as people write them: `8月3日`, `8月3日-8月9日`, `明天`, `明天起3天`, `3天`, `到8月9日`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

_DATE = r"(?:(\d{4})[-/.年])?(\d{1,2})[-/.月](\d{1,2})[日号]?"
_NEAR: Mapping[str, int] = {"今天": 0, "明天": 1, "后天": 2, "today": 0, "tomorrow": 1}
_WORD = "|".join(_NEAR)
_DAY = rf"(?:{_DATE}|({_WORD}))"
_END = r"(?=$|[\s,，、:：由])"
_COUNT = r"(\d{1,3})\s*(?:天|个?工作日|days?|d)"
_FROM = re.compile(rf"(?:从|自|from\s+)?{_DAY}\s*(?:起|开始)?\s*(?:[,，、]\s*)?{_COUNT}{_END}", re.IGNORECASE)
_RANGE = re.compile(
    rf"(?:从|自|from\s+)?{_DAY}\s*(?:-|—+|–|~|～|至|到|to)\s*(?:{_DAY}|(\d{{1,2}})[日号]?){_END}", re.IGNORECASE
)
_UNTIL = re.compile(rf"(?:至|到|until\s+)\s*{_DAY}{_END}", re.IGNORECASE)
_ONE = re.compile(rf"{_DAY}{_END}", re.IGNORECASE)
_HALF_A_YEAR = timedelta(days=183)
_LENGTH = re.compile(r"(\d{1,3})\s*(?:天|日|个?工作日|days?|d)?(?=$|[\s,，、])", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Days:
    """From the first day to the last, both included; `first` is None where only the end was said.

    `named` says that one single day was written as a date. `rest` is what follows.
    """

    first: date | None
    last: date
    rest: str
    named: bool = False


def read_days(text: str, today: date) -> Days | None:
    """The days with which a line begins; None where it begins with none. A date without year is the next such day."""
    line = text.strip()
    try:
        return _read(line, today)
    except ValueError:  # the 30th of February
        return None


def _read(line: str, today: date) -> Days | None:
    if found := _FROM.match(line):
        first = _day(found.groups()[:4], today)
        return Days(first, first + timedelta(days=max(int(found[5]), 1) - 1), line[found.end() :])
    if found := _RANGE.match(line):
        first = _day(found.groups()[:4], today)
        same_month = found[9]
        last = first.replace(day=int(same_month)) if same_month else _end(found.groups()[4:8], first, today)
        return Days(first, last, line[found.end() :])
    if found := _UNTIL.match(line):
        return Days(None, _day(found.groups()[:4], today), line[found.end() :])
    if found := _ONE.match(line):
        day = _day(found.groups()[:4], today)
        return Days(day, day, line[found.end() :], named=found[4] is None)
    if found := _LENGTH.match(line):
        return Days(today, today + timedelta(days=max(int(found[1]), 1) - 1), line[found.end() :])
    return None


def _end(parts: tuple[str | None, ...], first: date, today: date) -> date:
    """The second day of two: over the turn of a year, but not nearly a year later, which is a slip."""
    last = _day(parts, first, today)
    slipped = parts[0] is None and last.year > first.year and last - first > _HALF_A_YEAR
    return last.replace(year=first.year) if slipped else last


def _day(parts: tuple[str | None, ...], earliest: date, today: date | None = None) -> date:
    """A day by year, month, day, or by its word; without a year the next one from `earliest` on."""
    year, month, day, word = parts
    if word is not None:
        return (today or earliest) + timedelta(days=_NEAR[word.lower()])
    meant = date(int(year or earliest.year), int(month or 0), int(day or 0))
    return meant if year or meant >= earliest else meant.replace(year=earliest.year + 1)
