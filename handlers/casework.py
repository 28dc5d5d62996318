"""Work on a matter: the handler takes, reports, finishes; the firm adds, urges, withdraws, says whether it is done."""

from collections.abc import Mapping

from domain import access
from domain.appeal import OPEN, Appeal, Details, Status
from domain.errors import Refused
from domain.lifecycle import step_of
from domain.notices import WORK_BUTTONS
from domain.said import Button, Fact, Said
from domain.verbs import Verb
from domain.words import MOST_TEXT
from handlers.router import Ask, Buttons, Handler, Reply, Request, for_appeal, one_row, with_verb
from storage import appeals, listeners

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


async def acknowledge(request: Request) -> Reply:
    """接单: the assigned handler takes the matter on, which stops the first-response clock."""
    appeal = await request.appeal()
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
    """退单: back to the coordinator with a reason and, best, whose it is; the clock runs on."""
    appeal = await request.appeal()
    text = _words(request, "ask.return", appeal)
    after = await request.step(appeal, details=Details(text=text))
    return await _answer(request, "work.returned", after)


async def progress(request: Request) -> Reply:
    """进展: a public note; the firm hears it."""
    appeal = await request.appeal()
    text = _words(request, "ask.progress", appeal)
    after = await request.step(appeal, details=Details(text=text, attachments=request.files))
    return await _answer(request, "work.progress", after, Verb.RESOLVE)


async def note(request: Request) -> Reply:
    """备注: for the office alone, never shown to a firm."""
    appeal = await request.appeal()
    text = _words(request, "ask.note", appeal)
    after = await request.step(appeal, details=Details(text=text, attachments=request.files))
    return Reply("work.noted", await _facts(request, after), private=True, appeal=after)


async def resolve(request: Request) -> Reply:
    """办结: the handler says that it is done; the firm is asked, and only its answer ends the matter."""
    appeal = await request.appeal()
    text = _words(request, "ask.resolve", appeal)
    after = await request.step(appeal, details=Details(text=text, attachments=request.files))
    return await _answer(request, "work.resolved", after)


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
    """撤销 of a withdrawal: the matter goes back to intake."""
    appeal = await request.appeal()
    after = await request.step(appeal)
    return await _answer(request, "work.undone", after)


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
