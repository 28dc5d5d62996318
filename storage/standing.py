"""Whom a listener means: a part in an appeal becomes people, and while one is on leave who stands in for him."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.access import Relation, may
from domain.appeal import Appeal
from domain.notices import Notice
from domain.parts import PartKind
from domain.people import Person, Role
from domain.rules import Listener
from domain.said import Fact, Said
from domain.verbs import Verb
from storage import absences, people
from storage.database import Tx


@dataclass(frozen=True, slots=True)
class Hearer:
    """Somebody who hears of a matter: for himself, or `instead_of` somebody away. `left_alone`: nobody stands in."""

    person: Person
    instead_of: str | None = None
    left_alone: bool = False

    @property
    def facts(self) -> Mapping[str, Fact]:
        """The line above a message that tells why he gets it; nothing where he is meant himself."""
        if self.instead_of is None:
            return {}
        key = "duty.for_nobody" if self.left_alone else "duty.for"
        return {"in_place_of": Said(key, {"whom": self.instead_of})}

    def buttons(self, notice: Notice, appeal: Appeal) -> tuple[Verb, ...]:
        """What he can press: a stand-in what the person could; a coordinator gives the matter to somebody else."""
        if not self.left_alone or not notice.buttons:
            return notice.buttons
        able = may(Verb.DISPATCH, frozenset({Relation.COORDINATOR}), appeal.status)
        return (Verb.DISPATCH,) if able else ()


async def in_place_of(tx: Tx, person: Person, firm_id: int, at: datetime) -> Sequence[Hearer]:
    """Who hears what is meant for somebody in a matter of that firm."""
    cover = await absences.cover(tx, at)
    if person.id not in cover.people:
        return [Hearer(person)]
    by = cover.stand_in(person.id, firm_id)
    stand_in = await people.person(tx, by, at) if by is not None else None
    if stand_in is not None:
        return [Hearer(stand_in, person.name)]
    return [Hearer(one, person.name, left_alone=True) for one in await present_with(tx, Role.COORDINATOR, at)]


async def present_with(tx: Tx, role: Role, at: datetime) -> Sequence[Person]:
    """Everybody with that role who is not on leave; all of them where all are."""
    found = await people.people_with(tx, role, at)
    return [person for person in found if not person.on_leave] or found


async def on_behalf(tx: Tx, person: Person, appeal: Appeal, at: datetime, part: int = 0) -> str | None:
    """Whose work, while that one is on leave, this person does in a matter or a part of it; None for his own."""
    share = appeal.part(part)
    holder = share.handler_id if share and share.handler_id is not None else appeal.handler_id
    firm = await people.enterprise(tx, appeal.enterprise_id)
    if holder in (None, person.id) or holder not in person.acts_for(firm):
        return None
    found = await people.person(tx, holder or 0, at)
    return found.name if found else None


# Whom a listener means ------------------------------------------------------------------------------------------------
async def persons(
    tx: Tx, listener: Listener, appeal: Appeal, at: datetime, before: Appeal | None = None, part: int = 0
) -> list[Person]:
    """The people whom a listener of this appeal, or of a part of it, means, as `hearers`."""
    return [hearer.person for hearer in await hearers(tx, listener, appeal, at, before, part)]


async def hearers(
    tx: Tx, listener: Listener, appeal: Appeal, at: datetime, before: Appeal | None = None, part: int = 0
) -> list[Hearer]:
    """The people whom a listener of this appeal, or of a part of it, means, and who may know of it.


    An appeal that nobody holds is the coordinators'; a firm whose contact has left is heard by the others; for
    whoever is on leave his stand-in hears. Of what is sealed no stand-in hears, only the inspectors. What an office
    ordered is the office's: while who gave the order is on leave his colleagues hear of it, for his stand-in need not
    know of the matter.
    """
    found = await _meant(tx, listener, appeal, at, before, part)
    if appeal.sealed:
        away = any(person.on_leave for person in found)
        knowing = await steering(tx, appeal, at) if away else found
        return [Hearer(person) for person in knowing if _knows_sealed(person, appeal)]
    if listener not in _PARTS or not found or found[0].id != await _one(tx, listener, appeal, before, part):
        return [Hearer(person) for person in found]
    if listener is Listener.ORDERER and found[0].on_leave and found[0].has(*_OFFICES):
        return await _colleagues_of(tx, found[0], at)
    heard = await in_place_of(tx, found[0], appeal.enterprise_id, at)
    return [hearer for hearer in heard if listener is not Listener.PREVIOUS_HANDLER or not hearer.left_alone]


async def _colleagues_of(tx: Tx, away: Person, at: datetime) -> list[Hearer]:
    role = next(role for role in _OFFICES if away.has(role))
    return [Hearer(one, None if one.id == away.id else away.name) for one in await present_with(tx, role, at)]


_OFFICES = (Role.COORDINATOR, Role.INSPECTOR)
"""Who gives orders by his office, not by his tie to the firm."""

_PARTS = frozenset(
    {
        Listener.HANDLER,
        Listener.PREVIOUS_HANDLER,
        Listener.LIAISON,
        Listener.HEAD,
        Listener.DEPUTY,
        Listener.CHIEF,
        Listener.CO_HANDLER,
        Listener.ORDERER,
    }
)
"""Listeners that mean one person of the park's side, in whose place a stand-in hears."""


def _knows_sealed(person: Person, appeal: Appeal) -> bool:
    return person.has(Role.INSPECTOR) or person.id == appeal.contact_id


async def _meant(
    tx: Tx, listener: Listener, appeal: Appeal, at: datetime, before: Appeal | None, part: int
) -> list[Person]:
    if listener is Listener.COORDINATOR:
        return await steering(tx, appeal, at)
    if listener is Listener.INSPECTOR:
        return list(await present_with(tx, Role.INSPECTOR, at))
    one = await _one(tx, listener, appeal, before, part)
    found = await people.person(tx, one, at) if one is not None else None
    if listener is Listener.CONTACT and not appeal.sealed:
        speaks = found is not None and found.has(Role.CONTACT) and appeal.enterprise_id in found.enterprise_ids
        return [found] if found and speaks else await _contacts(tx, appeal, at)
    if found is None and listener in (Listener.HANDLER, Listener.CO_HANDLER):
        return await steering(tx, appeal, at)
    return [found] if found else []


async def _contacts(tx: Tx, appeal: Appeal, at: datetime) -> list[Person]:
    return [each for each in await people.contacts_of(tx, appeal.enterprise_id, at) if each.has(Role.CONTACT)]


async def steering(tx: Tx, appeal: Appeal, at: datetime) -> list[Person]:
    """Who decides what becomes of a matter: the coordinators; of a sealed one nobody but the inspectors."""
    return list(await present_with(tx, Role.INSPECTOR if appeal.sealed else Role.COORDINATOR, at))


async def _one(tx: Tx, listener: Listener, appeal: Appeal, before: Appeal | None, part: int) -> int | None:
    if listener is Listener.HEAD:
        department = await people.department(tx, _department_of(appeal, part))
        return department.head_id if department else None
    if listener is Listener.ORDERER:
        return await _orders(tx, appeal, part)
    if listener in (Listener.CHIEF, Listener.DEPUTY):
        firm = await people.enterprise(tx, appeal.enterprise_id)
        return firm.chief_id if listener is Listener.CHIEF else firm.deputy_id
    if listener is Listener.LIAISON:
        return appeal.liaison_id if appeal.liaison_id != appeal.handler_id else None
    known = {
        Listener.CONTACT: appeal.contact_id,
        Listener.HANDLER: appeal.handler_id,
        Listener.CO_HANDLER: _works_on(appeal, part),
        Listener.PREVIOUS_HANDLER: before.handler_id if before else None,
    }
    return known.get(listener)


async def _orders(tx: Tx, appeal: Appeal, n: int) -> int | None:
    """Who wants an answer to an order: who gave it by his office, else whoever is the firm's chief now."""
    part = appeal.part(n)
    asked = await people.person(tx, part.asked_by, part.asked_at) if part and part.asked_by is not None else None
    if asked is not None and asked.has(*_OFFICES):
        return asked.id
    firm = await people.enterprise(tx, appeal.enterprise_id)
    return firm.chief_id or (asked.id if asked else None)


def _department_of(appeal: Appeal, n: int) -> int | None:
    """The department of a share is the one that was asked; of everything else it is the lead's."""
    part = appeal.part(n)
    return part.department_id if part and part.kind is PartKind.SHARE else appeal.department_id


def _works_on(appeal: Appeal, n: int) -> int | None:
    """Who works on a part: its unit's duty officer; what no unit does is the lead's."""
    part = appeal.part(n)
    if part is None or part.kind is PartKind.SHARE:
        return part.handler_id if part else None
    return appeal.handler_id
