"""Whether this process may be given work: storage writes, the schema is ours, every channel that listens is heard."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.channel import Channel
from bot.signs import Signs
from domain.said import Said
from domain.silence import SILENT_AFTER
from storage import migrations, pulses
from storage.database import Database, Tx
from storage.pulses import Pulse

TRIAL_SECONDS = 2.0
FRESH = timedelta(seconds=2)
"""So long a finding is good for everybody who asks."""


class Health:
    """Asked by /readyz; every finding is of now, so that all is well again as soon as it is."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        signs: Signs,
        machine: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._channels = channels
        self._signs = signs
        self._machine = machine
        self._trial: asyncio.Task[tuple[Mapping[str, Pulse], int]] | None = None
        self._found: tuple[datetime, Sequence[Said]] | None = None

    async def problems(self) -> Sequence[Said]:
        """What is wrong; nothing where the process is ready."""
        if self._found is None or not timedelta() <= self._machine() - self._found[0] < FRESH:
            found = await self._look()
            self._found = (self._machine(), found)
        return self._found[1]

    async def _look(self) -> Sequence[Said]:
        """A write, tried for two seconds; one that hangs is not joined by another."""
        if self._trial is None or self._trial.done():
            self._trial = asyncio.create_task(self._write())
            self._trial.add_done_callback(_seen)
        try:
            async with asyncio.timeout(TRIAL_SECONDS):
                seen, schema = await asyncio.shield(self._trial)
        except TimeoutError:
            return [Said("health.storage", {"cause": f"{TRIAL_SECONDS:g} s"}), *self._silent({})]
        except Exception as trouble:  # noqa: BLE001 - whatever it is, nothing can be kept; a missing table is no StorageError
            return [Said("health.storage", {"cause": str(trouble)}), *self._silent({})]
        known = migrations.newest()
        newer = [Said("health.schema", {"found": schema, "known": known})] if schema != known else []
        return [*newer, *self._silent(seen)]

    async def _write(self) -> tuple[Mapping[str, Pulse], int]:
        machine = self._machine()

        async def unit(tx: Tx) -> tuple[Mapping[str, Pulse], int]:
            await pulses.touch(tx, machine)
            return await pulses.pulses(tx), await migrations.applied(tx)

        return await self._database.transaction(unit)

    def _silent(self, seen: Mapping[str, Pulse]) -> list[Said]:
        names = [name for name, channel in self._channels.items() if channel.listens]
        found = [self._of(name, self._signs.of(name), seen.get(name, Pulse())) for name in names]
        return [said for said in found if said is not None]

    def _of(self, channel: str, here: Pulse, anywhere: Pulse) -> Said | None:
        """A channel may be heard by another process."""
        heard = max((pulse.heard_at for pulse in (here, anywhere) if pulse.heard_at), default=None)
        if heard is None:
            return Said("health.starting", {"channel": channel})
        gone = self._machine() - heard
        if gone < SILENT_AFTER:
            return None
        return Said("health.silent", {"channel": channel, "minutes": gone // timedelta(minutes=1)})


def _seen(done: "asyncio.Task[tuple[Mapping[str, Pulse], int]]") -> None:
    """Where nobody waits any more for what a trial ran into, that is no error."""
    if not done.cancelled():
        done.exception()
