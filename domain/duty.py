"""Who stands in for whom at a moment: deputies in a chain, a firm's deputy where its liaison has none, or nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Absence:
    """One leave: from `since` (None: from always) up to, not including, `until`.

    `deputy_id` is who was named for it, else whom the roster names. `firms` are the firms that the person looks
    after, each with the deputy that the firm itself names.
    """

    person_id: int
    until: datetime
    since: datetime | None = None
    deputy_id: int | None = None
    firms: tuple[tuple[int, int], ...] = ()

    def holds(self, at: datetime) -> bool:
        """Whether the person is away at that moment."""
        return at < self.until and (self.since is None or self.since <= at)


@dataclass(frozen=True, slots=True)
class Cover:
    """Who is away at one moment. `people`: everybody away, with who stands in for him, None where nobody does.

    `firms`: by liaison and firm, where he has no stand-in of his own, who looks after it meanwhile. The firm's deputy
    stands in for nobody else.
    """

    people: Mapping[int, int | None] = field(default_factory=dict)
    firms: Mapping[tuple[int, int], int] = field(default_factory=dict)

    def stand_in(self, person_id: int, firm_id: int | None = None) -> int | None:
        """Who hears and acts for somebody away, in a matter of that firm; None leaves it to the coordinators."""
        found = self.people.get(person_id)
        return found if found is not None or firm_id is None else self.firms.get((person_id, firm_id))

    def stood_in_for_by(self, person_id: int) -> frozenset[int]:
        """Everybody for whom this person stands in, by himself or as a deputy's deputy."""
        return frozenset(away for away, by in self.people.items() if by == person_id)

    def looked_after_by(self, person_id: int) -> frozenset[int]:
        """The firms that this person looks after because their liaison is away and has no stand-in."""
        return frozenset(firm for (_, firm), by in self.firms.items() if by == person_id)

    @property
    def left_alone(self) -> frozenset[int]:
        """Those away for whom nobody stands in."""
        return frozenset(away for away, by in self.people.items() if by is None)


EVERYBODY_HERE = Cover()


def cover(absences: Iterable[Absence], at: datetime) -> Cover:
    """Who stands in for whom at a moment. A deputy who is away passes it on to his own; a circle leads to nobody."""
    away = {absence.person_id: absence for absence in absences if absence.holds(at)}
    if not away:
        return EVERYBODY_HERE
    people = {person_id: _present(person_id, away) for person_id in away}
    firms: dict[tuple[int, int], int] = {}
    for absence in away.values():
        for firm_id, deputy_id in absence.firms if people[absence.person_id] is None else ():
            present = _present(deputy_id, away)
            if present not in (None, absence.person_id):
                firms[absence.person_id, firm_id] = present or 0
    return Cover(people, firms)


def _present(person_id: int, away: Mapping[int, Absence]) -> int | None:
    """The first in the chain of deputies who is there."""
    passed: set[int] = set()
    found: int | None = person_id
    while found is not None and found in away:
        if found in passed:
            return None
        passed.add(found)
        found = away[found].deputy_id
    return found
