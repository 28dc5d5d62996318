"""What is missing in the park's duties: nobody stands in, a rota that ends, a liaison or duty officer who has left."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from domain.said import Said
from storage import absences, people, rota
from storage.database import Tx

SOON = timedelta(days=7)
_INSTANT = timedelta(milliseconds=1)

_LEFT = """NOT EXISTS (SELECT 1 FROM people p JOIN person_roles r ON r.person_id = p.id AND r.role IN ({})
WHERE p.id = {} AND p.active = 1)"""
_FIRMS = f"""SELECT e.short_name AS firm, p.name FROM enterprises e JOIN people p ON p.id = e.liaison_id
WHERE e.active = 1 AND {_LEFT.format("'liaison'", "e.liaison_id")} ORDER BY e.id"""
_UNITS = f"""SELECT d.name AS department, p.name FROM departments d JOIN people p ON p.id = d.duty_id
WHERE {_LEFT.format("'handler', 'head'", "d.duty_id")} ORDER BY d.id"""


async def gaps(tx: Tx, today: date, at: datetime) -> Sequence[Said]:
    """Everything that a coordinator should see to, a sentence each; `today` is the civil day of `at`."""
    return [*await _alone(tx, at), *await _ending(tx, today), *await _left(tx)]


async def _alone(tx: Tx, at: datetime) -> list[Said]:
    found = []
    for person_id in sorted((await absences.cover(tx, at)).left_alone):
        person, absence = await people.person(tx, person_id, at), await absences.absence_of(tx, person_id)
        if person is not None and absence is not None:
            found.append(Said("gap.no_stand_in", {"name": person.name, "last": absence.until - _INSTANT}))
    return found


async def _ending(tx: Tx, today: date) -> list[Said]:
    """A department that keeps a rota and whose last day is near or behind."""
    last = await rota.last_days(tx)
    return [
        Said("gap.rota_ends", {"department": unit.name, "last": last[unit.id]})
        for unit in await people.departments(tx)
        if unit.id in last and last[unit.id] - today < SOON
    ]


async def _left(tx: Tx) -> list[Said]:
    firms = [Said("gap.liaison_left", {"firm": row["firm"], "name": row["name"]}) for row in await tx.all(_FIRMS)]
    units = [
        Said("gap.duty_left", {"department": row["department"], "name": row["name"]}) for row in await tx.all(_UNITS)
    ]
    return [*firms, *units]
