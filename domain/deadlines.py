"""How a deadline is counted: since when, how long, what moved it; so that it can be counted again at any time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce

from domain.spans import Span, Unit
from domain.workdays import Calendar

FIXED = Span(0, Unit.WALL)
"""No time at all: a deadline that is a moment by itself."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch in which the work was suspended: its working time is added to the deadline."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Cap:
    """A second count beside the first, of which the earlier one rules: what became urgent, a day before the lead's."""

    start: datetime
    span: Span


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What one deadline is counted from; the calendar alone is missing, as it may change.

    Of several `spans` the longest holds (half of the first term, two working days at least), unless a cap is earlier.
    `moves` come after that, in the order in which they happened: an extension in working days ends with the day it
    leads to, a pause adds its working time.
    """

    start: datetime
    spans: tuple[Span, ...]
    moves: tuple[Span | Pause, ...] = ()
    caps: tuple[Cap, ...] = ()

    def deadline(self, calendar: Calendar) -> datetime:
        """The moment it comes to by this calendar."""
        longest = max(calendar.add(self.start, span) for span in self.spans)
        first = min([longest, *(calendar.add(cap.start, cap.span) for cap in self.caps)])
        return reduce(lambda due, move: _moved(calendar, due, move), self.moves, first)

    def moved(self, move: Span | Pause) -> Reckoning:
        """The same, moved once more."""
        return replace(self, moves=(*self.moves, move))

    def capped(self, start: datetime, span: Span = FIXED) -> Reckoning:
        """The same, with a second count beside it."""
        return replace(self, caps=(*self.caps, Cap(start, span)))

    def pauses(self) -> tuple[Pause, ...]:
        """What of its moves were suspensions."""
        return tuple(move for move in self.moves if isinstance(move, Pause))


def fixed(at: datetime) -> Reckoning:
    """A deadline that no calendar moves."""
    return Reckoning(at, (FIXED,))


def _moved(calendar: Calendar, due: datetime, move: Span | Pause) -> datetime:
    if isinstance(move, Span):
        return calendar.add(due, move)
    lost = int(calendar.worked(move.start, move.end).total_seconds())
    return calendar.add(due, Span(lost, Unit.WORKING_HOURS)) if lost else due


@dataclass(frozen=True, slots=True)
class Dates:
    """How the three dates of an appeal are counted: intake's decision, the first response, the work."""

    dispatch: Reckoning
    acknowledge: Reckoning
    work: Reckoning
    hard: datetime | None = field(default=None)
