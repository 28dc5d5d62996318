"""The threads that work for PostgreSQL, each with a connection of its own: a unit is run by the first that is free."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from queue import Empty, SimpleQueue
from threading import Event, Lock, Semaphore, Thread
from typing import Any

import psycopg

from storage.database import NO_PARAMS, Params, Row
from storage.errors import SeveralRows, StorageUnavailable, WriteRefused
from storage.postgres_connection import (
    Conflict,
    Connection,
    ConnectionLost,
    Cursor,
    Doubled,
    change,
    connect,
    failed,
    fetch,
    translate,
)
from storage.remembered import changes_kept
from storage.statements import controls_transaction
from storage.units import Calls, Job, Outcome, Unit, deliver, drive, settle_future

MOST_REMEMBERED = 200_000
TRIES: Mapping[type[Exception], int] = {Conflict: 5, ConnectionLost: 2, Doubled: 2}
"""How often a unit is run that ended so; see the classes for why."""
YIELD_SECONDS = 0.02
"""How long a unit that gave way waits, so that the other one comes through first; longer every time."""
BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
BEGIN_READING = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = '10min'"
)
_REVISION = "SELECT COALESCE(SUM(value), 0) AS revision FROM roster_revisions"


class Memory:
    """What was read of the roster, for as long as nobody has committed a change of it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._revision = -1
        self._kept: dict[Hashable, Any] = {}

    def at(self, revision: int) -> dict[Hashable, Any]:
        """What is kept of this revision; units that began at an older one go on with what they were given."""
        with self._lock:
            if revision != self._revision or len(self._kept) > MOST_REMEMBERED:
                self._revision, self._kept = revision, {}
            return self._kept


class _CrewTx:
    """A Tx whose methods wait in their own thread and never suspend."""

    __slots__ = ("_cursor", "_depth", "_ended", "_memory", "_remembered", "calls", "reading", "trouble")

    def __init__(self, cursor: Cursor, reading: bool, memory: Memory) -> None:
        self._cursor = cursor
        self._memory = memory
        self._remembered: dict[Hashable, Any] | None = {} if reading else None
        self._depth = 0
        self._ended = False
        self.reading = reading
        self.trouble: Exception | None = None
        self.calls: Calls = []

    @property
    def engine(self) -> str:
        return "postgres"

    async def one(self, sql: str, params: Params = NO_PARAMS) -> Row | None:
        rows = self._do(fetch, sql, params)
        if len(rows) > 1:
            raise SeveralRows("A query for one row yields several.")
        return rows[0] if rows else None

    async def all(self, sql: str, params: Params = NO_PARAMS) -> Sequence[Row]:
        rows: Sequence[Row] = self._do(fetch, sql, params)
        return rows

    async def run(self, sql: str, params: Params = NO_PARAMS) -> int:
        changed: int = self._do(change, sql, params)
        return changed

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        return self._block()

    def remembered(self) -> dict[Hashable, Any]:
        if self._remembered is None:
            (row,) = self._do(fetch, _REVISION, NO_PARAMS)
            self._remembered = self._memory.at(row["revision"])
        return self._remembered

    def on_commit(self, call: Callable[[], None]) -> None:
        if self.reading:
            raise WriteRefused("A unit that only reads has no commit to wait for.")
        self.calls.append(call)

    def end(self) -> None:
        """From now on this Tx refuses everything, wherever a unit may have kept it."""
        self._ended = True

    def _do(self, action: Callable[..., Any], sql: str, params: Params) -> Any:
        if self._ended:
            raise RuntimeError("this Tx is finished: use it only inside its unit")
        if controls_transaction(sql):
            raise RuntimeError("a unit may not begin or end transactions: use Tx.savepoint()")
        if self.trouble is not None and failed(self._cursor):
            raise self.trouble
        if changes_kept(sql):
            self._remembered = {}  # what this unit reads from now on is not committed, and is kept for nobody else
        return self._execute(action, sql, params)

    def _execute(self, action: Callable[..., Any], sql: str, params: Params = NO_PARAMS) -> Any:
        try:
            return action(self._cursor, sql, params)
        except psycopg.Error as error:
            self.trouble = translate(error, reading=self.reading)
        if isinstance(self.trouble, psycopg.Error):
            raise self.trouble
        raise self.trouble from None  # the driver's own error quotes the row

    @asynccontextmanager
    async def _block(self) -> AsyncIterator[None]:
        self._depth += 1
        name, kept = f"block_{self._depth}", len(self.calls)
        self._execute(change, f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            del self.calls[kept:]
            self._remembered = {}  # it may hold what is undone now
            self._undo_to(name)
            raise
        else:
            self._execute(change, f"RELEASE {name}")
        finally:
            self._depth -= 1

    def _undo_to(self, name: str) -> None:
        if not isinstance(self.trouble, Conflict | ConnectionLost):
            self._execute(change, f"ROLLBACK TO {name}")
            self._execute(change, f"RELEASE {name}")
            self.trouble = None


class _Hand:
    """One thread's connection: opened when it is needed, opened anew when it broke."""

    def __init__(self, url: str, memory: Memory) -> None:
        self._url = url
        self._memory = memory
        self._connection: Connection | None = None
        self._cursor: Cursor | None = None

    def settle(self, job: Job) -> Outcome:
        """Run a unit to its commit, again where that is worth while."""
        tries = 0
        while True:
            tries += 1
            outcome = self._attempt(job)
            if tries >= TRIES.get(type(outcome.error), 1):  # type: ignore[arg-type]  # None is no key either
                return outcome
            if isinstance(outcome.error, Conflict):
                Event().wait(tries * YIELD_SECONDS)

    def _attempt(self, job: Job) -> Outcome:
        try:
            cursor = self._begin(job.reading)
        except Exception as error:  # noqa: BLE001 - it goes to the caller
            return Outcome(job, error=error)
        tx = _CrewTx(cursor, job.reading, self._memory)
        try:
            value = job.context.run(drive, job.unit, tx)
        except BaseException as error:  # noqa: BLE001 - whatever a unit raises is its caller's
            tx.end()
            self._roll_back()
            return Outcome(job, error=tx.trouble if isinstance(tx.trouble, Conflict | ConnectionLost) else error)
        tx.end()
        return self._commit(job, tx, value)

    def try_opening(self) -> Exception | None:
        """Open the connection; why that is not possible."""
        try:
            self._open()
        except Exception as error:  # noqa: BLE001 - it belongs to whoever opens the database
            return error
        return None

    def _open(self) -> Cursor:
        """The cursor of an open connection."""
        if self._cursor is None or self._connection is None:
            self._connection = connect(self._url)
            self._cursor = self._connection.cursor()  # type: ignore[assignment]  # `connect` sets the factory
        assert self._cursor is not None
        return self._cursor

    def _begin(self, reading: bool) -> Cursor:
        cursor = self._open()
        try:
            cursor.execute(BEGIN_READING if reading else BEGIN, prepare=False)
        except psycopg.Error as error:
            self.drop()
            raise translate(error) from None
        return cursor

    def _commit(self, job: Job, tx: _CrewTx, value: Any) -> Outcome:
        assert self._cursor is not None  # the unit ran on it
        if tx.trouble is not None and (failed(self._cursor) or isinstance(tx.trouble, Conflict | ConnectionLost)):
            self._roll_back()
            return Outcome(job, error=tx.trouble)
        try:
            self._cursor.execute("COMMIT", prepare=False)
        except psycopg.Error as error:
            told = translate(error)
            self._roll_back()
            if isinstance(told, ConnectionLost):
                told = StorageUnavailable("The connection broke at the commit: nobody knows whether it took effect.")
            return Outcome(job, error=told)
        return Outcome(job, value, None, tx.calls)

    def _roll_back(self) -> None:
        try:
            if self._connection is None or self._connection.closed:
                self.drop()
            else:
                self._open().execute("ROLLBACK", prepare=False)
        except psycopg.Error:
            self.drop()

    def drop(self) -> None:
        """Let go of the connection."""
        connection, self._connection, self._cursor = self._connection, None, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()


class Crew:
    """Takes units on the event loop, has them run, and hands the results back one by one.

    Another thread is hired when all are busy, up to `size`.
    """

    def __init__(self, url: str, size: int, committed: Callable[[], None]) -> None:
        self._url = url
        self._size = size
        self._committed = committed
        self._loop = asyncio.get_running_loop()
        self._inbox: SimpleQueue[Job | None] = SimpleQueue()
        self._idle = Semaphore(0)
        self._memory = Memory()
        self._threads: list[Thread] = []
        self._closing = False

    async def start(self) -> None:
        """Open a first connection; StorageUnavailable if that fails."""
        opened: asyncio.Future[Any] = self._loop.create_future()
        self._hire(opened)
        await opened

    async def run(self, unit: Unit, *, reading: bool = False) -> Any:
        """Hand a unit in and wait for its durable result."""
        if self._closing:
            raise StorageUnavailable("The database is closed.")
        job = Job(unit, reading, self._loop.create_future())
        self._inbox.put(job)
        if not self._idle.acquire(blocking=False) and len(self._threads) < self._size:
            self._hire()
        return await job.answer

    async def close(self) -> None:
        """Finish the units that were handed in, then close the connections."""
        if not self._closing:
            self._closing = True
            for _ in self._threads:
                self._inbox.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _hire(self, opened: asyncio.Future[Any] | None = None) -> None:
        hand = _Hand(self._url, self._memory)
        thread = Thread(target=self._work, args=(hand, opened), name=f"storage-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _deliver(self, outcome: Outcome) -> None:
        deliver(self._loop, [outcome])
        if outcome.calls:
            self._committed()

    # From here on: the threads.

    def _work(self, hand: _Hand, opened: asyncio.Future[Any] | None) -> None:
        if opened is not None:
            self._tell(settle_future, opened, hand.try_opening())
        while (job := self._next()) is not None:
            if not job.answer.cancelled():
                self._tell(self._deliver, hand.settle(job))
        hand.drop()

    def _next(self) -> Job | None:
        with suppress(Empty):
            return self._inbox.get_nowait()
        self._idle.release()
        return self._inbox.get()

    def _tell(self, call: Callable[..., None], *args: Any) -> None:
        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            self._loop.call_soon_threadsafe(call, *args)
