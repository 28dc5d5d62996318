"""Who says more than anybody can mean: answered once, then left alone, so that the others need not wait for him.

Buckets are kept a process, in memory: N processes let through N times as much at most, and a restart forgives.
"""

from datetime import datetime, timedelta
from typing import TypeVar

from bot.limits import Limits, Rate
from domain.chat import Incoming

Kept = TypeVar("Kept")

A_PERSON = Rate(20, 40)
"""Twenty at once, and five more every ten seconds; an album counts as one."""
A_GROUP = Rate(60, 30)
QUIET = timedelta(minutes=10)
"""For so long after somebody was told, he is not told again."""
_MOST_REMEMBERED = 10_000


class Flood:
    """Watches the pace of everybody who speaks; a message is judged once, however often it is tried."""

    def __init__(self) -> None:
        self._limits = Limits()
        self._albums: dict[str, str] = {}
        self._told: dict[str, tuple[datetime, int]] = {}
        self._judged: dict[int, bool] = {}

    def admits(self, entry_id: int, message: Incoming, now: datetime) -> bool:
        """Whether it is to be heard; `now` is machine time, for where the platform does not say when it was written."""
        if entry_id not in self._judged:
            self._judged[entry_id] = self._within(message, now)
        return self._judged[entry_id]

    def speaks_up(self, entry_id: int, message: Incoming, now: datetime) -> bool:
        """Whether its speaker is to be told that it was left."""
        whom = f"{message.channel}:{message.sender} in {message.chat}"
        told, by = self._told.get(whom, (None, 0))
        if told is None or now - told >= QUIET:
            by = entry_id
            _remember(self._told, whom, (now, by))
        return by == entry_id

    def over(self, entry_id: int) -> None:
        """The message is done with."""
        self._judged.pop(entry_id, None)

    def _within(self, message: Incoming, now: datetime) -> bool:
        who = f"{message.channel}:{message.sender}"
        if message.event is not None or self._goes_on(who, message):
            return True
        written = min(message.written_at or now, now)
        if message.sender and not self._limits.take(f"person {who}", A_PERSON, written):
            return False
        return message.private or self._limits.take(f"group {message.channel}:{message.chat}", A_GROUP, written)

    def _goes_on(self, who: str, message: Incoming) -> bool:
        """Whether it is a further part of the album whose first part was counted."""
        if not message.album:
            return False
        place = f"{who} in {message.chat}"
        goes_on = self._albums.get(place) == message.album
        _remember(self._albums, place, message.album)
        return goes_on


def _remember(kept: dict[str, Kept], key: str, value: Kept) -> None:
    """Keep it as the newest, and no more than so many."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > _MOST_REMEMBERED:
        del kept[next(iter(kept))]
