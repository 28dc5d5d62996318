"""Which fields a step moves that makes, changes or ends a part of the work."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from domain.deadlines import Pause, Reckoning, fixed
from domain.guards import Moment
from domain.parts import Outcome, Part, PartKind
from domain.workdays import Calendar, Span, Unit

PART_OF_LEAD = 0.6

Fields = Mapping[str, Any]


def _with_part(moment: Moment, kind: PartKind, reckoned: Reckoning) -> Fields:
    appeal, details = moment.appeal, moment.details
    part = Part(
        n=len(appeal.parts) + 1,
        kind=kind,
        title=details.title,
        unit=details.unit,
        department_id=details.department_id,
        handler_id=details.handler_id,
        asked_at=moment.at,
        reckoned=reckoned,
        due=reckoned.deadline(moment.rules.calendar),
        asked_by=moment.by,
    )
    return {"parts": (*appeal.parts, part)}


def add_share(moment: Moment) -> Fields:
    """协办: a share of the work for another unit, due a working day before the lead at the latest.

    Where there is no such day left it is due after a part of the time that the lead has. Once the lead is late his date
    binds nobody else.
    """
    appeal, calendar = moment.appeal, moment.rules.calendar
    until = moment.details.until
    reckoned = fixed(until) if until else Reckoning(moment.at, (moment.rules.terms.part,))
    before_lead = calendar.offset(appeal.due, Span(-1, Unit.WORKING_DAYS))
    if before_lead <= moment.at < appeal.due:
        before_lead = calendar.share(moment.at, appeal.due, PART_OF_LEAD)
    if before_lead > moment.at:
        reckoned = reckoned.capped(before_lead)
    return _with_part(moment, PartKind.SHARE, reckoned)


def add_milestone(moment: Moment) -> Fields:
    assert moment.details.until is not None  # the guard looked
    return _with_part(moment, PartKind.MILESTONE, fixed(moment.details.until))


def add_beyond(moment: Moment) -> Fields:
    """超权限: who above the park was asked, and by when an answer is looked for."""
    assert moment.details.until is not None  # the guard looked
    return _with_part(moment, PartKind.BEYOND, fixed(moment.details.until))


def add_order(moment: Moment) -> Fields:
    assert moment.details.until is not None  # the guard looked
    return _with_part(moment, PartKind.ORDER, fixed(moment.details.until))


def _changed(moment: Moment, **fields: Any) -> Fields:
    """The named part, changed."""
    parts = (replace(part, **fields) if part.n == moment.details.part else part for part in moment.appeal.parts)
    return {"parts": tuple(parts)}


def acknowledge_part(moment: Moment) -> Fields:
    return _changed(moment, acknowledged_at=moment.at)


def progress_part(moment: Moment) -> Fields:
    return _changed(moment, progress_at=moment.at)


def end_part(outcome: Outcome) -> Callable[[Moment], Fields]:
    """The named part ends so."""
    return lambda moment: _changed(moment, outcome=outcome, ended_at=moment.at)


def answer_orders(moment: Moment) -> Fields:
    """Whoever gave an order hears now what became of it."""
    parts = moment.appeal.parts
    if not any(_is_order(part) for part in parts):
        return {}
    return {"parts": tuple(part.ended(Outcome.DONE, moment.at) if _is_order(part) else part for part in parts)}


def _is_order(part: Part) -> bool:
    return part.is_open and part.kind is PartKind.ORDER


def unanswered(part: Part) -> Part:
    return replace(part, ended_at=None, outcome=None) if part.kind is PartKind.ORDER else part


def passed_on(part: Part, old: int | None, new: int | None) -> Part:
    """What is over keeps the old name."""
    return replace(part, handler_id=new) if part.is_open and old is not None and part.handler_id == old else part


def resumed(part: Part, pause: Pause, calendar: Calendar) -> Part:
    if not part.is_open:
        return part
    if part.kind is PartKind.MILESTONE:
        return part.ended(Outcome.WAIVED, pause.end)
    return part.paused(pause, calendar)
