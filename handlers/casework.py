"""Work on a matter: the handler takes, reports, finishes; the firm adds, urges, withdraws, says whether it is done."""

from collections.abc import Mapping

from domain import access
from domain.appeal import OPEN, Appeal, Details, Status
from domain.errors import Refused
from domain.lifecycle import step_of, take
from domain.notices import WORK_BUTTONS
from domain.said import Button, Fact, Said
from domain.verbs import Verb
from domain.words import MOST_TEXT
from handlers import oversight, shares, slips
from handlers.router import Ask, Buttons, Handler, Reply, Request, for_appeal, one_row, with_verb
from storage import appeals, listeners, people

_UNKNOWN_OWNER = frozenset({"待定", "不清楚", "不知道", "unknown"})
_NOT_TAKEN_ON = frozenset({Status.SUBMITTED, Status.DISPATCHED, Status.RETURNED})


async def _facts(request: Request, appeal: Appeal) -> dict[str, Fact]:
    return await listeners.appeal_facts(request.tx, appeal, request.rules)


async def _answer(request: Request, key: str, appeal: Appeal, *verbs: Verb, **more: Fact) -> Reply:
    facts: dict[str, Fact] = {**await _facts(request, appeal), **more}
    return Reply(key, facts, for_appeal(appeal, *verbs), appeal=appeal)


def _words(request: Request, ask: str, appeal: Appeal) -> str:
    """The text that a step needs, with the matter named in the question; not asked for where the step does not fit."""
    step_of(appeal, request.verb)
    text = request.need_text(ask, {"number": appeal.number, "title": appeal.title})
    if len(text) > MOST_TEXT:
        raise Refused("refused.too_long", {"most": MOST_TEXT, "length": len(text)})
    return text


async def _of_a_part(request: Request, appeal: Appeal) -> bool:
    """Whether this is said of a part: by who may not speak for the whole, or under a message about that part."""
    return bool(request.argument) or not access.may(request.verb, await request.relations(appeal))


async def acknowledge(request: Request) -> Reply:
    """接单: the assigned handler takes the matter on, which stops the first-response clock."""
    appeal = await request.appeal()
    if await _of_a_part(request, appeal):
        return await shares.report(request, appeal)
    after = await request.step(appeal, details=Details(text=request.text))
    facts = await _facts(request, after)
    verbs = (Verb.CONTACTED, *WORK_BUTTONS) if after.contacted_at is None else WORK_BUTTONS
    return await _answer(request, "work.acknowledged", after, *verbs, whom=facts["contact"] or facts["firm"])


async def contacted(request: Request) -> Reply:
    """已联系: the firm was called; what was agreed may be added."""

    async def not_yet(appeal: Appeal) -> bool:
        return appeal.contacted_at is None

    appeal = await request.appeal(not_yet)
    if appeal.contacted_at is not None:
        raise Refused("refused.contacted_already", {"number": appeal.number, "at": appeal.contacted_at})
    after = await request.step(appeal, details=Details(text=request.text))
    verbs = (Verb.ACKNOWLEDGE,) if after.status is Status.DISPATCHED else WORK_BUTTONS
    return await _answer(request, "work.contacted", after, *verbs)


async def give_back(request: Request) -> Reply:
    """退单 <whose it is> <reason>: back to the coordinator; the clock runs on."""
    appeal = await request.appeal()
    if await _of_a_part(request, appeal):
        return await shares.report(request, appeal)
    probe = Details(text="?", unit="?")
    take(appeal, request.verb, by=request.who.id, at=request.at, rules=request.rules, details=probe)
    kept = str(request.answered.get("reason", ""))
    text = kept or _words(request, "ask.return", appeal)
    whose, reason = await _proposal(request, request.text if kept else text)
    if not whose:
        raise Ask("ask.return_whose", {"number": appeal.number, "title": appeal.title}, keep={"reason": text})
    reason = kept or reason
    if not reason:
        raise Ask("ask.return_reason", {"number": appeal.number, "whose": whose}, keep={"whose": whose})
    after = await request.step(appeal, details=Details(text=reason, unit=whose, facts={"whose": whose}))
    return await _answer(request, "work.returned", after, whose=whose)


async def _proposal(request: Request, line: str) -> tuple[str, str]:
    """Whose a matter is in the eyes of who gives it back, if the line begins with it, and the rest."""
    if "whose" in request.answered:
        return str(request.answered["whose"]), line
    name, reason = oversight.name_first(line)
    if name in _UNKNOWN_OWNER:
        return name, reason
    unit = await oversight.unit_called(request, name)
    if unit is not None:
        return unit.name, reason
    named = [person for person in await people.people_named(request.tx, name, request.at) if person.in_office]
    if named:
        return named[0].name, reason
    unit = await oversight.unit_in(request, line)
    return (unit.name, line) if unit else ("", line)


async def progress(request: Request) -> Reply:
    """进展: a public note; the firm hears it a minute later."""
    appeal = await request.appeal()
    if await _of_a_part(request, appeal):
        return await shares.report(request, appeal)
    text = _words(request, "ask.progress", appeal)
    after = await request.step(appeal, details=Details(text=text, attachments=request.files))
    return await _answer(request, "work.progress", after, Verb.RESOLVE, Verb.UNDO)


async def note(request: Request) -> Reply:
    """备注: for the office alone, never shown to a firm."""
    appeal = await request.appeal()
    text = _words(request, "ask.note", appeal)
    after = await request.step(appeal, details=Details(text=text, attachments=request.files))
    return Reply("work.noted", await _facts(request, after), private=True, appeal=after)


async def resolve(request: Request) -> Reply:
    """办结 / 解释办结 / 即办: the handler says that it is done; only the firm's own answer ends the matter."""
    appeal = await request.appeal()
    if await _of_a_part(request, appeal):
        return await shares.report(request, appeal)
    if request.verb is Verb.INSTANT and appeal.handler_id not in (None, request.who.id):
        raise Refused("refused.not_yours", {"number": appeal.number, "verb": Said(f"verb.{request.verb}")})
    text = _words(request, _RESULT[request.verb], appeal)
    after = await request.step(appeal, details=Details(text=text, attachments=request.files))
    return await _answer(request, "work.resolved", after, Verb.UNDO)


_RESULT = {Verb.RESOLVE: "ask.resolve", Verb.EXPLAIN: "ask.explain", Verb.INSTANT: "ask.instant"}


async def supplement(request: Request) -> Reply | None:
    """补充: the firm adds words or pictures; who simply replies is asked what he means where it may be two things."""
    if request.answered.get("talk"):
        await _sort_out_talk(request)
    appeal = await request.appeal()
    if request.answered.get("edited") and not (request.text and appeal.status in _NOT_TAKEN_ON):
        return None
    text = request.text if request.attachments else _words(request, "ask.supplement", appeal)
    after = await request.step(appeal, details=Details(text=text, attachments=request.files))
    facts = await _facts(request, after)
    whom = facts["handler"] or Said("work.coordinators")
    return await _answer(request, "work.supplemented", after, files=_files(request), whom=whom)


def _files(request: Request) -> Said | None:
    return Said("appeal.files", {"count": len(request.attachments)}) if request.attachments else None


async def _sort_out_talk(request: Request) -> None:
    """Plain words under a matter, or a picture without any: a firm's belong to it, unless its verdict is awaited.

    An office's may be meant for the firm or only for the file; a firm's first picture may be the beginning of a matter.
    """
    if request.who.in_office:
        raise await _progress_or_note(request)
    if request.reply_to_appeal is None:
        await _must_have_open(request)
        return
    appeal = await request.appeal()
    if appeal.status is Status.RESOLVED and request.text:
        verbs = (Verb.DISSATISFIED, Verb.SUPPLEMENT)
        buttons = one_row(*(Button(verb, appeal.number, appeal.version) for verb in verbs), Button(Verb.CANCEL))
        facts = {"number": appeal.number, "title": appeal.title}
        raise Ask("ask.reason_or_more", facts, buttons, offers=verbs, private=True)


async def _progress_or_note(request: Request) -> Ask:
    meant = await with_verb(request, Verb.NOTE).appeal()
    may_tell = access.may(Verb.PROGRESS, await request.relations(meant), meant.status)
    verbs = (Verb.PROGRESS, Verb.NOTE) if may_tell else (Verb.NOTE,)
    buttons = one_row(*(Button(verb, meant.number) for verb in verbs), Button(Verb.CANCEL))
    facts = {"number": meant.number, "title": meant.title}
    return Ask("ask.progress_or_note" if may_tell else "ask.note_it", facts, buttons, offers=verbs, private=True)


async def _must_have_open(request: Request) -> None:
    """A picture alone, with nothing open to which it could belong, waits for the words of a new matter."""
    open_ones = await appeals.visible(request.tx, await request.scope(), OPEN | {Status.RESOLVED}, most=1)
    if not open_ones:
        raise Ask("ask.words_for_files", {"files": _files(request)}, verb=Verb.FILE)


async def withdraw(request: Request) -> Reply:
    """撤回: the firm takes it back, with or without a reason; within ten working days 撤销 brings it back."""
    appeal = await request.appeal()
    after = await request.step(appeal, details=Details(text=request.text))
    return await _answer(request, "work.withdrawn", after, Verb.UNDO)


async def undo(request: Request) -> Reply:
    """撤销: a handler's slip of the last minute is taken back; a firm's withdrawn matter goes back to intake."""
    taken_back = await slips.take_back(request)
    if taken_back is not None:
        return taken_back
    appeal = await request.appeal()
    after = await request.step(appeal)
    return await _answer(request, "work.undone", after)


async def mark_urgent(request: Request) -> Reply:
    """紧急: the owner's own word; whoever is on duty hears at once, and the owner is told whom to call in danger."""
    appeal = await request.appeal()
    if appeal.urgent:
        raise Refused("refused.urgent_already", {"number": appeal.number})
    after = await request.step(appeal, details=Details(text=request.text))
    answer_by = after.acknowledge_due if after.status is Status.DISPATCHED else None
    return await _answer(request, "work.urgent", after, safety=Said("appeal.safety"), acknowledge_due=answer_by)


async def urge(request: Request) -> Reply:
    """催办 by the firm reaches the handler once a working day; otherwise it is answered with how the matter stands."""
    appeal = await request.appeal()
    today = request.rules.calendar.day_start(request.at)
    if appeal.urged_at is not None and appeal.urged_at >= today:
        return await _answer(request, "work.urged_already", appeal)
    after = await request.step(appeal, details=Details(text=request.text))
    return await _answer(request, "work.urged", after)


async def close(request: Request) -> Reply:
    """满意 / 基本满意: the firm itself ends its matter."""
    appeal = await request.appeal()
    after = await request.step(appeal, details=Details(text=request.text))
    facts: dict[str, Fact] = {**await _facts(request, after), "verdict": Said(f"verb.{request.verb}")}
    facts["again"] = None if after.reopened else Said("work.may_reopen", {"number": after.number})
    return Reply("work.closed", facts, private=True, appeal=after)


async def reject(request: Request) -> Reply:
    """不满意: back to work with a date of its own; the reason is needed, for it is what the work is then about."""
    appeal = await request.appeal()
    text = _words(request, "ask.dissatisfied", appeal)
    after = await request.step(appeal, details=Details(text=text, attachments=request.files))
    facts: dict[str, Fact] = {**await _facts(request, after)}
    facts["escalated"] = Said("work.escalated") if after.escalated else None
    return Reply("work.reworked", facts, private=True, appeal=after)


async def say_solution(request: Request) -> Reply:
    """已解决 / 部分解决 / 未解决: told apart from satisfaction, which is asked for next."""
    appeal = await request.appeal()
    after = await request.step(appeal)
    verdict: Fact = Said(f"verb.{request.verb}")
    open_still = after.status in (Status.RESOLVED, Status.UNRATED)
    buttons: Buttons = ()
    if open_still:
        buttons = for_appeal(after, Verb.SATISFIED, Verb.FAIRLY_SATISFIED, Verb.DISSATISFIED)
    facts = {**await _facts(request, after), "verdict": verdict}
    key = "work.solution_noted" if open_still else "work.solution_noted_late"
    return Reply(key, facts, buttons, private=True, appeal=after)


COMMANDS: Mapping[Verb, Handler] = {
    Verb.ACKNOWLEDGE: acknowledge,
    Verb.CONTACTED: contacted,
    Verb.RETURN: give_back,
    Verb.PROGRESS: progress,
    Verb.NOTE: note,
    Verb.RESOLVE: resolve,
    Verb.EXPLAIN: resolve,
    Verb.INSTANT: resolve,
    Verb.URGENT: mark_urgent,
    Verb.SUPPLEMENT: supplement,
    Verb.WITHDRAW: withdraw,
    Verb.UNDO: undo,
    Verb.URGE: urge,
    Verb.SATISFIED: close,
    Verb.FAIRLY_SATISFIED: close,
    Verb.DISSATISFIED: reject,
    Verb.SOLVED: say_solution,
    Verb.PARTLY_SOLVED: say_solution,
    Verb.UNSOLVED: say_solution,
}
