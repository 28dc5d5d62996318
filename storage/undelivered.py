"""What did not arrive, or not for sure: dead letters and doubtful ones, listed by chat and cause, sent again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.database import Row, Tx
from storage.locks import HOLD
from storage.values import from_ms, to_ms

KEPT_FOR = timedelta(days=30)
"""So long what did not arrive is listed; whoever has not missed it by then will not."""

# An edit, an answer to a press and a menu are missed by nobody. What went on to its listener's next chat has arrived
# there or is listed as that. What has expired is worth nothing any more.
_OPEN = """
    o.state IN ('dead', 'uncertain') AND o.kind = 'send' AND o.written_at > :since
    AND (o.expires_at IS NULL OR o.expires_at > :at)
    AND NOT EXISTS (SELECT 1 FROM outbox leg WHERE leg.dedupe_key = 'leg:' || o.id)
    AND COALESCE((SELECT a.sealed FROM appeals a WHERE a.id = o.appeal_id), 0) IN ({sealed})
"""


@dataclass(frozen=True, slots=True)
class Lost:
    """Messages of one chat that failed in one way. `name` is the group's or the person's; `oldest` is civil time.

    `doubtful`: perhaps they arrived.
    """

    chat_id: int
    channel: str
    private: bool
    name: str
    cause: str
    doubtful: bool
    count: int
    oldest: datetime


def _which(sealed: Collection[bool]) -> str:
    return _OPEN.format(sealed=", ".join(str(int(each)) for each in sorted(sealed)) or "NULL")


def _window(at: datetime) -> dict[str, int]:
    return {"since": to_ms(at - KEPT_FOR), "at": to_ms(at)}


async def lost(tx: Tx, at: datetime, sealed: Collection[bool] = (False,)) -> Sequence[Lost]:
    """What did not arrive within 30 days, the oldest first; `sealed` says of which matters, sealed ones or others."""
    rows = await tx.all(
        f"""SELECT o.chat_id, c.channel, c.private, COALESCE(p.name, NULLIF(c.name, ''), c.external_id) AS name,
                   COALESCE(o.error, '') AS cause, o.state, COUNT(*) AS n, MIN(o.written_at) AS oldest
            FROM outbox o JOIN chats c ON c.id = o.chat_id LEFT JOIN accounts a ON a.id = c.account_id
            LEFT JOIN people p ON p.id = a.person_id WHERE {_which(sealed)}
            GROUP BY o.chat_id, c.channel, c.private, COALESCE(p.name, NULLIF(c.name, ''), c.external_id),
                     COALESCE(o.error, ''), o.state
            ORDER BY MIN(o.written_at), o.chat_id""",
        _window(at),
    )
    return [_lost(row) for row in rows]


def _lost(row: Row) -> Lost:
    return Lost(
        row["chat_id"],
        row["channel"],
        bool(row["private"]),
        row["name"],
        row["cause"],
        row["state"] == "uncertain",
        row["n"],
        from_ms(row["oldest"]),
    )


@dataclass(frozen=True, slots=True)
class Letter:
    """One of the messages that `lost` counts, by its row."""

    id: int
    chat_id: int
    person_id: int | None
    lane: int


async def letters(
    tx: Tx, at: datetime, sealed: Collection[bool] = (False,), chat_id: int | None = None
) -> Sequence[Letter]:
    """The messages that `lost` counts, in the order in which they were written; held until the transaction ends."""
    here = "" if chat_id is None else "AND o.chat_id = :chat"
    rows = await tx.all(
        f"""SELECT o.id, o.chat_id, o.person_id, o.lane FROM outbox o WHERE {_which(sealed)} {here}
            ORDER BY o.id {HOLD[tx.engine]}""",
        _window(at) | ({} if chat_id is None else {"chat": chat_id}),
    )
    return [Letter(row["id"], row["chat_id"], row["person_id"], row["lane"]) for row in rows]


async def send_again(tx: Tx, row_id: int, due: datetime) -> bool:
    """Let a message leave once more, with the same words, at its old place in its lane; False where it is under way."""
    back = await tx.run(
        """UPDATE outbox SET state = 'pending', attempts = 0, doubts = 0, retry_at = 0, first_tried_at = NULL,
                             lease_until = NULL, error = NULL, sent_at = NULL, due_at = :due
           WHERE id = :id AND state IN ('dead', 'uncertain')""",
        {"id": row_id, "due": to_ms(due)},
    )
    return back == 1


async def set_aside(tx: Tx, row_id: int) -> None:
    """Something else stands in the place of a message that did not arrive: it is missed no more."""
    await tx.run(
        "UPDATE outbox SET state = 'superseded' WHERE id = :id AND state IN ('dead', 'uncertain')", {"id": row_id}
    )
