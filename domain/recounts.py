"""What another calendar does to an open appeal: its dates counted again, and which of them moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.appeal import OPEN, Appeal, Change, Details
from domain.lifecycle import take
from domain.rules import Clock, Rules
from domain.said import Said
from domain.verbs import Verb


@dataclass(frozen=True, slots=True)
class Shift:
    """One deadline that moved; the work's own, or one that runs now (first response, a part)."""

    appeal: Appeal
    clock: Clock
    before: datetime
    after: datetime


def recounted(appeal: Appeal, rules: Rules, why: Said, at: datetime) -> Change | None:
    """The step that counts all dates of an appeal again by these rules; None where nothing moves.

    `why` is the reason told to those concerned and kept in the history, beside the dates before.
    """
    if appeal.status not in OPEN:
        return None
    change = take(appeal, Verb.RECOUNT, by=None, at=at, rules=rules, details=Details(facts={"reason": why}))
    return change if _dates(appeal) != _dates(change.after) else None


def _dates(appeal: Appeal) -> tuple[object, ...]:
    return appeal.dispatch_due, appeal.acknowledge_due, appeal.due, appeal.parts


def shifts(change: Change) -> Sequence[Shift]:
    """The deadlines that moved with a recount and still matter: the work's date first."""
    before, after = change.before, change.after
    assert before is not None  # it was there to be counted again
    found = [Shift(after, Clock.RESOLVE, before.due, after.due)] if before.due != after.due else []
    for was, now in zip(before.running, after.running, strict=True):
        if now.clock is not Clock.RESOLVE and was.deadline != now.deadline:
            found.append(Shift(after, now.clock, was.deadline, now.deadline))
    return found
