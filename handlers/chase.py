"""催办: the clock looks at what is late, notes the rungs reached, and reminds people, gathered and at decent hours.

Three jobs: `sweep` takes one transaction an appeal and writes rungs; `sort_out` takes one a person and strikes what
is done or not his any more; `remind` makes a single message of all that he is owed. Quiet hours, "two a day" and "not
after the work is done" are held in these two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain import ladder
from domain.appeal import Appeal, Running, Status
from domain.ladder import Due
from domain.lifecycle import take
from domain.notices import PART_BUTTONS, SURVEY_BUTTONS, TRIAGE_BUTTONS, WORK_BUTTONS, Lane, button, task_buttons
from domain.people import Person
from domain.rules import Clock, Listener, Rules, Rung
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
    """Note the reached rungs of one appeal, and when to look at it next; a suspension that is over ends here."""
    appeal = await appeals.by_id(tx, int(key))
    if appeal is None or appeal.next_due is None or appeal.next_due > at:
        return
    if appeal.status is Status.SUSPENDED and appeal.suspended_until is not None and appeal.suspended_until <= at:
        resumed = take(appeal, Verb.RESUME, by=None, at=appeal.suspended_until, rules=rules)
        appeal = await appeals.record(tx, resumed, rules)
    await _note(tx, rules, appeal, at)
    await appeals.look_again(tx, appeal, ladder.next_due(appeal, rules, at))


async def _note(tx: Tx, rules: Rules, appeal: Appeal, at: datetime) -> None:
    """Write the rungs that are reached; of several that one person is owed the highest is told."""
    reached: set[int] = set()
    for due in ladder.reached(appeal, rules, at):
        reached |= await _reach(tx, rules, appeal, due, at)
    for listener in sorted(reached):
        await rungs.supersede_lower(tx, appeal.id or 0, listener)


async def _reach(tx: Tx, rules: Rules, appeal: Appeal, due: Due, at: datetime) -> set[int]:
    """The people for whom this rung is reached now for the first time; one that must be released is asked for first."""
    reached: dict[int, Person] = {}
    for listener in due.tell:
        for person in await standing.persons(tx, listener, appeal, at, part=due.running.part):
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
    """One rung that still holds, with its appeal and the clock that runs; `paper` is what the rung brings along."""

    owed: Owed
    appeal: Appeal
    running: Running
    paper: str = ""


async def people_to_remind(tx: Tx, rules: Rules, at: datetime) -> Sequence[str]:
    """People who are owed a reminder and may be disturbed now."""
    owed = await rungs.listeners_owed(tx)
    return [str(listener) for listener in owed if await _hears_at(tx, rules, listener, at) <= at]


async def _hears_at(tx: Tx, rules: Rules, listener: int, at: datetime) -> datetime:
    """When somebody may be reminded; urgent matters go at once."""
    urgent = await rungs.owed_urgently(tx, listener)
    return at if urgent else await _calm(tx, rules, listener, at)


async def _calm(tx: Tx, rules: Rules, listener: int, at: datetime) -> datetime:
    """When somebody may be reminded of what is not urgent: not in quiet hours, not a third time on one day."""
    person = await people.person(tx, listener, at)
    earliest = listeners.audible(rules, person, at, urgent=False)
    told = await rungs.times_told(tx, listener, rules.calendar.day_start(earliest))
    if told < rules.reminders_a_day:
        return earliest
    tomorrow = rules.calendar.day_start(rules.calendar.day_start(earliest) + timedelta(hours=36))
    return listeners.audible(rules, person, tomorrow, urgent=False)


async def sort_out(tx: Tx, rules: Rules, at: datetime, key: str) -> None:
    """Of what one person is owed, let fall what was done meanwhile, and pass on what is not his any more.

    It goes before all reminding, so that whoever gets something from others has it in his one message.
    """
    person = await people.person(tx, int(key), at)
    for owed in await rungs.owed_to(tx, int(key)):
        item = await _item(tx, rules, owed)
        if item is None:
            await rungs.settle(tx, owed.id, "void", None)
        elif person is not None:
            await _pass_on_unless_meant(tx, rules, person, item, at)


async def remind(tx: Tx, rules: Rules, at: datetime, key: str) -> None:
    """Owe one person one message about all that still holds.

    Where only what is urgent may disturb him now, the rest waits for its hour.
    """
    person = await people.person(tx, int(key), at)
    everything = await _calm(tx, rules, int(key), at) <= at
    found = [await _item(tx, rules, owed) for owed in await rungs.owed_to(tx, int(key))]
    items = [item for item in found if item is not None and (everything or item.appeal.urgent)]
    chat = await people.private_chat(tx, person.id) if person else None
    told_at = await rungs.moment_to_tell(tx, int(key), at) if chat else None
    for item in items:
        await rungs.settle(tx, item.owed.id, "told" if chat else "unreachable", told_at)
    if not items:
        return
    if person is None or chat is None:
        await _hand_on(tx, rules, person, items, at)
        return
    await outbox.owe(tx, await _letter(tx, rules, person, chat.id, items, at), at=at)


async def _item(tx: Tx, rules: Rules, owed: Owed) -> Item | None:
    """What is owed, if the clock that it speaks of still runs, in the same round."""
    appeal = await appeals.by_id(tx, owed.appeal_id)
    running = _running(appeal, owed.clock, owed.round) if appeal else None
    if appeal is None or running is None:
        return None
    steps = [rung for rung in rules.ladder(running.clock, appeal.kind) if rung.label == owed.label]
    return Item(owed, appeal, running, steps[0].document if steps else "")


def _running(appeal: Appeal, clock: str, round_: int) -> Running | None:
    return next((each for each in appeal.running if (each.name, each.round) == (clock, round_)), None)


async def _pass_on_unless_meant(tx: Tx, rules: Rules, person: Person, item: Item, at: datetime) -> None:
    """A matter may have changed hands, a leave may have begun or ended: is the rung still for this person?

    Where it is not, it is owed to those for whom it is now; a new owner has just heard the dates with his task.
    """
    appeal, owed = item.appeal, item.owed
    tell = {listener for rung in _steps(rules, item) for listener in rung.tell}
    part = item.running.part
    meant = {each.id for one in tell for each in await standing.persons(tx, one, appeal, at, part=part)}
    if not tell or person.id in meant:
        return
    anew = appeal.dispatched_at is not None and appeal.dispatched_at > owed.due_at
    for other in sorted(meant) if not anew else ():
        await rungs.pass_on(tx, owed.id, other)
        await rungs.supersede_lower(tx, owed.appeal_id, other)
    await rungs.settle(tx, owed.id, "void", None)


def _steps(rules: Rules, item: Item) -> list[Rung]:
    """The rungs of that name; none where the park's rules do not know it any more."""
    return [rung for rung in rules.ladder(item.running.clock, item.appeal.kind) if rung.label == item.owed.label]


def _token(item: Item) -> str:
    """Under which condition a line of the reminder is still true when it leaves."""
    return f"{item.appeal.number}|{item.owed.clock}|{item.owed.round}"


async def still_holds(tx: Tx, token: str) -> bool:
    """Whether the clock that a line speaks of still runs, in the same round."""
    number, clock, round_ = token.split("|")
    appeal = await appeals.get(tx, number, SYSTEM)
    return appeal is not None and _running(appeal, clock, int(round_)) is not None


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
    verbs = await _buttons(tx, items[0], person, at) if alone else ()
    buttons = listeners.rows([button(verb, items[0].appeal, items[0].running.part) for verb in verbs])
    return outbox.Letter(
        chat_id=chat_id,
        key="remind.one" if alone else "remind.several",
        facts={"name": person.name, "count": len(items), "lines": lines, "holds": [_token(item) for item in items]},
        buttons=buttons,
        lane=Lane.CASE,
        appeal_id=alone.id if alone else None,
        person_id=person.id,
        files=tuple(
            listeners.owed_paper(item.paper, item.appeal, person, item.running.part, at)
            for item in items
            if item.paper
        ),
    )


async def _line(tx: Tx, rules: Rules, person: Person, item: Item, at: datetime) -> Said:
    facts: dict[str, Fact] = await listeners.appeal_facts(tx, item.appeal, rules)
    facts |= listeners.part_facts(item.appeal, item.running.part)
    deadline = item.running.deadline
    times = await rungs.told_about(tx, item.owed.appeal_id)
    late = rules.calendar.working_days_between(
        rules.calendar.local(deadline).date(), rules.calendar.local(at).date()
    )
    facts |= {"name": person.name, "deadline": deadline, "days": late, "times": times}
    facts["latest"] = await _latest(tx, item.appeal)
    whom = await standing.on_behalf(tx, person, item.appeal, at, item.running.part)
    said = Said(await _key(tx, item, person, at), facts)
    return Said("duty.line_for", {"whom": whom, "line": said}) if whom else said


_HOLDERS = {Clock.PART: Listener.CO_HANDLER}


async def _key(tx: Tx, item: Item, person: Person, at: datetime) -> str:
    """Which sentence: by clock, by whether the date has passed, by whether he holds the work or watches it.

    External units are asked, never ordered.
    """
    clock = item.running.clock
    if clock is Clock.SURVEY:
        return "remind.survey" if not person.in_office else "remind.survey_call"
    if clock is Clock.DISPATCH:
        return "remind.dispatch"
    passed = "late" if at > item.running.deadline else "soon"
    if not await _holds(tx, item, person, at):
        return f"remind.{clock.value}_watch"
    external = await listeners.is_external(tx, person)
    return f"remind.{clock.value}_{passed}_external" if external else f"remind.{clock.value}_{passed}"


async def _holds(tx: Tx, item: Item, person: Person, at: datetime) -> bool:
    """Whether it is this person's to do, for himself or in somebody's place."""
    holder = _HOLDERS.get(item.running.clock, Listener.HANDLER)
    held = await standing.persons(tx, holder, item.appeal, at, part=item.running.part)
    return person.id in [each.id for each in held]


async def _latest(tx: Tx, appeal: Appeal) -> Said:
    note = await appeals.latest_progress(tx, appeal.id or 0)
    return Said("remind.latest", {"at": note[0], "text": note[1]}) if note else Said("remind.no_progress")


async def _buttons(tx: Tx, item: Item, person: Person, at: datetime) -> tuple[Verb, ...]:
    clock = item.running.clock
    if clock is Clock.SURVEY:
        return (Verb.FOLLOW_UP,) if person.in_office else SURVEY_BUTTONS
    if clock is Clock.DISPATCH:
        return TRIAGE_BUTTONS
    part = item.running.part
    whose = item.appeal.part(part)
    holder = whose.handler_id if whose and whose.handler_id is not None else item.appeal.handler_id
    if person.id != holder and await standing.on_behalf(tx, person, item.appeal, at, part) is None:
        return (Verb.STATUS,)
    if clock is Clock.PART:
        return PART_BUTTONS
    if clock is Clock.MILESTONE:
        return (Verb.MILESTONE, Verb.PROGRESS)
    return task_buttons(item.appeal) if item.appeal.status is Status.DISPATCHED else WORK_BUTTONS


async def next_reminder(tx: Tx, rules: Rules, at: datetime) -> datetime | None:
    """The next moment at which somebody may be told what he is owed."""
    moments = [await _hears_at(tx, rules, listener, at) for listener in await rungs.listeners_owed(tx)]
    return min((moment for moment in moments if moment > at), default=None)


JOBS = (
    Job("sweep", due_appeals, sweep, next_sweep),
    Job("sort_out", people_to_remind, sort_out, next_reminder),
    Job("remind", people_to_remind, remind, next_reminder),
)
