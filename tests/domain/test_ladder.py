"""The ladder of 催办: which rung is reached when, from which start, and that it ends with the work."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import ladder
from domain.appeal import Appeal, Details, Status
from domain.ladder import Due, next_due, reached, rungs
from domain.lifecycle import submit, take
from domain.rules import Clock, Difficulty, Kind, Listener, Rung
from domain.verbs import Verb
from domain.workdays import parse_span
from tests.domain import walking
from tests.domain.walking import DONE, LONG, MONDAY, OTHER, SHARED, WORK
from tests.making import civil, drafted, make_rules

HANDLER, COORDINATOR, CO_HANDLER = (Listener.HANDLER,), (Listener.COORDINATOR,), (Listener.CO_HANDLER,)
LADDERS = {
    Clock.DISPATCH: (Rung("50%", 0.5, COORDINATOR), Rung("0s", parse_span("0s"), COORDINATOR)),
    Clock.ACKNOWLEDGE: (Rung("50%", 0.5, HANDLER), Rung("0s", parse_span("0s"), HANDLER)),
    Clock.RESOLVE: (
        Rung("-2wd", parse_span("-2wd"), HANDLER),
        Rung("0s", parse_span("0s"), HANDLER),
        Rung("+1wd", parse_span("1wd"), (Listener.HANDLER, Listener.HEAD), "reminder_notice"),
        Rung("+3wd", parse_span("3wd"), (Listener.CHIEF,), release="coordinator"),
    ),
    Clock.SURVEY: (
        Rung("remind", parse_span("3wd"), (Listener.CONTACT,)),
        Rung("call", parse_span("6wd"), COORDINATOR),
    ),
    Clock.PART: (Rung("-1wd", parse_span("-1wd"), CO_HANDLER), Rung("0s", parse_span("0s"), CO_HANDLER)),
    Clock.MILESTONE: (Rung("-2wd", parse_span("-2wd"), HANDLER), Rung("0s", parse_span("0s"), HANDLER)),
    Clock.ORDER: (Rung("0s", parse_span("0s"), HANDLER), Rung("+1wd", parse_span("1wd"), (Listener.ORDERER,))),
}
RULES = make_rules(ladders=LADDERS)
filed = partial(walking.filed, rules=RULES)


def step(appeal: Appeal, verb: Verb, at: datetime = MONDAY, **details: Any) -> Appeal:
    return walking.step(appeal, verb, at, RULES, **details)


def walk(*verbs: Verb) -> Appeal:
    return walking.walk(*verbs, rules=RULES)


def rounds_of(appeal: Appeal, clock: Clock) -> list[int]:
    return [running.round for running in appeal.running if running.clock is clock]


def shown(dues: tuple[Due, ...]) -> list[tuple[str, str, datetime]]:
    return [(due.running.name, due.rung.label, due.at) for due in dues]


RESOLVE_RUNGS = [
    ("resolve", "-2wd", civil("2026-03-19 17:30")),
    ("resolve", "0s", civil("2026-03-23 17:30")),
    ("resolve", "+1wd", civil("2026-03-24 17:30")),
    ("resolve", "+3wd", civil("2026-03-26 17:30")),
]


def test_intake_is_watched_until_somebody_has_the_matter() -> None:
    assert shown(rungs(filed(), RULES)) == [
        ("dispatch", "50%", civil("2026-03-09 12:00")),
        ("dispatch", "0s", civil("2026-03-09 16:00")),
        *RESOLVE_RUNGS,
    ]


def test_the_first_answer_is_watched_until_it_is_there() -> None:
    # From 10:00 on Monday to 17:30 on Tuesday are 12.5 working hours; 6.25 of them end at 9:15 on Tuesday.
    assert shown(rungs(walk(Verb.DISPATCH), RULES)) == [
        ("acknowledge", "50%", civil("2026-03-10 09:15")),
        ("acknowledge", "0s", civil("2026-03-10 17:30")),
        *RESOLVE_RUNGS,
    ]


def test_the_work_is_watched_until_it_is_done() -> None:
    assert shown(rungs(walk(*WORK), RULES)) == RESOLVE_RUNGS


def test_the_answer_of_the_firm_is_asked_for_after_the_work_is_done() -> None:
    assert shown(rungs(walk(*DONE), RULES)) == [
        ("survey", "remind", civil("2026-03-12 10:00")),
        ("survey", "call", civil("2026-03-17 10:00")),
    ]


@pytest.mark.parametrize(
    "way",
    [
        (*DONE, Verb.SATISFIED),
        (*DONE, Verb.FOLLOW_UP, Verb.FOLLOW_UP, Verb.FOLLOW_UP),
        (*DONE, Verb.DISSATISFIED, Verb.RESOLVE, Verb.DISSATISFIED, Verb.CLOSE_DISPUTED),
        (Verb.DECLINE,),
        (Verb.WITHDRAW,),
        (Verb.MERGE,),
        (*SHARED, Verb.SUPERVISE, Verb.WITHDRAW),
        (*SHARED, Verb.SUPERVISE, Verb.MERGE),
    ],
)
def test_nobody_is_reminded_of_what_is_settled(way: tuple[Verb, ...]) -> None:
    appeal = walk(*way)
    assert rungs(appeal, RULES) == ()
    assert appeal.next_due is None


@pytest.mark.parametrize("way", [(*WORK, Verb.SUSPEND), (*SHARED, Verb.BEYOND, Verb.SUPERVISE, Verb.SUSPEND)])
def test_what_is_on_hold_is_looked_at_when_the_hold_ends_and_not_before(way: tuple[Verb, ...]) -> None:
    appeal = walk(*way)
    assert appeal.running == ()
    assert rungs(appeal, RULES) == ()
    assert appeal.next_due == appeal.suspended_until == MONDAY + timedelta(days=60)


def test_a_note_on_a_hold_that_is_over_does_not_put_its_end_off() -> None:
    appeal = walk(*WORK, Verb.SUSPEND)
    assert step(appeal, Verb.NOTE, MONDAY + timedelta(days=61)).next_due == appeal.suspended_until


def test_a_long_term_matter_is_chased_by_its_milestones_and_by_orders_alone() -> None:
    appeal = walk(*SHARED, Verb.BEYOND, Verb.AGREE)
    assert [running.clock for running in appeal.running] == [Clock.MILESTONE]
    assert shown(rungs(appeal, RULES)) == [
        ("milestone:3", "-2wd", civil("2026-05-06 10:00")),
        ("milestone:3", "0s", civil("2026-05-08 10:00")),
    ]
    ordered = step(appeal, Verb.INSTRUCT)
    assert {running.clock for running in ordered.running} == {Clock.ORDER, Clock.MILESTONE}


def test_each_open_milestone_has_rungs_of_its_own() -> None:
    appeal = step(walk(*LONG), Verb.MILESTONE)
    assert {running.name for running in appeal.running} == {"milestone:1", "milestone:2"}
    reached_one = step(appeal, Verb.MILESTONE_DONE, part=1)
    assert {running.name for running in reached_one.running} == {"milestone:2"}
    assert rungs(step(reached_one, Verb.MILESTONE_DONE, part=2), RULES) == ()


def test_a_part_is_watched_beside_the_work_until_it_ends() -> None:
    appeal = walk(*SHARED)
    assert shown(rungs(appeal, RULES)) == [
        ("part:1", "-1wd", civil("2026-03-11 17:30")),
        ("part:1", "0s", civil("2026-03-12 17:30")),
        *RESOLVE_RUNGS,
    ]
    for verb in (Verb.PART_DONE, Verb.PART_RETURN, Verb.WAIVE):
        ended = step(appeal, verb)
        assert not ended.parts[0].is_open
        assert shown(rungs(ended, RULES)) == RESOLVE_RUNGS, verb


def test_two_parts_have_rungs_of_their_own() -> None:
    appeal = step(step(walk(*SHARED), Verb.ASSIST, unit="水务局"), Verb.BEYOND, unit="省厅")
    assert [running.name for running in appeal.running] == ["resolve", "part:1", "part:2", "part:3"]
    names = {(due.running.name, due.running.round, due.rung.label) for due in rungs(appeal, RULES)}
    assert len(names) == len(rungs(appeal, RULES)) == 4 + 3 * 2


def test_an_order_is_watched_until_it_is_answered() -> None:
    appeal = walk(*WORK, Verb.SUPERVISE)
    order = [("order:1", "0s", civil("2026-03-12 10:00")), ("order:1", "+1wd", civil("2026-03-13 10:00"))]
    assert shown(rungs(appeal, RULES)) == order + RESOLVE_RUNGS
    assert shown(rungs(step(appeal, Verb.NOTE), RULES)) == order + RESOLVE_RUNGS
    assert shown(rungs(step(appeal, Verb.PROGRESS), RULES)) == RESOLVE_RUNGS
    assert all(due.running.clock is Clock.SURVEY for due in rungs(step(appeal, Verb.RESOLVE), RULES))


def test_each_order_has_rungs_of_its_own() -> None:
    first = walk(*WORK, Verb.SUPERVISE)
    both = step(first, Verb.INSTRUCT)
    again = step(step(first, Verb.PROGRESS), Verb.INSTRUCT)
    assert {running.name for running in both.running} == {"resolve", "order:1", "order:2"}
    assert {running.name for running in again.running} == {"resolve", "order:2"}


def test_each_rung_knows_its_deadline_and_whom_to_tell() -> None:
    due = rungs(walk(*WORK), RULES)[2]
    assert (due.deadline, due.tell) == (civil("2026-03-23 17:30"), (Listener.HANDLER, Listener.HEAD))


def test_rungs_come_in_the_order_of_time_whatever_clock_they_are_of() -> None:
    late = civil("2026-03-24 10:00")
    appeal = step(step(filed(), Verb.DISPATCH, late), Verb.RETURN, late)
    moments = [due.at for due in rungs(appeal, RULES)]
    assert moments == sorted(moments)
    assert [due.running.clock for due in rungs(appeal, RULES)][:2] == [Clock.RESOLVE, Clock.RESOLVE]


def test_a_rung_before_its_clock_began_falls_away() -> None:
    rules = make_rules(ladders=LADDERS, terms={"appeal": "1wd"})
    resolve = [due.rung.label for due in rungs(walking.filed(rules=rules), rules) if due.running.clock is Clock.RESOLVE]
    assert resolve == ["0s", "+1wd", "+3wd"]


def test_a_rung_in_the_moment_in_which_its_clock_began_falls_away() -> None:
    rules = make_rules(ladders={Clock.RESOLVE: (Rung("0%", 0.0, HANDLER), Rung("100%", 1.0, HANDLER))})
    assert [due.rung.label for due in rungs(walking.filed(rules=rules), rules)] == ["100%"]


# Starts -------------------------------------------------------------------------------------------------------------
def test_a_new_owners_time_to_answer_begins_with_the_hand_over() -> None:
    thursday = civil("2026-03-12 10:00")
    appeal = step(walk(*WORK), Verb.DISPATCH, thursday, handler_id=OTHER)
    assert shown(rungs(appeal, RULES))[0] == ("acknowledge", "50%", civil("2026-03-13 09:15"))


def test_the_time_to_rule_begins_with_the_return() -> None:
    at = civil("2026-03-10 09:00")
    appeal = step(walk(Verb.DISPATCH), Verb.RETURN, at)
    assert shown(rungs(appeal, RULES))[:2] == [
        ("dispatch", "50%", civil("2026-03-10 14:15")),
        ("dispatch", "0s", civil("2026-03-10 17:30")),
    ]
    assert reached(appeal, RULES, at) == ()


@pytest.mark.parametrize("way", [(Verb.DECLINE, Verb.OBJECT), (Verb.WITHDRAW, Verb.UNDO)])
def test_the_time_to_decide_begins_anew_when_a_firm_comes_back(way: tuple[Verb, Verb]) -> None:
    at = civil("2026-03-12 09:00")
    appeal = step(walk(way[0]), way[1], at)
    assert shown(rungs(appeal, RULES))[0] == ("dispatch", "50%", civil("2026-03-12 11:00"))
    assert reached(appeal, RULES, at) == ()


def test_a_rework_is_watched_from_its_own_start() -> None:
    wednesday = civil("2026-03-18 10:00")
    appeal = step(walk(*DONE), Verb.DISSATISFIED, wednesday)
    assert appeal.due == civil("2026-03-25 17:30")
    assert shown(rungs(appeal, RULES))[0] == ("resolve", "-2wd", civil("2026-03-23 17:30"))


def test_what_was_told_before_a_suspension_is_not_told_after_it() -> None:
    late = civil("2026-03-25 10:00")
    suspended = step(walk(*WORK), Verb.SUSPEND, late)
    resumed = step(suspended, Verb.RESUME, civil("2026-03-25 11:00"))
    assert resumed.due == civil("2026-03-24 09:30")
    assert [due.rung.label for due in rungs(resumed, RULES)] == ["+3wd"]
    assert reached(resumed, RULES, civil("2026-03-25 11:00")) == ()


@pytest.mark.parametrize("way", [SHARED, (*WORK, Verb.SUPERVISE), (*WORK, Verb.BEYOND)])
@pytest.mark.parametrize("late", ["2026-03-12 09:00", "2026-03-16 10:00", "2026-04-20 10:00"])
def test_what_was_told_of_a_part_before_a_suspension_is_not_told_after_it(way: tuple[Verb, ...], late: str) -> None:
    suspended = step(walk(*way), Verb.SUSPEND, civil(late))
    at = civil(late) + timedelta(hours=1)
    assert reached(step(suspended, Verb.RESUME, at), RULES, at) == ()


# Which running of a clock -------------------------------------------------------------------------------------------
def test_each_owner_has_rungs_of_his_own() -> None:
    first = walk(Verb.DISPATCH)
    again = step(first, Verb.DISPATCH, handler_id=OTHER)
    rounds = {(due.running.clock, due.running.round) for due in (*rungs(first, RULES), *rungs(again, RULES))}
    assert len({round_ for clock, round_ in rounds if clock is Clock.ACKNOWLEDGE}) == 2
    assert {round_ for clock, round_ in rounds if clock is Clock.RESOLVE} == {1}


def test_each_intake_has_rungs_of_its_own() -> None:
    first, again = filed(), walk(Verb.DISPATCH, Verb.RETURN)
    assert rounds_of(first, Clock.DISPATCH) != rounds_of(again, Clock.DISPATCH)
    assert [rounds_of(walk(*way), Clock.DISPATCH) for way in ((), (Verb.DECLINE, Verb.OBJECT))] == [[0], [1]]


@pytest.mark.parametrize(
    "way",
    [(*DONE, Verb.DISSATISFIED), (*WORK, Verb.SUSPEND, Verb.RESUME), (*LONG, Verb.RESUME), (*WORK, Verb.EXTEND)],
)
def test_each_round_has_rungs_of_its_own(way: tuple[Verb, ...]) -> None:
    assert {due.running.round for due in rungs(walk(*way), RULES)} == {2}


# Reached and next ---------------------------------------------------------------------------------------------------
WAYS: list[tuple[Verb, ...]] = [
    (),
    (Verb.DISPATCH,),
    (Verb.DISPATCH, Verb.RETURN),
    WORK,
    DONE,
    (*DONE, Verb.DISSATISFIED),
    (Verb.DECLINE,),
    (*SHARED, Verb.SUPERVISE),
    (*SHARED, Verb.SUPERVISE, Verb.EXTEND),
    LONG,
]


@given(way=st.sampled_from(WAYS), hours=st.integers(0, 24 * 40))
def test_what_is_reached_and_what_comes_next_are_all_rungs(way: tuple[Verb, ...], hours: int) -> None:
    appeal, now = walk(*way), MONDAY + timedelta(hours=hours)
    all_rungs = rungs(appeal, RULES)
    past = reached(appeal, RULES, now)
    coming = all_rungs[len(past) :]
    assert (*past, *coming) == all_rungs
    assert all(due.at <= now for due in past)
    assert all(due.at > now for due in coming)
    assert next_due(appeal, RULES, now) == (coming[0].at if coming else None)
    assert list(all_rungs) == sorted(all_rungs, key=lambda due: due.at)


@pytest.mark.parametrize("way", WAYS)
def test_the_clock_that_goes_from_rung_to_rung_misses_none(way: tuple[Verb, ...]) -> None:
    appeal = walk(*way)
    seen, at = [], appeal.next_due
    while at is not None:
        seen += [due for due in reached(appeal, RULES, at) if due not in seen]
        at = next_due(appeal, RULES, at)
    assert tuple(seen) == rungs(appeal, RULES)


def test_a_change_keeps_a_rung_that_the_clock_has_not_looked_at_yet() -> None:
    # The last rung is reached, and somebody writes a note before the clock comes round.
    at = civil("2026-03-26 17:31")
    appeal = replace(walk(*WORK), next_due=civil("2026-03-26 17:30"))
    assert step(appeal, Verb.NOTE, at).next_due == at


def test_a_change_that_ends_the_clock_leaves_nothing_to_look_at() -> None:
    late = civil("2026-03-26 17:31")
    appeal = replace(walk(*WORK), next_due=civil("2026-03-26 17:30"))
    assert step(appeal, Verb.RESOLVE, late).next_due == civil("2026-03-31 17:31")
    assert step(appeal, Verb.MERGE, late).next_due is None


# What was reached while nobody looked -------------------------------------------------------------------------------
def test_a_matter_that_grew_late_while_it_was_merged_is_looked_at_when_it_is_taken_out() -> None:
    at = civil("2026-04-15 10:00")
    assert step(walk(*WORK, Verb.MERGE), Verb.UNMERGE, at).next_due == at


def test_a_rung_in_the_minute_of_a_slip_is_looked_at_when_the_slip_is_taken_back() -> None:
    at = civil("2026-03-26 17:30")
    slipped = at - timedelta(seconds=30)
    begun = walk(*WORK)
    begun = replace(begun, next_due=next_due(begun, RULES, slipped))
    done = step(begun, Verb.RESOLVE, slipped)
    back = step(done, Verb.TAKE_BACK, at, slip=walking.slip_of(done, slipped))
    assert [due.rung.label for due in reached(back, RULES, at)][-1] == "+3wd"
    assert back.next_due == at


def test_a_date_that_is_moved_behind_today_is_looked_at_at_once() -> None:
    at = civil("2026-03-20 10:00")
    begun = walk(*WORK)
    begun = replace(begun, next_due=next_due(begun, RULES, at))
    easy = take(
        begun, Verb.DIFFICULTY, by=5, at=at, rules=RULES, details=Details(text="易", difficulty=Difficulty.EASY)
    ).after
    assert easy.due == civil("2026-03-12 17:30")
    assert easy.next_due == at


def test_an_appeal_filed_late_is_looked_at_from_its_start() -> None:
    assert filed().next_due == civil("2026-03-09 12:00")
    assert filed().status is Status.SUBMITTED
    assert ladder.next_due(filed(), RULES, MONDAY) == filed().next_due


# Ladders of single kinds --------------------------------------------------------------------------------------------
OF_COMPLAINTS = Rung("+2wd", parse_span("2wd"), HANDLER, kinds=frozenset({Kind.COMPLAINT}))
FOR_ALL = Rung("+1wd", parse_span("1wd"), HANDLER)


@pytest.mark.parametrize("kind,labels", [(Kind.COMPLAINT, ["+2wd"]), (Kind.APPEAL, ["+1wd"]), (Kind.INQUIRY, ["+1wd"])])
def test_a_kind_with_rungs_of_its_own_follows_no_general_ones(kind: Kind, labels: list[str]) -> None:
    rules = make_rules(ladders={Clock.RESOLVE: (FOR_ALL, OF_COMPLAINTS)})
    appeal = submit(drafted(kind=kind), by=None, at=civil("2026-03-09 10:00"), rules=rules).after
    assert [due.rung.label for due in rungs(appeal, rules)] == labels


def test_a_kind_keeps_the_general_rungs_of_the_clocks_for_which_it_has_none() -> None:
    rules = make_rules(ladders={Clock.DISPATCH: (FOR_ALL,), Clock.RESOLVE: (FOR_ALL, OF_COMPLAINTS)})
    appeal = submit(drafted(kind=Kind.COMPLAINT), by=None, at=civil("2026-03-09 10:00"), rules=rules).after
    assert [(due.running.clock, due.rung.label) for due in rungs(appeal, rules)] == [
        (Clock.DISPATCH, "+1wd"),
        (Clock.RESOLVE, "+2wd"),
    ]
