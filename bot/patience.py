"""How long a failed message waits, when a channel is left in peace as a whole, and when a row is set aside."""

import random
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.channel import Abilities
from domain.notices import Lane
from storage.delivery import Owed

BACK_OFF = (1.0, 5.0, 15.0, 60.0, 120.0)
LEAST_WAIT = 0.5
SET_ASIDE_AFTER = timedelta(minutes=10)
GIVEN_UP_AFTER = timedelta(hours=24)
PROBE_TAKES = timedelta(seconds=60)
MOST_DOUBTS = 3
RISKS = 1
"""So often a message is sent again that may have arrived, and would then be seen twice."""
MUST_ARRIVE = frozenset({Lane.REPLY, Lane.CASE})
IDEMPOTENT_FOR = timedelta(minutes=30)
"""So long at least an idempotent platform takes the same message for the same."""
REPEATABLE = frozenset({"edit", "menu"})
"""What is the same when it is done twice."""


@dataclass(slots=True)
class _Pause:
    """`asked`: its length is what the platform wants; `probes`: the chats to which a message was tried in it."""

    until: datetime
    times: int = 0
    probing: bool = False
    asked: bool = False
    probes: set[int] = field(default_factory=set)


class Patience:
    """What a pump has seen of its channels since it started; all moments are machine time.

    A paused channel is tried again with one message, each time to another chat; when that arrives, or is refused on its
    own account, all is well. A chat that takes nothing while others do has a trouble of its own, and pauses nobody.
    """

    def __init__(self) -> None:
        self._pauses: dict[str, _Pause] = {}
        self._doubts: dict[str, int] = {}
        self._channels: dict[str, datetime] = {}
        self._chats: dict[int, datetime] = {}
        self._arrived: Counter[str] = Counter()
        self._failed: dict[int, int] = {}
        self._first_failure: datetime | None = None

    def sound(self, channels: Collection[str]) -> list[str]:
        """Channels that work as far as is known."""
        return [name for name in channels if name not in self._pauses]

    def to_probe(self, channels: Collection[str], machine: datetime) -> list[str]:
        """Paused channels whose pause is over: one message may be tried."""
        return [name for name in channels if name in self._pauses and self._pauses[name].until <= machine]

    def probed(self, channel: str) -> frozenset[int]:
        """The chats with which a paused channel was tried before: one of them may be the trouble, and another not."""
        return frozenset(self._pauses[channel].probes)

    def probe(self, channel: str, chat_id: int, machine: datetime) -> None:
        """One message is on its way to a chat there; no second one until its outcome is known."""
        pause = self._pauses[channel]
        if chat_id in pause.probes:  # every other was tried since
            pause.probes.clear()
        pause.probes.add(chat_id)
        pause.until, pause.probing, pause.asked = machine + PROBE_TAKES, True, False

    def probe_fell_out(self, channel: str, machine: datetime) -> None:
        """The message that was to be tried need not be sent any more: another may be."""
        if channel in self._pauses:
            self._pauses[channel].until = machine

    def down(self, channel: str, machine: datetime, seconds: float | None = None) -> None:
        """Nothing goes through: pause the channel, longer after each probe; what was in flight together counts once."""
        pause = self._pauses.setdefault(channel, _Pause(machine, times=-1, probing=True))
        if pause.probing:
            pause.times += 1
            pause.probing = False
            pause.until = machine + back_off(pause.times, seconds)
        elif seconds is not None:
            pause.until = max(pause.until, machine + back_off(0, seconds))
        pause.asked = pause.asked or seconds is not None

    def alone(self, owed: Owed) -> bool:
        """Whether a chat that nothing gets through to is the only one: since that failed before, others got theirs.

        It is noted that it failed.
        """
        before, arrived = self._failed.get(owed.chat_id), self._arrived[owed.channel]
        self._failed[owed.chat_id] = arrived
        return before is not None and arrived > before and owed.channel not in self._pauses

    def doubtful(self, channel: str, machine: datetime) -> None:
        """A message vanished; a channel that swallows several in a row, or a probe, is down."""
        self._doubts[channel] = self._doubts.get(channel, 0) + 1
        if channel in self._pauses or self._doubts[channel] >= MOST_DOUBTS:
            self.down(channel, machine)

    def up(self, channel: str, machine: datetime) -> None:
        """The channel answers; a pause that the platform asked for is kept all the same."""
        pause = self._pauses.get(channel)
        if pause is not None and not (pause.asked and machine < pause.until):
            del self._pauses[channel]
        self._doubts.pop(channel, None)

    def delivered(self, owed: Owed, machine: datetime) -> None:
        """A message has arrived."""
        self.up(owed.channel, machine)
        self._arrived[owed.channel] += 1
        self._failed.pop(owed.chat_id, None)
        self._channels[owed.channel] = machine
        self._chats[owed.chat_id] = machine

    def exhausted(self, owed: Owed, machine: datetime) -> bool:
        """Whether a row that keeps failing is set aside, so that its lane goes on.

        After ten minutes, if its channel and its chat took other messages since it was first tried: then it is the row.
        A chat that takes nothing at all keeps its order for a day, as long as its channel works for others.
        Time before the first failure that this process has seen is not held against a row: the program may have been
        down, or the clock have been put on.
        """
        first = owed.first_tried_at
        self._first_failure = self._first_failure or machine
        seen = machine - max(first, self._first_failure)
        if seen < SET_ASIDE_AFTER or not _since(self._channels.get(owed.channel), first):
            return False
        return _since(self._chats.get(owed.chat_id), first) or machine - first >= GIVEN_UP_AFTER

    def harmless(self, owed: Owed, machine: datetime, abilities: Abilities | None, *, harmless: bool) -> bool:
        """Whether a doubtful row may go again without anybody's seeing it twice.

        Where the channel vouches for that one message (`harmless`), no longer than a row that keeps failing is kept.
        """
        idempotent = abilities is not None and abilities.idempotent
        if owed.kind in REPEATABLE or (idempotent and machine - owed.first_tried_at < IDEMPOTENT_FOR):
            return True
        return harmless and not self.exhausted(owed, machine)


def may_risk(owed: Owed, most: int) -> bool:
    """Whether losing a doubtful row is worse than its being seen twice, and that was not risked `most` times before."""
    return owed.kind == "send" and Lane(owed.lane) in MUST_ARRIVE and owed.doubts < most


def _since(moment: datetime | None, first: datetime) -> bool:
    return moment is not None and moment >= first


def _wait(times: int, seconds: float | None) -> float:
    if seconds is not None:
        return max(seconds, LEAST_WAIT)
    return BACK_OFF[min(times, len(BACK_OFF) - 1)]


def back_off(attempts: int, seconds: float | None = None) -> timedelta:
    """How long to wait after so many failed tries, with some jitter; or `seconds`, which the platform asks for."""
    jitter = random.uniform(0.8, 1.2) if seconds is None else 1.0  # noqa: S311 - jitter, nothing secret
    return timedelta(seconds=_wait(attempts, seconds) * jitter)
