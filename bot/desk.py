"""The desk every channel is given: it commits what came in, keeps files, and wakes the dispatcher."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

from bot.channel import NotKept, Update
from bot.leasing import hold
from domain.chat import Attachment
from storage import chats, files, inbox
from storage.database import Database, Tx
from storage.errors import StorageUnavailable


class FrontDesk:
    """The one Desk of a process; `now` is civil time, `wake` stirs the dispatcher after a commit.

    `holding` surrounds all work that this process does alone, and is told the name of its lease.
    """

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        wake: Callable[[], None],
        holding: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext(),
    ) -> None:
        self._database = database
        self._now = now
        self._wake = wake
        self._holding = holding

    async def receive(self, channel: str, account: str, updates: Sequence[Update]) -> None:
        """Commit a batch in one transaction; what is stored already is left as it is. NotKept where storage cannot."""
        at = self._now()

        async def unit(tx: Tx) -> None:
            tx.on_commit(self._wake)
            for update in updates:
                await inbox.keep(tx, channel, account, update.external_id, update.chat, update.body, at)

        try:
            await self._database.transaction(unit)
        except StorageUnavailable as trouble:
            raise NotKept(str(trouble)) from trouble

    async def keep_file(self, content: bytes, name: str, media_type: str) -> Attachment:
        """Keep a file by its content hash."""
        at = self._now()

        async def unit(tx: Tx) -> str:
            return await files.keep(tx, content, media_type, at)

        return Attachment(await self._database.transaction(unit), name, media_type)

    async def file(self, content_hash: str) -> bytes | None:
        """The content of a kept file."""

        async def unit(tx: Tx) -> bytes | None:
            row = await files.fetch(tx, content_hash)
            return bytes(row["content"]) if row else None

        return await self._database.reading(unit)

    async def alone(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work while this process alone holds the lease of that name; again and again, until cancelled."""

        async def held() -> None:
            with self._holding(name):
                await work()

        await hold(self._database, name, held)

    async def introduce(self, channel: str, name: str, link: str) -> None:
        """Make known how the bot is called on a platform, and where a person begins a private chat with it."""
        await self._database.transaction(lambda tx: chats.introduce(tx, channel, name, link))

    def now(self) -> datetime:
        """Civil time."""
        return self._now()
