"""The dates of a policy form: an application window and a posting time, as people in Chinese offices write them.

A date is 3月16日, 3-16, 2026-03-16, 2026年3月16日, 2026/3/16. Without a year it is this year's, or next year's where
this year's is more than two months past: in December 1月15日 is next month, in March 3月10日 is a slip.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta

SLIP = timedelta(days=60)

_DATE = r"(?:(?P<{0}y>\d{{4}})\s*[年./-]\s*)?(?P<{0}m>\d{{1,2}})\s*[月./-]\s*(?P<{0}d>\d{{1,2}})\s*[日号]?"
_FIRST, _LAST = _DATE.format("f"), _DATE.format("l")
_TO = r"\s*(?:起)?\s*(?:至|到|~|-|–|—+|to|until)\s*"
_RANGE = re.compile(rf"{_FIRST}{_TO}(?:{_LAST}|(?P<day>\d{{1,2}})\s*[日号]?)\s*(?:止|截止|前)?", re.IGNORECASE)
_UNTIL = re.compile(rf"(?:即日起|自发布之日起|now)?(?:{_TO}|by\s*)?{_LAST}\s*(?:前|止|截止|之前|以前)?", re.IGNORECASE)
_OPEN_END = frozenset(("长期", "长期有效", "常年", "常年受理", "全年", "随时", "不限", "always", "openend", "open"))
_NOW = frozenset(("立即", "立刻", "马上", "现在", "即时", "now", "immediately", "atonce"))
_DAYS = {"今天": 0, "今日": 0, "today": 0, "明天": 1, "明日": 1, "tomorrow": 1, "后天": 2}
_CLOCK = re.compile(
    r"(?:(?P<half>上午|早上|早|下午|晚上|晚|中午))?\s*(?P<hour>\d{1,2})\s*(?::\s*(?P<minute>\d{2})|[点时]\s*(?:(?P<spoken>\d{1,2})分?|(?P<thirty>半))?)"
)
_WEEKDAY = re.compile(r"^[,\s]*[(]?(?:周|星期)[一二三四五六日天][)]?[,\s]*")


def read_window(text: str, today: date) -> date | None:
    """The last day of an application window; None where it has no end (长期). ValueError where it cannot be read."""
    line = unicodedata.normalize("NFKC", text).strip().rstrip("。.")
    if "".join(line.casefold().split()) in _OPEN_END:
        return None
    found = _RANGE.fullmatch(line)
    if found is not None:
        return _range_end(found, today)
    found = _UNTIL.fullmatch(line)
    if found is None:
        raise ValueError("no window")
    return _day(found["ly"], found["lm"], found["ld"], today)


def _range_end(found: re.Match[str], today: date) -> date:
    """The end of a range: in the year written there, else counted from the beginning's year, else from today."""
    month, day = found["lm"] or found["fm"], found["ld"] or found["day"]
    if found["fy"] and not found["ly"]:
        begin = date(int(found["fy"]), int(found["fm"]), int(found["fd"]))
        crosses = (int(month), int(day)) < (begin.month, begin.day) and found["lm"]
        end = date(begin.year + 1 if crosses else begin.year, int(month), int(day))
    else:
        end = _day(found["ly"], month, day, today)
        begin = _begin(found, end)
    if end < begin:
        raise ValueError("the window ends before it begins")
    return end


def _begin(found: re.Match[str], end: date) -> date:
    """The beginning: in the year written there, else in the end's year or, from a later month, the one before."""
    month, day = int(found["fm"]), int(found["fd"])
    if found["fy"]:
        return date(int(found["fy"]), month, day)
    return date(end.year - 1 if month > end.month else end.year, month, day)


def read_moment(text: str, now: datetime) -> datetime | None:
    """When to post, on the clock of `now` (local, aware); None is at once. A day alone is its midnight.

    Written as 立即, 3月12日 9:00, 明天 9:00, 明天下午3点半, 9:00. ValueError where it cannot be read.
    """
    line = unicodedata.normalize("NFKC", text).strip().rstrip("。.")
    if not line or "".join(line.casefold().split()) in _NOW:
        return None
    day, rest = _leading_day(line, now.date())
    rest = _WEEKDAY.sub("", rest).strip(" ,")
    if not rest and day is not None:
        return datetime.combine(day, time(), now.tzinfo)
    found = _CLOCK.fullmatch(rest)
    if found is None:
        raise ValueError("no time of day")
    return datetime.combine(day or now.date(), _clock(found), now.tzinfo)


def _leading_day(line: str, today: date) -> tuple[date | None, str]:
    for word, ahead in _DAYS.items():
        if line.casefold().startswith(word):
            return today + timedelta(days=ahead), line[len(word) :]
    found = re.match(_LAST, line)
    if found is None:
        return None, line
    return _day(found["ly"], found["lm"], found["ld"], today), line[found.end() :]


def _clock(found: re.Match[str]) -> time:
    hour = int(found["hour"])
    minute = 30 if found["thirty"] else int(found["minute"] or found["spoken"] or 0)
    if found["half"] in ("下午", "晚上", "晚", "中午") and 1 <= hour < (3 if found["half"] == "中午" else 12):
        hour += 12
    return time(hour, minute)


def _day(year: str | None, month: str, day: str, today: date) -> date:
    if year:
        return date(int(year), int(month), int(day))
    if (int(month), int(day)) == (2, 29):
        return next(date(each, 2, 29) for each in range(today.year, today.year + 9) if _leap(each))
    meant = date(today.year, int(month), int(day))
    return meant if meant >= today - SLIP else meant.replace(year=today.year + 1)


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
