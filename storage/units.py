"""A unit on its way: handed in on the event loop, run to its end in a thread, its outcome told on the loop again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context, copy_context
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from storage.database import Tx

Unit = Callable[[Tx], Awaitable[Any]]
Calls = list[Callable[[], None]]


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A unit that somebody waits for."""

    unit: Unit
    reading: bool
    answer: asyncio.Future[Any]
    context: Context = field(default_factory=copy_context)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: its value or error, and the calls that are to follow its commit."""

    job: Job
    value: Any = None
    error: BaseException | None = None
    calls: Sequence[Callable[[], None]] = ()


def drive(unit: Unit, tx: Tx) -> Any:
    """Run a unit whose every await finishes at once; anything it would have to wait for is an error."""
    steps = unit(tx).__await__()
    try:
        next(steps)
    except StopIteration as finished:
        return finished.value
    steps.close()
    raise RuntimeError("a unit may await only its Tx: it must wait for nothing else while others queue behind it")


def refuse(jobs: Sequence[Job], error: BaseException) -> list[Outcome]:
    """The same trouble for all, a copy each, since every caller adds to its traceback."""
    return [Outcome(job, error=copy(error)) for job in jobs]


def settle_future(future: asyncio.Future[Any], error: BaseException | None) -> None:
    """Tell whoever waits that it is done, or why it is not."""
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


def deliver(loop: asyncio.AbstractEventLoop, outcomes: Sequence[Outcome]) -> None:
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
