"""SQLite as our Database: one writer that shares commits, and a few read-only connections beside it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, TypeVar, cast

import aiosqlite

from storage.database import NO_PARAMS, Database, Params, Row, Tx
from storage.errors import SeveralRows, StorageUnavailable, WriteRefused
from storage.sqlite_connection import BUSY_SECONDS, MEMORY, plain, translate
from storage.sqlite_writer import Writer
from storage.statements import controls_transaction

MOST_READERS = 4

T = TypeVar("T")


async def open_sqlite(path: str) -> Database:
    """Open a database file (made when missing) or `:memory:`; StorageUnavailable says why it cannot."""
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)  # its debug lines hold parameters: names, phones
    writer = Writer(path)
    await writer.start()
    return SqliteDatabase(writer, None if path == MEMORY else _Readers(path))


class SqliteDatabase:
    """Writes go to the writer's thread; reads to the readers, or, in memory, to the writer as well."""

    def __init__(self, writer: Writer, readers: _Readers | None) -> None:
        self._writer = writer
        self._readers = readers

    @property
    def shared(self) -> bool:
        """One process has the house to itself."""
        return False

    def watch(self, call: Callable[[], None]) -> None:
        """Nobody else commits anything."""

    async def transaction(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        """Run the unit in the writer's thread; see Database."""
        return cast(T, await self._writer.run(unit))

    async def reading(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        """Run the unit on a snapshot; in memory there is one connection only, so there it takes its turn."""
        if self._readers is None:
            return cast(T, await self._writer.run(unit, reading=True))
        async with self._readers.snapshot() as tx:
            return await unit(tx)

    async def close(self) -> None:
        """Close the readers first: the last connection to go, the writer's, clears the log away."""
        if self._readers is not None:
            await self._readers.close()
        await self._writer.close()


class _ReaderTx:
    """A Tx on one read-only connection: one thread hop a statement."""

    __slots__ = ("_connection", "_ended", "_remembered")

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._ended = False
        self._remembered: dict[Hashable, Any] = {}

    @property
    def engine(self) -> str:
        return "sqlite"

    async def one(self, sql: str, params: Params = NO_PARAMS) -> Row | None:
        rows = await self.all(sql, params)
        if len(rows) > 1:
            raise SeveralRows("A query for one row yields several.")
        return rows[0] if rows else None

    async def all(self, sql: str, params: Params = NO_PARAMS) -> Sequence[Row]:
        if self._ended:
            raise RuntimeError("this Tx is finished: use it only inside its unit")
        if controls_transaction(sql):
            raise RuntimeError("a unit may not begin or end transactions: use Tx.savepoint()")
        try:
            # Its annotations ask for a sequence; it hands the parameters on as they are, and ours have names.
            return cast("list[Row]", await self._connection.execute_fetchall(sql, cast(Any, plain(params))))
        except sqlite3.Error as error:
            raise translate(error, reading=True) from error

    async def run(self, sql: str, params: Params = NO_PARAMS) -> int:
        raise WriteRefused("This unit was given for reading; a write needs a transaction.")

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        return _nothing_to_undo()

    def remembered(self) -> dict[Hashable, Any]:
        return self._remembered

    def on_commit(self, call: Callable[[], None]) -> None:
        raise WriteRefused("A unit that only reads has no commit to wait for.")

    def end(self) -> None:
        """From now on this Tx refuses everything, wherever a unit may have kept it."""
        self._ended = True


class _Readers:
    """A small pool of connections that cannot write, opened as they are needed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._idle: list[aiosqlite.Connection] = []
        self._free = asyncio.Semaphore(MOST_READERS)
        self._closed = False

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Tx]:
        """One connection for one unit, all of whose statements see the same state."""
        async with self._free:
            connection = await self._take()
            tx = _ReaderTx(connection)
            try:
                await _execute(connection, "BEGIN")
                yield tx
            finally:
                tx.end()
                await self._give_back(connection)

    async def close(self) -> None:
        """Wait for the readings under way, then close every connection."""
        self._closed = True
        for _ in range(MOST_READERS):
            await self._free.acquire()
        while self._idle:
            await self._idle.pop().close()
        for _ in range(MOST_READERS):
            self._free.release()

    async def _take(self) -> aiosqlite.Connection:
        if self._closed:
            raise StorageUnavailable("The database is closed.")
        if self._idle:
            return self._idle.pop()
        try:
            connection = await aiosqlite.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)
        except sqlite3.Error as error:
            raise translate(error) from error
        try:
            connection.row_factory = cast(Any, _mapping)
            await _execute(connection, "PRAGMA query_only = ON")
        except BaseException:
            connection.stop()  # its thread would keep the process from ending
            raise
        return connection

    async def _give_back(self, connection: aiosqlite.Connection) -> None:
        """Keep the connection for the next unit, or let go of it when it cannot even be rolled back."""
        try:
            await _roll_back(connection)
            self._idle.append(connection)
        except BaseException as error:
            with suppress(sqlite3.Error, ValueError):
                connection.stop()
            if not isinstance(error, StorageUnavailable):
                raise


async def _execute(connection: aiosqlite.Connection, sql: str) -> None:
    try:
        await connection.execute_fetchall(sql)
    except sqlite3.Error as error:
        raise translate(error, reading=True) from error


async def _roll_back(connection: aiosqlite.Connection) -> None:
    """End the snapshot in the connection's own thread: a cancelled BEGIN may still be waiting there to run."""
    try:
        await connection.rollback()
    except sqlite3.Error as error:
        raise translate(error, reading=True) from error


def _mapping(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> dict[str, Any]:
    names = [column[0] for column in cursor.description]
    return dict(zip(names, row, strict=True))


@asynccontextmanager
async def _nothing_to_undo() -> AsyncIterator[None]:
    yield
