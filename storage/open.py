"""Open the database that a URL names, at the present schema; a backend is one line here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path

from storage.database import Database
from storage.errors import UnknownBackend
from storage.migrations import SCHEMA, migrate
from storage.sqlite import open_sqlite

BACKENDS: Mapping[str, Callable[[str], Awaitable[Database]]] = {
    "sqlite": open_sqlite,
}
PLANNED = {"postgres": "PostgreSQL", "postgresql": "PostgreSQL"}


async def open_database(url: str, *, schema: Path = SCHEMA, at: datetime | None = None) -> Database:
    """Open `sqlite:///data/lianqi.db`, `sqlite:////var/lib/lianqi.db` or `sqlite:///:memory:` and migrate it.

    `at` is recorded as the time of the migrations; None takes the database's own. Errors: see storage.errors.
    """
    scheme, _, rest = url.partition("://")
    if scheme not in BACKENDS:
        raise UnknownBackend(
            f"This build has no {PLANNED.get(scheme, 'such')} backend yet; it has: {', '.join(BACKENDS)}."
        )
    if len(rest) < len("/x") or not rest.startswith("/"):
        raise UnknownBackend(f"The storage URL reads {scheme}:///folder/file.db, with three slashes and a file.")
    database = await BACKENDS[scheme](rest[1:])
    try:
        await migrate(database, schema, at=at)
    except BaseException:
        await database.close()
        raise
    return database
