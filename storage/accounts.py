"""Who stands behind a platform's account: binding it to a person of the roster, and letting it go."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from storage import history
from storage.database import Tx
from storage.values import from_ms_or_none, one_of, to_ms

KIN = ("wecom_app", "wecom_aibot")
"""Channels of one platform, which name their users alike: who is bound on one is bound on the others."""
DIRECT = "wecom_app"
"""It may write to somebody who never wrote to it."""
ANSWERS_ONLY = frozenset({"wecom_aibot"})
"""They may write only to whom has written to them."""


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
    """The name that the platform shows; it proves nothing.

    Of a user whom it names elsewhere only, the name there; of one whom it never names, his user id, which can be read.
    """
    row = await tx.one("SELECT name, channel, external_id FROM accounts WHERE id = :id", {"id": account_id})
    if row is None or row["name"] or row["channel"] not in KIN:
        return str(row["name"]) if row else ""
    kin, names = one_of("kin", KIN)
    named = await tx.all(
        f"SELECT name FROM accounts WHERE external_id = :id AND channel IN ({kin}) AND name <> ''",
        {**names, "id": row["external_id"]},
    )
    return str(named[0]["name"] if named else row["external_id"])


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
        await _bind_kin(tx, account_id, person_id, by=by, at=at)
    return moved == 1


async def _bind_kin(tx: Tx, account_id: int, person_id: int | None, *, by: int | None, at: datetime) -> None:
    """The same user of the same platform on its other channels; where he can be written to at once, his chat too."""
    row = await tx.one("SELECT channel, external_id FROM accounts WHERE id = :id", {"id": account_id})
    if row is None or row["channel"] not in KIN:
        return
    for channel in KIN:
        if channel != row["channel"]:
            await bind(tx, await account(tx, channel, row["external_id"]), person_id, by=by, at=at)
    if row["channel"] == DIRECT and person_id is not None:
        await open_private_chat(tx, DIRECT, row["external_id"], account_id)


async def open_private_chat(tx: Tx, channel: str, external_id: str, account_id: int) -> None:
    """The private chat with an account, known before a word was said in it.

    Nothing arrives there yet where the bot may only answer, and on a channel that is not running.
    """
    shut = channel in ANSWERS_ONLY or (channel == DIRECT and not await runs(tx, DIRECT))
    await tx.run(
        """INSERT INTO chats(channel, external_id, private, account_id, reachable)
           VALUES (:channel, :id, 1, :account, :open)
           ON CONFLICT (channel, external_id) DO UPDATE SET account_id = excluded.account_id""",
        {"channel": channel, "id": external_id, "account": account_id, "open": int(not shut)},
    )


async def runs(tx: Tx, channel: str) -> bool:
    """Whether a channel is switched on: it has made itself known, and nobody has run lianqi without it since."""
    return await tx.one("SELECT channel FROM bots WHERE channel = :channel", {"channel": channel}) is not None


async def switch(tx: Tx, on: Collection[str]) -> None:
    """The program starts with these channels: other bots are gone, and whom they wrote to unasked is out of reach."""
    listed, names = one_of("channel", on)
    await tx.run(f"DELETE FROM bots WHERE channel NOT IN ({listed})", names)
    await tx.run(
        f"""UPDATE chats SET reachable = 0
            WHERE channel IN ('{DIRECT}', 'wecom_group') AND channel NOT IN ({listed}) AND reachable = 1""",
        names,
    )


async def reach_all(tx: Tx, channel: str, at: datetime) -> None:
    """A channel that may write to anybody has made itself known: everybody who is known on its kin has a chat there."""
    if channel != DIRECT:
        return
    kin, names = one_of("kin", KIN)
    rows = await tx.all(
        f"""SELECT external_id, MAX(person_id) AS person_id FROM accounts
            WHERE channel IN ({kin}) AND person_id IS NOT NULL GROUP BY external_id""",
        names,
    )
    for row in rows:
        account_id = await account(tx, DIRECT, row["external_id"])
        await bind(tx, account_id, row["person_id"], by=None, at=at)
        await open_private_chat(tx, DIRECT, row["external_id"], account_id)
    await tx.run("UPDATE chats SET reachable = 1 WHERE channel = :channel AND private = 1", {"channel": DIRECT})


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
