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
        ("8月3日-8月7日 李国栋", Leave(date(2026, 8, 7), "李国栋", date(2026, 8, 3))),
        ("8月3日至7日，由李国栋代班", Leave(date(2026, 8, 7), "李国栋", date(2026, 8, 3))),
        ("从8月3日到8月7日", Leave(date(2026, 8, 7), "", date(2026, 8, 3))),
        ("2026-08-03 to 2026-08-07 Li Qiang", Leave(date(2026, 8, 7), "Li Qiang", date(2026, 8, 3))),
        ("8.3-8.7 李国栋", Leave(date(2026, 8, 7), "李国栋", date(2026, 8, 3))),
        ("8-3-8-7", Leave(date(2026, 8, 7), "", date(2026, 8, 3))),
        ("今天到明天 李国栋", Leave(date(2026, 3, 12), "李国栋")),
        ("明天 李国栋", Leave(date(2026, 3, 12), "李国栋", date(2026, 3, 12))),
        ("明天到3月15日", Leave(date(2026, 3, 15), "", date(2026, 3, 12))),
        ("后天起3天 李国栋", Leave(date(2026, 3, 15), "李国栋", date(2026, 3, 13))),
        ("8月3日起5天由李国栋代班", Leave(date(2026, 8, 7), "李国栋", date(2026, 8, 3))),
        ("tomorrow Li Qiang", Leave(date(2026, 3, 12), "Li Qiang", date(2026, 3, 12))),
        ("到明天", Leave(date(2026, 3, 12))),
        ("今天 李国栋", Leave(TODAY, "李国栋")),
        ("结束", Leave(None)),
        ("end", Leave(None)),
    ],
)
def test_days_dates_and_deputies_are_read(text: str, leave: Leave) -> None:
    assert read_leave(text, TODAY) == leave


def test_a_date_without_year_is_the_next_one() -> None:
    assert read_leave("1月4日", date(2026, 12, 30)).last_day == date(2027, 1, 4)
    assert read_leave("12月31日-1月4日", date(2026, 12, 30)) == Leave(date(2027, 1, 4), "", date(2026, 12, 31))


@pytest.mark.parametrize("text", ["李国栋", "几天", "2月30日", "13-40", "3台车", "2月30日-3月2日", "8月3日-40日"])
def test_what_cannot_be_read_is_asked_again(text: str) -> None:
    with pytest.raises(Refused, match=r"duty\.leave_unclear"):
        read_leave(text, TODAY)


@pytest.mark.parametrize(
    "text", ["2026-03-10", "181", "3-10", "2028-01-01", "8月7日-8月3日", "3月1日-3月20日", "11月1日-11月2日"]
)
def test_leave_neither_lies_behind_nor_lasts_for_ever(text: str) -> None:
    with pytest.raises(Refused, match=r"duty\.leave_range"):
        read_leave(text, TODAY)
