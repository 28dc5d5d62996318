"""Where do my matters stand: 我的, 待办, 进度, 回溯, each with no more than its asker may see."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from domain import access
from domain.appeal import OPEN, Appeal, Status
from domain.notices import SURVEY_BUTTONS, TRIAGE_BUTTONS, WORK_BUTTONS, status_words, task_buttons
from domain.parts import PartKind
from domain.people import Purpose, Role
from domain.said import Fact, Said, from_facts
from domain.verbs import Verb
from handlers.router import Handler, Reply, Request, for_appeal
from storage import absences, appeals, history, listeners, people, requests, standing
from storage.database import Row
from storage.values import from_json, from_ms

MOST_LINES = 10
MOST_READ = 500
_SPANS = {"wd": "span.days", "wh": "span.working_hours", "h": "span.hours", "m": "span.minutes", "s": "span.seconds"}
_RUNG = re.compile(r"([+-]?)(\d+)(%|wd|wh|h|m|s)")
_HIDDEN_FROM_FIRMS = frozenset(
    {"note", "return", "request", "approve", "deny", "rule", "follow_up", "recategorise", "contacted"}
    | {"part_acknowledge", "part_progress", "part_done", "part_return", "waive", "slip"}
    | {"supervise", "instruct", "refer", "read"}
)
_WORDS_FOR_FIRMS = frozenset(
    {"file", "supplement", "progress", "resolve", "explain", "instant", "dissatisfied"}
    | {"extend", "suspend", "agree", "milestone", "milestone_done", "beyond"}
)
_REPORTS = frozenset({"progress", "resolve", "explain", "instant", "milestone_done"})
_SOLUTIONS = frozenset({"solved", "partly_solved", "unsolved"})
_CONFIRMED = "confirmed"
_WITHOUT_RATING = {"satisfied": _CONFIRMED, "fairly_satisfied": _CONFIRMED, "dissatisfied": Verb.REWORK.value}


async def mine(request: Request) -> Reply:
    """我的: a contact's matters, the open ones first; for the office the same as 待办."""
    if not request.who.has(Role.CONTACT):
        return await todo(request)
    scope = await request.scope()
    own = await appeals.visible(request.tx, scope, tuple(Status), most=MOST_READ)
    own = sorted((a for a in own if a.enterprise_id in request.who.enterprise_ids), key=_open_first)
    if not own:
        return Reply("look.nothing_yet", private=True)
    several = len(request.who.enterprise_ids) > 1
    lines = [await _line(request, a, firm=several) for a in own[:MOST_LINES]]
    return Reply("look.own", {"count": len(own), "lines": lines, "rest": _rest(own)}, private=True)


def _open_first(appeal: Appeal) -> tuple[bool, float]:
    ended = appeal.status not in OPEN and appeal.status is not Status.RESOLVED
    return ended, -appeal.received_at.timestamp()


async def _line(request: Request, appeal: Appeal, *, firm: bool) -> Said:
    """One matter in one line, in the words of its reader; with `firm` the firm's name stands before the title."""
    facts: Mapping[str, Fact] = {"due": appeal.due, "provisional": request.rules.provisional(appeal.due, briefly=True)}
    due = Said("look.due", facts) if appeal.status in OPEN else None
    status = status_words(appeal.status, firm=not request.who.in_office)
    name = (await people.enterprise(request.tx, appeal.enterprise_id)).short_name if firm else None
    key = "look.firm_line" if firm else "look.own_line"
    return Said(key, {"number": appeal.number, "firm": name, "title": appeal.title, "status": status, "due": due})


def _rest(found: Sequence[Appeal]) -> Said | None:
    return Said("look.rest", {"count": len(found) - MOST_LINES}) if len(found) > MOST_LINES else None


async def todo(request: Request) -> Reply:
    """待办: what waits for this person, the earliest date first."""
    who = request.who
    if who.has(Role.COORDINATOR):
        found = await _to_decide(request)
    elif who.has(Role.CONTACT) and not who.in_office:
        found = list(await appeals.visible(request.tx, await request.scope(), (Status.RESOLVED,)))
    else:
        found = [*await appeals.held_by(request.tx, who.id, OPEN), *await _held_for_others(request)]
    if not found:
        return Reply("look.nothing_to_do", private=True)
    found = sorted(found, key=lambda appeal: appeal.due)
    lines = [await _task(request, a) for a in found[:MOST_LINES]]
    return Reply("look.tasks", {"count": len(found), "lines": lines, "rest": _rest(found)}, private=True)


async def _task(request: Request, appeal: Appeal) -> Said:
    """One line of 待办, with the name of whose work it is where he stands in."""
    line = await _line(request, appeal, firm=request.who.in_office)
    whom = await standing.on_behalf(request.tx, request.who, appeal, request.at)
    return Said("duty.line_for", {"whom": whom, "line": line}) if whom else line


async def _to_decide(request: Request) -> list[Appeal]:
    """What a coordinator has to dispatch or to decide, what he holds, and what nobody does while its owner is away."""
    scope, undecided = await request.scope(), await requests.undecided(request.tx)
    seen = await appeals.visible(request.tx, scope, OPEN, most=MOST_READ)
    cover = await absences.cover(request.tx, request.at)
    mine = {None, request.who.id, *request.who.standing_in_for, *cover.left_alone}
    return [a for a in seen if a.handler_id in mine or a.id in undecided]


async def _held_for_others(request: Request) -> list[Appeal]:
    """What those on leave hold and he does meanwhile; nothing sealed."""
    away = (await absences.cover(request.tx, request.at)).people
    held = [appeal for one in sorted(away) for appeal in await appeals.held_by(request.tx, one, OPEN)]
    own = {appeal.id for appeal in await appeals.held_by(request.tx, request.who.id, OPEN)}
    others = {appeal.id: appeal for appeal in held if not appeal.sealed and appeal.id not in own}
    works = {access.Relation.HANDLER, access.Relation.CO_HANDLER}
    return [appeal for appeal in others.values() if works & await request.relations(appeal)]


async def status(request: Request) -> Reply:
    """进度: where one matter stands, who has it, by when; in a one-firm group in place, elsewhere privately."""
    appeal = await request.appeal()
    facts: dict[str, Fact] = await listeners.appeal_facts(request.tx, appeal, request.rules)
    facts["status"] = status_words(appeal.status, firm=not request.who.in_office)
    facts |= {"latest": await _latest(request, appeal), "parts": _parts(appeal, firm=not request.who.in_office)}
    if appeal.status in (Status.SUSPENDED, Status.LONG_TERM):
        facts |= {"due": None, "provisional": None}
    if appeal.status not in OPEN:
        facts |= {"due": None, "provisional": None}
    if appeal.status is not Status.DISPATCHED:
        facts["acknowledge_due"] = None
    private = request.chat.one_firm != appeal.enterprise_id and request.chat.purpose is not Purpose.COORDINATION
    buttons = for_appeal(appeal, *await _next(request, appeal))
    return Reply("look.status", facts, buttons, private=private, appeal=appeal)


_PART_LINES = {
    PartKind.SHARE: "look.share",
    PartKind.BEYOND: "look.beyond",
    PartKind.MILESTONE: "look.milestone",
    PartKind.ORDER: "look.order",
}


def _parts(appeal: Appeal, *, firm: bool) -> Sequence[Said] | None:
    """What else has a date: until when it is on hold, who works along, what is reached next; orders for the office."""
    shown = [part for part in appeal.open_parts if not (firm and part.kind is PartKind.ORDER)]
    lines = [Said(_PART_LINES[part.kind], listeners.part_facts(appeal, part.n)) for part in shown]
    if appeal.suspended_until is not None:
        lines.insert(0, Said("look.on_hold", {"until": appeal.suspended_until}))
    return lines or None


async def _next(request: Request, appeal: Appeal) -> tuple[Verb, ...]:
    """What this person can do next with the matter, the whole course last."""
    held = await request.relations(appeal)
    if access.Relation.FIRM in held:
        if appeal.status in (Status.RESOLVED, Status.UNRATED):
            return SURVEY_BUTTONS
        return (Verb.SUPPLEMENT, Verb.URGE, Verb.TRACE) if appeal.status in OPEN else (Verb.TRACE,)
    mine = (*task_buttons(appeal), *WORK_BUTTONS) if access.Relation.HANDLER in held else ()
    steering = TRIAGE_BUTTONS if appeal.handler_id is None else ()
    fitting = tuple(verb for verb in (*mine, *steering) if access.may(verb, held, appeal.status))
    return (*fitting, Verb.TRACE)


async def _latest(request: Request, appeal: Appeal) -> Said | None:
    rows = [row for row in await history.standing(request.tx, appeal.id or 0) if row["name"] in _REPORTS]
    if not rows:
        return None
    return Said("look.latest", {"at": from_ms(rows[-1]["at"]), "text": rows[-1]["text"] or Said("look.erased")})


async def trace(request: Request) -> Reply:
    """回溯: everything that happened to a matter, in order; a firm is not shown the office's inner steps."""
    appeal = await request.appeal()
    firm = not request.who.in_office
    rows = await (history.standing if firm else history.of_appeal)(request.tx, appeal.id or 0)
    reminders = [] if firm else await history.reminders_of(request.tx, appeal.id or 0)
    hidden = _HIDDEN_FROM_FIRMS if firm else frozenset[str]()
    ratings = firm or request.who.has(Role.COORDINATOR, Role.INSPECTOR)
    shown = [row for row in rows if row["name"] not in (hidden if ratings else hidden | _SOLUTIONS)]
    timed = [(row["at"], _event(row, firm=firm, ratings=ratings)) for row in shown]
    timed += [(row["told_at"], _reminder(row)) for row in reminders]
    lines = [said for _, said in sorted(timed, key=lambda pair: pair[0])]
    facts: dict[str, Fact] = {"number": appeal.number, "title": appeal.title, "lines": lines}
    return Reply("look.trace", facts, private=True, appeal=appeal)


def _event(row: Row, *, firm: bool, ratings: bool) -> Said:
    """One line; who may not know the rating reads that the firm confirmed it or sent it back."""
    verb = row["name"] if ratings else _WITHOUT_RATING.get(row["name"], row["name"])
    words = row["text"] if not firm or row["name"] in _WORDS_FOR_FIRMS else None
    moved = from_facts(_only_sayable(from_json(row["facts"])))
    return Said(
        "look.event",
        {
            "at": from_ms(row["at"]),
            "verb": Said("look.confirmed") if verb == _CONFIRMED else Said(f"verb.{verb}"),
            "actor": history.taken_by(row) or Said("look.system"),
            "text": words,
            "due": moved.get("due"),
            "files": Said("appeal.files", {"count": row["files"]}) if row["files"] else None,
        },
    )


def _only_sayable(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name == "due"}


def _reminder(row: Row) -> Said:
    return Said("look.reminder", {"at": from_ms(row["told_at"]), "whom": row["whom"], "rung": _rung(row["label"])})


def _rung(label: str) -> Said:
    """A rung in words: `50%`, `0s`, `-2wd`, `+1wd` as the ladder spells them."""
    found = _RUNG.fullmatch(label)
    if found is None or not int(found[2]):
        return Said("look.rung_due")
    sign, amount, unit = found.groups()
    if unit == "%":
        return Said("look.rung_share", {"share": int(amount) / 100})
    span = Said(_SPANS[unit], {"amount": int(amount)})
    return Said("look.rung_before" if sign == "-" else "look.rung_after", {"span": span})


COMMANDS: Mapping[Verb, Handler] = {
    Verb.MINE: mine,
    Verb.TODO: todo,
    Verb.STATUS: status,
    Verb.TRACE: trace,
}
