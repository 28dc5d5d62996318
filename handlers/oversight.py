"""The coordinator steers: who gets a matter, what a handler's request comes to, what a call to the firm brought."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.appeal import Appeal, Details, Status
from domain.errors import Refused
from domain.lifecycle import open_to, step_of
from domain.people import Person
from domain.said import Button, Fact, Said
from domain.verbs import Verb
from handlers.router import Ask, Buttons, Handler, Reply, Request
from storage import listeners, people, requests

CHOICES = 6


@dataclass(frozen=True, slots=True)
class Whom:
    """Who is to get a matter, and why."""

    person: Person
    department_id: int | None
    reason: str


async def _facts(request: Request, appeal: Appeal) -> dict[str, Fact]:
    return await listeners.appeal_facts(request.tx, appeal, request.rules)


async def dispatch(request: Request) -> Reply:
    """派单 / 指定: give a matter to a person or to a department's duty officer; the work's date stands."""
    appeal = await request.appeal()
    whom = await _whom(request, appeal)
    after = await request.step(appeal, details=_details(whom))
    return Reply("oversight.dispatched", await _facts(request, after), appeal=after)


def _details(whom: Whom) -> Details:
    return Details(text=whom.reason, handler_id=whom.person.id, department_id=whom.department_id)


async def _whom(request: Request, appeal: Appeal) -> Whom:
    """Read `<person or department> <reason>`, or the pressed choice; if nobody was named, offer some."""
    if request.argument:
        return await _chosen(request)
    name, _, reason = request.text.strip().replace("，", " ").replace(",", " ").partition(" ")
    if not name:
        raise Ask("ask.whom", {"number": appeal.number, "title": appeal.title}, await _offer(request, appeal))
    department = await people.department_called(request.tx, name)
    if department is not None:
        duty = await people.person(request.tx, department.duty_id, request.at) if department.duty_id else None
        if duty is None:
            raise Refused("refused.no_duty", {"department": department.name})
        return Whom(duty, department.id, reason.strip())
    return Whom(await _one_named(request, name), None, reason.strip())


async def _chosen(request: Request) -> Whom:
    kind, _, value = request.argument.partition("-")
    if not value.isdigit():
        raise Refused("refused.person_unknown", {"name": request.argument})
    if kind == "unit":
        department = await people.department(request.tx, int(value))
        duty = (
            await people.person(request.tx, department.duty_id, request.at)
            if department and department.duty_id
            else None
        )
        if department is None or duty is None:
            raise Refused("refused.no_duty", {"department": department.name if department else ""})
        return Whom(duty, department.id, request.text)
    person = await people.person(request.tx, int(value), request.at)
    if person is None or not person.in_office:
        raise Refused("refused.person_unknown", {"name": ""})
    return Whom(person, None, request.text)


async def _one_named(request: Request, name: str) -> Person:
    found = [person for person in await people.people_named(request.tx, name, request.at) if person.in_office]
    if not found:
        raise Refused("refused.person_unknown", {"name": name[:20]})
    if len(found) > 1:
        raise Refused("refused.person_unclear", {"name": name})
    return found[0]


async def _offer(request: Request, appeal: Appeal) -> Buttons:
    """The firm's liaison first, then the departments in roster order."""
    choices: list[tuple[Button, ...]] = []
    liaison = await people.person(request.tx, appeal.liaison_id, request.at) if appeal.liaison_id else None
    if liaison is not None:
        choices.append((_choice(request, appeal, f"person-{liaison.id}", liaison.name),))
    choices += [
        (_choice(request, appeal, f"unit-{department.id}", department.name),)
        for department in (await people.departments(request.tx))[:CHOICES]
        if department.duty_id is not None
    ]
    return tuple(choices)


def _choice(request: Request, appeal: Appeal, argument: str, label: str) -> Button:
    return Button(request.verb, appeal.number, appeal.version, argument, label)


async def transfer(request: Request) -> Reply:
    """转办: the handler asks that somebody else take it; the coordinator decides, until then it stays with him."""
    appeal = await request.appeal()
    if not request.text.strip():
        raise Ask("ask.transfer", {"number": appeal.number, "title": appeal.title})
    whom = await _whom(request, appeal)
    if not whom.reason:
        raise Ask(
            "ask.transfer_reason",
            {"number": appeal.number, "whom": whom.person.name},
            keep={"whom": request.text},
        )
    asked: Mapping[str, Fact] = {"whom": whom.person.name, "whom_id": whom.person.id}
    after = await request.step(appeal, details=Details(text=whom.reason, facts=asked))
    assert after.id is not None  # recorded
    facts = {"handler_id": whom.person.id, "department_id": whom.department_id, "reason": whom.reason}
    await requests.ask(request.tx, after.id, Verb.TRANSFER, request.who.id, request.at, facts)
    return Reply("oversight.transfer_asked", {**await _facts(request, after), "whom": whom.person.name}, appeal=after)


async def approve(request: Request) -> Reply:
    """批准: what the handler asked for is done."""
    appeal, wish = await _decided(request)
    await requests.decide(request.tx, wish, request.who.id, request.at, granted=True)
    details = Details(
        text=wish.facts.get("reason", ""),
        handler_id=wish.facts.get("handler_id"),
        department_id=wish.facts.get("department_id"),
        facts={"granted": wish.id},
    )
    after = await request.step(appeal, Verb.DISPATCH, details)
    return Reply("oversight.dispatched", await _facts(request, after), appeal=after)


async def deny(request: Request) -> Reply:
    """不同意: with a reason; the matter stays where it is."""
    appeal, wish = await _decided(request)
    text = request.need_text("ask.deny", {"number": appeal.number, "title": appeal.title})
    await requests.decide(request.tx, wish, request.who.id, request.at, granted=False)
    after = await request.step(appeal, details=Details(text=text))
    return Reply("oversight.denied", await _facts(request, after), appeal=after)


async def _decided(request: Request) -> tuple[Appeal, requests.Wish]:
    appeal = await request.appeal()
    wish = await requests.open_one(request.tx, appeal.id or 0)
    if wish is None:
        raise Refused("refused.nothing_asked", {"number": appeal.number})
    return appeal, wish


async def recategorise(request: Request) -> Reply:
    """改类: another category, with its own term counted from intake."""
    appeal = await request.appeal()
    wanted = request.argument or request.text.strip()
    matches = [c for c in request.rules.categories.values() if wanted and (wanted == c.code or wanted in c.name)]
    if not wanted:
        raise Ask("ask.category", {"number": appeal.number}, _categories(request, appeal))
    if len(matches) != 1:
        raise Refused("refused.category_unknown", {"name": wanted[:20]})
    details = Details(category=matches[0].code)
    after = await request.step(appeal, details=details)
    return Reply("oversight.recategorised", await _facts(request, after), appeal=after)


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
    word, _, said = (request.argument or request.need_text("ask.follow_up", {"number": appeal.number})).partition(" ")
    if word not in _WORDS:
        raise Refused("refused.follow_up_unknown", {"word": word[:20]})
    verb = _WORDS[word]
    facts: Mapping[str, Fact] = {"by_call": True, "caller": request.who.name}
    if verb is None:
        after = await request.step(appeal, details=Details(text=said, facts=facts))
        return Reply("oversight.no_answer", {**await _facts(request, after), "calls": after.calls}, appeal=after)
    if appeal.status not in open_to(Verb.FOLLOW_UP) | {Status.UNRATED}:
        here = Said(f"status.{appeal.status}")
        raise Refused("refused.follow_up_not_asked", {"number": appeal.number, "status": here})
    after = await request.step(appeal, verb, Details(text=said, facts=facts))
    return Reply("oversight.answered", {**await _facts(request, after), "verdict": Said(f"verb.{verb}")}, appeal=after)


async def decide(request: Request) -> Reply:
    """批示 / 存疑办结: the inspector rules on a matter that was rejected twice; it goes on, or is kept as disputed."""
    appeal = await request.appeal()
    step_of(appeal, request.verb)
    text = request.need_text("ask.decide", {"number": appeal.number, "title": appeal.title})
    after = await request.step(appeal, details=Details(text=text))
    return Reply("oversight.decided", await _facts(request, after), appeal=after)


COMMANDS: Mapping[Verb, Handler] = {
    Verb.INSTRUCT: decide,
    Verb.CLOSE_DISPUTED: decide,
    Verb.DISPATCH: dispatch,
    Verb.RULE: dispatch,
    Verb.TRANSFER: transfer,
    Verb.APPROVE: approve,
    Verb.DENY: deny,
    Verb.RECATEGORISE: recategorise,
    Verb.FOLLOW_UP: follow_up,
}
