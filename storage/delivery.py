"""The outbox from the pump's side: claim under a lease, keep the body, mark the outcome; lanes keep their order."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.said import Fact, from_facts
from storage.database import Row, Tx
from storage.locks import SKIP_TAKEN
from storage.values import from_json, from_ms, from_ms_or_none, one_of, to_json, to_ms, to_ms_or_none

LEASE = timedelta(seconds=60)
NEWEST = 3000


@dataclass(frozen=True, slots=True)
class Owed:
    """A claimed row. `token` fences the marks of an earlier claimer; `body` is what was rendered before, if anything.

    `attempts` counts the sends that failed, `doubts` those of which nobody knows. `target` is the platform's id of the
    message that an edit changes, None where that one never arrived or was left behind by a move. `parts` of it have
    arrived before; `mention` is the platform's id of the user who is called by name.
    """

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
    target: str | None
    silent: bool
    attempts: int
    doubts: int
    written_at: datetime
    expires_at: datetime | None
    first_tried_at: datetime
    body: Mapping[str, Any] | None
    parts: int = 0
    mention: str | None = None


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
        target=row["target"],
        silent=bool(row["silent"]),
        attempts=row["attempts"],
        doubts=row["doubts"],
        written_at=from_ms(row["written_at"]),
        expires_at=from_ms_or_none(row["expires_at"]),
        first_tried_at=from_ms(row["first_tried_at"]),
        body=from_json(row["body"]) if row["body"] else None,
        parts=row["parts"],
        mention=row["mentioned"],
    )


# The walk goes from chat to chat along the index, so that it costs by the chats that are owed something and not by the
# messages. A row whose hour has not come holds nobody up; nor does an edit whose message is still on its way.
_HEADS = """
WITH RECURSIVE owing(chat_id) AS (
    SELECT MIN(chat_id) FROM outbox WHERE state IN ('pending', 'sending')
    UNION ALL
    SELECT (SELECT MIN(o.chat_id) FROM outbox o
            WHERE o.state IN ('pending', 'sending') AND o.chat_id > owing.chat_id)
    FROM owing WHERE owing.chat_id IS NOT NULL
),
lanes(lane) AS (VALUES (0), (1), (2), (3)),
heads(id) AS (
    SELECT (SELECT o.id FROM outbox o
            WHERE o.chat_id = owing.chat_id AND o.lane = lanes.lane AND o.state IN ('pending', 'sending')
              AND (o.state = 'sending' OR (o.due_at <= :civil AND NOT EXISTS (
                  SELECT 1 FROM outbox t WHERE t.id = o.edits AND t.state IN ('pending', 'sending'))))
            ORDER BY o.seq LIMIT 1)
    FROM owing JOIN chats c ON c.id = owing.chat_id CROSS JOIN lanes
    WHERE c.not_before <= :machine AND c.channel IN ({channels}) AND c.id NOT IN ({resting})
)
SELECT o.id, o.chat_id FROM heads JOIN outbox o ON o.id = heads.id
WHERE o.state = 'pending' AND o.retry_at <= :machine
ORDER BY o.lane, o.id LIMIT :most
"""
_CLAIM = """
UPDATE outbox SET state = 'sending', token = token + 1, lease_until = :until,
                  first_tried_at = COALESCE(first_tried_at, :machine)
WHERE id = (SELECT id FROM outbox WHERE id = :id AND state = 'pending' AND retry_at <= :machine {skip_taken})
RETURNING *
"""
_CHAT = "SELECT channel, external_id, private FROM chats WHERE id = :id"
_TARGET = "SELECT platform_id FROM outbox WHERE id = :id AND platform_id NOT LIKE 'moved:%'"
_MENTIONED = "SELECT external_id FROM accounts WHERE id = :id"
_ROW = """
SELECT o.*, c.channel, c.external_id, c.private, t.platform_id AS target, a.external_id AS mentioned
FROM outbox o JOIN chats c ON c.id = o.chat_id LEFT JOIN outbox t ON t.id = o.edits
LEFT JOIN accounts a ON a.id = o.mention
"""


async def heads(
    tx: Tx,
    channels: Collection[str],
    civil: datetime,
    machine: datetime,
    most: int = 64,
    resting: Collection[int] = (),
) -> Sequence[tuple[int, int]]:
    """The heads of the lanes whose hour has come, as (row, chat): the most urgent lane first, then the oldest row.

    Of the `resting` chats none.
    """
    if not channels:
        return []
    listed, names = one_of("channel", channels)
    not_here, rests = one_of("rest", resting or (0,))
    moment = {"civil": to_ms(civil), "machine": to_ms(machine), "most": most}
    rows = await tx.all(_HEADS.format(channels=listed, resting=not_here), {**names, **rests, **moment})
    return [(row["id"], row["chat_id"]) for row in rows]


async def claim(tx: Tx, row_id: int, machine: datetime) -> Owed | None:
    """Take a row that was a head just now, under a lease of 60 seconds; None if somebody was faster."""
    moment = {"until": to_ms(machine + LEASE), "machine": to_ms(machine)}
    row = await tx.one(_CLAIM.format(skip_taken=SKIP_TAKEN[tx.engine]), {"id": row_id, **moment})
    if row is None:
        return None
    chat = await tx.one(_CHAT, {"id": row["chat_id"]})
    target = await tx.one(_TARGET, {"id": row["edits"]}) if row["edits"] else None
    mentioned = await tx.one(_MENTIONED, {"id": row["mention"]}) if row["mention"] else None
    assert chat is not None  # the row refers to it
    about = {"target": target and target["platform_id"], "mentioned": mentioned and mentioned["external_id"]}
    return _owed({**row, **chat, **about})


async def renew(tx: Tx, owed: Owed, machine: datetime) -> bool:
    """Another 60 seconds from now; False when another claimer has taken the row since: then it must not be sent."""
    kept = await tx.run(
        "UPDATE outbox SET lease_until = :until WHERE id = :id AND token = :token AND state = 'sending'",
        {"until": to_ms(machine + LEASE), "id": owed.id, "token": owed.token},
    )
    return kept == 1


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
    """Write the outcome (sent, dead, uncertain, superseded); False when another claimer has taken the row since.

    Of a row that was given up as lost meanwhile, and not yet taken again, it may still be told that it was sent.
    """
    open_ = "state IN ('sending', 'pending', 'uncertain')" if state == "sent" else "state = 'sending'"
    changed = await tx.run(
        f"""UPDATE outbox SET state = :state, sent_at = :at, platform_id = COALESCE(:platform_id, platform_id),
                              error = :error, lease_until = NULL
            WHERE id = :id AND token = :token AND {open_}""",
        {
            "state": state,
            "at": to_ms_or_none(at),
            "platform_id": platform_id,
            "error": error,
            "id": owed.id,
            "token": owed.token,
        },
    )
    return changed == 1


async def put_back(
    tx: Tx, owed: Owed, retry_at: datetime, error: str, *, counted: bool = True, doubt: bool = False
) -> bool:
    """Not sent, or in `doubt`: the row waits until `retry_at` (machine time) at the head of its lane.

    What is not `counted` against the row leaves no trace on it, neither in its attempts nor in the time it was tried.
    """
    back = await tx.run(
        """UPDATE outbox SET state = 'pending', retry_at = :retry, error = :error, attempts = attempts + :counted,
                             doubts = doubts + :doubt, lease_until = NULL,
                             first_tried_at = CASE WHEN :counted = 1 THEN first_tried_at END
           WHERE id = :id AND token = :token AND state = 'sending'""",
        {
            "retry": to_ms(retry_at),
            "error": error,
            "counted": int(counted),
            "doubt": int(doubt),
            "id": owed.id,
            "token": owed.token,
        },
    )
    return back == 1


async def part_arrived(tx: Tx, owed: Owed, platform_id: str, *, bears_keys: bool) -> bool:
    """A part has arrived: the row waits for its next one, at the head of its lane and without a blot."""
    kept = await tx.run(
        """UPDATE outbox SET state = 'pending', parts = parts + 1, retry_at = 0, attempts = 0, doubts = 0, error = NULL,
                             lease_until = NULL, platform_id = COALESCE(:platform_id, platform_id)
           WHERE id = :id AND token = :token AND state = 'sending'""",
        {"platform_id": platform_id if bears_keys else None, "id": owed.id, "token": owed.token},
    )
    if kept and not bears_keys:
        await note_part(tx, owed, platform_id)
    return kept == 1


async def note_part(tx: Tx, owed: Owed, platform_id: str) -> None:
    """The platform's id of a part that bears no buttons, so that a reply to it is known as one to this message."""
    await tx.run(
        """INSERT INTO outbox_parts(outbox_id, chat_id, platform_id) VALUES (:id, :chat, :platform_id)
           ON CONFLICT DO NOTHING""",
        {"id": owed.id, "chat": owed.chat_id, "platform_id": platform_id},
    )


async def hold(tx: Tx, chat_id: int, until: datetime) -> None:
    """Send nothing to this chat until then (machine time), in no lane: so its platform wants."""
    await tx.run(
        "UPDATE chats SET not_before = :until WHERE id = :id AND not_before < :until",
        {"until": to_ms(until), "id": chat_id},
    )


async def left_since(tx: Tx, since: datetime, most: int) -> Sequence[Row]:
    """Channel, chat and time of the messages that left since then (machine time), the earliest first."""
    return await tx.all(
        """SELECT c.channel, c.private, o.chat_id, o.first_tried_at FROM outbox o JOIN chats c ON c.id = o.chat_id
           WHERE o.id > (SELECT COALESCE(MAX(id), 0) FROM outbox) - :most AND o.first_tried_at > :since
           ORDER BY o.first_tried_at""",
        {"since": to_ms(since), "most": most},
    )


async def last_claim(tx: Tx) -> datetime | None:
    """The latest moment (machine time) at which one of the newest messages was first tried."""
    row = await tx.one(
        """SELECT MAX(first_tried_at) AS at FROM outbox
           WHERE id > (SELECT COALESCE(MAX(id), 0) FROM outbox) - :most AND first_tried_at IS NOT NULL""",
        {"most": NEWEST},
    )
    return from_ms_or_none(row["at"]) if row else None


async def abandoned(tx: Tx, machine: datetime, *, started: bool = False) -> Sequence[Owed]:
    """Rows whose claimer has not come back within its lease: nobody knows whether they arrived.

    On SQLite one process has the house to itself: when it has just `started`, every claimed row is such a row.
    """
    alone = started and tx.engine == "sqlite"
    over = "WHERE o.state = 'sending'" if alone else "WHERE o.state = 'sending' AND o.lease_until <= :now"
    rows = await tx.all(_ROW + over + " ORDER BY o.lease_until, o.id", {} if alone else {"now": to_ms(machine)})
    return [_owed(row) for row in rows]


async def overtaken(tx: Tx, owed: Owed) -> bool:
    """Whether a later edit of the same message stands in the outbox and has not failed: then the newest wins."""
    later = await tx.all(
        """SELECT id FROM outbox WHERE edits = :edits AND id > :id
           AND state IN ('pending', 'sending', 'sent', 'uncertain') LIMIT 1""",
        {"edits": owed.edits, "id": owed.id},
    )
    return bool(later)


async def held_later(tx: Tx, owed: Owed, civil: datetime) -> Sequence[str]:
    """The conditions of the reminders to the same person behind this one whose hour has come: they say more of today.

    Whatever was held up together leaves together, so that one message an appeal does.
    """
    rows = await tx.all(
        """SELECT facts FROM outbox WHERE chat_id = :chat AND lane = :lane
             AND seq > (SELECT seq FROM outbox WHERE id = :id)
             AND state IN ('pending', 'sending') AND state = 'pending' AND kind = 'send' AND due_at <= :civil
             AND person_id = :person AND text_key IN ('remind.one', 'remind.several')""",
        {
            "chat": owed.chat_id,
            "lane": owed.lane,
            "id": owed.id,
            "civil": to_ms(civil),
            "person": owed.person_id,
        },
    )
    return [str(token) for row in rows for token in from_facts(from_json(row["facts"])).get("holds") or ()]  # type: ignore[union-attr]  # written as a list


async def unreachable(tx: Tx, chat_id: int) -> None:
    """No message reaches this chat any more, until somebody speaks there again."""
    await tx.run("UPDATE chats SET reachable = 0 WHERE id = :id", {"id": chat_id})
