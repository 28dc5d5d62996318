"""How processes that share a PostgreSQL wake each other: a word after a commit, and an ear for the others' words."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress

import psycopg

from storage.database import Tx
from storage.errors import StorageError
from storage.postgres_connection import Connection, connect

_log = logging.getLogger(__name__)

CHANNEL = "lianqi_committed"
TOGETHER_SECONDS = 0.02
"""Commits within so long are told of by one word."""
AGAIN_SECONDS = 1.0
"""How long after a broken connection a new one is tried."""

Say = Callable[[Callable[[Tx], Awaitable[None]]], Awaitable[None]]


class Wire:
    """One process's end: it speaks through `say`, a transaction of its own, and listens once somebody watches."""

    def __init__(self, url: str, say: Say) -> None:
        self._url = url
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._mark = secrets.token_hex(8)
        self._calls: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._broken = asyncio.Event()

    def watch(self, call: Callable[[], None]) -> None:
        """Call when another process has committed something."""
        self._calls.append(call)
        if len(self._calls) == 1:
            self._start(self._listen())

    def committed(self) -> None:
        """Something was committed here that others may wait for."""
        if self._timer is None:
            self._timer = self._loop.call_later(TOGETHER_SECONDS, self._speak)

    async def close(self) -> None:
        """Fall silent."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _speak(self) -> None:
        self._timer = None
        self._start(self._tell())

    async def _tell(self) -> None:
        async def unit(tx: Tx) -> None:
            await tx.all("SELECT pg_notify(:channel, :mark)", {"channel": CHANNEL, "mark": self._mark})

        with suppress(StorageError):  # the others look by themselves
            await self._say(unit)

    async def _listen(self) -> None:
        """Listen until cancelled; who watches is called after every new beginning, as words may have been missed."""
        while True:
            try:
                await self._hear(await asyncio.to_thread(_open_ear, self._url))
            except (psycopg.Error, StorageError) as error:
                _log.warning("other processes cannot be heard: %s", type(error).__name__)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _hear(self, ear: Connection) -> None:
        self._broken.clear()
        socket = ear.fileno()  # a broken connection does not tell it any more
        self._loop.add_reader(socket, self._read, ear, socket)
        try:
            self._ring()
            await self._broken.wait()
        finally:
            self._loop.remove_reader(socket)
            ear.close()

    def _read(self, ear: Connection, socket: int) -> None:
        """Take what has arrived; nothing is waited for."""
        others = False
        try:
            ear.pgconn.consume_input()
            while (word := ear.pgconn.notifies()) is not None:
                others |= word.extra != self._mark.encode()
        except psycopg.Error:
            self._loop.remove_reader(socket)
            self._broken.set()
            return
        if others:
            self._ring()

    def _ring(self) -> None:
        for call in self._calls:
            call()


def _open_ear(url: str) -> Connection:
    ear = connect(url)
    try:
        ear.execute(f"LISTEN {CHANNEL}")
    except BaseException:
        ear.close()
        raise
    return ear
