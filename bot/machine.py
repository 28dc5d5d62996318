"""Machine time: this machine's, or, where processes share a house, what the database's clock makes of it.

It only goes forward where one process has the house to itself.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from storage import delivery, leases
from storage.database import Database
from storage.errors import StorageUnavailable

_log = logging.getLogger(__name__)

EVERY_SECONDS = 600.0
ODD = timedelta(seconds=2)


class MachineClock:
    """Claims and waits in the database are judged by it, so that machines whose clocks differ judge alike."""

    def __init__(self, real: Callable[[], datetime]) -> None:
        self._real = real
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        """The moment."""
        return self._real() + self._ahead

    async def follow(self, database: Database) -> None:
        """Be set by the database's clock; as before where it cannot be asked."""
        asked = self._real()
        try:
            theirs = await database.reading(leases.now)
        except StorageUnavailable:
            return
        self._ahead = theirs - (asked + (self._real() - asked) / 2)
        if abs(self._ahead) > ODD:
            _log.warning("the database's clock is %.1f s ahead of this machine's", self._ahead.total_seconds())

    async def go_on_from(self, database: Database) -> None:
        """Begin no earlier than at the last moment that is kept: what waits since then waits no longer than it was to.

        The real clock may have been put back since, or have gone wrong before.
        """
        try:
            last = await database.reading(delivery.last_claim)
        except StorageUnavailable:
            return
        now = self()
        if last is not None and last > now:
            self._ahead += last - now
            _log.warning("the clock was put back by %.0f s or more; waits go on", (last - now).total_seconds())

    async def keep_following(self, database: Database) -> None:
        """Ask again and again, as clocks drift; until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.follow(database)
