"""How often somebody may ask: token buckets, kept in memory because a restart may forgive."""

from dataclasses import dataclass
from datetime import datetime

_MOST_BUCKETS = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`amount` at once, refilled evenly over `seconds`."""

    amount: int
    seconds: float


ACTIONS = Rate(20, 10)
WRONG_CODES = Rate(10, 900)
SLIP_ANSWERS = Rate(10, 3600)


class Limits:
    """Buckets by key: what is left, and when that was counted (machine time)."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, datetime]] = {}

    def take(self, key: str, rate: Rate, now: datetime) -> bool:
        """Take one; False when none is left."""
        left = self._left(key, rate, now)
        if left < 1:
            return False
        if key not in self._buckets and len(self._buckets) >= _MOST_BUCKETS:
            self._forget_oldest()
        counted = self._buckets[key][1] if key in self._buckets else now
        self._buckets[key] = (left - 1, max(counted, now))  # news of an earlier moment fills nothing up twice
        return True

    def has(self, key: str, rate: Rate, now: datetime) -> bool:
        """Whether one is left, without taking it."""
        return self._left(key, rate, now) >= 1

    def _left(self, key: str, rate: Rate, now: datetime) -> float:
        left, counted = self._buckets.get(key, (float(rate.amount), now))
        refilled = (now - counted).total_seconds() * rate.amount / rate.seconds
        return min(float(rate.amount), left + max(refilled, 0.0))

    def _forget_oldest(self) -> None:
        """Let a tenth go, the longest unused first."""
        oldest = sorted(self._buckets, key=lambda key: self._buckets[key][1])
        for key in oldest[: _MOST_BUCKETS // 10]:
            del self._buckets[key]
