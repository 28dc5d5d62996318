"""What the program holds while people talk all the time: `python -m benchmarks.soak --minutes 30`.

In real time, twenty messages a second from 64 firms through the whole program on a database on the disk. A straight
line is laid through what was held after the first fifth; a short run says little about it and is not judged by it.
"""

import argparse
import asyncio
import gc
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from statistics import linear_regression

from benchmarks.memory import resident_mb
from benchmarks.messages import Quiet, bodies, people, rules
from bot.app import SWITCH_SECONDS, App, Park, machine_time
from bot.civil import CivilClock
from storage.open import open_database
from texts import Catalogue

A_SECOND = 20
LOOK_SECONDS = 5
MOST_GROWTH = 1.0
"""Megabytes an hour."""
LONG_ENOUGH = 30
"""Minutes."""


def held() -> tuple[float, int]:
    """Megabytes that this process holds, and its open files."""
    gc.collect()
    return resident_mb(os.getpid()), len(list(Path("/proc/self/fd").iterdir()))


async def talk(app: App, channel: Quiet, seconds: int) -> Sequence[tuple[float, int]]:
    """So long; what was held every five seconds."""
    seen, clock = [], asyncio.get_running_loop()
    begun = clock.time()
    for second in range(seconds):
        await app.desk.receive("memory", "memory", bodies(second, A_SECOND))
        if second % LOOK_SECONDS == 0:
            seen.append(held())
        await asyncio.sleep(begun + second + 1 - clock.time())
    return seen


async def measure(folder: Path, minutes: float) -> tuple[float, int]:
    """Megabytes an hour and open files more than at first; both are printed."""
    house, channel = await open_database(f"sqlite:///{folder / 'house.db'}"), Quiet()
    await house.transaction(people)
    app = App(Park(rules(), Catalogue.load()), house, {"memory": channel}, civil=CivilClock(machine_time))
    running = asyncio.create_task(app.run())
    seen = await talk(app, channel, round(minutes * 60))
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await house.close()
    steady = seen[len(seen) // 5 :]
    slope = linear_regression(range(len(steady)), [megabytes for megabytes, _ in steady]).slope
    growth, files = slope * 3600 / LOOK_SECONDS, steady[-1][1] - steady[0][1]
    print(f"{minutes:g} minutes, {A_SECOND} messages/s, {channel.count} sent: {steady[0][0]:.1f} MB, then", end=" ")
    print(f"{steady[-1][0]:.1f} MB: {growth:+.2f} MB an hour (at most {MOST_GROWTH:g}), {files:+d} open files")
    return growth, files


def main() -> int:
    """Measure; 1 if it grows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1, help=f"{LONG_ENOUGH} to be judged by")
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH_SECONDS)
    with tempfile.TemporaryDirectory() as base:
        growth, files = asyncio.run(measure(Path(base), options.minutes))
    return int(options.minutes >= LONG_ENOUGH and (growth > MOST_GROWTH or files > 0))


if __name__ == "__main__":
    sys.exit(main())
