"""Reads the problem ledger: every appeal of a period that is not sealed, page by page, oldest first."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.appeal import Satisfaction, Solution, Source, Status
from domain.figures import COMMON_WITHIN, Mention, common
from domain.ledger import Entry
from domain.rules import Difficulty, Kind
from domain.said import Fact, from_facts
from storage.database import Row, Tx
from storage.figures import statuses
from storage.values import from_json, from_ms, from_ms_or_none, to_ms

PAGE = 200

_ENTRIES = """
SELECT a.*, e.name AS enterprise, e.zone, c.name AS contact, d.name AS department, h.name AS handler,
       l.name AS liaison, s.name AS chief
FROM appeals a JOIN enterprises e ON e.id = a.enterprise_id
LEFT JOIN people c ON c.id = a.contact_id LEFT JOIN people h ON h.id = a.handler_id
LEFT JOIN people l ON l.id = a.liaison_id LEFT JOIN people s ON s.id = e.chief_id
LEFT JOIN departments d ON d.id = a.department_id
WHERE a.sealed = 0 AND a.received_at < :until
AND (a.received_at > :after OR (a.received_at = :after AND a.id > :last))
ORDER BY a.received_at, a.id LIMIT :most"""


async def rows(tx: Tx, since: datetime, until: datetime) -> AsyncIterator[Sequence[Entry]]:
    """What was received from `since` up to, not including, `until`, in pages; sealed matters are in none."""
    issues = await _common(tx, since, until)
    after, last = to_ms(since), 0
    while True:
        span = {"after": after, "last": last, "until": to_ms(until), "most": PAGE}
        found = await tx.all(_ENTRIES, span)
        if not found:
            return
        told = await _told(tx, [row["id"] for row in found])
        yield [_entry(row, told[row["id"]], row["id"] in issues) for row in found]
        after, last = found[-1]["received_at"], found[-1]["id"]


async def first_received(tx: Tx) -> datetime | None:
    """When the oldest appeal of the ledger came in."""
    row = await tx.one("SELECT MIN(received_at) AS at FROM appeals WHERE sealed = 0")
    return from_ms_or_none(row["at"]) if row else None


async def _common(tx: Tx, since: datetime, until: datetime) -> frozenset[int]:
    """Which appeals are part of a common issue; its other parts may lie just outside of the period."""
    found = await tx.all(
        f"""SELECT a.id, a.category, a.enterprise_id, a.received_at, e.zone
            FROM appeals a JOIN enterprises e ON e.id = a.enterprise_id
            WHERE a.sealed = 0 AND a.received_at >= :since AND a.received_at < :until
            AND a.status NOT IN {statuses({Status.DECLINED, Status.WITHDRAWN})}""",
        {"since": to_ms(since - COMMON_WITHIN), "until": to_ms(until + COMMON_WITHIN)},
    )
    return common(
        Mention(row["id"], row["category"], row["zone"], row["enterprise_id"], from_ms(row["received_at"]))
        for row in found
    )


@dataclass(slots=True)
class _Told:
    """What the history of one appeal says about it, gathered line by line."""

    text: str = ""
    first_due: datetime | None = None
    reports: list[tuple[str, datetime]] = field(default_factory=list)
    meetings: int = 0
    supervisions: int = 0
    followed_up_at: datetime | None = None
    followed_up_by: str | None = None
    reminders: int = 0
    co_handlers: list[str] = field(default_factory=list)


_TERMS = frozenset({"file", "recategorise", "difficulty"})
_PROGRESS = frozenset({"progress", "resolve", "explain", "instant", "milestone_done"})
_MEETINGS = frozenset({"visit", "meeting", "assist", "refer"})


async def _told(tx: Tx, ids: Sequence[int]) -> defaultdict[int, _Told]:
    told: defaultdict[int, _Told] = defaultdict(_Told)
    names, listed = _listed(ids)
    for line in await tx.all(
        f"""SELECT e.appeal_id, e.name, e.at, e.facts, p.name AS actor, t.body FROM events e
            LEFT JOIN people p ON p.id = e.actor_id LEFT JOIN event_texts t ON t.event_id = e.id
            WHERE e.appeal_id IN ({listed}) ORDER BY e.appeal_id, e.version""",
        names,
    ):
        _hear(told[line["appeal_id"]], line)
    await _count_reminders(tx, told, names, listed)
    await _name_co_handlers(tx, told, names, listed)
    return told


def _listed(ids: Sequence[int]) -> tuple[Mapping[str, int], str]:
    names = {f"id{n}": appeal_id for n, appeal_id in enumerate(ids)}
    return names, ", ".join(f":{name}" for name in names)


def _hear(told: _Told, line: Row) -> None:
    name, at = line["name"], from_ms(line["at"])
    if name in _TERMS:
        due = from_facts(from_json(line["facts"])).get("due")
        told.first_due = due if isinstance(due, datetime) else told.first_due
    elif name == "recount":
        told.first_due = _recounted(told.first_due, from_facts(from_json(line["facts"])))
    if name == "file":
        told.text = line["body"] or ""
    elif name in _PROGRESS:
        told.reports.append((line["body"] or "", at))
    elif name == "take_back":
        told.reports.pop()
    elif name == "follow_up" or '"by_call":true' in line["facts"]:
        told.followed_up_at, told.followed_up_by = at, line["actor"]
    told.meetings += name in _MEETINGS
    told.supervisions += name == "supervise"


def _recounted(first_due: datetime | None, moved: Mapping[str, Fact]) -> datetime | None:
    """Another calendar moves the date itself, which is no extension; one that was extended before keeps its first."""
    due = moved.get("due")
    return due if isinstance(due, datetime) and moved.get("due_before") == first_due else first_due


async def _count_reminders(tx: Tx, told: Mapping[int, _Told], names: Mapping[str, int], listed: str) -> None:
    """催办: the rungs of which somebody of the office was told, each once however many were told."""
    for row in await tx.all(
        f"""SELECT appeal_id, COUNT(DISTINCT clock || ' ' || round || ' ' || label) AS many FROM rungs
            WHERE appeal_id IN ({listed}) AND told_at IS NOT NULL AND clock <> 'survey' GROUP BY appeal_id""",
        names,
    ):
        told[row["appeal_id"]].reminders = int(row["many"])


async def _name_co_handlers(tx: Tx, told: Mapping[int, _Told], names: Mapping[str, int], listed: str) -> None:
    """配合部门: the units that were given a share, each once."""
    for row in await tx.all(
        f"""SELECT appeal_id, unit FROM parts WHERE appeal_id IN ({listed}) AND kind = 'share'
            GROUP BY appeal_id, unit ORDER BY appeal_id, MIN(n)""",
        names,
    ):
        told[row["appeal_id"]].co_handlers.append(row["unit"])


def _entry(row: Row, told: _Told, is_common: bool) -> Entry:
    return Entry(
        **_of_row(row),
        text=told.text,
        first_due=told.first_due or from_ms(row["due_at"]),
        progress=told.reports[-1][0] if told.reports else "",
        progressed_at=told.reports[-1][1] if told.reports else None,
        meetings=told.meetings,
        followed_up_at=told.followed_up_at,
        followed_up_by=told.followed_up_by,
        reminders=told.reminders + row["urges"],
        supervisions=told.supervisions,
        co_handlers=tuple(told.co_handlers),
        common=is_common,
    )


_AS_THEY_ARE = (
    "id",
    "number",
    "title",
    "category",
    "enterprise",
    "zone",
    "contact",
    "department",
    "handler",
    "liaison",
    "chief",
    "resolution",
    "merged_into",
    "returns",
    "reworks",
)
_MOMENTS = ("acknowledged_at", "resolved_at", "settled_at")


def _of_row(row: Row) -> dict[str, Any]:
    """What the row of the appeal itself says."""
    return {
        **{name: row[name] for name in _AS_THEY_ARE},
        **{name: from_ms_or_none(row[name]) for name in _MOMENTS},
        "kind": Kind(row["kind"]),
        "status": Status(row["status"]),
        "difficulty": Difficulty(row["difficulty"]),
        "source": Source(row["source"]),
        "urgent": bool(row["urgent"]),
        "escalated": bool(row["escalated"]),
        "received_at": from_ms(row["received_at"]),
        "due": from_ms(row["due_at"]),
        "on_time": None if row["on_time"] is None else bool(row["on_time"]),
        "satisfaction": Satisfaction(row["satisfaction"]) if row["satisfaction"] else None,
        "solution": Solution(row["solution"]) if row["solution"] else None,
    }
