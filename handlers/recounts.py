"""The calendar has changed: every open matter is counted again in the same transaction, and all concerned hear why."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from domain import ladder
from domain.appeal import Appeal
from domain.recounts import Shift, recounted, shifts
from domain.rules import Rules
from domain.said import Fact, Said
from handlers import vouching
from handlers.jobs import Job
from storage import appeals, calendars, listeners, outbox, people
from storage.database import Tx

MOST_LINES = 20


async def foreseen(tx: Tx, rules: Rules, at: datetime) -> list[Shift]:
    """The deadlines that a recount by these rules would move; nothing is written. Sealed matters are not named."""
    found: list[Shift] = []
    for appeal_id in await calendars.concerned(tx):
        appeal = await appeals.by_id(tx, appeal_id)
        change = recounted(appeal, rules, Said("recount.hours"), at) if appeal and not appeal.sealed else None
        found += shifts(change) if change else ()
    return found


async def recount(tx: Tx, rules: Rules, why: Said, at: datetime) -> list[Shift]:
    """Count every open matter by the calendar of these rules, each through the one door; what moved, sealed ones apart.

    Firm and handler of what moved are told once, with both dates; the ladder goes by the new ones from now on.
    """
    await calendars.take_count(tx, rules.calendar.fingerprint, at)
    found: list[Shift] = []
    for appeal_id in await calendars.concerned(tx):
        appeal = await appeals.by_id(tx, appeal_id)
        if appeal is None:
            continue
        change = recounted(appeal, rules, why, at)
        if change is not None:
            appeal = await appeals.record(tx, change, rules)
            found += () if appeal.sealed else shifts(change)
        await _look(tx, rules, appeal, at)
    await _put_off(tx, rules, at)
    return found


async def _look(tx: Tx, rules: Rules, appeal: Appeal, at: datetime) -> None:
    """Rungs move with the calendar even where no date does: at once for what is reached, it is noted only once."""
    if appeal.next_due is None or appeal.next_due <= at:
        return
    look = at if ladder.reached(appeal, rules, at) else ladder.next_due(appeal, rules, at)
    if look != appeal.next_due:
        await appeals.look_again(tx, appeal, look)


async def _put_off(tx: Tx, rules: Rules, at: datetime) -> None:
    """What a cadre was to hear at the opening of a day that is closed now waits for the next one."""
    for row_id, listener, hour in await outbox.waiting(tx, at):
        person = await people.person(tx, listener, at)
        if person is None or not person.in_office:
            continue
        decent = listeners.audible(rules, person, hour, urgent=False)
        if decent > hour:
            await outbox.put_off(tx, row_id, decent)


async def lines(tx: Tx, rules: Rules, moved: Sequence[Shift]) -> tuple[Said, ...]:
    """What moved, one deadline a line, the first of many."""
    shown = [await line(tx, rules, shift) for shift in moved[:MOST_LINES]]
    rest = len(moved) - len(shown)
    return (*shown, *((Said("recount.rest", {"count": rest}),) if rest > 0 else ()))


async def line(tx: Tx, rules: Rules, shift: Shift) -> Said:
    """One deadline that moved: number, firm, title, which, before and after."""
    firm = await people.enterprise(tx, shift.appeal.enterprise_id)
    return Said(
        "recount.line",
        {
            "number": shift.appeal.number,
            "firm": firm.short_name,
            "title": shift.appeal.title,
            "clock": Said(f"clock.{shift.clock}"),
            "before": shift.before,
            "after": shift.after,
            "provisional": rules.provisional(shift.after, briefly=True),
        },
    )


async def tell_office(tx: Tx, rules: Rules, why: Said, moved: Sequence[Shift], at: datetime, *, but: int = 0) -> None:
    """Tell the coordinators what changed and what moved, except the one who changed it."""
    facts: Mapping[str, Fact] = {"why": why, "count": len(moved), "lines": await lines(tx, rules, moved)}
    whom = await vouching.coordinators(tx, at)
    await vouching.tell_all(tx, rules, whom, "recount.office", facts, at, but=but)


# At the program's start -----------------------------------------------------------------------------------------------
async def due(tx: Tx, rules: Rules, _: datetime) -> Sequence[str]:
    """The fingerprint of hours, tables and closures, where all dates were last counted by another."""
    fingerprint = rules.calendar.fingerprint
    return () if await calendars.counted_by(tx) == fingerprint else (fingerprint,)


async def work(tx: Tx, rules: Rules, at: datetime, key: str) -> None:
    """Count every open matter again; the replica that writes the fingerprint first does it."""
    if not await calendars.take_count(tx, key, at):
        return
    why = Said("recount.hours")
    moved = await recount(tx, rules, why, at)
    if moved:
        await tell_office(tx, rules, why, moved, at)


async def upcoming(tx: Tx, rules: Rules, at: datetime) -> datetime | None:
    """Never: it is looked at once, when the program starts."""
    return None


AT_START: tuple[Job, ...] = (Job("recount", due, work, upcoming),)
