"""The append-only history: what happened to whom, facts in the line, people's words apart so that they can go."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.said import Fact, to_facts
from storage.database import Row, Tx
from storage.values import from_json, from_ms, to_json, to_ms


@dataclass(frozen=True, slots=True)
class Line:
    """One event. `subject` names what it happened to ("appeal:12", "policy:3"); `text` is what a person wrote."""

    subject: str
    name: str
    by: int | None
    at: datetime
    facts: Mapping[str, Fact]
    text: str = ""
    appeal_id: int | None = None
    version: int | None = None
    from_status: str | None = None
    to_status: str | None = None


async def write(tx: Tx, line: Line) -> int:
    """Append one line; its id. Of the text only a salted digest stands in the line itself."""
    salt = secrets.token_hex(16)
    digest = hashlib.sha256((salt + line.text).encode()).hexdigest() if line.text else None
    row = await tx.one(
        """INSERT INTO events(subject, appeal_id, version, name, from_status, to_status, actor_id, at, facts,
                              text_digest)
           VALUES (:subject, :appeal, :version, :name, :before, :after, :by, :at, :facts, :digest) RETURNING id""",
        {
            "subject": line.subject,
            "appeal": line.appeal_id,
            "version": line.version,
            "name": line.name,
            "before": line.from_status,
            "after": line.to_status,
            "by": line.by,
            "at": to_ms(line.at),
            "facts": to_json(to_facts(line.facts)),
            "digest": digest,
        },
    )
    assert row is not None  # RETURNING
    if line.text:
        await tx.run(
            "INSERT INTO event_texts(event_id, salt, body) VALUES (:id, :salt, :body)",
            {"id": row["id"], "salt": salt, "body": line.text},
        )
    return int(row["id"])


async def attach(tx: Tx, event_id: int, attachments: Sequence[tuple[str, str]]) -> None:
    """Tie kept files (content hash, name) to a line."""
    for content_hash, name in attachments:
        await tx.run(
            "INSERT INTO event_files(event_id, hash, name) VALUES (:event, :hash, :name) ON CONFLICT DO NOTHING",
            {"event": event_id, "hash": content_hash, "name": name},
        )


async def count_files(tx: Tx, appeal_id: int) -> int:
    """How many files the lines of an appeal carry."""
    row = await tx.one(
        "SELECT COUNT(*) AS count FROM event_files f JOIN events e ON e.id = f.event_id WHERE e.appeal_id = :appeal",
        {"appeal": appeal_id},
    )
    return int(row["count"]) if row else 0


async def of_appeal(tx: Tx, appeal_id: int) -> Sequence[Row]:
    """All lines of an appeal in their order: name, at, statuses, facts (JSON), the actor's name, the words if kept."""
    return await tx.all(
        """SELECT e.id, e.name, e.at, e.from_status, e.to_status, e.facts, e.version, p.name AS actor, t.body AS text,
                  (SELECT COUNT(*) FROM event_files f WHERE f.event_id = e.id) AS files
           FROM events e LEFT JOIN people p ON p.id = e.actor_id LEFT JOIN event_texts t ON t.event_id = e.id
           WHERE e.appeal_id = :appeal ORDER BY e.version""",
        {"appeal": appeal_id},
    )


async def standing(tx: Tx, appeal_id: int) -> Sequence[Row]:
    """`of_appeal` without the steps that were taken back within their minute, of which nobody heard."""
    rows = await of_appeal(tx, appeal_id)
    undone = {place - 1 for place, row in enumerate(rows) if row["name"] == "take_back"}
    return [row for place, row in enumerate(rows) if place not in undone and row["name"] != "take_back"]


def taken_by(row: Row) -> str | None:
    """Who took a step: a person, or the outside unit that answered by itself, with its officer; None for the clock."""
    if row["actor"] is not None:
        return str(row["actor"])
    facts = from_json(row["facts"])
    return " ".join(facts[name] for name in ("on_behalf", "officer") if facts.get(name)) or None


async def reminders_of(tx: Tx, appeal_id: int) -> Sequence[Row]:
    """The rungs of an appeal that were told: label ("+1wd"), told_at, and the name of the listener."""
    return await tx.all(
        """SELECT r.label, r.told_at, p.name AS whom FROM rungs r
           JOIN people p ON CAST(p.id AS TEXT) = r.listener
           WHERE r.appeal_id = :appeal AND r.told_at IS NOT NULL ORDER BY r.told_at, r.id""",
        {"appeal": appeal_id},
    )


async def last_by(tx: Tx, person_id: int) -> int | None:
    """The appeal of which somebody took the last step."""
    row = await tx.one(
        "SELECT appeal_id FROM events WHERE actor_id = :who AND appeal_id IS NOT NULL ORDER BY id DESC LIMIT 1",
        {"who": person_id},
    )
    return row["appeal_id"] if row else None


async def step_at(tx: Tx, appeal_id: int, version: int) -> Row | None:
    """The step that led to a version: name, actor_id, at, from_status, facts (JSON)."""
    return await tx.one(
        "SELECT name, actor_id, at, from_status, facts FROM events WHERE appeal_id = :id AND version = :version",
        {"id": appeal_id, "version": version},
    )


async def done_before(tx: Tx, appeal_id: int, version: int) -> Mapping[str, tuple[datetime, datetime]]:
    """When each kind of step that stands was taken before a version: by its name, the first time and the last.

    What was done at once (即办) was taken on and talked over in the same moment.
    """
    done: dict[str, tuple[datetime, datetime]] = {}
    for row in await standing(tx, appeal_id):
        at = from_ms(row["at"])
        for name in _COUNTS_AS.get(row["name"], (row["name"],)) if row["version"] < version else ():
            done[name] = (done.get(name, (at, at))[0], at)
    return done


_COUNTS_AS = {"instant": ("instant", "acknowledge", "contacted")}
