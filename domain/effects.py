"""Which fields a step moves besides the status: owners, dates, rounds, verdicts."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from domain.appeal import Satisfaction, Solution, Status
from domain.guards import Moment
from domain.workdays import Calendar, Span, Unit

RULE_WITHIN = Span(0, Unit.WORKING_DAYS)  # the same day

Fields = Mapping[str, Any]


def _intake(moment: Moment, term: Span) -> Fields:
    """The office owes a decision once more; the work's date stays as it was."""
    appeal, calendar = moment.appeal, moment.rules.calendar
    due = calendar.add(moment.at, term)
    if appeal.urgent:
        due = min(due, calendar.add(moment.at, moment.rules.terms.dispatch_urgent))
    return {
        "handler_id": None,
        "dispatch_due": due,
        "intake_at": moment.at,
        "handovers": appeal.handovers + 1,
    }


def hand_over(moment: Moment) -> Fields:
    """A new owner answers within a term of his own; the work's date stays as it was.

    For the first owner what was said at intake holds, unless intake itself took longer: lateness is booked to
    whoever held the step.
    """
    appeal, details = moment.appeal, moment.details
    kept = appeal.dispatched_at is None and appeal.acknowledge_due > moment.at
    term = moment.rules.terms.urgent if appeal.urgent else moment.rules.terms.acknowledge
    return {
        "handler_id": details.handler_id,
        "department_id": details.department_id or appeal.department_id,
        "dispatched_at": moment.at,
        "acknowledge_due": appeal.acknowledge_due if kept else moment.rules.calendar.add(moment.at, term),
        "handovers": appeal.handovers + 1,
    }


def change_hands(moment: Moment) -> Fields:
    """A cadre takes a colleague's place in whatever part he had: status, dates and clocks stand as they were."""
    appeal, details = moment.appeal, moment.details
    new, old = details.handler_id, details.instead_of
    return {
        "handler_id": new if appeal.handler_id == old else appeal.handler_id,
        "liaison_id": new if appeal.liaison_id == old else appeal.liaison_id,
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
    return {"progress_at": moment.at}


def resolve_as(resolution: str) -> Callable[[Moment], Fields]:
    """The handler says done; the firm is asked anew, so its calls and its answer about the solution start anew."""

    def effect(moment: Moment) -> Fields:
        return {
            "resolved_at": moment.at,
            "resolution": resolution,
            "on_time": moment.at <= moment.appeal.due,
            "calls": 0,
            "solution": None,
        }

    return effect


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
        "satisfaction": Satisfaction.DISSATISFIED,
        "reworks": appeal.reworks + 1,
        "escalated": appeal.reworks >= 1,
        "round": appeal.round + 1,
        "round_started_at": moment.at,
        "due": rules.rework_due(term, moment.at),
        "resolved_at": None,
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
    return {"previous_status": moment.appeal.status, "suspended_at": moment.at}


def resume(moment: Moment) -> Fields:
    """The deadline moves by the working time that was suspended; the ladder begins a new round."""
    appeal, calendar = moment.appeal, moment.rules.calendar
    lost = calendar.worked(appeal.suspended_at or moment.at, moment.at)
    return {
        "status": appeal.previous_status or Status.IN_PROGRESS,
        "previous_status": None,
        "suspended_at": None,
        "due": _later(calendar, appeal.due, lost),
        "round": appeal.round + 1,
        "round_started_at": moment.at,
    }


def _later(calendar: Calendar, due: datetime, lost: timedelta) -> datetime:
    """A deadline moved by so much working time, in whole seconds."""
    return calendar.add(due, Span(int(lost.total_seconds()), Unit.WORKING_HOURS)) if lost else due


def settle(moment: Moment) -> Fields:
    return {"settled_at": moment.at}


def resubmit(moment: Moment) -> Fields:
    return {**_intake(moment, moment.rules.terms.dispatch), "settled_at": None}


def take_objection(moment: Moment) -> Fields:
    return {**resubmit(moment), "objected": True}


def merge(moment: Moment) -> Fields:
    appeal = moment.appeal
    return {"previous_status": appeal.status, "merged_into": moment.details.merged_into, "settled_at": moment.at}


def unmerge(moment: Moment) -> Fields:
    status = moment.appeal.previous_status or Status.SUBMITTED
    return {"status": status, "previous_status": None, "merged_into": None, "settled_at": None}


def urge(moment: Moment) -> Fields:
    return {"urges": moment.appeal.urges + 1, "urged_at": moment.at}


def mark_urgent(moment: Moment) -> Fields:
    appeal, terms, add = moment.appeal, moment.rules.terms, moment.rules.calendar.add
    return {
        "urgent": True,
        "dispatch_due": min(appeal.dispatch_due, add(moment.at, terms.dispatch_urgent)),
        "acknowledge_due": min(appeal.acknowledge_due, add(moment.at, terms.urgent)),
    }


def reclassify(moment: Moment) -> Fields:
    """Another category or difficulty counts its own term, from intake on; a rework's date is its own already."""
    appeal, details = moment.appeal, moment.details
    category = details.category or appeal.category
    difficulty = details.difficulty or appeal.difficulty
    fields: Fields = {"category": category, "difficulty": difficulty}
    if appeal.reworks:
        return fields
    calendar = moment.rules.calendar
    was = calendar.add(appeal.received_at, moment.rules.term(appeal.kind, appeal.category, appeal.difficulty))
    new = calendar.add(appeal.received_at, moment.rules.term(appeal.kind, category, difficulty))
    return {**fields, "due": _later(calendar, new, calendar.worked(was, appeal.due))}


def decide(moment: Moment) -> Fields:
    return {"escalated": False}
