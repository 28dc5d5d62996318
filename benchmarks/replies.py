"""How long people wait for an answer at half of the load that can be borne: `python -m benchmarks.replies`.

On both databases: first as many messages as go through the whole program (see messages), then half as many a second,
each at its own moment whatever became of the others; the wait is counted from that moment until the answer is sent.
The PostgreSQL is one of this machine, with its durable settings.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from benchmarks.messages import Quiet, bodies, people, rules, through
from bot.app import SWITCH_SECONDS, App, Park, machine_time
from bot.channel import Desk, Parcel, Update
from bot.civil import CivilClock
from storage.database import Database
from storage.open import open_database
from tests.pgserver import durable_server
from texts import Catalogue

MOST_SECONDS = 1.0
"""The 99th percentile of the wait may be so long."""


class Timed(Quiet):
    """Notes when the answer to each message is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.answered: dict[str, float] = {}

    async def run(self, desk: Desk) -> None:
        """Bring nothing by itself."""
        await asyncio.get_running_loop().create_future()

    async def send(self, parcel: Parcel) -> str:
        """The first answer counts."""
        if parcel.reply_to:
            self.answered.setdefault(parcel.reply_to, perf_counter())
        return await super().send(parcel)


async def bring(app: App, update: Update, moment: float) -> None:
    """One message at its moment."""
    await asyncio.sleep(max(0.0, moment - perf_counter()))
    await app.desk.receive("memory", "memory", [update])


async def paced(app: App, channel: Timed, updates: Sequence[Update], rate: float) -> list[float]:
    """The waits of messages that come in at this rate."""
    running = asyncio.create_task(app.run())
    begun = perf_counter() + 0.2
    moments = {update.external_id: begun + n / rate for n, update in enumerate(updates)}
    await asyncio.gather(*(bring(app, update, moments[update.external_id]) for update in updates))
    while len(channel.answered) < len(updates):  # noqa: ASYNC110 - nothing rings when all are answered
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait({running})
    return [channel.answered[update] - moment for update, moment in moments.items()]


async def measure(name: str, database: Database, count: int, rounds: int) -> float:
    """Print the figures of one database; the 99th percentile of the wait in seconds."""
    await database.transaction(people)
    park = Park(rules(), Catalogue.load())
    rates = []
    for turn in range(rounds):
        quiet = Quiet()
        app = App(park, database, {"memory": quiet}, civil=CivilClock(machine_time))
        rates.append(await through(app, quiet, turn, count))
    rate = median(rates) / 2
    timed = Timed()
    app = App(park, database, {"memory": timed}, civil=CivilClock(machine_time))
    waits = await paced(app, timed, bodies(rounds, count), rate)
    cuts = quantiles(waits, n=100)
    print(f"{name:>10}: {median(rates):5,.0f} messages/s at most; at {rate:,.0f}/s ", end="")
    print(f"an answer takes {cuts[49] * 1000:.0f} ms, 99 in 100 at most {cuts[98] * 1000:.0f} ms ", end="")
    print(f"(limit {MOST_SECONDS * 1000:.0f} ms)")
    return cuts[98]


async def both(folder: Path, count: int, rounds: int) -> list[float]:
    """SQLite, then PostgreSQL."""
    found = []
    with durable_server() as server:
        for name, url in (("sqlite", f"sqlite:///{folder}/house.db"), ("postgresql", server.dsn("postgres"))):
            database = await open_database(url)
            found.append(await measure(name, database, count, rounds))
            await database.close()
    return found


def main() -> int:
    """Measure; the exit status says whether the limit was met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1536, help="in one turn")
    parser.add_argument("--rounds", type=int, default=3, help="how many turns at full load")
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to be measured")
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH_SECONDS)
    with tempfile.TemporaryDirectory(dir=options.folder) as base:
        waits = asyncio.run(both(Path(base), options.messages, options.rounds))
    return 0 if max(waits) <= MOST_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
