"""When somebody may be disturbed: working hours for the office, not at night for firms, two reminders a day."""

from datetime import datetime, time, timedelta

from domain.workdays import Calendar

GRACE = timedelta(minutes=5)
"""So soon after closing somebody still sits there."""


def _works(calendar: Calendar, at: datetime) -> bool:
    local = calendar.local(at)
    clock, day = local.time().replace(tzinfo=None), local.date()
    return calendar.is_working_day(day) and any(one.start <= clock < one.end for one in calendar.hours.on(day))


def _opening(calendar: Calendar, at: datetime) -> datetime:
    day = calendar.local(at).date()
    while True:
        if calendar.is_working_day(day):
            for one in calendar.hours.on(day):
                opens = datetime.combine(day, one.start, calendar.zone)
                if opens > at:
                    return opens.astimezone(at.tzinfo)
        day += timedelta(days=1)


def disturbed_from(calendar: Calendar, at: datetime, *, office: bool) -> datetime:
    """`at`, or the first moment after it at which somebody may be disturbed."""
    if office:
        return at if _works(calendar, at) or _works(calendar, at - GRACE) else _opening(calendar, at)
    quiet = calendar.hours.quiet
    assert quiet is not None
    local = calendar.local(at)
    clock = local.time().replace(tzinfo=None)
    if quiet.end <= clock < quiet.start:
        return at
    day = local.date() + timedelta(days=int(clock >= quiet.start))
    return datetime.combine(day, quiet.end, calendar.zone).astimezone(at.tzinfo)


def midnight(calendar: Calendar, at: datetime, days: int = 0) -> datetime:
    """The beginning of the local day, or of one so many days later."""
    day = calendar.local(at).date() + timedelta(days=days)
    return datetime.combine(day, time(), calendar.zone)


def calm(calendar: Calendar, at: datetime, told: list[datetime], *, office: bool, most: int) -> datetime:
    """When somebody may be reminded of what is not urgent, if he was told so far at these moments.

    Each is a message, though two have the same moment: a clock that is set back brings an hour twice.
    """
    earliest = disturbed_from(calendar, at, office=office)
    today = midnight(calendar, earliest)
    if sum(moment >= today for moment in told) < most:
        return earliest
    return disturbed_from(calendar, midnight(calendar, earliest, days=1), office=office)
