"""What is owed: messages are rows before they are sent, in lanes whose order holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from domain.appeal import Appeal
from domain.notices import Lane
from domain.said import Button, Fact, from_facts, to_facts
from storage.database import Tx
from storage.locks import HOLD
from storage.values import from_json, from_ms, from_ms_or_none, to_json, to_ms, to_ms_or_none


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to be owed. `due` is civil time; `dedupe` makes a second one with the same key impossible.

    `kind` is send, edit (of the row `edits`) or answer (to a button press; `reply_to` holds the platform's token).
    `files` are owed documents as (text key of the file's name, facts) built by the pump, or kept files by hash.
    `mention` is the account that is called by name in a group.
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
    mention: int | None = None


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
                              edits, dedupe_key, silent, written_at, due_at, expires_at, mention)
           VALUES (:chat_id, :seq, :lane, :kind, :text_key, :facts, :buttons, :files, :appeal_id, :person_id, :reply_to,
                   :edits, :dedupe_key, :silent, :written_at, :due_at, :expires_at, :mention) RETURNING id""",
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
            "mention": letter.mention,
        },
    )
    assert row is not None  # RETURNING
    return int(row["id"])


_SENT_AS = """(
    SELECT id FROM outbox WHERE chat_id = :chat AND platform_id = :id
    UNION SELECT outbox_id FROM outbox_parts WHERE chat_id = :chat AND platform_id = :id)"""


async def appeal_of(tx: Tx, chat_id: int, platform_id: str) -> int | None:
    """The appeal that a message of ours was about, by the platform's id of that message or of a part of it."""
    row = await tx.one(
        f"SELECT appeal_id FROM outbox WHERE id IN {_SENT_AS} ORDER BY id DESC LIMIT 1",
        {"chat": chat_id, "id": platform_id},
    )
    return row["appeal_id"] if row else None


async def appeal_told(tx: Tx, chat_id: int, number: str) -> int | None:
    """The appeal of that number, if the bot has said something about it in this chat."""
    row = await tx.one(
        """SELECT a.id FROM appeals a WHERE a.number = :number
             AND EXISTS (SELECT 1 FROM outbox o WHERE o.chat_id = :chat AND o.appeal_id = a.id)""",
        {"chat": chat_id, "number": number},
    )
    return int(row["id"]) if row else None


async def appeal_answering(tx: Tx, chat_id: int, message_id: str) -> int | None:
    """The appeal to which this incoming message gave its words, by the bot's answer to it."""
    row = await tx.one(
        """SELECT appeal_id FROM outbox WHERE chat_id = :chat AND reply_to = :id AND appeal_id IS NOT NULL
             AND text_key IN ('appeal.filed', 'appeal.filed_waiting', 'work.supplemented')
           ORDER BY id DESC LIMIT 1""",
        {"chat": chat_id, "id": message_id},
    )
    return row["appeal_id"] if row else None


async def is_ours(tx: Tx, chat_id: int, platform_id: str) -> bool:
    """Whether the platform's message of that id is one of the bot's."""
    found = await tx.all(f"SELECT id FROM outbox WHERE id IN {_SENT_AS} LIMIT 1", {"chat": chat_id, "id": platform_id})
    return bool(found)


async def next_due(tx: Tx, after: datetime) -> datetime | None:
    """The earliest civil moment after `after` for which a message waits."""
    row = await tx.one(
        """SELECT MIN(due_at) AS at FROM outbox
           WHERE state IN ('pending', 'sending') AND state = 'pending' AND due_at > :after""",  # as the index has it
        {"after": to_ms(after)},
    )
    return from_ms_or_none(row["at"]) if row else None


async def waiting(tx: Tx, at: datetime) -> Sequence[tuple[int, int, datetime]]:
    """What concerns a matter and waits for its hour: row id, listener, and that hour; groups' messages apart."""
    rows = await tx.all(
        """SELECT id, person_id, due_at FROM outbox WHERE state = 'pending' AND lane = :lane AND due_at > :at
             AND person_id IS NOT NULL ORDER BY id""",
        {"lane": int(Lane.CASE), "at": to_ms(at)},
    )
    return [(row["id"], row["person_id"], from_ms(row["due_at"])) for row in rows]


async def put_off(tx: Tx, row_id: int, until: datetime) -> None:
    """Let a message that waits do so longer."""
    await tx.run("UPDATE outbox SET due_at = :due WHERE id = :id", {"due": to_ms(until), "id": row_id})


async def strike_out(tx: Tx, appeal: Appeal, at: datetime, *, whose: int | None = None) -> None:
    """Take away the buttons that status or owner of an appeal have outdated, from every message that shows them.

    What has not left yet leaves without them; what has is edited. `whose`: only from what this person was told.
    """
    rows = await tx.all(
        f"""SELECT id, chat_id, text_key, facts, buttons, person_id, state, body IS NOT NULL AS worded FROM outbox
            WHERE appeal_id = :id AND kind = 'send' AND buttons <> '[]' AND state IN ('pending', 'sending', 'sent')
            {"AND person_id = :whose" if whose is not None else ""} ORDER BY id {HOLD[tx.engine]}""",
        {"id": appeal.id} if whose is None else {"id": appeal.id, "whose": whose},
    )
    for row in rows:
        shown = from_json(row["buttons"])
        kept = [line for line in ([key for key in keys if not _is_over(key[0], appeal)] for keys in shown) if line]
        if kept == shown:
            continue
        await tx.run("UPDATE outbox SET buttons = :kept WHERE id = :id", {"kept": to_json(kept), "id": row["id"]})
        if row["worded"]:
            edit = Letter(row["chat_id"], row["text_key"], from_facts(from_json(row["facts"])), read_buttons(kept))
            edit = replace(edit, kind="edit", edits=row["id"], lane=Lane.DIGEST, person_id=row["person_id"])
            await owe(tx, edit, at=at)


async def call_off(tx: Tx, appeal_id: int, written: datetime) -> None:
    """Of a step that was taken back nobody hears: drop what it made due and has not left."""
    await tx.run(
        """UPDATE outbox SET state = 'superseded' WHERE appeal_id = :id AND written_at = :at AND due_at > written_at
           AND state = 'pending'""",
        {"id": appeal_id, "at": to_ms(written)},
    )


def _is_over(data: str, appeal: Appeal) -> bool:
    """Whether a button belongs to a state of the appeal that has passed."""
    button = Button.parse(data)
    return button is not None and button.number == appeal.number and button.version is not None


def read_buttons(kept: Sequence[Sequence[Sequence[str]]]) -> tuple[tuple[Button, ...], ...]:
    """Buttons as they stand in a row: (data, label) each, row by row."""
    found = ((replace(button, label=label) for data, label in row if (button := Button.parse(data))) for row in kept)
    return tuple(tuple(row) for row in found)
