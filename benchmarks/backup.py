"""Backup and restore of a park with 10,000 appeals and 1,000 photos: time, size, memory, on SQLite and PostgreSQL.

`python -m benchmarks backup`. LIANQI_BENCH_PG may name an empty database: postgresql://user@host/name.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.storage import furnishing

APPEALS = 10_000
PHOTOS = 1_000
PHOTO_BYTES = 100_000
MOST_SECONDS = 60.0
"""Of processor time."""
MOST_MEMORY = 150
"""Megabytes, the program itself included."""
ROOT = Path(__file__).resolve().parent.parent
COPIED = {"appeals": 1, "events": 11, "event_texts": 5, "inbox": 4, "outbox": 5, "rungs": 3}
"""So many rows of a lived story are repeated for each appeal."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds, those of the processor, and the megabytes of memory at most."""

    seconds: float
    busy: float
    memory: float


def grow(house: sqlite3.Connection) -> int:
    """Repeat the story for every appeal; the number of rows."""
    house.execute("PRAGMA foreign_keys = OFF")
    whole = 0
    for table, many in COPIED.items():
        names = [row[0] for row in house.execute("SELECT name FROM pragma_table_info(?)", (table,))]
        given = house.execute(f'SELECT * FROM "{table}" ORDER BY 1 LIMIT {many}').fetchall()
        places = ", ".join("?" * len(names))
        for n in range(1, APPEALS):
            rows = [_moved(table, dict(zip(names, row, strict=True)), n) for row in given]
            house.executemany(f'INSERT INTO "{table}" VALUES ({places})', [list(row.values()) for row in rows])
            whole += len(rows)
    dice = random.Random(1)
    for n in range(PHOTOS):
        row = (f"photo{n}", "image/jpeg", PHOTO_BYTES, dice.randbytes(PHOTO_BYTES), 1)
        house.execute("INSERT INTO files VALUES (?, ?, ?, ?, ?)", row)
    house.commit()
    return whole


def _moved(table: str, row: dict[str, object], n: int) -> dict[str, object]:
    """A row of the n-th appeal: what must be unique is made so."""
    for column in ("id", "event_id", "seq"):
        if isinstance(row.get(column), int):
            row[column] = int(str(row[column])) + n * 1_000
    for column in ("number", "external_id", "dedupe_key"):
        if row.get(column) is not None:
            row[column] = f"{row[column]}-{n}"
    if table in ("events", "rungs"):
        row["appeal_id"] = 1 + n * 1_000
    return row


def timed(folder: Path, *words: str) -> Figures:
    """Run a verb."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command, environment = [sys.executable, "-m", "bot", *words], {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=folder, env=environment, check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    return Figures(time.perf_counter() - began, busy, used.ru_maxrss / 1024)


def configure(folder: Path, url: str) -> None:
    """Let the config name this database."""
    config = folder / "config.toml"
    config.write_text(f'[park]\nname = "试点园区"\n[storage]\nurl = "{url}"\n', encoding="utf-8")
    config.chmod(0o600)


def main() -> int:
    """1 where a limit is missed."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        asyncio.run(furnishing.make(furnishing.newest(), folder / "house.db"))
        with closing(sqlite3.connect(folder / "house.db")) as house:
            rows = grow(house)
        size = (folder / "house.db").stat().st_size / 1e6
        print(f"house: {APPEALS:,} appeals, {rows:,} rows, {PHOTOS:,} photos, {size:.0f} MB")
        configure(folder, "sqlite:///house.db")
        figures = {"backup": timed(folder, "backup", "a.zip")}
        print(f"file: {(folder / 'a.zip').stat().st_size / 1e6:.0f} MB")
        configure(folder, "sqlite:///again.db")
        figures["restore into SQLite"] = timed(folder, "restore", "a.zip")
        if url := os.environ.get("LIANQI_BENCH_PG"):
            configure(folder, url)
            figures["restore into PostgreSQL"] = timed(folder, "restore", "a.zip")
            figures["backup of PostgreSQL"] = timed(folder, "backup", "b.zip")
        for name, each in figures.items():
            print(f"{name}: {each.seconds:.1f} s, {each.busy:.1f} s of processor time, {each.memory:.0f} MB at most")
    return int(any(each.busy > MOST_SECONDS or each.memory > MOST_MEMORY for each in figures.values()))


if __name__ == "__main__":
    sys.exit(main())
