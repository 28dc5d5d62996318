"""Who stands behind a platform's account: binding it to a person of the roster, and letting it go."""

from __future__ import annotations

from datetime import datetime

from storage import history
from storage.database import Tx
from storage.values import from_ms_or_none, to_ms


async def account(tx: Tx, channel: str, external_id: str) -> int:
    """The id of a platform's user, made known without a name where lianqi has not met him yet."""
    row = await tx.one(
        """INSERT INTO accounts(channel, external_id) VALUES (:channel, :id)
           ON CONFLICT (channel, external_id) DO UPDATE SET name = accounts.name RETURNING id""",
        {"channel": channel, "id": external_id},
    )
    assert row is not None  # RETURNING gives the row on both paths
    return int(row["id"])


async def shown_name(tx: Tx, account_id: int) -> str:
    """The name that the platform shows; it proves nothing."""
    row = await tx.one("SELECT name FROM accounts WHERE id = :id", {"id": account_id})
    return str(row["name"]) if row else ""


async def bound_to(tx: Tx, account_id: int) -> int | None:
    """The person an account is bound to."""
    row = await tx.one("SELECT person_id FROM accounts WHERE id = :id", {"id": account_id})
    return row["person_id"] if row else None


async def bind(tx: Tx, account_id: int, person_id: int | None, *, by: int | None, at: datetime) -> bool:
    """Bind an account to a person (None lets it go); whether that was news. `by` is who said so."""
    moved = await tx.run(
        """UPDATE accounts SET person_id = :person, bound_at = :at
           WHERE id = :id AND COALESCE(person_id, 0) <> COALESCE(:person, 0)""",
        {"id": account_id, "person": person_id, "at": to_ms(at) if person_id is not None else None},
    )
    if moved:
        facts = {"person_id": person_id}
        await history.write(tx, history.Line(f"account:{account_id}", "bind", by, at, facts))
    return moved == 1


async def open_private_chat(tx: Tx, channel: str, external_id: str, account_id: int) -> None:
    """The private chat with an account, known before a word was said in it."""
    await tx.run(
        """INSERT INTO chats(channel, external_id, private, account_id) VALUES (:channel, :id, 1, :account)
           ON CONFLICT (channel, external_id) DO UPDATE SET account_id = excluded.account_id""",
        {"channel": channel, "id": external_id, "account": account_id},
    )


async def bind_externally(
    tx: Tx, channel: str, external_id: str, person_id: int, *, by: int | None, at: datetime
) -> None:
    """Bind a platform's user, named by its id, and make his private chat known (the chat has the user's id)."""
    account_id = await account(tx, channel, external_id)
    await bind(tx, account_id, person_id, by=by, at=at)
    await open_private_chat(tx, channel, external_id, account_id)


async def bound_since(tx: Tx, account_id: int) -> datetime | None:
    """When an account was bound to the person it stands for now."""
    row = await tx.one("SELECT bound_at FROM accounts WHERE id = :id AND person_id IS NOT NULL", {"id": account_id})
    return from_ms_or_none(row["bound_at"]) if row else None


async def of_chat(tx: Tx, chat_id: int) -> int | None:
    """The account whose private chat this is."""
    row = await tx.one("SELECT account_id FROM chats WHERE id = :id AND private = 1", {"id": chat_id})
    return row["account_id"] if row else None


async def private_chat_of(tx: Tx, account_id: int) -> int | None:
    """The id of the private chat with an account, bound or not."""
    row = await tx.one(
        "SELECT MIN(id) AS id FROM chats WHERE account_id = :account AND private = 1", {"account": account_id}
    )
    return row["id"] if row else None


async def private_chat(tx: Tx, account_id: int) -> int | None:
    """The private chat that belongs to an account itself, whoever stands behind it."""
    row = await tx.one("SELECT MIN(id) AS id FROM chats WHERE private = 1 AND account_id = :id", {"id": account_id})
    return row["id"] if row else None
