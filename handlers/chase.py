"""催办: the clock looks at what is late, notes the rungs reached, and reminds people, gathered and at decent hours.

Two jobs: `sweep` takes one transaction an appeal and writes rungs; `remind` takes one a person and makes a single
message of all that he is owed. Quiet hours, "two a day" and "not after the work is done" are held in the second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain import ladder
from domain.appeal import Appeal, Status
from domain.ladder import Due
from domain.notices import SURVEY_BUTTONS, TASK_BUTTONS, TRIAGE_BUTTONS, WORK_BUTTONS, Lane, button
from domain.people import Person
from domain.rules import Clock, Rules
from domain.said import Fact, Said
from domain.verbs import Verb
from handlers import releasing
from handlers.jobs import Job
from storage import appeals, listeners, outbox, people, rungs, standing
from storage.database import Tx
from storage.rungs import Owed
from storage.scope import SYSTEM


# The sweep: which rungs are reached -------------------------------------------------------------------------------
async def due_appeals(tx: Tx, _: Rules, at: datetime) -> Sequence[str]:
    """Appeals about which the clock has something to say."""
    return [str(appeal_id) for appeal_id in await appeals.due(tx, at)]


async def sweep(tx: Tx, rules: Rules, at: datetime, key: str) -> None:
    """Note the reached rungs of one appeal, and when to look at it next."""
    appeal = await appeals.by_id(tx, int(key))
    if appeal is None or appeal.next_due is None or appeal.next_due > at:
        return
    reached: set[int] = set()
    for due in ladder.reached(appeal, rules, at):
        reached |= await _reach(tx, rules, appeal, due, at)
    for listener in sorted(reached):
        await rungs.supersede_lower(tx, int(key), listener)
    await appeals.look_again(tx, appeal, ladder.next_due(appeal, rules, at))


async def _reach(tx: Tx, rules: Rules, appeal: Appeal, due: Due, at: datetime) -> set[int]:
    """The people for whom this rung is reached now for the first time; one that must be released is asked for first."""
    reached: dict[int, Person] = {}
    for listener in due.tell:
        for person in await listeners.persons(tx, listener, appeal, at):
            if await rungs.reach(tx, appeal.id or 0, due, person.id, at):
                reached[person.id] = person
    if due.rung.release and reached:
        await releasing.ask(tx, rules, appeal, due, list(reached.values()), at)
        return set()
    return set(reached)


async def next_sweep(tx: Tx, _: Rules, at: datetime) -> datetime | None:
    """When the clock has to look again."""
    return await appeals.next_due(tx, at)


# The reminding: one message a person ------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Item:
    """One rung that still holds, with its appeal."""

    owed: Owed
    appeal: Appeal


async def people_to_remind(tx: Tx, rules: Rules, at: datetime) -> Sequence[str]:
    """People who are owed a reminder and may be disturbed now."""
    owed = await rungs.listeners_owed(tx)
    return [str(listener) for listener in owed if await _hears_at(tx, rules, listener, at) <= at]


async def _hears_at(tx: Tx, rules: Rules, listener: int, at: datetime) -> datetime:
    """When somebody may be reminded; urgent matters go at once."""
    for owed in await rungs.owed_to(tx, listener):
        appeal = await appeals.by_id(tx, owed.appeal_id)
        if appeal is not None and appeal.urgent:
            return at
    return await _calm(tx, rules, listener, at)


async def _calm(tx: Tx, rules: Rules, listener: int, at: datetime) -> datetime:
    """When somebody may be reminded of what is not urgent: not in quiet hours, not a third time on one day."""
    person = await people.person(tx, listener, at)
    earliest = listeners.audible(rules, person, at, urgent=False)
    told = await rungs.times_told(tx, listener, rules.calendar.day_start(earliest))
    if told < rules.reminders_a_day:
        return earliest
    tomorrow = rules.calendar.day_start(rules.calendar.day_start(earliest) + timedelta(hours=36))
    return listeners.audible(rules, person, tomorrow, urgent=False)


async def remind(tx: Tx, rules: Rules, at: datetime, key: str) -> None:
    """Owe one person one message about all that still holds; what was done meanwhile is void and never told.

    Where only what is urgent may disturb him now, the rest waits for its hour.
    """
    person = await people.person(tx, int(key), at)
    everything = await _calm(tx, rules, int(key), at) <= at
    items = [item for item in await _still_owed(tx, rules, person, int(key), at) if everything or item.appeal.urgent]
    chat = await people.private_chat(tx, person.id) if person else None
    for item in items:
        await rungs.settle(tx, item.owed.id, "told" if chat else "unreachable", at if chat else None)
    if not items:
        return
    if person is None or chat is None:
        await _hand_on(tx, rules, person, items, at)
        return
    await outbox.owe(tx, await _letter(tx, rules, person, chat.id, items, at), at=at)


async def _still_owed(tx: Tx, rules: Rules, person: Person | None, listener: int, at: datetime) -> list[Item]:
    items: list[Item] = []
    for owed in await rungs.owed_to(tx, listener):
        appeal = await appeals.by_id(tx, owed.appeal_id)
        if appeal is None or not _holds(appeal, owed):
            await rungs.settle(tx, owed.id, "void", None)
        elif await _is_meant(tx, rules, person, owed, appeal, at):
            items.append(Item(owed, appeal))
    return items


async def _is_meant(tx: Tx, rules: Rules, person: Person | None, owed: Owed, appeal: Appeal, at: datetime) -> bool:
    """Whether the rung is still for this person: a matter may have changed hands, a leave may have begun or ended.

    Where it is not, it is owed to those for whom it is now; a new owner has just heard the dates with his task.
    """
    steps = [rung for rung in rules.ladders.get(owed.clock, ()) if rung.label == owed.label]
    tell = {listener for rung in steps for listener in rung.tell}
    if person is None or not tell:
        return True
    meant = {each.id for listener in tell for each in await listeners.persons(tx, listener, appeal, at)}
    if person.id in meant:
        return True
    anew = appeal.dispatched_at is not None and appeal.dispatched_at > owed.due_at
    for other in sorted(meant) if not anew else ():
        await rungs.pass_on(tx, owed.id, other)
        await rungs.supersede_lower(tx, owed.appeal_id, other)
    await rungs.settle(tx, owed.id, "void", None)
    return False


def _holds(appeal: Appeal, owed: Owed) -> bool:
    return owed.clock in appeal.clocks and owed.round == ladder.running(appeal, owed.clock)


def _token(item: Item) -> str:
    """Under which condition a line of the reminder is still true when it leaves."""
    return f"{item.appeal.number}|{item.owed.clock}|{item.owed.round}"


async def still_holds(tx: Tx, token: str) -> bool:
    """Whether the clock that a line speaks of still runs, in the same round."""
    number, clock, round_ = token.split("|")
    appeal = await appeals.get(tx, number, SYSTEM)
    return (
        appeal is not None
        and Clock(clock) in appeal.clocks
        and ladder.running(appeal, Clock(clock)) == int(round_)
    )


async def _hand_on(tx: Tx, rules: Rules, person: Person | None, items: Sequence[Item], at: datetime) -> None:
    """Nobody hears a reminder in an unreachable chat: who can call him is told that he should."""
    if person is None:
        return
    for item in items:
        facts = await listeners.appeal_facts(tx, item.appeal, rules)
        await listeners.tell_callers(tx, person, facts, item.appeal, rules, at)


async def _letter(
    tx: Tx, rules: Rules, person: Person, chat_id: int, items: Sequence[Item], at: datetime
) -> outbox.Letter:
    lines = [await _line(tx, rules, person, item, at) for item in items]
    alone = items[0].appeal if len(items) == 1 else None
    held = alone is not None and await standing.on_behalf(tx, person, alone, at) is not None
    verbs = _buttons(items[0], person, holder=held) if alone else ()
    buttons = listeners.rows([button(verb, items[0].appeal) for verb in verbs])
    return outbox.Letter(
        chat_id=chat_id,
        key="remind.one" if alone else "remind.several",
        facts={"name": person.name, "count": len(items), "lines": lines, "holds": [_token(item) for item in items]},
        buttons=buttons,
        lane=Lane.CASE,
        appeal_id=alone.id if alone else None,
        person_id=person.id,
    )


async def _line(tx: Tx, rules: Rules, person: Person, item: Item, at: datetime) -> Said:
    facts: dict[str, Fact] = await listeners.appeal_facts(tx, item.appeal, rules)
    times = await rungs.told_about(tx, item.owed.appeal_id)
    late = rules.calendar.working_days_between(
        rules.calendar.local(_deadline(item)).date(), rules.calendar.local(at).date()
    )
    facts |= {"name": person.name, "deadline": _deadline(item), "days": late, "times": times}
    facts["latest"] = await _latest(tx, item.appeal)
    whom = await standing.on_behalf(tx, person, item.appeal, at)
    said = Said(_key(item, person, at, holder=whom is not None), facts)
    return Said("duty.line_for", {"whom": whom, "line": said}) if whom else said


def _deadline(item: Item) -> datetime:
    return item.appeal.clocks[item.owed.clock]


def _key(item: Item, person: Person, at: datetime, *, holder: bool) -> str:
    """Which sentence: by clock, by whether the date has passed, and by whether he holds the work or watches it.

    `holder`: he stands in for who holds it.
    """
    clock = item.owed.clock
    if clock is Clock.SURVEY:
        return "remind.survey" if not person.in_office else "remind.survey_call"
    if clock is Clock.DISPATCH:
        return "remind.dispatch"
    passed = "late" if at > _deadline(item) else "soon"
    holder = holder or person.id == item.appeal.handler_id or item.appeal.handler_id is None
    return f"remind.{clock.value}_{passed}" if holder else f"remind.{clock.value}_watch"


async def _latest(tx: Tx, appeal: Appeal) -> Said:
    note = await appeals.latest_progress(tx, appeal.id or 0)
    return Said("remind.latest", {"at": note[0], "text": note[1]}) if note else Said("remind.no_progress")


def _buttons(item: Item, person: Person, *, holder: bool) -> tuple[Verb, ...]:
    if item.owed.clock is Clock.SURVEY:
        return (Verb.FOLLOW_UP,) if person.in_office else SURVEY_BUTTONS
    if item.owed.clock is Clock.DISPATCH:
        return TRIAGE_BUTTONS
    if not holder and person.id != item.appeal.handler_id:
        return (Verb.STATUS,)
    return TASK_BUTTONS if item.appeal.status is Status.DISPATCHED else WORK_BUTTONS


async def next_reminder(tx: Tx, rules: Rules, at: datetime) -> datetime | None:
    """The next moment at which somebody may be told what he is owed."""
    moments = [await _hears_at(tx, rules, listener, at) for listener in await rungs.listeners_owed(tx)]
    return min((moment for moment in moments if moment > at), default=None)


JOBS = (
    Job("sweep", due_appeals, sweep, next_sweep),
    Job("remind", people_to_remind, remind, next_reminder),
)
