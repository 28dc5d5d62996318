"""Who is who, as the tables of the roster say it; and whom a listener of a matter means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from domain.rules import Listener
from storage.database import Tx
from tests.stories.sixty.absences import Absences
from tests.stories.sixty.past import Matter


@dataclass(frozen=True)
class Succession:
    """One line of the history about the roster: whose place somebody takes for a firm, a department or a person."""

    id: int
    of: str
    row: int
    facts: Mapping[str, int]


@dataclass
class Roster:
    """People by role, the firms' people, the departments' heads; whom a private chat reaches; who is away."""

    names: dict[int, str] = field(default_factory=dict)
    roles: dict[str, list[int]] = field(default_factory=dict)
    contacts: dict[int, list[int]] = field(default_factory=dict)
    chiefs: dict[int, int | None] = field(default_factory=dict)
    heads: dict[int, int | None] = field(default_factory=dict)
    liaisons: dict[int, tuple[int | None, int | None]] = field(default_factory=dict)
    reached: set[int] = field(default_factory=set)
    absences: Absences = field(default_factory=Absences)

    def holds(self, person: int, role: str) -> bool:
        """Whether he has this role."""
        return person in self.roles.get(role, [])

    def in_office(self, person: int) -> bool:
        """Whether office hours hold for him."""
        return not self.holds(person, "contact")

    def succeed(self, line: Succession) -> None:
        """What a line did. Nobody is his own deputy."""
        facts, row = line.facts, line.row
        if line.of == "department":
            self.heads[row] = facts.get("head_id", self.heads.get(row))
        elif line.of == "person":
            self.absences.replace(row, facts["deputy_id_before"], facts["deputy_id"])
        else:
            self.chiefs[row] = facts.get("chief_id", self.chiefs[row])
            liaison, deputy = self.liaisons[row]
            liaison, deputy = facts.get("liaison_id", liaison), facts.get("deputy_id", deputy)
            self.liaisons[row] = liaison, None if deputy == liaison else deputy

    def hear(self, listener: Listener, matter: Matter, n: int, at: datetime) -> list[int]:
        """The people of a matter, or of a part of it, whom a rung tells; for who is away his stand-in.

        What an office ordered is the office's: while who gave the order is away, its others hear of it.
        """
        if listener is Listener.CONTACT:
            return _some(matter.filed.contact) or self.contacts[matter.filed.firm]
        if listener in _OFFICES:
            return self.present(_OFFICES[listener], at)
        one = self._one(listener, matter, n)
        if one is None:
            return self.present("coordinator", at) if listener in _NEEDED else []
        if listener is Listener.ORDERER and self.absences.is_away(one, at):
            for role in _OFFICES.values():
                if self.holds(one, role):
                    return self.present(role, at)
        return self.in_place_of(one, matter.filed.firm, at)

    def _one(self, listener: Listener, matter: Matter, n: int) -> int | None:
        part = matter.part(n)
        share = part if part and part.kind == "share" else None
        if listener is Listener.HANDLER:
            return matter.handler
        if listener is Listener.CO_HANDLER:
            return share.handler if share else matter.handler
        if listener is Listener.HEAD:
            return self.heads.get((share.department if share else matter.department) or 0)
        if listener is Listener.ORDERER:
            return self._orders(matter, part.by) if part else None
        assert listener is Listener.CHIEF, listener
        return self.chiefs[matter.filed.firm]

    def _orders(self, matter: Matter, by: int | None) -> int | None:
        """Who ordered by his office; else it is the chief's, whoever that is by now."""
        if by and any(self.holds(by, role) for role in _OFFICES.values()):
            return by
        return self.chiefs[matter.filed.firm] or by

    def may_see(self, person: int, matter: Matter, at: datetime) -> bool:
        """Whether a matter is before somebody's eyes: by his office, as its firm, or in the place of who is tied to it.

        Tied are those who work on it or on a part of it, the heads of their departments, and who serves its firm.
        """
        firm = matter.filed.firm
        tied = {matter.handler, matter.liaison, *self.liaisons[firm], self.chiefs[firm]}
        tied |= {part.handler for part in matter.parts}
        units = {matter.department, *(part.department for part in matter.parts)}
        tied |= {head for unit, head in self.heads.items() if unit in units}
        by_office = any(self.holds(person, role) for role in _OFFICES.values())
        if by_office or person in self.contacts[firm] or person in tied:
            return True
        return any(person in self.in_place_of(one, firm, at) for one in tied if one is not None)

    def present(self, role: str, at: datetime) -> list[int]:
        """Everybody with a role who is not on leave; all of them where all are."""
        everybody = self.roles[role]
        return [person for person in everybody if not self.absences.is_away(person, at)] or everybody

    def in_place_of(self, person: int, firm: int, at: datetime) -> list[int]:
        """He himself; while he is away who stands in, for a liaison the firm's deputy, else the coordinators."""
        if not self.absences.is_away(person, at):
            return [person]
        by = self.absences.stand_in(person, at)
        liaison, deputy = self.liaisons[firm]
        if by is None and person == liaison and deputy is not None:
            by = self.absences.stand_in(deputy, at)
        return [by] if by not in (None, person) else self.present("coordinator", at)


_OFFICES = {Listener.COORDINATOR: "coordinator", Listener.INSPECTOR: "inspector"}
_NEEDED = frozenset({Listener.HANDLER, Listener.CO_HANDLER})


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
    for row in await tx.all("SELECT id, chief_id, liaison_id, deputy_id FROM enterprises"):
        roster.chiefs[row["id"]] = row["chief_id"]
        roster.liaisons[row["id"]] = row["liaison_id"], row["deputy_id"]
    roster.heads = {row["id"]: row["head_id"] for row in await tx.all("SELECT id, head_id FROM departments")}
    found = await tx.all(
        """SELECT a.person_id FROM accounts a JOIN chats c ON c.account_id = a.id
           WHERE c.private = 1 AND c.reachable = 1"""
    )
    roster.reached = {row["person_id"] for row in found}
    return roster
