"""Open the database that a URL names, at the present schema; a backend is one line here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path

from storage.database import Database
from storage.errors import UnknownBackend
from storage.migrations import SCHEMA, migrate
from storage.sqlite import open_sqlite

CONNECTIONS = 8
"""So many units run side by side in one process, where the database lets them."""


def file_of(url: str) -> str | None:
    """The file of a house that is one; None for one in memory, or on a server."""
    file = url.removeprefix("sqlite:///")
    return None if file in (url, ":memory:") else file


async def _open_sqlite(url: str, connections: int) -> Database:
    del connections  # one writer, and its own few readers
    rest = url.partition("://")[2]
    if len(rest) < len("/x") or not rest.startswith("/"):
        raise UnknownBackend("The storage URL reads sqlite:///folder/file.db, with three slashes and a file.")
    return await open_sqlite(rest[1:])


async def _open_postgres(url: str, connections: int) -> Database:
    try:
        from storage.postgres import open_postgres
    except ImportError:
        raise UnknownBackend(
            "PostgreSQL needs its driver: make run EXTRA=pg, or pip install -r requirements/pg.lock."
        ) from None
    return await open_postgres(url, connections)


def is_there(url: str) -> bool:
    """Whether there is anything to open: a SQLite file is made where there is none."""
    scheme, _, rest = url.partition("://")
    return scheme != "sqlite" or Path(rest[1:]).exists()


BACKENDS: Mapping[str, Callable[[str, int], Awaitable[Database]]] = {
    "sqlite": _open_sqlite,
    "postgresql": _open_postgres,
}


async def open_as_it_is(url: str, connections: int = 1) -> Database:
    """Open the database of a URL without bringing it up to date; see `open_database`."""
    scheme = url.partition("://")[0]
    if scheme not in BACKENDS:
        raise UnknownBackend(f"This build has no such backend; it has: {', '.join(BACKENDS)}.")
    return await BACKENDS[scheme](url, connections)


async def open_database(
    url: str,
    *,
    schema: Path = SCHEMA,
    at: datetime | None = None,
    connections: int = CONNECTIONS,
    release: str = "",
) -> Database:
    """Open the database of a URL and migrate it.

    `sqlite:///data/lianqi.db`, `sqlite:////var/lib/lianqi.db`, `sqlite:///:memory:` or `postgresql://user@host/name`.
    `at` is recorded as the time of the migrations, None takes the database's own; `release` as who did it.
    `connections` count on PostgreSQL. Errors: see storage.errors.
    """
    database = await open_as_it_is(url, connections)
    try:
        await migrate(database, schema, at=at, release=release)
    except BaseException:
        await database.close()
        raise
    return database
