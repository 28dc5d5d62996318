"""The clock's voice: APScheduler rings, storage decides what is due and who takes the turn."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from apscheduler.job import Job as Rope
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from domain.errors import Stale
from domain.rules import Rules
from handlers.jobs import Job
from storage import calendars, locks, outbox
from storage.database import Database, Tx
from storage.errors import StorageUnavailable

_log = logging.getLogger(__name__)

EVERY_SECONDS = 5
PATIENCE = 15.0
"""Seconds without a ring after which something is wrong with the scheduler's time."""


class Bell:
    """Rings the jobs. What one ring leaves undone, the next one finds again."""

    def __init__(
        self,
        database: Database,
        rules: Rules,
        jobs: Sequence[Job],
        *,
        civil: Callable[[], datetime],
        done: Callable[[], None],
        at_start: Sequence[Job] = (),
    ) -> None:
        """`at_start` are looked at once, before all others, at the first ring that storage allows."""
        self._database = database
        self._rules = rules
        self._jobs = jobs
        self._at_start = list(at_start)
        self._civil = civil
        self._done = done
        self._one_at_a_time = asyncio.Lock()
        self._failures: dict[tuple[str, str], int] = {}
        self._rung = asyncio.Event()

    def hang(self, scheduler: AsyncIOScheduler) -> Rope:
        """Let the scheduler ring every few seconds; a ring that is late is rung once, none is skipped."""
        return scheduler.add_job(
            self.ring_safely, "interval", seconds=EVERY_SECONDS, coalesce=True, misfire_grace_time=None, max_instances=1
        )

    async def keep_ringing(self, rope: Rope, patience: float = PATIENCE) -> None:
        """Where no ring has come for so many seconds, begin anew from now; until cancelled.

        The scheduler waits for an hour of the clock: when that was set back, it would wait as long as it was set back.
        """
        while True:
            self._rung.clear()
            try:
                async with asyncio.timeout(patience):
                    await self._rung.wait()
            except TimeoutError:
                if not self._one_at_a_time.locked():
                    _log.warning("no ring for %.0f s, the clock must have been set back: it rings on", patience)
                    rope.reschedule("interval", seconds=EVERY_SECONDS)

    async def ring_safely(self) -> None:
        """Ring; trouble is logged and the next ring tries again."""
        self._rung.set()
        try:
            await self.ring()
        except StorageUnavailable as trouble:
            _log.warning("storage cannot work, the clock waits: %s", trouble)
        except asyncio.CancelledError:
            _log.info("the clock stops amid a ring; the next process finds what is left")
        except Exception:  # noqa: BLE001 - the next ring tries again
            _log.exception("the clock's ring failed")

    async def ring(self) -> int:
        """Do all that is due now; how many pieces of work were settled."""
        async with self._one_at_a_time:
            civil = self._civil()
            done = 0
            for job in (*self._at_start, *self._jobs):
                done += await self._work_off(job, civil)
            stumbled = {name for name, _ in self._failures}
            self._at_start = [job for job in self._at_start if job.name in stumbled]
            return done

    async def _work_off(self, job: Job, civil: datetime) -> int:
        """Everything that is due for one job, each key tried once; what is still due then waits for the next ring."""
        tried: set[str] = set()
        try:
            while keys := await self._due(job, civil):
                fresh = [key for key in keys if key not in tried]
                if not fresh:
                    return len(tried.difference(keys))
                for key in fresh:
                    await self._one(job, civil, key)
                tried.update(fresh)
        except StorageUnavailable:
            raise
        except Exception:  # noqa: BLE001 - one job must not keep the others waiting
            self._complain(job, "")
            return 0
        return len(tried)

    async def _due(self, job: Job, civil: datetime) -> Sequence[str]:
        async def unit(tx: Tx) -> Sequence[str]:
            return await job.due(tx, await calendars.in_force(tx, self._rules), civil)

        return await self._database.reading(unit)

    async def _one(self, job: Job, civil: datetime, key: str) -> None:
        """One key, one transaction; one that fails is logged and does not keep the others waiting."""

        async def unit(tx: Tx) -> None:
            if not await locks.is_free(tx, f"job {job.name} {key}"):
                return  # another process is at it
            tx.on_commit(self._done)
            await job.work(tx, await calendars.in_force(tx, self._rules), civil, key)

        try:
            await self._database.transaction(unit)
        except StorageUnavailable:
            raise
        except Stale:
            return  # somebody was faster; the next ring sees what is true then
        except Exception:  # noqa: BLE001 - one key must not keep the others waiting
            self._complain(job, key)
        else:
            self._failures.pop((job.name, key), None)

    def _complain(self, job: Job, key: str) -> None:
        """Log the bug at hand: at its first ring, its second, its fourth ..., for it comes back every few seconds."""
        times = self._failures[job.name, key] = self._failures.get((job.name, key), 0) + 1
        if times.bit_count() == 1:
            _log.exception("job %s failed at %s, time %s", job.name, key, times, extra={"job": job.name, "key": key})

    async def upcoming(self, after: datetime) -> datetime | None:
        """The next civil moment at which something falls due."""

        async def unit(tx: Tx) -> list[datetime | None]:
            rules = await calendars.in_force(tx, self._rules)
            found = [await job.upcoming(tx, rules, after) for job in self._jobs]
            return [*found, await outbox.next_due(tx, after)]

        moments = await self._database.reading(unit)
        return min((moment for moment in moments if moment is not None and moment > after), default=None)
