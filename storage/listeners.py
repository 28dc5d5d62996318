"""Finds who hears a notice and where: a part in an appeal becomes people, people become chats, a chat becomes a row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from domain.appeal import Appeal, Change
from domain.notices import Lane, Notice, button, status_words
from domain.people import Chat, Department, Person, Purpose, Role
from domain.rules import Kind, Listener, Rules
from domain.said import Button, Fact, Said
from domain.verbs import Verb
from storage import outbox, people, standing
from storage.database import Tx
from storage.reaching import call_in_group, is_cut_off
from storage.values import to_ms

BUTTONS_A_ROW = 3
MOST_FILES = 10
_STILL_IN_TIME = timedelta(minutes=5)


Files = tuple[tuple[str, str], ...]
"""Kept files as (content hash, name)."""


@dataclass(frozen=True, slots=True)
class Place:
    """A chat in which a listener hears; `person` is None for a group, which is shown no files.

    `paper` is a document that comes along, `part` the part of the work that it is about, `earliest` when it may leave.
    """

    chat: Chat
    person: Person | None = None
    files: Files = ()
    paper: str = ""
    part: int = 0
    earliest: datetime | None = None


async def owe(tx: Tx, notice: Notice, appeal: Appeal, change: Change, rules: Rules) -> None:
    """Owe one notice of a change to everybody who is meant by its listener, except the one who made the change."""
    await owe_all(tx, (notice,), appeal, change, rules)


async def owe_all(tx: Tx, notices: Sequence[Notice], appeal: Appeal, change: Change, rules: Rules) -> None:
    """Owe the notices of one change; who is meant by several hears the first of them, never the same news twice."""
    if not notices:
        return
    facts = await appeal_facts(tx, appeal, rules)
    files = await _files(tx, appeal, change)
    facts |= {"text": change.text, "actor": await _name(tx, change.by, change.at)}
    facts["files"] = Said("appeal.files", {"count": len(files)}) if files else None
    facts["previous"] = await _previous(tx, change)
    told: set[int] = set()
    opens = change.at if appeal.urgent else _in_office_hours(rules, change.at)  # who is away is asked of that moment
    for wanted in notices:
        notice = await _in_reach(tx, wanted, appeal, rules, change.at)
        said = {**facts, **part_facts(appeal, notice.part), **notice.facts}
        for group in await _groups(tx, notice.listener, appeal, rules):
            await tell(tx, Place(group, earliest=notice.earliest), notice.key, said, (), appeal, rules, change.at)
        for hearer in await standing.hearers(tx, notice.listener, appeal, opens, change.before, notice.part):
            person = hearer.person
            if person.id not in told and (person.id != change.by or notice.echo):
                told.add(person.id)
                shown = change.attachments or (files if notice.buttons and person.in_office else ())
                fitting = replace(notice, buttons=hearer.buttons(notice, appeal))
                about = {**said, **hearer.facts}
                await tell_person(tx, person, fitting, about, appeal, rules, change.at, shown)


async def _previous(tx: Tx, change: Change) -> str | None:
    """Who held the matter before the change, if somebody else does now."""
    before = change.before.handler_id if change.before else None
    return await _name(tx, before, change.at) if before != change.after.handler_id else None


async def _in_reach(tx: Tx, notice: Notice, appeal: Appeal, rules: Rules, at: datetime) -> Notice:
    """The notice itself, or what is told instead where it is for an outside unit that no chat reaches."""
    part = appeal.part(notice.part)
    if notice.otherwise is None or part is None or not await is_cut_off(tx, part):
        return notice
    officer = await people.person(tx, part.handler_id, at) if part.handler_id else None
    if officer is not None:
        await call_in_group(tx, officer, rules, audible(rules, officer, at, urgent=False), at)
    return notice.otherwise


def part_facts(appeal: Appeal, n: int) -> dict[str, Fact]:
    """What a message about a part of an appeal says of it."""
    part = appeal.part(n)
    if part is None:
        return {}
    return {"unit": part.unit, "part": part.title, "part_due": part.due}


async def _files(tx: Tx, appeal: Appeal, change: Change) -> Files:
    """What came along with the change; a new owner gets all that the firm has sent so far."""
    if change.verb not in (Verb.DISPATCH, Verb.RULE):
        return change.attachments
    rows = await tx.all(
        """SELECT f.hash, f.name FROM event_files f JOIN events e ON e.id = f.event_id
           WHERE e.appeal_id = :id AND e.name IN ('file', 'supplement', 'dissatisfied')
           ORDER BY e.id, f.name, f.hash LIMIT :most""",
        {"id": appeal.id, "most": MOST_FILES},
    )
    return tuple((row["hash"], row["name"]) for row in rows)


async def tell_person(
    tx: Tx,
    person: Person,
    notice: Notice,
    facts: Mapping[str, Fact],
    appeal: Appeal,
    rules: Rules,
    at: datetime,
    files: Files = (),
) -> None:
    """Owe a notice to one person; if no private chat reaches him, somebody who can call him hears so instead."""
    chat = await people.private_chat(tx, person.id)
    if chat is not None:
        place = Place(chat, person, files, notice.paper, notice.part, notice.earliest)
        await tell(tx, place, notice.key, facts, notice.buttons, appeal, rules, at)
        return
    await tell_callers(tx, person, facts, appeal, rules, at)


async def tell_callers(
    tx: Tx, person: Person, facts: Mapping[str, Fact], appeal: Appeal, rules: Rules, at: datetime
) -> None:
    """Call somebody whom no private chat reaches in a group, and tell those who can ring him up about what."""
    await call_in_group(tx, person, rules, audible(rules, person, at, urgent=False), at)
    for caller in await _callers(tx, person, appeal, at):
        place = await people.private_chat(tx, caller.id)
        if place is not None:
            whom = {**facts, "whom": person.name}
            await tell(tx, Place(place, caller), "watch.unreachable", whom, (), appeal, rules, at)


async def _callers(tx: Tx, person: Person, appeal: Appeal, at: datetime) -> list[Person]:
    """Who calls somebody that no chat reaches: a firm's liaison for the firm, the coordinators for anybody else."""
    asks_liaison = appeal.liaison_id is not None and not person.in_office and not appeal.sealed
    liaison = await people.person(tx, appeal.liaison_id, at) if asks_liaison and appeal.liaison_id else None
    hearing = await standing.in_place_of(tx, liaison, appeal.enterprise_id, at) if liaison else ()
    if reached := [one.person for one in hearing if await people.private_chat(tx, one.person.id)]:
        return reached
    return [other for other in await standing.steering(tx, appeal, at) if other.id != person.id]


async def tell(
    tx: Tx,
    place: Place,
    key: str,
    facts: Mapping[str, Fact],
    verbs: tuple[Verb, ...],
    appeal: Appeal,
    rules: Rules,
    at: datetime,
) -> None:
    """Owe one message about an appeal at the hour at which its listener may be disturbed."""
    buttons = rows([button(verb, appeal, place.part) for verb in verbs])
    letter = outbox.Letter(
        chat_id=place.chat.id,
        key=key,
        facts=_for_person(place.person, appeal, facts) if place.person else _for_group(place.chat, appeal, facts),
        buttons=buttons if place.person else (),
        lane=Lane.CASE,
        appeal_id=appeal.id,
        person_id=place.person.id if place.person else None,
        files=(*_kept(place.files), *_papers(place, appeal, facts, at)),
    )
    due = audible(rules, place.person, place.earliest or at, urgent=appeal.urgent)
    await outbox.owe(tx, letter, at=at, due=due)


def _kept(files: Files) -> tuple[Mapping[str, str], ...]:
    return tuple({"hash": content_hash, "name": name} for content_hash, name in files)


def _papers(
    place: Place, appeal: Appeal, facts: Mapping[str, Fact], at: datetime
) -> tuple[Mapping[str, Any], ...]:
    """The paper that comes along, written when it leaves."""
    if not place.paper or place.person is None:
        return ()
    until = facts.get("until")
    said = {"text": facts.get("text"), "until": to_ms(until) if isinstance(until, datetime) else None}
    return (owed_paper(place.paper, appeal, place.person, place.part, at, **said),)


def owed_paper(
    paper: str, appeal: Appeal, person: Person | None, part: int, at: datetime, **said: Any
) -> Mapping[str, Any]:
    """A paper as a message carries it: its name, and what it is to be written from."""
    facts = {"number": appeal.number, "part": part, "at": to_ms(at), "language": "zh", **said}
    facts |= {"person": person.id, "language": person.language} if person else {}
    return {"document": paper, "facts": facts}


def rows(buttons: Iterable[Button]) -> tuple[tuple[Button, ...], ...]:
    """Buttons set three to a row, as a phone shows them well."""
    flat = tuple(buttons)
    return tuple(flat[n : n + BUTTONS_A_ROW] for n in range(0, len(flat), BUTTONS_A_ROW))


def audible(rules: Rules, person: Person | None, at: datetime, *, urgent: bool) -> datetime:
    """When a message may reach somebody: office people in working hours, firms and groups not at night.

    A park's manners: nights, holidays and the noon break are quiet for cadres; what is urgent waits for nobody. Five
    minutes after closing are still in time: most deadlines end there, and the clock rings every few seconds only.
    """
    if urgent:
        return at
    if person is not None and person.in_office:
        return _in_office_hours(rules, at)
    return after_night(rules, at)


def _in_office_hours(rules: Rules, at: datetime) -> datetime:
    closed = rules.calendar.is_quiet(at) and rules.calendar.is_quiet(at - _STILL_IN_TIME)
    return _office_opens(rules, at) if closed else at


def _office_opens(rules: Rules, at: datetime) -> datetime:
    """The next working instant that lies in no night either, where offices open before the night is over."""
    return rules.calendar.next_open(after_night(rules, rules.calendar.next_open(at)))


def after_night(rules: Rules, at: datetime) -> datetime:
    """`at`, or the end of the quiet hours if it lies in them."""
    quiet = rules.calendar.hours.quiet
    if quiet is None or rules.calendar.hours.always:
        return at
    local = rules.calendar.local(at)
    clock = local.time().replace(tzinfo=None)
    if not quiet.covers(clock):
        return at
    morning = local.replace(hour=quiet.end.hour, minute=quiet.end.minute, second=0, microsecond=0)
    return (morning if morning > local else morning + timedelta(days=1)).astimezone(at.tzinfo)


def _for_person(person: Person, appeal: Appeal, facts: Mapping[str, Fact]) -> Mapping[str, Fact]:
    """A person is spoken to by name; firms are shown gentler words for a status than the office uses."""
    return {**facts, "name": person.name, "status": status_words(appeal.status, firm=not person.in_office)}


def _for_group(chat: Chat, appeal: Appeal, facts: Mapping[str, Fact]) -> Mapping[str, Fact]:
    """A group of one firm may hear of that firm's matter; any other group gets labels without the problem's words.

    What somebody wrote with a step (a note, the reason of a rating) is for those who are told privately.
    """
    if chat.purpose is Purpose.COORDINATION:
        return facts
    shown = {**facts, "text": None, "status": status_words(appeal.status, firm=True)}
    return shown if chat.one_firm == appeal.enterprise_id else {**shown, "title": None, "contact": None}


async def appeal_facts(tx: Tx, appeal: Appeal, rules: Rules) -> dict[str, Fact]:
    """What every message about an appeal may say: number, names, dates, the word for its status."""
    firm = await people.enterprise(tx, appeal.enterprise_id)
    department = await people.department(tx, appeal.department_id)
    at = appeal.received_at
    return {
        "number": appeal.number,
        "title": appeal.title,
        "words": await _words(tx, appeal),
        "kind": Said(f"kind.{appeal.kind}"),
        "firm": firm.short_name,
        "zone": firm.zone,
        "category": rules.category(appeal.category).name,
        "contact": await _name(tx, appeal.contact_id, at),
        "handler": await _name(tx, appeal.handler_id, at),
        "liaison": await _name(tx, appeal.liaison_id, at),
        "department": department.name if department else None,
        "in_charge": await _in_charge(tx, appeal, department),
        "status": Said(f"status.{appeal.status}"),
        "acknowledge_due": appeal.acknowledge_due,
        "due": appeal.due,
        "provisional": rules.provisional(appeal.due),
        "urgent": Said("appeal.urgent") if appeal.urgent else None,
    }


async def _in_charge(tx: Tx, appeal: Appeal, department: Department | None) -> Said:
    """Who holds the matter, and the lead department, his own or not; the coordination office while nobody does."""
    handler = await people.person(tx, appeal.handler_id, appeal.received_at) if appeal.handler_id else None
    if handler is None:
        return Said("appeal.nobody_yet")
    if department is None:
        return Said("appeal.in_charge", {"handler": handler.name})
    both = {"handler": handler.name, "department": department.name}
    return Said("appeal.in_charge_of" if department.id == handler.department_id else "appeal.in_charge_with", both)


async def _words(tx: Tx, appeal: Appeal) -> str | None:
    """The problem in the firm's own words, where they say more than the title."""
    row = await tx.one(
        """SELECT t.body FROM events e JOIN event_texts t ON t.event_id = e.id
           WHERE e.appeal_id = :id AND e.version = 1""",
        {"id": appeal.id},
    )
    return row["body"] if row and row["body"] != appeal.title else None


async def _name(tx: Tx, person_id: int | None, at: datetime) -> str | None:
    found = await people.person(tx, person_id, at) if person_id is not None else None
    return found.name if found else None


async def _groups(tx: Tx, listener: Listener, appeal: Appeal, rules: Rules) -> list[Chat]:
    """Groups that hear of a change; of what is sealed, a complaint or sensitive no group hears anything."""
    if appeal.sealed or appeal.kind is Kind.COMPLAINT or rules.category(appeal.category).sensitive:
        return []
    if listener is Listener.COORDINATION_GROUP:
        return list(await people.groups_for(tx, Purpose.COORDINATION))
    if listener is not Listener.ORIGIN_GROUP or appeal.origin_chat_id is None:
        return []
    chat = await people.chat(tx, appeal.origin_chat_id)
    return [chat] if chat.approved and not chat.private and chat.is_about(appeal.enterprise_id) else []


async def coordinators(tx: Tx, at: datetime) -> list[Person]:
    """Everybody of the coordination office."""
    return list(await people.people_with(tx, Role.COORDINATOR, at))


async def is_external(tx: Tx, person: Person) -> bool:
    """Whether somebody works for a unit outside the park's chain of command, which is asked, never ordered."""
    department = await people.department(tx, person.department_id)
    return department is not None and department.external
