"""The desk every channel is given: it commits what came in, keeps files, and wakes the dispatcher."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta

from bot.channel import NotKept, Replayed, Update
from bot.leasing import hold
from domain.chat import Attachment
from storage import accounts, chats, files, inbox, reaching, turns
from storage.database import Database, Tx
from storage.errors import StorageUnavailable

REPLAYS = timedelta(hours=2)
"""So long the mark of a call is kept; by then its time stamp has long been stale."""


class Unkept(NotKept, StorageUnavailable):
    """A file could not be kept: told to channels and to those who know the storage alike."""


class FrontDesk:
    """The one Desk of a process; `now` is civil time, `wake` stirs the dispatcher after a commit.

    `holding` surrounds all work that this process does alone, and is told the name of its lease; `heard` is told which
    channel has shown a sign of life.
    """

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        wake: Callable[[], None],
        holding: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext(),
        heard: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._now = now
        self._wake = wake
        self._holding = holding
        self._heard = heard

    async def receive(self, channel: str, account: str, updates: Sequence[Update], *, once: str = "") -> None:
        """Commit a batch in one transaction; what is stored already is left as it is.

        Replayed where the mark `once` was committed within two hours, NotKept where storage cannot.
        """
        at = self._now()

        async def unit(tx: Tx) -> None:
            if once:
                await turns.forget(tx, f"call {channel}", at - REPLAYS)
                if not await turns.take(tx, f"call {channel}", once, at):
                    raise Replayed
            tx.on_commit(self._wake)
            for update in updates:
                await inbox.keep(tx, channel, account, update.external_id, update.chat, update.body, at)

        try:
            await self._database.transaction(unit)
        except StorageUnavailable as trouble:
            raise NotKept(str(trouble)) from trouble
        self._heard(channel)

    async def keep_file(self, content: bytes, name: str, media_type: str) -> Attachment:
        """Keep a file by its content hash; NotKept where storage cannot."""
        at = self._now()

        async def unit(tx: Tx) -> str:
            return await files.keep(tx, content, media_type, at)

        try:
            return Attachment(await self._database.transaction(unit), name, media_type)
        except StorageUnavailable as trouble:
            raise Unkept(str(trouble)) from trouble

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
        at = self._now()

        async def unit(tx: Tx) -> None:
            await chats.introduce(tx, channel, name, link)
            await accounts.reach_all(tx, channel, at)

        await self._database.transaction(unit)

    async def speak_in(self, channel: str, groups: Sequence[str]) -> None:
        """Make known the groups in which a channel only speaks; those of an earlier config are let go."""
        at = self._now()
        await self._database.transaction(lambda tx: reaching.speak_in(tx, channel, groups, at))

    def heard(self, channel: str) -> None:
        """The channel is alive."""
        self._heard(channel)

    def now(self) -> datetime:
        """Civil time."""
        return self._now()
