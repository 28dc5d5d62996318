"""The inbox worker: claims the oldest message of each chat, opens its transaction, and has it heard."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.channel import Channel, Desk
from bot.flooding import Flood
from bot.rounds import keep_at_it, stir_after
from domain.chat import Attachment, Incoming, LostFile
from domain.errors import Unfetched
from domain.said import Said
from handlers import mishaps
from handlers.conversation import House, hear, is_for_bot
from storage import calendars, inbox
from storage.database import Database, Tx
from storage.errors import StorageUnavailable

_log = logging.getLogger(__name__)

MOST_TRIES = 5
MOST_AT_ONCE = 64
FETCH_SECONDS = 120.0
"""How long the files of one message may take; then it is heard without them. Only its own chat waits."""
RESERVED = timedelta(seconds=30)
"""So long other processes leave a message alone whose files one of them fetches."""
BACK_OFF = tuple(timedelta(seconds=wait) for wait in (1, 5, 30, 120))
"""How long a message that failed so often waits; the messages of its chat wait behind it."""

Files = Mapping[str, Attachment | LostFile]
"""What became of the files of one message, by the platform's handles of them."""


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
        flood: Flood | None = None,
    ) -> None:
        self._database = database
        self._house = house
        self._channels = channels
        self._civil = civil
        self._machine = machine
        self._done = done
        self._flood = flood
        self._desk: Desk | None = None
        self._stir = asyncio.Event()
        self._working: dict[int, asyncio.Task[None]] = {}
        self._trouble: StorageUnavailable | None = None

    def fetch_to(self, desk: Desk) -> None:
        """Where files that come along with messages are to be kept."""
        self._desk = desk

    def wake(self) -> None:
        """Something has come in."""
        self._stir.set()

    async def run(self) -> None:
        """Work until cancelled; a message under way is given up, as if it had never been begun."""
        try:
            await keep_at_it("dispatcher", self._stir, self._launch)
        finally:
            for task in self._working.values():
                task.cancel()

    async def drain(self) -> int:
        """Handle everything that can be handled now; how many updates that were."""
        handled = 0
        while True:
            self._stir.clear()
            new = await self._launch()
            handled += new
            if self._working:
                await self._stir.wait()
            elif not new and not self._stir.is_set():
                return handled

    async def _launch(self) -> int:
        """Take up the oldest message of each chat in which nothing is under way; how many those were."""
        if self._trouble is not None:
            trouble, self._trouble = self._trouble, None
            raise trouble
        machine, most = self._machine(), MOST_AT_ONCE
        heads = await self._database.reading(lambda tx: inbox.heads(tx, self._channels, machine, most))
        new = [entry_id for entry_id in heads if entry_id not in self._working]
        for entry_id in new:
            self._working[entry_id] = asyncio.create_task(self._work(entry_id))
        return len(new)

    async def _work(self, entry_id: int) -> None:
        ours = True
        try:
            ours = await self._handle(entry_id)
        except StorageUnavailable as trouble:
            self._trouble = trouble
        finally:
            del self._working[entry_id]
            if self._flood is not None:
                self._flood.over(entry_id)
            stir_after(self._stir, ours=ours)

    async def _handle(self, entry_id: int) -> bool:
        """One message to its end; False where another process has it in hand, which will tell when it is done.

        A bug in it is counted and told, and does not stop the other chats.
        """
        machine = self._machine()
        try:
            return await self._hear(entry_id, machine)
        except StorageUnavailable:
            raise
        except Exception as bug:  # noqa: BLE001 - a bug in a handler must not stop the other chats
            _log.exception("message %s could not be handled", entry_id, extra={"inbox": entry_id})
            await self._failed(entry_id, type(bug).__name__)
            return True

    async def _hear(self, entry_id: int, machine: datetime) -> bool:
        """In one transaction; where its files are wanted that one is undone, and a second follows their fetching."""
        try:
            return await self._database.transaction(lambda tx: self._unit(tx, entry_id, machine, {}))
        except Unfetched as wanted:
            until = await self._reserve(entry_id, machine)
            if until is None:
                return False
            files = await self._fetch(entry_id, wanted.remotes)
            return await self._database.transaction(lambda tx: self._unit(tx, entry_id, until, files))

    async def _reserve(self, entry_id: int, machine: datetime) -> datetime | None:
        """As of when to claim it after its files are fetched: other processes need not fetch them too."""
        if not self._database.shared:
            return machine
        until = machine + RESERVED
        kept = await self._database.transaction(lambda tx: inbox.reserve(tx, entry_id, machine, until))
        return until if kept else None

    async def _unit(self, tx: Tx, entry_id: int, machine: datetime, files: Files) -> bool:
        entry = await inbox.claim(tx, entry_id, machine)
        if entry is None:
            return False
        tx.on_commit(self._done)
        message = self._channels[entry.channel].read(entry.body, entry.received_at)
        if message is not None and await self._is_too_much(tx, entry, message):
            message = None
        ours = message is not None and await hear(tx, self._house, _with_files(message, files), entry.received_at)
        if not ours:
            await inbox.forget(tx, entry_id)
        return True

    async def _is_too_much(self, tx: Tx, entry: inbox.Entry, message: Incoming) -> bool:
        """Whether it is to be left, as its speaker says too much at once; he hears so if it was meant for the bot."""
        flood, now = self._flood, self._machine()
        if flood is None or flood.admits(entry.id, message, now):
            return False
        if is_for_bot(self._house, message) and flood.speaks_up(entry.id, message, now):
            await mishaps.slow_down(tx, entry)
        return True

    async def _fetch(self, entry_id: int, remotes: tuple[str, ...]) -> Files:
        """Every file kept, or why it cannot be had; no transaction is open meanwhile."""
        entry = await self._database.reading(lambda tx: inbox.entry(tx, entry_id))
        files: dict[str, Attachment | LostFile] = {
            remote: LostFile("", Said("file.unreachable")) for remote in remotes
        }
        if entry is None or self._desk is None:
            return files
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                for remote in remotes:
                    files[remote] = await self._channels[entry.channel].fetch(remote, self._desk)
        except TimeoutError:
            _log.warning("the files of message %s took too long", entry_id, extra={"inbox": entry_id})
        return files

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
        entry = await inbox.entry(tx, entry_id, hold=True)
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
            rules = await calendars.in_force(tx, self._house.rules)
            await mishaps.report_poison(tx, rules, entry, self._civil())


def _with_files(message: Incoming, files: Files) -> Incoming:
    """The message with what became of its files, each under the name that it came with."""
    if not files:
        return message
    kept: list[Attachment] = []
    lost: list[LostFile] = list(message.lost)
    for came in message.attachments:
        found = files.get(came.remote)
        if isinstance(found, LostFile):
            lost.append(LostFile(came.name, found.cause))
        else:
            kept.append(Attachment(found.hash, came.name, came.media_type) if found else came)
    return replace(message, attachments=tuple(kept), lost=tuple(lost))
