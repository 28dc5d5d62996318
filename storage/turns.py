"""Who takes the turn of a job: the first transaction, on any replica, to write its unique (job, tick) row."""

from __future__ import annotations

from datetime import datetime

from storage.database import Tx
from storage.values import to_ms


async def take(tx: Tx, job: str, tick: str, at: datetime) -> bool:
    """Take this tick of the job (a digest's date and time, a month) in the transaction that does its work.

    True once per (job, tick); False when it was taken before. A rolled back transaction gives the tick back.
    """
    taken = await tx.run(
        """INSERT INTO turns (job, tick, taken_at) VALUES (:job, :tick, :at)
        ON CONFLICT (job, tick) DO NOTHING""",
        {"job": job, "tick": tick, "at": to_ms(at)},
    )
    return taken == 1


async def taken(tx: Tx, job: str) -> frozenset[str]:
    """The ticks of a job that were taken."""
    rows = await tx.all("SELECT tick FROM turns WHERE job = :job", {"job": job})
    return frozenset(row["tick"] for row in rows)


async def forget(tx: Tx, job: str, before: datetime) -> None:
    """Let go of the ticks of a job that were taken before then."""
    await tx.run("DELETE FROM turns WHERE job = :job AND taken_at < :before", {"job": job, "before": to_ms(before)})
