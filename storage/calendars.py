"""The park's own calendar: imported year tables and local closures, and the rules that are in force with them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache

from domain.appeal import OPEN
from domain.closures import Closure
from domain.holidays import YearTable
from domain.rules import Rules
from domain.workdays import Calendar
from storage.database import Tx
from storage.history import Line, write
from storage.remembered import recall
from storage.values import from_json, one_of, to_json, to_ms

SUBJECT = "calendar"
"""To whom it happened, in the history."""


@dataclass(frozen=True, slots=True)
class _Own:
    """All that the park has entered: year tables as they are stored, closures in their order."""

    bodies: tuple[str, ...]
    closures: tuple[Closure, ...]


# What is in force -----------------------------------------------------------------------------------------------------
async def in_force(tx: Tx, rules: Rules) -> Rules:
    """The rules with the calendar as the database has it now; every unit of work begins with it.

    Read once until it changes, here or by another program: a unit pays a look into a dict.
    """
    _, made = await recall(tx, (SUBJECT, id(rules)), lambda: _made(tx, rules))
    return made


async def _made(tx: Tx, rules: Rules) -> tuple[Rules, Rules]:
    """The rules as given, kept so that no others come to bear their id, and as they are in force."""
    base, own = rules.calendar, await _own(tx)
    days = frozenset(closure.day for closure in own.closures)
    if not own.bodies and days == base.closures:
        return rules, rules
    return rules, replace(rules, calendar=_amended(base, own.bodies, days))


@lru_cache(maxsize=16)
def _amended(base: Calendar, bodies: tuple[str, ...], days: frozenset[date]) -> Calendar:
    """Kept as long as nothing changes, for a calendar lays out its years once."""
    return base.amended((_table(body) for body in bodies), days)


async def _own(tx: Tx) -> _Own:
    return await recall(tx, SUBJECT, lambda: _read(tx))


async def _read(tx: Tx) -> _Own:
    rows = await tx.all(
        """SELECT 0 AS part, CAST(year AS TEXT) AS name, body FROM calendar_years
           UNION ALL SELECT 1, day, reason FROM closures ORDER BY 1, 2"""
    )
    closures = (Closure(date.fromisoformat(row["name"]), row["body"]) for row in rows if row["part"])
    return _Own(tuple(row["body"] for row in rows if not row["part"]), tuple(closures))


async def closures(tx: Tx, since: date) -> Sequence[Closure]:
    """The closures from a day on, in their order."""
    return [closure for closure in (await _own(tx)).closures if closure.day >= since]


# Changes --------------------------------------------------------------------------------------------------------------
async def put_year(tx: Tx, table: YearTable, at: datetime) -> None:
    """Keep a year's table; it takes the place of the one before it and of the one that comes with the program."""
    body = _body(table)
    await tx.run(
        """INSERT INTO calendar_years(year, body, imported_at) VALUES (:year, :body, :at)
           ON CONFLICT (year) DO UPDATE SET body = excluded.body, imported_at = excluded.imported_at""",
        {"year": table.year, "body": body, "at": to_ms(at)},
    )
    await write(tx, Line(SUBJECT, "year_table", None, at, {"year": table.year, "table": body}))


async def close(tx: Tx, closures: Iterable[Closure], by: int | None, at: datetime) -> None:
    """Nobody works on these days; of a day that is closed already the reason is replaced."""
    for closure in closures:
        day = closure.day.isoformat()
        await tx.run(
            """INSERT INTO closures(day, reason, entered_by, entered_at) VALUES (:day, :reason, :by, :at)
               ON CONFLICT (day) DO UPDATE SET reason = excluded.reason""",
            {"day": day, "reason": closure.reason, "by": by, "at": to_ms(at)},
        )
        await write(tx, Line(SUBJECT, "closed", by, at, {"day": closure.day}, text=closure.reason))


async def reopen(tx: Tx, days: Iterable[date], by: int | None, at: datetime) -> None:
    """What the year's table says holds on these days again."""
    for day in days:
        await tx.run("DELETE FROM closures WHERE day = :day", {"day": day.isoformat()})
        await write(tx, Line(SUBJECT, "reopened", by, at, {"day": day}))


def _body(table: YearTable) -> str:
    return to_json(
        {
            "year": table.year,
            "published": table.published,
            "holidays": [day.isoformat() for day in sorted(table.holidays)],
            "makeup_workdays": [day.isoformat() for day in sorted(table.makeup_workdays)],
        }
    )


@lru_cache(maxsize=64)
def _table(body: str) -> YearTable:
    kept = from_json(body)
    return YearTable(
        year=kept["year"],
        holidays=frozenset(map(date.fromisoformat, kept["holidays"])),
        makeup_workdays=frozenset(map(date.fromisoformat, kept["makeup_workdays"])),
        published=kept["published"],
    )


# Counting again -------------------------------------------------------------------------------------------------------
async def counted_by(tx: Tx) -> str:
    """The fingerprint of the calendar by which all dates were counted last; empty where that never happened."""
    row = await tx.one("SELECT fingerprint FROM calendar_counted WHERE id = 1")
    return row["fingerprint"] if row else ""


async def take_count(tx: Tx, fingerprint: str, at: datetime) -> bool:
    """Take the turn of counting by this calendar, in the transaction that counts; False where it was taken already."""
    taken = await tx.run(
        """UPDATE calendar_counted SET fingerprint = :fingerprint, counted_at = :at
           WHERE id = 1 AND fingerprint <> :fingerprint""",
        {"fingerprint": fingerprint, "at": to_ms(at)},
    )
    return taken == 1


async def concerned(tx: Tx) -> Sequence[int]:
    """The row ids of appeals whose dates may move, or at which the clock will look again."""
    listed, statuses = one_of("status", OPEN)
    rows = await tx.all(
        f"SELECT id FROM appeals WHERE status IN ({listed}) OR next_due_at IS NOT NULL ORDER BY id", statuses
    )
    return [row["id"] for row in rows]
