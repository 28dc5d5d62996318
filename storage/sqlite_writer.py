"""The one thread that writes to SQLite: units run there one by one, and those that wait share a commit."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from contextvars import Context, copy_context
from copy import copy
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread
from typing import Any

from storage.database import NO_PARAMS, Params, Row, Tx
from storage.errors import SeveralRows, StorageUnavailable, WriteRefused
from storage.remembered import changes_kept
from storage.sqlite_connection import change, connect, controls_transaction, fetch, is_busy, translate

MOST_UNITS = 64
MOST_REMEMBERED = 200_000
ALL_ROWS = -1

Unit = Callable[[Tx], Awaitable[Any]]
Calls = list[Callable[[], None]]


class _BatchLost(Exception):
    """The shared transaction is gone or could not be committed; nothing of it was confirmed."""


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    unit: Unit
    reading: bool
    answer: asyncio.Future[Any]
    context: Context = field(default_factory=copy_context)


@dataclass(frozen=True, slots=True)
class _Outcome:
    job: _Job
    value: Any = None
    error: BaseException | None = None
    calls: Sequence[Callable[[], None]] = ()


class _WriterTx:
    """A Tx whose methods execute at once in the writer's thread and never suspend."""

    __slots__ = ("_connection", "_depth", "_ended", "_remembered", "calls", "lost", "reading")

    def __init__(self, connection: sqlite3.Connection, reading: bool, remembered: dict[Hashable, Any]) -> None:
        self._connection = connection
        self._remembered = remembered
        self._depth = 0
        self._ended = False
        self.reading = reading
        self.lost = False
        self.calls: Calls = []

    @property
    def engine(self) -> str:
        return "sqlite"

    async def one(self, sql: str, params: Params = NO_PARAMS) -> Row | None:
        rows = self._do(fetch, sql, params, 2)
        if len(rows) > 1:
            raise SeveralRows("A query for one row yields several.")
        return rows[0] if rows else None

    async def all(self, sql: str, params: Params = NO_PARAMS) -> Sequence[Row]:
        rows: Sequence[Row] = self._do(fetch, sql, params, ALL_ROWS)
        return rows

    async def run(self, sql: str, params: Params = NO_PARAMS) -> int:
        changed: int = self._do(change, sql, params)
        return changed

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        return self._block()

    def remembered(self) -> dict[Hashable, Any]:
        return self._remembered

    def on_commit(self, call: Callable[[], None]) -> None:
        if self.reading:
            raise WriteRefused("A unit that only reads has no commit to wait for.")
        self.calls.append(call)

    def end(self) -> None:
        """From now on this Tx refuses everything, wherever a unit may have kept it."""
        self._ended = True

    def _do(self, action: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if self._ended:
            raise RuntimeError("this Tx is finished: use it only inside its unit")
        if self.lost:
            raise _undone()
        if controls_transaction(sql):
            raise RuntimeError("a unit may not begin or end transactions: use Tx.savepoint()")
        if changes_kept(sql):
            self._remembered.clear()
            self._remembered = {}  # what this unit reads from now on is not committed, and is kept for nobody else
        return self._execute(action, sql, *rest)

    def _execute(self, action: Callable[..., Any], sql: str, *rest: Any) -> Any:
        try:
            return action(self._connection, sql, *rest)
        except sqlite3.Error as error:
            raise translate(error, reading=self.reading) from error
        finally:
            self.lost = not self._connection.in_transaction

    @asynccontextmanager
    async def _block(self) -> AsyncIterator[None]:
        self._depth += 1
        name, kept = f"block_{self._depth}", len(self.calls)
        self._execute(change, f"SAVEPOINT {name}", NO_PARAMS)
        try:
            yield
        except BaseException:
            del self.calls[kept:]
            self._remembered = {}  # it may hold what is undone now
            if not self.lost:
                self._execute(change, f"ROLLBACK TO {name}", NO_PARAMS)
            raise
        finally:
            self._depth -= 1
            if not self.lost:
                self._execute(change, f"RELEASE {name}", NO_PARAMS)


class Writer:
    """Takes units on the event loop, runs them in its thread, hands the results back batch by batch."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[Any] = self._loop.create_future()
        self._arrived: list[_Job] = []
        self._inbox: SimpleQueue[list[_Job] | None] = SimpleQueue()
        self._waiting: deque[_Job] = deque()
        self._connection: sqlite3.Connection | None = None
        self._remembered: dict[Hashable, Any] = {}
        self._data_version = -1
        self._closing = False
        self._finished = False
        self._thread = Thread(target=self._work, name="storage-writer", daemon=True)

    async def start(self) -> None:
        """Open the database in the thread; StorageUnavailable if that fails."""
        self._thread.start()
        await self._opened

    async def run(self, unit: Unit, *, reading: bool = False) -> Any:
        """Hand a unit in and wait for its durable result; units of one turn of the loop go over together."""
        if self._closing:
            raise StorageUnavailable("The database is closed.")
        job = _Job(unit, reading, self._loop.create_future())
        self._arrived.append(job)
        if len(self._arrived) == 1:
            self._loop.call_soon(self._hand_over)
        return await job.answer

    async def close(self) -> None:
        """Finish the units that were handed in, then close the connection."""
        if not self._closing:
            self._closing = True
            self._hand_over()
            self._inbox.put(None)
        await asyncio.to_thread(self._thread.join)

    def _hand_over(self) -> None:
        if self._arrived:
            self._inbox.put(self._arrived)
            self._arrived = []

    # From here on: the writer's thread.

    def _work(self) -> None:
        try:
            self._connection = connect(self._path)
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever opens the database
            self._tell(_settle_future, self._opened, error)
            return
        self._tell(_settle_future, self._opened, None)
        while batch := self._gather():
            self._tell(_deliver, self._loop, self._settle(batch))
        self._drop_connection()

    def _tell(self, call: Callable[..., None], *args: Any) -> None:
        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            self._loop.call_soon_threadsafe(call, *args)

    def _gather(self) -> list[_Job]:
        """Wait for units, then take those that are there, in order; an empty list when all is done."""
        while not self._finished and (not self._waiting or not self._inbox.empty()):
            arrived = self._inbox.get()
            self._finished = arrived is None
            self._waiting.extend(arrived or ())
        return [self._waiting.popleft() for _ in range(min(MOST_UNITS, len(self._waiting)))]

    def _settle(self, batch: list[_Job]) -> list[_Outcome]:
        wanted = [job for job in batch if not job.answer.cancelled()]
        try:
            return self._together(wanted) if len(wanted) > 1 else self._one_by_one(wanted)
        except _BatchLost:
            return self._one_by_one(wanted)
        except BaseException as error:  # noqa: BLE001 - a bug here must not leave callers waiting for ever
            self._drop_connection()
            return _refuse(wanted, error)

    def _together(self, jobs: list[_Job]) -> list[_Outcome]:
        """All units in one transaction, a savepoint each; _BatchLost when the whole of it is undone."""
        try:
            self._begin()
        except StorageUnavailable as error:
            if is_busy(error.__cause__):
                return _refuse(jobs, error)
            raise _BatchLost from error
        outcomes = [self._within_savepoint(job) for job in jobs]
        try:
            self._control("COMMIT")
        except Exception as error:
            self._roll_back()
            raise _BatchLost from error
        return outcomes

    def _within_savepoint(self, job: _Job) -> _Outcome:
        try:
            self._control("SAVEPOINT unit")
            outcome, lost = self._attempt(job)
            if not lost and outcome.error is not None:
                self._control("ROLLBACK TO unit")
            if not lost:
                self._control("RELEASE unit")
        except Exception as error:
            self._roll_back()
            raise _BatchLost from error
        if lost:
            self._roll_back()
            raise _BatchLost
        return outcome

    def _one_by_one(self, jobs: list[_Job]) -> list[_Outcome]:
        """Each unit in its own transaction; once none can be begun, the rest is refused without waiting."""
        outcomes: list[_Outcome] = []
        for job in jobs:
            try:
                self._begin()
            except Exception as error:  # noqa: BLE001 - those already committed must still be told so
                return outcomes + _refuse(jobs[len(outcomes) :], error)
            outcomes.append(self._alone(job))
        return outcomes

    def _alone(self, job: _Job) -> _Outcome:
        try:
            outcome, lost = self._attempt(job)
            if outcome.error is None:
                if lost:
                    raise _undone()
                self._control("COMMIT")
                return outcome
        except BaseException as error:  # noqa: BLE001 - every trouble goes to the caller
            outcome = _Outcome(job, error=error)
        self._roll_back()
        return outcome

    def _attempt(self, job: _Job) -> tuple[_Outcome, bool]:
        """Drive the unit to its end without committing; and whether the transaction was lost under it."""
        tx = _WriterTx(self._open_connection(), job.reading, self._remembered)
        if job.reading:
            self._control("PRAGMA query_only = ON")
        try:
            outcome = _Outcome(job, job.context.run(_drive, job.unit, tx), None, tx.calls)
        except BaseException as error:  # noqa: BLE001 - whatever a unit raises is its caller's
            outcome = _Outcome(job, error=error)
        finally:
            tx.end()
            if job.reading:
                self._control("PRAGMA query_only = OFF")
        return outcome, tx.lost

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path)
        return self._connection

    def _begin(self) -> None:
        """Take the write lock; a connection that fails at this, other than by waiting, is opened afresh.

        What is remembered is forgotten when another program has committed since.
        """
        try:
            self._control("BEGIN IMMEDIATE")
            (version,) = self._open_connection().execute("PRAGMA data_version").fetchone()
            if version != self._data_version or len(self._remembered) > MOST_REMEMBERED:
                self._remembered.clear()
                self._data_version = version
        except StorageUnavailable as error:
            if not is_busy(error.__cause__):
                self._drop_connection()
            raise

    def _control(self, sql: str) -> None:
        """One statement of the engine's own."""
        try:
            self._open_connection().execute(sql)
        except sqlite3.Error as error:
            raise translate(error) from error

    def _roll_back(self) -> None:
        """Undo the open transaction, on this connection: a fresh one might read a failed commit back."""
        self._remembered.clear()
        if self._connection is not None and self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                self._drop_connection()

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


def _drive(unit: Unit, tx: Tx) -> Any:
    """Run a unit whose every await finishes at once; anything it would have to wait for is an error."""
    steps = unit(tx).__await__()
    try:
        next(steps)
    except StopIteration as finished:
        return finished.value
    steps.close()
    raise RuntimeError("a unit may await only its Tx: it must wait for nothing else while others queue behind it")


def _undone() -> StorageUnavailable:
    return StorageUnavailable("The database has rolled this transaction back.")


def _refuse(jobs: Sequence[_Job], error: BaseException) -> list[_Outcome]:
    """The same trouble for all, a copy each, since every caller adds to its traceback."""
    return [_Outcome(job, error=copy(error)) for job in jobs]


def _settle_future(future: asyncio.Future[Any], error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


def _deliver(loop: asyncio.AbstractEventLoop, outcomes: Sequence[_Outcome]) -> None:
    """On the event loop: first what was to follow the commit, then the answers."""
    for outcome in outcomes:
        for call in outcome.calls:
            _follow_up(loop, call)
        answer = outcome.job.answer
        if answer.done():
            continue
        if outcome.error is None:
            answer.set_result(outcome.value)
        else:
            answer.set_exception(outcome.error)


def _follow_up(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the unit is committed, its caller must hear so
        loop.call_exception_handler({"message": "a call after a commit failed", "exception": error})
