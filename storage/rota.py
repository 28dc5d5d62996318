"""The rota of the departments, and who really is on duty at a moment: rota, 经办人, and on leave the stand-in."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from domain import rota
from domain.people import Department, Person
from domain.rota import Entry
from storage import absences, people
from storage.database import Row, Tx
from storage.values import to_ms


def _entry(row: Row) -> Entry:
    return Entry(row["id"], date.fromisoformat(row["from_day"]), date.fromisoformat(row["to_day"]), row["person_id"])


async def entries(tx: Tx, department_id: int, first: date, last: date) -> Sequence[Entry]:
    """The lines of a department that touch these days, of people who are in the roster."""
    rows = await tx.all(
        """SELECT r.* FROM rota r JOIN people p ON p.id = r.person_id AND p.active = 1
           WHERE r.department_id = :unit AND r.to_day >= :first AND r.from_day <= :last ORDER BY r.id""",
        {"unit": department_id, "first": first.isoformat(), "last": last.isoformat()},
    )
    return [_entry(row) for row in rows]


async def enter(tx: Tx, department_id: int, days: tuple[date, date], person_id: int, by: int, at: datetime) -> None:
    """Add a line; for its days it holds before whatever was entered earlier."""
    await tx.run(
        """INSERT INTO rota(department_id, from_day, to_day, person_id, entered_by, entered_at)
           VALUES (:unit, :first, :last, :person, :by, :at)""",
        {
            "unit": department_id,
            "first": days[0].isoformat(),
            "last": days[1].isoformat(),
            "person": person_id,
            "by": by,
            "at": to_ms(at),
        },
    )


async def officer(tx: Tx, department: Department, day: date) -> int | None:
    """Who is named for a civil day: by the rota, else as the department's 经办人."""
    return rota.officer(await entries(tx, department.id, day, day), day) or department.duty_id


async def on_duty(tx: Tx, department: Department, day: date, at: datetime) -> Person | None:
    """Who takes what comes to a department at a moment of that civil day: its officer, on leave his stand-in."""
    named = await officer(tx, department, day)
    cover = await absences.cover(tx, at)
    present = cover.stand_in(named) if named is not None and named in cover.people else named
    return await people.person(tx, present, at) if present is not None else None


async def last_days(tx: Tx) -> Mapping[int, date]:
    """The last day of each department's rota, for departments that have one."""
    rows = await tx.all("SELECT department_id, MAX(to_day) AS last FROM rota GROUP BY department_id")
    return {row["department_id"]: date.fromisoformat(row["last"]) for row in rows}
