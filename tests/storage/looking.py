"""Looks at a whole house, on either engine: how it is made, every row, and whether all references lead somewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from storage import shape
from storage.database import Database, Row, Tx

_MADE: Mapping[str, Sequence[str]] = {
    "sqlite": (
        """SELECT m.name AS place, c.* FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'
           ORDER BY m.name, c.cid""",
        """SELECT m.name AS place, f.* FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'
           ORDER BY m.name, f.id, f.seq""",
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type <> 'table' ORDER BY name",
    ),
    "postgres": (
        """SELECT c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull,
                  a.attidentity, pg_get_expr(d.adbin, d.adrelid) AS given
           FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
           LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
           WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1, 2""",
        """SELECT conrelid::regclass::text AS "table", conname, pg_get_constraintdef(oid) AS made
           FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2""",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
        """SELECT pg_get_triggerdef(t.oid) AS made FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
           WHERE NOT tgisinternal AND c.relnamespace = 'public'::regnamespace ORDER BY 1""",
        "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
    ),
}


async def how_it_is_made(database: Database) -> list[list[Row]]:
    """Tables, columns, constraints, indexes, triggers: equal for houses that are made alike."""
    return [list(await database.reading(lambda tx, sql=sql: tx.all(sql))) for sql in _MADE[await engine(database)]]  # type: ignore[misc]  # the default binds the statement of this turn


async def engine(database: Database) -> str:
    """Which engine it is."""

    async def unit(tx: Tx) -> str:
        return tx.engine

    return await database.reading(unit)


async def contents(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table that holds something of the park, in an order that does not depend on the engine."""

    async def unit(tx: Tx) -> dict[str, list[dict[str, Any]]]:
        tables = (await shape.shape(tx)).tables
        found = {table.name: await tx.all(f'SELECT * FROM "{table.name}"') for table in tables}
        return {name: sorted(map(dict, rows), key=repr) for name, rows in found.items()}

    return await database.reading(unit)


async def broken(database: Database) -> Sequence[Row]:
    """References that lead nowhere and pages that are damaged; PostgreSQL lets neither be."""
    if await engine(database) == "postgres":
        return []
    dangling = await database.reading(lambda tx: tx.all("PRAGMA foreign_key_check"))
    (state,) = await database.reading(lambda tx: tx.all("PRAGMA integrity_check"))
    return [*dangling, *([] if state["integrity_check"] == "ok" else [state])]
