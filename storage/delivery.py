"""The outbox from the pump's side: claim under a lease, keep the body, mark the outcome; order holds within (chat, lane)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.said import Fact, from_facts
from storage.database import Row, Tx
from storage.values import from_json, from_ms, from_ms_or_none, to_json, to_ms

LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Owed:
    """A claimed row. `token` fences the marks of an earlier claimer; `body` is what was rendered before, if anything."""

    id: int
    token: int
    chat_id: int
    channel: str
    chat: str
    private: bool
    lane: int
    kind: str
    key: str
    facts: Mapping[str, Fact]
    buttons: Sequence[Sequence[Sequence[str]]]
    files: Sequence[Mapping[str, Any]]
    appeal_id: int | None
    person_id: int | None
    reply_to: str | None
    edits: int | None
    silent: bool
    attempts: int
    written_at: datetime
    expires_at: datetime | None
    first_tried_at: datetime | None
    body: Mapping[str, Any] | None


def _owed(row: Row) -> Owed:
    return Owed(
        id=row["id"],
        token=row["token"],
        chat_id=row["chat_id"],
        channel=row["channel"],
        chat=row["external_id"],
        private=bool(row["private"]),
        lane=row["lane"],
        kind=row["kind"],
        key=row["text_key"],
        facts=from_facts(from_json(row["facts"])),
        buttons=from_json(row["buttons"]),
        files=from_json(row["files"]),
        appeal_id=row["appeal_id"],
        person_id=row["person_id"],
        reply_to=row["reply_to"],
        edits=row["edits"],
        silent=bool(row["silent"]),
        attempts=row["attempts"],
        written_at=from_ms(row["written_at"]),
        expires_at=from_ms_or_none(row["expires_at"]),
        first_tried_at=from_ms_or_none(row["first_tried_at"]),
        body=from_json(row["body"]) if row["body"] else None,
    )


_HEADS = """
SELECT o.id FROM outbox o JOIN chats c ON c.id = o.chat_id
WHERE o.state = 'pending' AND o.due_at <= :civil AND o.retry_at <= :machine AND c.channel IN ({channels})
  AND NOT EXISTS (
      SELECT 1 FROM outbox e WHERE e.chat_id = o.chat_id AND e.lane = o.lane AND e.seq < o.seq
      AND (e.state = 'sending' OR (e.state = 'pending' AND e.due_at <= :civil)))
ORDER BY o.lane, o.id LIMIT :most
"""
_CLAIM = """
UPDATE outbox SET state = 'sending', token = token + 1, lease_until = :until,
                  first_tried_at = COALESCE(first_tried_at, :machine)
WHERE id = :id AND state = 'pending'
"""
_ROW = """
SELECT o.*, c.channel, c.external_id, c.private FROM outbox o JOIN chats c ON c.id = o.chat_id WHERE o.id = :id
"""


async def claim(
    tx: Tx, channels: Collection[str], civil: datetime, machine: datetime, most: int = 64
) -> Sequence[Owed]:
    """Take the heads of the lanes whose hour has come, the most urgent lane first, each under a lease of 60 seconds."""
    names = {f"channel{n}": name for n, name in enumerate(sorted(channels))}
    listed = ", ".join(f":{name}" for name in names) or "NULL"
    moment = {"civil": to_ms(civil), "machine": to_ms(machine)}
    rows = await tx.all(_HEADS.format(channels=listed), {**names, **moment, "most": most})
    claimed: list[Owed] = []
    for row in rows:
        mine = {"id": row["id"], "until": to_ms(machine + LEASE), "machine": to_ms(machine)}
        if await tx.run(_CLAIM, mine) == 1:
            full = await tx.one(_ROW, {"id": row["id"]})
            assert full is not None  # claimed just now
            claimed.append(_owed(full))
    return claimed


async def keep_body(tx: Tx, owed: Owed, body: Mapping[str, Any]) -> None:
    """Keep what was rendered, so that a retry says the very same."""
    await tx.run("UPDATE outbox SET body = :body WHERE id = :id", {"body": to_json(dict(body)), "id": owed.id})


async def mark(
    tx: Tx,
    owed: Owed,
    state: str,
    *,
    at: datetime | None = None,
    platform_id: str | None = None,
    error: str | None = None,
) -> bool:
    """Write the outcome (sent, dead, uncertain, superseded); False when another claimer has taken the row since."""
    changed = await tx.run(
        """UPDATE outbox SET state = :state, sent_at = :at, platform_id = COALESCE(:platform_id, platform_id),
                             error = :error, lease_until = NULL
           WHERE id = :id AND token = :token""",
        {
            "state": state,
            "at": to_ms(at) if at else None,
            "platform_id": platform_id,
            "error": error,
            "id": owed.id,
            "token": owed.token,
        },
    )
    return changed == 1


async def put_back(tx: Tx, owed: Owed, retry_at: datetime, error: str, *, counted: bool) -> None:
    """Not sent: the row waits until `retry_at` (machine time) at the head of its lane."""
    await tx.run(
        """UPDATE outbox SET state = 'pending', retry_at = :retry, error = :error, attempts = attempts + :counted,
                             lease_until = NULL, first_tried_at = CASE WHEN :counted = 1 THEN first_tried_at END
           WHERE id = :id AND token = :token""",
        {
            "retry": to_ms(retry_at),
            "error": error,
            "counted": int(counted),
            "id": owed.id,
            "token": owed.token,
        },
    )


async def abandoned(tx: Tx, machine: datetime) -> Sequence[Owed]:
    """Rows whose claimer has not come back within its lease: nobody knows whether they arrived."""
    rows = await tx.all(
        "SELECT id FROM outbox WHERE state = 'sending' AND lease_until <= :now", {"now": to_ms(machine)}
    )
    found = [await tx.one(_ROW, {"id": row["id"]}) for row in rows]
    return [_owed(row) for row in found if row is not None]


async def platform_id_of(tx: Tx, row_id: int) -> str | None:
    """The platform's id of a message that was sent."""
    row = await tx.one("SELECT platform_id FROM outbox WHERE id = :id", {"id": row_id})
    return row["platform_id"] if row else None


async def unreachable(tx: Tx, chat_id: int) -> None:
    """No message reaches this chat any more, until somebody speaks there again."""
    await tx.run("UPDATE chats SET reachable = 0 WHERE id = :id", {"id": chat_id})
