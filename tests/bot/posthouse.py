"""A pump over a database in memory, with channels that fail as they are told and clocks that stand until moved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from bot.channel import Abilities, Document, Parcel
from bot.channels.memory import MemoryChannel
from bot.deliver import Pump
from domain.notices import Lane
from storage import outbox
from storage.database import Database, Row, Tx
from storage.outbox import Letter
from tests import making
from tests.backends import open_house
from tests.making import civil
from texts import Catalogue

MORNING = civil("2026-03-11 09:00")
RULES = making.make_rules()
CATALOGUE = Catalogue.load(strict=True)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, at: datetime = MORNING) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def on(self, **span: float) -> None:
        """Move ahead (`seconds=`, `minutes=`, ...)."""
        self.at += timedelta(**span)


class Scripted(MemoryChannel):
    """Fails as told: `always` by chat, then `failures` one by one; chats in `gates` wait until their gate opens."""

    def __init__(self, name: str = "memory", abilities: Abilities | None = None) -> None:
        super().__init__(abilities)
        self.name = name
        self.always: dict[str, Exception] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.tried: list[Parcel] = []
        self.at_once = 0
        self.most_at_once = 0

    async def send(self, parcel: Parcel) -> str:
        """Keep it, or fail as told; every try is noted."""
        self.tried.append(parcel)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if parcel.chat in self.gates:
                await self.gates[parcel.chat].wait()
            if "*" in self.always or parcel.chat in self.always:
                raise self.always.get(parcel.chat) or self.always["*"]
            return await super().send(parcel)
        finally:
            self.at_once -= 1


async def no_documents(owed: Mapping[str, Any]) -> Document:
    """Builds a document that says its own facts."""
    return Document("x.txt", "text/plain", repr(sorted(owed)).encode())


class PostHouse:
    """A pump, its chats by name, and what became of the rows."""

    def __init__(self, database: Database, *channels: Scripted, build: Any = no_documents) -> None:
        self.database = database
        self.channels = {channel.name: channel for channel in channels}
        self.civil, self.machine = Clock(), Clock()
        self.build = build
        self.chats: dict[str, int] = {}
        self.pump = self.new_pump()

    def new_pump(self, machine: Callable[[], datetime] | None = None) -> Pump:
        """The pump of a process that has just started."""
        return Pump(
            self.database,
            RULES,
            CATALOGUE,
            self.channels,
            self._build,
            civil=self.civil,
            machine=machine or self.machine,
        )

    async def _build(self, owed: Mapping[str, Any]) -> Document:
        document: Document = await self.build(owed)
        return document

    @property
    def channel(self) -> Scripted:
        """The first channel."""
        return next(iter(self.channels.values()))

    async def chat(self, name: str, *, channel: str = "memory", person: int | None = None, private: bool = True) -> int:
        """A chat of that name: private, of a person if one is given; a group is approved."""

        async def unit(tx: Tx) -> int:
            account = await tx.one(
                "INSERT INTO accounts(channel, external_id, person_id) VALUES (:c, :n, :p) RETURNING id",
                {"c": channel, "n": name, "p": person},
            )
            row = await tx.one(
                """INSERT INTO chats(channel, external_id, private, name, account_id, approved_at)
                   VALUES (:c, :n, :private, :n, :account, 0) RETURNING id""",
                {"c": channel, "n": name, "private": int(private), "account": account and account["id"]},
            )
            assert row is not None
            return int(row["id"])

        self.chats[name] = await self.database.transaction(unit)
        return self.chats[name]

    async def owe(
        self, chat: str, word: str, *, lane: Lane = Lane.CASE, due: datetime | None = None, **more: Any
    ) -> int:
        """Owe a message whose text holds `word`; its row."""
        facts = {"chat": word, "cause": "-"}
        letter = Letter(self.chats[chat], "watch.undelivered", facts, lane=lane, **more)
        row = await self.database.transaction(lambda tx: outbox.owe(tx, letter, at=self.civil(), due=due))
        assert row is not None
        return row

    def said(self, chat: str | None = None, *, tried: bool = False) -> list[str]:
        """The words of what was sent (or tried), in order."""
        parcels = [p for channel in self.channels.values() for p in (channel.tried if tried else channel.sent)]
        return [word_of(parcel) for parcel in parcels if chat is None or parcel.chat == chat]

    async def row(self, row_id: int) -> Row:
        """An outbox row."""
        (row,) = await self.all("SELECT * FROM outbox WHERE id = :id", id=row_id)
        return row

    async def states(self) -> dict[str, int]:
        """How many rows are in each state."""
        rows = await self.all("SELECT state, COUNT(*) AS n FROM outbox GROUP BY state")
        return {row["state"]: row["n"] for row in rows}

    async def all(self, sql: str, **params: Any) -> Sequence[Row]:
        """All rows of a query."""
        return await self.database.reading(lambda tx: tx.all(sql, params))

    async def run(self, sql: str, **params: Any) -> None:
        """One statement."""
        await self.database.transaction(lambda tx: tx.run(sql, params))


async def until(condition: Callable[[], bool]) -> None:
    """Let the program work until this holds; five seconds are too long."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.001)


def word_of(parcel: Parcel) -> str:
    """The word that `owe` put into a message."""
    return parcel.text.partition("“")[2].partition("”")[0]


@asynccontextmanager
async def post_house(*channels: Scripted, url: str = "sqlite:///:memory:", **more: Any) -> AsyncIterator[PostHouse]:
    """A post house with one channel "memory" unless others are given."""
    database = await open_house(url)
    try:
        yield PostHouse(database, *(channels or (Scripted(),)), **more)
    finally:
        await database.close()
