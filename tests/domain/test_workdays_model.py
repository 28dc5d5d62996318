from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from domain.workdays import Calendar, Hours, Season, Span, Unit, parse_interval
from storage.years import read_years
from tests.domain.slow_workdays import SlowCalendar

YEARS = read_years()
SUMMER = Season((5, 1), (9, 30), (parse_interval("08:00-12:00"), parse_interval("15:00-18:30")))
HOURS = Hours(
    (parse_interval("08:30-12:00"), parse_interval("14:00-17:30")),
    (SUMMER,),
    quiet=parse_interval("21:00-08:00"),
)


_WINTER_MINUTES = set(range(510, 720)) | set(range(840, 1050))
_SUMMER_MINUTES = set(range(480, 720)) | set(range(900, 1110))
_CLOSURES = frozenset({date(2026, 2, 14), date(2026, 3, 10), date(2026, 12, 31), date(2027, 1, 4)})


def _pair(zone: ZoneInfo, closures: frozenset[date]) -> tuple[Calendar, SlowCalendar]:
    quick = Calendar(YEARS, HOURS, zone, closures)
    return quick, SlowCalendar(zone, lambda day: _SUMMER_MINUTES if 5 <= day.month <= 9 else _WINTER_MINUTES, closures)


PAIRS = [
    _pair(ZoneInfo("Asia/Shanghai"), frozenset()),
    _pair(ZoneInfo("Asia/Shanghai"), _CLOSURES),
    _pair(ZoneInfo("Europe/Berlin"), frozenset()),
    _pair(ZoneInfo("America/New_York"), _CLOSURES),
]
pairs = st.sampled_from(PAIRS)
_FIRST = datetime(2026, 2, 1, tzinfo=UTC)
anywhere = st.integers(0, 500 * 1440)
near_a_feast = st.builds(
    lambda day, minute: day * 1440 + minute,
    st.sampled_from([10, 12, 13, 22, 26, 60, 87, 96, 229, 241, 251, 266, 272, 332, 333, 368, 371]),
    st.integers(-600, 2000),
)
instants = st.one_of(anywhere, near_a_feast).map(lambda minutes: _FIRST + timedelta(minutes=minutes))


@given(pairs, instants, st.integers(1, 40))
def test_working_days_agree_with_the_slow_model(
    pair: tuple[Calendar, SlowCalendar], start: datetime, days: int
) -> None:
    quick, slow = pair
    assert quick.add(start, Span(days, Unit.WORKING_DAYS)) == slow.after_days(start, days)
    for signed in (days, -min(days, 10)):
        assert quick.offset(start, Span(signed, Unit.WORKING_DAYS)) == slow.shift_days(start, signed)


@given(pairs, instants, st.integers(1, 20 * 60))
def test_working_hours_agree_with_the_slow_model(
    pair: tuple[Calendar, SlowCalendar], start: datetime, minutes: int
) -> None:
    quick, slow = pair
    deadline = quick.add(start, Span(minutes * 60, Unit.WORKING_HOURS))
    assert deadline == slow.after_minutes(start, minutes)
    assert quick.worked(start, deadline) == timedelta(minutes=minutes)
    assert quick.offset(start, Span(-minutes * 60, Unit.WORKING_HOURS)) == slow.before_minutes(start, minutes)


@given(pairs, instants, st.integers(0, 14 * 1440))
def test_work_between_two_moments_agrees_with_the_slow_model(
    pair: tuple[Calendar, SlowCalendar], start: datetime, minutes: int
) -> None:
    quick, slow = pair
    end = start + timedelta(minutes=minutes)
    total = slow.worked_minutes(start, end)
    assert quick.worked(start, end) == timedelta(minutes=total)
    if total:
        half = quick.share(start, end, 0.5)
        assert abs(quick.worked(start, half) - timedelta(minutes=total) / 2) <= timedelta(seconds=1)
        assert start <= half <= end
    first, last = quick.local(start).date(), quick.local(end).date()
    assert quick.working_days_between(first, last) == slow.days_between(first, last)


@given(pairs, instants)
def test_quiet_times_and_openings_agree_with_the_slow_model(
    pair: tuple[Calendar, SlowCalendar], moment: datetime
) -> None:
    quick, slow = pair
    assert quick.is_quiet(moment) is not slow.is_open(moment)
    assert quick.next_open(moment) == slow.next_open(moment)
    assert quick.is_working_day(quick.local(moment).date()) is slow.works_on(quick.local(moment).date())
