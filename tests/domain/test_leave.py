"""请假 is understood as people write it."""

from datetime import date

import pytest

from domain.errors import Refused
from domain.leave import Leave, read_leave

TODAY = date(2026, 3, 11)


@pytest.mark.parametrize(
    "text, leave",
    [
        ("3", Leave(date(2026, 3, 13))),
        ("1天", Leave(TODAY)),
        ("3天 李国栋", Leave(date(2026, 3, 13), "李国栋")),
        ("5天，由李国栋代班", Leave(date(2026, 3, 15), "李国栋")),
        ("3月12日", Leave(date(2026, 3, 12))),
        ("到3月12日 李国栋", Leave(date(2026, 3, 12), "李国栋")),
        ("3-20", Leave(date(2026, 3, 20))),
        ("2026-03-12 Li Qiang", Leave(date(2026, 3, 12), "Li Qiang")),
        ("结束", Leave(None)),
        ("end", Leave(None)),
    ],
)
def test_days_dates_and_deputies_are_read(text: str, leave: Leave) -> None:
    assert read_leave(text, TODAY) == leave


def test_a_date_without_year_is_the_next_one() -> None:
    assert read_leave("1月4日", date(2026, 12, 30)).last_day == date(2027, 1, 4)


@pytest.mark.parametrize("text", ["李国栋", "几天", "2月30日", "13-40", "3台车"])
def test_what_cannot_be_read_is_asked_again(text: str) -> None:
    with pytest.raises(Refused, match=r"joining\.leave_unclear"):
        read_leave(text, TODAY)


@pytest.mark.parametrize("text", ["2026-03-10", "181", "3-10", "2028-01-01"])
def test_leave_neither_lies_behind_nor_lasts_for_ever(text: str) -> None:
    with pytest.raises(Refused, match=r"joining\.leave_range"):
        read_leave(text, TODAY)
