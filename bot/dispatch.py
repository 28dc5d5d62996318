"""The inbox worker: claims the oldest message of each chat, opens its transaction, and has it heard."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.channel import Channel
from handlers import mishaps
from handlers.conversation import House, hear
from storage import inbox
from storage.database import Database, Tx
from storage.errors import StorageUnavailable

_log = logging.getLogger(__name__)

MOST_TRIES = 5
BACK_OFF = (1.0, 5.0, 30.0, 120.0, 600.0)


class Dispatcher:
    """One message, one transaction: the claim, what the message does, and its reply are committed together or not at all."""

    def __init__(
        self,
        database: Database,
        house: House,
        channels: Mapping[str, Channel],
        *,
        civil: Callable[[], datetime],
        machine: Callable[[], datetime],
        done: Callable[[], None],
    ) -> None:
        self._database = database
        self._house = house
        self._channels = channels
        self._civil = civil
        self._machine = machine
        self._done = done
        self._stir = asyncio.Event()

    def wake(self) -> None:
        """Something has come in."""
        self._stir.set()

    async def run(self) -> None:
        """Work until cancelled; looks by itself every second, for updates that wait for another try."""
        while True:
            self._stir.clear()
            try:
                await self.drain()
            except StorageUnavailable as trouble:
                _log.warning("storage cannot work, messages wait: %s", trouble)
            try:
                await asyncio.wait_for(self._stir.wait(), timeout=1.0)
            except TimeoutError:
                continue

    async def drain(self) -> int:
        """Handle everything that can be handled now; how many updates that were."""
        handled = 0
        while True:
            machine = self._machine()
            heads = await self._database.reading(lambda tx, now=machine: inbox.heads(tx, now))  # type: ignore[misc]  # the default binds the moment
            if not heads:
                return handled
            await asyncio.gather(*(self._handle(entry_id) for entry_id in heads))
            handled += len(heads)
            self._done()

    async def _handle(self, entry_id: int) -> None:
        try:
            await self._database.transaction(lambda tx: self._unit(tx, entry_id))
        except StorageUnavailable:
            raise
        except Exception as bug:  # noqa: BLE001 - a bug in a handler must not stop the other chats
            _log.exception("message %s could not be handled", entry_id, extra={"inbox": entry_id})
            name = type(bug).__name__
            await self._database.transaction(lambda tx: self._failed(tx, entry_id, name))

    async def _unit(self, tx: Tx, entry_id: int) -> None:
        entry = await inbox.claim(tx, entry_id)
        if entry is None:
            return
        message = self._channels[entry.channel].read(entry.body, entry.received_at)
        if message is not None:
            await hear(tx, self._house, message, entry.received_at)

    async def _failed(self, tx: Tx, entry_id: int, error: str) -> None:
        """Count the try; apologise once; after the fifth set the message aside and tell the office."""
        entry = await inbox.entry(tx, entry_id)
        if entry is None:
            return
        tries = entry.attempts + 1
        dead = tries >= MOST_TRIES
        retry_at = self._machine() + timedelta(seconds=BACK_OFF[min(tries, len(BACK_OFF)) - 1])
        await inbox.failed(tx, entry_id, error, retry_at, dead=dead)
        if tries == 1:
            await mishaps.apologise(tx, self._house.rules, entry, self._civil())
        if dead:
            await mishaps.report_poison(tx, self._house.rules, entry, self._civil())
