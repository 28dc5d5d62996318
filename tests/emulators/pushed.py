"""An event loop whose seconds pass only when there is nothing left to do: an hour of waiting costs nothing.

Whoever speaks here speaks over sockets of this machine, and both ends live in this loop: what is under way is there at
once, so where nothing is ready and no thread works, everybody waits for time, and time is put on to the next timer.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, cast

from storage.database import Database, Tx

T = TypeVar("T")
BEGIN = 1_000.0
GRACE = 0.001
"""Real seconds in which something may still come before time is put on."""
LOOK = 0.02
"""Real seconds after which a thread at work is looked after again."""


class _Selector(selectors.DefaultSelector):
    """Waits for sockets and threads as long as they take, and for time not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = BEGIN
        self.working = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; where that is nothing, `timeout` seconds have passed."""
        found = super().select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        if self.working or timeout is None:
            return super().select(LOOK)
        if not (found := super().select(GRACE)):
            self.seconds += timeout
        return found


class PushedLoop(asyncio.SelectorEventLoop):
    """The loop; its `time` begins at 1000."""

    def __init__(self) -> None:
        self._pushing = _Selector()
        super().__init__(self._pushing)

    def time(self) -> float:
        """The seconds that have been let pass."""
        return self._pushing.seconds

    def run_in_executor(  # type: ignore[override]  # generic in the types of the arguments, which nobody here needs
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """A thread's work takes real time, and no seconds of this loop."""
        done = super().run_in_executor(executor, func, *args)
        self.busy(1)
        done.add_done_callback(lambda _: self.busy(-1))
        return done

    def busy(self, more: int) -> None:
        """So many threads more are at work."""
        self._pushing.working += more


class UnhurriedDatabase:
    """A database whose work takes no time of a pushed loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.shared = database.shared

    def watch(self, call: Callable[[], None]) -> None:
        """As it is."""
        self._database.watch(call)

    async def transaction(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        """Stop the time until it is committed."""
        return await _standing(self._database.transaction(unit))

    async def reading(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        """Stop the time until it is read."""
        return await _standing(self._database.reading(unit))

    async def close(self) -> None:
        """Stop the time until it is closed."""
        await _standing(self._database.close())


async def _standing(work: Awaitable[T]) -> T:
    loop = cast(PushedLoop, asyncio.get_running_loop())
    loop.busy(1)
    try:
        return await work
    finally:
        loop.busy(-1)


def run_pushed(main: Coroutine[Any, Any, T]) -> T:
    """Run it to its end in a loop of its own."""
    with asyncio.Runner(loop_factory=PushedLoop) as runner:
        return runner.run(main)


async def let_pass(span: float) -> None:
    """Let so many seconds of the running loop pass."""
    assert isinstance(asyncio.get_running_loop(), PushedLoop), "elsewhere this would be waited for"
    await asyncio.sleep(span)


def seconds() -> float:
    """The time of the running loop."""
    return asyncio.get_running_loop().time()
