"""Appeals in the database: get, list, due, and record(), the one door through which they change."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import fields, replace
from datetime import datetime
from enum import Enum
from operator import attrgetter
from typing import Any

from domain.appeal import Appeal, Change, Satisfaction, Solution, Source, Status
from domain.errors import Stale
from domain.news import notices
from domain.rules import Difficulty, Kind, Rules
from domain.verbs import Verb
from storage import history, listeners, outbox, parts
from storage.database import Row, Tx
from storage.reckonings import as_they_stand, read_dates, write_dates
from storage.scope import SYSTEM, VISIBLE, Scope
from storage.values import from_json, from_ms, from_ms_or_none, to_ms

_TIMES = frozenset(
    {
        "received_at",
        "round_started_at",
        "dispatch_due",
        "acknowledge_due",
        "due",
        "dispatched_at",
        "acknowledged_at",
        "contacted_at",
        "progress_at",
        "resolved_at",
        "suspended_at",
        "settled_at",
        "urged_at",
        "next_due",
        "intake_at",
        "suspended_until",
    }
)
_FLAGS = frozenset({"urgent", "sealed", "on_time", "ruled", "reopened", "objected", "escalated"})
_ENUMS: dict[str, type[Enum]] = {
    "kind": Kind,
    "status": Status,
    "difficulty": Difficulty,
    "source": Source,
    "satisfaction": Satisfaction,
    "solution": Solution,
    "previous_status": Status,
}
_APART = frozenset({"dates", "parts"})  # fields that are no column of the same shape
_FIELDS = tuple(field.name for field in fields(Appeal) if field.name not in _APART)
_DUE = frozenset({"dispatch_due", "acknowledge_due", "due", "next_due"})


def _column(field: str) -> str:
    return f"{field}_at" if field in _DUE else field


_COLUMNS = (*(_column(field) for field in _FIELDS if field != "id"), "reckoned", "part_count")
_INSERT = f"INSERT INTO appeals({', '.join(_COLUMNS)}) VALUES ({', '.join(':' + c for c in _COLUMNS)}) RETURNING id"
_UPDATE = f"""UPDATE appeals SET {", ".join(f"{c} = :{c}" for c in _COLUMNS)}
WHERE id = :id AND version = :old_version"""
_SELECT = "SELECT a.* FROM appeals a "
_WORKS = "SELECT appeal_id FROM parts WHERE handler_id = :person AND outcome IS NULL"


def _write(field: str) -> Callable[[Any], Any] | None:
    """How a field's value is stored, where that is not as it is."""
    if field in _TIMES:
        return to_ms
    if field in _FLAGS:
        return int
    return attrgetter("value") if field in _ENUMS else None


def _read(field: str) -> Callable[[Any], Any] | None:
    """The inverse of `_write`."""
    if field in _TIMES:
        return from_ms
    return bool if field in _FLAGS else _ENUMS.get(field)


_READ = tuple((field, _column(field), _read(field)) for field in _FIELDS)
_WRITE = tuple((field, _column(field), _write(field)) for field in _FIELDS)


async def _appeal(tx: Tx, row: Row) -> Appeal:
    read: dict[str, Any] = {}
    for field, column, convert in _READ:
        value = row[column]
        read[field] = value if convert is None or value is None else convert(value)
    reckoned = row["reckoned"]
    counted = (read[name] for name in ("received_at", "dispatch_due", "acknowledge_due", "due"))
    read["dates"] = read_dates(reckoned) if reckoned else as_they_stand(*counted)
    read["parts"] = await parts.of_appeal(tx, row["id"]) if row["part_count"] else ()
    return Appeal(**read)


def _row(appeal: Appeal) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for field, column, convert in _WRITE:
        value = getattr(appeal, field)
        written[column] = value if convert is None or value is None else convert(value)
    return {**written, "reckoned": write_dates(appeal.dates), "part_count": len(appeal.parts)}


async def get(tx: Tx, number: str, scope: Scope) -> Appeal | None:
    """The appeal of that number if the scope may see it; a foreign one is answered like none at all."""
    row = await tx.one(_SELECT + f"WHERE a.number = :number AND {VISIBLE}", {"number": number, **scope.params})
    return await _appeal(tx, row) if row else None


async def by_id(tx: Tx, appeal_id: int, scope: Scope = SYSTEM) -> Appeal | None:
    """The appeal of that row id, as `get`."""
    row = await tx.one(_SELECT + f"WHERE a.id = :id AND {VISIBLE}", {"id": appeal_id, **scope.params})
    return await _appeal(tx, row) if row else None


def _listed(statuses: Collection[Status]) -> tuple[str, dict[str, str]]:
    """Statuses as the inside of IN (...), with their parameters; none of them is NULL, which nothing equals."""
    names = {f"status{n}": status.value for n, status in enumerate(statuses)}
    return ", ".join(f":{name}" for name in names) or "NULL", names


async def visible(tx: Tx, scope: Scope, statuses: Collection[Status], most: int = 50) -> Sequence[Appeal]:
    """What the scope may see in these statuses, the earliest date first."""
    listed, names = _listed(statuses)
    query = _SELECT + f"WHERE a.status IN ({listed}) AND {VISIBLE} ORDER BY a.due_at, a.id LIMIT :most"
    return [await _appeal(tx, row) for row in await tx.all(query, {**names, **scope.params, "most": most})]


async def held_by(tx: Tx, person_id: int, statuses: Collection[Status]) -> Sequence[Appeal]:
    """What a person holds the clock of, or works on a part of, the earliest date first; of sealed matters only what an
    inspector holds.
    """
    listed, names = _listed(statuses)
    allowed = "(a.sealed = 0 OR :person IN (SELECT person_id FROM person_roles WHERE role = 'inspector'))"
    held = f"WHERE (a.handler_id = :person OR a.id IN ({_WORKS})) AND a.status IN ({listed}) AND {allowed}"
    query = _SELECT + held + " ORDER BY a.due_at, a.id"
    return [await _appeal(tx, row) for row in await tx.all(query, {**names, "person": person_id})]


async def in_hands_of(tx: Tx, person_id: int, statuses: Collection[Status]) -> Sequence[Appeal]:
    """What a person has in hand as handler, liaison or co-handler, the earliest date first; nothing sealed."""
    listed, names = _listed(statuses)
    his = f"(:person IN (a.handler_id, a.liaison_id) OR a.id IN ({_WORKS}))"
    query = _SELECT + f"WHERE a.sealed = 0 AND {his} AND a.status IN ({listed}) ORDER BY a.due_at, a.id"
    return [await _appeal(tx, row) for row in await tx.all(query, {**names, "person": person_id})]


async def due(tx: Tx, at: datetime, most: int = 200) -> Sequence[int]:
    """The row ids of appeals about which the clock has something to say at `at`, the longest due first."""
    query = "SELECT id FROM appeals WHERE next_due_at <= :at ORDER BY next_due_at LIMIT :most"
    return [row["id"] for row in await tx.all(query, {"at": to_ms(at), "most": most})]


async def next_due(tx: Tx, after: datetime) -> datetime | None:
    """The earliest moment after `after` at which the clock will have something to say."""
    row = await tx.one("SELECT MIN(next_due_at) AS at FROM appeals WHERE next_due_at > :after", {"after": to_ms(after)})
    return from_ms_or_none(row["at"]) if row else None


async def look_again(tx: Tx, appeal: Appeal, at: datetime | None) -> None:
    """Set when the clock looks at an appeal next; no change of the appeal itself, so no event and no version."""
    moved = await tx.run(
        "UPDATE appeals SET next_due_at = :at WHERE id = :id AND version = :version",
        {"at": to_ms(at) if at else None, "id": appeal.id, "version": appeal.version},
    )
    if moved != 1:
        raise Stale


async def new_number(tx: Tx) -> str:
    """The next serial of the park; it never restarts."""
    row = await tx.one("UPDATE counters SET value = value + 1 WHERE name = 'appeal' RETURNING value")
    assert row is not None  # the schema puts the row there
    return str(row["value"])


async def record(tx: Tx, change: Change, rules: Rules) -> Appeal:
    """The one door: the conditional update, one event, one owed message for each listener.

    Raises Stale when somebody was faster (not one row had the version that was read).
    """
    appeal_id = await _store(tx, change)
    event_id = await history.write(tx, _line(change, appeal_id))
    await history.attach(tx, event_id, change.attachments)
    after = change.after if change.after.id is not None else replace(change.after, id=appeal_id)
    if _outdates(change):
        await outbox.strike_out(tx, after, change.at)
    await listeners.owe_all(tx, notices(change), after, change, rules)
    return after


def _outdates(change: Change) -> bool:
    """Whether buttons made for the state before mean nothing any more; the rule is that of `moved_since`."""
    before, after = change.before, change.after
    if before is None or (before.status is Status.SUBMITTED and change.verb is Verb.DISPATCH and change.by is None):
        return False
    return before.status is not after.status or change.verb in (Verb.DISPATCH, Verb.RULE)


async def _store(tx: Tx, change: Change) -> int:
    if change.before is None:
        row = await tx.one(_INSERT, _row(change.after))
        assert row is not None  # RETURNING
        return int(row["id"])
    assert change.after.id is not None  # it was read from the table
    changed = await tx.run(_UPDATE, _row(change.after) | {"old_version": change.before.version})
    if changed != 1:
        raise Stale
    if change.before.parts != change.after.parts:
        await parts.store(tx, change.after.id, change.before, change.after)
    return change.after.id


def _line(change: Change, appeal_id: int) -> history.Line:
    return history.Line(
        subject=f"appeal:{change.after.number}",
        name=change.verb.value,
        by=change.by,
        at=change.at,
        facts={**_moved(change), **change.given, **change.facts},
        text=change.text,
        appeal_id=appeal_id,
        version=change.after.version,
        from_status=change.before.status.value if change.before else None,
        to_status=change.after.status.value,
    )


def _moved(change: Change) -> dict[str, Any]:
    """What else moved with the step, both values kept: owner, unit, dates, category."""
    before, after = change.before, change.after
    owners, dates = ("handler_id", "liaison_id", "department_id"), ("due", "acknowledge_due", "suspended_until")
    watched = (*owners, *dates, "category", "difficulty")
    moved: dict[str, Any] = {}
    for field in watched:
        old, new = getattr(before, field, None), getattr(after, field)
        if old != new:
            moved[field] = _shown(new)
            if before is not None and old is not None:
                moved[f"{field}_before"] = _shown(old)
    if before is not None and before.dates.hard != after.dates.hard:
        moved["hard"] = after.dates.hard
    return moved


def _shown(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


async def moved_since(tx: Tx, appeal: Appeal, version: int) -> bool:
    """Whether status or owner changed after `version`: then a button of that version shows a state that is gone.

    The dispatch by rule belongs to intake: who was told of the one knows the other.
    """
    found = await tx.all(
        """SELECT id FROM events WHERE appeal_id = :id AND version > :version
           AND (from_status <> to_status OR name IN ('dispatch', 'rule'))
           AND NOT (name = 'dispatch' AND actor_id IS NULL AND from_status = 'submitted') LIMIT 1""",
        {"id": appeal.id, "version": version},
    )
    return bool(found)


async def filed_since(tx: Tx, enterprise_id: int, since: datetime) -> int:
    """How many matters a firm has raised since then."""
    row = await tx.one(
        "SELECT COUNT(*) AS n FROM appeals WHERE enterprise_id = :firm AND received_at >= :since",
        {"firm": enterprise_id, "since": to_ms(since)},
    )
    return int(row["n"]) if row else 0


async def latest_progress(tx: Tx, appeal_id: int) -> tuple[datetime, str] | None:
    """The last public note of an appeal that was not taken back: when, and its words."""
    rows = await tx.all(
        """SELECT e.name, e.at, e.facts, t.body FROM events e LEFT JOIN event_texts t ON t.event_id = e.id
           WHERE e.appeal_id = :id AND e.name IN ('progress', 'take_back') ORDER BY e.version DESC LIMIT 20""",
        {"id": appeal_id},
    )
    taken_back = False
    for row in rows:
        if row["name"] == "progress" and not taken_back and row["body"] is not None:
            return (from_ms(row["at"]), row["body"])
        taken_back = row["name"] == "take_back" and from_json(row["facts"]).get("undone") == "progress"
    return None


async def follow_chat(tx: Tx, met: int, chat_id: int) -> None:
    """A chat turned out to be another one: what was raised in it was raised there. No appeal changes by that."""
    await tx.run("UPDATE appeals SET origin_chat_id = :chat WHERE origin_chat_id = :met", {"met": met, "chat": chat_id})
