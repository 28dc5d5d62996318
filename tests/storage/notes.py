"""A schema of two small tables, and units that write to it: what the tests of the engine work with."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from storage.database import Database, Tx

TABLES = (
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE)",
    # A reference that is checked at the commit: the way to plant a commit that fails.
    """CREATE TABLE owed (id INTEGER PRIMARY KEY,
       note_id INTEGER NOT NULL REFERENCES notes(id) DEFERRABLE INITIALLY DEFERRED)""",
)
Unit = Callable[[Tx], Awaitable[int]]


async def make_tables(tx: Tx) -> None:
    for table in TABLES:
        await tx.run(table)


def write(body: str) -> Unit:
    async def unit(tx: Tx) -> int:
        return await tx.run("INSERT INTO notes (body) VALUES (:body)", {"body": body})

    return unit


def write_then_fail(body: str, error: Exception) -> Unit:
    async def unit(tx: Tx) -> int:
        await tx.run("INSERT INTO notes (body) VALUES (:body)", {"body": body})
        raise error

    return unit


async def owe_to_nobody(tx: Tx) -> int:
    return await tx.run("INSERT INTO owed (note_id) VALUES (404)")


async def bodies(database: Database) -> list[str]:
    async def unit(tx: Tx) -> list[str]:
        return [row["body"] for row in await tx.all("SELECT body FROM notes ORDER BY id")]

    return await database.reading(unit)


async def together(database: Database, *units: Unit) -> Sequence[int | BaseException]:
    """Hand the units in at one turn of the loop, so that they share a commit."""
    return await asyncio.gather(*map(database.transaction, units), return_exceptions=True)
