"""Who works along: 协办 with a date of its own, what its unit reports, what is waived, what lies beyond the park."""

from collections.abc import Mapping

from domain.access import TWINS
from domain.appeal import Appeal, Details
from domain.errors import Refused
from domain.lifecycle import step_of, take
from domain.parts import Part, PartKind
from domain.people import Department
from domain.said import Fact
from domain.verbs import Verb
from domain.when import read_when
from domain.words import MOST_TEXT
from domain.workdays import Span, Unit
from handlers import oversight, wishes
from handlers.dates import closing
from handlers.router import Ask, Handler, Reply, Request
from storage import listeners, people

BEYOND_ANSWER = Span(10, Unit.WORKING_DAYS)
"""When those above are asked again, where no other day was named."""
_ANSWERED = frozenset({"答复", "批复", "已答复", "answered"})
_ASKED: Mapping[Verb, str] = {
    Verb.PART_PROGRESS: "ask.part_progress",
    Verb.PART_DONE: "ask.part_done",
    Verb.PART_RETURN: "ask.part_return",
}
_ASKED_OF_ONE: Mapping[str, str] = {"ask.proxy": "ask.proxy_of"}
"""Questions under a button, which knows its unit."""
_TOLD: Mapping[Verb, str] = {
    Verb.PART_ACKNOWLEDGE: "shares.part_acknowledge",
    Verb.PART_PROGRESS: "shares.part_progress",
    Verb.PART_DONE: "shares.part_done",
    Verb.PART_RETURN: "shares.part_return",
    Verb.WAIVE: "shares.waive",
}
_DONE = frozenset({"办结", "完成", "已办结", "done"})


async def assist(request: Request) -> Reply:
    """协办 <department> [until] <what>: the handler asks, the coordinator decides; its date is before the lead's."""
    appeal = await request.appeal()
    step_of(appeal, request.verb)
    unit, said = await _unit_and_words(request, appeal, "ask.assist")
    when = read_when(said, request.rules.calendar.local(request.at).date())
    title = (when.rest if when else said).strip()
    if not title:
        raise Ask("ask.assist_what", {**_named(appeal), "unit": unit.name}, keep={"unit": unit.name})
    if len(title) > MOST_TEXT:
        raise Refused("refused.too_long", {"most": MOST_TEXT, "length": len(title)})
    duty = await oversight.on_duty(request, unit, needed=not unit.external)
    details = Details(
        text=title,
        title=title,
        unit=unit.name,
        department_id=unit.id,
        handler_id=duty.id if duty else None,
        until=closing(request.rules.calendar, when, request.at) if when else None,
    )
    probe = take(appeal, request.verb, by=request.who.id, at=request.at, rules=request.rules, details=details)
    part = probe.after.parts[-1]
    return await wishes.do_or_ask(request, appeal, details, "shares.given", unit=unit.name, part_due=part.due)


def _named(appeal: Appeal) -> Mapping[str, Fact]:
    return {"number": appeal.number, "title": appeal.title}


async def _unit_and_words(request: Request, appeal: Appeal, ask: str) -> tuple[Department, str]:
    kept = str(request.answered.get("unit", ""))
    line = f"{kept} {request.text}".strip() if kept else request.need_text(ask, _named(appeal))
    name, said = oversight.name_first(line)
    unit = await oversight.unit_called(request, name)
    if unit is None:
        raise Refused("refused.unit_unknown", {"name": name[:20]})
    return unit, said


# What a unit reports --------------------------------------------------------------------------------------------------
async def mine(request: Request, appeal: Appeal) -> Part | None:
    """The part that somebody works on who may not speak for the whole: the one of the button, else the first due."""
    firm = await people.enterprise(request.tx, appeal.enterprise_id)
    acts_for = request.who.acts_for(firm)
    own = [part for part in appeal.open_parts if part.handler_id in acts_for]
    pressed = [part for part in own if str(part.n) == request.argument]
    return min(pressed or own, key=lambda part: part.due, default=None)


async def report(request: Request, appeal: Appeal) -> Reply:
    """接单 / 进展 / 办结 / 退单 by who works on a part: its own state, told to the lead."""
    verb, part = TWINS[request.verb], await mine(request, appeal)
    if part is None:
        raise Refused("refused.no_such_part", {"number": appeal.number})
    here: Mapping[str, Fact] = {**_named(appeal), "part": part.title}
    text = request.need_text(_ASKED[verb], here) if verb in _ASKED else request.text
    return await _reported(request, appeal, part, verb, text)


async def _reported(
    request: Request, appeal: Appeal, part: Part, verb: Verb, text: str, **facts: Fact
) -> Reply:
    details = Details(text=text, part=part.n, attachments=request.files, facts={"part": part.n, **facts})
    after = await request.step(appeal, verb, details)
    shown = {**await _facts(request, after), **listeners.part_facts(after, part.n)}
    return Reply(_TOLD[verb], shown, appeal=after)


async def speak_for(request: Request) -> Reply:
    """代复 <unit> [办结] <what it said>: an outside unit answered by phone or paper; its words stand under its name."""
    appeal = await request.appeal()
    step_of(appeal, Verb.PART_PROGRESS)
    part, said = _open_part(request, appeal, "ask.proxy")
    word, _, rest = said.strip().partition(" ")
    done = word in _DONE
    text = rest.strip() if done else said.strip()
    if not text:
        raise Refused("refused.proxy_without_words", {"number": appeal.number, "unit": part.unit})
    verb = Verb.PART_DONE if done else Verb.PART_PROGRESS
    return await _reported(request, appeal, part, verb, text, on_behalf=part.unit)


async def waive(request: Request) -> Reply:
    """免办 <unit> <reason>: the lead may finish without that part."""
    appeal = await request.appeal()
    step_of(appeal, request.verb)
    part, reason = _open_part(request, appeal, "ask.waive")
    if not reason.strip():
        raise Refused("refused.waive_without_reason", {"number": appeal.number, "unit": part.unit})
    return await _reported(request, appeal, part, Verb.WAIVE, reason.strip())


def _open_part(request: Request, appeal: Appeal, ask: str) -> tuple[Part, str]:
    """The open part whose unit the line begins with, or the only one; and what follows."""
    waiting = [part for part in appeal.open_parts if part.kind is not PartKind.MILESTONE]
    if not waiting:
        raise Refused("refused.no_such_part", {"number": appeal.number})
    units = "、".join(part.unit for part in waiting)
    meant = request.argument or str(request.answered.get("part", ""))  # of the button, and what was asked because of it
    pressed = [part for part in waiting if str(part.n) == meant]
    if pressed and not request.text.strip():
        unit = pressed[0].unit
        raise Ask(_ASKED_OF_ONE.get(ask, ask), {**_named(appeal), "unit": unit, "units": unit}, keep={"part": meant})
    if pressed:
        return pressed[0], request.text.strip()
    line = request.need_text(ask, {**_named(appeal), "units": units})
    name, rest = oversight.name_first(line)
    named = [part for part in waiting if name in part.unit]
    if len(named) == 1:
        return named[0], rest
    if len(waiting) == 1 and not named:
        return waiting[0], line
    raise Refused("refused.part_unclear", {"number": appeal.number, "units": units})


# Beyond the park ------------------------------------------------------------------------------------------------------
async def beyond(request: Request) -> Reply:
    """超权限 <whom> <when asked> <what>: who above was asked, and when; 超权限 答复 <what>: what they answered."""
    appeal = await request.appeal()
    step_of(appeal, request.verb)
    line = request.need_text("ask.beyond", _named(appeal))
    whom, said = oversight.name_first(line)
    if whom in _ANSWERED:
        return await _answered(request, appeal, said)
    calendar = request.rules.calendar
    when = read_when(said, calendar.local(request.at).date())
    if when is None or when.day is None or when.day > calendar.local(request.at).date() or not when.rest.strip():
        raise Refused("refused.beyond_unclear", {"number": appeal.number})
    until = calendar.add(request.at, BEYOND_ANSWER)
    title = when.rest.strip()
    details = Details(text=title, title=title, unit=whom[:40], until=until, facts={"asked_on": when.day})
    after = await request.step(appeal, details=details)
    facts = {**await _facts(request, after), **listeners.part_facts(after, len(after.parts)), "asked_on": when.day}
    return Reply("shares.beyond", facts, appeal=after)


async def _answered(request: Request, appeal: Appeal, said: str) -> Reply:
    asked = [part for part in appeal.open_parts if part.kind is PartKind.BEYOND]
    if not asked:
        raise Refused("refused.no_such_part", {"number": appeal.number})
    if not said.strip():
        raise Refused("refused.beyond_unclear", {"number": appeal.number})
    return await _reported(request, appeal, asked[0], Verb.PART_DONE, said.strip())


async def _facts(request: Request, appeal: Appeal) -> dict[str, Fact]:
    return await listeners.appeal_facts(request.tx, appeal, request.rules)


COMMANDS: Mapping[Verb, Handler] = {
    Verb.ASSIST: assist,
    Verb.WAIVE: waive,
    Verb.PROXY: speak_for,
    Verb.BEYOND: beyond,
}
