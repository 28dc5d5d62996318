"""A database whose units are measured."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.metrics import Metrics
from storage.database import Database, Tx

T = TypeVar("T")


class TimedDatabase:
    """The same database; how long its units take stands in the metrics."""

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics

    @property
    def shared(self) -> bool:
        """Whether other processes may work on it at the same time."""
        return self._database.shared

    def watch(self, call: Callable[[], None]) -> None:
        """Run `call` soon after another process has committed something."""
        self._database.watch(call)

    async def transaction(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        """Run the unit in a transaction."""
        with self._metrics.unit("write"):
            return await self._database.transaction(unit)

    async def reading(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        """Run the unit on a snapshot."""
        with self._metrics.unit("read"):
            return await self._database.reading(unit)

    async def close(self) -> None:
        """Let go of every file."""
        await self._database.close()
