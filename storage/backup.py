"""Writes all that a house holds into one file, on one snapshot, while others go on working."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from domain.errors import Refused
from storage import archive, leases, shape
from storage.archive import About, Done, Member, Told
from storage.database import NO_PARAMS, Database, Params, Row, Tx
from storage.migrations import SCHEMA, read_folder, refuse_newer
from storage.shape import RECORD, Table
from storage.values import from_ms, to_ms

PAGE = 200
"""So many rows are in memory at a time; of rows that hold files, one."""
JOB = "backup"


async def back_up(database: Database, path: Path, *, park: str, release: str, told: Told) -> About:
    """Write the backup; a file of that name is there only when it is complete and on the disk.

    Refused: there is such a file already, or no house in the database. SchemaTooNew: a newer release has its hands in
    it. OSError: the file cannot be written.
    """
    archive.refuse_taken(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        about = await database.reading(lambda tx: _write(tx, part, park, release, told))
        archive.publish(part, path)
    finally:
        part.unlink(missing_ok=True)
    return about


async def _write(tx: Tx, part: Path, park: str, release: str, told: Told) -> About:
    """The whole file, from its beginning, as a unit may be run again."""
    if not await shape.has_table(tx, RECORD):
        raise Refused("backup.no_house")
    steps = await tx.all(f"SELECT * FROM {RECORD} ORDER BY number")
    refuse_newer(read_folder(SCHEMA, tx.engine), steps)
    about = About(
        park=park,
        release=release,
        engine=tx.engine,
        made_at=to_ms(await leases.now(tx)),
        steps=tuple(f"{row['number']:04}_{row['name']}" for row in steps),
    )
    tables = (await shape.shape(tx)).tables
    whole = sum([await _count(tx, table) for table in tables])
    members: list[Member] = []
    with archive.create(part) as file, archive.begin(file) as zipped:
        for table in tables:
            before = sum(member.rows for member in members)
            members.append(await _write_table(tx, zipped, table, lambda rows, done=before: told(done + rows, whole)))  # type: ignore[misc]  # the default binds the value of this turn of the loop
        about = replace(about, members=tuple(members))
        archive.seal(zipped, file, about)
    return about


async def _count(tx: Tx, table: Table) -> int:
    (row,) = await tx.all(f'SELECT COUNT(*) AS rows FROM "{table.name}"')
    return int(row["rows"])


async def _write_table(tx: Tx, zipped: zipfile.ZipFile, table: Table, told: Done) -> Member:
    with archive.begin_member(zipped, table.name, table.columns) as lines:
        page = await tx.all(_page(table, first=True))
        while page:
            for row in page:
                whole = {**row, **await _bytes(tx, table, row)}
                lines.add([whole[column] for column in table.columns])
            told(lines.rows)
            page = await tx.all(_page(table, first=False), _key(table, page[-1])) if len(page) == PAGE else ()
    return lines.member


def _page(table: Table, *, first: bool) -> str:
    """The statement for the next rows by their key, without what may be large."""
    wanted = _names([column for column in table.columns if column not in table.bytes])
    after = "" if first else f"WHERE ({_names(table.key)}) > ({_places(table.key)})"
    return f'SELECT {wanted} FROM "{table.name}" {after} ORDER BY {_names(table.key)} LIMIT {PAGE}'


async def _bytes(tx: Tx, table: Table, row: Row) -> Mapping[str, Any]:
    """What a row holds that may be large."""
    if not table.bytes:
        return NO_PARAMS
    wanted, key = _names(sorted(table.bytes)), f"({_names(table.key)}) = ({_places(table.key)})"
    (found,) = await tx.all(f'SELECT {wanted} FROM "{table.name}" WHERE {key}', _key(table, row))
    return found


def _key(table: Table, row: Row) -> Params:
    return {f"k{n}": row[column] for n, column in enumerate(table.key)}


def _places(columns: Sequence[str]) -> str:
    return ", ".join(f":k{n}" for n in range(len(columns)))


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


async def note(tx: Tx, at: datetime) -> None:
    """Note in the house that it was backed up."""
    await tx.run(
        """INSERT INTO turns (job, tick, taken_at) VALUES (:job, 'last', :at)
           ON CONFLICT (job, tick) DO UPDATE SET taken_at = excluded.taken_at""",
        {"job": JOB, "at": to_ms(at)},
    )


async def latest(tx: Tx) -> datetime | None:
    """When the house was backed up last, if ever."""
    row = await tx.one("SELECT MAX(taken_at) AS at FROM turns WHERE job = :job", {"job": JOB})
    return None if row is None or row["at"] is None else from_ms(row["at"])
