"""Five minutes without a sign are a silence, ten without a message that might leave are a stop."""

from datetime import timedelta

import pytest

from domain.silence import is_silent, is_stuck, stuck_since
from tests.making import civil

NOW = civil("2026-03-11 09:00")
LONG_AGO = NOW - timedelta(days=1)


def ago(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "heard,begun,silent", [(4.9, 60, False), (5, 60, True), (None, 4.9, False), (None, 5, True), (60, 1, False)]
)
def test_a_channel_is_silent_after_five_minutes_of_which_somebody_listened(
    heard: float | None, begun: float, silent: bool
) -> None:
    moment = None if heard is None else NOW - ago(heard)
    assert is_silent(moment, NOW - ago(begun), NOW) is silent


@pytest.mark.parametrize(
    "waiting,delivered,begun,stuck",
    [(9.9, 60, 60, False), (10, 60, 60, True), (60, 9, 60, False), (60, 60, 9, False), (60, None, 60, True)],
)
def test_it_is_stuck_when_something_might_have_left_for_ten_minutes_and_nothing_has(
    waiting: float, delivered: float | None, begun: float, stuck: bool
) -> None:
    moment = None if delivered is None else NOW - ago(delivered)
    assert is_stuck(ago(waiting), moment, NOW - ago(begun), NOW) is stuck


def test_it_has_been_stuck_since_the_later_of_both() -> None:
    assert stuck_since(ago(30), NOW - ago(60), NOW) == NOW - ago(30)
    assert stuck_since(ago(30), NOW - ago(20), NOW) == NOW - ago(20)
    assert stuck_since(ago(30), None, NOW) == NOW - ago(30)
