"""诉求转办单 in the database: for which part one was made, the hashes of its codes, and what came back by it."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.database import Tx
from storage.invites import ALPHABET, plain
from storage.values import from_ms, to_ms

LENGTH = 28
"""140 bits: whoever holds the link needs nothing else."""

LIFETIME = timedelta(days=14)

CodeSource = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Slip:
    """A slip whose link is good: it names a part of an appeal. `answers` counts what came back by it so far."""

    id: int
    appeal_id: int
    part: int
    expires_at: datetime
    answers: int


def new_code() -> str:
    """A random code in groups of four, which can be typed from paper."""
    signs = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(signs[n : n + 4] for n in range(0, LENGTH, 4))


async def make(tx: Tx, appeal_id: int, part: int, by: int, at: datetime) -> int:
    """A slip for a part of an appeal, good for 14 days; its id. Its codes come with its paper."""
    row = await tx.one(
        """INSERT INTO slips(appeal_id, part, made_at, made_by, expires_at)
           VALUES (:appeal, :part, :at, :by, :expires) RETURNING id""",
        {"appeal": appeal_id, "part": part, "at": to_ms(at), "by": by, "expires": to_ms(at + LIFETIME)},
    )
    assert row is not None  # RETURNING
    return int(row["id"])


async def add_code(tx: Tx, slip_id: int, code_source: CodeSource = new_code) -> str:
    """A new code of a slip, for the paper that is just being written; nothing but its hash stays behind."""
    code = code_source()
    await tx.run(
        "INSERT INTO slip_codes(code_hash, slip_id) VALUES (:hash, :slip)", {"hash": _hash(code), "slip": slip_id}
    )
    return code


async def meant(tx: Tx, code: str, at: datetime) -> Slip | None:
    """The slip of a good code; None for one that is unknown, expired, or whose last answer was given."""
    row = await tx.one(
        """SELECT s.* FROM slip_codes c JOIN slips s ON s.id = c.slip_id
           WHERE c.code_hash = :hash AND s.used_at IS NULL AND s.expires_at > :at""",
        {"hash": _hash(code), "at": to_ms(at)},
    )
    if row is None:
        return None
    return Slip(row["id"], row["appeal_id"], row["part"], from_ms(row["expires_at"]), row["answers"])


async def answered(tx: Tx, slip: Slip, at: datetime, *, final: bool) -> None:
    """Count an answer; after the final one the link is over."""
    await tx.run(
        "UPDATE slips SET answers = answers + 1, used_at = :used WHERE id = :id",
        {"used": to_ms(at) if final else None, "id": slip.id},
    )


def form_token(code: str, answers: int) -> str:
    """What the form of a page carries: it shows that it comes from this page, and that it was not sent before."""
    return hashlib.sha256(f"slip form {answers} {plain(code)}".encode()).hexdigest()


def _hash(code: str) -> str:
    return hashlib.sha256(f"slip {plain(code)}".encode()).hexdigest()
