"""PostgreSQL as our Database: several processes share it, and in each a few threads with a connection of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict

from storage.database import Database, Tx
from storage.errors import UnknownBackend
from storage.postgres_crew import Crew
from storage.postgres_wire import Wire

T = TypeVar("T")


async def open_postgres(url: str, connections: int) -> Database:
    """Open the database of a libpq URL with so many connections at the most; StorageUnavailable says why it cannot."""
    try:
        conninfo_to_dict(url)
    except psycopg.Error:
        raise UnknownBackend("The storage URL reads postgresql://user@host/database.") from None
    database = PostgresDatabase(url, connections)
    await database.start()
    return database


class PostgresDatabase:
    """Units run side by side, each in a transaction of its own."""

    def __init__(self, url: str, connections: int) -> None:
        self._wire = Wire(url, self.transaction)
        self._crew = Crew(url, connections, self._wire.committed)

    async def start(self) -> None:
        """Open a first connection."""
        await self._crew.start()

    @property
    def shared(self) -> bool:
        """Other processes work on it, too."""
        return True

    def watch(self, call: Callable[[], None]) -> None:
        """Listen to what other processes say after their commits."""
        self._wire.watch(call)

    async def transaction(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        """Run the unit in the thread that is free first; see Database."""
        return cast(T, await self._crew.run(unit))

    async def reading(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        """Run the unit on a snapshot of its own."""
        return cast(T, await self._crew.run(unit, reading=True))

    async def close(self) -> None:
        """Fall silent, finish what was handed in, let go of the connections."""
        await self._wire.close()
        await self._crew.close()
