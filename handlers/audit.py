"""The audit chain: events are sealed as they come, and each working morning the inspector is given its head to keep."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from domain.notices import Lane
from domain.people import Person, Role
from domain.rules import Rules
from handlers.jobs import Job
from storage import listeners, outbox, people, seals, turns
from storage.database import Tx

SEAL, HEAD = "seal", "audit_head"
_USUAL = time(8, 30)
_FARTHEST = 60  # days; no holidays are longer than that


# Sealing --------------------------------------------------------------------------------------------------------
def sealer(key: bytes) -> Job:
    """The job that seals with this key; one process at a time, in transactions of `seals.BATCH` events."""

    async def due(tx: Tx, rules: Rules, at: datetime) -> Sequence[str]:
        """The number of the next seal, where events wait for one."""
        if not await seals.unsealed(tx, 1):
            return ()
        return (await _next(tx),)

    async def work(tx: Tx, rules: Rules, at: datetime, number: str) -> None:
        """Seal the events that wait, in order of their ids; whoever comes late finds the number taken."""
        if number == await _next(tx):
            await seals.append(tx, key, await seals.unsealed(tx, seals.BATCH))

    async def upcoming(tx: Tx, rules: Rules, at: datetime) -> datetime | None:
        """Never by itself: it looks at every ring."""
        return None

    return Job(SEAL, due, work, upcoming)


async def _next(tx: Tx) -> str:
    last = await seals.end(tx)
    return str(last.n + 1 if last else 0)


# The head of the day --------------------------------------------------------------------------------------------
async def due(tx: Tx, rules: Rules, at: datetime) -> Sequence[str]:
    """Inspectors who have not been given this working day's head yet, from the hour of the first digest on."""
    day = rules.calendar.local(at).date()
    tick = _tick(rules, day)
    if tick is None or tick > at or not await _has_seals(tx):
        return ()
    taken = await turns.taken(tx, _turn(day))
    inspectors = await people.people_with(tx, Role.INSPECTOR, at)
    return [f"{day}/{person.id}" for person in inspectors if str(person.id) not in taken]


async def work(tx: Tx, rules: Rules, at: datetime, key: str) -> None:
    """Owe one inspector the head of the chain as a code to keep; the turn is taken in this same transaction."""
    day, _, person_id = key.partition("/")
    person = await people.person(tx, int(person_id), at)
    if person is not None and await turns.take(tx, _turn(day), person_id, at):
        await _tell(tx, rules, at, person, date.fromisoformat(day))


async def upcoming(tx: Tx, rules: Rules, at: datetime) -> datetime | None:
    """The next working day's first digest, or half past eight where there is none."""
    days = (rules.calendar.local(at).date() + timedelta(days=shift) for shift in range(_FARTHEST))
    return next((tick for day in days if (tick := _tick(rules, day)) is not None and tick > at), None)


async def _tell(tx: Tx, rules: Rules, at: datetime, person: Person, day: date) -> None:
    chat, last = await people.private_chat(tx, person.id), await seals.end(tx)
    if chat is None or last is None:
        return
    letter = outbox.Letter(
        chat.id,
        "audit.head",
        {"day": day, "count": last.n, "code": last.code},
        lane=Lane.DIGEST,
        person_id=person.id,
    )
    await outbox.owe(tx, letter, at=at, due=listeners.audible(rules, person, at, urgent=False))


async def _has_seals(tx: Tx) -> bool:
    last = await seals.end(tx)
    return last is not None and last.n > 0


def _tick(rules: Rules, day: date) -> datetime | None:
    if not rules.calendar.is_working_day(day):
        return None
    clock = min(rules.digest.daily, default=_USUAL)
    return datetime.combine(day, clock, tzinfo=rules.calendar.zone).astimezone(UTC)


def _turn(day: date | str) -> str:
    return f"{HEAD} {day}"


JOBS: tuple[Job, ...] = (Job(HEAD, due, work, upcoming),)
