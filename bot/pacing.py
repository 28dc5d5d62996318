"""Keeps to what a platform allows: so many messages a second, so many a minute or an hour in a chat."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.channel import Pace, Window

MOST_REMEMBERED = 10_000
_SECOND = timedelta(seconds=1)


class Pacer:
    """What left lately, by machine time. A message counts from its beginning until a window after its end.

    So it counts at whatever moment between the two the platform took it, and no delay of the network makes two windows
    overlap.
    """

    def __init__(self, paces: Mapping[str, Pace]) -> None:
        self._paces = paces
        self._flying: dict[str, int] = dict.fromkeys(paces, 0)
        self._ends: dict[str, deque[datetime]] = {name: deque(maxlen=pace.overall) for name, pace in paces.items()}
        self._chats: dict[tuple[int, Window], deque[datetime]] = {}

    def paced(self, channel: str) -> bool:
        """Whether anybody counts there."""
        return channel in self._paces

    def room(self, channel: str, machine: datetime, most: int) -> int:
        """How many messages may leave now, `most` at most."""
        if channel not in self._paces:
            return most
        return max(0, min(most, self._paces[channel].overall - self._flying[channel] - self._recent(channel, machine)))

    def opens(self, machine: datetime) -> datetime | None:
        """When there will be room in a channel that has none for what has landed lately; None where none is full."""
        moments = [
            self._ends[name][0] + _SECOND for name in self._paces if self._recent(name, machine) and self._full(name)
        ]
        return min(moments, default=None)

    def begin(self, channel: str) -> None:
        """A message is taken up."""
        if channel in self._paces:
            self._flying[channel] += 1

    def end(self, channel: str) -> None:
        """It is done with, whether it was sent or not."""
        if channel in self._paces:
            self._flying[channel] -= 1

    def landed(self, channel: str, chat_id: int, machine: datetime, *, private: bool) -> datetime | None:
        """The platform has answered, or never will; until when the chat is left in peace, None where nobody counts."""
        pace = self._paces.get(channel)
        if pace is None:
            return None
        self._ends[channel].append(machine)
        rest = machine + timedelta(seconds=pace.chat_seconds)
        return max(rest, self._note(pace, chat_id, machine, private=private))

    def remember(self, channel: str, chat_id: int, ended: datetime, *, private: bool) -> None:
        """A message of an earlier process, the earliest first."""
        if channel in self._paces:
            self._note(self._paces[channel], chat_id, ended, private=private)

    @property
    def memory(self) -> timedelta:
        """How far back messages count."""
        lengths = (window.seconds for pace in self._paces.values() for window in pace.windows)
        return timedelta(seconds=max(lengths, default=0.0))

    def _recent(self, channel: str, machine: datetime) -> int:
        ends = self._ends[channel]
        while ends and ends[0] + _SECOND <= machine:
            ends.popleft()
        return len(ends)

    def _full(self, channel: str) -> bool:
        return self._flying[channel] + len(self._ends[channel]) >= self._paces[channel].overall

    def _note(self, pace: Pace, chat_id: int, ended: datetime, *, private: bool) -> datetime:
        """Note a message in every window of its chat; when the next may follow."""
        if len(self._chats) >= MOST_REMEMBERED:
            self._chats.clear()
        rest = ended
        for window in pace.windows:
            if private and window.groups_only:
                continue
            ends = self._chats.setdefault((chat_id, window), deque(maxlen=window.most))
            ends.append(ended)
            if len(ends) == window.most:
                rest = max(rest, ends[0] + timedelta(seconds=window.seconds))
        return rest
