"""Leases: which process may hold something that allows one holder, judged by the database's own clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from storage.database import Row, Tx
from storage.values import from_ms

NOW_MS: Mapping[str, str] = {
    "sqlite": "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
    "postgres": "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
}


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease as its holder was given it; `token` grows by one whenever the lease is taken anew."""

    name: str
    holder: str
    token: int
    until: datetime


async def now(tx: Tx) -> datetime:
    """The database's time, for the moments that belong to no message: leases and the record of migrations."""
    (row,) = await tx.all(f"SELECT {NOW_MS[tx.engine]} AS now_ms")
    return from_ms(row["now_ms"])


async def take(tx: Tx, name: str, holder: str, seconds: float) -> Lease | None:
    """Take the lease if it is free or has run out; None while somebody else holds it.

    Its present holder keeps the token and is given more time; everybody else gets the next token. One that would hold
    for more than twice `seconds` was taken before the clock was put back, and has run out.
    """
    clock = NOW_MS[tx.engine]
    row = await tx.one(
        f"""INSERT INTO leases (name, holder, token, until_ms) VALUES (:name, :holder, 1, {clock} + :ms)
        ON CONFLICT (name) DO UPDATE SET
            holder = excluded.holder, until_ms = excluded.until_ms,
            token = leases.token
                  + CASE WHEN leases.until_ms > {clock} AND leases.holder = excluded.holder THEN 0 ELSE 1 END
        WHERE leases.until_ms <= {clock} OR leases.until_ms > {clock} + 2 * :ms OR leases.holder = excluded.holder
        RETURNING name, holder, token, until_ms""",
        {"name": name, "holder": holder, "ms": round(seconds * 1000)},
    )
    return _lease(row)


async def seize(tx: Tx, name: str, dead: str, holder: str, seconds: float) -> Lease | None:
    """Take a lease from a holder known to be dead, without waiting for its end; None if it went elsewhere meanwhile."""
    row = await tx.one(
        f"""UPDATE leases SET holder = :holder, token = token + 1, until_ms = {NOW_MS[tx.engine]} + :ms
        WHERE name = :name AND holder = :dead RETURNING name, holder, token, until_ms""",
        {"name": name, "dead": dead, "holder": holder, "ms": round(seconds * 1000)},
    )
    return _lease(row)


async def holder_of(tx: Tx, name: str) -> str:
    """Who took the lease last; "" if nobody ever did."""
    row = await tx.one("SELECT holder FROM leases WHERE name = :name", {"name": name})
    return str(row["holder"]) if row else ""


async def any_held(tx: Tx, prefix: str) -> bool:
    """Whether somebody holds a lease whose name begins so."""
    row = await tx.one(
        f"""SELECT COUNT(*) AS held FROM leases
        WHERE substr(name, 1, CAST(:length AS INTEGER)) = :prefix AND until_ms > {NOW_MS[tx.engine]}""",
        {"prefix": prefix, "length": len(prefix)},
    )
    return row is not None and row["held"] > 0


async def renew(tx: Tx, lease: Lease, seconds: float) -> Lease | None:
    """Hold on for `seconds` from now; None when it ran out or was taken over: stop, and take it anew."""
    clock = NOW_MS[tx.engine]
    row = await tx.one(
        f"""UPDATE leases SET until_ms = {clock} + :ms
        WHERE name = :name AND holder = :holder AND token = :token AND until_ms > {clock}
        RETURNING name, holder, token, until_ms""",
        {**_key(lease), "ms": round(seconds * 1000)},
    )
    return _lease(row)


async def held(tx: Tx, lease: Lease) -> bool:
    """Whether this very lease still counts; ask it in the transaction whose writes it fences."""
    row = await tx.one(
        f"""SELECT 1 AS held FROM leases
        WHERE name = :name AND holder = :holder AND token = :token AND until_ms > {NOW_MS[tx.engine]}""",
        _key(lease),
    )
    return row is not None


async def release(tx: Tx, lease: Lease) -> bool:
    """Give the lease back early; the row stays, so that tokens keep growing. False if it was lost."""
    freed = await tx.run(
        "UPDATE leases SET until_ms = 0 WHERE name = :name AND holder = :holder AND token = :token",
        _key(lease),
    )
    return freed == 1


def _key(lease: Lease) -> dict[str, object]:
    return {"name": lease.name, "holder": lease.holder, "token": lease.token}


def _lease(row: Row | None) -> Lease | None:
    if row is None:
        return None
    return Lease(row["name"], row["holder"], row["token"], from_ms(row["until_ms"]))
