"""How many units a second storage commits, beside plain sqlite3: `python -m benchmarks.storage_units`.

A unit inserts an appeal, its event and two owed messages, durably. Both sides have the same settings and
are measured in the same run, in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from storage.database import Database, Tx
from storage.open import open_database
from storage.sqlite_connection import connect

GOALS = {1: 0.65, 64: 1.5}
SCHEMA = """
CREATE TABLE appeals (
    id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, status TEXT NOT NULL,
    title TEXT NOT NULL, enterprise_id INTEGER NOT NULL, received_at INTEGER NOT NULL, next_due_at INTEGER);
CREATE INDEX appeals_due ON appeals(next_due_at);
CREATE TABLE events (
    id INTEGER PRIMARY KEY, appeal_number TEXT NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL,
    at INTEGER NOT NULL, facts TEXT NOT NULL, UNIQUE (appeal_number, version));
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY, chat_id INTEGER NOT NULL, seq INTEGER NOT NULL, text_key TEXT NOT NULL,
    facts TEXT NOT NULL, dedupe_key TEXT UNIQUE, state TEXT NOT NULL, written_at INTEGER NOT NULL);
CREATE INDEX outbox_pending ON outbox(chat_id, seq) WHERE state = 'pending';
"""
APPEAL = """INSERT INTO appeals (number, version, status, title, enterprise_id, received_at, next_due_at)
    VALUES (:number, 1, 'received', :title, :enterprise, :at, :due)"""
EVENT = "INSERT INTO events (appeal_number, version, name, at, facts) VALUES (:number, 1, 'raised', :at, :facts)"
OWED = """INSERT INTO outbox (chat_id, seq, text_key, facts, dedupe_key, state, written_at)
    VALUES (:chat, :seq, 'appeal.received', :facts, :key, 'pending', :at)"""


def rows(number: int) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """The four statements of one unit."""
    facts = '{"category":"utilities","title":"三号车间电压不稳","urgent":true}'
    name, at = f"LQ{number:08}", 1_790_000_000_000 + number
    appeal = {
        "number": name,
        "title": "三号车间电压不稳",
        "enterprise": number % 500,
        "at": at,
        "due": at + 14_400_000,
    }
    owed = [
        {"chat": number % 500 + leg, "seq": number, "facts": facts, "key": f"{name}:{leg}", "at": at} for leg in (0, 1)
    ]
    event = {"number": name, "at": at, "facts": facts}
    return (APPEAL, appeal), (EVENT, event), (OWED, owed[0]), (OWED, owed[1])


def plain(connection: sqlite3.Connection, numbers: range) -> float:
    """Units a second of plain sqlite3, one transaction each."""
    begun = time.perf_counter()
    for number in numbers:
        connection.execute("BEGIN IMMEDIATE")
        for sql, params in rows(number):
            connection.execute(sql, params)
        connection.execute("COMMIT")
    return len(numbers) / (time.perf_counter() - begun)


async def ours(database: Database, numbers: range, callers: int) -> float:
    """Units a second of `Database.transaction`, from so many callers at once."""
    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for caller in range(callers):
            group.create_task(_call(database, numbers[caller::callers]))
    return len(numbers) / (time.perf_counter() - begun)


async def _call(database: Database, numbers: range) -> None:
    for number in numbers:

        async def unit(tx: Tx, number: int = number) -> None:
            for sql, params in rows(number):
                await tx.run(sql, params)

        await database.transaction(unit)


async def measure(folder: Path, callers: int, units: int, rounds: int) -> float:
    """Both sides in turns; prints the medians and returns the median of the ratios of the turns."""
    (folder / "schema").mkdir(parents=True)
    (folder / "schema" / "0001_bench.sql").write_text(SCHEMA, encoding="utf-8")
    database = await open_database(f"sqlite:///{folder / 'ours.db'}", schema=folder / "schema")
    connection = connect(str(folder / "plain.db"))
    connection.executescript(SCHEMA)
    turns = []
    for turn in range(rounds):
        numbers = range(turn * units, (turn + 1) * units)
        turns.append((plain(connection, numbers), await ours(database, numbers, callers)))
    connection.close()
    await database.close()
    return report(callers, turns, "plain sqlite3", f"goal {GOALS[callers]}x")


def report(callers: int, turns: Sequence[tuple[float, float]], rival: str, wanted: str) -> float:
    """Print the figures of one number of callers; how many times as fast as the rival we are."""
    theirs, mine = (statistics.median(side) for side in zip(*turns, strict=True))
    ratios = [own / raw for raw, own in turns]
    ratio = statistics.median(ratios)
    spread = f"{min(ratios):.2f} to {max(ratios):.2f} in {len(turns)} turns"
    print(f"{callers:>3} callers: {rival} {theirs:7,.0f} units/s, ours {mine:7,.0f} units/s, ", end="")
    print(f"{ratio:.2f}x ({spread}; {wanted})")
    return ratio


def main() -> int:
    """Measure one caller and 64; the exit status says whether the goals were met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=640, help="in one turn")
    parser.add_argument("--rounds", type=int, default=15, help="how many turns each side takes")
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to be measured")
    options = parser.parse_args()
    met = True
    with tempfile.TemporaryDirectory(dir=options.folder) as base:
        for callers, goal in GOALS.items():
            folder = Path(base) / str(callers)
            met &= asyncio.run(measure(folder, callers, options.units, options.rounds)) >= goal
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
