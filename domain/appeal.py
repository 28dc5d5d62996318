"""The life cycle of an appeal: its statuses, and take(), the only way in which an appeal changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from domain.deadlines import Dates
from domain.parts import Part, PartKind
from domain.rules import Clock, Difficulty, Kind
from domain.said import Fact
from domain.spans import Span
from domain.verbs import Verb


class Status(StrEnum):
    """Where an appeal stands; the Chinese office words and the words for firms stand in texts/words.toml."""

    SUBMITTED = "submitted"
    DISPATCHED = "dispatched"
    RETURNED = "returned"
    IN_PROGRESS = "in_progress"
    SUSPENDED = "suspended"
    LONG_TERM = "long_term"
    RESOLVED = "resolved"
    UNRATED = "unrated"
    REWORK = "rework"
    CLOSED = "closed"
    CLOSED_DISPUTED = "closed_disputed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"


OPEN = frozenset(
    {
        Status.SUBMITTED,
        Status.DISPATCHED,
        Status.RETURNED,
        Status.IN_PROGRESS,
        Status.SUSPENDED,
        Status.LONG_TERM,
        Status.REWORK,
    }
)
WORKING = frozenset({Status.IN_PROGRESS, Status.REWORK})


class Satisfaction(StrEnum):
    """The firm's own verdict; silence is none of these."""

    SATISFIED = "satisfied"
    FAIRLY_SATISFIED = "fairly_satisfied"
    DISSATISFIED = "dissatisfied"


class Solution(StrEnum):
    """Whether the problem is gone, in the firm's words; asked beside satisfaction, not instead of it."""

    SOLVED = "solved"
    PARTLY_SOLVED = "partly_solved"
    UNSOLVED = "unsolved"


class Source(StrEnum):
    """The door by which an appeal came in."""

    GROUP = "group"
    PRIVATE = "private"
    WEB = "web"
    MEETING = "meeting"
    VISIT = "visit"
    RECORD = "record"


_PART_CLOCKS = {
    PartKind.SHARE: Clock.PART,
    PartKind.BEYOND: Clock.PART,
    PartKind.MILESTONE: Clock.MILESTONE,
    PartKind.ORDER: Clock.ORDER,
}


@dataclass(frozen=True, slots=True)
class Running:
    """A clock that runs: since when, until when; `part` is 0 but for the clock of a part.

    `round` tells one running of the clock from the next: intake and first response begin anew with an owner, the work
    with a rework, an extension or the end of a suspension.
    """

    clock: Clock
    round: int
    started: datetime
    deadline: datetime
    part: int = 0

    @property
    def name(self) -> str:
        """The clock as rows know it: `resolve`, `part:2`."""
        return f"{self.clock.value}:{self.part}" if self.part else self.clock.value


@dataclass(frozen=True, slots=True)
class Appeal:
    """One problem with one number, one lead and one date. Times are UTC; `due` is the date of the round's work.

    `dates` says what the three dates are counted from. `intake_at` is since when the office has owed a decision once
    more (after a return, an objection, an undone withdrawal); `handovers` counts how often the matter changed hands,
    so that each owner's clocks are told apart; `supervisions` counts 督办.
    """

    id: int | None
    number: str
    version: int
    kind: Kind
    status: Status
    title: str
    category: str
    difficulty: Difficulty
    urgent: bool
    sealed: bool
    source: Source
    enterprise_id: int
    contact_id: int | None
    recorded_by: int | None
    origin_chat_id: int | None
    liaison_id: int | None
    handler_id: int | None
    department_id: int | None
    received_at: datetime
    round: int
    round_started_at: datetime
    dispatch_due: datetime
    acknowledge_due: datetime
    due: datetime
    dates: Dates
    dispatched_at: datetime | None = None
    acknowledged_at: datetime | None = None
    contacted_at: datetime | None = None
    progress_at: datetime | None = None
    resolved_at: datetime | None = None
    suspended_at: datetime | None = None
    settled_at: datetime | None = None
    satisfaction: Satisfaction | None = None
    solution: Solution | None = None
    resolution: str | None = None
    on_time: bool | None = None
    returns: int = 0
    ruled: bool = False
    reworks: int = 0
    reopened: bool = False
    objected: bool = False
    escalated: bool = False
    calls: int = 0
    urges: int = 0
    urged_at: datetime | None = None
    merged_into: str | None = None
    previous_status: Status | None = None
    next_due: datetime | None = None
    intake_at: datetime | None = None
    handovers: int = 0
    extensions: int = 0
    suspended_until: datetime | None = None
    supervisions: int = 0
    parts: tuple[Part, ...] = ()

    @property
    def running(self) -> tuple[Running, ...]:
        """The clocks that run now, each with its deadline; none where the work has ended or is suspended."""
        return (*self._own_clocks(), *self._part_clocks())

    def _own_clocks(self) -> tuple[Running, ...]:
        resolve = Running(Clock.RESOLVE, self.round, self.round_started_at, self.due)
        if self.status in (Status.SUBMITTED, Status.RETURNED):
            began = self.intake_at or self.received_at
            return (Running(Clock.DISPATCH, self.handovers, began, self.dispatch_due), resolve)
        if self.status is Status.DISPATCHED:
            began = self.dispatched_at or self.received_at
            return (Running(Clock.ACKNOWLEDGE, self.handovers, began, self.acknowledge_due), resolve)
        if self.status in WORKING:
            return (resolve,)
        if self.status is Status.RESOLVED and self.resolved_at:
            return (Running(Clock.SURVEY, self.round, self.resolved_at, self.resolved_at),)
        return ()

    def _part_clocks(self) -> tuple[Running, ...]:
        """A long-term matter is chased by its milestones, whatever else was asked waits; orders are always answered."""
        if self.status not in OPEN - {Status.SUSPENDED}:
            return ()
        asleep = self.status is Status.LONG_TERM
        runs = {PartKind.ORDER, *((PartKind.MILESTONE,) if asleep else (PartKind.SHARE, PartKind.BEYOND))}
        return tuple(
            Running(_PART_CLOCKS[part.kind], part.round, part.since, part.due, part.n)
            for part in self.open_parts
            if part.kind in runs
        )

    @property
    def open_parts(self) -> tuple[Part, ...]:
        """The parts on which somebody still works, in the order in which they were asked for."""
        return tuple(part for part in self.parts if part.is_open)

    def part(self, n: int) -> Part | None:
        """The part of that number."""
        return next((part for part in self.parts if part.n == n), None)


@dataclass(frozen=True, slots=True)
class Change:
    """One step that was taken: what storage records as one event, and what notices are made of.

    `facts` are the step's own words for the history (JSON-able); `text` is what a person wrote, kept apart and
    erasable. `attachments` are content hashes with names. `by` is None where the clock itself spoke. `given` is what
    the step was given besides words; from it and the history before every date can be counted again.
    """

    before: Appeal | None
    after: Appeal
    verb: Verb
    by: int | None
    at: datetime
    text: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    attachments: tuple[tuple[str, str], ...] = ()
    given: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slip:
    """A handler's step that he takes back, and what was before it: the status, and what had happened by then."""

    verb: Verb
    by: int | None
    at: datetime
    status: Status
    progress_at: datetime | None = None
    acknowledged_at: datetime | None = None
    contacted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Details:
    """What a step may need besides the appeal: words, a new owner (`instead_of` whom), a verdict, a category, a date.

    `until` is a date that is set, `span` a length of time that is given, `asked_at` when it was asked for. `part` names
    a part, `unit` and `title` make a new one; `unit` is also whose a matter is that is given back.
    """

    text: str = ""
    handler_id: int | None = None
    department_id: int | None = None
    category: str | None = None
    difficulty: Difficulty | None = None
    merged_into: str | None = None
    until: datetime | None = None
    span: Span | None = None
    asked_at: datetime | None = None
    part: int | None = None
    unit: str = ""
    title: str = ""
    slip: Slip | None = None
    attachments: tuple[tuple[str, str], ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    instead_of: int | None = None


NOTHING = Details()
