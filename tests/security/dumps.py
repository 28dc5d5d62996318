"""All that a house holds, to the byte, so that what should not have changed can be seen not to have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from storage.database import Database, Row, Tx
from tests.backends import table_names

MESSAGES = (
    *("inbox", "outbox", "outbox_parts", "steps", "sqlite_sequence", "leases", "turns"),
    *("chats.last_seq", "chats.heard_at"),
)
"""What messages pass through: that one came in, that one was answered, that a question stands open."""

Dump = Mapping[str, Sequence[Row]]


async def dump(database: Database, *but: str) -> Dump:
    """Every row of every table, but for some tables or columns (`table.column`)."""

    async def look(tx: Tx) -> Dump:
        kept = [name for name in await table_names(tx) if name not in but]
        return {name: await _rows(tx, name, but) for name in kept}

    return await database.reading(look)


async def _rows(tx: Tx, table: str, but: Sequence[str]) -> list[dict[str, Any]]:
    left_out = {name.partition(".")[2] for name in but if name.startswith(f"{table}.")}
    rows = [
        {key: value for key, value in dict(row).items() if key not in left_out}
        for row in await tx.all(f"SELECT * FROM {table}")
    ]
    return sorted(rows, key=repr)


def changed(before: Dump, after: Dump) -> set[str]:
    """The tables in which something is otherwise."""
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
