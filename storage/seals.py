"""The seals over committed events: made in an order of their own, each once, by one unit at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain import chain
from storage.database import Row, Tx
from storage.values import from_ms

BATCH = 2_000
_AT_ONCE = 500
WINDOW: Mapping[str, int] = {"sqlite": 0, "postgres": 50_000}
"""How many seals later an event may still turn up: on PostgreSQL the lower id may be committed last."""


@dataclass(frozen=True, slots=True)
class End:
    """The last seal: its number and hash, the event it is for (0 for seal 0) and when that happened."""

    n: int
    hash: str
    event_id: int
    at: datetime | None

    @property
    def code(self) -> str:
        """How the inspector keeps it."""
        return chain.code(self.n, self.hash)


async def first(tx: Tx) -> str | None:
    """The hash of seal 0; None where no chain was begun."""
    row = await tx.one("SELECT hash FROM seals WHERE n = 0")
    return str(row["hash"]) if row else None


async def begin(tx: Tx, key: bytes) -> bool:
    """Begin the chain with this key, unless it was begun; whether the key is the chain's."""
    begun = await first(tx)
    if begun is None:
        await tx.run(
            "INSERT INTO seals(n, event_id, hash) VALUES (0, NULL, :hash) ON CONFLICT (n) DO NOTHING",
            {"hash": chain.begin(key)},
        )
        begun = await first(tx)
    return begun == chain.begin(key)


async def end(tx: Tx) -> End | None:
    """The last seal; None where no chain was begun."""
    row = await tx.one(
        """SELECT s.n, s.hash, s.event_id, e.at FROM seals s LEFT JOIN events e ON e.id = s.event_id
           ORDER BY s.n DESC LIMIT 1"""
    )
    if row is None:
        return None
    return End(row["n"], row["hash"], row["event_id"] or 0, from_ms(row["at"]) if row["at"] is not None else None)


async def floor(tx: Tx) -> int:
    """The highest event id at which nothing new is sealed any more: what turns up there was put in by hand."""
    row = await tx.one(
        """SELECT event_id FROM seals WHERE n >= (SELECT MAX(n) FROM seals) - :window
           AND (SELECT MAX(n) FROM seals) > :window ORDER BY n LIMIT 1""",
        {"window": WINDOW[tx.engine]},
    )
    return int(row["event_id"]) if row else 0


async def unsealed(tx: Tx, most: int) -> Sequence[Row]:
    """Committed events without a seal, in order of their ids."""
    return await tx.all(
        f"""SELECT e.id, {", ".join(f"e.{column}" for column in chain.COLUMNS)} FROM events e
            LEFT JOIN seals s ON s.event_id = e.id AND s.event_id > :floor
            WHERE e.id > :floor AND s.n IS NULL ORDER BY e.id LIMIT :most""",
        {"floor": await floor(tx), "most": most},
    )


async def append(tx: Tx, key: bytes, rows: Sequence[Row]) -> None:
    """Seal these events behind the end of the chain. Nobody else may do so in the meantime: n is unique."""
    last = await end(tx)
    assert last is not None  # `begin` was called before anything is sealed
    n, before = last.n, last.hash
    made: list[tuple[int, int, str]] = []
    for row in rows:
        n += 1
        before = chain.bind(key, n, row["id"], before, chain.body_of(row))
        made.append((n, row["id"], before))
    for start in range(0, len(made), _AT_ONCE):
        await _insert(tx, made[start : start + _AT_ONCE])


async def _insert(tx: Tx, made: Sequence[tuple[int, int, str]]) -> None:
    places = ", ".join(f"(:n{place}, :e{place}, :h{place})" for place in range(len(made)))
    params: dict[str, int | str] = {}
    for place, (n, event_id, seal) in enumerate(made):
        params |= {f"n{place}": n, f"e{place}": event_id, f"h{place}": seal}
    await tx.run(f"INSERT INTO seals(n, event_id, hash) VALUES {places}", params)
