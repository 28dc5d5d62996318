"""Who hears in place of somebody on leave: his stand-in, or the coordinators while nobody was named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.access import Relation, may
from domain.appeal import Appeal
from domain.notices import Notice
from domain.people import Person, Role
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
