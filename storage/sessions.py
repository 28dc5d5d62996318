"""Who is signed in on the web: accounts with their private chat, and sessions known by a hash of their token."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage import accounts, people
from storage.database import Row, Tx
from storage.values import to_ms

CHANNEL = "web"
IDLE = timedelta(days=30)
_TOUCH = timedelta(hours=1)

_ACCOUNT = """
SELECT a.id, a.external_id, a.name, a.person_id, p.name AS person_name, p.language
FROM accounts a LEFT JOIN people p ON p.id = a.person_id
"""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody on the web chat; `person_id` is None for a guest whom nobody has bound. `language` is "" for a guest."""

    id: int
    external_id: str
    name: str
    person_id: int | None = None
    language: str = ""


def _account(row: Row) -> Account:
    return Account(
        id=row["id"],
        external_id=row["external_id"],
        name=row["person_name"] or row["name"],
        person_id=row["person_id"],
        language=row["language"] or "",
    )


async def account(tx: Tx, account_id: int) -> Account:
    """The web account of that id; LookupError if there is none."""
    row = await tx.one(_ACCOUNT + "WHERE a.id = :id AND a.channel = :channel", {"id": account_id, "channel": CHANNEL})
    if row is None:
        raise LookupError(f"no web account {account_id}")
    return _account(row)


async def seat(tx: Tx, external_id: str, name: str, at: datetime, person_id: int | None = None) -> Account:
    """Make an account known with its private chat, bound to a person if one is given; harmless when repeated."""
    account_id = await people.meet(tx, CHANNEL, external_id, name)
    if person_id is not None:
        await accounts.bind(tx, account_id, person_id, by=None, at=at)
    found = await account(tx, account_id)
    await open_private(tx, found, at)
    return found


async def meet_guest(tx: Tx, name: str) -> Account:
    """An account for somebody who comes for the first time."""
    return await account(tx, await people.meet(tx, CHANNEL, f"guest:{secrets.token_hex(12)}", name))


async def open_private(tx: Tx, account: Account, at: datetime) -> None:
    """Make the private chat of an account, by which it can be reached; one that stands already is kept."""
    mine = "SELECT id FROM chats WHERE channel = :channel AND private = 1 AND account_id = :account LIMIT 1"
    if await tx.all(mine, {"channel": CHANNEL, "account": account.id}):
        return
    external_id = f"private:{account.external_id}"
    await people.enter(
        tx, CHANNEL, external_id, private=True, name=account.name, account_id=account.id, at=at
    )


async def seat_of(tx: Tx, person_id: int) -> Account | None:
    """The first web account of a person: the one with his talk, which every device of his shares."""
    row = await tx.one(
        _ACCOUNT + "WHERE a.channel = :channel AND a.person_id = :person ORDER BY a.id LIMIT 1",
        {"channel": CHANNEL, "person": person_id},
    )
    return _account(row) if row else None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def begin(tx: Tx, account_id: int, now: datetime) -> str:
    """Open a session; its token (256 bits, URL-safe), which is kept nowhere. `now` is machine time."""
    token = secrets.token_urlsafe(32)
    await tx.run(
        "INSERT INTO sessions(token_hash, account_id, opened_at, seen_at) VALUES (:hash, :account, :now, :now)",
        {"hash": _hash(token), "account": account_id, "now": to_ms(now)},
    )
    return token


async def holder(tx: Tx, token: str, now: datetime) -> Account | None:
    """Whose session that is; None if it is unknown, closed, idle for 30 days, or of somebody who left the roster."""
    row = await tx.one(
        _ACCOUNT
        + """JOIN sessions s ON s.account_id = a.id
             WHERE s.token_hash = :hash AND s.closed_at IS NULL AND s.seen_at > :idle_since
               AND (a.person_id IS NULL OR p.active = 1)""",
        {"hash": _hash(token), "idle_since": to_ms(now - IDLE)},
    )
    return _account(row) if row else None


async def is_stale(tx: Tx, token: str, now: datetime) -> bool:
    """Whether `touch` would write: the session was last seen more than an hour ago."""
    row = await tx.one("SELECT seen_at FROM sessions WHERE token_hash = :hash", {"hash": _hash(token)})
    return row is not None and int(row["seen_at"]) < to_ms(now - _TOUCH)


async def touch(tx: Tx, token: str, now: datetime) -> None:
    """Note that the session is in use."""
    await tx.run(
        "UPDATE sessions SET seen_at = :now WHERE token_hash = :hash AND closed_at IS NULL",
        {"hash": _hash(token), "now": to_ms(now)},
    )


async def end(tx: Tx, token: str, now: datetime) -> None:
    """Close one session."""
    await tx.run(
        "UPDATE sessions SET closed_at = :now WHERE token_hash = :hash AND closed_at IS NULL",
        {"hash": _hash(token), "now": to_ms(now)},
    )
