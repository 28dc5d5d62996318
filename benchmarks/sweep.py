"""What the clock's sweep costs in a large park beside a small one: `python -m benchmarks.sweep`.

Each of 100 due appeals takes its whole step: found by the due query, its rungs noted, its next look set, one durable
transaction an appeal. They lie among 10,000 open appeals and among 1,000,000; the parks are measured in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from domain.appeal import Appeal, Details, Source
from domain.hours import Hours
from domain.lifecycle import Draft, submit, take
from domain.rules import Category, Clock, DigestTimes, Kind, Listener, Rules, Rung, SurveyTerms, Terms
from domain.verbs import Verb
from domain.workdays import Calendar, Span, Unit, parse_interval, parse_span
from handlers import chase
from storage import appeals
from storage.database import Database, Tx
from storage.open import open_database
from storage.values import to_ms
from storage.years import read_years

SMALL, LARGE, DUE = 10_000, 1_000_000, 100
MOST = 1.5
ZONE = ZoneInfo("Asia/Shanghai")
RECEIVED = datetime(2026, 3, 9, 10, 0, tzinfo=ZONE)
PEOPLE = """
INSERT INTO people(id, name) VALUES (1, '张建国'), (2, '王敏');
INSERT INTO enterprises(id, name, short_name, liaison_id) VALUES (1, '宏达机械', '宏达', 2);
INSERT INTO contacts VALUES (1, 1);
"""


def rules() -> Rules:
    """The usual terms and a ladder of four rungs."""
    hours = Hours((parse_interval("08:30-12:00"), parse_interval("14:00-17:30")), quiet=parse_interval("21:00-08:00"))
    day = Span(1, Unit.WORKING_DAYS)
    ten = Span(10, Unit.WORKING_DAYS)
    terms = Terms(day, day, day, day, ten, ten, ten, ten, ten, ten, day, ten, ten, day, ten)
    ladder = tuple(Rung(at, parse_span(at), (Listener.HANDLER,)) for at in ("-2wd", "0s", "1wd", "3wd"))
    return Rules(
        park="bench",
        language="zh",
        calendar=Calendar(read_years(), hours, ZONE),
        terms=terms,
        ladders={Clock.RESOLVE: ladder},
        survey=SurveyTerms(day, day),
        digest=DigestTimes(),
        categories={"power": Category("power", "用电")},
    )


RULES = rules()


def begun() -> Appeal:
    """An appeal in progress, whose next rung is the reminder two working days before its date."""
    draft = Draft("0", Kind.APPEAL, "电压低", "电压低", "power", 1, 1, 2, Source.PRIVATE)
    appeal = submit(draft, by=1, at=RECEIVED, rules=RULES).after
    for verb in (Verb.DISPATCH, Verb.ACKNOWLEDGE):
        appeal = take(appeal, verb, by=2, at=RECEIVED, rules=RULES, details=Details(handler_id=2)).after
    return appeal


MODEL = begun()
assert MODEL.next_due is not None
AT = MODEL.next_due


def rows(many: int) -> Iterator[Mapping[str, Any]]:
    """Open appeals; 100 of them are due now, the others some time within half a year."""
    row = dict(appeals._row(replace(MODEL, id=1)))
    every = many // DUE
    for number in range(1, many + 1):
        later = AT + timedelta(days=30, seconds=number * 7919 % 13_000_000)
        row |= {"id": number, "number": str(number), "next_due_at": to_ms(AT if number % every == 0 else later)}
        yield row


async def build(path: Path, many: int) -> Database:
    """A park with so many open appeals, written past the product for speed."""
    await (await open_database(f"sqlite:///{path}")).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = OFF")
    connection.executescript(PEOPLE)
    columns = [column for column in appeals._row(MODEL) if column != "id"]
    sql = f"INSERT INTO appeals(id, {', '.join(columns)}) VALUES (:id, {', '.join(':' + c for c in columns)})"
    connection.executemany(sql, rows(many))
    connection.commit()
    connection.close()
    return await open_database(f"sqlite:///{path}")


async def wind_back(database: Database) -> None:
    """Make the same appeals due once more."""

    async def unit(tx: Tx) -> None:
        await tx.run("DELETE FROM rungs")
        later = to_ms(AT + timedelta(days=29))
        await tx.run(
            "UPDATE appeals SET next_due_at = :at WHERE next_due_at < :later", {"at": to_ms(AT), "later": later}
        )

    await database.transaction(unit)


async def sweep(database: Database) -> float:
    """Seconds for all that is due."""
    job = next(job for job in chase.JOBS if job.name == "sweep")
    begun_at = time.perf_counter()
    keys = await database.reading(lambda tx: job.due(tx, RULES, AT))
    for key in keys:
        await database.transaction(lambda tx, key=key: job.work(tx, RULES, AT, key))  # type: ignore[misc]  # a plain closure
    spent = time.perf_counter() - begun_at
    assert len(keys) == DUE, f"{len(keys)} were due"
    assert not await database.reading(lambda tx: job.due(tx, RULES, AT)), "something was left over"
    return spent


async def measure(folder: Path, large: int, rounds: int) -> float:
    """Both parks in turns; prints the medians and returns the median of the ratios."""
    parks = [await build(folder / f"{many}.db", many) for many in (SMALL, large)]
    turns = []
    for turn in range(rounds + 1):
        order = parks if turn % 2 else parks[::-1]
        spent = {}
        for park in order:
            await wind_back(park)
            spent[id(park)] = await sweep(park)
        if turn:  # the first turn warms up
            turns.append([spent[id(park)] for park in parks])
    for park in parks:
        await park.close()
    return report(large, turns)


def report(large: int, turns: list[list[float]]) -> float:
    """Print the figures."""
    small_ms, large_ms = (statistics.median(side) * 1000 for side in zip(*turns, strict=True))
    ratios = [there / here for here, there in turns]
    ratio = statistics.median(ratios)
    print(f"{DUE} due among {SMALL:,}: {small_ms:.0f} ms; among {large:,}: {large_ms:.0f} ms; ", end="")
    print(f"{ratio:.2f}x ({min(ratios):.2f} to {max(ratios):.2f} in {len(turns)} turns; at most {MOST}x)")
    return ratio


def main() -> int:
    """Measure; the exit status says whether the limit was met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", type=int, default=LARGE, help="open appeals of the large park")
    parser.add_argument("--rounds", type=int, default=9, help="how many turns each park takes")
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to be measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as base:
        return 0 if asyncio.run(measure(Path(base), options.large, options.rounds)) <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
