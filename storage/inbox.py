"""What came in: raw updates, committed before the platform is told so, and handled one a chat at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.database import Tx
from storage.values import from_json, from_ms, to_json, to_ms


@dataclass(frozen=True, slots=True)
class Entry:
    """One raw update. `received_at` is civil time; `attempts` counts the tries that failed."""

    id: int
    channel: str
    chat_key: str
    body: Mapping[str, Any]
    received_at: datetime
    attempts: int


async def keep(
    tx: Tx, channel: str, account: str, external_id: str, chat: str, body: Mapping[str, Any], at: datetime
) -> int | None:
    """Store an update; its id, or None for one that is stored already."""
    row = await tx.one(
        """INSERT INTO inbox(channel, account, external_id, chat_key, body, received_at)
           VALUES (:channel, :account, :id, :chat, :body, :at)
           ON CONFLICT (channel, account, external_id) DO NOTHING RETURNING id""",
        {
            "channel": channel,
            "account": account,
            "id": external_id,
            "chat": f"{channel}:{chat}",
            "body": to_json(dict(body)),
            "at": to_ms(at),
        },
    )
    return int(row["id"]) if row else None


async def heads(tx: Tx, machine: datetime, most: int = 64) -> Sequence[int]:
    """The oldest unhandled update of each chat, the longest waiting first; one that must wait holds up its own chat."""
    rows = await tx.all(
        """SELECT MIN(id) AS id, chat_key FROM inbox WHERE state = 'new' GROUP BY chat_key ORDER BY 1 LIMIT :most""",
        {"most": most * 4},
    )
    ready = [int(row["id"]) for row in rows]
    waiting = await tx.all("SELECT id FROM inbox WHERE state = 'new' AND retry_at > :now", {"now": to_ms(machine)})
    held = {int(row["id"]) for row in waiting}
    return [entry for entry in ready if entry not in held][:most]


async def claim(tx: Tx, entry_id: int) -> Entry | None:
    """Take an update for good in this transaction; None if another worker has."""
    row = await tx.one(
        """UPDATE inbox SET state = 'done' WHERE id = :id AND state = 'new'
           RETURNING id, channel, chat_key, body, received_at, attempts""",
        {"id": entry_id},
    )
    if row is None:
        return None
    return Entry(
        row["id"],
        row["channel"],
        row["chat_key"],
        from_json(row["body"]),
        from_ms(row["received_at"]),
        row["attempts"],
    )


async def failed(tx: Tx, entry_id: int, error: str, retry_at: datetime, *, dead: bool) -> None:
    """Count a try that failed; a dead one is set aside so that its chat goes on."""
    await tx.run(
        """UPDATE inbox SET attempts = attempts + 1, error = :error, retry_at = :retry, state = :state
           WHERE id = :id AND state = 'new'""",
        {"error": error, "retry": to_ms(retry_at), "state": "dead" if dead else "new", "id": entry_id},
    )


async def entry(tx: Tx, entry_id: int) -> Entry | None:
    """An update as it stands, without taking it."""
    row = await tx.one("SELECT * FROM inbox WHERE id = :id", {"id": entry_id})
    if row is None:
        return None
    body = from_json(row["body"])
    return Entry(row["id"], row["channel"], row["chat_key"], body, from_ms(row["received_at"]), row["attempts"])
