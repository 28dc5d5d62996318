"""The life cycle of an appeal: its statuses, and take(), the only way in which an appeal changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from domain.rules import Clock, Difficulty, Kind
from domain.said import Fact
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


@dataclass(frozen=True, slots=True)
class Appeal:
    """One problem with one number, one lead and one date. Times are UTC; `due` is the date of the round's work.

    `intake_at` is since when the office has owed a decision once more (after a return, an objection, an undone
    withdrawal); `handovers` counts how often the matter changed hands, so that each owner's clocks are told apart.
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

    @property
    def clocks(self) -> Mapping[Clock, datetime]:
        """The clocks that run now, each with its deadline; none where the work has ended."""
        if self.status in (Status.SUBMITTED, Status.RETURNED):
            return {Clock.DISPATCH: self.dispatch_due, Clock.RESOLVE: self.due}
        if self.status is Status.DISPATCHED:
            return {Clock.ACKNOWLEDGE: self.acknowledge_due, Clock.RESOLVE: self.due}
        if self.status in WORKING:
            return {Clock.RESOLVE: self.due}
        if self.status is Status.RESOLVED and self.resolved_at:
            return {Clock.SURVEY: self.resolved_at}
        return {}


@dataclass(frozen=True, slots=True)
class Change:
    """One step that was taken: what storage records as one event, and what notices are made of.

    `facts` are the step's own words for the history (JSON-able); `text` is what a person wrote, kept apart and
    erasable. `attachments` are content hashes with names. `by` is None where the clock itself spoke.
    """

    before: Appeal | None
    after: Appeal
    verb: Verb
    by: int | None
    at: datetime
    text: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    attachments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Details:
    """What a step may need besides the appeal: words, a new owner (`instead_of` whom), a verdict, a category."""

    text: str = ""
    handler_id: int | None = None
    department_id: int | None = None
    category: str | None = None
    difficulty: Difficulty | None = None
    merged_into: str | None = None
    until: datetime | None = None
    attachments: tuple[tuple[str, str], ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    instead_of: int | None = None


NOTHING = Details()
