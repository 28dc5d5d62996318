"""What the clock may ask for: a job finds what is due and does it, one key a transaction."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.rules import Rules
from storage.database import Tx

Due = Callable[[Tx, Rules, datetime], Awaitable[Sequence[str]]]
Work = Callable[[Tx, Rules, datetime, str], Awaitable[None]]
Upcoming = Callable[[Tx, Rules, datetime], Awaitable[datetime | None]]


@dataclass(frozen=True, slots=True)
class Job:
    """Work that time brings; rung at any moment, on any replica: what was done is known by rows, never by memory.

    `due` lists the keys of what is due at a civil moment; `work` does one key in the transaction it is given and
    takes its unique turn there; `upcoming` is the next moment after the given one at which something may fall due.
    """

    name: str
    due: Due
    work: Work
    upcoming: Upcoming
