"""How a deadline is counted, what moves it, and that it can be counted again at any time."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.appeal import Appeal
from domain.deadlines import Cap, Pause, Reckoning, fixed
from domain.rules import Rules
from domain.verbs import Verb
from domain.workdays import Calendar, Span, parse_span
from storage.years import read_years
from tests.domain.walking import LONG, MONDAY, RULES, SHARED, WORK, step, walk
from tests.making import ZONE, civil

CALENDAR = RULES.calendar


def spans(*written: str) -> tuple[Span, ...]:
    return tuple(parse_span(each) for each in written)


def pause(start: str, end: str) -> Pause:
    return Pause(civil(start), civil(end))


def closed_on(*days: str) -> Rules:
    """The park's rules after these days turned out to be closed: a typhoon, a local holiday."""
    closures = frozenset(date.fromisoformat(day) for day in days)
    return replace(RULES, calendar=Calendar(read_years(), CALENDAR.hours, ZONE, closures))


# Spans --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "written,due",
    [
        (("10wd",), "2026-03-23 17:30"),
        (("4wh",), "2026-03-09 16:00"),
        (("2h",), "2026-03-09 12:00"),
        (("0s",), "2026-03-09 10:00"),
        (("1wd", "2wd"), "2026-03-11 17:30"),
        (("2wd", "1wd"), "2026-03-11 17:30"),
        (("48h", "1wd"), "2026-03-11 10:00"),
        (("24h", "1wd"), "2026-03-10 17:30"),
        (("7wh", "26h", "0s"), "2026-03-10 12:00"),
    ],
)
def test_of_several_spans_the_longest_holds(written: tuple[str, ...], due: str) -> None:
    for order in permutations(spans(*written)):
        assert Reckoning(MONDAY, order).deadline(CALENDAR) == civil(due)


def test_which_span_is_the_longest_may_depend_on_the_days_between() -> None:
    counted = Reckoning(civil("2026-02-13 10:00"), spans("1wd", "30h"))
    assert counted.deadline(CALENDAR) == civil("2026-02-14 17:30")  # a Saturday on which people work
    assert replace(counted, start=civil("2026-02-14 10:00")).deadline(CALENDAR) == civil("2026-02-24 17:30")


def test_a_fixed_deadline_is_moved_by_no_calendar() -> None:
    at = civil("2026-03-14 03:00")
    assert fixed(at).deadline(CALENDAR) == fixed(at).deadline(closed_on("2026-03-13", "2026-03-16").calendar) == at


# Moves --------------------------------------------------------------------------------------------------------------
def test_a_pause_adds_its_working_time() -> None:
    counted = Reckoning(MONDAY, spans("10wd"))
    for start, end, due in (
        ("2026-03-09 11:00", "2026-03-09 12:00", "2026-03-24 09:30"),
        ("2026-03-09 11:30", "2026-03-09 14:30", "2026-03-24 09:30"),  # noon is no working time
        ("2026-03-13 17:30", "2026-03-16 08:30", "2026-03-23 17:30"),  # nor is a weekend
        ("2026-03-10 10:00", "2026-03-11 10:00", "2026-03-24 17:30"),
        ("2026-03-10 10:00", "2026-03-10 10:00", "2026-03-23 17:30"),
    ):
        assert counted.moved(pause(start, end)).deadline(CALENDAR) == civil(due), (start, end)


def test_moves_come_in_the_order_in_which_they_happened() -> None:
    hour, two_days = pause("2026-03-10 10:00", "2026-03-10 11:00"), parse_span("2wd")
    counted = Reckoning(MONDAY, spans("3wd"))
    assert counted.moved(two_days).moved(hour).deadline(CALENDAR) == civil("2026-03-17 09:30")
    assert counted.moved(hour).moved(two_days).deadline(CALENDAR) == civil("2026-03-17 17:30")
    assert counted.moved(hour).moved(two_days).moves == (hour, two_days)


def test_two_pauses_add_up() -> None:
    morning, afternoon = pause("2026-03-10 08:30", "2026-03-10 12:00"), pause("2026-03-11 14:00", "2026-03-11 17:30")
    counted = Reckoning(MONDAY, spans("10wd")).moved(morning).moved(afternoon)
    assert counted.deadline(CALENDAR) == civil("2026-03-24 17:30")
    assert counted.pauses() == (morning, afternoon)
    assert counted.moved(parse_span("1wd")).pauses() == (morning, afternoon)


def test_a_move_leaves_the_first_reckoning_as_it_was() -> None:
    counted = Reckoning(MONDAY, spans("3wd"))
    counted.moved(parse_span("9wd"))
    counted.capped(MONDAY)
    assert counted == Reckoning(MONDAY, spans("3wd"))


# Caps ---------------------------------------------------------------------------------------------------------------
def test_of_two_counts_the_earlier_one_rules() -> None:
    counted = Reckoning(MONDAY, spans("1wd"))
    at = civil("2026-03-09 11:00")
    assert counted.capped(at, parse_span("2h")).deadline(CALENDAR) == civil("2026-03-09 13:00")
    assert counted.capped(at, parse_span("9wd")).deadline(CALENDAR) == civil("2026-03-10 17:30")
    assert counted.capped(at).deadline(CALENDAR) == at
    both = counted.capped(at, parse_span("2h")).capped(at, parse_span("1h"))
    assert both.caps == (Cap(at, parse_span("2h")), Cap(at, parse_span("1h")))
    assert both.deadline(CALENDAR) == civil("2026-03-09 12:00")


# By another calendar ------------------------------------------------------------------------------------------------
def test_a_day_that_turns_out_to_be_closed_moves_what_is_counted_over_it() -> None:
    typhoon = closed_on("2026-03-11").calendar
    assert Reckoning(MONDAY, spans("10wd")).deadline(typhoon) == civil("2026-03-24 17:30")
    assert Reckoning(MONDAY, spans("1wd")).deadline(typhoon) == civil("2026-03-10 17:30")
    assert Reckoning(MONDAY, spans("72h")).deadline(typhoon) == MONDAY + timedelta(hours=72)


def test_a_pause_on_a_day_that_turns_out_to_be_closed_adds_nothing() -> None:
    counted = Reckoning(MONDAY, spans("10wd")).moved(pause("2026-03-11 08:30", "2026-03-11 17:30"))
    assert counted.deadline(CALENDAR) == civil("2026-03-24 17:30")
    assert counted.deadline(closed_on("2026-03-11").calendar) == civil("2026-03-24 17:30")  # closed, and no hold


WAYS: list[tuple[Verb, ...]] = [
    (),
    (Verb.DISPATCH,),
    (Verb.DISPATCH, Verb.RETURN),
    (Verb.URGENT, Verb.DISPATCH),
    (*WORK, Verb.EXTEND),
    (*WORK, Verb.HARD_DATE),
    (*WORK, Verb.SUSPEND, Verb.RESUME),
    (*SHARED, Verb.BEYOND),
    (*LONG, Verb.MILESTONE),
    (*WORK, Verb.RESOLVE, Verb.DISSATISFIED),
    (Verb.DECLINE, Verb.OBJECT),
]


def counted_again(appeal: Appeal, calendar: Calendar) -> Appeal:
    """An appeal with every date counted from what it says it is counted from."""
    dates = appeal.dates
    work = dates.work.deadline(calendar)
    return replace(
        appeal,
        dispatch_due=dates.dispatch.deadline(calendar),
        acknowledge_due=dates.acknowledge.deadline(calendar),
        due=min(work, dates.hard) if dates.hard else work,
        parts=tuple(replace(part, due=part.reckoned.deadline(calendar)) for part in appeal.parts),
    )


@pytest.mark.parametrize("way", WAYS)
def test_every_date_is_counted_again_to_what_it_is(way: tuple[Verb, ...]) -> None:
    appeal = walk(*way)
    assert counted_again(appeal, CALENDAR) == appeal


@pytest.mark.parametrize("way", WAYS)
@given(days=st.sets(st.integers(0, 40), max_size=4))
def test_another_calendar_and_the_first_one_again_leave_all_dates_as_they_were(
    way: tuple[Verb, ...], days: set[int]
) -> None:
    appeal = walk(*way)
    closed = closed_on(*((MONDAY + timedelta(days=shift)).date().isoformat() for shift in days))
    moved = step(appeal, Verb.RECOUNT, rules=closed)
    assert moved == replace(counted_again(appeal, closed.calendar), version=moved.version, next_due=moved.next_due)
    back = step(moved, Verb.RECOUNT, rules=RULES)
    assert back == replace(appeal, version=back.version, next_due=back.next_due)


def test_a_part_that_has_ended_keeps_the_date_that_it_had() -> None:
    ended = walk(*SHARED, Verb.PART_DONE)
    typhoon = closed_on("2026-03-11")
    assert step(ended, Verb.RECOUNT, rules=typhoon).parts == ended.parts
    still_open = walk(*SHARED)
    assert step(still_open, Verb.RECOUNT, rules=typhoon).parts[0].due == civil("2026-03-13 17:30")


@pytest.mark.parametrize("away, back", [(Verb.WITHDRAW, Verb.UNDO), (Verb.MERGE, Verb.UNMERGE)])
def test_what_comes_back_comes_by_the_calendar_of_now(away: Verb, back: Verb) -> None:
    gone, typhoon = walk(away), closed_on("2026-03-11")
    returned = step(gone, back, rules=typhoon)
    assert returned == counted_again(returned, typhoon.calendar)
    assert returned.due > gone.due


# A date set by others -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "hard,due",
    [
        ("2026-03-18 17:30", "2026-03-18 17:30"),
        ("2026-03-23 17:29", "2026-03-23 17:29"),
        ("2026-03-23 17:30", "2026-03-23 17:30"),
        ("2026-03-27 17:30", "2026-03-23 17:30"),
    ],
)
def test_of_our_date_and_one_set_by_others_the_earlier_one_rules(hard: str, due: str) -> None:
    assert step(walk(*WORK), Verb.HARD_DATE, until=civil(hard)).due == civil(due)


def test_a_date_set_by_others_holds_when_ours_moves_on() -> None:
    appeal = step(walk(*WORK), Verb.HARD_DATE, until=civil("2026-03-25 17:30"))
    assert appeal.due == civil("2026-03-23 17:30")
    hard = step(appeal, Verb.DIFFICULTY)
    assert hard.due == civil("2026-03-25 17:30")
    resumed = step(step(appeal, Verb.SUSPEND), Verb.RESUME, civil("2026-03-16 10:00"))
    assert resumed.due == civil("2026-03-25 17:30")


def test_a_later_date_set_by_others_takes_the_place_of_the_first() -> None:
    appeal = step(walk(*WORK), Verb.HARD_DATE, until=civil("2026-03-16 17:30"))
    assert step(appeal, Verb.HARD_DATE, until=civil("2026-03-19 17:30")).due == civil("2026-03-19 17:30")


def test_a_rework_has_nothing_to_do_with_a_date_that_others_set_for_the_first_round() -> None:
    appeal = step(walk(*WORK), Verb.HARD_DATE, until=civil("2026-03-10 17:30"))
    again = step(step(appeal, Verb.RESOLVE), Verb.DISSATISFIED)
    assert (again.due, again.dates.hard) == (civil("2026-03-16 17:30"), None)
