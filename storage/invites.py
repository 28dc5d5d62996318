"""Single-use codes by which an account becomes somebody: made for a person, a firm or a group, kept as a hash only."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import Refused
from domain.people import Chat, Enterprise, Person, Role
from domain.words import cleaned
from storage import accounts, history, locks, people
from storage.database import Row, Tx
from storage.roster import free_name
from storage.values import to_ms

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 signs, five bits each; 0, O, 1 and I are left out because people mistake them."""

LENGTH = 10
LIFETIME = timedelta(days=7)
MOST_WRONG = 5
WATCHED = timedelta(hours=1)
SILENCE = timedelta(hours=1)
MOST_NAME = 20

_GOOD = """
SELECT i.* FROM invites i LEFT JOIN enterprises e ON e.id = i.enterprise_id
WHERE i.code_hash = :hash AND i.used_at IS NULL AND i.expires_at > :at AND COALESCE(e.active, 1) = 1
"""

CodeSource = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom a code was made for and whom it has bound: always the person, for a firm's code the firm, or the group."""

    person: Person | None = None
    enterprise: Enterprise | None = None
    chat: Chat | None = None


def new_code() -> str:
    """Fifty random bits in signs that can be read out on the phone, such as K7QF-3M9T-X2."""
    signs = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return f"{signs[:4]}-{signs[4:8]}-{signs[8:]}"


def plain(code: str) -> str:
    """A code as it is compared: however it was typed, without dashes and spaces."""
    return "".join(char for char in unicodedata.normalize("NFKC", code).upper() if char.isalnum())


def looks_like(text: str) -> bool:
    """Whether a text can be meant as a code; a firm's name never is."""
    code = plain(text)
    return len(code) == LENGTH and all(char in ALPHABET for char in code)


async def make(
    tx: Tx,
    target: Person | Enterprise | Chat,
    at: datetime,
    code_source: CodeSource = new_code,
    *,
    by: int | None = None,
) -> str:
    """A new code for a person, firm or group, good once and for seven days; only its hash is kept.

    A person has one code at a time: the new one takes the place of any that he has not used, as it may be lost.
    """
    code = code_source()
    if isinstance(target, Person):
        await tx.run(
            """UPDATE invites SET expires_at = :at WHERE person_id = :person AND used_at IS NULL
               AND expires_at > :at""",
            {"person": target.id, "at": to_ms(at)},
        )
    await tx.run(
        """INSERT INTO invites(code_hash, person_id, enterprise_id, chat_id, made_at, expires_at)
           VALUES (:hash, :person, :enterprise, :chat, :at, :expires)""",
        {
            "hash": _hash(code),
            "person": target.id if isinstance(target, Person) else None,
            "enterprise": target.id if isinstance(target, Enterprise) else None,
            "chat": target.id if isinstance(target, Chat) else None,
            "at": to_ms(at),
            "expires": to_ms(at + LIFETIME),
        },
    )
    kind = "person" if isinstance(target, Person) else "enterprise" if isinstance(target, Enterprise) else "chat"
    await history.write(tx, history.Line(f"{kind}:{target.id}", "invite", by, at, {"until": at + LIFETIME}))
    return code


async def silenced(tx: Tx, account_id: int, at: datetime) -> bool:
    """Whether an account tried so many wrong codes that it is not answered just now."""
    row = await tx.one(
        "SELECT 1 AS silent FROM bad_codes WHERE account_id = :account AND silent_until > :at",
        {"account": account_id, "at": to_ms(at)},
    )
    return row is not None


async def redeem(tx: Tx, code: str, account_id: int, at: datetime, name: str = "") -> Invited | None:
    """Bind an account by a code; `name` is what its bearer wrote in a form, if he was asked.

    None where the code is unknown, used, expired, or the account is silenced: all of them are to be answered alike.
    A wrong try is counted here, so the caller must let its transaction commit. Refused, and the code stays good,
    where the account already belongs to somebody whom the code does not fit.
    """
    await locks.queue_up(tx, "joining")
    if await silenced(tx, account_id, at):
        return None
    row = await tx.one(_GOOD, {"hash": _hash(code), "at": to_ms(at)})
    if row is None:
        await _count_wrong(tx, account_id, at)
        return None
    invited = await _bind(tx, row, account_id, at, name)
    await tx.run(
        "UPDATE invites SET used_at = :at, used_by = :account WHERE code_hash = :hash",
        {"at": to_ms(at), "account": account_id, "hash": row["code_hash"]},
    )
    await tx.run("DELETE FROM bad_codes WHERE account_id = :account", {"account": account_id})
    return invited


async def meant(tx: Tx, code: str, at: datetime) -> Invited | None:
    """For whom a good code was made, without using it, so that a page can ask first; None for any other code."""
    row = await tx.one(_GOOD, {"hash": _hash(code), "at": to_ms(at)})
    if row is None:
        return None
    return Invited(
        await people.person(tx, row["person_id"], at) if row["person_id"] is not None else None,
        await people.enterprise(tx, row["enterprise_id"]) if row["enterprise_id"] is not None else None,
        await people.chat(tx, row["chat_id"]) if row["chat_id"] is not None else None,
    )


def _hash(code: str) -> str:
    return hashlib.sha256(plain(code).encode()).hexdigest()


async def _count_wrong(tx: Tx, account_id: int, at: datetime) -> None:
    row = await tx.one("SELECT wrong, since_at FROM bad_codes WHERE account_id = :account", {"account": account_id})
    fresh = row is None or row["since_at"] <= to_ms(at - WATCHED)
    wrong = 1 if row is None or fresh else row["wrong"] + 1
    await tx.run(
        """INSERT INTO bad_codes(account_id, wrong, since_at, silent_until) VALUES (:account, :wrong, :since, :silent)
           ON CONFLICT (account_id) DO UPDATE SET wrong = excluded.wrong, since_at = excluded.since_at,
                                                  silent_until = excluded.silent_until""",
        {
            "account": account_id,
            "wrong": wrong,
            "since": to_ms(at) if row is None or fresh else row["since_at"],
            "silent": to_ms(at + SILENCE) if wrong >= MOST_WRONG else None,
        },
    )


async def _bind(tx: Tx, row: Row, account_id: int, at: datetime, name: str) -> Invited:
    if row["chat_id"] is not None:
        return Invited(chat=await _let_in(tx, row["chat_id"], account_id, at))
    if row["person_id"] is not None:
        return Invited(person=await _become(tx, row["person_id"], account_id, at))
    firm = await people.enterprise(tx, row["enterprise_id"])
    return Invited(person=await bind_to_firm(tx, firm, account_id, by=None, at=at, name=name), enterprise=firm)


async def _let_in(tx: Tx, chat_id: int, account_id: int, at: datetime) -> Chat:
    await tx.run(
        "INSERT INTO chat_guests(chat_id, account_id) VALUES (:chat, :account) ON CONFLICT DO NOTHING",
        {"chat": chat_id, "account": account_id},
    )
    await history.write(tx, history.Line(f"chat:{chat_id}", "bind", None, at, {"account_id": account_id}))
    return await people.chat(tx, chat_id)


async def _become(tx: Tx, person_id: int, account_id: int, at: datetime) -> Person:
    bound = await accounts.bound_to(tx, account_id)
    if bound not in (None, person_id):
        raise Refused("joining.bound_already")
    person = await people.person(tx, person_id, at)
    if person is None:
        raise Refused("joining.gone")
    await accounts.bind(tx, account_id, person_id, by=person_id, at=at)
    return person


async def bind_to_firm(
    tx: Tx, firm: Enterprise, account_id: int, *, by: int | None, at: datetime, name: str = ""
) -> Person:
    """Let an account speak for a firm, and return the person it is now.

    A bound contact gets the firm besides his own. Otherwise the one contact of the roster whom no account stands for is
    bound, unless `name` says somebody else; else a new contact is made, named by `name` or as the platform shows him.
    Refused for people of the park's side: nobody may press the firm's buttons from there.
    """
    await locks.queue_up(tx, "joining")
    bound = await accounts.bound_to(tx, account_id)
    person = await people.person(tx, bound, at) if bound is not None else await _awaited(tx, firm, name, at)
    if person is not None and person.in_office:
        raise Refused("joining.office_not_contact", {"firm": firm.short_name})
    person_id = person.id if person else await _new_contact(tx, firm, account_id, name)
    await _speak_for(tx, person_id, firm.id)
    await accounts.bind(tx, account_id, person_id, by=by, at=at)
    facts = {"contact_id": person_id, "account_id": account_id}
    await history.write(tx, history.Line(f"enterprise:{firm.id}", "bind", by, at, facts))
    found = await people.person(tx, person_id, at)
    assert found is not None  # bound just now
    return found


async def _awaited(tx: Tx, firm: Enterprise, name: str, at: datetime) -> Person | None:
    """The one contact of the roster whom no account stands for yet."""
    rows = await tx.all(
        """SELECT c.person_id FROM contacts c JOIN people p ON p.id = c.person_id AND p.active = 1
           WHERE c.enterprise_id = :firm AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.person_id = c.person_id)""",
        {"firm": firm.id},
    )
    found = await people.person(tx, rows[0]["person_id"], at) if len(rows) == 1 else None
    return found if found is not None and _tidy(name) in ("", found.name) else None


async def _new_contact(tx: Tx, firm: Enterprise, account_id: int, name: str) -> int:
    wanted = _tidy(name) or _tidy(await accounts.shown_name(tx, account_id)) or firm.short_name
    row = await tx.one(
        "INSERT INTO people(name, zone, self_named) VALUES (:name, :zone, 1) RETURNING id",
        {"name": await free_name(tx, wanted, firm.short_name), "zone": firm.zone},
    )
    assert row is not None  # RETURNING
    return int(row["id"])


async def _speak_for(tx: Tx, person_id: int, enterprise_id: int) -> None:
    await tx.run(
        "INSERT INTO person_roles(person_id, role) VALUES (:person, :role) ON CONFLICT DO NOTHING",
        {"person": person_id, "role": Role.CONTACT.value},
    )
    await tx.run(
        "INSERT INTO contacts(enterprise_id, person_id) VALUES (:firm, :person) ON CONFLICT DO NOTHING",
        {"firm": enterprise_id, "person": person_id},
    )


def _tidy(name: str) -> str:
    return " ".join(cleaned(name).split())[:MOST_NAME].strip()
