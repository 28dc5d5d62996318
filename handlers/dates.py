"""Dates that move: 延期, 挂起 / 恢复, 长期 with its milestones, dates set by others; always with a reason and told."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import NoReturn

from domain.appeal import Appeal, Details, Status
from domain.errors import Refused
from domain.guards import latest_extension
from domain.lifecycle import step_of
from domain.parts import Part, PartKind
from domain.said import Fact, Said
from domain.verbs import Verb
from domain.when import When, read_when
from domain.words import MOST_TEXT
from domain.workdays import Calendar, Span, Unit
from handlers import wishes
from handlers.router import Ask, Handler, Reply, Request
from storage import listeners, requests

_DONE = ("完成", "已完成", "done")


def closing(calendar: Calendar, when: When, at: datetime) -> datetime:
    """The end of working hours of the day that was named, or of the last of so many working days."""
    if when.days is not None:
        return calendar.add(at, Span(when.days, Unit.WORKING_DAYS))
    assert when.day is not None  # one of the two is set
    midnight = datetime.combine(when.day, time(), calendar.zone)
    return calendar.add(midnight, Span(0, Unit.WORKING_DAYS))


async def spoken(request: Request, appeal: Appeal, ask: str, reason: str) -> tuple[When, str]:
    """When, and why or what: read from one line, or asked for one after the other."""
    provisional = request.rules.provisional(appeal.due)
    here: Mapping[str, Fact] = {
        "number": appeal.number,
        "title": appeal.title,
        "due": appeal.due,
        "provisional": provisional,
    }
    kept = str(request.answered.get("when", ""))
    line = f"{kept} {request.text}".strip() if kept else request.need_text(ask, await _limits(request, appeal, here))
    today = request.rules.calendar.local(request.at).date()
    when = read_when(line, today)
    if when is None:
        raise Refused("refused.when_unclear", {"words": line[:20]})
    rest = when.rest.strip()
    if not rest:
        raise Ask(reason, here, keep={"when": line})
    if len(rest) > MOST_TEXT:
        raise Refused("refused.too_long", {"most": MOST_TEXT, "length": len(rest)})
    return when, rest


async def _limits(request: Request, appeal: Appeal, here: Mapping[str, Fact]) -> Mapping[str, Fact]:
    """What an extension may come to at most, for the question."""
    return {**here, "latest": latest_extension(appeal, request.rules)}


async def extend(request: Request) -> Reply:
    """延期 <days or date> <reason>: the handler asks, the coordinator decides, the firm is told why."""
    appeal = await request.appeal()
    step_of(appeal, request.verb)
    when, reason = await spoken(request, appeal, "ask.extend", "ask.extend_reason")
    calendar = request.rules.calendar
    span = when.span(calendar, calendar.local(appeal.due).date())
    wanted = appeal.dates.work.moved(span).deadline(calendar) if span.amount > 0 else appeal.due
    details = Details(text=reason, span=span)
    return await wishes.do_or_ask(request, appeal, details, "dates.extended", days=span.amount, wanted=wanted)


async def suspend(request: Request) -> Reply:
    """挂起 <until> <reason>: nobody is chased until then, and the time is added; it ends by itself."""
    appeal = await request.appeal()
    step_of(appeal, request.verb)
    when, reason = await spoken(request, appeal, "ask.suspend", "ask.suspend_reason")
    until = closing(request.rules.calendar, when, request.at)
    details = Details(text=reason, until=until)
    return await wishes.do_or_ask(request, appeal, details, "dates.suspended", until=until)


async def resume(request: Request) -> Reply:
    """恢复: what the work waited for has come, or a long-term plan is over."""
    appeal = await request.appeal()
    step_of(appeal, request.verb)
    here: Mapping[str, Fact] = {"number": appeal.number, "title": appeal.title}
    text = request.text if await wishes.decides(request, appeal) else request.need_text("ask.resume", here)
    return await wishes.do_or_ask(request, appeal, Details(text=text), "dates.resumed")


async def plan(request: Request) -> Reply:
    """长期 <first milestone's date> <what it is>: what no deadline can hold, with the firm's consent."""
    appeal = await request.appeal()
    step_of(appeal, Verb.AGREE)
    when, title = await spoken(request, appeal, "ask.long_term", "ask.milestone_title")
    until = closing(request.rules.calendar, when, request.at)
    details = Details(text=title, until=until, title=title)
    if await wishes.decides(request, appeal):
        return await wishes.ask_consent(request, appeal, details)
    return await wishes.ask(request, appeal, details, until=until)


async def agree(request: Request) -> Reply:
    """认可 / 不认可: the firm says whether its matter may be handled as a long-term one."""
    appeal = await request.appeal()
    wish = await requests.consent(request.tx, appeal.id or 0)
    if wish is None:
        raise Refused("refused.nothing_to_agree", {"number": appeal.number})
    agreed = request.verb is Verb.AGREE
    await requests.decide(request.tx, wish, request.who.id, request.at, granted=agreed)
    details = wishes.unpacked(wish) if agreed else Details(text=request.text)
    after = await request.step(appeal, details=details)
    facts = {**await _facts(request, after), "milestone": details.title, "until": details.until}
    return Reply("dates.agreed" if agreed else "dates.disagreed", facts, private=True, appeal=after)


async def milestone(request: Request) -> Reply:
    """里程碑 <date> <what>, or 里程碑 完成 <what came of it>: the stages by which a long-term matter is chased."""
    appeal = await request.appeal()
    if appeal.status is not Status.LONG_TERM:
        _refuse_status(appeal, request.verb)
    word, _, said = request.text.strip().partition(" ")
    if word in _DONE or request.answered.get("done"):
        return await _reached(request, appeal, request.text if request.answered.get("done") else said)
    when, title = await spoken(request, appeal, "ask.milestone", "ask.milestone_title")
    until = closing(request.rules.calendar, when, request.at)
    after = await request.step(appeal, details=Details(text=title, title=title, until=until))
    return Reply("dates.milestone", {**await _facts(request, after), "milestone": title, "until": until}, appeal=after)


async def _reached(request: Request, appeal: Appeal, said: str) -> Reply:
    nearest = _nearest(appeal)
    if nearest is None:
        raise Refused("refused.no_such_part", {"number": appeal.number})
    if not said.strip():
        here: Mapping[str, Fact] = {"number": appeal.number, "title": appeal.title, "milestone": nearest.title}
        raise Ask("ask.milestone_done", here, keep={"done": True})
    details = Details(text=said.strip(), part=nearest.n, attachments=request.files, facts={"part": nearest.n})
    after = await request.step(appeal, Verb.MILESTONE_DONE, details)
    facts: dict[str, Fact] = {**await _facts(request, after), "milestone": nearest.title}
    following = _nearest(after)
    more: Mapping[str, Fact] = {"milestone": following.title, "until": following.due} if following else {}
    facts["next"] = Said("dates.next_milestone" if following else "dates.last_milestone", more)
    return Reply("dates.milestone_done", facts, appeal=after)


def _nearest(appeal: Appeal) -> Part | None:
    """The open milestone with the earliest date."""
    stages = [part for part in appeal.open_parts if part.kind is PartKind.MILESTONE]
    return min(stages, key=lambda part: part.due, default=None)


def _refuse_status(appeal: Appeal, verb: Verb) -> NoReturn:
    here: dict[str, Fact] = {"number": appeal.number, "title": appeal.title}
    raise Refused("refused.status", {**here, "status": Said(f"status.{appeal.status}"), "verb": Said(f"verb.{verb}")})


async def set_hard_date(request: Request) -> Reply:
    """外部时限 <date> <whose>: a date set by others beside ours; the earlier one rules."""
    appeal = await request.appeal()
    step_of(appeal, request.verb)
    when, whose = await spoken(request, appeal, "ask.hard_date", "ask.hard_date_whose")
    hard = closing(request.rules.calendar, when, request.at)
    after = await request.step(appeal, details=Details(text=whose, until=hard))
    return Reply("dates.hard", {**await _facts(request, after), "hard": hard}, appeal=after)


async def _facts(request: Request, appeal: Appeal) -> dict[str, Fact]:
    return await listeners.appeal_facts(request.tx, appeal, request.rules)


COMMANDS: Mapping[Verb, Handler] = {
    Verb.EXTEND: extend,
    Verb.SUSPEND: suspend,
    Verb.RESUME: resume,
    Verb.LONG_TERM: plan,
    Verb.AGREE: agree,
    Verb.DISAGREE: agree,
    Verb.MILESTONE: milestone,
    Verb.HARD_DATE: set_hard_date,
}
