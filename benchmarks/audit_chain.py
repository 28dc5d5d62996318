"""Sealing and verifying a long history, beside plain SHA-256 over the same rows."""

import argparse
import asyncio
import hashlib
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bot.clock import Bell
from domain import chain
from domain.audit import Fault
from handlers import sealer
from storage import seals
from storage.database import Database, Tx
from storage.open import open_database
from storage.verifying import verify
from tests.making import civil, make_rules
from tests.pgserver import durable_server

KEY = bytes(32)
AT = civil("2026-03-11 09:00")
LEAST = {"seal": 0.05, "verify": 0.1}
"""Of the rows per second that plain SHA-256 reads and hashes."""
AT_ONCE = 500
MOST_MB = 20


async def fill(tx: Tx, first: int) -> None:
    """So many events as a matter leaves them, every third with its words."""
    for event in range(first, first + AT_ONCE):
        words = "车间电压低，下午三点以后设备跳闸" if event % 3 == 0 else ""
        digest = hashlib.sha256(f"salt{words}".encode()).hexdigest() if words else None
        facts = json.dumps({"handler": event % 40, "due": 1_773_190_000_000 + event, "category": "power"})
        await tx.run(
            """INSERT INTO events(id, subject, name, from_status, to_status, actor_id, at, facts, text_digest)
               VALUES (:id, :subject, 'progress', 'in_progress', 'in_progress', 7, :at, :facts, :digest)""",
            {"id": event, "subject": f"appeal:{event // 8}", "at": 1_773_190_000_000, "facts": facts, "digest": digest},
        )
        if words:
            await tx.run(
                "INSERT INTO event_texts(event_id, salt, body) VALUES (:id, 'salt', :body)",
                {"id": event, "body": words},
            )


async def plain(tx: Tx) -> None:
    """What anybody would do who only wants one hash over all events: read them in order and hash them."""
    digest, after = hashlib.sha256(), 0
    while rows := await tx.all(
        "SELECT * FROM events WHERE id > :after ORDER BY id LIMIT 2000", {"after": after}
    ):
        after = rows[-1]["id"]
        for row in rows:
            digest.update(repr(chain.body_of(row)).encode())


async def sound(tx: Tx) -> None:
    """A whole verification, in which nothing is found."""
    found: list[Fault] = []
    outcome = await verify(tx, KEY, [], found.append)
    if found or outcome.waiting:
        raise SystemExit(f"the chain is not sound: {found[:3]}, {outcome.waiting} waiting")


async def seconds(work: Callable[[], Awaitable[object]]) -> float:
    """How long it takes."""
    begun = time.perf_counter()
    await work()
    return time.perf_counter() - begun


async def measure(name: str, url: str, rows: int, rounds: int) -> bool:
    """Fill a database, seal all of it by the program's own job, verify it; whether the limits were met."""
    database = await open_database(url)
    await database.transaction(lambda tx: seals.begin(tx, KEY))
    for first in range(1, rows + 1, AT_ONCE):
        await database.transaction(lambda tx, first=first: fill(tx, first))  # type: ignore[misc]  # mypy cannot type a lambda with a default
    bell = Bell(database, make_rules(), [sealer(KEY)], civil=lambda: AT, done=lambda: None)
    hashing = [await seconds(lambda: database.reading(plain))]
    sealing = await seconds(bell.ring)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    verifying = []
    for _ in range(rounds):
        verifying.append(await seconds(lambda: database.reading(sound)))
        hashing.append(await seconds(lambda: database.reading(plain)))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    idle = await idling(database)
    await database.close()
    print(f"{name}: a look that finds nothing {idle:.1f} ms; verifying takes {grown:.1f} MB more (at most {MOST_MB})")
    return report(rows, statistics.median(hashing), sealing, statistics.median(verifying)) and grown <= MOST_MB


async def idling(database: Database) -> float:
    """Milliseconds of a ring that finds nothing to seal."""
    times = [await seconds(lambda: database.reading(lambda tx: seals.unsealed(tx, 1))) for _ in range(9)]
    return statistics.median(times) * 1000


def report(rows: int, base: float, sealing: float, verifying: float) -> bool:
    """Print the figures of one database."""
    print(f"  plain sha256 {rows / base:9,.0f} rows/s")
    met = True
    for what, spent in (("seal", sealing), ("verify", verifying)):
        ratio = base / spent
        met &= ratio >= LEAST[what]
        print(f"  {what:12} {rows / spent:9,.0f} rows/s, {ratio:.2f} of plain sha256 (at least {LEAST[what]})")
    return met


def main() -> int:
    """Measure both databases; the exit status says whether the limits were met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        met = asyncio.run(measure("SQLite", f"sqlite:///{Path(folder) / 'house.db'}", options.rows, options.rounds))
    with durable_server() as server:
        met &= asyncio.run(measure("PostgreSQL", server.dsn("postgres"), options.rows, options.rounds))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
