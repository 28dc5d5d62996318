"""Fills an empty house, on either engine, with what a backup holds."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

from domain.errors import Refused
from storage import archive, migrations, shape
from storage.archive import About, Member, Told
from storage.database import Database, Tx
from storage.migrations import SCHEMA, Migration, read_folder
from storage.shape import Reference, Shape, Table

VALUES = 2000
"""So many values go into one statement."""
UNTOUCHED: Mapping[str, str] = {"counters": "value = 0", "calendar_counted": "fingerprint = ''"}
"""Tables in which a new house has rows, and how these look."""


@dataclass(frozen=True, slots=True)
class Setting:
    """By which migrations the tables are made, by which release, and when."""

    folder: Path
    release: str
    at: datetime


async def restore(
    database: Database,
    path: Path,
    *,
    release: str,
    at: datetime,
    checking: Told,
    filling: Told,
    folder: Path = SCHEMA,
) -> About:
    """Check every byte, fill the house in one transaction at the schema of the backup, then bring it up to date.

    `checking` and `filling` hear how far each is. Refused: the file is damaged or of a newer release, or the house
    holds something; nothing was written then.
    """
    with archive.opened(path) as file:
        about = archive.examine(file, checking)
        _check_steps(about, folder)
        await database.transaction(lambda tx: _fill(tx, file, about, Setting(folder, release, at), filling))
    await migrations.migrate(database, folder, at=at, release=release)
    return about


async def schema_of(tx: Tx) -> int:
    """The number of the schema that the house has; 0 where there is none."""
    if not await shape.has_table(tx, shape.RECORD):
        return 0
    (row,) = await tx.all(f"SELECT COALESCE(MAX(number), 0) AS number FROM {shape.RECORD}")
    return int(row["number"])


def _check_steps(about: About, folder: Path) -> None:
    """The backup's schema is one that this release has, or had."""
    known = tuple(step.label for step in read_folder(folder, "sqlite"))  # called the same on every engine
    if about.schema > len(known):
        raise Refused("backup.newer", {"schema": about.schema, "known": len(known), "release": about.release})
    if about.steps != known[: about.schema]:
        raise Refused("backup.other_steps", {"release": about.release})


async def _fill(tx: Tx, file: IO[bytes], about: About, setting: Setting, told: Told) -> None:
    await _refuse_inhabited(tx)
    await _lay_out(tx, about, setting)
    made = await shape.shape(tx)
    _check_fits(about, made)
    for name in UNTOUCHED.keys() & {table.name for table in made.tables}:
        await tx.run(f'DELETE FROM "{name}"')
    await _let_refer_forward(tx, made.forward)
    with zipfile.ZipFile(file) as zipped:
        members = {member.table: member for member in about.members}
        done = 0
        for table in made.tables:
            await _fill_table(tx, zipped, table, members[table.name])
            done += members[table.name].rows
            told(done, about.rows)
    await _hold_references(tx, made.forward)
    await _go_on_counting(tx)


async def _refuse_inhabited(tx: Tx) -> None:
    for table in (await shape.shape(tx)).tables:
        untouched = UNTOUCHED.get(table.name, "1 = 0")
        if await tx.all(f'SELECT 1 AS found FROM "{table.name}" WHERE NOT ({untouched}) LIMIT 1'):
            raise Refused("backup.inhabited")


async def _lay_out(tx: Tx, about: About, setting: Setting) -> None:
    """The tables as they were when the backup was made."""
    steps, done = await migrations.compare(tx, setting.folder)
    if len(done) > about.schema:
        raise Refused("backup.house_ahead", {"schema": about.schema, "known": len(done)})
    missing: Sequence[Migration] = [step for step in steps[: about.schema] if step.number not in done]
    for step in missing:
        await migrations.apply(tx, step, setting.at, setting.release)


def _check_fits(about: About, made: Shape) -> None:
    """The tables of the file are those of the house, with the same columns."""
    given = {member.table: set(member.columns) for member in about.members}
    if given != {table.name: set(table.columns) for table in made.tables}:
        raise Refused("backup.other_steps", {"release": about.release})


async def _fill_table(tx: Tx, zipped: zipfile.ZipFile, table: Table, member: Member) -> None:
    """All rows of a table: many a statement, but one where a row may be large."""
    many = 1 if table.bytes else max(1, VALUES // len(member.columns))
    rows = archive.rows(zipped, member)
    filled = 0
    while some := list(islice(rows, many)):
        filled += await tx.run(*_insert(table.name, member.columns, some))
    if filled != member.rows:
        raise Refused("backup.damaged")


def _insert(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> tuple[str, dict[str, Any]]:
    places = ", ".join(
        "(" + ", ".join(f":v{row}_{column}" for column in range(len(columns))) + ")" for row in range(len(rows))
    )
    names = ", ".join(f'"{column}"' for column in columns)
    values = {f"v{n}_{column}": value for n, row in enumerate(rows) for column, value in enumerate(row)}
    return f'INSERT INTO "{table}" ({names}) VALUES {places}', values


async def _let_refer_forward(tx: Tx, forward: Sequence[Reference]) -> None:
    """Let rows refer to rows that follow later, until all are there."""
    if tx.engine == "sqlite":
        await tx.run("PRAGMA defer_foreign_keys = ON")
        return
    for each in forward:
        await tx.run(f'ALTER TABLE "{each.table}" ALTER CONSTRAINT "{each.name}" DEFERRABLE INITIALLY DEFERRED')


async def _hold_references(tx: Tx, forward: Sequence[Reference]) -> None:
    """Every reference leads somewhere, else all is undone; from now on each is looked at at once again."""
    if tx.engine == "sqlite":  # it looks at the commit, and forgets by itself that it was to wait
        return
    await tx.run("SET CONSTRAINTS ALL IMMEDIATE")
    for each in forward:
        await tx.run(f'ALTER TABLE "{each.table}" ALTER CONSTRAINT "{each.name}" NOT DEFERRABLE')


async def _go_on_counting(tx: Tx) -> None:
    """The next row of a table gets the number after its last; SQLite sees to that by itself."""
    if tx.engine == "sqlite":
        return
    numbered = await tx.all(
        """SELECT c.relname AS "table", a.attname AS "column" FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
           WHERE c.relnamespace = current_schema()::regnamespace AND a.attidentity <> ''"""
    )
    for row in numbered:
        table, column = row["table"], row["column"]
        last = f'(SELECT MAX("{column}") FROM "{table}")'
        sequence = f"""pg_get_serial_sequence('"{table}"', '{column}')"""
        await tx.all(f"SELECT setval({sequence}, COALESCE({last}, 1), {last} IS NOT NULL)")
