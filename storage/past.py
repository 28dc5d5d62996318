"""Lays a past behind a seeded house: who lives there, and that what was owed to them has long been said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from storage.database import Row, Tx
from storage.values import to_ms


async def everybody(tx: Tx) -> Sequence[Row]:
    """Id and name of all people, in roster order."""
    return await tx.all("SELECT id, name FROM people WHERE active = 1 ORDER BY id")


async def settle(tx: Tx, at: datetime) -> int:
    """Count every message owed by now as sent at the time it was due, so that none is delivered; how many."""
    return await tx.run(
        """UPDATE outbox SET state = 'sent', sent_at = CASE WHEN due_at < :at THEN due_at ELSE :at END, attempts = 1
           WHERE state = 'pending'""",
        {"at": to_ms(at)},
    )
