"""Who hears of which change: written down once more, for every step that there is."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from domain.appeal import Change, Details
from domain.lifecycle import STEPS, submit, take
from domain.news import notices
from domain.notices import Notice
from domain.rules import Difficulty, Listener
from domain.verbs import Verb
from tests.domain.walking import DONE, HANDLER, LONG, MONDAY, OTHER, RULES, SHARED, WORK, change, step, walk
from tests.making import drafted

FIRM, LEAD, LIAISON, GROUP = Listener.CONTACT, Listener.HANDLER, Listener.LIAISON, Listener.ORIGIN_GROUP
OFFICE, HEAD, CHIEF, INSPECTOR = Listener.COORDINATOR, Listener.HEAD, Listener.CHIEF, Listener.INSPECTOR
UNIT, GIVER, BEFORE = Listener.CO_HANDLER, Listener.ORDERER, Listener.PREVIOUS_HANDLER
TWICE = (*DONE, Verb.DISSATISFIED, Verb.RESOLVE)
NOBODY: frozenset[Listener] = frozenset()

# What was done before, the step, who hears of it besides the one who took it. What moves the firm's date, its state or
# who works for it is told to the firm; what somebody has to do is told to him; what must be decided, to who decides.
HEARS: list[tuple[tuple[Verb, ...], Verb, set[Listener] | frozenset[Listener]]] = [
    ((), Verb.DISPATCH, {LEAD, LIAISON, FIRM}),
    ((Verb.DISPATCH, Verb.RETURN), Verb.DISPATCH, {LEAD, LIAISON, FIRM}),
    ((Verb.DISPATCH, Verb.RETURN), Verb.RULE, {LEAD, LIAISON, FIRM}),
    ((), Verb.DECLINE, {FIRM}),
    ((Verb.DECLINE,), Verb.OBJECT, {OFFICE}),
    ((Verb.DISPATCH,), Verb.ACKNOWLEDGE, {FIRM, GROUP}),
    (WORK, Verb.CONTACTED, NOBODY),
    ((Verb.DISPATCH,), Verb.RETURN, {OFFICE, FIRM}),
    (WORK, Verb.PROGRESS, {FIRM}),
    ((*WORK, Verb.SUPERVISE), Verb.PROGRESS, {FIRM, GIVER}),
    (WORK, Verb.NOTE, NOBODY),
    (WORK, Verb.REQUEST, {OFFICE}),
    (WORK, Verb.APPROVE, {FIRM}),  # asked for its consent to a long-term plan
    (WORK, Verb.DENY, {LEAD}),
    (WORK, Verb.RESOLVE, {FIRM, LIAISON}),
    ((*WORK, Verb.INSTRUCT), Verb.RESOLVE, {FIRM, LIAISON, GIVER}),
    (WORK, Verb.EXPLAIN, {FIRM, LIAISON}),
    (WORK, Verb.HAND_OVER, NOBODY),  # the liaison's place; the two cadres hear of all their matters in one message
    ((), Verb.INSTANT, {FIRM, LIAISON}),
    ((Verb.DISPATCH,), Verb.INSTANT, {FIRM, LIAISON}),
    (DONE, Verb.TAKE_BACK, NOBODY),  # what nobody has heard yet needs no word
    (WORK, Verb.EXTEND, {FIRM, LEAD, GROUP}),
    (WORK, Verb.SUSPEND, {FIRM, LEAD}),
    (SHARED, Verb.SUSPEND, {FIRM, LEAD, UNIT}),
    (WORK, Verb.AGREE, {LEAD, OFFICE}),
    (SHARED, Verb.AGREE, {LEAD, OFFICE, UNIT}),  # whose part waits as well
    (WORK, Verb.DISAGREE, {LEAD, OFFICE}),
    (LONG, Verb.MILESTONE, {FIRM}),
    (LONG, Verb.MILESTONE_DONE, {FIRM, OFFICE}),  # it was the last one
    ((*LONG, Verb.MILESTONE), Verb.MILESTONE_DONE, {FIRM}),
    (WORK, Verb.HARD_DATE, {LEAD, FIRM}),
    (WORK, Verb.RECOUNT, NOBODY),  # no date has moved
    ((*WORK, Verb.SUSPEND), Verb.RESUME, {FIRM, LEAD}),
    ((*SHARED, Verb.SUSPEND), Verb.RESUME, {FIRM, LEAD, UNIT}),
    (LONG, Verb.RESUME, {FIRM, LEAD}),
    (DONE, Verb.SATISFIED, {LEAD, LIAISON, GROUP}),
    (DONE, Verb.FAIRLY_SATISFIED, {LEAD, LIAISON, GROUP}),
    (DONE, Verb.DISSATISFIED, {LEAD, OFFICE, GROUP}),
    (TWICE, Verb.DISSATISFIED, {LEAD, OFFICE, GROUP, INSPECTOR}),
    (DONE, Verb.SOLVED, NOBODY),
    (DONE, Verb.PARTLY_SOLVED, NOBODY),
    (DONE, Verb.UNSOLVED, NOBODY),
    (DONE, Verb.FOLLOW_UP, NOBODY),
    ((*DONE, Verb.FOLLOW_UP, Verb.FOLLOW_UP), Verb.FOLLOW_UP, {FIRM}),
    ((*DONE, Verb.SATISFIED), Verb.REWORK, {LEAD, OFFICE, GROUP}),
    (WORK, Verb.INSTRUCT, {LEAD, HEAD, OFFICE}),
    ((*TWICE, Verb.DISSATISFIED), Verb.INSTRUCT, {LEAD, FIRM}),
    (WORK, Verb.SUPERVISE, {LEAD, HEAD, OFFICE}),
    (WORK, Verb.REFER, {CHIEF, LEAD}),
    (WORK, Verb.READ, NOBODY),
    (WORK, Verb.ASSIST, {UNIT, LEAD, FIRM}),
    (WORK, Verb.BEYOND, {FIRM, OFFICE}),
    (SHARED, Verb.PART_ACKNOWLEDGE, {LEAD}),
    (SHARED, Verb.PART_PROGRESS, {LEAD}),
    (SHARED, Verb.PART_DONE, {LEAD}),
    ((*WORK, Verb.BEYOND), Verb.PART_PROGRESS, {FIRM}),
    ((*WORK, Verb.BEYOND), Verb.PART_DONE, {FIRM}),
    (SHARED, Verb.PART_RETURN, {LEAD, OFFICE}),
    (SHARED, Verb.WAIVE, {UNIT, LEAD}),
    (SHARED, Verb.SLIP, NOBODY),  # the paper goes to whoever asked for it
    ((*TWICE, Verb.DISSATISFIED), Verb.CLOSE_DISPUTED, {FIRM, LEAD}),
    (WORK, Verb.WITHDRAW, {LEAD, GROUP}),
    (SHARED, Verb.WITHDRAW, {LEAD, GROUP, UNIT}),
    ((Verb.WITHDRAW,), Verb.UNDO, {OFFICE}),
    (WORK, Verb.MERGE, {FIRM, LEAD}),
    (SHARED, Verb.MERGE, {FIRM, LEAD, UNIT}),
    ((Verb.MERGE,), Verb.UNMERGE, NOBODY),
    (WORK, Verb.SUPPLEMENT, {LEAD}),
    ((), Verb.URGE, {OFFICE}),
    (WORK, Verb.URGE, {LEAD}),
    (WORK, Verb.URGENT, {LEAD}),
    (WORK, Verb.DIFFICULTY, {FIRM, LEAD}),
    (WORK, Verb.RECATEGORISE, {FIRM, LEAD}),
]


def listeners(found: tuple[Notice, ...]) -> list[Listener]:
    return [notice.listener for notice in found]


@pytest.mark.parametrize(
    "way,verb,expected", HEARS, ids=[f"{verb} after {'-'.join(way) or 'filing'}" for way, verb, _ in HEARS]
)
def test_each_change_is_heard_by_those_whom_it_concerns(
    way: tuple[Verb, ...], verb: Verb, expected: set[Listener]
) -> None:
    assert set(listeners(notices(change(walk(*way), verb)))) == set(expected)


def test_the_table_forgets_no_step() -> None:
    assert {verb for _, verb, _ in HEARS} == {verb for verb, _ in STEPS}


def test_filing_is_no_news_but_for_who_did_not_file_himself() -> None:
    by_himself = submit(drafted(), by=1, at=MONDAY, rules=RULES)
    recorded = submit(drafted(recorded_by=2, contact_id=None), by=2, at=MONDAY, rules=RULES)
    assert (listeners(notices(by_himself)), listeners(notices(recorded))) == ([], [FIRM])


def test_a_dispatch_by_the_rules_is_no_news_for_the_firm() -> None:
    details = Details(handler_id=HANDLER)
    by_rule = take(walk(), Verb.DISPATCH, by=None, at=MONDAY, rules=RULES, details=details)
    assert set(listeners(notices(by_rule))) == {LEAD, LIAISON}


def test_a_firm_hears_who_is_in_charge_when_a_cadre_takes_the_handlers_place() -> None:
    assert listeners(notices(change(walk(*WORK), Verb.HAND_OVER, handler_id=OTHER, instead_of=HANDLER))) == [FIRM]


def test_who_loses_a_matter_hears_of_it() -> None:
    assert BEFORE in listeners(notices(change(walk(*WORK), Verb.DISPATCH, handler_id=OTHER)))
    assert BEFORE not in listeners(notices(change(walk(), Verb.DISPATCH)))


def test_an_answer_by_call_is_told_to_the_firm() -> None:
    assert FIRM in listeners(notices(change(walk(*DONE), Verb.SATISFIED, facts={"by_call": True})))


# Dates: told where they move, with the date that was ----------------------------------------------------------------
@pytest.mark.parametrize(
    "verb,details",
    [
        (Verb.DIFFICULTY, {"difficulty": Difficulty.NORMAL}),
        (Verb.RECATEGORISE, {"difficulty": None}),
        (Verb.HARD_DATE, {"until": MONDAY + timedelta(days=30)}),
    ],
)
def test_a_firm_whose_date_has_not_moved_is_left_in_peace(verb: Verb, details: Mapping[str, Any]) -> None:
    assert FIRM not in listeners(notices(change(walk(*WORK), verb, **details)))


@pytest.mark.parametrize("verb", [Verb.EXTEND, Verb.DIFFICULTY, Verb.RECATEGORISE, Verb.HARD_DATE])
def test_a_firm_whose_date_has_moved_is_told_both_dates(verb: Verb) -> None:
    before = walk(*WORK)
    moved = change(before, verb)
    assert moved.after.due != before.due
    (told,) = (notice for notice in notices(moved) if notice.listener is FIRM)
    assert told.facts["before"] == before.due


# Held back: a slip can be taken back for a minute ---------------------------------------------------------------------
TAKEN_BACK = (Verb.PROGRESS, Verb.RESOLVE, Verb.EXPLAIN, Verb.INSTANT)


@pytest.mark.parametrize("way,verb,expected", HEARS)
def test_only_what_can_be_taken_back_waits_a_minute(way: tuple[Verb, ...], verb: Verb, expected: set[Listener]) -> None:
    taken = change(walk(*way), verb)
    waits = {notice.earliest for notice in notices(taken)}
    if expected:
        assert waits == {MONDAY + timedelta(seconds=60) if verb in TAKEN_BACK else None}


# Parts --------------------------------------------------------------------------------------------------------------
def test_each_unit_hears_of_its_own_part() -> None:
    two = step(walk(*SHARED), Verb.ASSIST, unit="水务局")
    for verb in (Verb.SUSPEND, Verb.WITHDRAW):
        told = [notice.part for notice in notices(change(two, verb)) if notice.listener is UNIT]
        assert told == [1, 2], verb
    told = [notice.part for notice in notices(change(two, Verb.WAIVE, part=1, facts={"part": 1}))]
    assert told == [1, 1]


def test_a_unit_whose_part_has_ended_is_left_in_peace() -> None:
    ended = walk(*SHARED, Verb.PART_DONE)
    for verb in (Verb.SUSPEND, Verb.WITHDRAW):
        assert UNIT not in listeners(notices(change(ended, verb)))


def test_each_giver_of_an_order_hears_once_what_was_reported() -> None:
    ordered = walk(*WORK, Verb.SUPERVISE, Verb.INSTRUCT)
    told = [notice.part for notice in notices(change(ordered, Verb.PROGRESS)) if notice.listener is GIVER]
    assert told == [1, 2]
    answered: Change = change(step(ordered, Verb.PROGRESS), Verb.PROGRESS)
    assert GIVER not in listeners(notices(answered))


def test_whoever_is_told_to_do_something_gets_buttons_for_it() -> None:
    for way, verb, listener in (
        ((), Verb.DISPATCH, LEAD),
        (WORK, Verb.ASSIST, UNIT),
        (WORK, Verb.REQUEST, OFFICE),
        (WORK, Verb.APPROVE, FIRM),
        (WORK, Verb.REFER, CHIEF),
        (WORK, Verb.SUPERVISE, LEAD),
        (WORK, Verb.RESOLVE, FIRM),
        (SHARED, Verb.PART_RETURN, OFFICE),
    ):
        (told,) = (notice for notice in notices(change(walk(*way), verb)) if notice.listener is listener)
        assert told.buttons, verb
