"""The parts of appeals in the database; written by the one door only, with the appeal that they belong to."""

from collections.abc import Mapping
from typing import Any

from domain.appeal import Appeal
from domain.parts import Outcome, Part, PartKind
from storage.database import Row, Tx
from storage.reckonings import read_reckoning, write_reckoning
from storage.values import from_ms, from_ms_or_none, to_ms, to_ms_or_none

_COLUMNS = (
    "appeal_id, n, kind, title, unit, department_id, handler_id, asked_at, asked_by, reckoned, due_at, round, "
    "acknowledged_at, progress_at, ended_at, outcome"
)
_HOLES = ", ".join(f":{name.strip()}" for name in _COLUMNS.split(","))
_CHANGES = ", ".join(f"{name.strip()} = excluded.{name.strip()}" for name in _COLUMNS.split(",")[2:])
_PUT = f"""INSERT INTO parts({_COLUMNS}) VALUES ({_HOLES})
ON CONFLICT (appeal_id, n) DO UPDATE SET {_CHANGES}"""


async def of_appeal(tx: Tx, appeal_id: int) -> tuple[Part, ...]:
    """All parts of an appeal, in the order in which they were made."""
    rows = await tx.all("SELECT * FROM parts WHERE appeal_id = :id ORDER BY n", {"id": appeal_id})
    return tuple(_part(row) for row in rows)


def _part(row: Row) -> Part:
    return Part(
        n=row["n"],
        kind=PartKind(row["kind"]),
        title=row["title"],
        unit=row["unit"],
        department_id=row["department_id"],
        handler_id=row["handler_id"],
        asked_at=from_ms(row["asked_at"]),
        reckoned=read_reckoning(row["reckoned"]),
        due=from_ms(row["due_at"]),
        asked_by=row["asked_by"],
        round=row["round"],
        acknowledged_at=from_ms_or_none(row["acknowledged_at"]),
        progress_at=from_ms_or_none(row["progress_at"]),
        ended_at=from_ms_or_none(row["ended_at"]),
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
    )


async def store(tx: Tx, appeal_id: int, before: Appeal | None, after: Appeal) -> None:
    """Write the parts that a step made or changed."""
    known = before.parts if before else ()
    for part in after.parts:
        if part not in known:
            await tx.run(_PUT, _row(appeal_id, part))


def _row(appeal_id: int, part: Part) -> Mapping[str, Any]:
    return {
        "appeal_id": appeal_id,
        "n": part.n,
        "kind": part.kind.value,
        "title": part.title,
        "unit": part.unit,
        "department_id": part.department_id,
        "handler_id": part.handler_id,
        "asked_at": to_ms(part.asked_at),
        "asked_by": part.asked_by,
        "reckoned": write_reckoning(part.reckoned),
        "due_at": to_ms(part.due),
        "round": part.round,
        "acknowledged_at": to_ms_or_none(part.acknowledged_at),
        "progress_at": to_ms_or_none(part.progress_at),
        "ended_at": to_ms_or_none(part.ended_at),
        "outcome": part.outcome.value if part.outcome else None,
    }
