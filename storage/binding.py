"""Who asked to be bound to which firm, and what strangers said meanwhile, kept until somebody says who they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.people import Enterprise, Role
from storage import locks
from storage.database import Row, Tx
from storage.people import enterprise
from storage.values import from_json, from_ms, from_ms_or_none, to_json, to_ms

OPEN_FOR = timedelta(days=7)
ADD_WITHIN = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class BindingRequest:
    """An account wants to speak for a firm; `agreed` is None until somebody with authority decided."""

    id: int
    account_id: int
    enterprise_id: int
    chat_id: int
    asked_at: datetime
    decided_at: datetime | None = None
    decided_by: int | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What a stranger said: `body` holds kind, text and attachments (JSON-able)."""

    id: int
    chat_id: int
    kept_at: datetime
    body: Mapping[str, Any]


def _request(row: Row) -> BindingRequest:
    return BindingRequest(
        row["id"],
        row["account_id"],
        row["enterprise_id"],
        row["chat_id"],
        from_ms(row["asked_at"]),
        from_ms_or_none(row["decided_at"]),
        row["decided_by"],
    )


async def ask(tx: Tx, account_id: int, enterprise_id: int, chat_id: int, at: datetime) -> tuple[BindingRequest, bool]:
    """The open request of this account for this firm, and whether it was made just now."""
    await locks.queue_up(tx, "joining")
    row = await tx.one(
        """SELECT * FROM binding_requests WHERE account_id = :account AND enterprise_id = :firm
           AND decided_at IS NULL AND asked_at > :since ORDER BY id DESC LIMIT 1""",
        {"account": account_id, "firm": enterprise_id, "since": to_ms(at - OPEN_FOR)},
    )
    if row is not None:
        return _request(row), False
    row = await tx.one(
        """INSERT INTO binding_requests(account_id, enterprise_id, chat_id, asked_at)
           VALUES (:account, :firm, :chat, :at) RETURNING *""",
        {"account": account_id, "firm": enterprise_id, "chat": chat_id, "at": to_ms(at)},
    )
    assert row is not None  # RETURNING
    return _request(row), True


async def by_id(tx: Tx, request_id: int) -> BindingRequest | None:
    """The request of that id."""
    row = await tx.one("SELECT * FROM binding_requests WHERE id = :id", {"id": request_id})
    return _request(row) if row else None


async def open_requests(tx: Tx, at: datetime) -> Sequence[BindingRequest]:
    """All requests that wait for somebody, the oldest first."""
    rows = await tx.all(
        "SELECT * FROM binding_requests WHERE decided_at IS NULL AND asked_at > :since ORDER BY id LIMIT 100",
        {"since": to_ms(at - OPEN_FOR)},
    )
    return [_request(row) for row in rows]


async def asked_lately(tx: Tx, account_id: int, since: datetime) -> int:
    """How often an account has asked since then; a group of several firms makes several requests at once."""
    row = await tx.one(
        """SELECT COUNT(DISTINCT asked_at) AS asked FROM binding_requests
           WHERE account_id = :account AND asked_at > :since""",
        {"account": account_id, "since": to_ms(since)},
    )
    return int(row["asked"]) if row else 0


async def decide(tx: Tx, request: BindingRequest, by: int, at: datetime) -> bool:
    """Agree to a request; False where somebody was faster. Other open requests of the account are settled with it."""
    decided = await tx.run(
        """UPDATE binding_requests SET decided_at = :at, decided_by = :by, agreed = 1
           WHERE id = :id AND decided_at IS NULL""",
        {"id": request.id, "at": to_ms(at), "by": by},
    )
    if decided == 1:
        await tx.run(
            """UPDATE binding_requests SET decided_at = :at, decided_by = :by, agreed = 0
               WHERE account_id = :account AND decided_at IS NULL""",
            {"account": request.account_id, "at": to_ms(at), "by": by},
        )
    return decided == 1


# Kept messages --------------------------------------------------------------------------------------------------------
async def keep(tx: Tx, account_id: int, chat_id: int, body: Mapping[str, Any], at: datetime) -> None:
    """Keep what a stranger said, with the moment at which he said it."""
    await tx.run(
        "INSERT INTO kept_messages(account_id, chat_id, body, kept_at) VALUES (:account, :chat, :body, :at)",
        {"account": account_id, "chat": chat_id, "body": to_json(body), "at": to_ms(at)},
    )


async def kept(tx: Tx, account_id: int) -> Sequence[Kept]:
    """What an account said and nobody filed yet, the earliest first."""
    rows = await tx.all(
        "SELECT * FROM kept_messages WHERE account_id = :account AND filed_at IS NULL ORDER BY id",
        {"account": account_id},
    )
    return [Kept(row["id"], row["chat_id"], from_ms(row["kept_at"]), from_json(row["body"])) for row in rows]


async def add_files(tx: Tx, account_id: int, chat_id: int, files: Sequence[Mapping[str, str]], at: datetime) -> bool:
    """Add pictures to what was said just before in the same chat; False where nothing was."""
    latest = await _latest(tx, account_id, chat_id, at)
    if latest is None:
        return False
    body = {**latest.body, "attachments": [*latest.body["attachments"], *files]}
    await tx.run("UPDATE kept_messages SET body = :body WHERE id = :id", {"id": latest.id, "body": to_json(body)})
    return True


async def count_files(tx: Tx, account_id: int, chat_id: int, at: datetime) -> int:
    """How many files `add_files` would add to."""
    latest = await _latest(tx, account_id, chat_id, at)
    return len(latest.body["attachments"]) if latest else 0


async def _latest(tx: Tx, account_id: int, chat_id: int, at: datetime) -> Kept | None:
    """What was said just before in the same chat."""
    found = [one for one in await kept(tx, account_id) if one.chat_id == chat_id and one.kept_at > at - ADD_WITHIN]
    return found[-1] if found else None


async def settle(tx: Tx, kept_id: int, at: datetime) -> bool:
    """Mark a kept message as filed; False where that was done before."""
    filed = await tx.run(
        "UPDATE kept_messages SET filed_at = :at WHERE id = :id AND filed_at IS NULL", {"id": kept_id, "at": to_ms(at)}
    )
    return filed == 1


# Groups and firms -----------------------------------------------------------------------------------------------------
async def mark_asked(tx: Tx, chat_id: int, at: datetime) -> bool:
    """Note that the coordinators were asked about a group; False where they were before."""
    asked = await tx.run(
        "UPDATE chats SET asked_at = :at WHERE id = :id AND asked_at IS NULL AND approved_at IS NULL",
        {"id": chat_id, "at": to_ms(at)},
    )
    return asked == 1


async def approve(tx: Tx, chat_id: int, purpose: str, at: datetime) -> bool:
    """Let a group in; False where it was approved before, or goes on as another one."""
    approved = await tx.run(
        """UPDATE chats SET approved_at = :at, purpose = COALESCE(purpose, :purpose)
           WHERE id = :id AND approved_at IS NULL AND external_id NOT LIKE 'gave way:%'""",
        {"id": chat_id, "at": to_ms(at), "purpose": purpose},
    )
    return approved == 1


async def waiting_groups(tx: Tx) -> Sequence[Row]:
    """Id and name of the groups about which the coordinators were asked and which nobody approved."""
    return await tx.all(
        """SELECT id, name, external_id FROM chats WHERE private = 0 AND approved_at IS NULL AND asked_at IS NOT NULL
           ORDER BY asked_at LIMIT 20"""
    )


async def tie(tx: Tx, chat_id: int, enterprise_id: int) -> bool:
    """Let a group be a firm's; False where it was."""
    tied = await tx.run(
        "INSERT INTO chat_enterprises(chat_id, enterprise_id) VALUES (:chat, :firm) ON CONFLICT DO NOTHING",
        {"chat": chat_id, "firm": enterprise_id},
    )
    return tied == 1


async def without_liaison(tx: Tx) -> Sequence[Enterprise]:
    """Firms with nobody who answers for them: no liaison, or one who is not in the roster or lost that role."""
    rows = await tx.all(
        """SELECT e.id FROM enterprises e WHERE e.active = 1 AND NOT EXISTS (
             SELECT 1 FROM people p JOIN person_roles r ON r.person_id = p.id AND r.role = :role
             WHERE p.id = e.liaison_id AND p.active = 1) ORDER BY e.zone, e.id""",
        {"role": Role.LIAISON.value},
    )
    return [await enterprise(tx, row["id"]) for row in rows]


# A person's own settings ----------------------------------------------------------------------------------------------
async def set_language(tx: Tx, person_id: int, language: str) -> None:
    """The language in which a person is spoken to: zh or en."""
    await tx.run("UPDATE people SET language = :language WHERE id = :id", {"id": person_id, "language": language})
