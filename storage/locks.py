"""One after another: where several processes share the database, units that must not run side by side queue up here.

On SQLite all units run one after another anyway.
"""

from collections.abc import Mapping

from storage.database import Tx

SKIP_TAKEN: Mapping[str, str] = {"sqlite": "", "postgres": "FOR UPDATE SKIP LOCKED"}
"""Ends the SELECT that looks for a row to claim: one that another unit has in hand is passed over, not waited for."""
HOLD: Mapping[str, str] = {"sqlite": "", "postgres": "FOR UPDATE"}
"""Ends a SELECT whose row is about to be changed on the strength of what stands in it."""


async def queue_up(tx: Tx, what: str) -> None:
    """Wait until no other unit works on `what`; it is this unit's until its transaction ends."""
    if tx.engine == "postgres":
        await tx.all("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))", {"what": what})


async def is_free(tx: Tx, what: str) -> bool:
    """The same without waiting: False where another unit works on it."""
    if tx.engine != "postgres":
        return True
    (row,) = await tx.all("SELECT pg_try_advisory_xact_lock(hashtextextended(:what, 0)) AS free", {"what": what})
    return bool(row["free"])
