"""A cadre's own digest: what he must do, shares of others' matters among it, then what needs nothing from him."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.appeal import Status
from domain.digest import MOST_LINES, Item, lateness, with_more, working_days_late
from domain.parts import PartKind
from domain.rules import Rules
from domain.said import Fact, Said


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a matter that a cadre answers for, with its own date; `title` is the part's."""

    id: int
    number: str
    firm: str
    kind: PartKind
    title: str
    due: datetime
    handler_id: int


@dataclass(frozen=True, slots=True)
class Cadre:
    """One reader of his own digest.

    `covers` are the people on leave for whom he stands in, by id and name; `calm_firms` counts the firms that
    he looks after and that have nothing open, None for who looks after none.
    """

    id: int
    name: str
    covers: Mapping[int, str]
    calm_firms: int | None = None


def cadre(reader: Cadre, items: Sequence[Item], pieces: Sequence[Piece], at: datetime, rules: Rules) -> Said | None:
    """A cadre's own: what he must do in the order of its dates, then what needs nothing from him; None if nothing."""
    if not items and not pieces:
        return None
    todo: list[Item | Piece] = [*(item for item in items if _must_act(reader, item)), *pieces]
    todo.sort(key=_when)
    others = [item for item in items if not _must_act(reader, item)]
    lines = [_line(reader, one, at, rules) for one in [*todo, *others][:MOST_LINES]]
    facts: dict[str, Fact] = {
        "name": reader.name,
        "at": at,
        "firms": Said("digest.calm_firms", {"count": reader.calm_firms}) if reader.calm_firms else None,
        "lines": tuple(with_more(lines, len(items) + len(pieces))),
    }
    if not todo:
        return Said("digest.cadre_calm", facts)
    return Said("digest.cadre", {**facts, "count": len(todo)})


_ACTS = frozenset({Status.DISPATCHED, Status.IN_PROGRESS, Status.REWORK})


def _must_act(reader: Cadre, item: Item) -> bool:
    mine = item.handler_id == reader.id or item.handler_id in reader.covers
    return mine and item.status in _ACTS


def _next_date(item: Item) -> datetime:
    return item.acknowledge_due if item.status is Status.DISPATCHED else item.due


_PIECE_LINES = {
    PartKind.SHARE: "digest.share_line",
    PartKind.MILESTONE: "digest.milestone_line",
    PartKind.ORDER: "digest.order_line",
}


def _when(one: Item | Piece) -> tuple[datetime, int]:
    return (_next_date(one) if isinstance(one, Item) else one.due, one.id)


def _line(reader: Cadre, one: Item | Piece, at: datetime, rules: Rules) -> Said:
    return _own_line(reader, one, at, rules) if isinstance(one, Item) else _piece_line(reader, one, at, rules)


def _piece_line(reader: Cadre, piece: Piece, at: datetime, rules: Rules) -> Said:
    late = piece.due < at
    facts: dict[str, Fact] = {
        "firm": piece.firm,
        "number": piece.number,
        "title": piece.title,
        "task": Said("digest.piece_late" if late else "digest.piece", _date(piece.due, rules)),
        "cover": _cover(reader, piece.handler_id),
    }
    return Said(_PIECE_LINES[piece.kind], facts)


def _cover(reader: Cadre, handler_id: int | None) -> Said | None:
    whom = reader.covers.get(handler_id) if handler_id is not None else None
    return Said("digest.cover", {"whom": whom}) if whom else None


def _own_line(reader: Cadre, item: Item, at: datetime, rules: Rules) -> Said:
    task = _task(item, at, rules) if _must_act(reader, item) else _nothing_to_do(reader, item)
    facts: dict[str, Fact] = {
        "firm": item.firm,
        "number": item.number,
        "title": item.title,
        "task": task,
        "cover": _cover(reader, item.handler_id),
    }
    return Said("digest.own_line", facts)


def _task(item: Item, at: datetime, rules: Rules) -> Said:
    late = _next_date(item) < at
    if item.status is Status.DISPATCHED:
        key = "digest.acknowledge_late" if late else "digest.acknowledge"
        return Said(key, _date(item.acknowledge_due, rules))
    if late:
        days = working_days_late(rules.calendar, item.due, at)
        return Said("digest.resolve_late", {"late": lateness(item.due, days)})
    return Said("digest.rework" if item.status is Status.REWORK else "digest.resolve", _date(item.due, rules))


def _date(due: datetime, rules: Rules) -> Mapping[str, Fact]:
    return {"due": due, "provisional": rules.provisional(due, briefly=True)}


def _nothing_to_do(reader: Cadre, item: Item) -> Said:
    """Why an item needs nothing from this reader."""
    if item.status is Status.RESOLVED:
        return Said("digest.resolved")
    if item.status in (Status.SUBMITTED, Status.RETURNED):
        return Said("digest.unassigned")
    if item.handler_id == reader.id or item.handler_id in reader.covers:
        return Said("digest.resting", {"status": Said(f"status.{item.status}")})
    return Said("digest.by_other", {"owner": item.owner})
