"""What a handler asks for and a coordinator decides: one open question of a kind to an appeal at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.verbs import Verb
from storage.database import Row, Tx
from storage.values import from_json, from_ms, to_json, to_ms


@dataclass(frozen=True, slots=True)
class Wish:
    """An open request: what is asked (`verb`), by whom, when, with its particulars."""

    id: int
    verb: Verb
    asked_by: int
    asked_at: datetime
    facts: Mapping[str, Any]


async def ask(tx: Tx, appeal_id: int, verb: Verb, by: int, at: datetime, facts: Mapping[str, Any]) -> None:
    """Keep a request; an open one of the same kind is replaced by it."""
    await tx.run(
        "DELETE FROM requests WHERE appeal_id = :appeal AND verb = :verb AND decided_at IS NULL",
        {"appeal": appeal_id, "verb": verb.value},
    )
    await tx.run(
        "INSERT INTO requests(appeal_id, verb, asked_by, asked_at, facts) VALUES (:appeal, :verb, :by, :at, :facts)",
        {"appeal": appeal_id, "verb": verb.value, "by": by, "at": to_ms(at), "facts": to_json(facts)},
    )


_OPEN = "SELECT id, verb, asked_by, asked_at, facts FROM requests WHERE appeal_id = :appeal AND decided_at IS NULL"


async def open_one(tx: Tx, appeal_id: int) -> Wish | None:
    """The request of an appeal that waits for the coordinator's decision."""
    row = await tx.one(f"{_OPEN} AND verb <> 'agree' ORDER BY id LIMIT 1", {"appeal": appeal_id})
    return _wish(row) if row else None


async def consent(tx: Tx, appeal_id: int) -> Wish | None:
    """What the firm was asked to agree to and has not answered yet."""
    row = await tx.one(f"{_OPEN} AND verb = 'agree' ORDER BY id LIMIT 1", {"appeal": appeal_id})
    return _wish(row) if row else None


def _wish(row: Row) -> Wish:
    return Wish(row["id"], Verb(row["verb"]), row["asked_by"], from_ms(row["asked_at"]), from_json(row["facts"]))


async def undecided(tx: Tx) -> frozenset[int]:
    """The row ids of appeals about which something was asked and not decided yet."""
    rows = await tx.all("SELECT DISTINCT appeal_id FROM requests WHERE decided_at IS NULL AND verb <> 'agree'")
    return frozenset(row["appeal_id"] for row in rows)


async def decide(tx: Tx, wish: Wish, by: int, at: datetime, *, granted: bool) -> None:
    """Settle a request."""
    await tx.run(
        "UPDATE requests SET decided_by = :by, decided_at = :at, granted = :granted WHERE id = :id",
        {"by": by, "at": to_ms(at), "granted": int(granted), "id": wish.id},
    )
