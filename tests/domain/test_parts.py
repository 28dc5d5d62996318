"""牵头 and 配合: parts with dates of their own, before the lead's, and what they hold up."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.appeal import Appeal, Status
from domain.deadlines import fixed
from domain.parts import Outcome, Part, PartKind
from domain.rules import Difficulty
from domain.verbs import Verb
from domain.workdays import Calendar, Span, Unit
from storage.years import read_years
from tests.domain.walking import (
    BUILDING,
    CO_HANDLER,
    HANDLER,
    LONG,
    MONDAY,
    RULES,
    SHARED,
    WORK,
    filed,
    refusal,
    refused,
    step,
    told,
    walk,
)
from tests.making import ZONE, civil

CALENDAR = RULES.calendar
LEAD_DUE = civil("2026-03-23 17:30")
ENDINGS = {
    Verb.PART_DONE: Outcome.DONE,
    Verb.PART_RETURN: Outcome.RETURNED,
    Verb.WAIVE: Outcome.WAIVED,
}


def asked(at: str, **details: Any) -> Part:
    return step(walk(*WORK), Verb.ASSIST, civil(at), **details).parts[-1]


# The date of a share ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "at,due",
    [
        # the lead has time enough: the park's term, three working days
        ("2026-03-09 10:00", "2026-03-12 17:30"),
        ("2026-03-17 10:00", "2026-03-20 17:30"),
        # the term would reach the lead's own date: one working day before it
        ("2026-03-18 10:00", "2026-03-20 17:30"),
        ("2026-03-19 16:00", "2026-03-20 17:30"),
        ("2026-03-20 17:29", "2026-03-20 17:30"),
        # that day is over: 60 % of the working time that the lead has left
        ("2026-03-20 17:30", "2026-03-23 14:42"),  # of 7 h
        ("2026-03-23 08:30", "2026-03-23 14:42"),
        ("2026-03-23 10:00", "2026-03-23 15:18"),  # of 5.5 h
        ("2026-03-23 16:30", "2026-03-23 17:06"),  # of 1 h
        # the lead is late himself: his date binds nobody else
        ("2026-03-23 17:30", "2026-03-26 17:30"),
        ("2026-03-25 10:00", "2026-03-30 17:30"),
    ],
)
def test_a_share_is_due_before_the_lead_in_every_case(at: str, due: str) -> None:
    part = asked(at)
    assert part.due == civil(due)
    assert part.asked_at == civil(at)
    assert part.reckoned.deadline(CALENDAR) == part.due


@given(minutes=st.integers(0, 14 * 24 * 60 + 7 * 60 + 29), graded=st.sampled_from(Difficulty))
def test_whenever_it_is_asked_for_a_share_is_due_between_now_and_the_leads_date(
    minutes: int, graded: Difficulty
) -> None:
    lead = step(walk(*WORK), Verb.DIFFICULTY, difficulty=graded)
    at = MONDAY + minutes * (civil("2026-03-09 10:01") - MONDAY)
    if at < lead.due:
        part = step(lead, Verb.ASSIST, at).parts[0]
        assert at < part.due < lead.due


def test_a_day_that_is_named_for_a_share_holds_where_it_is_sooner() -> None:
    assert asked("2026-03-09 10:00", until=civil("2026-03-10 17:30")).due == civil("2026-03-10 17:30")
    assert asked("2026-03-19 10:00", until=LEAD_DUE).due == civil("2026-03-20 17:30")


@pytest.mark.parametrize("until", ["2026-03-09 10:00", "2026-03-06 17:30", "2026-03-24 17:30"])
def test_no_share_is_due_in_the_past_or_after_the_lead(until: str) -> None:
    error = refused(walk(*WORK), Verb.ASSIST, until=civil(until))
    assert error.key == "refused.part_after_lead"
    assert told(error)["due"] == LEAD_DUE


# Hold, calendar -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "at,first,after",
    [
        ("2026-03-09 10:00", "2026-03-12 17:30", "2026-03-19 17:30"),
        ("2026-03-19 10:00", "2026-03-20 17:30", "2026-03-27 17:30"),  # bound by the lead's date, which moves as well
        ("2026-03-23 10:00", "2026-03-23 15:18", "2026-03-30 15:18"),
    ],
)
def test_a_hold_moves_the_date_of_a_share_as_it_moves_the_leads(at: str, first: str, after: str) -> None:
    """Five working days of hold, whatever the date of the share was bound by."""
    shared = step(walk(*WORK), Verb.ASSIST, civil(at))
    assert shared.parts[0].due == civil(first)
    resumed = step(step(shared, Verb.SUSPEND, civil(at)), Verb.RESUME, CALENDAR.add(civil(at), _five_days()))
    assert resumed.due == civil("2026-03-30 17:30")
    assert resumed.parts[0].due == civil(after)
    assert resumed.parts[0].round == 2
    assert resumed.parts[0].reckoned.deadline(CALENDAR) == resumed.parts[0].due


def _five_days() -> Span:
    return Span(5 * 7 * 3600, Unit.WORKING_HOURS)


def test_a_hold_moves_a_day_that_was_named_for_a_share() -> None:
    shared = step(walk(*WORK), Verb.ASSIST, until=civil("2026-03-10 17:30"))
    resumed = step(step(shared, Verb.SUSPEND), Verb.RESUME, civil("2026-03-16 10:00"))
    assert resumed.parts[0].due == civil("2026-03-17 17:30")


def test_a_hold_moves_what_is_asked_of_those_above_too() -> None:
    appeal = step(walk(*WORK), Verb.BEYOND, until=civil("2026-03-18 17:30"))
    resumed = step(step(appeal, Verb.SUSPEND), Verb.RESUME, civil("2026-03-16 10:00"))
    assert resumed.parts[0].due == civil("2026-03-25 17:30")


def test_a_part_that_has_ended_is_moved_by_nothing() -> None:
    ended = walk(*SHARED, Verb.PART_DONE)
    resumed = step(step(ended, Verb.SUSPEND), Verb.RESUME, civil("2026-03-16 10:00"))
    assert resumed.parts == ended.parts


def test_a_closed_day_moves_a_share_that_is_counted_over_it() -> None:
    typhoon = Calendar(read_years(), CALENDAR.hours, ZONE, frozenset({date(2026, 3, 11)}))
    part = walk(*SHARED).parts[0]
    assert part.recounted(typhoon).due == civil("2026-03-13 17:30")
    assert part.recounted(typhoon).recounted(CALENDAR) == part


# Who, what, how it ends ---------------------------------------------------------------------------------------------
def test_a_share_knows_its_unit_its_words_and_who_works_on_it() -> None:
    part = walk(*SHARED).parts[0]
    assert (part.n, part.kind, part.title, part.unit) == (1, PartKind.SHARE, "出具意见", "建设局")
    assert (part.department_id, part.handler_id, part.is_open) == (BUILDING, CO_HANDLER, True)


def test_parts_are_numbered_in_the_order_in_which_they_were_asked_for() -> None:
    appeal = step(step(walk(*SHARED), Verb.PART_DONE), Verb.ASSIST, unit="水务局")
    appeal = step(appeal, Verb.BEYOND, unit="省电力公司")
    assert [(part.n, part.unit) for part in appeal.parts] == [(1, "建设局"), (2, "水务局"), (3, "省电力公司")]
    assert [part.n for part in appeal.open_parts] == [2, 3]
    assert [appeal.part(n) for n in (1, 2, 3, 4, 0)] == [*appeal.parts, None, None]


@pytest.mark.parametrize("verb", ENDINGS)
def test_a_share_ends_once_and_keeps_how(verb: Verb) -> None:
    at = civil("2026-03-11 10:00")
    ended = step(walk(*SHARED), verb, at)
    assert (ended.parts[0].outcome, ended.parts[0].ended_at) == (ENDINGS[verb], at)
    assert ended.open_parts == ()
    for again in (*ENDINGS, Verb.PART_ACKNOWLEDGE, Verb.PART_PROGRESS):
        assert refusal(ended, again, part=1) == "refused.no_such_part"


def test_what_a_unit_does_is_kept_with_its_part_and_with_no_other() -> None:
    two = step(walk(*SHARED), Verb.ASSIST, unit="水务局")
    at, later = civil("2026-03-10 10:00"), civil("2026-03-11 10:00")
    moved = step(step(two, Verb.PART_ACKNOWLEDGE, at, part=2), Verb.PART_PROGRESS, later, part=2)
    assert (moved.parts[1].acknowledged_at, moved.parts[1].progress_at) == (at, later)
    assert moved.parts[0] == two.parts[0]
    assert (moved.progress_at, moved.acknowledged_at, moved.status) == (None, MONDAY, Status.IN_PROGRESS)


@pytest.mark.parametrize("part", [None, 0, 2, 99])
def test_a_part_that_does_not_exist_is_no_part(part: int | None) -> None:
    for verb in (*ENDINGS, Verb.PART_ACKNOWLEDGE, Verb.PART_PROGRESS):
        assert refusal(walk(*SHARED), verb, part=part) == "refused.no_such_part"


def test_a_milestone_is_no_share_and_a_share_no_milestone() -> None:
    assert refusal(walk(*SHARED, Verb.AGREE), Verb.MILESTONE_DONE, part=1) == "refused.no_such_part"
    asked_above = walk(*WORK, Verb.BEYOND)
    for verb in (Verb.PART_ACKNOWLEDGE, Verb.PART_RETURN):
        assert refusal(asked_above, verb) == "refused.no_such_part"
    for verb in (Verb.PART_PROGRESS, Verb.PART_DONE, Verb.WAIVE):
        assert step(asked_above, verb).parts[0] != asked_above.parts[0]


def test_a_share_needs_a_unit_and_what_it_is_to_do() -> None:
    assert refusal(walk(*WORK), Verb.ASSIST, unit="") == "refused.part_needs_unit"
    assert refusal(walk(*WORK), Verb.ASSIST, title="") == "refused.part_needs_unit"


def test_the_lead_is_not_asked_to_help_himself() -> None:
    assert refusal(walk(*WORK), Verb.ASSIST, handler_id=HANDLER) == "refused.part_of_lead"
    assert step(walk(*WORK), Verb.ASSIST, handler_id=None).parts[0].handler_id is None  # a unit that nobody is bound to


def test_a_unit_works_on_one_share_at_a_time() -> None:
    shared = walk(*SHARED)
    assert refusal(shared, Verb.ASSIST) == "refused.part_given"
    for verb in ENDINGS:
        assert len(step(step(shared, verb), Verb.ASSIST).parts) == 2


# What it holds up ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("verb", [Verb.RESOLVE, Verb.EXPLAIN, Verb.INSTANT])
def test_the_lead_cannot_finish_while_a_share_is_open(verb: Verb) -> None:
    two = step(walk(*SHARED), Verb.ASSIST, unit="水务局")
    error = refused(two, verb)
    assert (error.key, told(error)["units"]) == ("refused.part_open", "建设局、水务局")
    one = step(two, Verb.PART_DONE, part=1)
    assert told(refused(one, verb))["units"] == "水务局"
    for ending in ENDINGS:
        assert step(step(one, ending, part=2), verb).status is Status.RESOLVED


@pytest.mark.parametrize("verb", [Verb.RESOLVE, Verb.EXPLAIN])
def test_what_those_above_have_not_answered_does_not_hold_up_the_lead(verb: Verb) -> None:
    assert step(walk(*WORK, Verb.BEYOND), verb).status is Status.RESOLVED


def test_a_share_is_waived_with_a_reason_only() -> None:
    assert refusal(walk(*SHARED), Verb.WAIVE, text=" ") == "refused.text_needed"


def test_a_share_stays_with_its_unit_when_the_lead_changes() -> None:
    shared = walk(*SHARED)
    handed = step(shared, Verb.DISPATCH, handler_id=8)
    assert handed.parts == shared.parts
    assert step(handed, Verb.PART_DONE).parts[0].outcome is Outcome.DONE


def test_a_share_changes_nothing_of_the_whole() -> None:
    lead = walk(*WORK)
    shared = step(lead, Verb.ASSIST)
    assert (shared.due, shared.status, shared.handler_id, shared.round) == (lead.due, lead.status, lead.handler_id, 1)


# Milestones ---------------------------------------------------------------------------------------------------------
def test_a_long_term_matter_begins_with_its_first_milestone() -> None:
    until = civil("2026-06-30 17:30")
    appeal = step(walk(*WORK), Verb.AGREE, until=until, title="变电站立项", unit="")
    (first,) = appeal.parts
    assert (first.kind, first.title, first.due, first.reckoned) == (
        PartKind.MILESTONE,
        "变电站立项",
        until,
        fixed(until),
    )
    assert (appeal.status, appeal.suspended_until) == (Status.LONG_TERM, None)


def test_milestones_end_with_the_long_term_that_they_belonged_to() -> None:
    appeal = step(step(walk(*LONG), Verb.MILESTONE), Verb.MILESTONE_DONE, part=1)
    resumed = step(appeal, Verb.RESUME, civil("2026-03-16 10:00"))
    assert [part.outcome for part in resumed.parts] == [Outcome.DONE, Outcome.WAIVED]
    assert resumed.due == civil("2026-03-30 17:30")
    assert step(resumed, Verb.RESOLVE).status is Status.RESOLVED


@pytest.mark.parametrize("until", [None, MONDAY, civil("2026-03-06 10:00")])
@pytest.mark.parametrize(
    "way,verb", [(WORK, Verb.AGREE), (LONG, Verb.MILESTONE), (WORK, Verb.BEYOND), (WORK, Verb.SUSPEND)]
)
def test_whatever_is_planned_has_a_day_to_come(way: tuple[Verb, ...], verb: Verb, until: Any) -> None:
    assert refusal(walk(*way), verb, until=until) == "refused.date_needed"


@pytest.mark.parametrize("verb,most", [(Verb.SUSPEND, 180), (Verb.AGREE, 3660), (Verb.BEYOND, 3660)])
def test_nothing_is_planned_too_far_away(verb: Verb, most: int) -> None:
    appeal: Appeal = walk(*WORK)
    day = civil("2026-03-10 10:00") - MONDAY
    assert step(appeal, verb, until=MONDAY + most * day).version == appeal.version + 1
    error = refused(appeal, verb, until=MONDAY + most * day + day / 86400)
    assert (error.key, told(error)["most"]) == ("refused.date_too_far", most)


def test_a_new_matter_has_no_parts() -> None:
    assert filed().parts == filed().open_parts == ()
