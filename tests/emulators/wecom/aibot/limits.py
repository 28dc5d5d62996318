"""How much and how fast: sliding windows over a clock that a test may drive."""

from collections import defaultdict, deque
from dataclasses import dataclass, field

from .codes import TOO_FAST, Refused


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in so many seconds."""

    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Limits:
    """The platform's windows, in seconds and counts; `refreshes`: whether each refresh of a stream counts."""

    chat: tuple[Rate, ...] = (Rate(30, 60.0), Rate(1000, 3600.0))
    uploads: tuple[Rate, ...] = (Rate(30, 60.0), Rate(1000, 3600.0))
    refreshes: bool = True
    welcome: float = 5.0
    update: float = 5.0
    reply: float = 24 * 3600.0
    stream: float = 360.0
    link: float = 300.0
    upload: float = 1800.0
    media: float = 3 * 24 * 3600.0
    silence: float = 90.0  # without a frame of the client, where somebody looks (`sweep`)


@dataclass(slots=True)
class Windows:
    """When what was let through, by whom or what it is counted for."""

    passed: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def admit(self, name: str, rates: tuple[Rate, ...], now: float) -> None:
        """Count one more; 846607 if a window is full."""
        times = self.passed[name]
        if any(self.within(name, rate.seconds, now) >= rate.count for rate in rates):
            raise Refused(TOO_FAST)
        times.append(now)

    def within(self, name: str, seconds: float, now: float) -> int:
        """How many were let through in the last seconds."""
        return sum(at > now - seconds for at in self.passed[name])
