"""停工: the coordinator closes the park for whole days, or opens it again, and sees first what moves by it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from domain.closures import Closing, Closure, listed, read_closing, stretches
from domain.errors import Refused
from domain.people import Purpose
from domain.recounts import Shift
from domain.rules import Rules
from domain.said import Button, Fact, Said
from domain.verbs import Verb
from handlers import recounts
from handlers.router import Ask, Handler, Reply, Request
from storage import calendars

MOST_CLOSURES = 20
_CONFIRM = ((Button(Verb.CONFIRM), Button(Verb.CANCEL)),)


async def close(request: Request) -> Reply:
    """停工: days and a reason close them, `取消` opens them again; alone it lists the coming ones."""
    if not (request.text.strip() or request.answered):
        return await _list(request)
    closing = _kept(request) or read_closing(request.text, _today(request))
    await _must_matter(request, closing)
    why = _why(closing)
    if not request.answered.get("confirmed"):
        moved = await recounts.foreseen(request.tx, await _rules_then(request, closing), request.at)
        facts = await _facts(request, request.rules, why, moved)
        raise Ask("closure.ask", facts, _CONFIRM, keep=_as_kept(closing), private=_private(request))
    await _store(request, closing)
    rules = await calendars.in_force(request.tx, request.rules)
    moved = await recounts.recount(request.tx, rules, why, request.at)
    await recounts.tell_office(request.tx, rules, why, moved, request.at, but=request.who.id)
    return Reply("closure.done", await _facts(request, rules, why, moved), private=_private(request))


def _today(request: Request) -> date:
    return request.rules.calendar.local(request.at).date()


def _private(request: Request) -> bool:
    """Firms' names and titles stand in the answer; only the coordinators' own group may read them."""
    return request.chat.purpose is not Purpose.COORDINATION


def _kept(request: Request) -> Closing | None:
    """What was asked about; `明天` is not read again after midnight."""
    days = request.answered.get("days")
    if not days:
        return None
    reason, reopens = str(request.answered.get("reason", "")), bool(request.answered.get("reopens"))
    return Closing(tuple(map(date.fromisoformat, days)), reason, reopens)


def _as_kept(closing: Closing) -> Mapping[str, object]:
    days = [day.isoformat() for day in closing.days]
    return {"days": days, "reason": closing.reason, "reopens": closing.reopens}


async def _must_matter(request: Request, closing: Closing) -> None:
    """Refuse what would change nothing: days off are off anyway, and only a closure can be taken back."""
    known = {closure.day for closure in await calendars.closures(request.tx, min(closing.days))}
    days = listed(stretches(closing.days))
    if closing.reopens and known.isdisjoint(closing.days):
        raise Refused("closure.none_there", {"days": days})
    if not closing.reopens and not any(map(request.rules.calendar.is_working_day, closing.days)):
        raise Refused("closure.off_anyway", {"days": days})


async def _rules_then(request: Request, closing: Closing) -> Rules:
    """The rules as they would be."""
    calendar = request.rules.calendar
    days = calendar.closures - set(closing.days) if closing.reopens else calendar.closures | set(closing.days)
    return replace(request.rules, calendar=calendar.amended((), days))


async def _store(request: Request, closing: Closing) -> None:
    if closing.reopens:
        known = {closure.day for closure in await calendars.closures(request.tx, min(closing.days))}
        days = [day for day in closing.days if day in known]
        await calendars.reopen(request.tx, days, request.who.id, request.at)
        return
    closures = [Closure(day, closing.reason) for day in closing.days]
    await calendars.close(request.tx, closures, request.who.id, request.at)


def _why(closing: Closing) -> Said:
    """The reason as everybody concerned reads it."""
    days = listed(stretches(closing.days))
    if closing.reopens:
        return Said("recount.reopened", {"days": days})
    reason = Said("recount.reason", {"reason": closing.reason}) if closing.reason else None
    return Said("recount.closed", {"days": days, "reason": reason})


async def _facts(request: Request, rules: Rules, why: Said, moved: Sequence[Shift]) -> Mapping[str, Fact]:
    return {"why": why, "count": len(moved), "lines": await recounts.lines(request.tx, rules, moved)}


async def _list(request: Request) -> Reply:
    """The closures from today on."""
    coming = await calendars.closures(request.tx, _today(request))
    if not coming:
        return Reply("closure.nothing")
    shown = [Said("closure.line", {"day": each.day, "reason": each.reason}) for each in coming[:MOST_CLOSURES]]
    return Reply("closure.list", {"lines": shown})


COMMANDS: Mapping[Verb, Handler] = {Verb.CLOSURE: close}
