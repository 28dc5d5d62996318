"""延期: asked for in time, once (twice where it is hard), never beyond the most, and never silently."""

from datetime import datetime
from typing import Any

import pytest

from domain.appeal import Appeal
from domain.errors import Refused
from domain.guards import latest_extension
from domain.rules import Difficulty, Kind
from domain.verbs import Verb
from domain.workdays import Span, Unit
from tests.domain.walking import DONE, MONDAY, RULES, WORK, filed, refused, step, told, walk
from tests.making import civil

DUE = civil("2026-03-23 17:30")  # ten working days
CAP = civil("2026-04-21 17:30")  # thirty working days: 04-06 is a holiday
EASY, NORMAL, HARD = Difficulty.EASY, Difficulty.NORMAL, Difficulty.HARD


def working(difficulty: Difficulty = NORMAL, kind: Kind = Kind.APPEAL) -> Appeal:
    appeal = filed(difficulty=difficulty, kind=kind)
    for verb in WORK:
        appeal = step(appeal, verb)
    return appeal


def extended(appeal: Appeal, days: int, at: datetime = MONDAY, **details: Any) -> Appeal:
    return step(appeal, Verb.EXTEND, at, span=Span(days, Unit.WORKING_DAYS), **details)


def refusing(appeal: Appeal, days: int, at: datetime = MONDAY, **details: Any) -> tuple[str, dict[str, Any]]:
    error = refused(appeal, Verb.EXTEND, at, span=Span(days, Unit.WORKING_DAYS), **details)
    return error.key, dict(told(error))


# When ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "difficulty,kind,last",
    [
        (EASY, Kind.APPEAL, "2026-03-11 17:30"),
        (NORMAL, Kind.APPEAL, "2026-03-20 17:30"),  # a Friday; the date is a Monday
        (HARD, Kind.APPEAL, "2026-03-27 17:30"),
        (NORMAL, Kind.INQUIRY, "2026-03-10 17:30"),
        (NORMAL, Kind.COMPLAINT, "2026-03-27 17:30"),
    ],
)
def test_an_extension_is_asked_for_one_working_day_before_the_date_at_the_latest(
    difficulty: Difficulty, kind: Kind, last: str
) -> None:
    appeal, at = working(difficulty, kind), civil(last)
    assert extended(appeal, 2, at).extensions == 1
    for late in (at + (civil("2026-03-09 10:01") - MONDAY), appeal.due, appeal.due + (DUE - MONDAY)):
        key, facts = refusing(appeal, 2, late)
        assert key == "refused.extension_too_late"
        assert (facts["last"], facts["due"]) == (at, appeal.due)


def test_one_second_too_late_is_too_late() -> None:
    second = (civil("2026-03-09 10:01") - MONDAY) / 60
    assert refusing(working(), 2, civil("2026-03-20 17:30") + second)[0] == "refused.extension_too_late"


def test_what_was_asked_in_time_may_be_granted_later() -> None:
    in_time, too_late = civil("2026-03-20 17:30"), civil("2026-03-20 17:31")
    granted_at = civil("2026-03-24 09:00")
    assert extended(working(), 2, granted_at, asked_at=in_time).due == civil("2026-03-25 17:30")
    assert refusing(working(), 2, granted_at, asked_at=too_late)[0] == "refused.extension_too_late"


def test_the_last_moment_moves_with_a_hold() -> None:
    resumed = step(step(working(), Verb.SUSPEND), Verb.RESUME, civil("2026-03-10 10:00"))
    assert extended(resumed, 2, civil("2026-03-23 17:30")).due == civil("2026-03-26 17:30")
    assert refusing(resumed, 2, civil("2026-03-23 17:31"))[1]["last"] == civil("2026-03-23 17:30")


# How often ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("difficulty,most", [(EASY, 1), (NORMAL, 1), (HARD, 2)])
def test_an_extension_is_given_once_and_twice_where_it_is_hard(difficulty: Difficulty, most: int) -> None:
    appeal = working(difficulty)
    for times in range(1, most + 1):
        appeal = extended(appeal, 1)
        assert (appeal.extensions, appeal.round) == (times, times + 1)
    key, facts = refusing(appeal, 1)
    assert (key, facts["most"], facts["due"]) == ("refused.extended_already", most, appeal.due)


def test_what_turns_out_to_be_hard_may_be_extended_once_more() -> None:
    once = extended(working(), 2)
    assert extended(step(once, Verb.DIFFICULTY), 2).extensions == 2


# How long -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "days,due",
    [(1, "2026-03-24 17:30"), (5, "2026-03-30 17:30"), (10, "2026-04-07 17:30"), (20, "2026-04-21 17:30")],
)
def test_an_extension_is_counted_in_working_days_from_the_date_that_was(days: int, due: str) -> None:
    at = civil("2026-03-16 11:00")
    appeal = extended(working(), days, at)
    assert (appeal.due, appeal.round_started_at, appeal.round) == (civil(due), at, 2)


@pytest.mark.parametrize("span", [None, Span(0, Unit.WORKING_DAYS), Span(-3, Unit.WORKING_DAYS)])
def test_an_extension_says_for_how_long(span: Span | None) -> None:
    assert refused(working(), Verb.EXTEND, span=span).key == "refused.days_needed"


def test_an_extension_says_why() -> None:
    assert refusing(working(), 2, text=" ")[0] == "refused.text_needed"


BEYOND = [
    (EASY, 27, CAP),
    (NORMAL, 20, CAP),
    (HARD, 15, CAP),
]


@pytest.mark.parametrize("difficulty,days,latest", BEYOND)
def test_no_extension_goes_beyond_the_most_and_the_last_date_is_named(
    difficulty: Difficulty, days: int, latest: datetime
) -> None:
    appeal = working(difficulty)
    assert latest_extension(appeal, RULES) == latest
    assert extended(appeal, days).due == latest
    key, facts = refusing(appeal, days + 1)
    assert (key, facts["latest"]) == ("refused.extension_beyond", latest)


def test_two_extensions_together_do_not_go_beyond_the_most() -> None:
    once = extended(working(HARD), 10)
    assert refusing(once, 6) == ("refused.extension_beyond", {"number": "12", "title": "车间电压低", "latest": CAP})
    assert extended(once, 5).due == CAP


@pytest.mark.parametrize(
    "resumed,latest",
    [
        ("2026-03-10 10:00", "2026-04-22 17:30"),  # a working day on hold
        ("2026-03-16 10:00", "2026-04-28 17:30"),  # five
    ],
)
def test_time_on_hold_does_not_count(resumed: str, latest: str) -> None:
    appeal = step(step(working(), Verb.SUSPEND), Verb.RESUME, civil(resumed))
    assert latest_extension(appeal, RULES) == civil(latest)
    assert extended(appeal, 20).due == civil(latest)
    assert refusing(appeal, 21)[1]["latest"] == civil(latest)


def test_an_hour_on_hold_costs_no_day_of_the_extension() -> None:
    """Ten working days, an hour on hold, twenty working days more: no more than thirty, as the hour does not count."""
    appeal = step(step(working(), Verb.SUSPEND), Verb.RESUME, civil("2026-03-09 11:00"))
    assert appeal.due == civil("2026-03-24 09:30")
    assert extended(appeal, 20).extensions == 1
    assert refusing(appeal, 21)[0] == "refused.extension_beyond"


def test_a_hold_after_an_extension_does_not_count_either() -> None:
    appeal = step(extended(working(HARD), 10), Verb.SUSPEND)
    appeal = step(appeal, Verb.RESUME, civil("2026-03-10 10:00"))
    assert extended(appeal, 5).due == civil("2026-04-22 17:30")


def test_no_extension_goes_beyond_a_date_that_others_have_set() -> None:
    hard = civil("2026-03-26 17:30")
    appeal = step(working(), Verb.HARD_DATE, until=hard)
    assert latest_extension(appeal, RULES) == hard
    assert extended(appeal, 3).due == hard
    assert refusing(appeal, 4)[1]["latest"] == hard


def test_where_others_set_the_date_nothing_can_be_extended() -> None:
    hard = civil("2026-03-18 17:30")
    appeal = step(working(), Verb.HARD_DATE, until=hard)
    assert refusing(appeal, 1)[1]["latest"] == hard
    assert refusing(appeal, 1, civil("2026-03-17 17:31"))[1]["last"] == civil("2026-03-17 17:30")


def test_a_date_of_others_beyond_the_most_changes_nothing() -> None:
    assert latest_extension(step(working(), Verb.HARD_DATE, until=civil("2026-09-01 17:30")), RULES) == CAP


@pytest.mark.parametrize("verb", [Verb.DIFFICULTY, Verb.RECATEGORISE])
def test_another_difficulty_after_an_extension_does_not_go_beyond_the_most_either(verb: Verb) -> None:
    """At most thirty working days with extension, whatever it is called afterwards."""
    with pytest.raises(Refused) as refused:
        step(extended(working(), 20), verb)
    assert (refused.value.key, refused.value.facts["latest"]) == ("refused.extension_beyond", CAP)


def test_a_rework_is_extended_from_its_own_date() -> None:
    again = walk(*DONE, Verb.DISSATISFIED)
    assert again.due == civil("2026-03-16 17:30")
    assert extended(again, 2).due == civil("2026-03-18 17:30")
