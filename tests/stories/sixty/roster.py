"""Who is who, as the tables of the roster say it; and whom a listener of a matter means."""

from dataclasses import dataclass, field

from domain.rules import Listener
from storage.database import Tx
from tests.stories.sixty.past import Matter


@dataclass
class Roster:
    """People by role, the firms' people, the departments' heads; whom a private chat reaches."""

    names: dict[int, str] = field(default_factory=dict)
    roles: dict[str, list[int]] = field(default_factory=dict)
    contacts: dict[int, list[int]] = field(default_factory=dict)
    chiefs: dict[int, int | None] = field(default_factory=dict)
    heads: dict[int, int | None] = field(default_factory=dict)
    reached: set[int] = field(default_factory=set)

    def holds(self, person: int, role: str) -> bool:
        """Whether he has this role."""
        return person in self.roles.get(role, [])

    def in_office(self, person: int) -> bool:
        """Whether office hours hold for him."""
        return not self.holds(person, "contact")

    def meant(self, listener: Listener, matter: Matter, n: int) -> list[int]:
        """The people of a matter, or of a part of it, whom a rung tells."""
        part = matter.part(n)
        coordinators = self.roles["coordinator"]
        if listener is Listener.HANDLER:
            return [matter.handler] if matter.handler else coordinators
        if listener is Listener.CO_HANDLER:
            whose = part.handler if part and part.kind == "share" else matter.handler
            return [whose] if whose else coordinators
        if listener is Listener.HEAD:
            unit = part.department if part and part.kind == "share" else matter.department
            return _some(self.heads.get(unit or 0))
        if listener is Listener.ORDERER:
            return _some(part.by if part else None)
        if listener is Listener.CHIEF:
            return _some(self.chiefs[matter.filed.firm])
        if listener is Listener.CONTACT:
            return _some(matter.filed.contact) or self.contacts[matter.filed.firm]
        return {Listener.COORDINATOR: coordinators, Listener.INSPECTOR: self.roles["inspector"]}[listener]


def _some(person: int | None) -> list[int]:
    return [person] if person else []


async def read_roster(tx: Tx) -> Roster:
    """As the tables have it."""
    roster = Roster()
    for row in await tx.all("SELECT id, name FROM people ORDER BY id"):
        roster.names[row["id"]] = row["name"]
    for row in await tx.all("SELECT person_id, role FROM person_roles ORDER BY person_id"):
        roster.roles.setdefault(row["role"], []).append(row["person_id"])
    for row in await tx.all("SELECT enterprise_id, person_id FROM contacts ORDER BY person_id"):
        roster.contacts.setdefault(row["enterprise_id"], []).append(row["person_id"])
    roster.chiefs = {row["id"]: row["chief_id"] for row in await tx.all("SELECT id, chief_id FROM enterprises")}
    roster.heads = {row["id"]: row["head_id"] for row in await tx.all("SELECT id, head_id FROM departments")}
    found = await tx.all(
        """SELECT a.person_id FROM accounts a JOIN chats c ON c.account_id = a.id
           WHERE c.private = 1 AND c.reachable = 1"""
    )
    roster.reached = {row["person_id"] for row in found}
    return roster
