"""值班: who is on duty in a department when, entered in a line by the coordinator or the head, shown for four weeks."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from domain.days import read_days
from domain.errors import Refused
from domain.people import Department, Person, Role
from domain.rota import MOST_DAYS, spans
from domain.said import Fact, Said
from domain.verbs import Verb
from handlers import vouching
from handlers.duty import FILLER, GAP, colleague
from handlers.router import Ask, Handler, Overheard, Reply, Request
from storage import absences, people, rota
from storage.history import Line, write

SHOWN = timedelta(days=27)
_NOON = time(12)


async def duty(request: Request) -> Reply:
    """值班 <department> [<days> <person>]: enter who is on duty, or show the next four weeks."""
    line = f"{request.answered.get('line', '')} {request.text}".strip()
    unit, rest = await _unit_first(request, line)
    if unit is None and request.casual:
        raise Overheard
    if unit is None and line:
        raise Refused("duty.department_unknown", {"name": line.split()[0][:20]})
    if unit is None:
        return await _everybody(request)
    return await _enter(request, unit, rest) if rest else await _show(request, unit)


async def _unit_first(request: Request, line: str) -> tuple[Department | None, str]:
    """The department with which a line begins, else one's own where it begins with a day; and the rest."""
    for end in [*(found.start() for found in GAP.finditer(line)), len(line)]:
        unit = await people.department_like(request.tx, line[:end].strip()) if line else None
        if unit is not None:
            return unit, line[end:].strip(" ,，、")
    heads = sorted(await people.headed_by(request.tx, request.who))
    own = heads[0] if len(heads) == 1 else request.who.department_id
    known = not line or read_days(line, _today(request)) is not None
    office = request.who.has(Role.COORDINATOR) and not line
    return (await people.department(request.tx, own) if known and not office else None), line


def _today(request: Request) -> date:
    return request.rules.calendar.local(request.at).date()


# Entering ---------------------------------------------------------------------------------------------------------
async def _enter(request: Request, unit: Department, rest: str) -> Reply:
    if not request.who.has(Role.COORDINATOR) and unit.id not in await people.headed_by(request.tx, request.who):
        raise Refused("duty.rota_not_yours", {"department": unit.name})
    today = _today(request)
    days = read_days(rest, today)
    if days is None:
        raise Refused("duty.rota_unclear", {"department": unit.name})
    first = days.first or today
    if days.last < max(first, today) or days.last - first >= timedelta(days=MOST_DAYS):
        raise Refused("duty.rota_range", {"most": MOST_DAYS})
    name = FILLER.sub("", days.rest).strip()
    if not name:
        asked: Mapping[str, Fact] = {"department": unit.name, "first": first, "last": days.last}
        raise Ask("duty.ask_officer", asked, keep={"line": f"{unit.name} {rest}"})
    person = await _member(request, unit, name)
    await rota.enter(request.tx, unit.id, (first, days.last), person.id, request.who.id, request.at)
    facts: dict[str, Fact] = {"department": unit.name, "first": first, "last": days.last}
    noted: Mapping[str, Fact] = {"from": first, "until": days.last, "person_id": person.id}
    await write(request.tx, Line(f"department:{unit.id}", "rota", request.who.id, request.at, noted))
    if person.id != request.who.id:
        told = {**facts, "by": request.who.name}
        await vouching.tell(request.tx, request.rules, person, "duty.on_rota", told, (), request.at)
    return Reply("duty.rota_entered", {**facts, "name": person.name}, private=not _in_office_group(request))


async def _member(request: Request, unit: Department, name: str) -> Person:
    """The colleague of that name, who must belong to the department; of two the one who does is meant."""
    found = [one for one in await people.people_named(request.tx, name, request.at) if one.department_id == unit.id]
    person = found[0] if len(found) == 1 else await colleague(request, name)
    if person.department_id == unit.id:
        return person
    theirs = await people.department(request.tx, person.department_id)
    where = Said("duty.belongs_to", {"department": theirs.name}) if theirs else Said("duty.belongs_nowhere")
    raise Refused("duty.not_of_department", {"name": person.name, "department": unit.name, "where": where})


def _in_office_group(request: Request) -> bool:
    return request.chat.private or request.chat.one_firm is None


# Showing ----------------------------------------------------------------------------------------------------------
async def _show(request: Request, unit: Department) -> Reply:
    """The next four weeks, neighbouring days of one officer in one line."""
    first = _today(request)
    last = first + SHOWN
    named = {day: await _on_day(request, unit, day) for day in _days(first, last)}
    lines = [_span_line(begun, ended, who) for begun, ended, who in spans(first, last, lambda day: named[day])]
    return Reply("duty.rota", {"department": unit.name, "lines": lines}, private=True)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


async def _on_day(request: Request, unit: Department, day: date) -> tuple[str | None, str | None, bool]:
    """Who is named for a day, who stands in if he is away at noon, and whether he is away at all."""
    named = await rota.officer(request.tx, unit, day)
    noon = datetime.combine(day, _NOON, request.rules.calendar.zone).astimezone(request.at.tzinfo)
    person = await people.person(request.tx, named, noon) if named is not None else None
    if person is None:
        return None, None, False
    by = (await absences.cover(request.tx, noon)).stand_in(person.id) if person.on_leave else None
    stand_in = await people.person(request.tx, by, noon) if by is not None else None
    return person.name, stand_in.name if stand_in else None, person.on_leave


def _span_line(first: date, last: date, who: tuple[str | None, str | None, bool]) -> Said:
    name, stand_in, away = who
    several = Said("duty.several_days", {"first": first, "last": last})
    days = Said("duty.one_day", {"first": first}) if first == last else several
    if name is None:
        return Said("duty.rota_nobody", {"days": days})
    instead = Said("duty.rota_stand_in", {"by": stand_in}) if stand_in else Said("duty.rota_away") if away else None
    return Said("duty.rota_line", {"days": days, "name": name, "instead": instead})


async def _everybody(request: Request) -> Reply:
    """Who is on duty today, department by department."""
    lines = []
    for unit in await people.departments(request.tx):
        person = await rota.on_duty(request.tx, unit, _today(request), request.at)
        name = person.name if person else Said("duty.nobody")
        lines.append(Said("duty.today_line", {"department": unit.name, "name": name}))
    if not lines:
        raise Refused("duty.no_departments")
    return Reply("duty.today", {"lines": lines}, private=True)


COMMANDS: Mapping[Verb, Handler] = {Verb.DUTY: duty}
