"""What a house is made of, as the database itself tells it: its tables, in the order in which they can be filled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.database import Row, Tx

RECORD = "schema_migrations"
OWN = frozenset({RECORD, "roster_revisions"})
"""Tables that hold nothing of the park: the record of migrations, and what one engine needs for itself."""

_COLUMNS: Mapping[str, str] = {
    "sqlite": """
        SELECT m.name AS "table", c.name AS "column", c.type = 'BLOB' AS bytes, c.pk AS place
        FROM sqlite_master m, pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid""",
    "postgres": """
        SELECT c.relname AS "table", a.attname AS "column", a.atttypid = 'bytea'::regtype AS bytes,
               COALESCE(array_position(i.indkey::int2[], a.attnum) + 1, 0) AS place
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
        WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace ORDER BY c.relname, a.attnum""",
}
_REFERENCES: Mapping[str, str] = {
    "sqlite": """
        SELECT DISTINCT m.name AS "table", f."table" AS target, '' AS name
        FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'""",
    "postgres": """
        SELECT a.relname AS "table", b.relname AS target, k.conname AS name
        FROM pg_constraint k JOIN pg_class a ON a.oid = k.conrelid JOIN pg_class b ON b.oid = k.confrelid
        WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace ORDER BY k.conname""",
}


@dataclass(frozen=True, slots=True)
class Table:
    """One table; `key` are the columns of its primary key, `bytes` those that hold what is no text."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    bytes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reference:
    """A column of `table` names a row of `target`; `name` is the constraint's, on PostgreSQL."""

    table: str
    target: str
    name: str


@dataclass(frozen=True, slots=True)
class Shape:
    """Tables with those first that others refer to, and the references that lead to a later row all the same."""

    tables: Sequence[Table]
    forward: Sequence[Reference]


async def has_table(tx: Tx, name: str) -> bool:
    """Whether there is a table of that name."""
    return any(table.name == name for table in await _tables(tx))


async def columns(tx: Tx, name: str) -> Sequence[str]:
    """The columns of a table, in order; none where there is no such table."""
    return next((table.columns for table in await _tables(tx) if table.name == name), ())


async def shape(tx: Tx) -> Shape:
    """All that holds something of the park."""
    tables = {table.name: table for table in await _tables(tx) if table.name not in OWN}
    references = [
        Reference(row["table"], row["target"], row["name"])
        for row in await tx.all(_REFERENCES[tx.engine])
        if row["table"] in tables
    ]
    order = in_order(sorted(tables), references)
    place = {name: n for n, name in enumerate(order)}
    forward = [each for each in references if place[each.target] >= place[each.table]]
    return Shape([tables[name] for name in order], forward)


async def _tables(tx: Tx) -> Sequence[Table]:
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in await tx.all(_COLUMNS[tx.engine]):
        rows[row["table"]].append(row)
    return [_table(name, found) for name, found in rows.items()]


def _table(name: str, rows: Sequence[Row]) -> Table:
    keyed = sorted((row for row in rows if row["place"]), key=lambda row: int(row["place"]))
    return Table(
        name,
        tuple(row["column"] for row in rows),
        tuple(row["column"] for row in keyed),
        frozenset(row["column"] for row in rows if row["bytes"]),
    )


def in_order(names: Sequence[str], references: Sequence[Reference]) -> Sequence[str]:
    """The names with those first that others refer to; a circle is entered where it stands first in the list."""
    order: list[str] = []
    left = list(names)
    while left:
        waiting = {each.table for each in references if each.target in left and each.target != each.table}
        free = [name for name in left if name not in waiting] or left[:1]
        order += free
        left = [name for name in left if name not in free]
    return order
