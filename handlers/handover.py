"""交接: all that is in a cadre's hands passes to a colleague by one confirmation, in one transaction."""

from collections.abc import Mapping, Sequence

from domain.appeal import Details
from domain.digest import MOST_LINES
from domain.errors import Refused
from domain.lifecycle import take
from domain.people import Person, Role
from domain.said import Button, Fact, Said
from domain.verbs import Verb
from handlers import vouching
from handlers.duty import FILLER, GAP, colleague, rest_of
from handlers.router import Ask, Handler, Overheard, Reply, Request
from storage import absences, handover, outbox, people
from storage.handover import Estate, Named, Succession

_CHOICE = ((Button(Verb.CONFIRM), Button(Verb.CANCEL)),)


async def hand_over(request: Request) -> Reply:
    """交接 <who gives> <who takes>: the list of all that would move; [确认] moves exactly that list."""
    if not request.who.has(Role.COORDINATOR):
        raise Refused("refused.not_for_you", {"verb": Said("verb.hand_over")})
    line = f"{request.answered.get('line', '')} {request.text}".strip()
    giver, rest = await _giver(request, line)
    name = FILLER.sub("", rest).strip()
    if not name:
        raise Ask("duty.ask_successor", {"name": giver.name}, keep={"line": giver.name}, private=True)
    taker = await colleague(request, name)
    if taker.id == giver.id or taker.on_leave:
        raise Refused("duty.successor_unfit", {"name": taker.name})
    today = request.rules.calendar.local(request.at).date()
    found = await handover.estate(request.tx, giver.id, today)
    if found.is_empty:
        return Reply("duty.nothing_to_hand_over", {"name": giver.name}, private=True)
    asked = f"{found.digest}-{taker.id}"
    if not request.answered.get("confirmed") or request.answered.get("list") != asked:
        facts = await _question(request, found, giver, taker)
        raise Ask("duty.ask_hand_over", facts, _CHOICE, keep={**_kept(request), "list": asked}, private=True)
    return await _move(request, found, giver, taker)


def _kept(request: Request) -> dict[str, str]:
    line = request.answered.get("line")
    return {"line": str(line)} if line else {}


async def _giver(request: Request, line: str) -> tuple[Person, str]:
    """Whose work it is, who may have left the roster; and what follows his name."""
    if not line:
        raise Ask("duty.ask_who_hands_over")
    for end in [*reversed([found.start() for found in GAP.finditer(line)]), len(line)]:
        name = line[:end].strip()
        found = [one for one in await people.people_named(request.tx, name, request.at) if one.in_office]
        found = found or list(await people.gone_named(request.tx, name))
        if len(found) > 1:
            raise Refused("refused.person_unclear", {"name": name})
        if found:
            return found[0], line[end:]
    if request.casual:
        raise Overheard
    raise Refused("refused.person_unknown", {"name": line.split(maxsplit=1)[0][:20]})


# The list ---------------------------------------------------------------------------------------------------------
async def _question(request: Request, found: Estate, giver: Person, taker: Person) -> dict[str, Fact]:
    gained = [Said(f"role.{role}") for role in sorted(found.roles - taker.roles)]
    other = taker.department_id not in (None, giver.department_id) and (found.duty_of or found.head_of or found.shifts)
    theirs = await people.department(request.tx, taker.department_id) if other else None
    return {
        **await _list(request, found, giver, words=True),
        "giver": giver.name,
        "taker": taker.name,
        "changed": Said("duty.list_changed") if request.answered.get("confirmed") else None,
        "roles": Said("duty.gains_roles", {"name": taker.name, "roles": gained}) if gained else None,
        "department": Said("duty.of_another", {"name": taker.name, "department": theirs.name}) if theirs else None,
    }


async def _list(request: Request, found: Estate, giver: Person, *, words: bool) -> dict[str, Fact]:
    """Everything that moves, in a few lines a kind; without `words` of a matter stand its number and firm alone."""
    lines: list[Said] = []
    for appeal in found.matters[:MOST_LINES]:
        firm = (await people.enterprise(request.tx, appeal.enterprise_id)).short_name
        mark = None if appeal.handler_id == giver.id else Said("duty.as_liaison")
        about: dict[str, Fact] = {"number": appeal.number, "firm": firm, "title": appeal.title, "due": appeal.due}
        about["provisional"] = request.rules.provisional(appeal.due, briefly=True)
        lines.append(Said("duty.item_moving", {**about, "part": mark}) if words else Said("duty.item_number", about))
    return {
        "count": len(found.matters) or None,
        "lines": lines,
        "rest": rest_of(len(found.matters)),
        "roster": _roster(found),
    }


def _roster(found: Estate) -> Said:
    """What moves in the roster, a kind a line."""
    shifts = [
        Said("duty.shift", {"first": one.first, "last": one.last, "department": one.department})
        for one in found.shifts[:MOST_LINES]
    ]
    facts: dict[str, Fact] = {
        "liaison_of": _names(found.liaison_of),
        "deputy_of": _names(found.deputy_of),
        "chief_of": _names(found.chief_of),
        "duty_of": _names(found.duty_of),
        "head_of": _names(found.head_of),
        "deputises": _names(found.deputises),
        "shifts": shifts or None,
        "more_shifts": rest_of(len(found.shifts)),
    }
    return Said("duty.roster_part", facts)


def _names(rows: Named) -> Said | None:
    """Ten names, and how many more there are."""
    if not rows:
        return None
    more = Said("duty.more_names", {"count": len(rows) - MOST_LINES}) if len(rows) > MOST_LINES else None
    return Said("duty.names", {"names": "、".join(name for _, name in rows[:MOST_LINES]), "more": more})


# The moving -------------------------------------------------------------------------------------------------------
async def _move(request: Request, found: Estate, giver: Person, taker: Person) -> Reply:
    """Everything at once: each matter by a step of its own, the roster's rows, one message to each of the two."""
    tx, rules, at = request.tx, request.rules, request.at
    gone = await _list(request, found, giver, words=False)
    taken = await _list(request, found, giver, words=True)
    details = Details(handler_id=taker.id, instead_of=giver.id)
    stand_in = (await absences.cover(tx, at)).stand_in(giver.id)
    outdated = {giver.id, stand_in} - {None, taker.id}
    for appeal in found.matters:
        change = take(appeal, Verb.HAND_OVER, by=request.who.id, at=at, rules=rules, details=details)
        after = await request.record(change)
        for whose in outdated:
            await outbox.strike_out(tx, after, at, whose=whose)
    today = rules.calendar.local(at).date()
    await handover.move_roster(tx, found, Succession(giver.id, taker.id, request.who.id, at), today)
    both = {"giver": giver.name, "taker": taker.name}
    await _tell(request, [taker], "duty.received", {**taken, **both})
    await _tell(request, [giver], "duty.given_away", {**gone, **both})
    return Reply("duty.handed_over", {**both, "count": len(found.matters)}, private=True)


async def _tell(request: Request, whom: Sequence[Person], key: str, facts: Mapping[str, Fact]) -> None:
    await vouching.tell_all(request.tx, request.rules, whom, key, facts, request.at, but=request.who.id)


COMMANDS: Mapping[Verb, Handler] = {Verb.HAND_OVER: hand_over}
