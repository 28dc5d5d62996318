"""Civil time: what deadlines, quiet hours and digests go by; the demo and the stories may run it ahead."""

from collections.abc import Callable
from datetime import datetime, timedelta


class CivilClock:
    """Machine time plus what it was moved ahead; a frozen clock stands still between moves, as stories are told."""

    def __init__(
        self, machine: Callable[[], datetime], start: datetime | None = None, *, frozen: bool = False
    ) -> None:
        self._machine = machine
        self._frozen = frozen
        self._stands_at = start or machine()
        self._ahead = self._stands_at - machine() if start else timedelta()

    def __call__(self) -> datetime:
        """Now, in UTC, in whole milliseconds."""
        now = self._stands_at if self._frozen else self._machine() + self._ahead
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def move_to(self, moment: datetime) -> None:
        """Let it be `moment`; a moment of the past is left alone, for civil time never runs backward."""
        if moment > self():
            self._stands_at = moment
            self._ahead = moment - self._machine()
