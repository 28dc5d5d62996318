"""The coordinator steers: who gets a matter, what a handler's request comes to, what a call to the firm brought."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from domain.appeal import Appeal, Details, Status
from domain.errors import Refused
from domain.lifecycle import open_to, step_of
from domain.people import Department, Person
from domain.said import Button, Fact, Said
from domain.verbs import Verb
from handlers import wishes
from handlers.router import Ask, Buttons, Handler, Reply, Request, for_appeal
from storage import listeners, people, requests, rota

CHOICES = 6
SHORT_NAME = 2  # characters; so short a name stands in too many other words
_NAME_FIRST = re.compile(r"([^\s,，、:：;；。]+)[\s,，、:：;；。]*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Whom:
    """Who is to get a matter, and why."""

    person: Person
    department_id: int | None
    reason: str

    @property
    def mark(self) -> str:
        """The choice as a button carries it."""
        return f"unit-{self.department_id}" if self.department_id is not None else f"person-{self.person.id}"


async def _facts(request: Request, appeal: Appeal) -> dict[str, Fact]:
    return await listeners.appeal_facts(request.tx, appeal, request.rules)


async def dispatch(request: Request) -> Reply:
    """派单 / 指定: give a matter to a person or to a department's duty officer; the work's date stands."""
    appeal = await request.appeal(_waits_for_an_owner)
    step_of(appeal, request.verb)
    if not (request.argument or request.text.strip()):
        raise Ask("ask.whom", _named(appeal), await _offer(request, appeal))
    whom = await _whom(request)
    after = await request.step(appeal, details=_details(whom))
    wish = await requests.open_one(request.tx, after.id or 0)
    if wish is not None:
        granted = wish.facts.get("handler_id") == whom.person.id
        await requests.decide(request.tx, wish, request.who.id, request.at, granted=granted)
    return Reply("oversight.dispatched", await _facts(request, after), appeal=after)


async def _waits_for_an_owner(appeal: Appeal) -> bool:
    return appeal.handler_id is None


def _named(appeal: Appeal) -> Mapping[str, Fact]:
    return {"number": appeal.number, "title": appeal.title}


def _details(whom: Whom) -> Details:
    return Details(text=whom.reason, handler_id=whom.person.id, department_id=whom.department_id)


async def _whom(request: Request) -> Whom:
    """Read the pressed choice (kept or just made), or `<person or department> <reason>`."""
    chosen = str(request.answered.get("whom", "")) or request.argument
    if chosen:
        return await _chosen(request, chosen)
    name, reason = name_first(request.text)
    unit = await unit_called(request, name)
    if unit is not None:
        return Whom(await _someone_on_duty(request, unit), unit.id, reason)
    return Whom(await _one_named(request, name), None, reason)


def name_first(line: str) -> tuple[str, str]:
    """`供电公司 属线路改造` in its first word and the rest, whatever stands between them."""
    found = _NAME_FIRST.match(line.strip())
    return (found[1], found[2].strip()) if found else ("", "")


async def unit_called(request: Request, name: str) -> Department | None:
    """The department of that name or code, or the only one whose name contains it."""
    exact = await people.department_called(request.tx, name)
    if exact is not None or len(name) < 2:
        return exact
    alike = [unit for unit in await people.departments(request.tx) if name in unit.name]
    return alike[0] if len(alike) == 1 else None


async def unit_in(request: Request, line: str) -> Department | None:
    """The only department that a sentence names, with or without the county before its name."""
    named = [unit for unit in await people.departments(request.tx) if unit.name in line or unit.name[1:] in line]
    return named[0] if len(named) == 1 and len(named[0].name) > SHORT_NAME else None


async def on_duty(request: Request, unit: Department, *, needed: bool = True) -> Person | None:
    """Who is on duty in a department today, on leave his stand-in. Refused where there is nobody and one is needed."""
    day = request.rules.calendar.local(request.at).date()
    duty = await rota.on_duty(request.tx, unit, day, request.at)
    if duty is None and needed:
        raise Refused("refused.no_duty", {"department": unit.name})
    return duty


async def _someone_on_duty(request: Request, unit: Department) -> Person:
    duty = await on_duty(request, unit)
    assert duty is not None  # he was needed
    return duty


async def _chosen(request: Request, mark: str) -> Whom:
    """A choice by its mark: `person-7` or `unit-3`."""
    kind, _, value = mark.partition("-")
    row = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0
    unit = await people.department(request.tx, row) if kind == "unit" else None
    if unit is not None:
        return Whom(await _someone_on_duty(request, unit), unit.id, request.text)
    person = await people.person(request.tx, row, request.at) if kind == "person" else None
    if person is None or not person.in_office:
        raise Refused("refused.choice_gone")
    return Whom(person, None, request.text)


async def _one_named(request: Request, name: str) -> Person:
    found = [person for person in await people.people_named(request.tx, name, request.at) if person.in_office]
    if not found:
        raise Refused("refused.person_unknown", {"name": name[:20]})
    if len(found) > 1:
        raise Refused("refused.person_unclear", {"name": name})
    return found[0]


async def _offer(request: Request, appeal: Appeal) -> Buttons:
    """The firm's liaison first, then the departments in roster order; nobody who has it already."""
    choices: list[tuple[Button, ...]] = []
    liaison = await people.person(request.tx, appeal.liaison_id, request.at) if appeal.liaison_id else None
    if liaison is not None and liaison.id != appeal.handler_id:
        choices.append((_choice(request, appeal, f"person-{liaison.id}", liaison.name),))
    for unit in (await people.departments(request.tx))[:CHOICES]:
        duty = await on_duty(request, unit, needed=False)
        if duty is not None and duty.id != appeal.handler_id:
            choices.append((_choice(request, appeal, f"unit-{unit.id}", unit.name),))
    return tuple(choices)


def _choice(request: Request, appeal: Appeal, argument: str, label: str) -> Button:
    return Button(request.verb, appeal.number, appeal.version, argument, label)


async def transfer(request: Request) -> Reply:
    """转办: the handler asks that somebody else take it; the coordinator decides, until then it stays with him."""
    appeal = await request.appeal()
    step_of(appeal, Verb.DISPATCH)
    if not (request.argument or request.answered.get("whom") or request.text.strip()):
        raise Ask("ask.transfer", _named(appeal), await _offer(request, appeal))
    whom = await _whom(request)
    if whom.person.id == appeal.handler_id:
        raise Refused("refused.same_owner", {"number": appeal.number})
    if not whom.reason:
        facts = {**_named(appeal), "whom": whom.person.name}
        raise Ask("ask.transfer_reason", facts, keep={"whom": whom.mark})
    wanted = Details(text=whom.reason, handler_id=whom.person.id, department_id=whom.department_id)
    return await wishes.ask(request, appeal, wanted, whom=whom.person.name, whom_id=whom.person.id)


async def recategorise(request: Request) -> Reply:
    """改类: another category, with its own term counted from intake."""
    appeal = await request.appeal()
    step_of(appeal, request.verb)
    wanted = request.argument or request.text.strip()
    matches = [c for c in request.rules.categories.values() if wanted and (wanted == c.code or wanted in c.name)]
    if not wanted:
        raise Ask("ask.category", _named(appeal), _categories(request, appeal))
    if len(matches) != 1:
        raise Refused("refused.category_unknown", {"name": wanted[:20]})
    details = Details(category=matches[0].code)
    after = await request.step(appeal, details=details)
    buttons = for_appeal(after, Verb.DISPATCH) if after.handler_id is None else ()
    return Reply("oversight.recategorised", await _facts(request, after), buttons, appeal=after)


def _categories(request: Request, appeal: Appeal) -> Buttons:
    buttons = [
        Button(Verb.RECATEGORISE, appeal.number, appeal.version, category.code, category.name.split("·")[-1])
        for category in request.rules.categories.values()
    ]
    return tuple(tuple(buttons[n : n + 3]) for n in range(0, len(buttons), 3))


_WORDS: Mapping[str, Verb | None] = {
    "满意": Verb.SATISFIED,
    "satisfied": Verb.SATISFIED,
    "基本满意": Verb.FAIRLY_SATISFIED,
    "fairly": Verb.FAIRLY_SATISFIED,
    "不满意": Verb.DISSATISFIED,
    "dissatisfied": Verb.DISSATISFIED,
    "无人接听": None,
    "unanswered": None,
}


async def follow_up(request: Request) -> Reply:
    """回访: what a call to the firm brought, recorded by name; silence is counted, never taken for 满意."""
    appeal = await request.appeal()
    if appeal.status not in open_to(Verb.FOLLOW_UP) | {Status.UNRATED}:
        here = Said(f"status.{appeal.status}")
        raise Refused("refused.follow_up_not_asked", {**_named(appeal), "status": here})
    verb, said = _outcome(request, appeal)
    facts: Mapping[str, Fact] = {"by_call": True, "caller": request.who.name}
    after = await request.step(appeal, verb, Details(text=said, facts=facts))
    shown = await _facts(request, after)
    if verb is None:
        return Reply("oversight.no_answer", {**shown, "calls": after.calls}, appeal=after)
    return Reply("oversight.answered", {**shown, "verdict": Said(f"verb.{verb}")}, appeal=after)


def _outcome(request: Request, appeal: Appeal) -> tuple[Verb | None, str]:
    """What the firm said, by one of a few words, and its reason; None where nobody answered."""
    line = request.argument or request.need_text("ask.follow_up", _named(appeal))
    found = _NAME_FIRST.match(line)
    word, said = (found[1], found[2].strip()) if found else (line, "")
    if request.answered.get("rejected"):
        return Verb.DISSATISFIED, line
    if word not in _WORDS:
        raise Refused("refused.follow_up_unknown", {"word": word[:20]})
    if _WORDS[word] is Verb.DISSATISFIED and not said:
        raise Ask("ask.follow_up_reason", _named(appeal), keep={"rejected": True})
    return _WORDS[word], said


async def close_disputed(request: Request) -> Reply:
    """存疑办结: the inspector keeps a matter that was rejected twice as disputed."""
    appeal = await request.appeal()
    step_of(appeal, request.verb)
    text = request.need_text("ask.decide", _named(appeal))
    after = await request.step(appeal, details=Details(text=text))
    return Reply("oversight.decided", await _facts(request, after), appeal=after)


COMMANDS: Mapping[Verb, Handler] = {
    Verb.CLOSE_DISPUTED: close_disputed,
    Verb.DISPATCH: dispatch,
    Verb.RULE: dispatch,
    Verb.TRANSFER: transfer,
    Verb.RECATEGORISE: recategorise,
    Verb.FOLLOW_UP: follow_up,
}
