"""A park's calendar told again, minute by minute and without cleverness, to check the quick one against."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.deadlines import Pause, Reckoning
from domain.spans import Span, Unit

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def _days(text: str) -> set[date]:
    return {date.fromisoformat(day) for day in text.split()}


# Typed from the notice of 2026, and for 2027 from the law and a wall calendar; the tables are under test.
OFF = _days(
    """
    2026-01-01 2026-01-02 2026-01-03
    2026-02-15 2026-02-16 2026-02-17 2026-02-18 2026-02-19 2026-02-20 2026-02-21 2026-02-22 2026-02-23
    2026-04-04 2026-04-05 2026-04-06
    2026-05-01 2026-05-02 2026-05-03 2026-05-04 2026-05-05
    2026-06-19 2026-06-20 2026-06-21
    2026-09-25 2026-09-26 2026-09-27
    2026-10-01 2026-10-02 2026-10-03 2026-10-04 2026-10-05 2026-10-06 2026-10-07
    2027-01-01
    2027-02-05 2027-02-06 2027-02-07 2027-02-08
    2027-04-05 2027-05-01 2027-05-02 2027-06-09 2027-09-15 2027-10-01 2027-10-02 2027-10-03
    """
)
MAKEUP = _days("2026-01-04 2026-02-14 2026-02-28 2026-05-09 2026-09-20 2026-10-10")


@dataclass(frozen=True)
class SlowCalendar:
    """Knows one thing, whether a minute is working time, and counts minutes. Good for 2026 and 2027."""

    zone: ZoneInfo
    open_minutes: Callable[[date], set[int]]  # of a working day: minutes since local midnight
    closures: frozenset[date] = frozenset()

    def works_on(self, day: date) -> bool:
        if day in self.closures:
            return False
        return day in MAKEUP or (day not in OFF and day.strftime("%a") not in {"Sat", "Sun"})

    def is_open(self, at: datetime) -> bool:
        local = at.astimezone(self.zone)
        return self.works_on(local.date()) and local.hour * 60 + local.minute in self.open_minutes(local.date())

    def after_minutes(self, start: datetime, minutes: int) -> datetime:
        at = start
        while minutes:
            minutes -= self.is_open(at)
            at += MINUTE
        return at

    def before_minutes(self, end: datetime, minutes: int) -> datetime:
        at = end
        while minutes:
            at -= MINUTE
            minutes -= self.is_open(at)
        return at

    def next_open(self, at: datetime) -> datetime:
        while not self.is_open(at):
            at += MINUTE
        return at

    def after_days(self, start: datetime, days: int) -> datetime:
        """The end of the last open minute of the days-th working date after the event's date."""
        day = start.astimezone(self.zone).date()
        while days:
            day += DAY
            days -= self.works_on(day)
        return self.closing(day)

    def closing(self, day: date) -> datetime:
        """The end of a working date's last open minute; one that is open until midnight ends a minute before it."""
        midnight = at = datetime.combine(day + DAY, time(), self.zone).astimezone(UTC)
        while not self.is_open(at - MINUTE):
            at -= MINUTE
        return at - MINUTE if at == midnight else at

    def same_day(self, start: datetime) -> datetime:
        """The first end of a working date after an instant."""
        day = start.astimezone(self.zone).date()
        while not self.works_on(day) or self.closing(day) <= start:
            day += DAY
        return self.closing(day)

    def add(self, start: datetime, span: Span) -> datetime:
        """A span of any unit, in whole minutes."""
        if span.unit is Unit.WALL:
            return start + timedelta(seconds=span.amount)
        if span.unit is Unit.WORKING_HOURS:
            return self.after_minutes(start, span.amount // 60) if span.amount else self.next_open(start)
        return self.after_days(start, span.amount) if span.amount else self.same_day(start)

    def deadline(self, reckoned: Reckoning) -> datetime:
        """The longest of the spans, or whatever rules because it is earlier; then one move after the other."""
        due = start = reckoned.start
        for span in reckoned.spans:
            due = max(due, self.add(start, span))
        for cap in reckoned.caps:
            due = min(due, self.add(cap.start, cap.span))
        for move in reckoned.moves:
            if isinstance(move, Pause):
                due = self.after_minutes(due, self.worked_minutes(move.start, move.end))
            else:
                due = self.add(due, move)
        return due

    def shift_days(self, deadline: datetime, days: int) -> datetime:
        local = deadline.astimezone(self.zone)
        day, step = local.date(), DAY if days > 0 else -DAY
        for _ in range(abs(days)):
            day += step
            while not self.works_on(day):
                day += step
        return datetime.combine(day, local.time(), self.zone).astimezone(UTC)

    def worked_minutes(self, start: datetime, end: datetime) -> int:
        total, at = 0, start
        while at < end:
            total += self.is_open(at)
            at += MINUTE
        return total

    def days_between(self, a: date, b: date) -> int:
        total = 0
        while a < b:
            a += DAY
            total += self.works_on(a)
        return total
