"""The clock's voice: APScheduler rings, storage decides what is due and who takes the turn."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from domain.rules import Rules
from handlers.jobs import Job
from storage import outbox
from storage.database import Database, Tx
from storage.errors import StorageUnavailable

_log = logging.getLogger(__name__)

EVERY_SECONDS = 5
MOST_ROUNDS = 1000


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
    ) -> None:
        self._database = database
        self._rules = rules
        self._jobs = jobs
        self._civil = civil
        self._done = done
        self._one_at_a_time = asyncio.Lock()

    def hang(self, scheduler: AsyncIOScheduler) -> None:
        """Let the scheduler ring every few seconds; a ring that is late is rung once, none is skipped."""
        scheduler.add_job(
            self.ring_safely, "interval", seconds=EVERY_SECONDS, coalesce=True, misfire_grace_time=None, max_instances=1
        )

    async def ring_safely(self) -> None:
        """Ring; trouble is logged and the next ring tries again."""
        try:
            await self.ring()
        except StorageUnavailable as trouble:
            _log.warning("storage cannot work, the clock waits: %s", trouble)
        except Exception:  # noqa: BLE001 - the next ring tries again
            _log.exception("the clock's ring failed")

    async def ring(self) -> int:
        """Do all that is due now; how many pieces of work that were."""
        async with self._one_at_a_time:
            civil = self._civil()
            done = 0
            for job in self._jobs:
                done += await self._work_off(job, civil)
            if done:
                self._done()
            return done

    async def _work_off(self, job: Job, civil: datetime) -> int:
        done = 0
        last: Sequence[str] = ()
        for _ in range(MOST_ROUNDS):
            keys = await self._database.reading(lambda tx: job.due(tx, self._rules, civil))
            if not keys or keys == last:
                break
            for key in keys:
                await self._one(job, civil, key)
            done += len(keys)
            last = keys
        return done

    async def _one(self, job: Job, civil: datetime, key: str) -> None:
        """One key, one transaction; one that fails is logged and does not keep the others waiting."""
        try:
            await self._database.transaction(lambda tx: job.work(tx, self._rules, civil, key))
        except StorageUnavailable:
            raise
        except Exception:  # noqa: BLE001 - one key must not keep the others waiting
            _log.exception("job %s failed at %s", job.name, key, extra={"job": job.name, "key": key})

    async def upcoming(self, after: datetime) -> datetime | None:
        """The next civil moment at which something falls due."""

        async def unit(tx: Tx) -> list[datetime | None]:
            found = [await job.upcoming(tx, self._rules, after) for job in self._jobs]
            return [*found, await outbox.next_due(tx, after)]

        moments = await self._database.reading(unit)
        return min((moment for moment in moments if moment is not None and moment > after), default=None)
