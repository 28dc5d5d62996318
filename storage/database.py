"""The two Protocols through which the whole product reaches a database: `Database` and `Tx`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Row = Mapping[str, Any]
Params = Mapping[str, Any]
NO_PARAMS: Params = MappingProxyType({})


class Tx(Protocol):
    """One open transaction; it is valid only inside the unit it was given to."""

    @property
    def engine(self) -> str:
        """`"sqlite"` or `"postgres"`, for the few places where the SQL of the engines differs."""
        ...

    async def one(self, sql: str, params: Params = NO_PARAMS) -> Row | None:
        """The only row of a query, or None; raises SeveralRows when there are more."""
        ...

    async def all(self, sql: str, params: Params = NO_PARAMS) -> Sequence[Row]:
        """All rows of a query, in its order."""
        ...

    async def run(self, sql: str, params: Params = NO_PARAMS) -> int:
        """Execute one statement; the number of rows it changed (triggers not counted)."""
        ...

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """A block that is rolled back when it raises; the exception goes on."""
        ...

    def remembered(self) -> MutableMapping[Hashable, Any]:
        """What was read of roster and calendar and still holds, by the reader's keys; see storage/remembered.py."""
        ...

    def on_commit(self, call: Callable[[], None]) -> None:
        """Run `call` on the event loop once the commit is durable; a rollback drops it."""
        ...


class Database(Protocol):
    """An open database, shared by the whole process."""

    async def transaction(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        """Run the unit in a transaction and return its value after the durable commit.

        The unit may be run more than once, so it touches nothing outside its Tx, and it awaits only its Tx.
        What it raises rolls back its own work alone and reaches the caller.
        StorageUnavailable: nothing was confirmed, try again later.
        """
        ...

    async def reading(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        """Run the unit on one unchanging snapshot beside the writer; a write raises WriteRefused."""
        ...

    async def close(self) -> None:
        """Finish what was handed in, then let go of every file; a second call does nothing."""
        ...
