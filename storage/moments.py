"""How far civil time had come when something was last written."""

from datetime import datetime

from storage.database import Tx
from storage.values import from_ms_or_none


async def latest(tx: Tx) -> datetime | None:
    """The latest civil moment that the inbox, the outbox or the history knows; None in an empty house."""
    row = await tx.one(
        """SELECT MAX(at) AS at FROM (
               SELECT MAX(received_at) AS at FROM inbox
               UNION ALL SELECT MAX(written_at) FROM outbox
               UNION ALL SELECT MAX(sent_at) FROM outbox
               UNION ALL SELECT MAX(at) FROM events) AS moments"""
    )
    return from_ms_or_none(row["at"]) if row else None
