"""One PostgreSQL connection: opened with the settings our promises rest on, its errors in our own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeAlias

import psycopg
from psycopg import pq
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import BytesBinaryDumper, StrDumperUnknown

from storage.database import NO_PARAMS, Params
from storage.errors import ConstraintViolated, StorageUnavailable, WriteRefused
from storage.postgres_text import numbered

OLDEST = 14
STATEMENTS_KEPT = 512
CONNECT_SECONDS = 5
LINK: Mapping[str, Any] = {
    "application_name": "lianqi",
    "client_encoding": "UTF8",
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""What the URL may say otherwise. A link that was cut without a word is noticed within ten seconds or so."""
IDLE_SECONDS = 10
"""A process that froze amid a unit loses its locks after so long, and with them the unit; shorter than a lease."""
SETTINGS = f"""
SET statement_timeout = '30s'; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s';
SET client_min_messages = 'warning'; SET standard_conforming_strings = 'on';
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
"""

Connection: TypeAlias = psycopg.Connection[dict[str, Any]]
Cursor: TypeAlias = psycopg.RawCursor[dict[str, Any]]


class ConnectionLost(StorageUnavailable):
    """The server or the way to it is gone."""


class Conflict(StorageUnavailable):
    """The server undid this unit in favour of another one; run again it finds its way free."""


class Doubled(ConstraintViolated):
    """A unique key was in the way: perhaps another unit was faster by a moment, and a second look sees its row."""


class _Int(Int8Dumper):
    """Every whole number, 0/1 for truth values too, so that a statement is one statement whatever the value."""

    def dump(self, obj: Any) -> Buffer | None:
        return b"%d" % obj


class _Text(StrDumperUnknown):
    """Text without the one character that PostgreSQL cannot keep."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\ufffd"))


class _Time(Dumper):
    def dump(self, obj: Any) -> Buffer | None:
        raise TypeError(f"times are stored as milliseconds: give to_ms(...), not a {type(obj).__name__}")


class _Truth(Loader):
    def load(self, data: Buffer) -> int:
        return int(bytes(data) == b"t")


class _Sum(Loader):
    """What PostgreSQL counts with arbitrary precision, a sum of whole numbers mostly, as SQLite would give it."""

    def load(self, data: Buffer) -> int | float:
        text = bytes(data).decode()
        return float(text) if "." in text or "N" in text else int(text)


def connect(url: str) -> Connection:
    """Open a connection; StorageUnavailable says why it cannot, without a password."""
    try:
        wanted = {**LINK, **conninfo_to_dict(url)}
        connection = psycopg.connect(
            **wanted, autocommit=True, cursor_factory=psycopg.RawCursor, row_factory=dict_row, prepare_threshold=2
        )
    except psycopg.Error as error:
        raise ConnectionLost(f"The database cannot be reached: {_first_line(error)}.") from None
    try:
        _settle(connection)
    except psycopg.Error as error:
        connection.close()
        raise translate(error) from None
    except BaseException:
        connection.close()
        raise
    return connection


def _settle(connection: Connection) -> None:
    connection.prepared_max = STATEMENTS_KEPT
    for kind in (int, bool):
        connection.adapters.register_dumper(kind, _Int)
    connection.adapters.register_dumper(str, _Text)
    connection.adapters.register_dumper(bytes, BytesBinaryDumper)
    for moment in (date, datetime):
        connection.adapters.register_dumper(moment, _Time)
    connection.adapters.register_loader("bool", _Truth)
    connection.adapters.register_loader("numeric", _Sum)
    connection.execute(SETTINGS)
    if connection.info.server_version < OLDEST * 10_000:
        raise StorageUnavailable(f"PostgreSQL {OLDEST} or newer is needed.")
    if connection.info.parameter_status("server_encoding") != "UTF8":
        raise StorageUnavailable("The database must be made with ENCODING 'UTF8'.")


def execute(cursor: Cursor, sql: str, params: Params = NO_PARAMS) -> None:
    """Run one statement."""
    text, names = numbered(sql)
    cursor.execute(text, [params[name] for name in names] if names else None)


def fetch(cursor: Cursor, sql: str, params: Params = NO_PARAMS) -> Sequence[dict[str, Any]]:
    """The rows of one statement, as mappings."""
    execute(cursor, sql, params)
    return cursor.fetchall() if cursor.description is not None else []


def change(cursor: Cursor, sql: str, params: Params = NO_PARAMS) -> int:
    """Run one statement; the number of rows it changed."""
    execute(cursor, sql, params)
    if (cursor.statusmessage or "").startswith("SELECT"):
        return 0
    return max(cursor.rowcount, 0)


def failed(cursor: Cursor) -> bool:
    """Whether an error of a statement stands between the transaction and its commit."""
    return cursor.connection.info.transaction_status is pq.TransactionStatus.INERROR


_CONFLICT = ("40001", "40P01")
_IDLE = "25P03"
_CANCELLED = "57014"
_PLAN_OUTDATED = "0A000"
_READ_ONLY = "25006"
_TROUBLE: Mapping[str, str] = {
    "08": "the connection broke",
    "53": "the server lacks room, memory or connections",
    "55": "another program held a lock for too long",
    "57": "the server interrupts its work",
    "58": "the server's disk or system failed",
    "XX": "the server's data is damaged",
    "28": "the server does not let this user in",
    "3D": "there is no such database",
    "25": "the server ended the transaction or takes no writes",
}
"""By the class of the error; see PostgreSQL's manual, Appendix A."""


def translate(error: psycopg.Error, *, reading: bool = False) -> Exception:
    """The error in storage's own classes; a mistake in the SQL stays what it is.

    The server's details are left out, as they quote the row: names and phone numbers.
    """
    code = error.sqlstate or ""
    told = error.diag.message_primary or _first_line(error)
    if code in _CONFLICT or (code == _PLAN_OUTDATED and "cached plan" in told):
        return Conflict(f"Another unit was in the way again and again ({told}).")
    if code == "23505":
        return Doubled(f"UNIQUE: {told}")
    if code.startswith("23") or code == "P0001":
        return ConstraintViolated(told)
    if code == _READ_ONLY and reading:
        return WriteRefused("This unit was given for reading; a write needs a transaction.")
    if isinstance(error, psycopg.OperationalError) and _is_lost(code):
        return ConnectionLost(f"The database cannot work: {_TROUBLE['08']} ({told}).")
    if code[:2] in _TROUBLE:
        return StorageUnavailable(f"The database cannot work: {_TROUBLE[code[:2]]} ({told}).")
    return error


def _is_lost(code: str) -> bool:
    """Whether the session is over: without a word, by the server's end, or because its process froze."""
    return not code or code == _IDLE or (code[:2] in ("08", "57") and code != _CANCELLED)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
