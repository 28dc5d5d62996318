"""Lays what happened beside what was foretold: rungs, messages, dates, statuses; every difference is one line."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

from domain.rules import Kind
from storage.database import Row
from storage.values import from_json, from_ms, from_ms_or_none
from tests.making import ZONE
from tests.stories.sixty.absences import LeaveLine
from tests.stories.sixty.oracle import Note, Oracle, Said
from tests.stories.sixty.past import Filed, Line, Matter
from tests.stories.sixty.roster import Succession
from tests.stories.sixty.watched import WatchedTown

_NUMBER = re.compile(r"#(\d+) ")
_HURRIED = """
SELECT a.number, MIN(o.id) AS id FROM outbox o JOIN appeals a ON a.id = o.appeal_id
WHERE o.text_key = 'work.urgent' GROUP BY a.number
"""


@dataclass(frozen=True)
class Left:
    """A reminder that left the channel: to whom, owed when, at what moment, of what kind, about which matters.

    `id` says which messages were owed before it, whatever the clocks said.
    """

    id: int
    person: int
    owed: datetime
    at: datetime
    key: str
    numbers: tuple[str, ...]


@dataclass
class Happened:
    """What the database and the channel hold at the end."""

    filed: list[Filed] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    leaves: list[LeaveLine] = field(default_factory=list)
    successions: list[Succession] = field(default_factory=list)
    rungs: list[Row] = field(default_factory=list)
    appeals: list[Row] = field(default_factory=list)
    parts: list[Row] = field(default_factory=list)
    letters: list[Left] = field(default_factory=list)
    twice: list[tuple[datetime, datetime]] = field(default_factory=list)
    hurried: dict[str, int] = field(default_factory=dict)
    """For each matter that was called urgent, the message that answered to this."""


async def gather(town: WatchedTown) -> Happened:
    """Read it all."""
    found = Happened(twice=town.twice)
    found.appeals = list(await town.all("SELECT * FROM appeals ORDER BY id"))
    found.parts = list(await town.all("SELECT * FROM parts ORDER BY appeal_id, n"))
    found.rungs = list(await town.all("SELECT * FROM rungs ORDER BY id"))
    found.filed = [
        Filed(row["id"], row["number"], Kind(row["kind"]), row["enterprise_id"], row["contact_id"])
        for row in found.appeals
    ]
    found.lines = [_line(row) for row in await town.all("SELECT * FROM events WHERE appeal_id IS NOT NULL ORDER BY id")]
    found.leaves = [
        LeaveLine(row["id"], int(row["subject"].partition(":")[2]), _facts(row))
        for row in await town.all("SELECT * FROM events WHERE name = 'leave' ORDER BY id")
    ]
    found.successions = [
        Succession(row["id"], of, int(n), _facts(row))
        for row in await town.all("SELECT * FROM events WHERE name = 'hand_over' AND appeal_id IS NULL ORDER BY id")
        for of, _, n in (row["subject"].partition(":"),)
    ]
    rows = await town.all("SELECT * FROM outbox WHERE text_key LIKE 'remind.%'")
    owed = {row["id"]: row for row in rows}
    found.hurried = {row["number"]: row["id"] for row in await town.all(_HURRIED)}
    for parcel in town.channel.sent:
        row = owed.get(parcel.id)
        if row is not None and parcel.kind == "send":
            moments = from_ms(row["written_at"]), from_ms(row["sent_at"])
            numbers = tuple(_NUMBER.findall(parcel.text))
            found.letters.append(Left(row["id"], row["person_id"], *moments, row["text_key"], numbers))
    return found


def _line(row: Row) -> Line:
    return Line(
        id=row["id"],
        appeal=row["appeal_id"],
        version=row["version"],
        name=row["name"],
        before=row["from_status"],
        after=row["to_status"],
        by=row["actor_id"],
        at=from_ms(row["at"]),
        facts=_facts(row),
    )


def _facts(row: Row) -> dict[str, Any]:
    return {name: _plain(value) for name, value in from_json(row["facts"]).items()}


def _plain(value: Any) -> Any:
    return from_ms(value["at"]) if isinstance(value, dict) and set(value) == {"at"} else value


async def foretell(town: WatchedTown, happened: Happened) -> Oracle:
    """What had to happen, by the history of what people did."""
    oracle = Oracle(town.roster, town.app.park.rules)
    lines: list[Said] = [*happened.lines, *happened.leaves, *happened.successions]
    lines.sort(key=attrgetter("id"))
    oracle.foretell(happened.filed, lines, town.journal)
    return oracle


def differences(oracle: Oracle, happened: Happened) -> list[str]:
    """Every way in which what happened is different from what was foretold."""
    return [
        *rungs_differ(oracle, happened),
        *letters_differ(oracle, happened),
        *asking_differs(oracle, happened),
        *waking_differs(oracle, happened),
        *matters_differ(oracle, happened),
    ]


def shown(at: datetime | None) -> str:
    """As people of the park would say it."""
    return at.astimezone(ZONE).strftime("%m-%d %H:%M:%S") if at else "never"


def _both(what: str, foretold: Counter[str], happened: Counter[str]) -> list[str]:
    missing = [f"{what} did not happen: {each}" for each in sorted((foretold - happened).elements())]
    return missing + [f"{what} was not foretold: {each}" for each in sorted((happened - foretold).elements())]


def rungs_differ(oracle: Oracle, happened: Happened) -> list[str]:
    """Every rung: for whom, when due, when noted, what became of it, when told."""
    names = oracle.roster.names

    def rung(key: tuple[Any, ...], person: int, *moments: datetime | None, state: str) -> str:
        return f"{key} {names[person]} {state} due, noted, told {', '.join(map(shown, moments))}"

    foretold = Counter(
        rung(note.key, note.person, note.due, note.noted, note.told, state=note.state) for note in oracle.notes.values()
    )
    seen = Counter(
        rung(
            (row["appeal_id"], row["clock"], row["round"], row["label"]),
            int(row["listener"]),
            from_ms(row["due_at"]),
            from_ms(row["reached_at"]),
            from_ms_or_none(row["told_at"]),
            state=row["state"],
        )
        for row in happened.rungs
    )
    return _both("rung", foretold, seen)


def letters_differ(oracle: Oracle, happened: Happened) -> list[str]:
    """Every message that really left: to whom, when, about which matters in which order."""
    foretold: Counter[str] = Counter()
    for letter in oracle.letters:
        numbers = [oracle.matters[key[0]].filed.number for key in letter.about]
        foretold[f"{oracle.roster.names[letter.person]} {shown(letter.left)} {numbers}"] += 1
    left = Counter(
        f"{oracle.roster.names[letter.person]} {shown(letter.at)} {list(letter.numbers)}"
        for letter in happened.letters
        if letter.key != "remind.release"
    )
    return _both("message", foretold, left)


def asking_differs(oracle: Oracle, happened: Happened) -> list[str]:
    """Every coordinator is asked once to release each rung that is held."""
    foretold: Counter[str] = Counter()
    for person, matter in oracle.asked:
        foretold[f"{oracle.roster.names[person]} {oracle.matters[matter].filed.number}"] += 1
    asked = Counter(
        f"{oracle.roster.names[letter.person]} {letter.numbers[0]}"
        for letter in happened.letters
        if letter.key == "remind.release"
    )
    return _both("question", foretold, asked)


def waking_differs(oracle: Oracle, happened: Happened) -> list[str]:
    """Suspensions that end by themselves."""
    foretold = Counter(f"{matter} {version} {shown(at)}" for matter, version, at in oracle.woken)
    seen = Counter(f"{line.appeal} {line.version} {shown(line.at)}" for line in happened.lines if line.is_the_clocks)
    return _both("resumption", foretold, seen)


def matters_differ(oracle: Oracle, happened: Happened) -> list[str]:
    """Status, owner, version and every date, counted anew from the history alone."""
    found: list[str] = []
    for row in happened.appeals:
        matter = oracle.matters[row["id"]]
        mine = _of(matter)
        theirs = {name: row[name] for name in mine}
        for name in ("dispatch_due_at", "acknowledge_due_at", "due_at"):
            theirs[name] = shown(from_ms(row[name]))
        found += _unlike(f"matter {row['number']}", mine, theirs)
    for row in happened.parts:
        part = oracle.matters[row["appeal_id"]].parts[row["n"] - 1]
        mine = {"due": shown(part.count.due(oracle.rules.calendar)), "round": part.round, "ended": shown(part.ended)}
        theirs = {
            "due": shown(from_ms(row["due_at"])),
            "round": row["round"],
            "ended": shown(from_ms_or_none(row["ended_at"])),
        }
        found += _unlike(f"part {row['appeal_id']}:{row['n']}", mine, theirs)
    return found


def _of(matter: Matter) -> dict[str, Any]:
    return {
        "status": matter.status,
        "version": matter.version,
        "handler_id": matter.handler,
        "department_id": matter.department,
        "round": matter.round,
        "handovers": matter.handovers,
        "category": matter.category,
        "difficulty": str(matter.difficulty),
        "dispatch_due_at": shown(matter.dispatch.due(matter.calendar)),
        "acknowledge_due_at": shown(matter.first_response.due(matter.calendar)),
        "due_at": shown(matter.due),
    }


def _unlike(what: str, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterable[str]:
    return [f"{what}: {name} is {theirs[name]}, not {mine[name]}" for name in mine if mine[name] != theirs[name]]


def fates(notes: Iterable[Note]) -> Counter[tuple[str, str, str]]:
    """Clock, label and what became of it, and how often."""
    return Counter((note.key[1].partition(":")[0], note.key[3], note.state) for note in notes)
