"""Reads what the digest and the reports count and list; sealed matters are in none of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from domain.appeal import OPEN, Status
from domain.digest import MOST_LINES, Issue, Item, OutOfReach, Section
from domain.digest_own import Piece
from domain.figures import COMMON_FROM, COMMON_WITHIN, NO_SUBJECT, Figures, Identity, identity
from domain.parts import PartKind
from domain.people import Person
from domain.rules import Kind, Rules
from storage import absences, people
from storage.database import Row, Tx
from storage.scope import listed
from storage.values import from_ms, to_ms

RUNNING = frozenset(OPEN - {Status.SUSPENDED, Status.LONG_TERM})
"""Where the clock of the work runs, so that an appeal can be due."""

_ITEMS = """
SELECT a.id, a.number, a.title, a.kind, a.category, a.status, a.enterprise_id, a.handler_id, a.due_at,
       a.acknowledge_due_at, a.reworks, e.short_name AS firm, d.name AS department, h.name AS handler
FROM appeals a JOIN enterprises e ON e.id = a.enterprise_id
LEFT JOIN departments d ON d.id = a.department_id LEFT JOIN people h ON h.id = a.handler_id
WHERE a.sealed = 0 AND """
_COUNT = "SELECT COUNT(*) AS many FROM appeals a WHERE a.sealed = 0 AND "
_ROSTER_ORDER = " ORDER BY a.department_id IS NULL, a.department_id, a.due_at, a.id"


def statuses(wanted: Collection[Status]) -> str:
    """A list of statuses as SQL text: they are constants of ours, and an index wants to see them."""
    return "(" + ", ".join(f"'{status.value}'" for status in sorted(wanted)) + ")"


async def month(tx: Tx, since: datetime, until: datetime) -> Identity:
    """What was received from `since` up to, not including, `until`, and what has become of it."""
    span = {"since": to_ms(since), "until": to_ms(until)}
    received = "a.received_at >= :since AND a.received_at < :until"
    query = f"SELECT a.status, COUNT(*) AS many FROM appeals a WHERE a.sealed = 0 AND {received}"
    rows = await tx.all(query + " GROUP BY a.status", span)
    by_status = {Status(row["status"]): int(row["many"]) for row in rows}
    return identity(await _many(tx, received, span), by_status)


async def figures(tx: Tx, rules: Rules, since: datetime, at: datetime) -> Figures:
    """The digest's numbers as of `at`; new is what came in from `since` on."""
    calendar = rules.calendar
    times = {"at": to_ms(at), "since": to_ms(since), "tomorrow": to_ms(_tomorrow(rules, at))}
    running = f"a.status IN {statuses(RUNNING)} AND a.received_at < :at"
    return Figures(
        new=await _many(tx, "a.received_at >= :since AND a.received_at < :at", times),
        due_today=await _many(tx, f"{running} AND a.due_at >= :at AND a.due_at < :tomorrow", times),
        overdue=await _many(tx, f"{running} AND a.due_at < :at", times),
        waiting=await _many(tx, f"a.status = '{Status.RESOLVED}'", {}),
        month=await month(tx, calendar.month_start(at), at),
    )


async def attention(tx: Tx, rules: Rules, at: datetime) -> Section:
    """What is due today or overdue, departments in roster order, each item with its latest progress."""
    where = f"a.status IN {statuses(RUNNING)} AND a.received_at < :at AND a.due_at < :tomorrow"
    found = await _section(tx, where, {"at": to_ms(at), "tomorrow": to_ms(_tomorrow(rules, at))})
    return replace(found, items=await _with_notes(tx, found.items))


async def triage(tx: Tx, at: datetime) -> Section:
    """What waits for somebody to be named, the longest waiting first."""
    waits = statuses({Status.SUBMITTED, Status.RETURNED})
    where = f"a.status IN {waits} AND a.received_at < :at"
    return await _section(tx, where, {"at": to_ms(at)}, " ORDER BY a.received_at, a.id")


async def reworks(tx: Tx) -> Section:
    """What firms were not satisfied with and is being done again."""
    again = statuses(OPEN)
    return await _section(tx, f"a.status IN {again} AND a.reworks > 0", {})


async def hard(tx: Tx, at: datetime) -> Section:
    """What was called hard, or is kept as long term."""
    where = f"a.status IN {statuses(OPEN)} AND a.received_at < :at"
    hard_ones = f"{where} AND (a.difficulty = 'hard' OR a.status = '{Status.LONG_TERM}')"
    return await _section(tx, hard_ones, {"at": to_ms(at)})


async def done(tx: Tx, since: datetime, until: datetime) -> Section:
    """What was struck off from `since` up to, not including, `until`."""
    where = f"a.status = '{Status.CLOSED}' AND a.settled_at >= :since AND a.settled_at < :until"
    return await _section(tx, where, {"since": to_ms(since), "until": to_ms(until)}, " ORDER BY a.settled_at, a.id")


async def issues(tx: Tx, rules: Rules, at: datetime) -> Sequence[Issue]:
    """The common issues of the last thirty days of which something is still open, most firms first."""
    rows = await tx.all(
        f"""SELECT a.category, e.zone, COUNT(DISTINCT a.enterprise_id) AS firms
            FROM appeals a JOIN enterprises e ON e.id = a.enterprise_id WHERE {_MENTIONED}
            GROUP BY a.category, e.zone HAVING COUNT(DISTINCT a.enterprise_id) >= :least
            AND SUM(CASE WHEN a.status IN {statuses(OPEN)} THEN 1 ELSE 0 END) > 0
            ORDER BY firms DESC, a.category, e.zone""",
        {**_window(at), "least": COMMON_FROM},
    )
    found = [row for row in rows if row["category"] not in NO_SUBJECT]
    return [await _issue(tx, rules, row, at) for row in found]


_MENTIONED = f"""a.sealed = 0 AND a.received_at >= :month_ago AND a.received_at < :at
AND a.status NOT IN {statuses({Status.DECLINED, Status.WITHDRAWN})}"""


def _window(at: datetime) -> dict[str, Any]:
    return {"at": to_ms(at), "month_ago": to_ms(at - COMMON_WITHIN)}


async def _issue(tx: Tx, rules: Rules, row: Row, at: datetime) -> Issue:
    numbers = await tx.all(
        f"""SELECT a.number FROM appeals a JOIN enterprises e ON e.id = a.enterprise_id
            WHERE {_MENTIONED} AND a.category = :category AND e.zone = :zone
            ORDER BY a.received_at DESC, a.id DESC LIMIT 5""",
        {**_window(at), "category": row["category"], "zone": row["zone"]},
    )
    lead = await people.department_called(tx, rules.category(row["category"]).department)
    return Issue(
        category=row["category"],
        zone=row["zone"],
        firms=row["firms"],
        numbers=tuple(found["number"] for found in numbers),
        department=lead.name if lead else None,
    )


# Cadres -----------------------------------------------------------------------------------------------------
_LIVE = statuses(OPEN | {Status.RESOLVED})
_CADRES = f"""
WITH live AS (SELECT a.id, a.handler_id, a.liaison_id, a.enterprise_id FROM appeals a
              WHERE a.sealed = 0 AND a.received_at < :at AND a.status IN {_LIVE}),
named AS (SELECT handler_id AS id, enterprise_id FROM live UNION SELECT liaison_id, enterprise_id FROM live
          UNION SELECT e.liaison_id, e.id FROM live JOIN enterprises e ON e.id = live.enterprise_id
          UNION SELECT p.handler_id, live.enterprise_id FROM live JOIN parts p ON p.appeal_id = live.id
          WHERE p.outcome IS NULL)
SELECT DISTINCT p.id, named.enterprise_id FROM named JOIN people p ON p.id = named.id AND p.active = 1"""


async def cadres(tx: Tx, at: datetime) -> Sequence[int]:
    """The people at work who hold something, are liaison of a firm with something, or stand in for such."""
    cover = await absences.cover(tx, at)
    named = [(row["id"], row["enterprise_id"]) for row in await tx.all(_CADRES, {"at": to_ms(at)})]
    found = {cover.stand_in(one, firm) if one in cover.people else one for one, firm in named}
    return sorted(one for one in found if one is not None)


async def covered_by(tx: Tx, person: Person) -> Mapping[int, str]:
    """The people on leave for whom somebody stands in, by id and name: as deputy, or for a firm of theirs."""
    rows = await tx.all(
        """SELECT p.id, p.name FROM people p WHERE :others LIKE '%,' || p.id || ',%'
           OR p.id IN (SELECT e.liaison_id FROM enterprises e WHERE :firms LIKE '%,' || e.id || ',%') ORDER BY p.id""",
        {"others": listed(person.standing_in_for), "firms": listed(person.looks_after)},
    )
    return {row["id"]: row["name"] for row in rows}


async def concerning(tx: Tx, person: Person, at: datetime, headed: frozenset[int] = frozenset()) -> Sequence[Item]:
    """What is live and concerns a person, the earliest date first.

    His own, what he looks after as liaison or chief, that of the departments he heads (`headed`), and that of
    people on leave for whom he stands in, or in whose place he looks after a firm.
    """
    where = f"""a.received_at < :at AND a.status IN {_LIVE} AND (
        :person IN (a.handler_id, a.liaison_id, e.liaison_id, e.chief_id)
        OR :headed LIKE '%,' || a.department_id || ',%'
        OR :others LIKE '%,' || a.handler_id || ',%'
        OR :others LIKE '%,' || a.liaison_id || ',%'
        OR :others LIKE '%,' || e.liaison_id || ',%'
        OR :firms LIKE '%,' || e.id || ',%'
    ) ORDER BY a.due_at, a.id"""
    whose = {"person": person.id, "others": listed(person.standing_in_for), "firms": listed(person.looks_after)}
    rows = await tx.all(_ITEMS + where, {**whose, "at": to_ms(at), "headed": listed(headed)})
    return [_item(row) for row in rows]


_PIECES = f"""
SELECT a.id, a.number, e.short_name AS firm, p.kind, p.title, p.due_at, COALESCE(p.handler_id, a.handler_id) AS whose
FROM parts p JOIN appeals a ON a.id = p.appeal_id JOIN enterprises e ON e.id = a.enterprise_id
WHERE a.sealed = 0 AND a.received_at < :at AND p.outcome IS NULL AND p.kind <> '{PartKind.BEYOND}'
  AND a.status IN {statuses(OPEN - {Status.SUSPENDED})}
  AND (COALESCE(p.handler_id, a.handler_id) = :person
       OR :others LIKE '%,' || COALESCE(p.handler_id, a.handler_id) || ',%')
ORDER BY p.due_at, a.id, p.n"""


async def pieces(tx: Tx, person: Person, at: datetime) -> Sequence[Piece]:
    """The open parts that a person answers for, or somebody for whom he stands in, the earliest date first."""
    whose = {"person": person.id, "others": listed(person.standing_in_for), "at": to_ms(at)}
    return [_piece(row) for row in await tx.all(_PIECES, whose)]


def _piece(row: Row) -> Piece:
    return Piece(
        id=row["id"],
        number=row["number"],
        firm=row["firm"],
        kind=PartKind(row["kind"]),
        title=row["title"],
        due=from_ms(row["due_at"]),
        handler_id=row["whose"],
    )


async def unreached(tx: Tx, at: datetime) -> Sequence[OutOfReach]:
    """Who holds something live, looks after it or asked for it, and is reached by no private chat; the most first."""
    rows = await tx.all(
        f"""SELECT p.name, COUNT(DISTINCT a.id) AS many FROM appeals a
            JOIN people p ON p.id IN (a.handler_id, a.liaison_id, a.contact_id)
            WHERE a.sealed = 0 AND a.received_at < :at AND a.status IN {_LIVE} AND p.active = 1
              AND NOT EXISTS (SELECT 1 FROM accounts k JOIN chats c ON c.account_id = k.id
                              WHERE k.person_id = p.id AND c.private = 1 AND c.reachable = 1)
            GROUP BY p.id, p.name ORDER BY many DESC, p.id""",
        {"at": to_ms(at)},
    )
    return [OutOfReach(row["name"], row["many"]) for row in rows]


async def happened(tx: Tx, person_id: int, since: datetime, until: datetime) -> Section:
    """What others did between two moments with the matters of a person: those he holds, and those of his firms."""
    where = """:person IN (a.handler_id, a.liaison_id, e.liaison_id) AND EXISTS (
        SELECT 1 FROM events v WHERE v.appeal_id = a.id AND v.at >= :since AND v.at <= :until
        AND (v.actor_id IS NULL OR v.actor_id <> :person))"""
    params = {"person": person_id, "since": to_ms(since), "until": to_ms(until)}
    rows = await tx.all(_ITEMS + where + " ORDER BY a.due_at, a.id", params)
    return Section([_item(row) for row in rows[:MOST_LINES]], len(rows))


async def firms_of(tx: Tx, person_id: int) -> frozenset[int]:
    """The firms that a person looks after."""
    rows = await tx.all("SELECT id FROM enterprises WHERE liaison_id = :person AND active = 1", {"person": person_id})
    return frozenset(row["id"] for row in rows)


# Reading ----------------------------------------------------------------------------------------------------
def _tomorrow(rules: Rules, at: datetime) -> datetime:
    """Local midnight at the end of the day; half a day to spare where a zone changes its clock."""
    calendar = rules.calendar
    return calendar.day_start(calendar.day_start(at) + timedelta(hours=36))


async def _many(tx: Tx, where: str, params: Mapping[str, Any]) -> int:
    row = await tx.one(_COUNT + where, params)
    assert row is not None  # COUNT always answers
    return int(row["many"])


async def _section(tx: Tx, where: str, params: Mapping[str, Any], order: str = _ROSTER_ORDER) -> Section:
    rows = await tx.all(_ITEMS + where + order + " LIMIT :most", {**params, "most": MOST_LINES})
    total = len(rows) if len(rows) < MOST_LINES else await _many(tx, where, params)
    return Section([_item(row) for row in rows], total)


def _item(row: Row) -> Item:
    return Item(
        id=row["id"],
        number=row["number"],
        title=row["title"],
        kind=Kind(row["kind"]),
        category=row["category"],
        status=Status(row["status"]),
        firm=row["firm"],
        enterprise_id=row["enterprise_id"],
        due=from_ms(row["due_at"]),
        acknowledge_due=from_ms(row["acknowledge_due_at"]),
        reworks=row["reworks"],
        department=row["department"],
        handler=row["handler"],
        handler_id=row["handler_id"],
    )


async def _with_notes(tx: Tx, items: Sequence[Item]) -> Sequence[Item]:
    return [await _with_note(tx, item) for item in items]


async def _with_note(tx: Tx, item: Item) -> Item:
    """The item with its latest progress, if its words are still kept."""
    row = await tx.one(
        """SELECT e.at, t.body FROM events e JOIN event_texts t ON t.event_id = e.id
           WHERE e.appeal_id = :id AND e.name = 'progress' ORDER BY e.version DESC LIMIT 1""",
        {"id": item.id},
    )
    return replace(item, note=row["body"], noted_at=from_ms(row["at"])) if row else item
