"""Counting appeals: no status falls between the columns, and repeats are found."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.appeal import Status
from domain.figures import COMMON_FROM, COMMON_WITHIN, NO_SUBJECT, STATUSES, Mention, common, identity
from tests.making import civil

START = civil("2026-03-02 09:00")


@given(st.lists(st.sampled_from(Status)))
def test_what_was_received_equals_the_sum_of_what_became_of_it(statuses: list[Status]) -> None:
    assert identity(len(statuses), Counter(statuses)).holds


@given(st.lists(st.sampled_from(Status)), st.integers(min_value=1, max_value=9))
def test_an_appeal_that_got_lost_shows_as_a_gap(statuses: list[Status], lost: int) -> None:
    found = identity(len(statuses) + lost, Counter(statuses))
    assert not found.holds
    assert found.gap == lost


def test_every_status_stands_in_exactly_one_column() -> None:
    columns = Counter(status for statuses in STATUSES.values() for status in statuses)
    assert columns == Counter(Status)


mentions = st.lists(
    st.builds(
        Mention,
        id=st.integers(min_value=1, max_value=10_000),
        category=st.sampled_from(["power", "water", "unsure"]),
        zone=st.sampled_from(["东", "西"]),
        enterprise_id=st.integers(min_value=1, max_value=4),
        at=st.integers(min_value=0, max_value=100).map(lambda days: START + timedelta(days=days)),
    ),
    max_size=30,
    unique_by=lambda mention: mention.id,
)


def slowly(found: list[Mention]) -> set[int]:
    """The rule word for word: some thirty days that hold this one hold three firms of its kind."""
    repeated = set()
    for last in found:
        window = [
            other
            for other in found
            if (other.category, other.zone) == (last.category, last.zone)
            and timedelta() <= last.at - other.at <= COMMON_WITHIN
        ]
        if last.category not in NO_SUBJECT and len({m.enterprise_id for m in window}) >= COMMON_FROM:
            repeated |= {mention.id for mention in window}
    return repeated


@given(mentions)
def test_the_sliding_window_finds_what_the_rule_says(found: list[Mention]) -> None:
    assert common(found) == slowly(found)


@pytest.mark.parametrize("days,repeated", [(0, True), (30, True), (31, False)])
def test_three_firms_make_a_common_issue_within_thirty_days(days: int, repeated: bool) -> None:
    later: datetime = START + timedelta(days=days)
    found = [
        Mention(1, "power", "东", 1, START),
        Mention(2, "power", "东", 2, START),
        Mention(3, "power", "东", 3, later),
    ]
    assert common(found) == (frozenset({1, 2, 3}) if repeated else frozenset())


def test_three_appeals_of_one_firm_are_no_common_issue() -> None:
    assert not common(Mention(n, "power", "东", 1, START) for n in range(5))
