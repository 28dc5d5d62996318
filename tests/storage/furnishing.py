"""Houses of every schema there was, each with rows in every table: `python -m tests.storage.furnishing` keeps more.

A story is lived in a house of the present schema; tables that it leaves empty get made-up rows. A house of an older
schema gets what fits into it. What is kept in fixtures/ is never written anew: it is what that schema was. One of the
present schema is not kept but made, out of the newest that is.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from storage.migrations import SCHEMA, Migration, in_words_of, read_folder, statements
from storage.open import open_database

FIXTURES = Path(__file__).parent / "fixtures"
ROWS = 3
"""So many are made up for a table that a story leaves empty."""


def newest() -> int:
    """The number of the present schema."""
    return len(read_folder(SCHEMA, "sqlite"))


def kept() -> Sequence[int]:
    """The schemas of which a house is kept."""
    return sorted(int(path.stem) for path in FIXTURES.glob("*.sql"))


def load(number: int, path: Path) -> None:
    """Make a SQLite file of the house that is kept of that schema."""
    with closing(sqlite3.connect(path)) as house:
        house.executescript((FIXTURES / f"{number:04}.sql").read_text(encoding="utf-8"))
        house.commit()


async def make(number: int, path: Path) -> None:
    """The same for any schema, the present one among them."""
    load(number if number < newest() else kept()[-1], path)
    if number == newest():
        await _complete(path)


async def _complete(path: Path) -> None:
    """Bring a house up to date and leave none of its tables empty."""
    await (await open_database(f"sqlite:///{path}")).close()
    with closing(sqlite3.connect(path)) as house:
        furnish(house)
        house.commit()


def table_rows(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of a SQLite file."""
    with closing(sqlite3.connect(path)) as house:
        house.row_factory = sqlite3.Row
        return {
            name: [dict(row) for row in house.execute(f'SELECT * FROM "{name}" ORDER BY 1, 2')]
            for name in _tables(house)
        }


def furnish(house: sqlite3.Connection) -> None:
    """Make up rows for every empty table; references lead to rows that are there."""
    empty = [name for name in _tables(house) if not house.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone()]
    house.execute("PRAGMA foreign_keys = OFF")
    for name in empty:
        for n in range(ROWS):
            _make_up(house, name, n)
    _lead_somewhere(house, empty)


def _tables(house: sqlite3.Connection) -> list[str]:
    return [row[0] for row in house.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]


def _make_up(house: sqlite3.Connection, table: str, n: int) -> None:
    columns = house.execute("SELECT name, type FROM pragma_table_info(?)", (table,)).fetchall()
    values = [_value(table, name, kind, n) for name, kind in columns]
    names = ", ".join(f'"{name}"' for name, _ in columns)
    house.execute(f'INSERT INTO "{table}" ({names}) VALUES ({", ".join("?" * len(columns))})', values)


def _value(table: str, column: str, kind: str, n: int) -> Any:
    if kind == "BLOB":
        return bytes(range(256)) * (n + 1)
    if kind == "TEXT":
        return f"{table}.{column} “{n}”，第{n}行\nO'Brien \\ \" 😀"
    return 1_773_200_000_000 + n if column.endswith("_at") else n + 1


def _lead_somewhere(house: sqlite3.Connection, tables: Sequence[str]) -> None:
    """Let each made-up reference name a row of its target; the first row, so also one that stands later, its third."""
    for table in tables:
        keys = house.execute('SELECT "table", "from", "to" FROM pragma_foreign_key_list(?)', (table,)).fetchall()
        for target, column, named in keys:
            to = named or "id"
            known = [row[0] for row in house.execute(f'SELECT "{to}" FROM "{target}" ORDER BY "{to}"')]
            rows = [row[0] for row in house.execute(f'SELECT rowid FROM "{table}" ORDER BY rowid')]
            for n, row in enumerate(rows):
                found = known[-1 - n % len(known)]
                house.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', (found, row))


# Writing what is kept -------------------------------------------------------------------------------------------------
async def _live(path: Path) -> None:
    """The story, in a file."""
    from tests.stories.test_one_appeal import live_one_life
    from tests.stories.town import Town

    town = await Town.open(f"sqlite:///{path}", at="2026-03-11 08:40", key=b"of a house that is kept")
    await live_one_life(town)
    await town.close()


async def write_all(folder: Path) -> None:
    """Keep a house of every older schema that is not kept yet."""
    source = folder / "newest.db"
    await _live(source)
    await _complete(source)
    whole = table_rows(source)
    steps = read_folder(SCHEMA, "sqlite")
    for number in sorted(set(range(1, len(steps))) - set(kept())):
        (FIXTURES / f"{number:04}.sql").write_text(_older(steps[:number], whole), encoding="utf-8")


def _older(steps: Sequence[Migration], whole: dict[str, list[dict[str, Any]]]) -> str:
    """The text that makes a house of these steps, with what fits into it."""
    with closing(sqlite3.connect(":memory:")) as house:
        _lay_out(house, steps)
        for table in _tables(house):
            known = [row[0] for row in house.execute("SELECT name FROM pragma_table_info(?)", (table,))]
            if table == "schema_migrations":
                continue
            house.execute(f'DELETE FROM "{table}"')
            for row in whole[table]:
                names = ", ".join(f'"{name}"' for name in known)
                house.execute(
                    f'INSERT INTO "{table}" ({names}) VALUES ({", ".join("?" * len(known))})',
                    [row[name] for name in known],
                )
        house.commit()
        return "\n".join(house.iterdump()) + "\n"


def _lay_out(house: sqlite3.Connection, steps: Sequence[Migration]) -> None:
    house.execute("""CREATE TABLE schema_migrations (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)""")
    for step in steps:
        for statement in statements(step.script):
            house.execute(in_words_of("sqlite", statement))
        house.execute(
            "INSERT INTO schema_migrations VALUES (?, ?, ?, ?)",
            (step.number, step.name, step.checksum, 1_773_200_000_000),
        )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(write_all(Path(made)))
