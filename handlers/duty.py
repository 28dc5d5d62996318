"""请假 and 代班: whoever is away is stood in for; where nobody was named the coordinators hear and name somebody."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from domain.appeal import OPEN, Appeal
from domain.digest import MOST_LINES, Section
from domain.duty import Absence, Cover
from domain.errors import Refused
from domain.leave import Leave, read_leave
from domain.people import Person, Role
from domain.rules import Rules
from domain.said import Button, Fact, Said
from domain.verbs import Verb
from handlers import vouching
from handlers.jobs import Job
from handlers.router import Ask, Handler, Reply, Request
from storage import absences, appeals, figures, listeners, people, standing
from storage.database import Tx
from storage.history import Line, write

_INSTANT = timedelta(milliseconds=1)
FILLER = re.compile(r"^[\s,，、:：]*(?:由|给)?\s*|[\s,，、]*(?:值班|接收|接管)?[\s.。]*$")
GAP = re.compile(r"[\s,，、]+(?:由|给|to\s+)?")


# 请假 -------------------------------------------------------------------------------------------------------------
async def take_leave(request: Request) -> Reply:
    """请假 <days or dates> [deputy]: he is stood in for; 请假 结束 gives everything back and tells what happened."""
    today = request.rules.calendar.local(request.at).date()
    leave = read_leave(request.need_text("duty.ask_leave"), today)
    if leave.last_day is None:
        return await _come_back(request)
    deputy = await _deputy(request, leave)
    since = _midnight(request.rules, leave.first_day) if leave.first_day else request.at
    until = _midnight(request.rules, leave.last_day + timedelta(days=1))
    before = await absences.absence_of(request.tx, request.who.id)
    if before is not None and before.holds(request.at):
        since = _prolonged(before, since)
    change = await _Change.begin(request.tx, request.rules, request.at, since)
    await absences.set_leave(request.tx, request.who.id, since, until, deputy.id if deputy else None)
    facts: Mapping[str, Fact] = {"from": since, "until": until, "deputy_id": deputy.id if deputy else None}
    await _note(request.tx, request.who, facts, request.who.id, request.at)
    await change.tell()
    by = (await absences.cover(request.tx, since)).stand_in(request.who.id)
    stand_in = await people.person(request.tx, by, request.at) if by else None
    shown: dict[str, Fact] = {"first": leave.first_day if since > request.at else None, "last": leave.last_day}
    shown["replaced"] = _replaced(request, before, until)
    if stand_in is None:
        return Reply("duty.on_leave_alone", shown, private=True)
    return Reply("duty.on_leave", {**shown, "deputy": stand_in.name}, private=True)


def _prolonged(running: Absence, since: datetime) -> datetime:
    """A leave entered during another one prolongs or shortens it; one after a gap would end it, so it waits."""
    if since > running.until:
        raise Refused("duty.leave_running", {"last": running.until - _INSTANT})
    return running.since or since


def _replaced(request: Request, before: Absence | None, until: datetime) -> Said | None:
    """That a leave planned for later is given up for this one; nobody has two."""
    if before is None or before.since is None or not max(request.at, until) <= before.since:
        return None
    local = request.rules.calendar.local
    facts = {"first": local(before.since).date(), "last": local(before.until - _INSTANT).date()}
    return Said("duty.leave_replaced", facts)


def _midnight(rules: Rules, day: date) -> datetime:
    return datetime.combine(day, time(), rules.calendar.zone).astimezone(UTC)


async def _note(tx: Tx, person: Person, facts: Mapping[str, Fact], by: int | None, at: datetime) -> None:
    await write(tx, Line(f"person:{person.id}", "leave", by, at, facts))


async def _deputy(request: Request, leave: Leave) -> Person | None:
    """The one named now; else the roster's deputy, or the one whom all his firms name. None: the office will say."""
    if leave.deputy:
        return await _fitting(request, request.who, leave.deputy)
    named = request.who.deputy_id or await _deputy_of_his_firms(request.tx, request.who.id)
    found = await people.person(request.tx, named, request.at) if named else None
    return found if found and found.in_office and not found.on_leave and found.id != request.who.id else None


async def _deputy_of_his_firms(tx: Tx, person_id: int) -> int | None:
    rows = await tx.all(
        """SELECT DISTINCT deputy_id FROM enterprises
           WHERE active = 1 AND liaison_id = :id AND deputy_id IS NOT NULL LIMIT 2""",
        {"id": person_id},
    )
    return rows[0]["deputy_id"] if len(rows) == 1 else None


async def _fitting(request: Request, away: Person, name: str) -> Person:
    """The colleague of that name, who must be there himself."""
    found = await people.people_named(request.tx, name, request.at)
    fitting = [one for one in found if one.in_office and not one.on_leave and one.id != away.id]
    if len(fitting) != 1:
        raise Refused("duty.deputy_unfit", {"name": name[:20]})
    return fitting[0]


async def _come_back(request: Request) -> Reply:
    """结束: a leave that runs ends now, one that has not begun is cancelled."""
    absence = await absences.absence_of(request.tx, request.who.id)
    if absence is None or absence.until <= request.at:
        return Reply("duty.not_on_leave", private=True)
    begun = absence.holds(request.at)
    moment = request.at if begun else absence.since or request.at
    change = await _Change.begin(request.tx, request.rules, request.at, moment)
    await absences.set_leave(request.tx, request.who.id, None, None, None)
    await _note(request.tx, request.who, {"until": None}, request.who.id, request.at)
    await change.tell()
    if not begun:
        return Reply("duty.leave_cancelled", private=True)
    return Reply("duty.back", await _welcome_back(request.tx, absence, request.at), private=True)


async def _welcome_back(tx: Tx, absence: Absence, until: datetime) -> dict[str, Fact]:
    """What happened meanwhile, in ten lines at most."""
    found = await figures.happened(tx, absence.person_id, absence.since or until, until)
    return {"meanwhile": _meanwhile(found)}


def _meanwhile(found: Section) -> Said:
    if not found.total:
        return Said("duty.nothing_meanwhile")
    lines = [
        Said(
            "duty.item_now",
            {
                "number": item.number,
                "firm": item.firm,
                "title": item.title,
                "status": Said(f"status.{item.status}"),
                "handler": item.handler,
            },
        )
        for item in found.items
    ]
    return Said("duty.meanwhile", {"count": found.total, "lines": lines, "rest": rest_of(found.total)})


def rest_of(total: int) -> Said | None:
    """That the list goes on: ten lines are enough for a chat."""
    return Said("duty.rest", {"count": total - MOST_LINES}) if total > MOST_LINES else None


async def lines_of(tx: Tx, rules: Rules, found: Sequence[Appeal]) -> list[Said]:
    """The first ten matters of a list, one a line."""
    lines = []
    for appeal in found[:MOST_LINES]:
        firm = await people.enterprise(tx, appeal.enterprise_id)
        mark = rules.provisional(appeal.due, briefly=True)
        about: dict[str, Fact] = {"number": appeal.number, "title": appeal.title, "due": appeal.due}
        lines.append(Said("duty.item", {**about, "provisional": mark, "firm": firm.short_name}))
    return lines


# Who hears that somebody stands in, or that nobody does -----------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Change:
    """A change in who stands in for whom from a moment on; everybody whom it concerns is told what is new for him."""

    tx: Tx
    rules: Rules
    at: datetime
    moment: datetime
    before: Cover
    alone: frozenset[int]

    @classmethod
    async def begin(cls, tx: Tx, rules: Rules, at: datetime, moment: datetime) -> "_Change":
        """Remember how it was."""
        return cls(tx, rules, at, moment, await absences.cover(tx, moment), await _ever_alone(tx, moment))

    async def tell(self) -> None:
        """Tell stand-ins what they have now and what is over; the coordinators for whom nobody stands in."""
        after = await absences.cover(self.tx, self.moment)
        for away, by in after.people.items():
            if by is not None and self.before.people.get(away) != by:
                await self._tell_stand_in(away, by)
        for away, by in self.before.people.items():
            if by is not None and after.people.get(away) != by:
                await self._tell(by, "duty.stand_in_over", {"name": await self._name(away)})
        for away in sorted(await _ever_alone(self.tx, self.moment) - self.alone):
            await self._tell_office(away)

    async def _tell_stand_in(self, away: int, by: int) -> None:
        await self._tell(by, "duty.stand_in", await self._about(away))

    async def _tell_office(self, away: int) -> None:
        """The coordinators are told at once, with a button to name somebody."""
        buttons = ((Button(Verb.STAND_IN, argument=str(away)),),)
        facts = await self._about(away)
        for person in await standing.present_with(self.tx, Role.COORDINATOR, self.at):
            await vouching.tell(self.tx, self.rules, person, "duty.left_alone", facts, buttons, self.at)

    async def _about(self, away: int) -> dict[str, Fact]:
        """Who is away, from when to when, and what he holds."""
        absence = await absences.absence_of(self.tx, away)
        assert absence is not None  # he is away in a cover that was made of these
        held = [one for one in await appeals.held_by(self.tx, away, OPEN) if not one.sealed]
        local = self.rules.calendar.local
        coming = absence.since is not None and absence.since > self.at
        return {
            "name": await self._name(away),
            "first": local(absence.since).date() if absence.since and coming else None,
            "last": local(absence.until - _INSTANT).date(),
            "count": len(held),
            "lines": await lines_of(self.tx, self.rules, held),
            "rest": rest_of(len(held)),
        }

    async def _name(self, person_id: int) -> str:
        found = await people.person(self.tx, person_id, self.at)
        return found.name if found else ""

    async def _tell(self, whom: int, key: str, facts: Mapping[str, Fact]) -> None:
        person = await people.person(self.tx, whom, self.at)
        if person is not None:
            await vouching.tell(self.tx, self.rules, person, key, facts, (), self.at)


async def _ever_alone(tx: Tx, moment: datetime) -> frozenset[int]:
    """For whom nobody stands in at that moment, or once a later leave has begun as well."""
    known = await absences.absences(tx)
    later = [one.since for one in known if one.since is not None and one.since > moment]
    covers = [await absences.cover(tx, at) for at in (moment, *later)]
    return frozenset[int]().union(*(cover.left_alone for cover in covers))


# 代班 -------------------------------------------------------------------------------------------------------------
async def name_stand_in(request: Request) -> Reply:
    """代班 <who is away> <who stands in>: the coordinator names somebody, from the button or in words."""
    away, name = await _away(request)
    absence = await absences.absence_of(request.tx, away.id)
    if absence is None or absence.until <= request.at:
        raise Refused("duty.nobody_away", {"name": away.name})
    moment = max(request.at, absence.since or request.at)
    if not name:
        by = (await absences.cover(request.tx, moment)).stand_in(away.id)
        named = await people.person(request.tx, by, request.at) if by else None
        facts = {"name": away.name, "by": Said("duty.stood_in", {"by": named.name}) if named else None}
        raise Ask("duty.ask_stand_in", facts, keep={"away": away.id}, private=True)
    deputy = await _fitting(request, away, name)
    change = await _Change.begin(request.tx, request.rules, request.at, moment)
    await absences.set_stand_in(request.tx, away.id, deputy.id)
    await _note(request.tx, away, {"deputy_id": deputy.id}, request.who.id, request.at)
    await change.tell()
    told = {"deputy": deputy.name}
    await vouching.tell(request.tx, request.rules, away, "duty.stand_in_named", told, (), request.at)
    return Reply("duty.stand_in_noted", {"name": away.name, "deputy": deputy.name}, private=True)


async def _away(request: Request) -> tuple[Person, str]:
    """Who is away, and the name of who is to stand in, if it was given."""
    chosen = str(request.answered.get("away", "")) or request.argument
    line = request.text.strip()
    if chosen.isascii() and chosen.isdigit() and len(chosen) < 10:
        found = await people.person(request.tx, int(chosen), request.at)
        if found is None:
            raise Refused("refused.choice_gone")
        return found, line
    if not line:
        raise Ask("duty.ask_who_is_away", {"away": await _left_alone(request)})
    return await colleague_first(request, line)


async def _left_alone(request: Request) -> str | None:
    """The names of those for whom nobody stands in."""
    alone = sorted((await absences.cover(request.tx, request.at)).left_alone)
    found = [await people.person(request.tx, one, request.at) for one in alone]
    return "、".join(person.name for person in found if person) or None


async def colleague(request: Request, name: str) -> Person:
    """The one person of the park's side who has that name."""
    found = [person for person in await people.people_named(request.tx, name, request.at) if person.in_office]
    if len(found) != 1:
        key = "refused.person_unclear" if found else "refused.person_unknown"
        raise Refused(key, {"name": name[:20]})
    return found[0]


async def colleague_first(request: Request, line: str) -> tuple[Person, str]:
    """The colleague with whose name a line begins, and the rest of it; names in Latin letters have several words."""
    for end in reversed([found.start() for found in GAP.finditer(line)]):
        if any(one.in_office for one in await people.people_named(request.tx, line[:end].strip(), request.at)):
            return await colleague(request, line[:end].strip()), GAP.sub("", line[end:], count=1).strip()
    return await colleague(request, line), ""


# The end of a leave -----------------------------------------------------------------------------------------------
async def over(tx: Tx, rules: Rules, at: datetime) -> Sequence[str]:
    """Leaves that have ended, once their people may be greeted: on the first morning."""
    return [str(one.person_id) for one in await absences.absences(tx) if await _greeted_at(tx, rules, one) <= at]


async def _greeted_at(tx: Tx, rules: Rules, absence: Absence) -> datetime:
    person = await people.person(tx, absence.person_id, absence.until)
    return listeners.audible(rules, person, absence.until, urgent=False)


async def greet(tx: Tx, rules: Rules, at: datetime, key: str) -> None:
    """Tell somebody who is back what happened meanwhile, and his stand-in that it is over; the leave is forgotten."""
    absence = await absences.absence_of(tx, int(key))
    person = await people.person(tx, int(key), at)
    if absence is None or person is None or absence.until > at:
        return
    facts = await _welcome_back(tx, absence, at)
    by = (await absences.cover(tx, absence.until - _INSTANT)).stand_in(person.id)
    await absences.set_leave(tx, person.id, None, None, None)
    await _note(tx, person, {"until": absence.until}, None, at)
    await vouching.tell(tx, rules, person, "duty.back", facts, (), at)
    stand_in = await people.person(tx, by, at) if by else None
    if stand_in is not None:
        await vouching.tell(tx, rules, stand_in, "duty.stand_in_over", {"name": person.name}, (), at)


async def next_greeting(tx: Tx, rules: Rules, at: datetime) -> datetime | None:
    """The next first morning after a leave."""
    moments = [await _greeted_at(tx, rules, absence) for absence in await absences.absences(tx)]
    return min((moment for moment in moments if moment > at), default=None)


COMMANDS: Mapping[Verb, Handler] = {Verb.LEAVE: take_leave, Verb.STAND_IN: name_stand_in}
JOBS = (Job("back", over, greet, next_greeting),)
