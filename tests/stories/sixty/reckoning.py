"""How a deadline is counted, told again: since when, how long, what moved it, what caps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from domain.rules import Difficulty, Kind, Rules
from domain.workdays import Calendar, Span, Unit

DAY = Span(1, Unit.WORKING_DAYS)


@dataclass
class Count:
    """The longest of `spans` from `start`, or a cap that is earlier; then moved in order by working days or pauses."""

    start: datetime
    spans: list[Span] = field(default_factory=list)
    moves: list[Span | tuple[datetime, datetime]] = field(default_factory=list)
    caps: list[tuple[datetime, Span]] = field(default_factory=list)

    def due(self, calendar: Calendar) -> datetime:
        """The moment that it comes to."""
        longest = max([calendar.add(self.start, span) for span in self.spans], default=self.start)
        due = min([longest, *(calendar.add(start, span) for start, span in self.caps)])
        for move in self.moves:
            if isinstance(move, Span):
                due = calendar.add(due, move)
                continue
            lost = int(calendar.worked(*move).total_seconds())
            due = calendar.add(due, Span(lost, Unit.WORKING_HOURS)) if lost else due
        return due


def term(rules: Rules, kind: Kind, category: str, difficulty: Difficulty) -> Span:
    """How long the work may take: the category's own term for the kind, else the park's; as hard as it is."""
    own = rules.categories[category].terms if category in rules.categories else {}
    for name in (f"{kind}_{difficulty}", str(kind)):
        if difficulty is Difficulty.NORMAL and name != str(kind):
            continue
        if name in own:
            return own[name]
    graded: Span | None = getattr(rules.terms, f"{kind}_{difficulty}", None)
    plain: Span = getattr(rules.terms, str(kind))
    return graded or plain


def second_term(rules: Rules, first: Span) -> list[Span]:
    """Half of the first term, rounded up, and two working days at least."""
    return [Span(-(-first.amount // 2), first.unit), Span(2, Unit.WORKING_DAYS)]
