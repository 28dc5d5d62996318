"""What a table of statuses cannot say about a step: twice at most, within ten working days."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.appeal import Appeal, Details
from domain.deadlines import Reckoning
from domain.errors import Refused
from domain.parts import PartKind
from domain.rules import Difficulty, Rules
from domain.said import Fact
from domain.workdays import Span, Unit

MOST_RETURNS = 2
RETURN_WITHIN = Span(1, Unit.WORKING_DAYS)
REOPEN_WITHIN = Span(10, Unit.WORKING_DAYS)
SAME_DAY = Span(0, Unit.WORKING_DAYS)
EXTEND_BEFORE = Span(-1, Unit.WORKING_DAYS)
MOST_EXTENSIONS = 1
MOST_EXTENSIONS_HARD = 2
LONGEST_SUSPENSION = timedelta(days=180)
LONGEST_PLAN = timedelta(days=3660)
SECOND_THOUGHTS = timedelta(seconds=60)
"""How long a handler can take back what he typed wrongly; until then its message to the firm waits."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What guards and effects look at: the appeal before, who, when, the park's rules, what was given along."""

    appeal: Appeal
    at: datetime
    rules: Rules
    details: Details
    by: int | None = None


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
    appeal, old = moment.appeal, moment.details.instead_of
    works = [part.handler_id for part in appeal.open_parts]
    if old is None or old not in (appeal.handler_id, appeal.liaison_id, *works):
        raise Refused("refused.whom_needed", {"number": moment.appeal.number})


def needs_other_number(moment: Moment) -> None:
    if moment.details.merged_into in (None, "", moment.appeal.number):
        raise Refused("refused.into_needed", {"number": moment.appeal.number})


def is_settled_whose(appeal: Appeal) -> bool:
    """Whether nobody may return the matter any more: the coordinator ruled on it, or it was returned twice."""
    return appeal.ruled or appeal.returns >= MOST_RETURNS


def may_return(moment: Moment) -> None:
    appeal = moment.appeal
    if appeal.ruled:
        raise Refused("refused.ruled", {"number": appeal.number})
    if not moment.details.unit:
        raise Refused("refused.proposal_needed", {"number": appeal.number})
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


# Dates ----------------------------------------------------------------------------------------------------------------
def may_extend(moment: Moment) -> None:
    """Once, twice where it is hard; asked a working day before the date; never beyond the park's most, nor a date set
    by others.
    """
    not_escalated(moment)
    appeal, span = moment.appeal, moment.details.span
    here: dict[str, Fact] = {"number": appeal.number, "title": appeal.title}
    date: dict[str, Fact] = {"due": appeal.due, "provisional": moment.rules.provisional(appeal.due)}
    if span is None or span.amount <= 0:
        raise Refused("refused.days_needed", here)
    most = MOST_EXTENSIONS_HARD if appeal.difficulty is Difficulty.HARD else MOST_EXTENSIONS
    if appeal.extensions >= most:
        raise Refused("refused.extended_already", {**here, **date, "most": most})
    last = moment.rules.calendar.offset(appeal.due, EXTEND_BEFORE)
    if (moment.details.asked_at or moment.at) > last:
        raise Refused("refused.extension_too_late", {**here, **date, "last": last})
    _within_the_most(moment, appeal.dates.work.moved(span))


def latest_extension(appeal: Appeal, rules: Rules) -> datetime:
    """The last date to which the work may be extended, to the end of that day; time on hold does not count."""
    work, calendar = appeal.dates.work, rules.calendar
    most = Reckoning(work.start, (rules.terms.extension_total,), work.pauses()).deadline(calendar)
    most = max(most, calendar.add(calendar.day_start(most), SAME_DAY))
    return min(most, appeal.dates.hard) if appeal.dates.hard else most


def may_reclassify(moment: Moment) -> None:
    """What was extended does not get more than the most by another category or difficulty either."""
    appeal, details = moment.appeal, moment.details
    if not appeal.extensions or appeal.reworks:
        return
    category, difficulty = details.category or appeal.category, details.difficulty or appeal.difficulty
    term = moment.rules.term(appeal.kind, category, difficulty)
    _within_the_most(moment, replace(appeal.dates.work, spans=(term,)))


def _within_the_most(moment: Moment, extended: Reckoning) -> None:
    latest = latest_extension(moment.appeal, moment.rules)
    if extended.deadline(moment.rules.calendar) > latest:
        here = {"number": moment.appeal.number, "title": moment.appeal.title}
        raise Refused("refused.extension_beyond", {**here, "latest": latest})


def _needs_later(moment: Moment, longest: timedelta) -> None:
    until = moment.details.until
    if until is None or until <= moment.at:
        raise Refused("refused.date_needed", {"number": moment.appeal.number})
    if until > moment.at + longest:
        raise Refused("refused.date_too_far", {"number": moment.appeal.number, "most": longest.days})


def may_suspend(moment: Moment) -> None:
    """A suspension says when it ends; what takes longer is a long-term matter."""
    not_escalated(moment)
    _needs_later(moment, LONGEST_SUSPENSION)


def may_plan(moment: Moment) -> None:
    """A milestone, or what was asked of those above, has a date."""
    not_escalated(moment)
    _needs_later(moment, LONGEST_PLAN)


def may_order(moment: Moment) -> None:
    """督办 and 批示 name the day by which an answer is looked for."""
    _needs_later(moment, LONGEST_PLAN)


def may_instruct(moment: Moment) -> None:
    if not moment.appeal.escalated:
        may_order(moment)


def may_set_hard_date(moment: Moment) -> None:
    _needs_later(moment, LONGEST_PLAN)


# Parts ----------------------------------------------------------------------------------------------------------------
def may_share(moment: Moment) -> None:
    """Somebody else than the lead, and no unit that works on a part of it already."""
    not_escalated(moment)
    appeal, details = moment.appeal, moment.details
    if appeal.sealed:
        raise Refused("refused.sealed_share", {"number": appeal.number})
    if not details.unit or not details.title:
        raise Refused("refused.part_needs_unit", {"number": appeal.number})
    if details.handler_id is not None and details.handler_id == appeal.handler_id:
        raise Refused("refused.part_of_lead", {"number": appeal.number, "unit": details.unit})
    if any(part.unit == details.unit and part.kind is PartKind.SHARE for part in appeal.open_parts):
        raise Refused("refused.part_given", {"number": appeal.number, "unit": details.unit})
    if details.until is not None and not moment.at < details.until <= max(appeal.due, moment.at):
        provisional = moment.rules.provisional(appeal.due, briefly=True)
        facts: dict[str, Fact] = {"number": appeal.number, "due": appeal.due, "provisional": provisional}
        raise Refused("refused.part_after_lead", facts)


def has_open(*kinds: PartKind) -> Callable[[Moment], None]:
    """The part named is of this kind, and somebody still works on it."""

    def guard(moment: Moment) -> None:
        part = moment.appeal.part(moment.details.part or 0)
        if part is None or not part.is_open or part.kind not in kinds:
            raise Refused("refused.no_such_part", {"number": moment.appeal.number})

    return guard


def may_finish(moment: Moment) -> None:
    """The lead cannot finish while others still work on their parts; the coordinator may waive a part."""
    not_escalated(moment)
    open_shares = [part for part in moment.appeal.open_parts if part.kind is PartKind.SHARE]
    if open_shares:
        units = "、".join(part.unit for part in open_shares)
        raise Refused("refused.part_open", {"number": moment.appeal.number, "units": units})


def may_take_back(moment: Moment) -> None:
    """His own slip, within a minute, if nothing has happened since."""
    slip = moment.details.slip
    if slip is None or slip.by != moment.by or moment.at >= slip.at + SECOND_THOUGHTS:
        raise Refused("refused.nothing_to_take_back", {"number": moment.appeal.number})
