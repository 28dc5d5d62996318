"""The daily digest: by the clock to the coordination group and to each cadre, and asked for as 日报."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from domain import digest, digest_own
from domain.digest import Day
from domain.digest_own import Cadre
from domain.notices import Lane
from domain.people import Chat, Person, Purpose, Role
from domain.rules import Rules
from domain.said import Said
from domain.verbs import Verb
from handlers.jobs import Job
from handlers.router import Handler, Reply, Request
from storage import figures, gaps, listeners, outbox, people, turns
from storage.database import Tx

JOB = "digest"
_ALL_TOLD = "end"
_TICK = "%Y-%m-%dT%H:%M"


# By the clock --------------------------------------------------------------------------------------------------
async def due(tx: Tx, rules: Rules, at: datetime) -> Sequence[str]:
    """Whom today's latest digest has not reached yet, one key a listener; nobody on days off.

    The last key closes the tick, so that whoever is given work later that day is not sent the morning's digest.
    """
    tick = digest.tick_now(rules, at)
    if tick is None:
        return ()
    name = _name(rules, tick)
    taken = await turns.taken(tx, _turn(name))
    if _ALL_TOLD in taken:
        return ()
    waiting = [listener for listener in await _listeners(tx, tick) if listener not in taken]
    return [f"{name}/{listener}" for listener in [*waiting, _ALL_TOLD]]


async def work(tx: Tx, rules: Rules, at: datetime, key: str) -> None:
    """Owe one listener his digest as of its tick; the turn is taken in this same transaction."""
    name, _, listener = key.partition("/")
    if listener == _ALL_TOLD and await due(tx, rules, at) != [key]:
        return  # somebody's turn failed: the tick stays open for him
    if not await turns.take(tx, _turn(name), listener, at) or listener == _ALL_TOLD:
        return
    part, _, number = listener.partition("/")
    tell = {"group": _tell_group, "office": _tell_office, "cadre": _tell_cadre}[part]
    await tell(tx, rules, at, _tick(rules, name), int(number))


async def upcoming(tx: Tx, rules: Rules, at: datetime) -> datetime | None:
    """The next time of day at which a digest leaves, on the next working day."""
    return digest.tick_after(rules, at)


async def _listeners(tx: Tx, tick: datetime) -> list[str]:
    """The approved coordination groups, failing these the coordinators; and the cadres."""
    groups = await people.groups_for(tx, Purpose.COORDINATION)
    office = [f"group/{group.id}" for group in groups]
    if not office:
        coordinators = await people.people_with(tx, Role.COORDINATOR, tick)
        office = [f"office/{person.id}" for person in coordinators]
    return office + [f"cadre/{person}" for person in await figures.cadres(tx, tick)]


def _turn(name: str) -> str:
    return f"{JOB} {name}"


def _name(rules: Rules, tick: datetime) -> str:
    return f"{rules.calendar.local(tick):{_TICK}}"


def _tick(rules: Rules, name: str) -> datetime:
    return datetime.strptime(name, _TICK).replace(tzinfo=rules.calendar.zone).astimezone(UTC)


async def _tell_group(tx: Tx, rules: Rules, at: datetime, tick: datetime, chat_id: int) -> None:
    said = await office(tx, rules, digest.tick_before(rules, tick), tick, group=True)
    await _owe(tx, rules, at, await people.chat(tx, chat_id), None, said)


async def _tell_office(tx: Tx, rules: Rules, at: datetime, tick: datetime, person_id: int) -> None:
    said = await office(tx, rules, digest.tick_before(rules, tick), tick, group=False)
    await _tell_person(tx, rules, at, person_id, said)


async def _tell_cadre(tx: Tx, rules: Rules, at: datetime, tick: datetime, person_id: int) -> None:
    person = await people.person(tx, person_id, tick)
    said = await own(tx, rules, tick, person) if person else None
    if said is not None:
        await _tell_person(tx, rules, at, person_id, said)


async def _tell_person(tx: Tx, rules: Rules, at: datetime, person_id: int, said: Said) -> None:
    chat = await people.private_chat(tx, person_id)
    if chat is not None:
        await _owe(tx, rules, at, chat, await people.person(tx, person_id, at), said)


async def _owe(tx: Tx, rules: Rules, at: datetime, chat: Chat, person: Person | None, said: Said) -> None:
    """A digest is worth something on its own day only: it expires at midnight."""
    hour = listeners.audible(rules, person, at, urgent=False)
    letter = outbox.Letter(
        chat_id=chat.id,
        key=said.key,
        facts=said.facts,
        lane=Lane.DIGEST,
        person_id=person.id if person else None,
        expires=rules.calendar.day_start(rules.calendar.day_start(hour) + timedelta(hours=36)),
    )
    await outbox.owe(tx, letter, at=at, due=hour)


# What it says --------------------------------------------------------------------------------------------------
async def office(tx: Tx, rules: Rules, since: datetime, at: datetime, *, group: bool) -> Said:
    """The park's digest as of `at`; new and done is what came since `since`."""
    day = Day(
        at=at,
        since=since,
        figures=await figures.figures(tx, rules, since, at),
        attention=await figures.attention(tx, rules, at),
        triage=await figures.triage(tx, at),
        reworks=await figures.reworks(tx),
        hard=await figures.hard(tx, at),
        done=await figures.done(tx, since, at),
        issues=await figures.issues(tx, rules, at),
        unreached=await figures.unreached(tx, at),
        gaps=await gaps.gaps(tx, rules.calendar.local(at).date(), at),
    )
    return digest.office(day, rules, group=group)


async def own(
    tx: Tx, rules: Rules, at: datetime, person: Person, headed: frozenset[int] = frozenset()
) -> Said | None:
    """What concerns one cadre; None when nothing does."""
    items = await figures.concerning(tx, person, at, headed)
    pieces = await figures.pieces(tx, person, at)
    firms = await figures.firms_of(tx, person.id)
    reader = Cadre(
        id=person.id,
        name=person.name,
        covers=await figures.covered_by(tx, person),
        calm_firms=len(firms - {item.enterprise_id for item in items}) if firms else None,
    )
    return digest_own.cadre(reader, items, pieces, at, rules)


# Asked for -----------------------------------------------------------------------------------------------------
async def daily(request: Request) -> Reply:
    """日报: the park's for a coordinator, everybody else his own; only a coordination group hears it in place."""
    tx, rules, at, who = request.tx, request.rules, request.at, request.who
    if who.has(Role.COORDINATOR):
        since = digest.tick_before(rules, rules.calendar.day_start(at))
        in_place = request.chat.purpose is Purpose.COORDINATION and not request.chat.private
        said = await office(tx, rules, since, at, group=in_place)
        return Reply(said.key, said.facts, private=not in_place)
    own_digest = await own(tx, rules, at, who, await people.headed_by(tx, who))
    said = own_digest or Said("digest.nothing", {"name": who.name})
    return Reply(said.key, said.facts, private=True)


COMMANDS: Mapping[Verb, Handler] = {Verb.DIGEST: daily}
JOBS: tuple[Job, ...] = (Job(JOB, due, work, upcoming),)
