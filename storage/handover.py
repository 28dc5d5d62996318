"""All that is in a cadre's hands, and how it passes to a colleague: matters, firms, departments, rota, deputies."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from domain.appeal import OPEN, Appeal, Status
from domain.people import Role
from storage import appeals
from storage.database import Tx
from storage.history import Line, write

MOVES = OPEN | {Status.RESOLVED}
"""Where a matter still has an owner who may have to act; what is closed keeps its name."""

Named = tuple[tuple[int, str], ...]
"""Rows by id and name."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A line of the rota that is not over."""

    id: int
    department: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Estate:
    """What would move. `deputises` are the colleagues who name him as their deputy or for their leave."""

    matters: tuple[Appeal, ...]
    liaison_of: Named
    deputy_of: Named
    chief_of: Named
    duty_of: Named
    head_of: Named
    shifts: tuple[Shift, ...]
    deputises: Named

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to move."""
        return not any((self.matters, self.shifts, self.deputises, *self._rows))

    @property
    def _rows(self) -> tuple[Named, ...]:
        return self.liaison_of, self.deputy_of, self.chief_of, self.duty_of, self.head_of

    @property
    def digest(self) -> str:
        """A short name for exactly this list: another one once anything in it is different."""
        matters = [(one.id, one.handler_id, one.liaison_id, one.due.isoformat()) for one in self.matters]
        shifts = [(one.id, one.first.isoformat(), one.last.isoformat()) for one in self.shifts]
        whole = repr((matters, self._rows, shifts, self.deputises))
        return hashlib.sha256(whole.encode()).hexdigest()[:16]

    @property
    def roles(self) -> frozenset[Role]:
        """What somebody must be to take all this over."""
        needed = {
            Role.LIAISON: self.liaison_of,
            Role.CHIEF: self.chief_of,
            Role.HEAD: self.head_of,
            Role.HANDLER: self.duty_of or self.shifts,
        }
        return frozenset(role for role, rows in needed.items() if rows)


_FIRMS = "SELECT id, short_name AS name FROM enterprises WHERE active = 1 AND {} = :id ORDER BY id"
_UNITS = "SELECT id, name FROM departments WHERE {} = :id ORDER BY id"
_PEOPLE = "SELECT id, name FROM people WHERE active = 1 AND id <> :id AND :id IN (deputy_id, stand_in_id) ORDER BY id"
_SHIFTS = """SELECT r.id, d.name, r.from_day, r.to_day FROM rota r JOIN departments d ON d.id = r.department_id
WHERE r.person_id = :id AND r.to_day >= :today ORDER BY r.from_day, r.id"""


async def estate(tx: Tx, person_id: int, today: date) -> Estate:
    """What is in a person's hands on that civil day; nothing sealed, which passes by no list."""

    async def named(query: str) -> Named:
        return tuple((row["id"], row["name"]) for row in await tx.all(query, {"id": person_id}))

    shifts = await tx.all(_SHIFTS, {"id": person_id, "today": today.isoformat()})
    return Estate(
        matters=tuple(await appeals.in_hands_of(tx, person_id, MOVES)),
        liaison_of=await named(_FIRMS.format("liaison_id")),
        deputy_of=await named(_FIRMS.format("deputy_id")),
        chief_of=await named(_FIRMS.format("chief_id")),
        duty_of=await named(_UNITS.format("duty_id")),
        head_of=await named(_UNITS.format("head_id")),
        shifts=tuple(
            Shift(row["id"], row["name"], date.fromisoformat(row["from_day"]), date.fromisoformat(row["to_day"]))
            for row in shifts
        ),
        deputises=await named(_PEOPLE),
    )


@dataclass(frozen=True, slots=True)
class Succession:
    """Who takes whose place in the roster, when and by whose word."""

    old: int
    new: int
    by: int
    at: datetime

    @property
    def params(self) -> Mapping[str, Any]:
        """For the statements below."""
        return {"old": self.old, "new": self.new}


async def move_roster(tx: Tx, found: Estate, who: Succession, today: date) -> None:
    """Put the new name where the old one stood; what would make somebody his own deputy is left blank."""
    for part, rows in (("liaison", found.liaison_of), ("deputy", found.deputy_of), ("chief", found.chief_of)):
        await tx.run(f"UPDATE enterprises SET {part}_id = :new WHERE active = 1 AND {part}_id = :old", who.params)
        await _note(tx, "enterprise", part, rows, who)
    await tx.run(
        "UPDATE enterprises SET deputy_id = NULL WHERE deputy_id = liaison_id AND liaison_id = :new", {"new": who.new}
    )
    for part, rows in (("duty", found.duty_of), ("head", found.head_of)):
        await tx.run(f"UPDATE departments SET {part}_id = :new WHERE {part}_id = :old", who.params)
        await _note(tx, "department", part, rows, who)
    for column in ("deputy_id", "stand_in_id"):
        other = "CASE WHEN id = :new THEN NULL ELSE :new END"
        await tx.run(f"UPDATE people SET {column} = {other} WHERE {column} = :old", who.params)
    await _note(tx, "person", "deputy", found.deputises, who)
    await tx.run(
        "UPDATE rota SET person_id = :new WHERE person_id = :old AND to_day >= :today",
        {**who.params, "today": today.isoformat()},
    )
    await _give_roles(tx, found.roles, who)


async def _give_roles(tx: Tx, roles: frozenset[Role], who: Succession) -> None:
    for role in sorted(roles):
        await tx.run(
            "INSERT INTO person_roles(person_id, role) VALUES (:new, :role) ON CONFLICT DO NOTHING",
            {"new": who.new, "role": role.value},
        )
    department = "(SELECT department_id FROM people WHERE id = :old)"
    await tx.run(
        f"UPDATE people SET department_id = COALESCE(department_id, {department}) WHERE id = :new", who.params
    )


async def _note(tx: Tx, subject: str, part: str, rows: Sequence[tuple[int, str]], who: Succession) -> None:
    facts = {f"{part}_id": who.new, f"{part}_id_before": who.old}
    for row, _ in rows:
        await write(tx, Line(f"{subject}:{row}", "hand_over", who.by, who.at, facts))
