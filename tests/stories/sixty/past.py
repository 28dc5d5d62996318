"""What a matter is by its history alone: every line of the log read again, in code of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.rules import Clock, Difficulty, Kind, Rules
from domain.workdays import Calendar, Span, Unit
from tests.stories.sixty.reckoning import DAY, Count, second_term, term

WORKED_ON = frozenset({"submitted", "dispatched", "returned", "in_progress", "rework"})
NOT_OVER = WORKED_ON | {"suspended", "long_term"}


@dataclass(frozen=True)
class Line:
    """One line of the history. `by` is None where the clock or a rule spoke."""

    id: int
    appeal: int
    version: int
    name: str
    before: str | None
    after: str
    by: int | None
    at: datetime
    facts: Mapping[str, Any]

    @property
    def is_the_clocks(self) -> bool:
        """Whether nobody did this: a suspension that ended by itself."""
        return self.by is None and self.name == "resume"


@dataclass(frozen=True)
class Filed:
    """What never changes of a matter."""

    id: int
    number: str
    kind: Kind
    firm: int
    contact: int | None


@dataclass(frozen=True)
class Ticking:
    """A clock that runs now."""

    clock: Clock
    round: int
    since: datetime
    due: datetime
    part: int = 0

    @property
    def name(self) -> str:
        """As the rungs' rows have it."""
        return f"{self.clock}:{self.part}" if self.part else str(self.clock)


@dataclass
class Share:
    """A part of the work: a co-handler's share, a stage, what was asked above, an order."""

    n: int
    kind: str
    asked: datetime
    by: int | None
    handler: int | None
    department: int | None
    count: Count
    since: datetime
    round: int = 1
    ended: datetime | None = None


@dataclass
class Matter:
    """A matter as its history has made it so far."""

    filed: Filed
    rules: Rules
    version: int = 0
    status: str = ""
    stood: str = ""
    category: str = ""
    difficulty: Difficulty = Difficulty.NORMAL
    urgent: bool = False
    handler: int | None = None
    liaison: int | None = None
    department: int | None = None
    round: int = 1
    reworks: int = 0
    handovers: int = 0
    dispatched: datetime | None = None
    resolved: datetime | None = None
    slept: datetime | None = None
    wakes: datetime | None = None
    hard: datetime | None = None
    last_step: datetime | None = None
    parts: list[Share] = field(default_factory=list)

    def __post_init__(self) -> None:
        never = datetime.fromtimestamp(0).astimezone()
        self.intake = self.began = never
        self.dispatch = self.first_response = self.work = Count(never)

    @property
    def calendar(self) -> Calendar:
        """The park's working time."""
        return self.rules.calendar

    @property
    def due(self) -> datetime:
        """The date of the work: ours, or that of others where it is the earlier."""
        ours = self.work.due(self.calendar)
        return min(ours, self.hard) if self.hard else ours

    # Reading a line -------------------------------------------------------------------------------------------------
    def read(self, line: Line) -> None:
        """What a line of the history did."""
        assert (line.version, line.before or "") == (self.version + 1, self.status), f"{line} after {self}"
        _STEPS.get(line.name, _nothing)(self, line)
        self.handler = line.facts.get("handler_id", self.handler)
        self.liaison = line.facts.get("liaison_id", self.liaison)
        self.department = line.facts.get("department_id", self.department)
        self.version, self.status = line.version, line.after
        if line.name != "take_back":
            self.last_step = line.at

    def wake(self) -> Line:
        """The line that the clock writes when a suspension is over."""
        assert self.wakes is not None
        line = Line(0, self.filed.id, self.version + 1, "resume", self.status, self.stood, None, self.wakes, {})
        self.read(line)
        return line

    # The clocks that run --------------------------------------------------------------------------------------------
    def ticking(self) -> list[Ticking]:
        """The clocks that run: at most two of the matter's own, and one for each part that is open."""
        own: list[Ticking] = []
        if self.status in ("submitted", "returned"):
            own.append(Ticking(Clock.DISPATCH, self.handovers, self.intake, self.dispatch.due(self.calendar)))
        if self.status == "dispatched" and self.dispatched:
            due = self.first_response.due(self.calendar)
            own.append(Ticking(Clock.ACKNOWLEDGE, self.handovers, self.dispatched, due))
        if self.status in WORKED_ON:
            own.append(Ticking(Clock.RESOLVE, self.round, self.began, self.due))
        if self.status == "resolved" and self.resolved:
            own.append(Ticking(Clock.SURVEY, self.round, self.resolved, self.resolved))
        return own + [self._of(part) for part in self.parts if part.ended is None and self._is_chased(part)]

    def _is_chased(self, part: Share) -> bool:
        if part.kind == "order":
            return self.status in WORKED_ON | {"long_term"}
        return self.status == "long_term" if part.kind == "milestone" else self.status in WORKED_ON

    def _of(self, part: Share) -> Ticking:
        clock = {"milestone": Clock.MILESTONE, "order": Clock.ORDER}.get(part.kind, Clock.PART)
        return Ticking(clock, part.round, part.since, part.count.due(self.calendar), part.n)

    def part(self, n: int) -> Share | None:
        """The part of that number."""
        return self.parts[n - 1] if n else None


def _nothing(_: Matter, __: Line) -> None:
    """Words, wishes and looks move no date and no owner."""


def _file(m: Matter, line: Line) -> None:
    m.category, m.difficulty = line.facts["category"], Difficulty(line.facts["difficulty"])
    terms, at = m.rules.terms, line.at
    m.intake = m.began = at
    m.dispatch, m.first_response = Count(at, [terms.dispatch]), Count(at, [terms.acknowledge])
    m.work = Count(at, [term(m.rules, m.filed.kind, m.category, m.difficulty)])


def _hand_over(m: Matter, line: Line) -> None:
    """What was said at intake holds for the first owner, unless intake itself took longer."""
    terms = m.rules.terms
    if m.dispatched or m.first_response.due(m.calendar) <= line.at:
        m.first_response = Count(line.at, [terms.urgent if m.urgent else terms.acknowledge])
    m.dispatched = line.at
    m.handovers += 1


def _decide_again(m: Matter, at: datetime, span: Span) -> None:
    m.dispatch = Count(at, [span])
    if m.urgent:
        m.dispatch.caps.append((at, m.rules.terms.dispatch_urgent))
    m.handler, m.intake = None, at
    m.handovers += 1


def _give_back(m: Matter, line: Line) -> None:
    _decide_again(m, line.at, Span(0, Unit.WORKING_DAYS))  # ruled the same day


def _bring_back(m: Matter, line: Line) -> None:
    _decide_again(m, line.at, m.rules.terms.dispatch)


def _report(m: Matter, line: Line) -> None:
    """Whatever the handler reports answers the orders."""
    for part in m.parts:
        if part.kind == "order" and part.ended is None:
            part.ended = line.at


def _finish(m: Matter, line: Line) -> None:
    """Whoever answers a new matter at intake has been given it by that."""
    _report(m, line)
    m.resolved = line.at
    if line.before == "submitted":
        m.dispatched = line.at


def _take_back(m: Matter, line: Line) -> None:
    """As if it had not been said: what it had answered is owed again."""
    if line.after == "submitted":
        m.dispatched = None
    for part in m.parts:
        if part.kind == "order" and part.ended == m.last_step:
            part.ended = None
    m.resolved = None


def _begin_round(m: Matter, at: datetime) -> None:
    m.round += 1
    m.began = at


def _work_again(m: Matter, line: Line) -> None:
    first = term(m.rules, m.filed.kind, m.category, m.difficulty)
    m.work, m.hard = Count(line.at, second_term(m.rules, first)), None
    m.reworks += 1
    _begin_round(m, line.at)


def _extend(m: Matter, line: Line) -> None:
    m.work.moves.append(Span(line.facts["days"], Unit.WORKING_DAYS))
    _begin_round(m, line.at)


def _sleep(m: Matter, line: Line) -> None:
    m.slept, m.wakes, m.stood = line.at, line.facts["until"], m.status


def _go_long_term(m: Matter, line: Line) -> None:
    m.slept, m.wakes, m.stood = line.at, None, m.status
    _plan(m, line)


def _resume(m: Matter, line: Line) -> None:
    """The dates move by the working time that was lost; stages end with the long term.

    A suspension is over on its day, even where somebody says so later.
    """
    assert m.slept is not None
    over = min(line.at, m.wakes) if m.wakes else line.at
    m.work.moves.append((m.slept, over))
    _begin_round(m, over)
    for part in m.parts:
        if part.ended is None and part.kind == "milestone":
            part.ended = over
        elif part.ended is None:
            part.count.moves.append((m.slept, over))
            part.round += 1
            part.since = over
    m.slept = m.wakes = None


def _add(m: Matter, line: Line, kind: str, count: Count) -> None:
    whose = line.facts.get("co_handler_id"), line.facts.get("co_department_id")
    m.parts.append(Share(len(m.parts) + 1, kind, line.at, line.by, *whose, count, since=line.at))


def _plan(m: Matter, line: Line) -> None:
    _add(m, line, "milestone", Count(line.facts["until"]))


def _order(m: Matter, line: Line) -> None:
    """What waits for the inspector's decision gets it; everything else is an order with a day."""
    if line.before != "rework" or line.after != "in_progress":
        _add(m, line, "order", Count(line.facts["until"]))


def _ask_above(m: Matter, line: Line) -> None:
    _add(m, line, "beyond", Count(line.at, [Span(10, Unit.WORKING_DAYS)]))


def _assist(m: Matter, line: Line) -> None:
    """The day that was named, else three working days; a working day before the lead at the latest.

    Where no such day is left it is due after 60 % of his time.
    """
    named = line.facts.get("until")
    count = Count(named) if named else Count(line.at, [m.rules.terms.part])
    before = m.calendar.offset(m.due, Span(-1, DAY.unit))
    if line.at < before:
        count.caps.append((before, Span(0, Unit.WALL)))
    elif line.at < m.due:
        count.caps.append((m.calendar.share(line.at, m.due, 0.6), Span(0, Unit.WALL)))
    _add(m, line, "share", count)


def _end_part(m: Matter, line: Line) -> None:
    m.parts[line.facts["part"] - 1].ended = line.at


def _set_hard(m: Matter, line: Line) -> None:
    m.hard = line.facts["until"]


def _hurry(m: Matter, line: Line) -> None:
    m.urgent = True
    m.dispatch.caps.append((line.at, m.rules.terms.dispatch_urgent))
    m.first_response.caps.append((line.at, m.rules.terms.urgent))


def _sort_anew(m: Matter, line: Line) -> None:
    m.category = line.facts.get("category", m.category)
    m.difficulty = Difficulty(line.facts.get("difficulty", m.difficulty))
    if not m.reworks:
        m.work.spans = [term(m.rules, m.filed.kind, m.category, m.difficulty)]


def _succeed(m: Matter, line: Line) -> None:
    """Somebody takes a colleague's place in what is not over."""
    for part in m.parts:
        if part.ended is None and part.handler == line.facts["instead_of_id"]:
            part.handler = line.facts["taker_id"]


_STEPS: Mapping[str, Callable[[Matter, Line], None]] = {
    "file": _file,
    "dispatch": _hand_over,
    "rule": _hand_over,
    "hand_over": _succeed,
    "return": _give_back,
    "undo": _bring_back,
    "object": _bring_back,
    "progress": _report,
    "resolve": _finish,
    "explain": _finish,
    "instant": _finish,
    "take_back": _take_back,
    "dissatisfied": _work_again,
    "rework": _work_again,
    "extend": _extend,
    "suspend": _sleep,
    "agree": _go_long_term,
    "resume": _resume,
    "milestone": _plan,
    "milestone_done": _end_part,
    "supervise": _order,
    "instruct": _order,
    "beyond": _ask_above,
    "assist": _assist,
    "part_done": _end_part,
    "part_return": _end_part,
    "waive": _end_part,
    "hard_date": _set_hard,
    "urgent": _hurry,
    "recategorise": _sort_anew,
    "difficulty": _sort_anew,
}
