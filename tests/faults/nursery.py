"""Lives that begin at once: `python -m tests.faults.nursery` has everything imported and forks a life on command.

A command is a line of JSON: `{"folder": ..., "waits": true, ...}`, the rest are the fields of `Upbringing`. It answers
with the process's number, and, when that has ended, with how (as `os.waitstatus_to_exitcode` tells it).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bot.rounds
import storage.sqlite_connection
import storage.sqlite_writer
from storage.open import open_database
from tests.faults import burst

LAG_EVERY = 0.01


@dataclass(frozen=True, slots=True)
class Upbringing:
    """What is otherwise in a life than in the real one.

    `synchronous` other than FULL is a fault of ours that the trials must find. With a small `checkpoint` (pages) the
    log is worked into the file often. `busy` and `rounds` are the seconds that are waited for a lock, and between two
    tries. `file_size` is the most bytes that a file may have.
    """

    synchronous: str = "FULL"
    checkpoint: int = 40
    busy: float = 10.0
    rounds: float = 1.0
    file_size: int = 0


def bring_up(how: Upbringing) -> None:
    """Let this process be so."""
    connect = storage.sqlite_connection.connect

    def changed(path: str) -> sqlite3.Connection:
        connection = connect(path)
        connection.execute(f"PRAGMA synchronous = {how.synchronous}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {how.checkpoint}")
        return connection

    storage.sqlite_writer.connect = changed  # type: ignore[attr-defined]  # it is imported there
    storage.sqlite_connection.BUSY_SECONDS = how.busy
    bot.rounds.EVERY_SECONDS = how.rounds
    if how.file_size:
        limit_files(how.file_size)


def limit_files(most: int) -> None:
    """Let no file grow beyond so many bytes; a write that would fails, as on a full disk."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


async def measure_lag(folder: Path) -> None:
    """Keep in the file `lag` the longest time, in seconds, for which the event loop did not turn."""
    loop, worst, kept = asyncio.get_running_loop(), 0.0, os.open(folder / "lag", os.O_CREAT | os.O_WRONLY)
    while True:
        before = loop.time()
        await asyncio.sleep(LAG_EVERY)
        if (lag := loop.time() - before - LAG_EVERY) > worst:
            worst = lag
            os.lseek(kept, 0, os.SEEK_SET)
            os.write(kept, f"{worst:9.5f}".encode())


async def found(folder: Path) -> None:
    """A house with its people, and nothing said yet."""
    database = await open_database(f"sqlite:///{folder}/house.db")
    await database.transaction(burst.people_it)
    await database.close()


def work_for(folder: Path) -> Callable[[], Any]:
    """To found the house where there is none, else to live in it."""
    if not (folder / "house.db").exists():
        return lambda: found(folder)
    return lambda: burst.live(folder, lambda: measure_lag(folder))


def begin(folder: Path, how: Upbringing, *, waits: bool) -> int:
    """A new process; its number. One that `waits` has stopped itself and begins when it is told to go on."""
    child = os.fork()
    if child:
        return child
    try:
        bring_up(how)
        work = work_for(folder)
        if waits:
            os.kill(os.getpid(), signal.SIGSTOP)
        asyncio.run(work())
    except BaseException:  # noqa: BLE001 - nothing of a child may reach its parent's code
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def say(number: int) -> None:
    """One line to whoever gave the command."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main() -> None:
    """One life after the other."""
    for line in sys.stdin:
        told = json.loads(line)
        folder, waits = Path(told.pop("folder")), told.pop("waits")
        child = begin(folder, Upbringing(**told), waits=waits)
        say(child)
        say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main()
