"""What a park has agreed on: terms, categories, ladders, calendar, as one immutable value read from config."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from math import ceil

from domain.said import Said
from domain.workdays import Calendar, Span, Unit


class Kind(StrEnum):
    """The flows of a park: help wanted, information wanted, a complaint, a suggestion."""

    APPEAL = "appeal"
    INQUIRY = "inquiry"
    COMPLAINT = "complaint"
    SUGGESTION = "suggestion"


class Difficulty(StrEnum):
    """易 / 中 / 难; `NORMAL` unless somebody said otherwise."""

    EASY = "easy"
    NORMAL = "normal"
    HARD = "hard"


class Route(StrEnum):
    """Who becomes the handler of a category's appeals."""

    LIAISON = "liaison"
    DEPARTMENT = "department"
    INSPECTOR = "inspector"


class Clock(StrEnum):
    """What is being waited for: intake's decision, the first response, the work, the firm's answer.

    Besides these: a co-handler's part, a milestone of a long-term matter, the answer to an order (督办, 批示).
    """

    DISPATCH = "dispatch"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    SURVEY = "survey"
    PART = "part"
    MILESTONE = "milestone"
    ORDER = "order"


class Listener(StrEnum):
    """Somebody who is to hear of an appeal, by his part in it; storage finds the person and his chat."""

    CONTACT = "contact"
    HANDLER = "handler"
    PREVIOUS_HANDLER = "previous_handler"
    LIAISON = "liaison"
    HEAD = "head"
    DEPUTY = "deputy"
    CHIEF = "chief"
    COORDINATOR = "coordinator"
    INSPECTOR = "inspector"
    CO_HANDLER = "co_handler"
    ORDERER = "orderer"
    ORIGIN_GROUP = "origin_group"
    COORDINATION_GROUP = "coordination_group"


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder: at a share (0..1) of the time or at an offset from the deadline, tell these listeners.

    `label` is the spelling in config ("50%", "-2wd"); with the appeal, its clock and round it names the rung for ever.
    `release` names who must let the message go out; empty where nobody must. A rung with `kinds` is for those only, and
    where a kind has rungs of its own the general ones of that clock do not hold for it.
    """

    label: str
    at: float | Span
    tell: tuple[Listener, ...]
    document: str = ""
    release: str = ""
    kinds: frozenset[Kind] = frozenset()


@dataclass(frozen=True, slots=True)
class Category:
    """One subject of appeals: its words for the first guess, its lead department, its route, its own terms."""

    code: str
    name: str
    keywords: tuple[str, ...] = ()
    department: str = ""
    route: Route = Route.LIAISON
    sensitive: bool = False
    terms: Mapping[str, Span] = field(default_factory=dict)
    external_code: str = ""


UNSURE = Category(code="unsure", name="待分类")


@dataclass(frozen=True, slots=True)
class Terms:
    """How long each thing may take (DOMAIN: the ranges that counties publish); a category may have its own."""

    dispatch: Span
    dispatch_urgent: Span
    acknowledge: Span
    urgent: Span
    inquiry: Span
    inquiry_hard: Span
    appeal: Span
    appeal_easy: Span
    appeal_hard: Span
    complaint: Span
    complaint_accept: Span
    suggestion: Span
    blocked_service: Span
    part: Span
    extension_total: Span
    rework_share: float = 0.5
    rework_least: Span = Span(2, Unit.WORKING_DAYS)


@dataclass(frozen=True, slots=True)
class SurveyTerms:
    """When the firm is asked again, when it is called, and after how many vain calls an appeal is kept unrated."""

    remind: Span
    call: Span
    unrated_after_calls: int = 3


@dataclass(frozen=True, slots=True)
class DigestTimes:
    """Civil times of day at which the digests leave on working days."""

    daily: tuple[time, ...] = (time(8, 30),)
    monthly: time = time(8, 30)


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything a decision may depend on besides the appeal itself."""

    park: str
    language: str
    calendar: Calendar
    terms: Terms
    ladders: Mapping[Clock, tuple[Rung, ...]]
    survey: SurveyTerms
    digest: DigestTimes
    categories: Mapping[str, Category]
    public_url: str = ""
    reminders_a_day: int = 2

    def category(self, code: str) -> Category:
        """The category of that code; an unknown code is unsure, never an error."""
        return self.categories.get(code, UNSURE)

    def term(self, kind: Kind, category: str, difficulty: Difficulty) -> Span:
        """How long the work may take; a category's own term for the kind goes before the park's."""
        own = self.category(category).terms
        name = kind.value if difficulty is Difficulty.NORMAL else f"{kind.value}_{difficulty.value}"
        general: Span = getattr(self.terms, name, None) or getattr(self.terms, kind.value)
        return own.get(name) or own.get(kind.value) or general

    def rework_spans(self, term: Span) -> tuple[Span, Span]:
        """The terms of a second round, the longer of which holds: a share of the first, rounded up, and the least."""
        share = Span(max(ceil(round(term.amount * self.terms.rework_share, 6)), 1), term.unit)
        return share, self.terms.rework_least

    def ladder(self, clock: Clock, kind: Kind) -> tuple[Rung, ...]:
        """The rungs of a clock for a kind of appeal."""
        steps = self.ladders.get(clock, ())
        own = tuple(rung for rung in steps if kind in rung.kinds)
        return own or tuple(rung for rung in steps if not rung.kinds)

    def provisional(self, deadline: datetime, *, briefly: bool = False) -> Said | None:
        """暂定, to be said behind a deadline whose year has no published table yet; `briefly` in a list."""
        if not self.calendar.is_provisional(deadline):
            return None
        return Said("appeal.provisional_briefly") if briefly else Said("appeal.provisional")
