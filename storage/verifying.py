"""Reads the chain from its beginning to its end, a page at a time, and gathers what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from domain import chain
from domain.audit import MOST_WEIGHED, Fault, Kind, Link, Orphan, Walk, Words
from domain.chain import Head
from storage import seals
from storage.database import Row, Tx
from storage.seals import End

PAGE = 2_000
MOST_ORPHANS = 20_000
_BODY = ", ".join(f"e.{column}" for column in chain.COLUMNS)
_UNSEALED = "FROM events e LEFT JOIN seals s ON s.event_id = e.id WHERE s.n IS NULL"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a verification comes to; `waiting` counts events that are not sealed yet, `erased` texts that are gone."""

    end: End | None
    faults: int
    waiting: int
    erased: int


async def verify(tx: Tx, key: bytes, heads: Sequence[Head], tell: Callable[[Fault], None]) -> Outcome:
    """Walk along the whole chain on one snapshot and tell each fault; with a wrong key only that."""
    told = _Count(tell)
    walk = Walk(key, heads)
    zero = await seals.first(tx)
    told.all(walk.start(zero or ""))
    if zero is None or told.faults:
        return Outcome(None, told.faults, 0, 0)
    while page := await _page(tx, walk.n):
        for row in page:
            told.all(walk.see(_link(row)))
    floor = await seals.floor(tx)
    orphans = await _orphans(tx, walk.missing_seals + MOST_WEIGHED)
    told.all(walk.end(orphans, floor))
    await _count_steps(tx, told)
    return Outcome(await seals.end(tx), told.faults, await _waiting(tx, floor), walk.erased)


@dataclass(slots=True)
class _Count:
    """Tells faults on, and counts them."""

    tell: Callable[[Fault], None]
    faults: int = 0

    def all(self, faults: Iterator[Fault] | Sequence[Fault]) -> None:
        for fault in faults:
            self.faults += 1
            self.tell(fault)


async def _page(tx: Tx, after: int) -> Sequence[Row]:
    return await tx.all(
        f"""SELECT s.n, s.event_id, s.hash, e.id, {_BODY}, a.number, t.salt, t.body AS words
            FROM seals s LEFT JOIN events e ON e.id = s.event_id LEFT JOIN event_texts t ON t.event_id = e.id
            LEFT JOIN appeals a ON a.id = e.appeal_id WHERE s.n > :after ORDER BY s.n LIMIT :most""",
        {"after": after, "most": PAGE},
    )


def _link(row: Row) -> Link:
    return Link(
        row["n"],
        row["event_id"],
        row["hash"],
        None if row["id"] is None else chain.body_of(row),
        row["number"],
        None if row["salt"] is None else Words(row["salt"], row["words"]),
    )


async def _orphans(tx: Tx, most: int) -> Sequence[Orphan]:
    rows = await tx.all(
        f"""SELECT e.id, {_BODY},
            (SELECT number FROM appeals WHERE id = e.appeal_id) AS number {_UNSEALED} ORDER BY e.id LIMIT :most""",
        {"most": min(most, MOST_ORPHANS)},
    )
    return [Orphan(row["id"], chain.body_of(row), row["number"]) for row in rows]


async def _waiting(tx: Tx, floor: int) -> int:
    row = await tx.one(f"SELECT COUNT(*) AS n {_UNSEALED} AND e.id > :floor", {"floor": floor})
    return int(row["n"]) if row else 0


async def _count_steps(tx: Tx, told: _Count) -> None:
    """Every version of a matter has its step: one that is at version 7 with six of them has lost one."""
    after = 0
    while rows := await tx.all(
        """SELECT a.id, a.number, a.version, (SELECT COUNT(*) FROM events e WHERE e.appeal_id = a.id
           AND e.version BETWEEN 1 AND a.version) AS steps
           FROM appeals a WHERE a.id > :after ORDER BY a.id LIMIT :most""",
        {"after": after, "most": PAGE},
    ):
        after = rows[-1]["id"]
        short = (row for row in rows if row["steps"] != row["version"])
        told.all([Fault(Kind.STEP_MISSING, 0, None, row["number"]) for row in short])
