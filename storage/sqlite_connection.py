"""One SQLite connection: opened with the settings our promises rest on, its errors in our own words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

from storage.database import Params
from storage.errors import ConstraintViolated, StorageUnavailable, WriteRefused

MEMORY = ":memory:"
BUSY_SECONDS = 10.0
STATEMENTS_KEPT = 512
OWNER_ONLY = 0o600
SYNCHRONOUS_FULL = 2

_TROUBLE = {
    sqlite3.SQLITE_BUSY: f"another program held the database locked for more than {BUSY_SECONDS:g} seconds",
    sqlite3.SQLITE_LOCKED: "another connection held a table locked",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "reading from or writing to the disk failed",
    sqlite3.SQLITE_READONLY: "the database file or its file system is read-only",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
    sqlite3.SQLITE_PERM: "the database file may not be used by this user",
    sqlite3.SQLITE_PROTOCOL: "the locks of the database file do not work here",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
    sqlite3.SQLITE_NOTADB: "the file is not a database",
    sqlite3.SQLITE_CORRUPT: "the database file is damaged",
}


def connect(path: str) -> sqlite3.Connection:
    """Open the writer's connection, making the parent folder and the file (readable by its owner only)."""
    try:
        if path != MEMORY:
            _make_file(Path(path))
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, cached_statements=STATEMENTS_KEPT
        )
    except OSError as error:
        raise StorageUnavailable(f"Cannot use {path}: {error.strerror}.") from error
    except sqlite3.Error as error:
        raise translate(error) from error
    try:
        return _settle(connection, path)
    except BaseException:
        connection.close()
        raise


def _make_file(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, OWNER_ONLY))


def _settle(connection: sqlite3.Connection, path: str) -> sqlite3.Connection:
    for kind in (date, datetime):
        sqlite3.register_adapter(kind, _refuse_time)
    try:
        if path != MEMORY:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        check_settings(connection, path)
    except sqlite3.Error as error:
        raise translate(error) from error
    return connection


def check_settings(connection: sqlite3.Connection, path: str) -> None:
    """Read the settings back; StorageUnavailable names one SQLite did not take (WAL on a network disk)."""
    wanted = {
        "journal_mode": "memory" if path == MEMORY else "wal",
        "synchronous": SYNCHRONOUS_FULL,
        "foreign_keys": 1,
        "busy_timeout": int(BUSY_SECONDS * 1000),
    }
    for name, value in wanted.items():
        (found,) = connection.execute(f"PRAGMA {name}").fetchone()
        if found != value:
            raise StorageUnavailable(f"SQLite keeps {name} = {found} for {path}, but it must be {value}.")


def _refuse_time(value: date) -> str:
    raise TypeError(f"times are stored as milliseconds: give to_ms(...), not a {type(value).__name__}")


def translate(error: sqlite3.Error, *, reading: bool = False) -> Exception:
    """The error in storage's own classes; a mistake in the SQL stays what it is."""
    if isinstance(error, sqlite3.IntegrityError):
        return ConstraintViolated(str(error))
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if reading and code == sqlite3.SQLITE_READONLY:
        return WriteRefused("This unit was given for reading; a write needs a transaction.")
    if code in _TROUBLE:
        return StorageUnavailable(f"The database cannot work: {_TROUBLE[code]} ({error}).")
    return error


def is_busy(error: BaseException | None) -> bool:
    """Whether another program held the lock for the whole waiting time."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def plain(params: Params) -> dict[str, Any]:
    """The parameters as the one kind of mapping that sqlite3 takes."""
    return params if isinstance(params, dict) else dict(params)


def fetch(connection: sqlite3.Connection, sql: str, params: Params, most: int) -> Sequence[dict[str, Any]]:
    """The rows of one statement as mappings, `most` at the most (-1: all)."""
    cursor = connection.execute(sql, plain(params))
    if cursor.description is None:
        return []
    names = [column[0] for column in cursor.description]
    rows = cursor.fetchall() if most < 0 else cursor.fetchmany(most)
    cursor.close()
    return [dict(zip(names, row, strict=True)) for row in rows]


def change(connection: sqlite3.Connection, sql: str, params: Params) -> int:
    """Execute one statement to its end; the number of rows it changed."""
    cursor = connection.execute(sql, plain(params))
    if cursor.description is not None:
        cursor.fetchall()
    if cursor.rowcount < 0 and sql.lstrip()[:4].upper() == "WITH":
        changed: int = connection.execute("SELECT changes()").fetchone()[0]
        return changed
    return max(cursor.rowcount, 0)
