"""Who stands in for whom: chains, circles, firms' deputies; and the rota, day by day."""

from datetime import date

import pytest

from domain.duty import EVERYBODY_HERE, Absence, Cover, cover
from domain.rota import Entry, officer, spans
from tests.making import civil

NOON = civil("2026-08-03 12:00")


def away(person: int, deputy: int | None = None, *firms: tuple[int, int]) -> Absence:
    return Absence(person, civil("2026-08-08 00:00"), civil("2026-08-03 00:00"), deputy, firms)


@pytest.mark.parametrize(
    "absences, people",
    [
        ([], {}),
        ([away(1, 2)], {1: 2}),
        ([away(1)], {1: None}),
        ([away(1, 2), away(2, 3)], {1: 3, 2: 3}),
        ([away(1, 2), away(2)], {1: None, 2: None}),
        ([away(1, 2), away(2, 1)], {1: None, 2: None}),
        ([away(1, 2), away(2, 3), away(3, 1)], {1: None, 2: None, 3: None}),
        ([away(1, 2), away(2, 3), away(3, 2)], {1: None, 2: None, 3: None}),
        ([away(1, 1)], {1: None}),
    ],
)
def test_deputies_pass_it_on_and_circles_lead_to_nobody(absences: list[Absence], people: dict[int, int | None]) -> None:
    found = cover(absences, NOON)
    assert found.people == people
    assert found.left_alone == {one for one, by in people.items() if by is None}
    for one, by in people.items():
        assert by is None or one in found.stood_in_for_by(by)


@pytest.mark.parametrize(
    "at, is_away",
    [
        ("2026-08-02 23:59", False),
        ("2026-08-03 00:00", True),
        ("2026-08-07 23:59", True),
        ("2026-08-08 00:00", False),
    ],
)
def test_a_leave_holds_from_its_first_midnight_to_its_last(at: str, is_away: bool) -> None:
    assert (cover([away(1, 2)], civil(at)) != EVERYBODY_HERE) == is_away


def test_where_the_liaison_has_no_stand_in_the_firms_deputy_looks_after_the_firm() -> None:
    found = cover([away(1, None, (10, 5), (11, 6)), away(6, 7)], NOON)
    assert found == Cover({1: None, 6: 7}, {(1, 10): 5, (1, 11): 7})
    assert (found.stand_in(1), found.stand_in(1, 10), found.stand_in(1, 12)) == (None, 5, None)
    assert found.looked_after_by(7) == {11}


def test_the_firms_deputy_stands_in_for_its_liaison_alone() -> None:
    found = cover([away(1, None, (10, 5)), away(2)], NOON)
    assert (found.stand_in(1, 10), found.stand_in(2, 10)) == (5, None)


def test_a_liaison_with_a_stand_in_needs_no_firms_deputy() -> None:
    assert cover([away(1, 2, (10, 5))], NOON).firms == {}


def test_nobody_looks_after_a_firm_in_his_own_place() -> None:
    assert cover([away(1, None, (10, 6)), away(6, 1)], NOON).firms == {}


# The rota -------------------------------------------------------------------------------------------------------------
WEEK = Entry(1, date(2026, 8, 3), date(2026, 8, 9), 1)
DAY = Entry(2, date(2026, 8, 5), date(2026, 8, 5), 2)


@pytest.mark.parametrize("day, person", [(2, None), (3, 1), (4, 1), (5, 2), (6, 1), (9, 1), (10, None)])
def test_the_entry_made_later_holds_for_its_days(day: int, person: int | None) -> None:
    for entries in ([WEEK, DAY], [DAY, WEEK]):
        assert officer(entries, date(2026, 8, day)) == person


def test_neighbouring_days_of_one_officer_are_one_span() -> None:
    found = list(spans(date(2026, 8, 2), date(2026, 8, 6), lambda day: officer([WEEK, DAY], day)))
    days = [(first.day, last.day, who) for first, last, who in found]
    assert days == [(2, 2, None), (3, 4, 1), (5, 5, 2), (6, 6, 1)]


def test_one_day_is_one_span() -> None:
    assert list(spans(DAY.first, DAY.last, lambda _: "x")) == [(DAY.first, DAY.last, "x")]
