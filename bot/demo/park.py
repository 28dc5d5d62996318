"""The demo's park: its roster, a seat on the web chat for everybody, and a handful of matters that lie behind it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any

from domain import uscc
from domain.appeal import Appeal, Details, Status
from domain.lifecycle import take
from domain.people import Enterprise, Person, Purpose, Role
from domain.roster import DepartmentEntry, EnterpriseEntry, GroupEntry, PersonEntry, Roster
from domain.rules import Kind, Rules
from domain.verbs import Verb
from handlers.raising import Matter, file_appeal
from storage import appeals, past, people, roster, sessions
from storage.database import Database, Tx

WEB = "web"
ZONE_GROUP_FIRMS = 8
"""Firms in a zone's group; the others are reached privately only."""

Line = Sequence[str]


@lru_cache(maxsize=1)
def _data() -> Mapping[str, Any]:
    return tomllib.loads((files(__package__) / "park.toml").read_text(encoding="utf-8"))


# The roster -----------------------------------------------------------------------------------------------------------
def demo_roster() -> Roster:
    """Thirty firms with their contacts, twelve liaisons, eight departments, and those who watch over it all."""
    return Roster(
        enterprises=tuple(_enterprise(number, line) for number, line in enumerate(_data()["firms"], 1)),
        people=tuple(_people()),
        departments=tuple(
            DepartmentEntry(code, name, duty, head, external == "是")
            for code, name, duty, head, external in _data()["departments"]
        ),
        groups=tuple(_group(line) for line in _data()["groups"]),
    )


def _enterprise(number: int, line: Line) -> EnterpriseEntry:
    name, short, zone, industry, size, tags, liaison, chief, _ = line
    deputies = {who: deputy for who, _, deputy in _data()["liaisons"]}
    return EnterpriseEntry(
        name=name,
        short_name=short,
        uscc=demo_uscc(number),
        zone=zone,
        industry=industry,
        size=size,
        tags=tuple(filter(None, tags.split(";"))),
        liaison=liaison,
        deputy=deputies.get(liaison, ""),
        chief=chief,
    )


def demo_uscc(number: int) -> str:
    """A code whose check digit is right and whose division (990000) exists nowhere."""
    body = f"91990000MA{number:07d}"
    return body + uscc.check_character(body)


def _people() -> Iterator[PersonEntry]:
    """Everybody, office first; the phone numbers lie in an area code that nobody has."""
    for number, entry in enumerate([*_office(), *_contacts()], 1):
        yield PersonEntry(**{name: getattr(entry, name) for name in _PERSON} | {"phone": f"07005550{number:03d}"})


_PERSON = ("name", "roles", "department", "enterprises", "zone", "language", "deputy")


def _office() -> Iterator[PersonEntry]:
    for name, role in _data()["others"]:
        yield _entry(name, Role(role))
    for name, zone, deputy in _data()["liaisons"]:
        yield _entry(name, Role.LIAISON, zone=zone, deputy=deputy)
    for _, unit, duty, head, _ in _data()["departments"]:
        yield _entry(duty, Role.HANDLER, department=unit, deputy=head)
        yield _entry(head, Role.HEAD, department=unit)


def _contacts() -> Iterator[PersonEntry]:
    for firm, _, zone, *_, contacts in _data()["firms"]:
        for name in contacts.split(";"):
            yield _entry(name, Role.CONTACT, enterprises=(firm,), zone=zone)


def _entry(name: str, role: Role, **said: Any) -> PersonEntry:
    plain: dict[str, Any] = {"department": "", "enterprises": (), "zone": "", "language": "zh", "deputy": ""}
    return PersonEntry(name=name, roles=(role,), **{**plain, **said})


def _group(line: Line) -> GroupEntry:
    slug, name, purpose, zone, firms = line
    lines = _data()["firms"]
    members = (
        [firm[0] for firm in lines if firm[2] == zone][:ZONE_GROUP_FIRMS]
        if firms == "*"
        else [firm[0] for firm in lines if firm[1] in firms.split(";")]
    )
    return GroupEntry(WEB, f"group:{slug}", name, Purpose(purpose), tuple(members), zone)


# The seeded house -----------------------------------------------------------------------------------------------------
async def seed(db: Database, rules: Rules, at: datetime) -> bool:
    """Fill an empty house: the roster as of four weeks ago, a web seat for everybody, and the past up to `at`.

    False, and nothing is done, where the house holds people already. What the past owed to people counts as sent: it is
    marked so and never delivered. Matters that are overdue are chased by the clock's first round, as after any pause.
    """

    async def unit(tx: Tx) -> bool:
        if (await roster.export(tx)).people:
            return False
        settled = at - timedelta(weeks=4)
        await roster.apply(tx, demo_roster(), settled)
        for row in await past.everybody(tx):
            await sessions.seat(tx, f"person:{row['id']}", row["name"], settled, row["id"])
        for told in _data()["past"]:
            await _live_through(tx, rules, told, at)
        await past.settle(tx, at)
        return True

    return await db.transaction(unit)


@dataclass(frozen=True, slots=True)
class _Cast:
    """Who plays in a past matter."""

    firm: Enterprise
    contact: Person
    coordinator: Person


async def _live_through(tx: Tx, rules: Rules, told: Mapping[str, Any], at: datetime) -> None:
    """File a matter of the past and take its steps, each at its own time, through the same doors as any other."""
    said = moment(rules, at, told["days"], told["time"])
    cast = await _cast(tx, told["firm"], said)
    chat = await people.private_chat(tx, cast.contact.id)
    assert chat is not None  # everybody was given a seat
    matter = Matter(Kind(told["kind"]), told["text"], cast.firm.id, chat, cast.contact)
    appeal = await file_appeal(tx, rules, matter, said)
    for step in told["steps"]:
        appeal = await _take(tx, rules, appeal, cast, step, at)


async def _cast(tx: Tx, firm: str, at: datetime) -> _Cast:
    enterprise = (await people.enterprises_called(tx, firm))[0]
    contact = (await people.contacts_of(tx, enterprise.id, at))[0]
    coordinator = (await people.people_with(tx, Role.COORDINATOR, at))[0]
    return _Cast(enterprise, contact, coordinator)


async def _take(tx: Tx, rules: Rules, appeal: Appeal, cast: _Cast, step: Line, at: datetime) -> Appeal:
    word, days, clock, who, text = step
    if appeal.status is Status.SUBMITTED:
        appeal = await _dispatch(tx, rules, appeal, cast, at)
    actor = cast.contact.id if who == "contact" else appeal.handler_id
    now = moment(rules, at, int(days), clock)
    change = take(appeal, Verb(word), by=actor, at=now, rules=rules, details=Details(text=text))
    return await appeals.record(tx, change, rules)


async def _dispatch(tx: Tx, rules: Rules, appeal: Appeal, cast: _Cast, at: datetime) -> Appeal:
    """Where a park's own categories were not sure, the coordinator gave it to the firm's liaison within the hour."""
    details = Details(handler_id=cast.firm.liaison_id)
    now = min(appeal.received_at + timedelta(minutes=40), at)
    change = take(appeal, Verb.DISPATCH, by=cast.coordinator.id, at=now, rules=rules, details=details)
    return await appeals.record(tx, change, rules)


def moment(rules: Rules, at: datetime, working_days: int, clock: str) -> datetime:
    """That time of day, so many working days before `at`; never after `at` itself."""
    day = rules.calendar.local(at).date()
    left = working_days
    while left > 0:
        day -= timedelta(days=1)
        left -= rules.calendar.is_working_day(day)
    found = datetime.combine(day, time.fromisoformat(clock), rules.calendar.zone).astimezone(at.tzinfo)
    return min(found, at)
