"""How long others wait while one user sends 10,000 messages: `python -m benchmarks.flooding`.

50 people ask something twice a second, first alone, then beside the flood, in the whole program over a SQLite file. The
time from reception to the answer is taken for each of them; its 95th percentile beside the flood may be at most three
times that without. Then the same with the guard against floods taken out, which has no limit: it shows what the guard
brings.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from statistics import quantiles
from time import perf_counter

from benchmarks.messages import Quiet, people
from bot.app import SWITCH_SECONDS, App, Park, machine_time
from bot.channel import Parcel, Update
from bot.civil import CivilClock
from bot.flooding import Flood
from domain.rules import Rules
from storage.open import open_database
from tests.making import make_rules
from texts import Catalogue

OTHERS = 50
EVERY = 0.5
MOST = 3.0
NOISE = 0.010
"""Below ten milliseconds the machine's own jitter is larger than what is measured."""


class Timed(Quiet):
    """Notes when each chat was answered."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[str, float] = {}
        self.waits: list[float] = []
        self.all_answered = asyncio.Event()

    async def send(self, parcel: Parcel) -> str:
        """Count it; the first answer to a question ends its wait."""
        begun = self.asked.pop(parcel.chat, None)
        if begun is not None:
            self.waits.append(perf_counter() - begun)
        if not self.asked:
            self.all_answered.set()
        return await super().send(parcel)


def said(who: str, number: str, text: str) -> Update:
    """One message of somebody."""
    body = {"message_id": number, "chat": who, "private": True, "sender": who, "sender_name": who, "text": text}
    return Update(number, who, body)


async def others(app: App, channel: Timed, turns: int, name: str) -> list[float]:
    """What they waited, in seconds; each asks once in every interval, spread over it."""
    channel.waits = []
    for turn in range(turns):
        for number in range(1, OTHERS + 1):
            who = f"企业{number}"
            channel.asked[who] = perf_counter()
            await app.desk.receive("memory", "memory", [said(who, f"{name}-{turn}-{number}", "我的")])
            await asyncio.sleep(EVERY / OTHERS)
    channel.all_answered.clear()
    if channel.asked:
        await channel.all_answered.wait()
    return channel.waits


async def flood(app: App, count: int) -> None:
    """One user sends all that he has, as fast as it is taken."""
    for first in range(0, count, 100):
        numbers = range(first, min(first + 100, count))
        await app.desk.receive("memory", "memory", [said("企业64", f"flood-{n}", "诉求 停电") for n in numbers])


async def measure(folder: Path, count: int, turns: int, rules: Rules, guard: Flood | None) -> float:
    """Both in one program; prints the percentiles and returns their ratio."""
    house = await open_database(f"sqlite:///{folder / 'house.db'}")
    await house.transaction(people)
    channel, park = Timed(), Park(rules, Catalogue.load(strict=True))
    app = App(park, house, {"memory": channel}, civil=CivilClock(machine_time), flood=guard)
    running = asyncio.create_task(app.run())
    await others(app, channel, 2, "warm")
    quiet = p95(await others(app, channel, turns, "quiet"))
    begun = perf_counter()
    pouring = asyncio.create_task(flood(app, count))
    loud = p95(await others(app, channel, turns, "loud"))
    await pouring
    print(f"{OTHERS} people, p95: alone {quiet * 1000:.1f} ms, beside {count:,} messages of one user "
          f"{loud * 1000:.1f} ms ({perf_counter() - begun:.0f} s)")
    running.cancel()
    await asyncio.wait({running})
    await house.close()
    return loud / max(quiet, NOISE)


def p95(waits: list[float]) -> float:
    """The 95th percentile."""
    return quantiles(waits, n=20)[-1]


def main() -> int:
    """Measure and compare; 1 where others wait too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--turns", type=int, default=20)
    given = parser.parse_args()
    sys.setswitchinterval(SWITCH_SECONDS)
    rules = make_rules(always=True)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        ratio = asyncio.run(measure(Path(folder), given.count, given.turns, rules, Flood()))
        print("the same with the guard taken out:")
        bare = asyncio.run(measure(Path(other), given.count, given.turns, rules, None))
    print(f"{ratio:.1f}x with the guard (at most {MOST}x), {bare:.1f}x without it")
    return int(ratio > MOST)


if __name__ == "__main__":
    sys.exit(main())
