"""Lengths of time as a park writes them: by the wall clock, in working hours or in working days."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """What a span is counted in."""

    WALL = "wall"
    WORKING_HOURS = "wh"
    WORKING_DAYS = "wd"


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time: seconds for WALL and WORKING_HOURS, days for WORKING_DAYS; negative means before."""

    amount: int
    unit: Unit


_SUFFIXES = {
    "s": (1, Unit.WALL),
    "m": (60, Unit.WALL),
    "h": (3600, Unit.WALL),
    "wh": (3600, Unit.WORKING_HOURS),
    "wd": (1, Unit.WORKING_DAYS),
}
_SPAN = re.compile(r"([+-]?)([0-9]{1,12})(s|m|h|wh|wd)")
_LONGEST = {Unit.WALL: 3660 * 86_400, Unit.WORKING_HOURS: 3660 * 86_400, Unit.WORKING_DAYS: 3660}


def parse_span(text: str) -> Span:
    """Read "45s", "15m", "4h" (wall clock), "4wh" (working hours) or "3wd" (working days), signed or not.

    Raises ValueError with a sentence that says what would be right.
    """
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f'"{text}" is not a duration: write a whole number and a unit, such as 45s, 15m or 4h '
            "by the wall clock, 4wh in working hours, 3wd in working days"
        )
    sign, digits, suffix = match.groups()
    factor, unit = _SUFFIXES[suffix]
    amount = int(digits) * factor
    if amount > _LONGEST[unit]:
        raise ValueError(f'"{text}" is too long for a duration: at most ten years can be counted')
    return Span(-amount if sign == "-" else amount, unit)
