"""A policy notice: what it says, which firms it concerns, and how it reads."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from domain.people import Enterprise
from domain.said import Fact, Said

FACETS = ("industries", "sizes", "zones", "tags")


class State(StrEnum):
    """From the coordinator's [确认] on: waiting for its hour, out, reported on; or stopped before it went out."""

    SCHEDULED = "scheduled"
    POSTED = "posted"
    REPORTED = "reported"
    STOPPED = "stopped"


OUT = frozenset({State.POSTED, State.REPORTED})
"""The states in which people may know of a notice."""


def fold(text: str) -> str:
    """Half-width, lower-case and without spaces: how words are compared."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


@dataclass(frozen=True, slots=True)
class Audience:
    """Which firms are meant. An empty facet leaves nobody out; `words` is how a person described them."""

    industries: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    words: str = ""

    @property
    def everybody(self) -> bool:
        """Whether no facet narrows it."""
        return not (self.industries or self.sizes or self.zones or self.tags)

    @property
    def shown(self) -> str | None:
        """What stands behind 惠及对象: the description, else the words of the facets, else nothing."""
        facets = (self.industries, self.sizes, self.zones, self.tags)
        return self.words or "；".join("、".join(facet) for facet in facets if facet) or None

    def matches(self, firm: Enterprise) -> bool:
        """Whether each facet that says something says it of the firm.

        A word fits what contains it, as people shorten names: 大树营 is 大树营片区, 高新 is 高新技术企业.
        """
        return all(fits(wanted, held) for wanted, held in zip(self._wanted(), held_by(firm), strict=True))

    def unknown(self, firms: Iterable[Enterprise]) -> tuple[str, ...]:
        """The words that fit no firm at all, most likely slips of the pen."""
        held = [held_by(firm) for firm in firms]
        return tuple(
            word
            for place, facet in enumerate(self._wanted())
            for word in facet
            if not any(fits((word,), each[place]) for each in held)
        )

    def _wanted(self) -> tuple[tuple[str, ...], ...]:
        return self.industries, self.sizes, self.zones, self.tags


def held_by(firm: Enterprise) -> tuple[tuple[str, ...], ...]:
    """What the roster says of a firm, in the order of FACETS."""
    return (firm.industry,), (firm.size,), (firm.zone,), tuple(firm.tags)


def fits(wanted: Iterable[str], held: Iterable[str]) -> bool:
    """Whether nothing is wanted, or one of the wanted words stands in one of those held."""
    asked = [fold(word) for word in wanted]
    return not asked or any(word in fold(each) for word in asked for each in held)


@dataclass(frozen=True, slots=True)
class Content:
    """All that a notice says. `fields`: conditions, window, time_limit, address, phone, materials, where given.

    `closes_on` is the last day of the application window.
    """

    title: str
    body: str
    doc_no: str = ""
    url: str = ""
    audience: Audience = field(default_factory=Audience)
    fields: Mapping[str, str] = field(default_factory=dict)
    closes_on: date | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A notice that a coordinator has released; `post_at` is when it leaves."""

    id: int
    content: Content
    published_by: int
    published_at: datetime
    post_at: datetime
    state: State

    @property
    def subject(self) -> str:
        """What its history stands under."""
        return f"policy:{self.id}"

    @property
    def mark(self) -> str:
        """How its buttons name it."""
        return f"p{self.id}"


def notice_facts(content: Content) -> dict[str, Fact]:
    """The facts of the notice; whom, under which conditions, when, where and whom to call stand in three lines."""
    given: Mapping[str, str | None] = {**content.fields, "audience": content.audience.shown}
    lines: dict[str, Fact] = {
        "who": _pair(_part(given, "audience"), _part(given, "conditions")),
        "when": _pair(_part(given, "window"), _part(given, "time_limit")),
        "where": _pair(_part(given, "address"), _part(given, "phone")),
    }
    return {"name": content.title, "body": content.body, "doc_no": content.doc_no or None, **lines}


def wanting_facts(content: Content, today: date) -> dict[str, Fact]:
    """What somebody who wants to apply needs: conditions, materials, window, place, phone."""
    parts = {name: _part(content.fields, name) for name in _PARTS if name != "audience"}
    closed = content.closes_on is not None and content.closes_on < today
    return {"name": content.title, **parts, "closed": Said("policy.closed") if closed else None}


_PARTS = {
    "audience": "policy.part_audience",
    "conditions": "policy.part_conditions",
    "window": "policy.part_window",
    "time_limit": "policy.part_time_limit",
    "address": "policy.part_address",
    "phone": "policy.part_phone",
    "materials": "policy.part_materials",
}


def _part(given: Mapping[str, str | None], name: str) -> Said | None:
    return Said(_PARTS[name], {"value": given[name]}) if given.get(name) else None


def _pair(left: Said | None, right: Said | None) -> Said | None:
    return Said("policy.pair", {"left": left, "right": right}) if left and right else left or right
