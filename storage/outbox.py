"""What is owed: messages are rows before they are sent, in lanes whose order holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.notices import Lane
from domain.said import Button, Fact, to_facts
from storage.database import Tx
from storage.values import from_ms_or_none, to_json, to_ms, to_ms_or_none


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to be owed. `due` is civil time; `dedupe` makes a second one with the same key impossible.

    `kind` is send, edit (of the row `edits`) or answer (to a button press; `reply_to` holds the platform's token).
    `files` are owed documents as (text key of the file's name, facts) built by the pump, or kept files by hash.
    """

    chat_id: int
    key: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    buttons: tuple[tuple[Button, ...], ...] = ()
    lane: Lane = Lane.CASE
    kind: str = "send"
    appeal_id: int | None = None
    person_id: int | None = None
    files: tuple[Mapping[str, Any], ...] = ()
    reply_to: str | None = None
    edits: int | None = None
    dedupe: str | None = None
    silent: bool = False
    expires: datetime | None = None


async def owe(tx: Tx, letter: Letter, *, at: datetime, due: datetime | None = None) -> int | None:
    """Write the row; its id, or None where a row with the same `dedupe` key stands already."""
    if letter.dedupe and await tx.one("SELECT id FROM outbox WHERE dedupe_key = :key", {"key": letter.dedupe}):
        return None
    seq = await tx.one(
        "UPDATE chats SET last_seq = last_seq + 1 WHERE id = :id RETURNING last_seq", {"id": letter.chat_id}
    )
    if seq is None:
        raise LookupError(f"no chat {letter.chat_id}")
    row = await tx.one(
        """INSERT INTO outbox(chat_id, seq, lane, kind, text_key, facts, buttons, files, appeal_id, person_id, reply_to,
                              edits, dedupe_key, silent, written_at, due_at, expires_at)
           VALUES (:chat_id, :seq, :lane, :kind, :text_key, :facts, :buttons, :files, :appeal_id, :person_id, :reply_to,
                   :edits, :dedupe_key, :silent, :written_at, :due_at, :expires_at) RETURNING id""",
        {
            "chat_id": letter.chat_id,
            "seq": seq["last_seq"],
            "lane": int(letter.lane),
            "kind": letter.kind,
            "text_key": letter.key,
            "facts": to_json(to_facts(letter.facts)),
            "buttons": to_json([[[button.data, button.label] for button in row] for row in letter.buttons]),
            "files": to_json(list(letter.files)),
            "appeal_id": letter.appeal_id,
            "person_id": letter.person_id,
            "reply_to": letter.reply_to,
            "edits": letter.edits,
            "dedupe_key": letter.dedupe,
            "silent": int(letter.silent),
            "written_at": to_ms(at),
            "due_at": to_ms(due or at),
            "expires_at": to_ms_or_none(letter.expires),
        },
    )
    assert row is not None  # RETURNING
    return int(row["id"])


async def appeal_of(tx: Tx, chat_id: int, platform_id: str) -> int | None:
    """The appeal that a message of ours was about, by the platform's id of that message."""
    row = await tx.one(
        "SELECT appeal_id FROM outbox WHERE chat_id = :chat AND platform_id = :id ORDER BY id DESC LIMIT 1",
        {"chat": chat_id, "id": platform_id},
    )
    return row["appeal_id"] if row else None


async def appeal_answering(tx: Tx, chat_id: int, message_id: str) -> int | None:
    """The appeal that the bot's answer to this incoming message was about."""
    row = await tx.one(
        """SELECT appeal_id FROM outbox WHERE chat_id = :chat AND reply_to = :id AND appeal_id IS NOT NULL
           ORDER BY id DESC LIMIT 1""",
        {"chat": chat_id, "id": message_id},
    )
    return row["appeal_id"] if row else None


async def is_ours(tx: Tx, chat_id: int, platform_id: str) -> bool:
    """Whether the platform's message of that id is one of the bot's."""
    found = await tx.all(
        "SELECT id FROM outbox WHERE chat_id = :chat AND platform_id = :id LIMIT 1",
        {"chat": chat_id, "id": platform_id},
    )
    return bool(found)


async def next_due(tx: Tx, after: datetime) -> datetime | None:
    """The earliest civil moment after `after` for which a message waits."""
    row = await tx.one(
        "SELECT MIN(due_at) AS at FROM outbox WHERE state = 'pending' AND due_at > :after", {"after": to_ms(after)}
    )
    return from_ms_or_none(row["at"]) if row else None
