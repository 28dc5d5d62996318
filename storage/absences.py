"""Who is on leave, now or soon, and who was named to stand in: read once and kept until the roster changes."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from domain import duty
from domain.duty import Absence, Cover
from domain.people import OFFICE
from storage.database import Tx
from storage.remembered import recall
from storage.values import from_ms, from_ms_or_none, to_ms

_ROLES = ", ".join(f"'{role.value}'" for role in sorted(OFFICE))
_ABLE = f"d.active = 1 AND EXISTS (SELECT 1 FROM person_roles r WHERE r.person_id = d.id AND r.role IN ({_ROLES}))"
"""Somebody of the park's side who is in the roster: nobody else stands in for anybody."""

_LEAVES = f"""
SELECT p.id, p.on_leave_from, p.on_leave_until, d.id AS deputy_id FROM people p
LEFT JOIN people d ON d.id = COALESCE(p.stand_in_id, p.deputy_id) AND d.id <> p.id AND {_ABLE}
WHERE p.active = 1 AND p.on_leave_until IS NOT NULL ORDER BY p.id
"""
_FIRMS = f"""
SELECT e.id, e.liaison_id, e.deputy_id FROM enterprises e JOIN people p ON p.id = e.liaison_id
JOIN people d ON d.id = e.deputy_id AND {_ABLE}
WHERE e.active = 1 AND p.on_leave_until IS NOT NULL ORDER BY e.id
"""


async def absences(tx: Tx) -> Sequence[Absence]:
    """Every leave that has been entered and not been told to have ended."""
    return await recall(tx, ("absences",), lambda: _read(tx))


async def _read(tx: Tx) -> tuple[Absence, ...]:
    leaves = await tx.all(_LEAVES)
    firms: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in await tx.all(_FIRMS) if leaves else ():
        firms[row["liaison_id"]].append((row["id"], row["deputy_id"]))
    return tuple(
        Absence(
            person_id=row["id"],
            until=from_ms(row["on_leave_until"]),
            since=from_ms_or_none(row["on_leave_from"]),
            deputy_id=row["deputy_id"],
            firms=tuple(firms[row["id"]]),
        )
        for row in leaves
    )


async def cover(tx: Tx, at: datetime) -> Cover:
    """Who is away at a moment, and who stands in for whom."""
    return duty.cover(await absences(tx), at)


async def absence_of(tx: Tx, person_id: int) -> Absence | None:
    """The leave of a person, running, to come, or over and not told yet."""
    return next((one for one in await absences(tx) if one.person_id == person_id), None)


async def set_leave(
    tx: Tx, person_id: int, since: datetime | None, until: datetime | None, stand_in_id: int | None
) -> None:
    """Be away from `since` up to `until` (None: be here), with this stand-in (None: the roster's deputy, if any)."""
    await tx.run(
        """UPDATE people SET on_leave_from = :since, on_leave_until = :until, stand_in_id = :stand_in
           WHERE id = :id""",
        {
            "id": person_id,
            "since": to_ms(since) if since and until else None,
            "until": to_ms(until) if until else None,
            "stand_in": stand_in_id,
        },
    )


async def set_stand_in(tx: Tx, person_id: int, stand_in_id: int) -> None:
    """Name who stands in for somebody on leave."""
    await tx.run("UPDATE people SET stand_in_id = :by WHERE id = :id", {"id": person_id, "by": stand_in_id})
