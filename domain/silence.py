"""When a channel counts as silent or stuck: for how long nothing came, for how long nothing left though it might."""

from datetime import datetime, timedelta

SILENT_AFTER = timedelta(minutes=5)
"""A poll comes back within half a minute, a ping sooner; troubles of a minute or two are the network's everyday."""
STUCK_AFTER = timedelta(minutes=10)
"""As long as a failing message holds up its own lane."""


def is_silent(heard: datetime | None, since: datetime, now: datetime) -> bool:
    """Whether a platform that is asked all the time has not answered for too long; before `since` nobody listened."""
    return now - _latest(heard, since) >= SILENT_AFTER


def is_stuck(waiting: timedelta, delivered: datetime | None, since: datetime, now: datetime) -> bool:
    """Whether nothing leaves, though the oldest message has been allowed to for so long; before `since` nobody sent."""
    return waiting >= STUCK_AFTER and now - _latest(delivered, since) >= STUCK_AFTER


def stuck_since(waiting: timedelta, delivered: datetime | None, now: datetime) -> datetime:
    """From when on nothing has left that might have."""
    return _latest(delivered, now - waiting)


def _latest(moment: datetime | None, other: datetime) -> datetime:
    return other if moment is None else max(moment, other)
