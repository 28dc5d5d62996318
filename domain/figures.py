"""Counts appeals so that the sum is right: the identity of a park's figures, numbers, common issues."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter

from domain.appeal import OPEN, Status
from domain.rules import UNSURE

COMMON_WITHIN = timedelta(days=30)
COMMON_FROM = 3
NO_SUBJECT = frozenset({UNSURE.code, "other"})
"""Categories that say nothing of the matter, so that firms who share them share nothing."""


class Part(StrEnum):
    """What can have become of an appeal, as the reports count it: each is exactly one of these."""

    CLOSED = "closed"
    DISPUTED = "disputed"
    UNRATED = "unrated"
    WAITING = "waiting"
    UNDER_WAY = "under_way"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"


STATUSES: Mapping[Part, frozenset[Status]] = {
    Part.CLOSED: frozenset({Status.CLOSED}),
    Part.DISPUTED: frozenset({Status.CLOSED_DISPUTED}),
    Part.UNRATED: frozenset({Status.UNRATED}),
    Part.WAITING: frozenset({Status.RESOLVED}),
    Part.UNDER_WAY: OPEN,
    Part.DECLINED: frozenset({Status.DECLINED}),
    Part.WITHDRAWN: frozenset({Status.WITHDRAWN}),
    Part.MERGED: frozenset({Status.MERGED}),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """受理 = 已销号 + 存疑办结 + 未评价归档 + 待评价 + 在办 + 不予受理 + 撤回 + 并案.

    `received` was counted by itself, not added up, so that `gap` shows an appeal lost between the columns.
    """

    received: int
    parts: Mapping[Part, int]

    @property
    def gap(self) -> int:
        """How many appeals stand in no column; below zero, how many stand in two."""
        return self.received - sum(self.parts.values())

    @property
    def holds(self) -> bool:
        """Whether the sum is right."""
        return self.gap == 0


def identity(received: int, by_status: Mapping[Status, int]) -> Identity:
    """The identity of `received` appeals of which so many have each status."""
    parts = {part: sum(by_status.get(status, 0) for status in STATUSES[part]) for part in Part}
    return Identity(received, parts)


@dataclass(frozen=True, slots=True)
class Figures:
    """The digest's numbers. `due_today` still lies ahead on the civil day; what is behind is `overdue`."""

    new: int
    due_today: int
    overdue: int
    waiting: int
    month: Identity


@dataclass(frozen=True, slots=True)
class Mention:
    """One appeal as the rule of common issues sees it: which subject, where, by whom, when."""

    id: int
    category: str
    zone: str
    enterprise_id: int
    at: datetime


def common(mentions: Iterable[Mention]) -> frozenset[int]:
    """The ids of appeals that belong to a common issue.

    共性问题: at least three firms of one zone bring the same category within thirty days (a park's practice).
    """
    groups: defaultdict[tuple[str, str], list[Mention]] = defaultdict(list)
    for mention in mentions:
        if mention.category not in NO_SUBJECT:
            groups[mention.category, mention.zone].append(mention)
    return frozenset(found for group in groups.values() for found in _repeated(group))


def _repeated(group: Sequence[Mention]) -> Iterable[int]:
    """Slide thirty days over one group; whatever lies in a window of enough firms is common."""
    ordered = sorted(group, key=attrgetter("at", "id"))
    firms: Counter[int] = Counter()
    start = marked = 0
    for end, mention in enumerate(ordered, 1):
        firms[mention.enterprise_id] += 1
        while mention.at - ordered[start].at > COMMON_WITHIN:
            firms[ordered[start].enterprise_id] -= 1
            start += 1
        if len(+firms) >= COMMON_FROM:
            yield from (found.id for found in ordered[max(start, marked) : end])
            marked = end
