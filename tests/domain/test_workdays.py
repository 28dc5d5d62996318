import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.errors import Refused
from domain.workdays import (
    Calendar,
    Hours,
    Season,
    YearTable,
    parse_interval,
    parse_span,
    provisional_year,
)
from storage.years import read_years
from tests.domain.slow_workdays import MAKEUP, OFF

SHANGHAI = ZoneInfo("Asia/Shanghai")
YEARS = read_years()
OFFICE = (parse_interval("08:30-12:00"), parse_interval("14:00-17:30"))
SUMMER = Season((5, 1), (9, 30), (parse_interval("08:00-12:00"), parse_interval("15:00-18:30")))
QUIET = parse_interval("21:00-08:00")
PARK = Calendar(YEARS, Hours(OFFICE, quiet=QUIET), SHANGHAI)
SUMMER_PARK = Calendar(YEARS, Hours(OFFICE, (SUMMER,), quiet=QUIET), SHANGHAI)
ROUND_THE_CLOCK = Calendar(YEARS, Hours((), always=True, quiet=QUIET), SHANGHAI)


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def shown(moment: datetime, zone: ZoneInfo = SHANGHAI) -> str:
    assert moment.tzinfo is UTC
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def rows(table: str) -> list[tuple[str, ...]]:
    lines = (line.split("#")[0].strip() for line in table.splitlines())
    return [tuple(cell.strip() for cell in line.split("|")) for line in lines if line]


DEADLINES = rows(
    """
    # the examples everybody agreed on
    2026-02-12 10:00 | 3wd | 2026-02-24 17:30
    2026-02-13 10:00 | 1wd | 2026-02-14 17:30
    2026-09-18 10:00 | 5wd | 2026-09-24 17:30
    2026-09-30 10:00 | 3wd | 2026-10-10 17:30
    # an ordinary week
    2026-03-09 09:00 | 1wd | 2026-03-10 17:30
    2026-03-09 00:00 | 1wd | 2026-03-10 17:30
    2026-03-09 23:59 | 1wd | 2026-03-10 17:30
    2026-03-13 09:00 | 1wd | 2026-03-16 17:30
    2026-03-13 09:00 | 10wd | 2026-03-27 17:30
    2026-03-14 09:00 | 1wd | 2026-03-16 17:30    # a Saturday: Monday is the first day
    2026-03-15 09:00 | 2wd | 2026-03-17 17:30
    2026-03-02 09:00 | 15wd | 2026-03-23 17:30
    2026-03-02 09:00 | 30wd | 2026-04-14 17:30
    # the same day
    2026-03-09 09:00 | 0wd | 2026-03-09 17:30
    2026-03-09 17:29 | 0wd | 2026-03-09 17:30
    2026-03-09 17:30 | 0wd | 2026-03-10 17:30
    2026-03-13 20:00 | 0wd | 2026-03-16 17:30
    2026-03-14 09:00 | 0wd | 2026-03-16 17:30
    2026-02-14 09:00 | 0wd | 2026-02-14 17:30
    # New Year, with a working Sunday
    2025-12-31 10:00 | 1wd | 2026-01-04 17:30
    2025-12-31 10:00 | 2wd | 2026-01-05 17:30
    2026-01-01 10:00 | 1wd | 2026-01-04 17:30
    2026-01-03 10:00 | 1wd | 2026-01-04 17:30
    2026-01-04 10:00 | 1wd | 2026-01-05 17:30
    2025-12-26 10:00 | 5wd | 2026-01-05 17:30
    # Spring Festival, with working Saturdays before and after
    2026-02-14 10:00 | 1wd | 2026-02-24 17:30
    2026-02-18 10:00 | 1wd | 2026-02-24 17:30
    2026-02-23 23:00 | 1wd | 2026-02-24 17:30
    2026-02-24 10:00 | 4wd | 2026-02-28 17:30
    2026-02-24 10:00 | 5wd | 2026-03-02 17:30
    2026-02-27 10:00 | 1wd | 2026-02-28 17:30
    2026-02-28 10:00 | 1wd | 2026-03-02 17:30
    2026-02-10 10:00 | 10wd | 2026-03-02 17:30
    # Qingming, Labour Day, Dragon Boat
    2026-04-03 10:00 | 1wd | 2026-04-07 17:30
    2026-04-05 10:00 | 2wd | 2026-04-08 17:30
    2026-04-30 10:00 | 1wd | 2026-05-06 17:30
    2026-04-30 10:00 | 4wd | 2026-05-09 17:30
    2026-04-30 10:00 | 5wd | 2026-05-11 17:30
    2026-05-08 10:00 | 1wd | 2026-05-09 17:30
    2026-05-09 10:00 | 1wd | 2026-05-11 17:30
    2026-06-18 10:00 | 1wd | 2026-06-22 17:30
    2026-06-19 10:00 | 3wd | 2026-06-24 17:30
    # Mid-Autumn and National Day
    2026-09-18 10:00 | 1wd | 2026-09-20 17:30
    2026-09-19 10:00 | 1wd | 2026-09-20 17:30
    2026-09-20 10:00 | 1wd | 2026-09-21 17:30
    2026-09-24 10:00 | 1wd | 2026-09-28 17:30
    2026-09-24 10:00 | 4wd | 2026-10-08 17:30
    2026-09-30 10:00 | 1wd | 2026-10-08 17:30
    2026-10-03 10:00 | 2wd | 2026-10-09 17:30
    2026-10-09 10:00 | 1wd | 2026-10-10 17:30
    2026-10-10 10:00 | 1wd | 2026-10-12 17:30
    2026-09-18 10:00 | 15wd | 2026-10-15 17:30
    # over the year's end, where the next table is not out yet
    2026-12-31 10:00 | 1wd | 2027-01-04 17:30
    2026-12-21 10:00 | 15wd | 2027-01-12 17:30
    2027-02-04 10:00 | 1wd | 2027-02-09 17:30
    2026-11-23 10:00 | 30wd | 2027-01-05 17:30
    2024-12-31 10:00 | 1wd | 2025-01-02 17:30
    2025-01-24 10:00 | 2wd | 2025-01-27 17:30
    2025-09-30 10:00 | 3wd | 2025-10-11 17:30
    2024-02-09 10:00 | 1wd | 2024-02-18 17:30
    # working hours: morning, lunch, evening, weekend
    2026-03-09 08:30 | 1wh | 2026-03-09 09:30
    2026-03-09 09:17 | 2wh | 2026-03-09 11:17
    2026-03-09 09:00 | 3wh | 2026-03-09 12:00
    2026-03-09 09:00 | 4wh | 2026-03-09 15:00
    2026-03-09 11:59 | 1wh | 2026-03-09 14:59
    2026-03-09 12:00 | 1wh | 2026-03-09 15:00
    2026-03-09 13:10 | 1wh | 2026-03-09 15:00
    2026-03-09 13:59 | 4wh | 2026-03-10 09:00
    2026-03-09 14:00 | 4wh | 2026-03-10 09:00
    2026-03-09 16:30 | 1wh | 2026-03-09 17:30
    2026-03-09 16:45 | 1wh | 2026-03-10 08:45
    2026-03-09 17:30 | 1wh | 2026-03-10 09:30
    2026-03-09 22:00 | 4wh | 2026-03-10 14:30
    2026-03-09 03:00 | 4wh | 2026-03-09 14:30
    2026-03-09 08:29 | 7wh | 2026-03-09 17:30
    2026-03-13 16:30 | 4wh | 2026-03-16 11:30
    2026-03-14 11:00 | 4wh | 2026-03-16 14:30
    2026-02-13 16:30 | 4wh | 2026-02-14 11:30
    2026-02-14 16:30 | 4wh | 2026-02-24 11:30
    2026-09-19 10:00 | 4wh | 2026-09-20 14:30
    2026-09-30 17:00 | 1wh | 2026-10-08 09:00
    2026-12-31 17:00 | 4wh | 2027-01-04 12:00
    2026-03-09 13:00 | 0wh | 2026-03-09 14:00
    2026-03-09 10:00 | 0wh | 2026-03-09 10:00
    # around New Year
    2025-12-31 17:00 | 1wh | 2026-01-04 09:00    # half an hour on Wednesday, half on the working Sunday
    2026-01-02 09:00 | 4wh | 2026-01-04 14:30
    2026-01-04 17:30 | 1wh | 2026-01-05 09:30
    2026-12-24 10:00 | 5wd | 2026-12-31 17:30
    2026-12-24 10:00 | 6wd | 2027-01-04 17:30
    2026-12-31 12:30 | 4wh | 2027-01-04 09:00    # three hours and a half in the afternoon
    2026-12-31 18:00 | 0wd | 2027-01-04 17:30
    2027-01-01 10:00 | 1wd | 2027-01-04 17:30
    # around Spring Festival: its working Saturdays have a noon and an evening, too
    2026-02-13 18:00 | 1wd | 2026-02-14 17:30
    2026-02-13 20:00 | 4wh | 2026-02-14 14:30
    2026-02-14 12:30 | 2wh | 2026-02-14 16:00
    2026-02-14 17:00 | 1wh | 2026-02-24 09:00
    2026-02-14 20:00 | 0wd | 2026-02-24 17:30
    2026-02-23 12:00 | 4wh | 2026-02-24 14:30
    2026-02-27 17:30 | 2wh | 2026-02-28 10:30
    2026-02-28 16:30 | 2wh | 2026-03-02 09:30
    2026-02-28 18:00 | 0wd | 2026-03-02 17:30
    # around Qingming, Labour Day, Dragon Boat
    2026-04-03 16:45 | 1wh | 2026-04-07 08:45
    2026-04-06 10:00 | 4wh | 2026-04-07 14:30
    2026-04-30 17:30 | 1wh | 2026-05-06 09:30
    2026-05-05 23:00 | 3wd | 2026-05-08 17:30
    2026-05-08 17:00 | 1wh | 2026-05-09 09:00
    2026-05-09 11:30 | 1wh | 2026-05-09 14:30
    2026-05-09 21:00 | 1wh | 2026-05-11 09:30
    2026-06-18 16:00 | 4wh | 2026-06-22 11:00
    2026-06-21 09:00 | 0wd | 2026-06-22 17:30
    # around Mid-Autumn and National Day
    2026-09-20 12:00 | 1wh | 2026-09-20 15:00
    2026-09-20 17:30 | 0wd | 2026-09-21 17:30
    2026-09-24 17:00 | 1wh | 2026-09-28 09:00
    2026-09-26 10:00 | 3wd | 2026-09-30 17:30
    2026-10-07 22:00 | 3wd | 2026-10-10 17:30
    2026-10-10 16:30 | 2wh | 2026-10-12 09:30
    # the wall clock knows neither night nor holiday
    2026-05-01 23:50 | 2h | 2026-05-02 01:50
    2026-02-16 23:30 | 2h | 2026-02-17 01:30
    2026-03-14 11:50 | 15m | 2026-03-14 12:05
    2026-12-31 23:00 | 4h | 2027-01-01 03:00
    2026-03-09 09:00 | 60s | 2026-03-09 09:01
    """
)


@pytest.mark.parametrize("start, span, deadline", DEADLINES)
def test_a_deadline_falls_where_the_office_would_count_it(start: str, span: str, deadline: str) -> None:
    assert shown(PARK.add(at(start), parse_span(span))) == deadline


def test_the_table_of_deadlines_is_long_enough_to_mean_something() -> None:
    assert len(set(DEADLINES)) >= 120
    assert sum(not start.startswith("2026-03") for start, _, _ in DEADLINES) >= 80  # March has no holiday


SUMMER_DEADLINES = rows(
    """
    2026-04-29 10:00 | 1wd | 2026-04-30 17:30    # the last winter day
    2026-04-30 10:00 | 1wd | 2026-05-06 18:30    # the first summer day worked
    2026-09-29 10:00 | 1wd | 2026-09-30 18:30
    2026-09-30 10:00 | 1wd | 2026-10-08 17:30
    2026-07-06 12:30 | 1wh | 2026-07-06 16:00    # the summer noon is longer
    2026-07-06 07:00 | 1wh | 2026-07-06 09:00
    2026-04-30 17:00 | 1wh | 2026-05-06 08:30
    2026-09-30 18:00 | 1wh | 2026-10-08 09:00
    """
)


@pytest.mark.parametrize("start, span, deadline", SUMMER_DEADLINES)
def test_summer_hours_hold_from_may_to_september(start: str, span: str, deadline: str) -> None:
    assert shown(SUMMER_PARK.add(at(start), parse_span(span))) == deadline


def test_a_season_may_run_over_the_turn_of_the_year() -> None:
    winter = Season((10, 1), (4, 30), (parse_interval("09:00-17:00"),))
    park = Calendar(YEARS, Hours(OFFICE, (winter,)), SHANGHAI)
    ends = [
        shown(park.add(at(f"2026-{day} 10:00"), parse_span("0wd")))[-5:]
        for day in ("01-05", "04-30", "05-06", "09-30", "10-08", "12-31")
    ]
    assert ends == ["17:00", "17:00", "17:30", "17:30", "17:00", "17:00"]


OFFSETS = rows(
    """
    2026-03-13 17:30 | -2wd | 2026-03-11 17:30
    2026-03-16 17:30 | -1wd | 2026-03-13 17:30
    2026-03-16 17:30 | -2wd | 2026-03-12 17:30
    2026-02-24 17:30 | -2wd | 2026-02-13 17:30
    2026-10-10 17:30 | -2wd | 2026-10-08 17:30
    2026-10-08 17:30 | -1wd | 2026-09-30 17:30
    2026-09-21 15:15 | -1wd | 2026-09-20 15:15
    2026-01-04 17:30 | -1wd | 2025-12-31 17:30
    2026-03-14 15:00 | -1wd | 2026-03-13 15:00
    2026-03-13 17:30 | +1wd | 2026-03-16 17:30
    2026-03-13 17:30 | 3wd  | 2026-03-18 17:30
    2026-02-13 17:30 | +1wd | 2026-02-14 17:30
    2026-09-30 17:30 | +5wd | 2026-10-13 17:30
    2026-12-31 17:30 | +1wd | 2027-01-04 17:30
    2027-01-04 17:30 | -1wd | 2026-12-31 17:30
    2026-03-13 17:30 | 0s   | 2026-03-13 17:30
    2026-03-14 17:30 | 0wd  | 2026-03-14 17:30
    2026-03-14 17:30 | 0wh  | 2026-03-14 17:30
    2026-03-13 17:30 | -30m | 2026-03-13 17:00
    2026-03-13 17:30 | +1h  | 2026-03-13 18:30
    2026-03-13 17:30 | -4wh | 2026-03-13 11:30
    2026-03-13 10:00 | -4wh | 2026-03-12 15:00
    2026-03-13 20:00 | -1wh | 2026-03-13 16:30
    2026-03-16 09:30 | -1wh | 2026-03-16 08:30
    2026-02-24 09:30 | -2wh | 2026-02-14 16:30
    2026-01-04 09:30 | -2wh | 2025-12-31 16:30
    2026-03-13 17:30 | +4wh | 2026-03-16 14:30
    """
)


@pytest.mark.parametrize("deadline, span, rung", OFFSETS)
def test_a_rung_is_told_from_its_deadline(deadline: str, span: str, rung: str) -> None:
    assert shown(PARK.offset(at(deadline), parse_span(span))) == rung


def test_adding_a_negative_span_is_an_offset() -> None:
    assert PARK.add(at("2026-03-13 17:30"), parse_span("-2wd")) == at("2026-03-11 17:30")


SHARES = rows(
    """
    2026-03-09 08:30 | 2026-03-09 17:30 | 0.5 | 2026-03-09 12:00
    2026-03-09 08:30 | 2026-03-10 17:30 | 0.5 | 2026-03-09 17:30
    2026-03-09 16:30 | 2026-03-10 17:30 | 0.5 | 2026-03-10 11:30
    2026-03-13 17:00 | 2026-03-16 09:00 | 0.5 | 2026-03-13 17:30
    2026-03-14 10:00 | 2026-03-16 17:30 | 0.5 | 2026-03-16 12:00
    2026-03-14 10:00 | 2026-03-16 17:30 | 0   | 2026-03-14 10:00
    2026-03-13 08:30 | 2026-03-14 10:00 | 1   | 2026-03-14 10:00
    2026-03-14 10:00 | 2026-03-14 12:00 | 0.5 | 2026-03-14 11:00    # no working time between: the wall clock
    2026-03-09 10:00 | 2026-03-09 09:00 | 0.5 | 2026-03-09 09:00    # due before it began: due
    """
)


@pytest.mark.parametrize("start, deadline, part, moment", SHARES)
def test_half_of_the_time_is_half_of_the_working_time(start: str, deadline: str, part: str, moment: str) -> None:
    assert shown(PARK.share(at(start), at(deadline), float(part))) == moment


@pytest.mark.parametrize("part", [-0.1, 1.1])
def test_a_share_beyond_the_whole_is_refused(part: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        PARK.share(at("2026-03-09 08:30"), at("2026-03-09 17:30"), part)


def test_work_is_counted_without_noon_nights_and_holidays() -> None:
    assert PARK.worked(at("2026-03-09 11:00"), at("2026-03-09 15:00")) == timedelta(hours=2)
    assert PARK.worked(at("2026-02-14 16:30"), at("2026-02-24 09:30")) == timedelta(hours=2)
    assert PARK.worked(at("2025-12-31 16:30"), at("2026-01-04 09:30")) == timedelta(hours=2)
    assert PARK.worked(at("2026-03-14 00:00"), at("2026-03-15 23:00")) == timedelta()
    assert PARK.worked(at("2026-03-10 15:00"), at("2026-03-09 15:00")) == timedelta()


def test_working_days_between_two_dates_leave_out_the_first_and_count_the_last() -> None:
    def between(first: str, last: str) -> int:
        return PARK.working_days_between(date.fromisoformat(first), date.fromisoformat(last))

    assert between("2026-02-12", "2026-02-24") == 3
    assert between("2026-02-14", "2026-02-23") == 0
    assert between("2026-03-09", "2026-03-09") == 0
    assert between("2025-12-31", "2026-01-04") == 1
    assert between("2026-03-16", "2026-03-13") == -1
    assert between("2024-12-31", "2025-12-31") == 248
    assert between("2023-12-31", "2026-12-31") == 251 + 248 + 248


def test_each_year_has_the_working_days_its_notice_makes() -> None:
    def days(year: int) -> int:
        return PARK.working_days_between(date(year - 1, 12, 31), date(year, 12, 31))

    weekdays, off, made_up = (262, 261, 261), (19, 18, 19), (8, 5, 6)  # counted on a wall calendar
    expected = [all_ - gone + more for all_, gone, more in zip(weekdays, off, made_up, strict=True)]
    assert [days(2024), days(2025), days(2026)] == expected


def test_make_up_weekends_are_worked_and_holidays_are_not() -> None:
    year = [date(2026, 1, 1) + timedelta(days=shift) for shift in range(365)]
    weekends = {day for day in year if day.weekday() >= 5}
    assert {day for day in weekends if PARK.is_working_day(day)} == MAKEUP
    closed_weekdays = {day for day in year if day not in weekends and not PARK.is_working_day(day)}
    assert closed_weekdays == {day for day in OFF if day.year == 2026} - weekends


QUIET_TIMES = rows(
    """
    2026-03-09 08:29 | quiet
    2026-03-09 08:30 | open
    2026-03-09 11:59 | open
    2026-03-09 12:00 | quiet    # noon
    2026-03-09 13:59 | quiet
    2026-03-09 14:00 | open
    2026-03-09 17:30 | quiet
    2026-03-09 21:30 | quiet    # night
    2026-03-09 03:00 | quiet
    2026-03-14 10:00 | quiet    # Saturday
    2026-02-14 10:00 | open     # a working Saturday
    2026-02-17 10:00 | quiet    # holiday
    """
)


@pytest.mark.parametrize("moment, expected", QUIET_TIMES)
def test_nights_holidays_and_the_noon_break_are_quiet(moment: str, expected: str) -> None:
    assert PARK.is_quiet(at(moment)) is (expected == "quiet")


def test_quiet_hours_hold_even_where_somebody_works_late() -> None:
    late = Hours((parse_interval("08:30-24:00"),), quiet=QUIET)
    park = Calendar(YEARS, late, SHANGHAI)
    assert not park.is_quiet(at("2026-03-09 20:59"))
    assert park.is_quiet(at("2026-03-09 21:00"))
    assert not Calendar(YEARS, Hours(late.intervals), SHANGHAI).is_quiet(at("2026-03-09 23:59"))


@pytest.mark.parametrize(
    "moment, opening",
    rows(
        """
        2026-03-09 10:07 | 2026-03-09 10:07
        2026-03-09 12:00 | 2026-03-09 14:00
        2026-03-09 21:00 | 2026-03-10 08:30
        2026-03-13 17:30 | 2026-03-16 08:30
        2026-02-14 18:00 | 2026-02-24 08:30
        2026-12-31 18:00 | 2027-01-04 08:30
        """
    ),
)
def test_what_comes_at_a_quiet_time_waits_for_the_next_opening(moment: str, opening: str) -> None:
    assert shown(PARK.next_open(at(moment))) == opening


def test_a_park_open_round_the_clock_has_no_night_and_no_holiday() -> None:
    holiday = at("2026-02-17 02:00")
    assert not ROUND_THE_CLOCK.is_quiet(holiday)
    assert ROUND_THE_CLOCK.is_working_day(date(2026, 2, 17))
    assert ROUND_THE_CLOCK.next_open(holiday) == holiday
    assert ROUND_THE_CLOCK.add(holiday, parse_span("4wh")) == holiday + timedelta(hours=4)
    assert ROUND_THE_CLOCK.offset(holiday, parse_span("-4wh")) == holiday - timedelta(hours=4)
    assert ROUND_THE_CLOCK.worked(holiday, holiday + timedelta(days=3)) == timedelta(days=3)
    assert ROUND_THE_CLOCK.worked(holiday, holiday - timedelta(days=3)) == timedelta()
    assert ROUND_THE_CLOCK.share(holiday, holiday + timedelta(hours=2), 0.5) == holiday + timedelta(hours=1)
    assert shown(ROUND_THE_CLOCK.add(holiday, parse_span("1wd"))) == "2026-02-18 23:59"


def test_a_day_that_is_open_until_midnight_has_deadlines_that_bear_its_date() -> None:
    park = Calendar(YEARS, Hours((parse_interval("00:00-12:00"), parse_interval("13:00-24:00"))), SHANGHAI)
    assert shown(park.add(at("2026-03-09 10:00"), parse_span("1wd"))) == "2026-03-10 23:59"
    assert shown(park.add(at("2026-03-09 23:00"), parse_span("2wh"))) == "2026-03-10 01:00"


def test_deadlines_of_a_year_without_a_published_table_are_provisional() -> None:
    assert not PARK.is_provisional(at("2026-12-31 23:59"))
    assert PARK.is_provisional(at("2027-01-01 00:00"))
    draft = YearTable(2027, frozenset(), frozenset(), published=False)
    assert Calendar((*YEARS, draft), PARK.hours, SHANGHAI).is_provisional(at("2027-03-01 10:00"))
    notice = YearTable(2027, frozenset(), frozenset(), published=True)
    assert not Calendar((*YEARS, notice), PARK.hours, SHANGHAI).is_provisional(at("2027-03-01 10:00"))


def test_the_calendar_says_until_when_it_is_sure() -> None:
    draft = YearTable(2027, frozenset(), frozenset(), published=False)
    assert Calendar((*YEARS, draft), PARK.hours, SHANGHAI).covered_until() == date(2026, 12, 31)
    assert Calendar((), PARK.hours, SHANGHAI).covered_until() == date.min


def test_a_published_table_moves_the_deadlines_of_its_year() -> None:
    start, span = at("2026-12-31 10:00"), parse_span("1wd")
    notice = YearTable(2027, frozenset({date(2027, 1, 1)}), frozenset({date(2027, 1, 3)}), published=True)
    assert shown(PARK.add(start, span)) == "2027-01-04 17:30"
    assert shown(Calendar((*YEARS, notice), PARK.hours, SHANGHAI).add(start, span)) == "2027-01-03 17:30"


def test_the_later_table_of_a_year_replaces_the_earlier_one() -> None:
    plain = YearTable(2026, frozenset(), frozenset(), published=True)
    park = Calendar((*YEARS, plain), PARK.hours, SHANGHAI)
    assert park.is_working_day(date(2026, 10, 1))
    assert not park.is_working_day(date(2026, 10, 10))


def test_the_next_years_notice_may_speak_of_this_december() -> None:
    notice = YearTable(2027, frozenset({date(2026, 12, 31)}), frozenset({date(2026, 12, 26)}), published=True)
    park = Calendar((notice, *YEARS), PARK.hours, SHANGHAI)
    assert park.is_working_day(date(2026, 12, 26))
    assert not park.is_working_day(date(2026, 12, 31))


def test_about_a_december_day_the_next_years_notice_has_the_last_word() -> None:
    saturday = frozenset({date(2026, 12, 26)})
    this_year = YearTable(2026, frozenset(), saturday, published=True)
    next_year = YearTable(2027, saturday, frozenset(), published=True)
    for tables in ((this_year, next_year), (next_year, this_year)):
        assert not Calendar(tables, PARK.hours, SHANGHAI).is_working_day(date(2026, 12, 26))


def test_the_calendar_says_how_many_days_ahead_are_sure() -> None:
    assert PARK.days_covered(at("2026-11-01 10:00")) == 60
    assert PARK.days_covered(at("2026-12-31 23:59")) == 0
    assert PARK.days_covered(at("2027-01-01 00:01")) == -1


def test_a_calendar_that_is_amended_takes_the_new_table_and_exactly_the_new_closures() -> None:
    closed = Calendar(YEARS, PARK.hours, SHANGHAI, frozenset({date(2026, 3, 10)}))
    notice = YearTable(2027, frozenset({date(2027, 1, 1)}), frozenset({date(2027, 1, 3)}), published=True)
    amended = closed.amended((notice,), frozenset({date(2026, 3, 11)}))
    worked = [amended.is_working_day(date(2026, 3, 10)), amended.is_working_day(date(2026, 3, 11))]
    assert worked == [True, False]
    assert amended.is_working_day(date(2027, 1, 3))
    assert amended.covered_until() == date(2027, 12, 31)
    assert not closed.is_working_day(date(2026, 3, 10))  # a calendar is a value


def test_the_fingerprint_tells_calendars_apart_that_count_differently() -> None:
    table = YearTable(2027, frozenset({date(2027, 1, 1), date(2027, 5, 1)}), frozenset(), published=True)
    others = [
        Calendar(YEARS, Hours(OFFICE), ZoneInfo("Asia/Urumqi")),
        Calendar(YEARS, Hours(OFFICE[:1]), SHANGHAI),
        Calendar(YEARS, Hours(OFFICE, (SUMMER,)), SHANGHAI),
        Calendar(YEARS, Hours(OFFICE, always=True), SHANGHAI),
        Calendar(YEARS[1:], Hours(OFFICE), SHANGHAI),
        PARK.amended((table,), frozenset()),
        PARK.amended((), frozenset({date(2026, 3, 10)})),
    ]
    marks = [park.fingerprint for park in (PARK, *others)]
    assert len(set(marks)) == len(marks)
    assert Calendar(tuple(reversed(YEARS)), Hours(OFFICE), SHANGHAI).fingerprint == PARK.fingerprint  # quiet counts not


def test_the_fingerprint_is_the_same_in_every_process() -> None:
    """Sets have another order in each; a start would otherwise count everything again."""
    script = "from tests.domain.test_workdays import PARK; print(PARK.fingerprint)"
    told = {
        subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout.decode()
        for seed in ("1", "2")
    }
    assert told == {PARK.fingerprint + "\n"}


def test_a_local_closure_beats_every_table() -> None:
    typhoon = frozenset({date(2026, 2, 14), date(2026, 3, 10)})
    park = Calendar(YEARS, PARK.hours, SHANGHAI, typhoon)
    assert shown(park.add(at("2026-02-13 10:00"), parse_span("1wd"))) == "2026-02-24 17:30"
    assert shown(park.add(at("2026-03-09 17:00"), parse_span("1wh"))) == "2026-03-11 09:00"
    assert park.is_quiet(at("2026-03-10 10:00"))


def test_before_the_notice_the_statutory_days_are_off() -> None:
    assert {day for day in OFF if day.year == 2027} == provisional_year(2027).holidays
    assert {len(provisional_year(year).holidays) for year in (2028, 2029, 2030)} == {12, 13}
    assert date(2028, 10, 3) in provisional_year(2028).holidays  # Mid-Autumn and National Day in one
    far = provisional_year(2040)
    assert sorted(day.isoformat()[5:] for day in far.holidays) == [
        "01-01", "05-01", "05-02", "10-01", "10-02", "10-03"
    ]  # fmt: skip
    assert not far.published


def test_local_days_and_months_begin_at_local_midnight() -> None:
    moment = at("2026-03-09 00:30")  # still the 8th in UTC
    assert PARK.day_start(moment) == at("2026-03-09 00:00")
    assert PARK.month_start(moment) == at("2026-03-01 00:00")
    assert PARK.month_start(at("2026-03-01 00:00")) == at("2026-03-01 00:00")
    assert PARK.local(moment).isoformat() == "2026-03-09T00:30:00+08:00"


def test_a_time_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 3, 9, 10, 0)  # noqa: DTZ001 - that is the point
    for call in (PARK.local, PARK.next_open, PARK.is_quiet, PARK.day_start, PARK.is_provisional):
        with pytest.raises(ValueError, match="no time zone"):
            call(naive)
    for text in ("1wd", "1wh", "1h"):
        with pytest.raises(ValueError, match="no time zone"):
            PARK.add(naive, parse_span(text))


def test_working_time_keeps_to_the_local_clock_when_summer_time_begins() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    park = Calendar((), Hours(OFFICE), berlin)
    friday = at("2026-03-27 16:30", berlin)
    assert shown(park.add(friday, parse_span("1wd")), berlin) == "2026-03-30 17:30"
    assert shown(park.add(friday, parse_span("2wh")), berlin) == "2026-03-30 09:30"
    assert shown(park.offset(friday, parse_span("+1wd")), berlin) == "2026-03-30 16:30"
    assert park.add(friday, parse_span("96h")) - friday == timedelta(hours=96)


def test_a_year_table_that_contradicts_itself_is_refused() -> None:
    day = date(2026, 5, 9)
    with pytest.raises(Refused, match=r"years\.both"):
        YearTable(2026, frozenset({day}), frozenset({day}), published=True)
    with pytest.raises(Refused, match=r"years\.other_year"):
        YearTable(2026, frozenset({date(2027, 1, 1)}), frozenset(), published=True)
    with pytest.raises(Refused, match=r"years\.weekday"):
        YearTable(2026, frozenset(), frozenset({date(2026, 5, 8)}), published=True)
