"""What came in: raw updates, committed before the platform is told so, and handled one a chat at a time."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.database import Row, Tx
from storage.locks import HOLD, SKIP_TAKEN
from storage.values import from_json, from_ms, one_of, to_json, to_ms


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


_HEADS = """
WITH RECURSIVE waiting(chat_key) AS (
    SELECT MIN(chat_key) FROM inbox WHERE state = 'new'
    UNION ALL
    SELECT (SELECT MIN(i.chat_key) FROM inbox i WHERE i.state = 'new' AND i.chat_key > waiting.chat_key)
    FROM waiting WHERE waiting.chat_key IS NOT NULL
)
SELECT head.id FROM waiting JOIN inbox head
    ON head.id = (SELECT MIN(i.id) FROM inbox i WHERE i.state = 'new' AND i.chat_key = waiting.chat_key)
WHERE head.retry_at <= :machine AND head.channel IN ({channels})
ORDER BY head.id LIMIT :most
"""


async def heads(tx: Tx, channels: Collection[str], machine: datetime, most: int = 64) -> Sequence[int]:
    """The oldest unhandled update of each chat, the longest waiting first.

    One that must wait until `retry_at` holds up its own chat alone. The walk goes from chat to chat along the index,
    so that it costs by the number of chats that wait, not by that of their messages.
    """
    listed, names = one_of("channel", channels)
    rows = await tx.all(_HEADS.format(channels=listed), {**names, "machine": to_ms(machine), "most": most})
    return [row["id"] for row in rows]


async def claim(tx: Tx, entry_id: int, machine: datetime) -> Entry | None:
    """Take an update for good in this transaction; None if another worker has it, or if it must wait by now."""
    row = await tx.one(
        f"""UPDATE inbox SET state = 'done' WHERE id = (
               SELECT id FROM inbox WHERE id = :id AND state = 'new' AND retry_at <= :machine {SKIP_TAKEN[tx.engine]})
           RETURNING id, channel, chat_key, body, received_at, attempts""",
        {"id": entry_id, "machine": to_ms(machine)},
    )
    return _entry(row) if row else None


async def reserve(tx: Tx, entry_id: int, machine: datetime, until: datetime) -> bool:
    """Keep an update from others until then, while its files are fetched; False if somebody else has it.

    Whoever reserved it claims it as of `until`; that fails where another has reserved it since.
    """
    kept = await tx.run(
        "UPDATE inbox SET retry_at = :until WHERE id = :id AND state = 'new' AND retry_at <= :machine",
        {"id": entry_id, "machine": to_ms(machine), "until": to_ms(until)},
    )
    return kept == 1


async def forget(tx: Tx, entry_id: int) -> None:
    """Keep that an update came, so that it counts once, and nothing of what it said."""
    await tx.run("UPDATE inbox SET body = '{}' WHERE id = :id", {"id": entry_id})


async def failed(tx: Tx, entry_id: int, error: str, retry_at: datetime, *, dead: bool) -> None:
    """Count a try that failed; a dead one is set aside so that its chat goes on."""
    await tx.run(
        """UPDATE inbox SET attempts = attempts + 1, error = :error, retry_at = :retry, state = :state
           WHERE id = :id AND state = 'new'""",
        {"error": error, "retry": to_ms(retry_at), "state": "dead" if dead else "new", "id": entry_id},
    )


async def entry(tx: Tx, entry_id: int, *, hold: bool = False) -> Entry | None:
    """An update as it stands, without taking it; who means to write to it may `hold` it."""
    row = await tx.one(f"SELECT * FROM inbox WHERE id = :id {HOLD[tx.engine] if hold else ''}", {"id": entry_id})
    return _entry(row) if row else None


def _entry(row: Row) -> Entry:
    return Entry(
        id=row["id"],
        channel=row["channel"],
        chat_key=row["chat_key"],
        body=from_json(row["body"]),
        received_at=from_ms(row["received_at"]),
        attempts=row["attempts"],
    )
