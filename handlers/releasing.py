"""放行: a rung that goes above the head waits for the coordinator, who lets it go out with one press or not at all."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from domain.appeal import Appeal
from domain.errors import Refused
from domain.ladder import Due
from domain.notices import Notice
from domain.people import Person
from domain.rules import Listener, Rules
from domain.verbs import Verb
from handlers.router import Handler, Reply, Request
from storage import listeners, rungs, standing
from storage.database import Tx


async def ask(tx: Tx, rules: Rules, appeal: Appeal, due: Due, held: Sequence[Person], at: datetime) -> None:
    """Tell whoever releases this rung whom it would reach; nobody else hears of it until then."""
    facts = await listeners.appeal_facts(tx, appeal, rules)
    days = rules.calendar.working_days_between(
        rules.calendar.local(due.deadline).date(), rules.calendar.local(at).date()
    )
    facts |= {"deadline": due.deadline, "days": days, "whom": "、".join(person.name for person in held)}
    notice = Notice(Listener(due.rung.release), "remind.release", (Verb.RELEASE, Verb.STATUS))
    for person in await standing.persons(tx, notice.listener, appeal, at):
        await listeners.tell_person(tx, person, notice, facts, appeal, rules, at)


async def release(request: Request) -> Reply:
    """Let out what waits for this appeal; it is told at the next decent hour, if the work is not done by then."""
    appeal = await request.appeal()
    released = await rungs.release(request.tx, appeal.id or 0)
    if not released:
        raise Refused("refused.nothing_held", {"number": appeal.number})
    facts = await listeners.appeal_facts(request.tx, appeal, request.rules)
    return Reply("oversight.released", facts, appeal=appeal)


COMMANDS: Mapping[Verb, Handler] = {Verb.RELEASE: release}
