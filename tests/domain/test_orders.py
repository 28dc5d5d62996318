"""督办 and 批示: an order has a day by which it is answered, and is chased until it has been; slips are taken back."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from domain.appeal import Appeal, Slip, Status
from domain.lifecycle import open_to, take
from domain.parts import Outcome, Part, PartKind
from domain.rules import Clock
from domain.verbs import Verb
from tests.domain.walking import (
    ACTOR,
    DONE,
    LONG,
    MONDAY,
    OTHER,
    RULES,
    WORK,
    filed,
    given,
    refusal,
    refused,
    step,
    told,
    walk,
)
from tests.making import civil

TUESDAY, WEDNESDAY, FRIDAY = civil("2026-03-10 17:30"), civil("2026-03-11 17:30"), civil("2026-03-13 17:30")
LATER = civil("2026-03-09 15:00")
ORDERS = (Verb.SUPERVISE, Verb.INSTRUCT)
ANSWERS = (Verb.PROGRESS, Verb.RESOLVE, Verb.EXPLAIN, Verb.INSTANT)


def orders(appeal: Appeal) -> list[Part]:
    """What was ordered and not answered yet."""
    return [part for part in appeal.open_parts if part.kind is PartKind.ORDER]


def chased_by(appeal: Appeal) -> datetime | None:
    """The day by which somebody is chased for an answer first."""
    return min((each.deadline for each in appeal.running if each.clock is Clock.ORDER), default=None)


# Given --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("verb", ORDERS)
def test_an_order_has_a_day_and_a_giver(verb: Verb) -> None:
    appeal = step(walk(*WORK), verb, until=WEDNESDAY)
    (order,) = orders(appeal)
    assert (order.due, order.asked_at, order.asked_by) == (WEDNESDAY, MONDAY, ACTOR)
    (running,) = (each for each in appeal.running if each.clock is Clock.ORDER)
    assert (running.started, running.deadline) == (MONDAY, WEDNESDAY)


def test_supervision_is_counted_and_an_instruction_is_none() -> None:
    appeal = step(step(step(walk(*WORK), Verb.SUPERVISE), Verb.INSTRUCT), Verb.SUPERVISE)
    assert (len(orders(appeal)), appeal.supervisions) == (3, 2)


@pytest.mark.parametrize("verb", ORDERS)
@pytest.mark.parametrize("until", [None, MONDAY, civil("2026-03-06 17:30")])
def test_an_order_has_a_day_to_come(verb: Verb, until: datetime | None) -> None:
    assert refusal(walk(*WORK), verb, until=until) == "refused.date_needed"


@pytest.mark.parametrize("verb", ORDERS)
def test_an_order_says_what_is_wanted(verb: Verb) -> None:
    assert refusal(walk(*WORK), verb, text="\n") == "refused.text_needed"


@pytest.mark.parametrize("verb", ORDERS)
def test_an_order_moves_neither_the_matter_nor_its_date(verb: Verb) -> None:
    for way in ((Verb.DISPATCH,), WORK, (*WORK, Verb.SUSPEND), LONG, (*DONE, Verb.DISSATISFIED)):
        before = walk(*way)
        after = step(before, verb)
        assert (after.status, after.due, after.round) == (before.status, before.due, before.round), way


# Two orders ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("first,second", [(WEDNESDAY, FRIDAY), (FRIDAY, WEDNESDAY), (WEDNESDAY, WEDNESDAY)])
@pytest.mark.parametrize("verbs", [ORDERS, ORDERS[::-1]])
def test_of_two_orders_the_earlier_day_holds(verbs: tuple[Verb, Verb], first: datetime, second: datetime) -> None:
    one = step(walk(*WORK), verbs[0], until=first)
    two = step(one, verbs[1], LATER, until=second)
    assert chased_by(two) == WEDNESDAY
    assert sorted(order.due for order in orders(two)) == sorted((first, second))
    assert chased_by(step(two, Verb.PROGRESS, LATER)) is None


def test_two_givers_are_both_kept() -> None:
    one = step(walk(*WORK), Verb.SUPERVISE, until=FRIDAY)
    two = take(one, Verb.INSTRUCT, by=6, at=LATER, rules=RULES, details=given(one, Verb.INSTRUCT, LATER)).after
    assert [order.asked_by for order in orders(two)] == [ACTOR, 6]


def test_a_new_order_after_the_day_of_an_unanswered_one_has_its_own_day() -> None:
    """What is over does not hide what is to come: the chief who asks again by Friday is chased for by Friday."""
    one = step(walk(*WORK), Verb.SUPERVISE, until=TUESDAY)
    again = step(one, Verb.INSTRUCT, civil("2026-03-12 09:00"), until=FRIDAY)
    assert FRIDAY in {running.deadline for running in again.running if running.clock is Clock.ORDER}
    assert len(orders(again)) == 2


# Answered -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("verb", ANSWERS)
def test_an_order_is_answered_by_news_or_by_the_end(verb: Verb) -> None:
    answered = step(walk(*WORK, Verb.SUPERVISE), verb, LATER)
    assert (orders(answered), chased_by(answered)) == ([], None)
    (order,) = (part for part in answered.parts if part.kind is PartKind.ORDER)
    assert (order.outcome, order.ended_at, answered.supervisions) == (Outcome.DONE, LATER, 1)


@pytest.mark.parametrize("verb", [Verb.NOTE, Verb.CONTACTED, Verb.REQUEST, Verb.EXTEND, Verb.URGE, Verb.ASSIST])
def test_an_order_is_not_answered_by_anything_else(verb: Verb) -> None:
    ordered = walk(*WORK, Verb.SUPERVISE)
    assert orders(step(ordered, verb, LATER)) == orders(ordered)


def test_an_order_stands_when_the_matter_changes_hands() -> None:
    ordered = walk(*WORK, Verb.SUPERVISE)
    assert orders(step(ordered, Verb.DISPATCH, LATER, handler_id=OTHER)) == orders(ordered)


def test_an_order_sleeps_with_the_matter_and_its_day_moves() -> None:
    suspended = step(step(walk(*WORK), Verb.SUPERVISE, until=WEDNESDAY), Verb.SUSPEND)
    assert suspended.running == ()
    assert chased_by(step(suspended, Verb.RESUME, civil("2026-03-16 10:00"))) == civil("2026-03-18 17:30")


def test_an_order_is_answered_while_the_matter_waits_long() -> None:
    ordered = step(walk(*LONG), Verb.INSTRUCT, until=WEDNESDAY)
    assert chased_by(ordered) == WEDNESDAY
    assert chased_by(step(ordered, Verb.PROGRESS)) is None


def test_an_order_does_not_end_with_the_long_term_as_a_milestone_does() -> None:
    ordered = step(walk(*LONG), Verb.INSTRUCT, until=FRIDAY)
    assert len(orders(step(ordered, Verb.RESUME, LATER))) == 1


@pytest.mark.parametrize("verb", [Verb.PART_ACKNOWLEDGE, Verb.PART_PROGRESS, Verb.PART_DONE, Verb.PART_RETURN])
def test_no_unit_answers_an_order_as_if_it_were_its_share(verb: Verb) -> None:
    assert refusal(walk(*WORK, Verb.SUPERVISE), verb, part=1) == "refused.no_such_part"


def test_an_order_does_not_hold_up_the_end_of_the_work() -> None:
    assert step(walk(*WORK, Verb.SUPERVISE), Verb.RESOLVE).status is Status.RESOLVED


def test_the_inspectors_decision_is_no_order() -> None:
    twice = walk(*DONE, Verb.DISSATISFIED, Verb.RESOLVE, Verb.DISSATISFIED)
    decided = step(twice, Verb.INSTRUCT, until=None)
    assert (decided.status, decided.escalated, decided.parts) == (Status.IN_PROGRESS, False, ())


def test_nobody_is_ordered_before_he_has_the_matter() -> None:
    for verb in ORDERS:
        assert refusal(filed(), verb) == "refused.status"
        assert refusal(walk(*DONE), verb) == "refused.status"


# Taken back ---------------------------------------------------------------------------------------------------------
def slip(before: Appeal, verb: Verb, at: datetime, by: int = ACTOR) -> Slip:
    """What history says of a step: what it was, whose, when, and what it moved."""
    return Slip(verb, by, at, before.status, before.progress_at, before.acknowledged_at, before.contacted_at)


def without_asking_anew(appeal: Appeal) -> Appeal:
    """An appeal but for its version, when the clock looks, and what a resolution asks of the firm anew."""
    return replace(appeal, version=0, next_due=None, solution=None, calls=0, resolution=None)


SLIPS = [
    ((), WORK),
    ((Verb.PROGRESS,), WORK),
    ((Verb.SUPERVISE,), WORK),
    ((Verb.PROGRESS, Verb.INSTRUCT), WORK),
    ((), (*DONE, Verb.DISSATISFIED)),
    ((Verb.EXTEND,), WORK),
    ((Verb.BEYOND,), WORK),
    ((Verb.SUPERVISE, Verb.INSTRUCT), WORK),
    ((Verb.SUPERVISE, Verb.PROGRESS, Verb.SUPERVISE), WORK),
]


@pytest.mark.parametrize("verb", ANSWERS)
@pytest.mark.parametrize("more,way", SLIPS)
def test_what_is_taken_back_is_as_if_it_had_not_been(verb: Verb, more: tuple[Verb, ...], way: tuple[Verb, ...]) -> None:
    before = walk(*way, *more)
    slipped = step(before, verb, LATER)
    back = step(slipped, Verb.TAKE_BACK, LATER + timedelta(seconds=59), slip=slip(before, verb, LATER))
    assert without_asking_anew(back) == without_asking_anew(before)
    assert back.running == before.running


@pytest.mark.parametrize(
    "way",
    [
        (),
        (Verb.DISPATCH,),
        (Verb.DISPATCH, Verb.CONTACTED),
        (Verb.DISPATCH, Verb.SUPERVISE),
        (*WORK, Verb.CONTACTED, Verb.REQUEST),
    ],
)
def test_an_instant_answer_that_is_taken_back_leaves_the_matter_where_it_was(way: tuple[Verb, ...]) -> None:
    before = walk(*way)
    slipped = step(before, Verb.INSTANT, LATER)
    back = step(slipped, Verb.TAKE_BACK, LATER, slip=slip(before, Verb.INSTANT, LATER))
    assert without_asking_anew(back) == without_asking_anew(before)


def test_who_took_a_matter_on_first_is_kept_when_a_second_owners_slip_is_taken_back() -> None:
    before = step(walk(*WORK), Verb.DISPATCH, LATER, handler_id=OTHER)
    slipped = step(before, Verb.INSTANT, LATER)
    back = step(slipped, Verb.TAKE_BACK, LATER, slip=slip(before, Verb.INSTANT, LATER))
    assert back.acknowledged_at == before.acknowledged_at == MONDAY


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.LONG_TERM])
def test_news_of_what_is_put_off_can_be_taken_back_too(status: Status) -> None:
    before = walk(*WORK, Verb.SUSPEND) if status is Status.SUSPENDED else walk(*LONG)
    slipped = step(before, Verb.PROGRESS, LATER)
    back = step(slipped, Verb.TAKE_BACK, LATER, slip=slip(before, Verb.PROGRESS, LATER))
    assert without_asking_anew(back) == without_asking_anew(before)


def test_a_units_share_that_ended_in_the_same_moment_has_ended_for_all_that() -> None:
    before = walk(*WORK, Verb.ASSIST, Verb.SUPERVISE)
    done = step(before, Verb.PART_DONE, LATER, part=1)
    slipped = step(done, Verb.PROGRESS, LATER)
    back = step(slipped, Verb.TAKE_BACK, LATER, slip=slip(done, Verb.PROGRESS, LATER))
    assert [part.outcome for part in back.parts] == [Outcome.DONE, None]


@pytest.mark.parametrize("seconds,allowed", [(0, True), (59, True), (60, False), (61, False), (3600, False)])
def test_a_slip_is_taken_back_within_a_minute(seconds: int, allowed: bool) -> None:
    before = walk(*WORK)
    slipped = step(before, Verb.RESOLVE)
    at = MONDAY + timedelta(seconds=seconds)
    if allowed:
        assert step(slipped, Verb.TAKE_BACK, at, slip=slip(before, Verb.RESOLVE, MONDAY)).status is Status.IN_PROGRESS
    else:
        error = refused(slipped, Verb.TAKE_BACK, at, slip=slip(before, Verb.RESOLVE, MONDAY))
        assert (error.key, told(error)["number"]) == ("refused.nothing_to_take_back", "12")


def test_nobody_takes_back_what_another_one_said_or_what_nobody_said() -> None:
    before = walk(*WORK)
    slipped = step(before, Verb.RESOLVE)
    others = slip(before, Verb.RESOLVE, MONDAY, by=ACTOR + 1)
    assert refusal(slipped, Verb.TAKE_BACK, slip=others) == "refused.nothing_to_take_back"
    assert refusal(slipped, Verb.TAKE_BACK, slip=None) == "refused.nothing_to_take_back"


def test_what_the_firm_has_answered_is_not_taken_back() -> None:
    assert open_to(Verb.TAKE_BACK).isdisjoint({Status.CLOSED, Status.UNRATED, Status.CLOSED_DISPUTED})
