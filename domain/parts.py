"""Parts of an appeal's work with dates of their own: co-handlers' shares, milestones, what was asked above, orders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from domain.deadlines import Pause, Reckoning
from domain.workdays import Calendar


class PartKind(StrEnum):
    """配合 (a department's share), 里程碑 (a stage of the long term), 超权限 (asked of those above), orders that want
    an answer by a day (督办, 批示).
    """

    SHARE = "share"
    MILESTONE = "milestone"
    BEYOND = "beyond"
    ORDER = "order"


class Outcome(StrEnum):
    """How a part ended: done, given back by its unit, waived by the coordinator."""

    DONE = "done"
    RETURNED = "returned"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class Part:
    """One part; `n` counts from 1 within its appeal. `handler_id` None means whoever leads the appeal.

    `unit` is the name of who was asked, empty where the lead does it himself; `asked_by` is the person who asked.
    `round` grows when a suspension has ended, as its clock begins anew then.
    """

    n: int
    kind: PartKind
    title: str
    unit: str
    department_id: int | None
    handler_id: int | None
    asked_at: datetime
    reckoned: Reckoning
    due: datetime
    asked_by: int | None = None
    round: int = 1
    acknowledged_at: datetime | None = None
    progress_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: Outcome | None = None

    @property
    def is_open(self) -> bool:
        """Whether somebody still works on it."""
        return self.outcome is None

    @property
    def since(self) -> datetime:
        """When its clock began to run: when it was asked for, or when the last suspension was over."""
        pauses = self.reckoned.pauses()
        return pauses[-1].end if pauses else self.asked_at

    def ended(self, outcome: Outcome, at: datetime) -> Part:
        """The part as it is after its end."""
        return replace(self, outcome=outcome, ended_at=at)

    def paused(self, pause: Pause, calendar: Calendar) -> Part:
        """The part after a suspension of the whole matter: its date moves with the work's."""
        reckoned = self.reckoned.moved(pause)
        return replace(self, reckoned=reckoned, due=reckoned.deadline(calendar), round=self.round + 1)

    def recounted(self, calendar: Calendar) -> Part:
        """The part by another calendar."""
        return replace(self, due=self.reckoned.deadline(calendar))
