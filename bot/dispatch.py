"""The inbox worker: claims the oldest message of each chat, opens its transaction, and has it heard."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.channel import Channel
from bot.rounds import keep_at_it
from handlers import mishaps
from handlers.conversation import House, hear
from storage import inbox
from storage.database import Database, Tx
from storage.errors import StorageUnavailable

_log = logging.getLogger(__name__)

MOST_TRIES = 5
BACK_OFF = tuple(timedelta(seconds=wait) for wait in (1, 5, 30, 120))
"""How long a message that failed so often waits; the messages of its chat wait behind it."""


class Dispatcher:
    """One message, one transaction: its claim, what it does, and its reply are committed together or not at all."""

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
        self._one_at_a_time = asyncio.Lock()

    def wake(self) -> None:
        """Something has come in."""
        self._stir.set()

    async def run(self) -> None:
        """Work until cancelled."""
        await keep_at_it("dispatcher", self._stir, self.drain)

    async def drain(self) -> int:
        """Handle everything that can be handled now; how many updates that were."""
        handled = 0
        async with self._one_at_a_time:
            while heads := await self._heads():
                ends = await asyncio.gather(*(self._handle(entry_id) for entry_id in heads), return_exceptions=True)
                for end in ends:
                    if isinstance(end, BaseException):
                        raise end
                handled += len(heads)
        return handled

    async def _heads(self) -> Sequence[int]:
        machine = self._machine()
        return await self._database.reading(lambda tx: inbox.heads(tx, self._channels, machine))

    async def _handle(self, entry_id: int) -> None:
        """One message to its end. A bug in it is counted and told, and does not stop the other chats."""
        machine = self._machine()
        try:
            await self._database.transaction(lambda tx: self._unit(tx, entry_id, machine))
        except StorageUnavailable:
            raise
        except Exception as bug:  # noqa: BLE001 - a bug in a handler must not stop the other chats
            _log.exception("message %s could not be handled", entry_id, extra={"inbox": entry_id})
            await self._failed(entry_id, type(bug).__name__)

    async def _unit(self, tx: Tx, entry_id: int, machine: datetime) -> None:
        entry = await inbox.claim(tx, entry_id, machine)
        if entry is None:
            return
        tx.on_commit(self._done)
        message = self._channels[entry.channel].read(entry.body, entry.received_at)
        if message is not None:
            await hear(tx, self._house, message, entry.received_at)

    async def _failed(self, entry_id: int, error: str) -> None:
        """Count the try, in a transaction of its own; if not even the people concerned can be told, count it alone."""
        try:
            await self._database.transaction(lambda tx: self._count(tx, entry_id, error, telling=True))
        except StorageUnavailable:
            raise
        except Exception:  # noqa: BLE001 - whoever cannot be told must not keep the message from being set aside
            _log.exception("nobody could be told about message %s", entry_id, extra={"inbox": entry_id})
            await self._database.transaction(lambda tx: self._count(tx, entry_id, error, telling=False))

    async def _count(self, tx: Tx, entry_id: int, error: str, *, telling: bool) -> None:
        """Apologise at the first failure; after the fifth set the message aside and tell the office."""
        entry = await inbox.entry(tx, entry_id)
        if entry is None:
            return
        tries = entry.attempts + 1
        dead = tries >= MOST_TRIES
        retry_at = self._machine() + BACK_OFF[min(tries, len(BACK_OFF)) - 1]
        await inbox.failed(tx, entry_id, error, retry_at, dead=dead)
        if not telling:
            return
        tx.on_commit(self._done)
        if tries == 1:
            await mishaps.apologise(tx, entry, self._civil())
        if dead:
            await mishaps.report_poison(tx, self._house.rules, entry, self._civil())
