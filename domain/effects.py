"""Which fields a step moves besides the status: owners, dates, rounds, verdicts."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from domain.appeal import Satisfaction, Solution, Status
from domain.deadlines import Dates, Pause, Reckoning
from domain.guards import Moment
from domain.part_effects import Fields, add_milestone, add_order, answer_orders, passed_on, resumed, unanswered
from domain.workdays import Calendar, Span, Unit

RULE_WITHIN = Span(0, Unit.WORKING_DAYS)  # the same day


def dated(dates: Dates, calendar: Calendar) -> Fields:
    """The three dates as these reckonings come to by a calendar; one set by others rules where it is the earlier."""
    work = dates.work.deadline(calendar)
    return {
        "dates": dates,
        "dispatch_due": dates.dispatch.deadline(calendar),
        "acknowledge_due": dates.acknowledge.deadline(calendar),
        "due": min(work, dates.hard) if dates.hard else work,
    }


def _redated(moment: Moment, **changed: Any) -> Fields:
    """Dates counted otherwise; what is not named is not looked at, so that it stays as it was said."""
    dates = replace(moment.appeal.dates, **changed)
    names = {"dispatch": "dispatch_due", "acknowledge": "acknowledge_due", "work": "due", "hard": "due"}
    counted = dated(dates, moment.rules.calendar)
    return {"dates": dates, **{names[key]: counted[names[key]] for key in changed}}


def _intake(moment: Moment, term: Span) -> Fields:
    """The office owes a decision once more; the work's date stays as it was."""
    reckoned = Reckoning(moment.at, (term,))
    if moment.appeal.urgent:
        reckoned = reckoned.capped(moment.at, moment.rules.terms.dispatch_urgent)
    return {
        **_redated(moment, dispatch=reckoned),
        "handler_id": None,
        "intake_at": moment.at,
        "handovers": moment.appeal.handovers + 1,
    }


def hand_over(moment: Moment) -> Fields:
    """A new owner answers within a term of his own; the work's date stays as it was.

    For the first owner what was said at intake holds, unless intake itself took longer: lateness is booked to
    whoever held the step.
    """
    appeal, details, terms = moment.appeal, moment.details, moment.rules.terms
    kept = appeal.dispatched_at is None and appeal.acknowledge_due > moment.at
    own = Reckoning(moment.at, (terms.urgent if appeal.urgent else terms.acknowledge,))
    return {
        **({} if kept else _redated(moment, acknowledge=own)),
        "handler_id": details.handler_id,
        "department_id": details.department_id or appeal.department_id,
        "dispatched_at": moment.at,
        "handovers": appeal.handovers + 1,
    }


def change_hands(moment: Moment) -> Fields:
    """A cadre takes a colleague's place in whatever part he had: status, dates and clocks stand as they were."""
    appeal, new, old = moment.appeal, moment.details.handler_id, moment.details.instead_of
    return {
        "handler_id": new if appeal.handler_id == old else appeal.handler_id,
        "liaison_id": new if appeal.liaison_id == old else appeal.liaison_id,
        "parts": tuple(passed_on(part, old, new) for part in appeal.parts),
    }


def rule(moment: Moment) -> Fields:
    return {**hand_over(moment), "ruled": True}


def acknowledge(moment: Moment) -> Fields:
    return {"acknowledged_at": moment.appeal.acknowledged_at or moment.at}


def contact(moment: Moment) -> Fields:
    return {"contacted_at": moment.appeal.contacted_at or moment.at}


def give_back(moment: Moment) -> Fields:
    """The coordinator rules the same day."""
    return {**_intake(moment, RULE_WITHIN), "returns": moment.appeal.returns + 1}


def progress(moment: Moment) -> Fields:
    return {"progress_at": moment.at, **answer_orders(moment)}


def resolve_as(resolution: str) -> Callable[[Moment], Fields]:
    """The handler says done; the firm is asked anew, so its calls and its answer about the solution start anew."""

    def effect(moment: Moment) -> Fields:
        return {
            **answer_orders(moment),
            "resolved_at": moment.at,
            "resolution": resolution,
            "on_time": moment.at <= moment.appeal.due,
            "calls": 0,
            "solution": None,
        }

    return effect


def do_at_once(moment: Moment) -> Fields:
    """即办: taken on, talked over and done in one go; the firm is asked all the same.

    What nobody has been given yet is whoever answers it at intake.
    """
    appeal, now = moment.appeal, moment.at
    at_intake = {"handler_id": moment.by, "dispatched_at": now} if appeal.handler_id is None else {}
    return {
        **resolve_as("resolved")(moment),
        **at_intake,
        "acknowledged_at": appeal.acknowledged_at or now,
        "contacted_at": appeal.contacted_at or now,
    }


def take_back(moment: Moment) -> Fields:
    """A slip of the handler is as if it had not been; what it had answered is owed again."""
    slip = moment.details.slip
    assert slip is not None  # the guard looked
    reopened = tuple(unanswered(part) if part.ended_at == slip.at else part for part in moment.appeal.parts)
    fields: Fields = {"progress_at": slip.progress_at, "parts": reopened}
    if moment.appeal.status is not Status.RESOLVED:
        return fields
    at_intake = {"handler_id": None, "dispatched_at": None} if slip.status is Status.SUBMITTED else {}
    undone = dict.fromkeys(("resolved_at", "resolution", "on_time"))
    before = {"acknowledged_at": slip.acknowledged_at, "contacted_at": slip.contacted_at}
    return {**fields, **undone, **before, **at_intake, "status": slip.status}


def close_as(satisfaction: Satisfaction) -> Callable[[Moment], Fields]:
    def effect(moment: Moment) -> Fields:
        return {"satisfaction": satisfaction, "settled_at": moment.at}

    return effect


def answer(solution: Solution) -> Callable[[Moment], Fields]:
    return lambda _: {"solution": solution}


def rework(moment: Moment) -> Fields:
    """A second round with a date of its own; dissatisfied for the second time goes to the inspector."""
    appeal, rules = moment.appeal, moment.rules
    term = rules.term(appeal.kind, appeal.category, appeal.difficulty)
    return {
        **_redated(moment, work=Reckoning(moment.at, rules.rework_spans(term)), hard=None),
        "satisfaction": Satisfaction.DISSATISFIED,
        "reworks": appeal.reworks + 1,
        "escalated": appeal.reworks >= 1,
        "round": appeal.round + 1,
        "round_started_at": moment.at,
        "resolved_at": None,
        "resolution": None,
        "on_time": None,
        "settled_at": None,
    }


def reopen(moment: Moment) -> Fields:
    return {**rework(moment), "reopened": True}


def order_rework(moment: Moment) -> Fields:
    """The inspector orders it: no verdict of the firm, so none is put down as the firm's."""
    return {**rework(moment), "satisfaction": None, "escalated": False}


def call(moment: Moment) -> Fields:
    """A recorded call without an answer; after the last one the appeal is kept as unrated, never as satisfied."""
    calls = moment.appeal.calls + 1
    if calls < moment.rules.survey.unrated_after_calls:
        return {"calls": calls}
    return {"calls": calls, "status": Status.UNRATED, "settled_at": moment.at}


def suspend(moment: Moment) -> Fields:
    return {
        "previous_status": moment.appeal.status,
        "suspended_at": moment.at,
        "suspended_until": moment.details.until,
    }


def resume(moment: Moment) -> Fields:
    """The deadline moves by the working time that was suspended; the ladder begins a new round.

    Who resumes it after its end changes nothing of when it was over: from then on the clocks run. The dates of the
    parts move too. Milestones end with the long term that they belonged to.
    """
    appeal, calendar = moment.appeal, moment.rules.calendar
    ended = min(moment.at, appeal.suspended_until) if appeal.suspended_until else moment.at
    pause = Pause(appeal.suspended_at or ended, ended)
    return {
        **_redated(moment, work=appeal.dates.work.moved(pause)),
        "status": appeal.previous_status or Status.IN_PROGRESS,
        "previous_status": None,
        "suspended_at": None,
        "suspended_until": None,
        "round": appeal.round + 1,
        "round_started_at": ended,
        "parts": tuple(resumed(part, pause, calendar) for part in appeal.parts),
    }


def extend(moment: Moment) -> Fields:
    """延期: so many working days more, from the date that was; the ladder begins a new round."""
    appeal = moment.appeal
    span = moment.details.span
    assert span is not None  # the guard looked
    return {
        **_redated(moment, work=appeal.dates.work.moved(span)),
        "extensions": appeal.extensions + 1,
        "round": appeal.round + 1,
        "round_started_at": moment.at,
    }


def set_hard_date(moment: Moment) -> Fields:
    """A date that others have set stands beside ours."""
    return _redated(moment, hard=moment.details.until)


def recount(moment: Moment) -> Fields:
    """Another calendar: every date counted again from what it was counted from."""
    appeal, calendar = moment.appeal, moment.rules.calendar
    parts = tuple(part.recounted(calendar) if part.is_open else part for part in appeal.parts)
    return {**dated(appeal.dates, calendar), "parts": parts}


def settle(moment: Moment) -> Fields:
    return {"settled_at": moment.at}


def resubmit(moment: Moment) -> Fields:
    """What was settled comes back, with its dates by the calendar of now: recounts pass by what is settled."""
    return {**recount(moment), **_intake(moment, moment.rules.terms.dispatch), "settled_at": None}


def take_objection(moment: Moment) -> Fields:
    return {**resubmit(moment), "objected": True}


def merge(moment: Moment) -> Fields:
    appeal = moment.appeal
    return {"previous_status": appeal.status, "merged_into": moment.details.merged_into, "settled_at": moment.at}


def unmerge(moment: Moment) -> Fields:
    status = moment.appeal.previous_status or Status.SUBMITTED
    return {**recount(moment), "status": status, "previous_status": None, "merged_into": None, "settled_at": None}


def urge(moment: Moment) -> Fields:
    return {"urges": moment.appeal.urges + 1, "urged_at": moment.at}


def mark_urgent(moment: Moment) -> Fields:
    terms, dates = moment.rules.terms, moment.appeal.dates
    dispatch = dates.dispatch.capped(moment.at, terms.dispatch_urgent)
    acknowledge = dates.acknowledge.capped(moment.at, terms.urgent)
    return {**_redated(moment, dispatch=dispatch, acknowledge=acknowledge), "urgent": True}


def reclassify(moment: Moment) -> Fields:
    """Another category or difficulty counts its own term, from intake on; a rework's date is its own already."""
    appeal, details = moment.appeal, moment.details
    category = details.category or appeal.category
    difficulty = details.difficulty or appeal.difficulty
    fields: Fields = {"category": category, "difficulty": difficulty}
    if appeal.reworks:
        return fields
    term = moment.rules.term(appeal.kind, category, difficulty)
    return {**fields, **_redated(moment, work=replace(appeal.dates.work, spans=(term,)))}


def instruct(moment: Moment) -> Fields:
    """批示: the inspector's lets a matter go on that was rejected twice; a chief's is an order with a date."""
    if moment.appeal.escalated:
        return {"escalated": False, "status": Status.IN_PROGRESS}
    return add_order(moment)


def supervise(moment: Moment) -> Fields:
    """督办: an order with a date, counted."""
    return {**add_order(moment), "supervisions": moment.appeal.supervisions + 1}


def go_long_term(moment: Moment) -> Fields:
    """长期: no deadline holds, its milestones do; the first comes along."""
    return {**suspend(moment), "suspended_until": None, **add_milestone(moment)}
