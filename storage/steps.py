"""A conversation half-way: what was asked of one person in one chat, kept for half an hour and across restarts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.verbs import Verb
from storage.database import Tx
from storage.values import from_json, to_json, to_ms

LIFETIME = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Step:
    """The command that waits for an answer. `facts`: numbers, text, attachments, keep, offers (JSON-able)."""

    verb: Verb
    facts: Mapping[str, Any]


async def waiting(tx: Tx, chat_id: int, account_id: int, at: datetime) -> Step | None:
    """What was asked here and not yet answered."""
    row = await tx.one(
        "SELECT verb, facts FROM steps WHERE chat_id = :chat AND account_id = :account AND expires_at > :at",
        {"chat": chat_id, "account": account_id, "at": to_ms(at)},
    )
    return Step(Verb(row["verb"]), from_json(row["facts"])) if row else None


async def wait(tx: Tx, chat_id: int, account_id: int, step: Step, at: datetime) -> None:
    """Keep a question; it takes the place of an earlier one."""
    await tx.run(
        """INSERT INTO steps(chat_id, account_id, verb, facts, expires_at)
           VALUES (:chat, :account, :verb, :facts, :expires)
           ON CONFLICT (chat_id, account_id)
           DO UPDATE SET verb = excluded.verb, facts = excluded.facts, expires_at = excluded.expires_at""",
        {
            "chat": chat_id,
            "account": account_id,
            "verb": step.verb.value,
            "facts": to_json(step.facts),
            "expires": to_ms(at + LIFETIME),
        },
    )


async def end(tx: Tx, chat_id: int, account_id: int) -> bool:
    """Forget the question; whether there was one."""
    ended = await tx.run(
        "DELETE FROM steps WHERE chat_id = :chat AND account_id = :account", {"chat": chat_id, "account": account_id}
    )
    return ended > 0
