"""An owner raises a matter: it gets its number, its date and its lead at once, and he hears so at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from domain import lifecycle, routing
from domain.appeal import Appeal, Change, Details, Source, Status
from domain.chat import Attachment
from domain.errors import Refused
from domain.lifecycle import Draft
from domain.notices import TRIAGE_BUTTONS, Notice
from domain.people import Chat, Enterprise, Person
from domain.rules import UNSURE, Kind, Listener, Rules
from domain.said import Button, Fact, Said
from domain.verbs import Verb
from domain.words import MOST_TEXT, title_of
from handlers.router import Ask, Handler, Reply, Request, for_appeal
from storage import absences, appeals, listeners, people, rota
from storage.database import Tx

KINDS = {
    Verb.APPEAL: Kind.APPEAL,
    Verb.INQUIRE: Kind.INQUIRY,
    Verb.COMPLAIN: Kind.COMPLAINT,
    Verb.SUGGEST: Kind.SUGGESTION,
    Verb.FILE: Kind.APPEAL,
}
_ASK = {
    Verb.APPEAL: "ask.appeal",
    Verb.INQUIRE: "ask.inquiry",
    Verb.COMPLAIN: "ask.complaint",
    Verb.SUGGEST: "ask.suggestion",
    Verb.FILE: "ask.appeal",
}
MOST_A_DAY = 20
_FIRM_FIRST = re.compile(r"([^\s:：,，、;；]+)[\s:：,，、;；]+(.+)", re.DOTALL)
OWN_BUTTONS = (Verb.SUPPLEMENT, Verb.WITHDRAW)


async def raise_matter(request: Request) -> Reply:
    """诉求, 咨询, 投诉, 建议: file it, or ask for the words that are missing."""
    text = fitting(request.need_text(_ASK[request.verb], {"files": attached(request)}))
    firm = await firm_for(request)
    await must_not_flood(request, firm)
    matter = Matter(KINDS[request.verb], text, firm.id, request.chat, request.who, request.attachments)
    appeal = await file_appeal(request.tx, request.rules, matter, request.at)
    return await filed_reply(request, appeal)


def attached(request: Request) -> Said | None:
    """That so many files have come along."""
    return Said("appeal.files", {"count": len(request.attachments)}) if request.attachments else None


async def offer_to_file(request: Request) -> Reply:
    """登记: file it. A plain sentence is no command yet: it is offered, and [登记] makes it a matter."""
    if not request.answered.get("talk") or request.button is not None:
        return await raise_matter(request)
    text = fitting(request.text)
    shown = text if request.chat.private else None
    facts = {"text": title_of(text) if shown else None, "files": attached(request)}
    choices = ((Button(Verb.FILE), Button(Verb.CANCEL)),)
    raise Ask("ask.file" if shown else "ask.file_here", facts, choices, keep={"talk": True}, offers=[Verb.FILE])


async def record_for_firm(request: Request) -> Reply:
    """代录: a firm phoned or was visited; its cadre files for it, and the firm is told and may correct."""
    if request.answered.get("talk"):
        facts = {"text": title_of(fitting(request.text))}
        buttons = ((Button(Verb.RECORD), Button(Verb.CANCEL)),)
        raise Ask("ask.record_offer", facts, buttons, keep={"talk": True}, offers=[Verb.RECORD])
    firm, text = await _reported(request)
    matter = Matter(
        Kind.APPEAL,
        fitting(text),
        firm.id,
        request.chat,
        attachments=request.attachments,
        recorded_by=request.who.id,
    )
    appeal = await file_appeal(request.tx, request.rules, matter, request.at)
    about = await listeners.appeal_facts(request.tx, appeal, request.rules)
    about |= {"dispatch_due": appeal.dispatch_due, "files": attached(request)}
    key = "appeal.recorded" if appeal.handler_id is not None else "appeal.recorded_waiting"
    seen = bool(await request.relations(appeal))
    return Reply(key, about, appeal=appeal if seen else None, private=not request.chat.private)


async def _reported(request: Request) -> tuple[Enterprise, str]:
    """The firm and what it said: `<firm> <matter>` in one line, or one after the other as they are asked for."""
    kept = request.answered
    if "firm" in kept:
        return await people.enterprise(request.tx, int(kept["firm"])), request.text
    line = request.need_text("ask.record")
    name, text = (line, str(kept["matter"])) if "matter" in kept else _parted(line)
    firms = await people.enterprises_called(request.tx, name)
    if len(firms) != 1 and kept.get("offered"):
        raise Ask("ask.record_firm", {"text": title_of(line)}, keep={"matter": line})
    if len(firms) != 1:
        raise Refused("refused.firm_unknown" if not firms else "refused.firm_unclear", {"name": name[:40]})
    if not text:
        raise Ask("ask.record_text", {"firm": firms[0].short_name}, keep={"firm": firms[0].id})
    return firms[0], text


def _parted(line: str) -> tuple[str, str]:
    """`宏达机械 车间停电，两小时了` in its first word and the rest, whatever stands between them."""
    found = _FIRM_FIRST.match(line)
    return (found[1], found[2].strip()) if found else (line, "")


def fitting(text: str) -> str:
    """The text, if it can be filed: neither too long nor without a word."""
    if len(text) > MOST_TEXT:
        raise Refused("refused.too_long", {"most": MOST_TEXT, "length": len(text)})
    if not any(char.isalnum() for char in text):
        raise Refused("refused.no_words")
    return text


async def firm_for(request: Request) -> Enterprise:
    """The firm for which a contact speaks: the only one, the group's one, or the one that he picks."""
    mine = sorted(request.who.enterprise_ids)
    if not mine:
        raise Refused("refused.no_firm")
    if request.answered.get("argument"):
        mine = [firm for firm in mine if str(firm) == request.answered["argument"]] or mine
    here = [firm for firm in mine if firm in request.chat.enterprise_ids]
    mine = here or mine
    if len(mine) == 1:
        return await people.enterprise(request.tx, mine[0])
    firms = [await people.enterprise(request.tx, firm) for firm in mine]
    buttons = tuple((Button(Verb.CONFIRM, argument=str(firm.id), label=firm.short_name),) for firm in firms)
    raise Ask("ask.which_firm", {}, buttons)


async def must_not_flood(request: Request, firm: Enterprise) -> None:
    """Twenty matters a day and firm are enough."""
    today = request.rules.calendar.day_start(request.at)
    if await appeals.filed_since(request.tx, firm.id, today) >= MOST_A_DAY:
        raise Refused("refused.too_many", {"most": MOST_A_DAY})


@dataclass(frozen=True, slots=True)
class Matter:
    """What was raised, for which firm and where; by its own `person`, or recorded for it by somebody of the office."""

    kind: Kind
    text: str
    enterprise_id: int
    chat: Chat
    person: Person | None = None
    attachments: tuple[Attachment, ...] = ()
    recorded_by: int | None = None


async def file_appeal(tx: Tx, rules: Rules, matter: Matter, at: datetime) -> Appeal:
    """Give a matter its number and, where the rules are sure, its lead; `at` is when it was said, its clock's start."""
    firm = await people.enterprise(tx, matter.enterprise_id)
    draft = Draft(
        number=await appeals.new_number(tx),
        kind=matter.kind,
        title=title_of(matter.text),
        text=matter.text,
        category=routing.guess(matter.text, matter.kind, rules.categories),
        enterprise_id=firm.id,
        contact_id=matter.person.id if matter.person else None,
        liaison_id=firm.liaison_id,
        source=_source(matter.chat, matter.recorded_by),
        origin_chat_id=matter.chat.id,
        recorded_by=matter.recorded_by,
        attachments=tuple((file.hash, file.name) for file in matter.attachments),
    )
    by = matter.person.id if matter.person else matter.recorded_by
    filed = lifecycle.submit(draft, by=by, at=at, rules=rules)
    return await _route(tx, rules, await appeals.record(tx, filed, rules), firm, filed)


def _source(chat: Chat, recorded_by: int | None) -> Source:
    if recorded_by is not None:
        return Source.RECORD
    if chat.channel == "web" and chat.private:
        return Source.WEB
    return Source.PRIVATE if chat.private else Source.GROUP


async def _route(tx: Tx, rules: Rules, appeal: Appeal, firm: Enterprise, filed: Change) -> Appeal:
    """Dispatch at once where the rules are sure; otherwise the coordinators are asked, and the clock runs on them."""
    category = rules.category(appeal.category)
    department = await people.department_called(tx, category.department) if category.department else None
    day = rules.calendar.local(filed.at).date()
    duty = await rota.on_duty(tx, department, day, filed.at) if department else None
    liaison = await _liaison_present(tx, firm, filed.at)
    owner = routing.owner(
        appeal.kind, category, department, liaison=liaison, on_duty=duty.id if duty else None
    )
    if owner is None:
        notice = Notice(Listener.COORDINATOR, "triage.unsure", TRIAGE_BUTTONS)
        await listeners.owe(tx, notice, appeal, replace(filed, by=None), rules)
        return appeal
    details = Details(handler_id=owner.handler_id, department_id=owner.department_id)
    change = lifecycle.take(appeal, Verb.DISPATCH, by=None, at=filed.at, rules=rules, details=details)
    return await appeals.record(tx, replace(change, facts={"by_rule": True}), rules)


async def _liaison_present(tx: Tx, firm: Enterprise, at: datetime) -> int | None:
    """The firm's liaison; while he is on leave who stands in for him; None where nobody is there."""
    cover = await absences.cover(tx, at)
    named = firm.liaison_id
    present = cover.stand_in(named, firm.id) if named is not None and named in cover.people else named
    found = await people.person(tx, present, at) if present is not None else None
    return found.id if found else None


async def filed_reply(request: Request, appeal: Appeal) -> Reply:
    """The answer at once: number, category, who, by when. In a group what is sensitive is only said to have arrived."""
    facts: dict[str, Fact] = await listeners.appeal_facts(request.tx, appeal, request.rules)
    facts["files"] = attached(request)
    sensitive = appeal.kind is Kind.COMPLAINT or request.rules.category(appeal.category).sensitive
    if appeal.status is Status.SUBMITTED:
        unsure = appeal.category == UNSURE.code
        category = Said("category.unsure") if unsure else facts["category"]
        facts |= {"dispatch_due": appeal.dispatch_due, "category": category}
        key = "appeal.filed_waiting"
    else:
        facts |= {"role": Said("appeal.role_liaison") if appeal.handler_id == appeal.liaison_id else None}
        key = "appeal.filed"
    safety = Said("appeal.safety") if appeal.category in ("power", "water", "gas", "env") else None
    buttons = for_appeal(appeal, *OWN_BUTTONS)
    return Reply(key, {**facts, "safety": safety}, buttons, private=sensitive, appeal=appeal)


COMMANDS: Mapping[Verb, Handler] = {
    Verb.APPEAL: raise_matter,
    Verb.INQUIRE: raise_matter,
    Verb.COMPLAIN: raise_matter,
    Verb.SUGGEST: raise_matter,
    Verb.FILE: offer_to_file,
    Verb.RECORD: record_for_firm,
}
