"""What `停工 8月20日-8月21日 台风` says: whole days on which the park does not work, or does so after all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from domain.errors import Refused
from domain.said import Said
from domain.when import read_when

MOST_DAYS = 31
EARLIEST = timedelta(days=60)
LATEST = timedelta(days=400)
LONGEST_REASON = 40
_ONE_DAY = timedelta(days=1)
_TO = re.compile(r"\s*(?:[-－–—~～]+|至|到|to\b|until\b)\s*", re.IGNORECASE)
_LAST = re.compile(r"(\d{1,2})\s*[日号]?(?=$|[\s,，、:：;；])[\s,，、:：;；]*", re.ASCII)
_BACK = re.compile(r"(?:取消|撤销|作废|恢复|不停工了?|cancel(?:led)?|undo|off)[\s.。!！]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Closure:
    """One local day on which nobody works; `reason` may be empty."""

    day: date
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Closing:
    """What was said: the days, first to last, why, and whether they are closed or opened again."""

    days: tuple[date, ...]
    reason: str = ""
    reopens: bool = False


def read_closing(text: str, today: date) -> Closing:
    """Read one day or a stretch of days and what follows them; a date without a year as `read_when` takes it.

    Refused where no date stands first, the days are more than 31, or lie 60 days back or 400 ahead.
    """
    first = read_when(text, today)
    if first is None or first.day is None:
        raise Refused("closure.unclear")
    last, rest = _last(first.day, first.rest, today)
    if not timedelta() <= last - first.day < MOST_DAYS * _ONE_DAY:
        raise Refused("closure.too_long", {"first": first.day, "last": last, "most": MOST_DAYS})
    if first.day < today - EARLIEST or last > today + LATEST:
        raise Refused("closure.too_far", {"first": first.day, "earliest": today - EARLIEST, "latest": today + LATEST})
    days = tuple(first.day + n * _ONE_DAY for n in range((last - first.day).days + 1))
    if _BACK.match(rest):
        return Closing(days, reopens=True)
    return Closing(days, " ".join(rest.split())[:LONGEST_REASON])


def _last(first: date, rest: str, today: date) -> tuple[date, str]:
    """The end of a stretch, `-8月21日` or `-21日`, and what is left; without one the first day is the last."""
    if to := _TO.match(rest):
        behind = rest[to.end() :]
        named = read_when(behind, max(first, today))
        if named is not None and named.day is not None:
            return named.day, named.rest
        if bare := _LAST.match(behind):
            try:
                return first.replace(day=int(bare[1])), behind[bare.end() :]
            except ValueError:
                raise Refused("closure.unclear") from None
    return first, rest


def stretches(days: Sequence[date]) -> tuple[Said, ...]:
    """Days as people tell them, neighbours as one stretch: 8月20日（周四）, 8月20日（周四）至8月23日（周日）."""
    return tuple(
        Said("closure.day", {"day": first}) if first == last else Said("closure.days", {"first": first, "last": last})
        for first, last in _runs(sorted(set(days)))
    )


def _runs(days: Sequence[date]) -> Iterator[tuple[date, date]]:
    first: date | None = None
    before: date | None = None
    for day in days:
        if first is not None and before is not None and day != before + _ONE_DAY:
            yield first, before
            first = day
        first, before = first or day, day
    if first is not None and before is not None:
        yield first, before


def listed(parts: Sequence[Said]) -> Said | None:
    """Several as one phrase."""
    whole: Said | None = None
    for part in parts:
        whole = Said("closure.and", {"left": whole, "right": part}) if whole else part
    return whole
