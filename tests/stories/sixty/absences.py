"""Who is away when, as the history tells it, and who stands in for whom meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class LeaveLine:
    """One line of the history about somebody's leave: taken, ended, or given a stand-in."""

    id: int
    person: int
    facts: Mapping[str, Any]


@dataclass
class _Leave:
    since: datetime
    until: datetime
    deputy: int | None


@dataclass
class Absences:
    """Everybody's leave so far; nobody has two."""

    leaves: dict[int, _Leave] = field(default_factory=dict)

    def read(self, line: LeaveLine) -> None:
        """What a line did."""
        facts = line.facts
        if facts.get("from"):
            self.leaves[line.person] = _Leave(facts["from"], facts["until"], facts.get("deputy_id"))
        elif "until" in facts:
            self.leaves.pop(line.person, None)
        else:
            self.leaves[line.person].deputy = facts["deputy_id"]

    def replace(self, person: int, old: int, new: int) -> None:
        """Another one stands in for somebody from now on; nobody does where that would be he himself."""
        leave = self.leaves.get(person)
        if leave is not None and leave.deputy == old:
            leave.deputy = None if new == person else new

    def is_away(self, person: int, at: datetime) -> bool:
        """Whether he is on leave at that moment."""
        leave = self.leaves.get(person)
        return leave is not None and leave.since <= at < leave.until

    def stand_in(self, person: int, at: datetime) -> int | None:
        """The first in the chain of deputies who is there; a circle leads to nobody."""
        passed: list[int] = []
        found: int | None = person
        while found is not None and self.is_away(found, at):
            if found in passed:
                return None
            passed.append(found)
            found = self.leaves[found].deputy
        return found
