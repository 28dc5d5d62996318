"""值班表: who is on duty in a department on which day; of entries that overlap the one entered later holds."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

MOST_DAYS = 366

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the rota; both days included. A higher id was entered later."""

    id: int
    first: date
    last: date
    person_id: int


def officer(entries: Sequence[Entry], day: date) -> int | None:
    """Who the rota says is on duty on a civil day; None where it says nothing."""
    fitting = [entry for entry in entries if entry.first <= day <= entry.last]
    return max(fitting, key=lambda entry: entry.id).person_id if fitting else None


def spans(first: date, last: date, value: Callable[[date], T]) -> Iterator[tuple[date, date, T]]:
    """Neighbouring days with the same value as one span each, from the first day to the last."""
    begun, held = first, value(first)
    for number in range(1, (last - first).days + 1):
        day = first + timedelta(days=number)
        now = value(day)
        if now != held:
            yield begun, day - timedelta(days=1), held
            begun, held = day, now
    yield begun, last, held
