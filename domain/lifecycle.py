"""The life cycle as a table of steps, and take(): the only way in which an appeal changes.

Every row names the statuses that a step may leave and the one it leads to; guards.py holds what a table cannot say
(twice at most, within ten working days), effects.py which other fields move, access.py who may take a step.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from domain import effects, guards, ladder, part_effects
from domain.appeal import (
    NOTHING,
    OPEN,
    WORKING,
    Appeal,
    Change,
    Details,
    Satisfaction,
    Solution,
    Source,
    Status,
)
from domain.deadlines import Dates, Reckoning
from domain.errors import Refused
from domain.guards import Moment
from domain.ladder import Due
from domain.part_effects import Fields
from domain.parts import Outcome, PartKind
from domain.rules import Difficulty, Kind, Rules
from domain.said import Fact, Said
from domain.verbs import Verb


def _no_effect(_: Moment) -> Fields:
    return {}


def _no_guard(_: Moment) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table: `target` None means that the status stays. An effect may lead back instead: resuming."""

    verb: Verb
    sources: frozenset[Status]
    target: Status | None
    effect: Callable[[Moment], Fields] = _no_effect
    guard: Callable[[Moment], None] = _no_guard
    needs_text: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """What an appeal is made of before it has a number's first event."""

    number: str
    kind: Kind
    title: str
    text: str
    category: str
    enterprise_id: int
    contact_id: int | None
    liaison_id: int | None
    source: Source
    origin_chat_id: int | None = None
    recorded_by: int | None = None
    urgent: bool = False
    sealed: bool = False
    difficulty: Difficulty = Difficulty.NORMAL
    attachments: tuple[tuple[str, str], ...] = ()


def submit(draft: Draft, *, by: int | None, at: datetime, rules: Rules) -> Change:
    """The first event of an appeal: its clock starts at intake and never again (`at` may lie in the past)."""
    terms = rules.terms
    dates = Dates(
        dispatch=Reckoning(at, (terms.dispatch_urgent if draft.urgent else terms.dispatch,)),
        acknowledge=Reckoning(at, (terms.urgent if draft.urgent else terms.acknowledge,)),
        work=Reckoning(at, (rules.term(draft.kind, draft.category, draft.difficulty),)),
    )
    appeal = Appeal(
        id=None,
        number=draft.number,
        version=1,
        kind=draft.kind,
        status=Status.SUBMITTED,
        title=draft.title,
        category=draft.category,
        difficulty=draft.difficulty,
        urgent=draft.urgent,
        sealed=draft.sealed,
        source=draft.source,
        enterprise_id=draft.enterprise_id,
        contact_id=draft.contact_id,
        recorded_by=draft.recorded_by,
        origin_chat_id=draft.origin_chat_id,
        liaison_id=draft.liaison_id,
        handler_id=None,
        department_id=None,
        received_at=at,
        round=1,
        round_started_at=at,
        **effects.dated(dates, rules.calendar),
    )
    appeal = replace(appeal, next_due=ladder.next_due(appeal, rules, at))
    return Change(None, appeal, Verb.FILE, by, at, text=draft.text, attachments=draft.attachments)


def _statuses(*statuses: Status) -> frozenset[Status]:
    return frozenset(statuses)


_ANSWERABLE = _statuses(Status.RESOLVED, Status.UNRATED)
_TRANSFERABLE = _statuses(Status.DISPATCHED, Status.IN_PROGRESS, Status.REWORK)
_DISPATCHABLE = _TRANSFERABLE | {Status.SUBMITTED, Status.RETURNED}
_REWORK = _statuses(Status.REWORK)
_LONG_TERM = _statuses(Status.LONG_TERM)
_SLEEPING = _statuses(Status.SUSPENDED, Status.LONG_TERM)
_SHARED = _TRANSFERABLE | {Status.RETURNED}
_GIVEN = OPEN - {Status.SUBMITTED}
_INSPECTORS = _statuses(Status.CLOSED, Status.CLOSED_DISPUTED)

_ROWS = (
    Step(Verb.DISPATCH, _DISPATCHABLE, Status.DISPATCHED, effects.hand_over, guards.needs_other_handler),
    Step(Verb.RULE, _statuses(Status.RETURNED), Status.DISPATCHED, effects.rule, guards.needs_handler),
    Step(Verb.HAND_OVER, OPEN | {Status.RESOLVED}, None, effects.change_hands, guards.needs_predecessor),
    Step(Verb.DECLINE, _statuses(Status.SUBMITTED), Status.DECLINED, effects.settle, needs_text=True),
    Step(
        Verb.OBJECT,
        _statuses(Status.DECLINED),
        Status.SUBMITTED,
        effects.take_objection,
        guards.not_objected,
        needs_text=True,
    ),
    Step(Verb.ACKNOWLEDGE, _statuses(Status.DISPATCHED), Status.IN_PROGRESS, effects.acknowledge),
    Step(Verb.CONTACTED, _TRANSFERABLE, None, effects.contact),
    Step(
        Verb.RETURN,
        _statuses(Status.DISPATCHED),
        Status.RETURNED,
        effects.give_back,
        guards.may_return,
        needs_text=True,
    ),
    Step(Verb.PROGRESS, WORKING | {Status.SUSPENDED, Status.LONG_TERM}, None, effects.progress, needs_text=True),
    Step(Verb.NOTE, OPEN | {Status.RESOLVED}, None, needs_text=True),
    Step(Verb.REQUEST, OPEN, None, needs_text=True),
    Step(Verb.APPROVE, OPEN, None),
    Step(Verb.DENY, OPEN, None, needs_text=True),
    Step(Verb.RESOLVE, WORKING, Status.RESOLVED, effects.resolve_as("resolved"), guards.may_finish, needs_text=True),
    Step(Verb.EXPLAIN, WORKING, Status.RESOLVED, effects.resolve_as("explained"), guards.may_finish, needs_text=True),
    Step(
        Verb.INSTANT,
        _TRANSFERABLE | {Status.SUBMITTED},
        Status.RESOLVED,
        effects.do_at_once,
        guards.may_finish,
        needs_text=True,
    ),
    Step(Verb.TAKE_BACK, WORKING | _SLEEPING | {Status.RESOLVED}, None, effects.take_back, guards.may_take_back),
    Step(Verb.EXTEND, WORKING, None, effects.extend, guards.may_extend, needs_text=True),
    Step(Verb.SUSPEND, WORKING, Status.SUSPENDED, effects.suspend, guards.may_suspend, needs_text=True),
    Step(Verb.AGREE, WORKING, Status.LONG_TERM, effects.go_long_term, guards.may_plan),
    Step(Verb.DISAGREE, WORKING, None),
    Step(Verb.MILESTONE, _LONG_TERM, None, part_effects.add_milestone, guards.may_plan),
    Step(
        Verb.MILESTONE_DONE,
        _LONG_TERM,
        None,
        part_effects.end_part(Outcome.DONE),
        guards.has_open(PartKind.MILESTONE),
        needs_text=True,
    ),
    Step(Verb.HARD_DATE, OPEN, None, effects.set_hard_date, guards.may_set_hard_date, needs_text=True),
    Step(Verb.RECOUNT, OPEN, None, effects.recount),
    Step(Verb.RESUME, _statuses(Status.SUSPENDED, Status.LONG_TERM), Status.IN_PROGRESS, effects.resume),
    Step(Verb.SATISFIED, _ANSWERABLE, Status.CLOSED, effects.close_as(Satisfaction.SATISFIED)),
    Step(Verb.FAIRLY_SATISFIED, _ANSWERABLE, Status.CLOSED, effects.close_as(Satisfaction.FAIRLY_SATISFIED)),
    Step(Verb.DISSATISFIED, _ANSWERABLE, Status.REWORK, effects.rework, needs_text=True),
    Step(
        Verb.DISSATISFIED, _statuses(Status.CLOSED), Status.REWORK, effects.reopen, guards.not_reopened, needs_text=True
    ),
    Step(Verb.SOLVED, _ANSWERABLE | {Status.CLOSED}, None, effects.answer(Solution.SOLVED)),
    Step(Verb.PARTLY_SOLVED, _ANSWERABLE | {Status.CLOSED}, None, effects.answer(Solution.PARTLY_SOLVED)),
    Step(Verb.UNSOLVED, _ANSWERABLE | {Status.CLOSED}, None, effects.answer(Solution.UNSOLVED)),
    Step(Verb.FOLLOW_UP, _statuses(Status.RESOLVED), None, effects.call),
    Step(Verb.REWORK, _INSPECTORS, Status.REWORK, effects.order_rework, needs_text=True),
    Step(Verb.INSTRUCT, _GIVEN, None, effects.instruct, guards.may_instruct, needs_text=True),
    Step(Verb.SUPERVISE, _GIVEN, None, effects.supervise, guards.may_order, needs_text=True),
    Step(Verb.REFER, _GIVEN, None, needs_text=True),
    Step(Verb.READ, _GIVEN | {Status.RESOLVED}, None),
    Step(Verb.ASSIST, _TRANSFERABLE, None, part_effects.add_share, guards.may_share, needs_text=True),
    Step(Verb.BEYOND, WORKING, None, part_effects.add_beyond, guards.may_plan, needs_text=True),
    Step(
        Verb.PART_ACKNOWLEDGE,
        _SHARED,
        None,
        part_effects.acknowledge_part,
        guards.has_open(PartKind.SHARE),
    ),
    Step(
        Verb.PART_PROGRESS,
        _SHARED,
        None,
        part_effects.progress_part,
        guards.has_open(PartKind.SHARE, PartKind.BEYOND),
        needs_text=True,
    ),
    Step(
        Verb.PART_DONE,
        _SHARED,
        None,
        part_effects.end_part(Outcome.DONE),
        guards.has_open(PartKind.SHARE, PartKind.BEYOND),
        needs_text=True,
    ),
    Step(
        Verb.PART_RETURN,
        _SHARED,
        None,
        part_effects.end_part(Outcome.RETURNED),
        guards.has_open(PartKind.SHARE),
        needs_text=True,
    ),
    Step(
        Verb.WAIVE,
        _SHARED | {Status.SUSPENDED},
        None,
        part_effects.end_part(Outcome.WAIVED),
        guards.has_open(PartKind.SHARE, PartKind.BEYOND),
        needs_text=True,
    ),
    Step(Verb.SLIP, _SHARED, None, guard=guards.has_open(PartKind.SHARE)),
    Step(Verb.CLOSE_DISPUTED, _REWORK, Status.CLOSED_DISPUTED, effects.settle, guards.is_escalated, needs_text=True),
    Step(
        Verb.WITHDRAW,
        _statuses(Status.SUBMITTED, Status.DISPATCHED, Status.IN_PROGRESS),
        Status.WITHDRAWN,
        effects.settle,
    ),
    Step(Verb.UNDO, _statuses(Status.WITHDRAWN), Status.SUBMITTED, effects.resubmit, guards.within_ten_days),
    Step(
        Verb.MERGE,
        _statuses(Status.SUBMITTED, Status.IN_PROGRESS),
        Status.MERGED,
        effects.merge,
        guards.needs_other_number,
    ),
    Step(Verb.UNMERGE, _statuses(Status.MERGED), Status.SUBMITTED, effects.unmerge),
    Step(Verb.SUPPLEMENT, OPEN | {Status.RESOLVED}, None),
    Step(Verb.URGE, OPEN, None, effects.urge),
    Step(Verb.URGENT, OPEN, None, effects.mark_urgent),
    Step(
        Verb.RECATEGORISE,
        _statuses(Status.SUBMITTED, Status.DISPATCHED, Status.RETURNED, Status.IN_PROGRESS),
        None,
        effects.reclassify,
        guards.may_reclassify,
    ),
    Step(Verb.DIFFICULTY, _DISPATCHABLE, None, effects.reclassify, guards.may_reclassify),
)

STEPS: Mapping[tuple[Verb, Status], Step] = {(row.verb, source): row for row in _ROWS for source in row.sources}


def open_to(verb: Verb) -> frozenset[Status]:
    """The statuses in which a step can be taken at all; empty for verbs that are no step."""
    return frozenset(status for step, status in STEPS if step is verb)


def take(
    appeal: Appeal, verb: Verb, *, by: int | None, at: datetime, rules: Rules, details: Details = NOTHING
) -> Change:
    """Take one step: the appeal as it will be, one version further, or Refused with the reason."""
    step = step_of(appeal, verb)
    if step.needs_text and not details.text.strip():
        raise Refused("refused.text_needed", {"number": appeal.number, "verb": Said(f"verb.{verb}")})
    moment = Moment(appeal, at, rules, details, by)
    step.guard(moment)
    fields = {"status": step.target or appeal.status, **step.effect(moment), "version": appeal.version + 1}
    after = replace(appeal, **fields)
    after = replace(after, next_due=_next_look(appeal, after, rules, at))
    given = _given(appeal, after, details)
    return Change(appeal, after, verb, by, at, details.text.strip(), details.facts, details.attachments, given)


def _given(before: Appeal, after: Appeal, details: Details) -> Mapping[str, Fact]:
    """The dates and lengths that a step was given, the part of the work that it made, and who took whose place."""
    given: dict[str, Fact] = {"until": details.until, "days": details.span.amount if details.span else None}
    if details.instead_of is not None:
        given |= {"instead_of_id": details.instead_of, "taker_id": details.handler_id}
    for part in after.parts[len(before.parts) :]:
        given |= {"part": part.n, "unit": part.unit or None, "part_due": part.due}
        given |= {"co_handler_id": part.handler_id, "co_department_id": part.department_id}
    return {name: value for name, value in given.items() if value is not None}


def step_of(appeal: Appeal, verb: Verb) -> Step:
    """The row by which a verb leaves the appeal's status; Refused, with the status it is in, where there is none."""
    step = STEPS.get((verb, appeal.status))
    if step is None:
        raise _wrong_status(appeal, verb)
    return step


def _wrong_status(appeal: Appeal, verb: Verb) -> Refused:
    here: dict[str, Fact] = {"number": appeal.number, "title": appeal.title}
    return Refused("refused.status", {**here, "status": Said(f"status.{appeal.status}"), "verb": Said(f"verb.{verb}")})


def _next_look(before: Appeal, after: Appeal, rules: Rules, at: datetime) -> datetime | None:
    """When the clock looks next: at once where a rung was reached that it has not looked at yet.

    Either it has had no time so far, or this step itself brought the rung, as a date that moves into the past does.
    """
    reached = _names(ladder.reached(after, rules, at))
    unseen = before.next_due is not None and before.next_due <= at
    if reached and (unseen or not reached <= _names(ladder.reached(before, rules, at))):
        return at
    return ladder.next_due(after, rules, at)


def _names(rungs: Iterable[Due]) -> frozenset[tuple[str, int, str]]:
    """Clock, round and label."""
    return frozenset((due.running.name, due.running.round, due.rung.label) for due in rungs)
