"""What is too fast: so many messages in a sliding window, for a member or a group robot."""

from collections import deque
from collections.abc import Sequence

MEMBER = ((30, 60.0), (1000, 3600.0))
ROBOT = ((20, 60.0),)


class Flood:
    """Remembers what was sent when; `windows` are (messages, seconds)."""

    def __init__(self, windows: Sequence[tuple[int, float]]) -> None:
        self.windows = windows
        self.sent: dict[str, deque[float]] = {}

    def admits(self, whom: str, now: float) -> bool:
        """Whether one more fits at `now` (seconds); if so it is counted."""
        sent = self.sent.setdefault(whom, deque())
        longest = max(seconds for _, seconds in self.windows)
        while sent and sent[0] <= now - longest:
            sent.popleft()
        for count, seconds in self.windows:
            if sum(moment > now - seconds for moment in sent) >= count:
                return False
        sent.append(now)
        return True
