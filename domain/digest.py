"""The daily digest: when it leaves, and what it says to the office and to each cadre."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from domain.appeal import Status
from domain.figures import Figures, Identity, Part
from domain.rules import Kind, Rules
from domain.said import Fact, Said
from domain.workdays import DAYS_WANTED, Calendar

MOST_LINES = 10
LONGEST_NOTE = 30
_FARTHEST = 60  # days; no holidays are longer than that
_ONE_DAY = timedelta(days=1)


# When it leaves ---------------------------------------------------------------------------------------------
def ticks_of(rules: Rules, day: date) -> tuple[datetime, ...]:
    """The moments of a local day at which digests leave, in order; none on a day off."""
    if not rules.calendar.is_working_day(day):
        return ()
    times = sorted(set(rules.digest.daily))
    zone = rules.calendar.zone
    return tuple(datetime.combine(day, clock, tzinfo=zone).astimezone(UTC) for clock in times)


def tick_now(rules: Rules, at: datetime) -> datetime | None:
    """The latest tick of today that has come; after a down time only this one is told, no older day's."""
    return max((tick for tick in ticks_of(rules, _day(rules, at)) if tick <= at), default=None)


def tick_before(rules: Rules, at: datetime) -> datetime:
    """The last tick before a moment; where a park has none at all, the start of the day before."""
    days = (_day(rules, at) - shift * _ONE_DAY for shift in range(_FARTHEST))
    found = (tick for day in days for tick in reversed(ticks_of(rules, day)) if tick < at)
    return next(found, rules.calendar.day_start(at - _ONE_DAY))


def tick_after(rules: Rules, at: datetime) -> datetime | None:
    """The next tick after a moment."""
    days = (_day(rules, at) + shift * _ONE_DAY for shift in range(_FARTHEST))
    return next((tick for day in days for tick in ticks_of(rules, day) if tick > at), None)


def _day(rules: Rules, at: datetime) -> date:
    return rules.calendar.local(at).date()


# What it is made of -----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Item:
    """One appeal as a digest names it; sealed ones never become an Item. `note` is the latest progress."""

    id: int
    number: str
    title: str
    kind: Kind
    category: str
    status: Status
    firm: str
    enterprise_id: int
    due: datetime
    acknowledge_due: datetime
    reworks: int = 0
    department: str | None = None
    handler: str | None = None
    handler_id: int | None = None
    note: str = ""
    noted_at: datetime | None = None

    @property
    def owner(self) -> Fact:
        """Who answers for it: the unit, else the person; lateness is booked to whoever holds the step."""
        return self.department or self.handler or Said("digest.no_owner")


@dataclass(frozen=True, slots=True)
class Issue:
    """A common issue: so many firms of a zone with one category; `numbers` are its latest appeals."""

    category: str
    zone: str
    firms: int
    numbers: tuple[str, ...]
    department: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """The first items of a list, and how many there are in all."""

    items: Sequence[Item] = ()
    total: int = 0


@dataclass(frozen=True, slots=True)
class OutOfReach:
    """Somebody whom no message reaches, and how many live matters wait for him or are his."""

    name: str
    matters: int


@dataclass(frozen=True, slots=True)
class Day:
    """All that the office's digest tells; departments stand in roster order and are never ranked."""

    at: datetime
    since: datetime
    figures: Figures
    attention: Section = Section()
    triage: Section = Section()
    reworks: Section = Section()
    hard: Section = Section()
    done: Section = Section()
    issues: Sequence[Issue] = ()
    unreached: Sequence[OutOfReach] = ()
    gaps: Sequence[Said] = ()


# What the office hears --------------------------------------------------------------------------------------
def office(day: Day, rules: Rules, *, group: bool) -> Said:
    """The park's digest as one sentence; in a group, complaints and sensitive matters show their kind."""
    figures = day.figures
    return Said(
        "digest.office",
        {
            "park": rules.park,
            "at": day.at,
            "new": figures.new,
            "due_today": figures.due_today,
            "overdue": figures.overdue,
            "waiting": figures.waiting,
            "month": _month(figures.month),
            "attention": _section("digest.attention", day.attention, _Attention(rules, day.at, group)),
            "triage": _section("digest.triage", day.triage, _Line("digest.triage_line", rules, group)),
            "reworks": _section("digest.reworks", day.reworks, _Line("digest.rework_line", rules, group)),
            "hard": _section("digest.hard", day.hard, _Line("digest.hard_line", rules, group)),
            "issues": _issues(day.issues, rules),
            "unreached": _unreached(day.unreached),
            "gaps": _gaps(day.gaps),
            "done": _section("digest.done", day.done, _Line("digest.done_line", rules, group)),
            "horizon": _horizon(rules, day.at),
        },
    )


def _horizon(rules: Rules, at: datetime) -> Said | None:
    """Once a week, in its first digest: the year tables end soon, and what is to be done about it."""
    left = rules.calendar.days_covered(at)
    week = _day(rules, at).isocalendar()[:2]
    if left >= DAYS_WANTED or _day(rules, tick_before(rules, at)).isocalendar()[:2] == week:
        return None
    return Said("digest.horizon", {"until": rules.calendar.covered_until(), "days": max(left, 0)})


_PARTS: Mapping[Part, str] = {
    Part.CLOSED: "digest.part_closed",
    Part.DISPUTED: "digest.part_disputed",
    Part.UNRATED: "digest.part_unrated",
    Part.WAITING: "digest.part_waiting",
    Part.UNDER_WAY: "digest.part_under_way",
    Part.DECLINED: "digest.part_declined",
    Part.WITHDRAWN: "digest.part_withdrawn",
    Part.MERGED: "digest.part_merged",
}


def _month(month: Identity) -> Said:
    """受理 and what became of it; parts of which there is none are left out."""
    if not month.received and month.holds:
        return Said("digest.month_empty")
    parts = [Said(_PARTS[part], {"count": count}) for part, count in month.parts.items() if count]
    gap = None if month.holds else Said("digest.gap", {"count": month.gap})
    return Said("digest.month", {"received": month.received, "parts": _sum(parts), "gap": gap})


def _sum(parts: Sequence[Said]) -> Said | None:
    whole: Said | None = None
    for part in parts:
        whole = Said("digest.plus", {"left": whole, "right": part}) if whole else part
    return whole


@dataclass(frozen=True, slots=True)
class _Line:
    """Says one item by a text of its own."""

    key: str
    rules: Rules
    group: bool

    def __call__(self, item: Item) -> Said:
        return Said(self.key, _facts(item, self.rules, group=self.group))


@dataclass(frozen=True, slots=True)
class _Attention:
    """Says one item that is due today or overdue, and what is next with it."""

    rules: Rules
    at: datetime
    group: bool

    def __call__(self, item: Item) -> Said:
        facts = {**_facts(item, self.rules, group=self.group), "next": self._next(item)}
        if item.due >= self.at:
            return Said("digest.due_line", facts)
        days = working_days_late(self.rules.calendar, item.due, self.at)
        return Said("digest.overdue_line", {**facts, "late": lateness(item.due, days)})

    def _next(self, item: Item) -> Said:
        hidden = self.group and _is_delicate(item, self.rules)
        if not item.note or item.noted_at is None or hidden:
            return Said("digest.next_status", {"status": Said(f"status.{item.status}")})
        day = _day(self.rules, item.noted_at)
        return Said("digest.next_note", {"note": shortened(item.note), "day": day})


def _facts(item: Item, rules: Rules, *, group: bool) -> dict[str, Fact]:
    hidden = group and _is_delicate(item, rules)
    return {
        "number": item.number,
        "title": Said("digest.withheld", {"kind": Said(f"kind.{item.kind}")}) if hidden else item.title,
        "owner": item.owner,
        "firm": item.firm,
        "status": Said(f"status.{item.status}"),
        "due": item.due,
        "provisional": rules.provisional(item.due, briefly=True),
        "reworks": item.reworks,
    }


def _is_delicate(item: Item, rules: Rules) -> bool:
    """Complaints and categories marked sensitive are spoken of in private only."""
    return item.kind is Kind.COMPLAINT or rules.category(item.category).sensitive


def _section(key: str, section: Section, line: _Line | _Attention) -> Said | None:
    """A headed list; a list without items is left out, heading and all."""
    if not section.items:
        return None
    lines = [line(item) for item in section.items[:MOST_LINES]]
    return Said(key, {"lines": tuple(with_more(lines, section.total))})


def with_more(lines: Sequence[Said], total: int) -> Iterator[Said]:
    yield from lines
    if total > len(lines):
        yield Said("digest.more", {"count": total - len(lines)})


def _gaps(gaps: Sequence[Said]) -> Said | None:
    if not gaps:
        return None
    lines = [Said("digest.gap_line", {"gap": gap}) for gap in gaps[:MOST_LINES]]
    return Said("digest.gaps", {"lines": tuple(with_more(lines, len(gaps)))})


def _issues(issues: Sequence[Issue], rules: Rules) -> Said | None:
    if not issues:
        return None
    return Said("digest.issues", {"lines": tuple(_issue(issue, rules) for issue in issues[:MOST_LINES])})


def _unreached(people: Sequence[OutOfReach]) -> Said | None:
    if not people:
        return None
    lines = [Said("digest.unreached_line", {"name": one.name, "count": one.matters}) for one in people[:MOST_LINES]]
    return Said("digest.unreached", {"lines": tuple(with_more(lines, len(people)))})


def _issue(issue: Issue, rules: Rules) -> Said:
    facts: dict[str, Fact] = {
        "zone": issue.zone or rules.park,
        "category": rules.category(issue.category).name,
        "firms": issue.firms,
        "numbers": " ".join(f"#{number}" for number in issue.numbers),
        "lead": Said("digest.issue_lead", {"department": issue.department}) if issue.department else None,
    }
    return Said("digest.issue_line", facts)


def shortened(note: str) -> str:
    """The first line of a note, cut so that a phone shows it in one or two."""
    first = note.strip().split("\n", 1)[0].strip()
    return first if len(first) <= LONGEST_NOTE else first[: LONGEST_NOTE - 1] + "…"


def lateness(due: datetime, days: int) -> Said:
    if days:
        return Said("digest.days_late", {"due": due, "days": days})
    return Said("digest.just_late", {"due": due})


def working_days_late(calendar: Calendar, due: datetime, at: datetime) -> int:
    """Working days since a date that has passed; the rest of its own day counts as none."""
    return calendar.working_days_between(calendar.local(due).date(), calendar.local(at).date())
