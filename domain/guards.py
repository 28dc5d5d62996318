"""What a table of statuses cannot say about a step: twice at most, within ten working days."""

from dataclasses import dataclass
from datetime import datetime

from domain.appeal import Appeal, Details
from domain.errors import Refused
from domain.rules import Rules
from domain.workdays import Span, Unit

MOST_RETURNS = 2
RETURN_WITHIN = Span(1, Unit.WORKING_DAYS)
REOPEN_WITHIN = Span(10, Unit.WORKING_DAYS)


@dataclass(frozen=True, slots=True)
class Moment:
    """What guards and effects look at: the appeal before, the moment, the park's rules, what was given along."""

    appeal: Appeal
    at: datetime
    rules: Rules
    details: Details


def needs_handler(moment: Moment) -> None:
    if moment.details.handler_id is None:
        raise Refused("refused.whom_needed", {"number": moment.appeal.number})


def needs_other_handler(moment: Moment) -> None:
    """A hand-over starts a term of its own, so it must be one; and what waits for the inspector stays where it is."""
    needs_handler(moment)
    not_escalated(moment)
    if moment.details.handler_id == moment.appeal.handler_id:
        raise Refused("refused.same_owner", {"number": moment.appeal.number})


def needs_predecessor(moment: Moment) -> None:
    """Only who has a part in a matter can pass it on."""
    needs_handler(moment)
    old = moment.details.instead_of
    if old is None or old not in (moment.appeal.handler_id, moment.appeal.liaison_id):
        raise Refused("refused.whom_needed", {"number": moment.appeal.number})


def needs_other_number(moment: Moment) -> None:
    if moment.details.merged_into in (None, "", moment.appeal.number):
        raise Refused("refused.into_needed", {"number": moment.appeal.number})


def may_return(moment: Moment) -> None:
    appeal = moment.appeal
    if appeal.ruled:
        raise Refused("refused.ruled", {"number": appeal.number})
    if appeal.returns >= MOST_RETURNS:
        raise Refused("refused.returned_twice", {"number": appeal.number})
    last = moment.rules.calendar.add(appeal.dispatched_at or appeal.received_at, RETURN_WITHIN)
    if moment.at > last:
        raise Refused("refused.return_too_late", {"number": appeal.number, "last": last})


def within_ten_days(moment: Moment) -> None:
    settled = moment.appeal.settled_at or moment.at
    last = moment.rules.calendar.add(settled, REOPEN_WITHIN)
    if moment.at > last:
        raise Refused("refused.too_late", {"number": moment.appeal.number, "last": last})


def not_reopened(moment: Moment) -> None:
    if moment.appeal.reopened:
        raise Refused("refused.reopened_once", {"number": moment.appeal.number})
    within_ten_days(moment)


def not_objected(moment: Moment) -> None:
    if moment.appeal.objected:
        raise Refused("refused.objected_once", {"number": moment.appeal.number})


def is_escalated(moment: Moment) -> None:
    if not moment.appeal.escalated:
        raise Refused("refused.not_escalated", {"number": moment.appeal.number})


def not_escalated(moment: Moment) -> None:
    if moment.appeal.escalated:
        raise Refused("refused.awaits_inspector", {"number": moment.appeal.number})
