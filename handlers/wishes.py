"""What a handler asks for and the coordinator decides; a coordinator who asks does it at once."""

from collections.abc import Mapping
from typing import Any

from domain.access import Relation
from domain.appeal import Appeal, Details
from domain.errors import Refused
from domain.lifecycle import take
from domain.rules import Difficulty
from domain.said import Fact, Said
from domain.spans import Span, Unit
from domain.verbs import Verb
from handlers.router import Handler, Reply, Request
from storage import listeners, people, requests
from storage.values import from_ms_or_none, to_ms_or_none

_TAKEN_AS = {Verb.TRANSFER: Verb.DISPATCH}
"""The step by which a wish is granted, where it has another name."""


async def decides(request: Request, appeal: Appeal) -> bool:
    """Whether this person needs to ask nobody."""
    return Relation.COORDINATOR in await request.relations(appeal)


async def do_or_ask(request: Request, appeal: Appeal, details: Details, done: str, **shown: Fact) -> Reply:
    """Take the step named by the request's verb at once, or ask the coordinator for it; `done` is what is replied."""
    if await decides(request, appeal):
        await _drop_same_wish(request, appeal)
        after = await request.step(appeal, details=details)
        return Reply(done, {**await _facts(request, after), **shown}, appeal=after)
    take(appeal, request.verb, by=request.who.id, at=request.at, rules=request.rules, details=details)
    return await ask(request, appeal, details, **shown)


async def _drop_same_wish(request: Request, appeal: Appeal) -> None:
    """Who decides and does it himself has granted what was asked."""
    wish = await requests.open_one(request.tx, appeal.id or 0)
    if wish is not None and wish.verb is request.verb:
        await requests.decide(request.tx, wish, request.who.id, request.at, granted=True)


async def ask(request: Request, appeal: Appeal, details: Details, **shown: Fact) -> Reply:
    """Keep the wish, tell the coordinators, and tell who asked that nothing has changed until they decide."""
    other = await requests.open_one(request.tx, appeal.id or 0)
    if other is not None and other.verb is not request.verb:
        here: Mapping[str, Fact] = {
            "number": appeal.number,
            "title": appeal.title,
            "wish": Said(f"verb.{other.verb}"),
        }
        raise Refused("refused.wish_open", here)
    asked: Mapping[str, Fact] = {"wish": request.verb.value, **shown}
    after = await request.step(appeal, Verb.REQUEST, Details(text=details.text, facts=asked))
    wanted = {**_packed(details), "version": after.version}
    await requests.ask(request.tx, after.id or 0, request.verb, request.who.id, request.at, wanted)
    facts = {**await _facts(request, after), **shown, "wish": Said(f"verb.{request.verb}")}
    return Reply("oversight.asked", facts, appeal=after)


def _packed(details: Details) -> dict[str, Any]:
    return {
        "reason": details.text,
        "handler_id": details.handler_id,
        "department_id": details.department_id,
        "until": to_ms_or_none(details.until),
        "days": details.span.amount if details.span else None,
        "unit": details.unit,
        "title": details.title,
        "difficulty": details.difficulty.value if details.difficulty else None,
    }


def unpacked(wish: requests.Wish) -> Details:
    """What was asked for, as the step that grants it needs it."""
    wanted = wish.facts
    return Details(
        text=wanted.get("reason", ""),
        handler_id=wanted.get("handler_id"),
        department_id=wanted.get("department_id"),
        until=from_ms_or_none(wanted.get("until")),
        span=Span(wanted["days"], Unit.WORKING_DAYS) if wanted.get("days") else None,
        asked_at=wish.asked_at,
        unit=wanted.get("unit", ""),
        title=wanted.get("title", ""),
        difficulty=Difficulty(wanted["difficulty"]) if wanted.get("difficulty") else None,
        facts={"granted": wish.id},
    )


async def approve(request: Request) -> Reply:
    """批准: what the handler asked for is done; a long-term plan still needs the firm's consent."""
    appeal, wish = await _decided(request)
    await _look_for_taker(request, wish)
    await requests.decide(request.tx, wish, request.who.id, request.at, granted=True)
    if wish.verb is Verb.LONG_TERM:
        return await ask_consent(request, appeal, unpacked(wish))
    after = await request.step(appeal, _TAKEN_AS.get(wish.verb, wish.verb), unpacked(wish))
    if wish.verb is Verb.TRANSFER:
        return Reply("oversight.dispatched", await _facts(request, after), appeal=after)
    facts = {**await _facts(request, after), "wish": Said(f"verb.{wish.verb}")}
    return Reply("oversight.granted", facts, appeal=after)


async def _look_for_taker(request: Request, wish: requests.Wish) -> None:
    """Nothing passes to somebody who has left since he was proposed."""
    taker = wish.facts.get("handler_id")
    person = await people.person(request.tx, taker, request.at) if taker else None
    if taker and (person is None or not person.in_office):
        raise Refused("refused.choice_gone")


async def ask_consent(request: Request, appeal: Appeal, details: Details) -> Reply:
    """Put a long-term plan before the firm; nothing changes until it agrees."""
    plan: Mapping[str, Fact] = {"milestone": details.title, "until": details.until}
    granted = Details(text=details.text, facts=plan)
    after = await request.step(appeal, Verb.APPROVE, granted)
    await requests.ask(request.tx, after.id or 0, Verb.AGREE, request.who.id, request.at, _packed(details))
    return Reply("dates.consent_asked", {**await _facts(request, after), **plan}, appeal=after)


async def deny(request: Request) -> Reply:
    """不同意: with a reason; the matter stays where it is."""
    appeal, wish = await _decided(request)
    text = request.need_text("ask.deny", {"number": appeal.number, "title": appeal.title})
    await requests.decide(request.tx, wish, request.who.id, request.at, granted=False)
    facts: Mapping[str, Fact] = {"wish": Said(f"verb.{wish.verb}")}
    after = await request.step(appeal, details=Details(text=text, facts=facts))
    return Reply("oversight.denied", {**await _facts(request, after), **facts}, appeal=after)


async def _decided(request: Request) -> tuple[Appeal, requests.Wish]:
    async def waits_for_a_decision(appeal: Appeal) -> bool:
        return await requests.open_one(request.tx, appeal.id or 0) is not None

    appeal = await request.appeal(waits_for_a_decision)
    wish = await requests.open_one(request.tx, appeal.id or 0)
    if wish is None:
        raise Refused("refused.nothing_asked", {"number": appeal.number})
    seen = request.button.version if request.button else None
    if seen is not None and seen < wish.facts.get("version", 0):
        status = Said(f"status.{appeal.status}")
        raise Refused("refused.outdated", {"number": appeal.number, "title": appeal.title, "status": status})
    return appeal, wish


async def _facts(request: Request, appeal: Appeal) -> dict[str, Fact]:
    return await listeners.appeal_facts(request.tx, appeal, request.rules)


COMMANDS: Mapping[Verb, Handler] = {Verb.APPROVE: approve, Verb.DENY: deny}
