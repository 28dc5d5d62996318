"""Messages a second through the whole program, inbox to sending: `python -m benchmarks.messages`.

64 people raise appeals and ask after them; every message is received, understood, done and answered, and whatever it
makes known to others is sent as well. Beside it: as many bare storage units (see storage_units) in the same run.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks import storage_units, sweep
from bot.app import SWITCH_SECONDS, App, Park, machine_time
from bot.channel import Parcel, Update
from bot.channels.memory import MemoryChannel
from bot.civil import CivilClock
from domain.hours import Hours
from domain.people import Role
from domain.rules import Category, Rules
from domain.workdays import Calendar, parse_interval
from storage.database import Database, Tx
from storage.open import open_database
from storage.years import read_years
from texts import Catalogue

PEOPLE = 64
LEAST = 0.02
"""At least so many messages for each bare storage unit."""
HOURS = Hours((parse_interval("08:30-12:00"), parse_interval("14:00-17:30")), always=True)
SAID = ("诉求 车间电压低，一天跳停三次", "我的", "诉求 变压器太小，夏天停电", "进度", "补充 夜班也停", "帮助")


class Quiet(MemoryChannel):
    """Takes every message and keeps none."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    async def send(self, parcel: Parcel) -> str:
        """Count it."""
        self.count += 1
        return str(parcel.id)


async def people(tx: Tx) -> None:
    """64 contacts of 64 firms, a liaison for each, and a coordinator, each with a private chat."""
    for number in range(1, PEOPLE + 1):
        contact = await _person(tx, f"企业{number}", Role.CONTACT)
        liaison = await _person(tx, f"干部{number}", Role.LIAISON)
        firm = {"id": number, "name": f"第{number}机械", "liaison": liaison}
        await tx.run(
            "INSERT INTO enterprises(id, name, short_name, liaison_id) VALUES (:id, :name, :name, :liaison)", firm
        )
        await tx.run("INSERT INTO contacts VALUES (:firm, :person)", {"firm": number, "person": contact})
    await _person(tx, "周芳", Role.COORDINATOR)


async def _person(tx: Tx, name: str, role: Role) -> int:
    row = await tx.one("INSERT INTO people(name) VALUES (:name) RETURNING id", {"name": name})
    assert row is not None
    one = {"id": row["id"], "name": name, "role": role.value}
    await tx.run("INSERT INTO person_roles VALUES (:id, :role)", one)
    account = "INSERT INTO accounts(channel, external_id, name, person_id) VALUES ('memory', :name, :name, :id)"
    await tx.run(account, one)
    await tx.run(
        """INSERT INTO chats(channel, external_id, private, account_id)
           SELECT 'memory', :name, 1, id FROM accounts WHERE external_id = :name""",
        one,
    )
    return int(row["id"])


def bodies(turn: int, count: int) -> Sequence[Update]:
    """What they say in one turn, in the order in which it comes in."""
    said = []
    for number in range(count):
        who = f"企业{number % PEOPLE + 1}"
        body = {"message_id": f"{turn}-{number}", "chat": who, "private": True, "sender": who, "sender_name": who}
        said.append(Update(f"{turn}-{number}", who, {**body, "text": SAID[number // PEOPLE % len(SAID)]}))
    return said


async def through(app: App, channel: Quiet, turn: int, count: int) -> float:
    """Messages a second from reception to the last answer."""
    begun = perf_counter()
    updates = bodies(turn, count)
    for n in range(0, count, 64):
        await app.desk.receive("memory", "memory", updates[n : n + 64])
    await app.settle()
    spent = perf_counter() - begun
    assert channel.count >= count, f"{channel.count} answers to {count} messages"
    return count / spent


async def measure(folder: Path, count: int, rounds: int, rules: Rules) -> float:
    """Both in turns; prints the medians and returns the median of the ratios."""
    (folder / "schema").mkdir()
    (folder / "schema" / "0001_bench.sql").write_text(storage_units.SCHEMA, encoding="utf-8")
    units = await open_database(f"sqlite:///{folder / 'units.db'}", schema=folder / "schema")
    house = await open_database(f"sqlite:///{folder / 'house.db'}")
    await house.transaction(people)
    turns = [await _turn(house, units, turn, count, rules) for turn in range(rounds)]
    await house.close()
    await units.close()
    ratio = median(whole / bare for whole, bare, _ in turns)
    whole, bare, sent = (median(column) for column in zip(*turns, strict=True))
    print(f"the whole program {whole:6,.0f} messages/s ({sent / count:.1f} sent for each), ", end="")
    print(f"bare units {bare:7,.0f}/s: {ratio:.3f}x (at least {LEAST}x)")
    return ratio


async def _turn(house: Database, units: Database, turn: int, count: int, rules: Rules) -> tuple[float, float, float]:
    channel = Quiet()
    park = Park(rules, Catalogue.load())
    app = App(park, house, {"memory": channel}, civil=CivilClock(machine_time))
    whole = await through(app, channel, turn, count)
    numbers = range(turn * count, (turn + 1) * count)
    return whole, await storage_units.ours(units, numbers, PEOPLE), channel.count


def main() -> int:
    """Measure; the exit status says whether the limit was met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1536, help="in one turn")
    parser.add_argument("--rounds", type=int, default=5, help="how many turns")
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to be measured")
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH_SECONDS)
    with tempfile.TemporaryDirectory(dir=options.folder) as base:
        met = asyncio.run(measure(Path(base), options.messages, options.rounds, rules())) >= LEAST
    return 0 if met else 1


def rules() -> Rules:
    """A park that never sleeps, with the terms of the sweep's."""
    power = Category("power", "用电", ("电压", "变压器"))
    calendar = Calendar(read_years(), HOURS, sweep.ZONE)
    return replace(sweep.RULES, calendar=calendar, categories={power.code: power})


if __name__ == "__main__":
    sys.exit(main())
