from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from domain.deadlines import FIXED, Cap, Pause, Reckoning
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


# Three stretches a day, a winter that runs over the turn of the year, a July of evenings until midnight.
BUSY = Hours(
    (parse_interval("08:00-10:30"), parse_interval("11:00-12:00"), parse_interval("14:00-18:00")),
    (
        Season((10, 15), (3, 10), (parse_interval("09:00-12:00"), parse_interval("13:00-16:30"))),
        Season((7, 1), (7, 31), (parse_interval("07:00-11:00"), parse_interval("20:00-24:00"))),
    ),
    quiet=parse_interval("00:30-06:00"),
)


def _busy_minutes(day: date) -> set[int]:
    if (day.month, day.day) >= (10, 15) or (day.month, day.day) <= (3, 10):
        return set(range(540, 720)) | set(range(780, 990))
    if day.month == 7:
        return set(range(420, 660)) | set(range(1200, 1440))
    return set(range(480, 630)) | set(range(660, 720)) | set(range(840, 1080))


def _busy_pair(zone: ZoneInfo, closures: frozenset[date]) -> tuple[Calendar, SlowCalendar]:
    """A calendar to which the closures came later, as they do in a park."""
    return Calendar(YEARS, BUSY, zone).amended((), closures), SlowCalendar(zone, _busy_minutes, closures)


PAIRS = [
    _busy_pair(ZoneInfo("Asia/Shanghai"), frozenset()),
    _busy_pair(ZoneInfo("Asia/Shanghai"), _CLOSURES | {date(2026, 7, 6), date(2026, 7, 7), date(2026, 10, 15)}),
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


# What a deadline is counted from -------------------------------------------------------------------------------------
working_days = st.integers(0, 15).map(lambda days: Span(days, Unit.WORKING_DAYS))
working_hours = st.integers(0, 600).map(lambda minutes: Span(minutes * 60, Unit.WORKING_HOURS))
wall = st.integers(0, 6000).map(lambda minutes: Span(minutes * 60, Unit.WALL))
spans = st.one_of(working_days, working_hours, wall)
minutes = st.integers(0, 5 * 1440).map(lambda count: timedelta(minutes=count))


@st.composite
def reckonings(draw: st.DrawFn) -> Reckoning:
    """A term or the longer of two; then extensions and suspensions in any order; then what rules if it is earlier."""
    start = draw(instants)
    extension = st.integers(1, 8).map(lambda days: Span(days, Unit.WORKING_DAYS))
    pause = st.builds(lambda after, long: Pause(start + after, start + after + long), minutes, minutes)
    cap = st.builds(lambda after, span: Cap(start + after, span), minutes, st.one_of(spans, st.just(FIXED)))
    return Reckoning(
        start,
        tuple(draw(st.lists(spans, min_size=1, max_size=2))),
        tuple(draw(st.lists(st.one_of(extension, pause), max_size=3))),
        tuple(draw(st.lists(cap, max_size=2))),
    )


@given(pairs, instants, spans)
def test_a_span_of_any_unit_agrees_with_the_slow_model(
    pair: tuple[Calendar, SlowCalendar], start: datetime, span: Span
) -> None:
    quick, slow = pair
    assert quick.add(start, span) == slow.add(start, span)


@given(pairs, reckonings())
def test_a_deadline_with_its_moves_and_caps_agrees_with_the_slow_model(
    pair: tuple[Calendar, SlowCalendar], reckoned: Reckoning
) -> None:
    quick, slow = pair
    assert reckoned.deadline(quick) == slow.deadline(reckoned)
