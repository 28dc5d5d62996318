from datetime import date, time

import pytest

from domain.workdays import Hours, Interval, Season, Span, Unit, parse_interval, parse_span

MORNING, AFTERNOON = parse_interval("08:30-12:00"), parse_interval("14:00-17:30")


@pytest.mark.parametrize(
    "text, span",
    [
        ("45s", Span(45, Unit.WALL)),
        ("15m", Span(900, Unit.WALL)),
        ("4h", Span(14_400, Unit.WALL)),
        ("0s", Span(0, Unit.WALL)),
        ("4wh", Span(14_400, Unit.WORKING_HOURS)),
        ("3wd", Span(3, Unit.WORKING_DAYS)),
        ("-2wd", Span(-2, Unit.WORKING_DAYS)),
        ("+1wd", Span(1, Unit.WORKING_DAYS)),
        (" -30m ", Span(-1800, Unit.WALL)),
    ],
)
def test_a_duration_is_read_as_it_is_written(text: str, span: Span) -> None:
    assert parse_span(text) == span


@pytest.mark.parametrize("text", ["", "3", "wd", "3 wd", "3d", "1.5h", "50%", "3WD", "--1h", "３wd", "4wh 3m"])
def test_a_duration_that_cannot_be_read_is_answered_with_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration: .*4wh.*3wd"):
        parse_span(text)


@pytest.mark.parametrize("text", ["3661wd", "87841h", "87841wh", "999999999999s"])
def test_a_duration_of_more_than_ten_years_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ten years"):
        parse_span(text)


@pytest.mark.parametrize(
    "text, interval",
    [
        ("08:30-12:00", Interval(time(8, 30), time(12))),
        ("8:30 - 12:00", Interval(time(8, 30), time(12))),
        ("21:00-08:00", Interval(time(21), time(8))),
        ("18:00-24:00", Interval(time(18), time(0))),
        ("00:00-24:00", Interval(time(0), time(0))),
    ],
)
def test_a_stretch_of_the_day_is_read_as_it_is_written(text: str, interval: Interval) -> None:
    assert parse_interval(text) == interval


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("8.30-12", "write it as 08:30-12:00"),
        ("08:30", "write it as 08:30-12:00"),
        ("08:60-12:00", "no clock shows"),
        ("08:30-25:00", "no clock shows"),
        ("08:30-24:30", "no clock shows"),
        ("09:00-09:00", "00:00-24:00"),
    ],
)
def test_a_wrong_stretch_of_the_day_is_answered_with_what_would_be_right(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_interval(text)


def test_working_hours_must_be_there_and_in_order() -> None:
    with pytest.raises(ValueError, match="at least one interval"):
        Hours(())
    with pytest.raises(ValueError, match="at least one interval"):
        Season((5, 1), (9, 30), ())
    with pytest.raises(ValueError, match="come in order"):
        Hours((AFTERNOON, MORNING))
    with pytest.raises(ValueError, match="come in order"):
        Hours((parse_interval("08:00-24:00"), parse_interval("09:00-10:00")))
    with pytest.raises(ValueError, match="over midnight"):
        Hours((parse_interval("21:00-08:00"),))


def test_a_season_needs_days_that_exist() -> None:
    with pytest.raises(ValueError, match="06-31"):
        Season((5, 1), (6, 31), (MORNING,))
    assert Season((2, 1), (2, 29), (MORNING,)).covers(date(2028, 2, 29))
