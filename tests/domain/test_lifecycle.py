"""The life cycle row by row: what each status lets whom do, where it leads, and what never moves."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain import lifecycle
from domain.appeal import Appeal, Details, Satisfaction, Solution, Status
from domain.deadlines import Reckoning, fixed
from domain.lifecycle import open_to, take
from domain.parts import Part, PartKind
from domain.rules import Difficulty, Kind
from domain.verbs import Verb
from domain.workdays import parse_span
from tests.domain.walking import (
    BUILDING,
    CO_HANDLER,
    DONE,
    HANDLER,
    MONDAY,
    OTHER,
    RULES,
    WORK,
    filed,
    refusal,
    step,
    walk,
)
from tests.making import civil, make_rules

# Every status with every step that may leave or touch it, and the status it then has: DOMAIN's table, flag by flag.
_WHILE_OPEN = (
    Verb.HAND_OVER,
    Verb.NOTE,
    Verb.REQUEST,
    Verb.APPROVE,
    Verb.DENY,
    Verb.HARD_DATE,
    Verb.RECOUNT,
    Verb.SUPPLEMENT,
    Verb.URGE,
    Verb.URGENT,
)
_ONCE_GIVEN = (Verb.SUPERVISE, Verb.INSTRUCT, Verb.REFER, Verb.READ)
_OF_A_SHARE = (Verb.PART_ACKNOWLEDGE, Verb.PART_PROGRESS, Verb.PART_DONE, Verb.PART_RETURN, Verb.WAIVE, Verb.SLIP)
_AT_WORK = (
    *_WHILE_OPEN,
    *_ONCE_GIVEN,
    *_OF_A_SHARE,
    Verb.CONTACTED,
    Verb.PROGRESS,
    Verb.EXTEND,
    Verb.DISAGREE,
    Verb.ASSIST,
    Verb.BEYOND,
    Verb.DIFFICULTY,
    Verb.TAKE_BACK,
)
STAYS: Mapping[Status, tuple[Verb, ...]] = {
    Status.SUBMITTED: (*_WHILE_OPEN, Verb.RECATEGORISE, Verb.DIFFICULTY),
    Status.DISPATCHED: (
        *_WHILE_OPEN,
        *_ONCE_GIVEN,
        *_OF_A_SHARE,
        Verb.CONTACTED,
        Verb.ASSIST,
        Verb.RECATEGORISE,
        Verb.DIFFICULTY,
    ),
    Status.RETURNED: (*_WHILE_OPEN, *_ONCE_GIVEN, *_OF_A_SHARE, Verb.RECATEGORISE, Verb.DIFFICULTY),
    Status.IN_PROGRESS: (*_AT_WORK, Verb.RECATEGORISE),
    Status.SUSPENDED: (*_WHILE_OPEN, *_ONCE_GIVEN, Verb.PROGRESS, Verb.TAKE_BACK, Verb.WAIVE),
    Status.LONG_TERM: (
        *_WHILE_OPEN,
        *_ONCE_GIVEN,
        Verb.PROGRESS,
        Verb.TAKE_BACK,
        Verb.MILESTONE,
        Verb.MILESTONE_DONE,
    ),
    Status.RESOLVED: (
        Verb.HAND_OVER,
        Verb.NOTE,
        Verb.READ,
        Verb.SUPPLEMENT,
        Verb.SOLVED,
        Verb.PARTLY_SOLVED,
        Verb.UNSOLVED,
        Verb.FOLLOW_UP,
    ),
    Status.UNRATED: (Verb.SOLVED, Verb.PARTLY_SOLVED, Verb.UNSOLVED),
    Status.REWORK: _AT_WORK,
    Status.CLOSED: (Verb.SOLVED, Verb.PARTLY_SOLVED, Verb.UNSOLVED),
    Status.CLOSED_DISPUTED: (),
    Status.DECLINED: (),
    Status.WITHDRAWN: (),
    Status.MERGED: (),
}
LEADS: Mapping[Status, Mapping[Verb, Status]] = {
    Status.SUBMITTED: {
        Verb.DISPATCH: Status.DISPATCHED,
        Verb.INSTANT: Status.RESOLVED,  # answered at intake
        Verb.DECLINE: Status.DECLINED,
        Verb.MERGE: Status.MERGED,
        Verb.WITHDRAW: Status.WITHDRAWN,
    },
    Status.DISPATCHED: {
        Verb.ACKNOWLEDGE: Status.IN_PROGRESS,
        Verb.INSTANT: Status.RESOLVED,
        Verb.RETURN: Status.RETURNED,
        Verb.DISPATCH: Status.DISPATCHED,
        Verb.WITHDRAW: Status.WITHDRAWN,
    },
    Status.RETURNED: {Verb.DISPATCH: Status.DISPATCHED, Verb.RULE: Status.DISPATCHED},
    Status.IN_PROGRESS: {
        Verb.RESOLVE: Status.RESOLVED,
        Verb.EXPLAIN: Status.RESOLVED,
        Verb.INSTANT: Status.RESOLVED,
        Verb.SUSPEND: Status.SUSPENDED,
        Verb.AGREE: Status.LONG_TERM,
        Verb.DISPATCH: Status.DISPATCHED,
        Verb.WITHDRAW: Status.WITHDRAWN,
        Verb.MERGE: Status.MERGED,
    },
    Status.SUSPENDED: {Verb.RESUME: Status.IN_PROGRESS},
    Status.LONG_TERM: {Verb.RESUME: Status.IN_PROGRESS},
    Status.RESOLVED: {
        Verb.SATISFIED: Status.CLOSED,
        Verb.FAIRLY_SATISFIED: Status.CLOSED,
        Verb.DISSATISFIED: Status.REWORK,
        Verb.TAKE_BACK: Status.IN_PROGRESS,
    },
    Status.UNRATED: {
        Verb.SATISFIED: Status.CLOSED,
        Verb.FAIRLY_SATISFIED: Status.CLOSED,
        Verb.DISSATISFIED: Status.REWORK,
    },
    Status.REWORK: {
        Verb.RESOLVE: Status.RESOLVED,
        Verb.EXPLAIN: Status.RESOLVED,
        Verb.INSTANT: Status.RESOLVED,
        Verb.SUSPEND: Status.SUSPENDED,
        Verb.AGREE: Status.LONG_TERM,
        Verb.DISPATCH: Status.DISPATCHED,
    },
    Status.CLOSED: {Verb.DISSATISFIED: Status.REWORK, Verb.REWORK: Status.REWORK},
    Status.CLOSED_DISPUTED: {Verb.REWORK: Status.REWORK},
    Status.DECLINED: {Verb.OBJECT: Status.SUBMITTED},
    Status.WITHDRAWN: {Verb.UNDO: Status.SUBMITTED},
    Status.MERGED: {Verb.UNMERGE: Status.SUBMITTED},
}
ESCALATED = {Verb.INSTRUCT: Status.IN_PROGRESS, Verb.CLOSE_DISPUTED: Status.CLOSED_DISPUTED}
WORDLESS = frozenset(
    {
        Verb.HAND_OVER,
        Verb.DISPATCH,
        Verb.RULE,
        Verb.ACKNOWLEDGE,
        Verb.CONTACTED,
        Verb.RESUME,
        Verb.SATISFIED,
        Verb.FAIRLY_SATISFIED,
        Verb.SOLVED,
        Verb.PARTLY_SOLVED,
        Verb.UNSOLVED,
        Verb.FOLLOW_UP,
        Verb.WITHDRAW,
        Verb.UNDO,
        Verb.MERGE,
        Verb.UNMERGE,
        Verb.SUPPLEMENT,
        Verb.URGE,
        Verb.URGENT,
        Verb.RECATEGORISE,
        Verb.DIFFICULTY,
        Verb.APPROVE,
        Verb.TAKE_BACK,
        Verb.AGREE,
        Verb.DISAGREE,
        Verb.MILESTONE,
        Verb.RECOUNT,
        Verb.READ,
        Verb.PART_ACKNOWLEDGE,
        Verb.SLIP,
    }
)


WAYS: Mapping[Status, tuple[Verb, ...]] = {
    Status.SUBMITTED: (),
    Status.DISPATCHED: (Verb.DISPATCH,),
    Status.RETURNED: (Verb.DISPATCH, Verb.RETURN),
    Status.IN_PROGRESS: WORK,
    Status.SUSPENDED: (*WORK, Verb.SUSPEND),
    Status.LONG_TERM: (*WORK, Verb.AGREE),
    Status.RESOLVED: DONE,
    Status.UNRATED: (*DONE, Verb.FOLLOW_UP, Verb.FOLLOW_UP, Verb.FOLLOW_UP),
    Status.REWORK: (*DONE, Verb.DISSATISFIED),
    Status.CLOSED: (*DONE, Verb.SATISFIED),
    Status.CLOSED_DISPUTED: (*DONE, Verb.DISSATISFIED, Verb.RESOLVE, Verb.DISSATISFIED, Verb.CLOSE_DISPUTED),
    Status.DECLINED: (Verb.DECLINE,),
    Status.WITHDRAWN: (Verb.WITHDRAW,),
    Status.MERGED: (Verb.MERGE,),
}
TWICE_DISSATISFIED = (*DONE, Verb.DISSATISFIED, Verb.RESOLVE, Verb.DISSATISFIED)
CELLS = [(status, verb) for status in Status for verb in Verb]


SHARE = Part(90, PartKind.SHARE, "出具意见", "建设局", BUILDING, CO_HANDLER, MONDAY, fixed(MONDAY), MONDAY)


def at_hand(verb: Verb, *way: Verb) -> Appeal:
    """An appeal that went this way, with an open share of the work if the step is one of a share's."""
    appeal = walk(*way)
    return replace(appeal, parts=(*appeal.parts, SHARE)) if verb in _OF_A_SHARE else appeal


# The table ----------------------------------------------------------------------------------------------------------
def test_the_ways_lead_to_every_status() -> None:
    assert {status: walk(*way).status for status, way in WAYS.items()} == {status: status for status in Status}


@pytest.mark.parametrize("status,verb", CELLS)
def test_each_verb_leads_where_the_table_says_or_is_refused(status: Status, verb: Verb) -> None:
    appeal = at_hand(verb, *WAYS[status])
    others: dict[str, Any] = {"handler_id": OTHER} if verb is Verb.DISPATCH else {}
    if verb in LEADS[status]:
        assert step(appeal, verb, **others).status is LEADS[status][verb]
    elif verb in STAYS[status]:
        assert step(appeal, verb, **others).status is status
    elif verb is Verb.CLOSE_DISPUTED and status is Status.REWORK:
        assert refusal(appeal, verb) == "refused.not_escalated"
    else:
        assert refusal(appeal, verb) == "refused.status"


@pytest.mark.parametrize("status,verb", CELLS)
def test_help_and_buttons_know_the_same_table(status: Status, verb: Verb) -> None:
    decided = status is Status.REWORK and verb is Verb.CLOSE_DISPUTED
    known = verb in LEADS[status] or verb in STAYS[status] or decided
    assert (status in open_to(verb)) == known


def test_no_two_rows_speak_of_the_same_step() -> None:
    cells = [(row.verb, source) for row in lifecycle._ROWS for source in row.sources]
    assert len(cells) == len(set(cells))


def test_a_refused_step_changes_nothing() -> None:
    appeal = walk(*WORK)
    before = replace(appeal)
    refusal(appeal, Verb.SATISFIED)
    refusal(appeal, Verb.RESOLVE, text="  ")
    assert appeal == before


@pytest.mark.parametrize("verb", sorted({verb for verb, _ in lifecycle.STEPS}))
def test_a_step_that_must_be_explained_is_refused_without_words(verb: Verb) -> None:
    way = TWICE_DISSATISFIED if verb in ESCALATED else WAYS[min(open_to(verb), key=list(Status).index)]
    appeal = at_hand(verb, *way)
    bare: dict[str, Any] = {"text": " \n", "handler_id": OTHER}
    if verb in WORDLESS:
        assert step(appeal, verb, **bare).version == appeal.version + 1
    else:
        assert refusal(appeal, verb, **bare) == "refused.text_needed"


def test_a_cadre_who_takes_a_colleagues_place_gets_his_part_and_nothing_else_moves() -> None:
    appeal = walk(*WORK)
    taken = step(appeal, Verb.HAND_OVER, handler_id=OTHER, instead_of=HANDLER)
    assert taken == replace(appeal, handler_id=OTHER, version=appeal.version + 1)
    followed = step(appeal, Verb.HAND_OVER, handler_id=OTHER, instead_of=2)
    assert followed == replace(appeal, liaison_id=OTHER, version=appeal.version + 1)


@pytest.mark.parametrize("old", [None, 99])
def test_who_has_no_part_in_a_matter_passes_none_on(old: int | None) -> None:
    assert refusal(walk(), Verb.HAND_OVER, handler_id=OTHER, instead_of=old) == "refused.whom_needed"


@pytest.mark.parametrize("verb", [Verb.DISPATCH, Verb.RULE])
def test_nothing_is_handed_over_to_nobody(verb: Verb) -> None:
    assert refusal(walk(Verb.DISPATCH, Verb.RETURN), verb, handler_id=None) == "refused.whom_needed"


def test_each_change_is_one_version_further_and_knows_both_sides() -> None:
    appeal = walk(*WORK)
    change = take(appeal, Verb.NOTE, by=5, at=MONDAY, rules=RULES, details=Details(text=" 内部 "))
    assert (change.before, change.after.version) == (appeal, appeal.version + 1)
    assert (change.by, change.at, change.text) == (5, MONDAY, "内部")


def test_whatever_ends_an_appeal_dates_its_end_and_whatever_goes_on_has_no_end() -> None:
    ended = {Status.UNRATED, Status.CLOSED, Status.CLOSED_DISPUTED, Status.DECLINED, Status.WITHDRAWN, Status.MERGED}
    for status, way in WAYS.items():
        appeal = walk(*way)
        assert (appeal.settled_at is not None) == (status in ended), status
    for way in ((*DONE, Verb.SATISFIED, Verb.REWORK), (Verb.WITHDRAW, Verb.UNDO), (Verb.MERGE, Verb.UNMERGE)):
        assert walk(*way).settled_at is None


# Guards -------------------------------------------------------------------------------------------------------------
def returned(appeal: Appeal, handler: int) -> Appeal:
    return step(step(appeal, Verb.DISPATCH, handler_id=handler), Verb.RETURN)


def test_a_matter_is_returned_twice_and_no_more() -> None:
    appeal = returned(returned(filed(), HANDLER), OTHER)
    appeal = step(appeal, Verb.DISPATCH, handler_id=9)
    assert appeal.returns == 2
    assert refusal(appeal, Verb.RETURN) == "refused.returned_twice"


@pytest.mark.parametrize("way", [(Verb.DISPATCH,), (Verb.DISPATCH, Verb.RETURN, Verb.DISPATCH)])
def test_who_gives_a_matter_back_says_whose_it_is(way: tuple[Verb, ...]) -> None:
    assert refusal(walk(*way), Verb.RETURN, unit="") == "refused.proposal_needed"


def test_what_was_ruled_cannot_be_returned() -> None:
    appeal = step(returned(filed(), HANDLER), Verb.RULE)
    assert appeal.ruled
    assert refusal(appeal, Verb.RETURN) == "refused.ruled"


@pytest.mark.parametrize(
    "at,allowed",
    [("2026-03-10 17:30", True), ("2026-03-10 17:31", False), ("2026-03-16 09:00", False)],
)
def test_a_matter_can_be_returned_within_one_working_day_of_its_dispatch(at: str, allowed: bool) -> None:
    appeal = walk(Verb.DISPATCH)
    if allowed:
        assert step(appeal, Verb.RETURN, civil(at)).status is Status.RETURNED
    else:
        assert refusal(appeal, Verb.RETURN, civil(at)) == "refused.return_too_late"


def test_the_day_to_return_counts_from_the_last_hand_over() -> None:
    late = civil("2026-03-12 09:00")
    appeal = step(walk(Verb.DISPATCH), Verb.DISPATCH, late, handler_id=OTHER)
    assert step(appeal, Verb.RETURN, civil("2026-03-13 17:30")).status is Status.RETURNED


@pytest.mark.parametrize("at,allowed", [("2026-03-23 17:30", True), ("2026-03-23 17:31", False)])
@pytest.mark.parametrize("way,verb", [((*DONE, Verb.SATISFIED), Verb.DISSATISFIED), ((Verb.WITHDRAW,), Verb.UNDO)])
def test_a_firm_may_come_back_within_ten_working_days(
    way: tuple[Verb, ...], verb: Verb, at: str, allowed: bool
) -> None:
    appeal = walk(*way)
    if allowed:
        assert step(appeal, verb, civil(at)).settled_at is None
    else:
        assert refusal(appeal, verb, civil(at)) == "refused.too_late"


def test_a_closed_matter_is_reopened_by_its_firm_once() -> None:
    appeal = step(walk(*DONE, Verb.SATISFIED), Verb.DISSATISFIED)
    assert appeal.reopened
    again = step(step(appeal, Verb.RESOLVE), Verb.FAIRLY_SATISFIED)
    assert refusal(again, Verb.DISSATISFIED) == "refused.reopened_once"


def test_the_inspector_orders_a_rework_at_any_time() -> None:
    years_later = civil("2026-11-02 10:00")
    assert step(walk(*DONE, Verb.SATISFIED), Verb.REWORK, years_later).status is Status.REWORK
    assert step(walk(*WAYS[Status.CLOSED_DISPUTED]), Verb.REWORK, years_later).status is Status.REWORK


def test_a_firm_objects_once() -> None:
    appeal = step(walk(Verb.DECLINE), Verb.OBJECT)
    assert appeal.objected
    assert refusal(step(appeal, Verb.DECLINE), Verb.OBJECT) == "refused.objected_once"


WAITS_FOR_THE_INSPECTOR = (
    Verb.RESOLVE,
    Verb.EXPLAIN,
    Verb.INSTANT,
    Verb.SUSPEND,
    Verb.AGREE,
    Verb.EXTEND,
    Verb.ASSIST,
    Verb.BEYOND,
    Verb.DISPATCH,
)


def test_the_second_dissatisfaction_goes_to_the_inspector_and_waits_for_him() -> None:
    once = walk(*DONE, Verb.DISSATISFIED)
    twice = walk(*TWICE_DISSATISFIED)
    assert (once.escalated, twice.escalated) == (False, True)
    for verb in WAITS_FOR_THE_INSPECTOR:
        assert refusal(twice, verb, handler_id=OTHER) == "refused.awaits_inspector"
    assert {verb: step(twice, verb).status for verb in ESCALATED} == ESCALATED


def test_once_the_inspector_has_decided_the_work_goes_on() -> None:
    appeal = step(walk(*TWICE_DISSATISFIED), Verb.INSTRUCT)
    assert not appeal.escalated
    assert step(appeal, Verb.RESOLVE).status is Status.RESOLVED


def test_a_reopened_matter_that_was_reworked_before_goes_to_the_inspector() -> None:
    assert walk(*DONE, Verb.DISSATISFIED, Verb.RESOLVE, Verb.SATISFIED, Verb.DISSATISFIED).escalated


def test_three_vain_calls_leave_a_matter_unrated_and_never_satisfied() -> None:
    appeal = walk(*DONE)
    for expected in (Status.RESOLVED, Status.RESOLVED, Status.UNRATED):
        appeal = step(appeal, Verb.FOLLOW_UP)
        assert (appeal.status, appeal.satisfaction) == (expected, None)
    assert step(appeal, Verb.SATISFIED).satisfaction is Satisfaction.SATISFIED


@pytest.mark.parametrize("way", [(Verb.DISSATISFIED,), (Verb.SATISFIED, Verb.REWORK)])
def test_a_new_round_has_three_calls_of_its_own(way: tuple[Verb, ...]) -> None:
    appeal = walk(*DONE, Verb.FOLLOW_UP, Verb.FOLLOW_UP, *way, Verb.RESOLVE, Verb.FOLLOW_UP, Verb.FOLLOW_UP)
    assert (appeal.status, appeal.calls) == (Status.RESOLVED, 2)


def test_silence_after_an_ordered_rework_is_not_the_old_satisfaction() -> None:
    calls = (Verb.FOLLOW_UP, Verb.FOLLOW_UP, Verb.FOLLOW_UP)
    appeal = walk(*DONE, Verb.SOLVED, Verb.SATISFIED, Verb.REWORK, Verb.RESOLVE, *calls)
    assert (appeal.status, appeal.satisfaction, appeal.solution) == (Status.UNRATED, None, None)


def test_the_inspectors_order_is_not_put_down_as_the_firms_verdict() -> None:
    appeal = walk(*DONE, Verb.SATISFIED, Verb.REWORK)
    assert (appeal.satisfaction, appeal.escalated, appeal.reworks) == (None, False, 1)


def test_whether_it_is_solved_is_told_apart_from_satisfaction() -> None:
    appeal = walk(*DONE, Verb.PARTLY_SOLVED, Verb.SATISFIED)
    assert (appeal.solution, appeal.satisfaction) == (Solution.PARTLY_SOLVED, Satisfaction.SATISFIED)
    assert step(appeal, Verb.SOLVED).solution is Solution.SOLVED


@pytest.mark.parametrize("way", [(Verb.DISPATCH,), WORK])
def test_a_matter_is_not_handed_over_to_who_has_it(way: tuple[Verb, ...]) -> None:
    assert refusal(walk(*way), Verb.DISPATCH, handler_id=HANDLER) == "refused.same_owner"


@pytest.mark.parametrize("into", [None, "", "12"])
def test_a_matter_is_merged_into_another_one(into: str | None) -> None:
    assert refusal(filed(), Verb.MERGE, merged_into=into) == "refused.into_needed"
    assert step(filed(), Verb.MERGE).merged_into == "99"


@pytest.mark.parametrize("way", [(), WORK])
def test_an_unmerged_matter_is_where_it_was(way: tuple[Verb, ...]) -> None:
    before = walk(*way)
    after = walk(*way, Verb.MERGE, Verb.UNMERGE)
    assert (after.status, after.merged_into, after.due) == (before.status, None, before.due)


@pytest.mark.parametrize("way", [WORK, (*DONE, Verb.DISSATISFIED)])
@pytest.mark.parametrize("verb", [Verb.SUSPEND, Verb.AGREE])
def test_a_resumed_matter_is_where_it_was(way: tuple[Verb, ...], verb: Verb) -> None:
    assert walk(*way, verb, Verb.RESUME).status is walk(*way).status


# Clocks -------------------------------------------------------------------------------------------------------------
TERMS = [
    (Kind.INQUIRY, Difficulty.NORMAL, "2026-03-11 17:30"),
    (Kind.INQUIRY, Difficulty.HARD, "2026-03-12 17:30"),
    (Kind.SUGGESTION, Difficulty.NORMAL, "2026-03-23 17:30"),
    (Kind.SUGGESTION, Difficulty.EASY, "2026-03-23 17:30"),
    (Kind.APPEAL, Difficulty.EASY, "2026-03-12 17:30"),
    (Kind.APPEAL, Difficulty.NORMAL, "2026-03-23 17:30"),
    (Kind.APPEAL, Difficulty.HARD, "2026-03-30 17:30"),
    (Kind.COMPLAINT, Difficulty.NORMAL, "2026-03-30 17:30"),
]


@pytest.mark.parametrize("kind,difficulty,due", TERMS)
def test_each_kind_has_its_term_from_intake(kind: Kind, difficulty: Difficulty, due: str) -> None:
    assert filed(kind=kind, difficulty=difficulty).due == civil(due)


def test_the_clock_starts_at_intake() -> None:
    appeal = filed()
    assert appeal.received_at == appeal.round_started_at == MONDAY
    assert appeal.dispatch_due == civil("2026-03-09 16:00")
    assert appeal.acknowledge_due == civil("2026-03-10 17:30")


def test_what_is_urgent_is_counted_by_the_wall_clock() -> None:
    appeal = filed(civil("2026-03-09 23:00"), urgent=True)
    assert appeal.dispatch_due == civil("2026-03-10 00:00")
    assert appeal.acknowledge_due == civil("2026-03-10 01:00")


def test_what_becomes_urgent_is_due_sooner_and_never_later() -> None:
    appeal = step(filed(), Verb.URGENT)
    assert appeal.urgent
    assert appeal.dispatch_due == civil("2026-03-09 11:00")
    assert appeal.acknowledge_due == civil("2026-03-09 12:00")
    again = step(appeal, Verb.URGENT, civil("2026-03-09 11:30"))
    assert (again.dispatch_due, again.acknowledge_due) == (appeal.dispatch_due, appeal.acknowledge_due)


def test_no_hand_over_return_objection_or_undo_moves_the_date_of_the_work() -> None:
    later = civil("2026-03-10 09:00")
    ways = [
        (Verb.DISPATCH,),
        (Verb.DISPATCH, Verb.RETURN),
        (Verb.DISPATCH, Verb.RETURN, Verb.DISPATCH),
        (Verb.DISPATCH, Verb.RETURN, Verb.RULE),
        (*WORK, Verb.REQUEST),
        (*WORK, Verb.DENY),
        (*WORK, Verb.ASSIST, Verb.PART_DONE),
        (*WORK, Verb.BEYOND),
        (*WORK, Verb.SUPERVISE, Verb.PROGRESS),
        (*WORK, Verb.REFER, Verb.INSTRUCT),
        (Verb.DECLINE, Verb.OBJECT),
        (Verb.WITHDRAW, Verb.UNDO),
        (Verb.MERGE, Verb.UNMERGE),
        (*DONE, Verb.SATISFIED),
    ]
    for way in ways:
        appeal = filed()
        for verb in way:
            appeal = step(appeal, verb, later)
        assert (appeal.received_at, appeal.due, appeal.round) == (MONDAY, filed().due, 1), way


def test_a_new_owner_answers_within_a_term_of_his_own() -> None:
    thursday = civil("2026-03-12 09:00")
    appeal = step(walk(*WORK), Verb.DISPATCH, thursday, handler_id=OTHER)
    assert appeal.acknowledge_due == civil("2026-03-13 17:30")
    assert appeal.acknowledged_at == MONDAY


def test_the_first_owner_has_what_was_said_at_intake() -> None:
    assert step(filed(), Verb.DISPATCH, civil("2026-03-10 09:00")).acknowledge_due == filed().acknowledge_due


def test_lateness_of_the_intake_is_not_the_first_owners() -> None:
    late = step(filed(), Verb.DISPATCH, civil("2026-03-12 09:00"))
    assert late.acknowledge_due == civil("2026-03-13 17:30")


def test_a_returned_matter_is_ruled_the_same_day() -> None:
    assert walk(Verb.DISPATCH, Verb.RETURN).dispatch_due == civil("2026-03-09 17:30")
    urgent = step(step(filed(urgent=True), Verb.DISPATCH), Verb.RETURN)
    assert urgent.dispatch_due == civil("2026-03-09 11:00")


def test_an_objection_is_decided_like_a_new_matter() -> None:
    late = civil("2026-03-12 09:00")
    assert step(walk(Verb.DECLINE), Verb.OBJECT, late).dispatch_due == civil("2026-03-12 15:00")


@pytest.mark.parametrize(
    "difficulty,due",
    [
        (Difficulty.EASY, "2026-03-11 17:30"),  # half of 3 working days, rounded up, and at least two
        (Difficulty.NORMAL, "2026-03-16 17:30"),  # half of 10
        (Difficulty.HARD, "2026-03-19 17:30"),  # half of 15, rounded up
    ],
)
def test_a_rework_has_half_of_the_first_term_and_two_working_days_at_least(difficulty: Difficulty, due: str) -> None:
    appeal = filed(civil("2026-03-02 10:00"), difficulty=difficulty)
    for verb in (*DONE, Verb.DISSATISFIED):
        appeal = step(appeal, verb, difficulty=difficulty)
    assert (appeal.due, appeal.round, appeal.round_started_at) == (civil(due), 2, MONDAY)


@pytest.mark.parametrize("kind,due", [(Kind.INQUIRY, "2026-03-11 17:30"), (Kind.SUGGESTION, "2026-03-16 17:30")])
def test_a_rework_never_has_less_than_two_working_days(kind: Kind, due: str) -> None:
    appeal = filed(kind=kind)
    for verb in (*DONE, Verb.DISSATISFIED):
        appeal = step(appeal, verb)
    assert appeal.due == civil(due)


def test_a_rework_of_a_term_in_hours_has_half_of_the_hours() -> None:
    rules = make_rules(terms={"appeal": "240h"})
    for term, due in (("240h", MONDAY + timedelta(hours=120)), ("4h", civil("2026-03-11 17:30"))):
        counted = Reckoning(MONDAY, rules.rework_spans(parse_span(term)))
        assert counted.deadline(rules.calendar) == due


@pytest.mark.parametrize(
    "resumed,due",
    [
        ("2026-03-09 10:00", "2026-03-23 17:30"),  # no working time was lost
        ("2026-03-09 11:00", "2026-03-24 09:30"),  # one working hour
        ("2026-03-10 10:00", "2026-03-24 17:30"),  # one working day: seven hours
        ("2026-03-16 10:00", "2026-03-30 17:30"),  # five working days, the weekend does not count
    ],
)
@pytest.mark.parametrize("verb", [Verb.SUSPEND, Verb.AGREE])
def test_a_suspension_moves_the_date_by_the_working_time_that_it_took(verb: Verb, resumed: str, due: str) -> None:
    appeal = step(walk(*WORK, verb), Verb.RESUME, civil(resumed))
    assert (appeal.due, appeal.round, appeal.suspended_at) == (civil(due), 2, None)


def test_who_resumes_after_the_end_of_a_suspension_takes_no_reminder_away() -> None:
    asleep = step(walk(*WORK), Verb.SUSPEND, until=civil("2026-03-11 17:30"))
    in_time, late = (step(asleep, Verb.RESUME, civil(at)) for at in ("2026-03-11 17:30", "2026-03-16 10:00"))
    assert (late.due, late.round_started_at) == (in_time.due, civil("2026-03-11 17:30"))


def test_another_difficulty_counts_its_own_term_from_intake() -> None:
    later = civil("2026-03-12 10:00")
    assert step(walk(*WORK), Verb.DIFFICULTY, later).due == civil("2026-03-30 17:30")
    assert step(walk(*WORK), Verb.DIFFICULTY, later, difficulty=Difficulty.EASY).due == civil("2026-03-12 17:30")


def test_a_suspension_is_kept_when_the_difficulty_changes() -> None:
    resumed = step(walk(*WORK, Verb.SUSPEND), Verb.RESUME, civil("2026-03-10 10:00"))
    assert step(resumed, Verb.DIFFICULTY).due == civil("2026-03-31 17:30")


def test_another_difficulty_does_not_move_the_date_of_a_rework() -> None:
    appeal = walk(*DONE, Verb.DISSATISFIED)
    assert step(appeal, Verb.DIFFICULTY).due == appeal.due


@pytest.mark.parametrize("at,on_time", [("2026-03-23 17:30", True), ("2026-03-23 17:31", False)])
def test_work_is_on_time_until_the_deadline_in_force(at: str, on_time: bool) -> None:
    assert step(walk(*WORK), Verb.RESOLVE, civil(at)).on_time is on_time


def test_an_explanation_is_told_apart_from_a_solution() -> None:
    assert step(walk(*WORK), Verb.EXPLAIN).resolution == "explained"
    assert step(walk(*WORK), Verb.RESOLVE).resolution == "resolved"


def test_the_first_contact_and_the_first_acknowledgement_are_kept() -> None:
    appeal = step(walk(*WORK), Verb.CONTACTED)
    later = civil("2026-03-11 10:00")
    again = step(step(appeal, Verb.CONTACTED, later), Verb.DISPATCH, later, handler_id=OTHER)
    again = step(again, Verb.ACKNOWLEDGE, later)
    assert (again.contacted_at, again.acknowledged_at) == (MONDAY, MONDAY)
