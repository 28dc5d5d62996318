"""未送达: what did not arrive, by chat and cause, and [补发], which sends it once more; nobody's words are shown."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from domain.causes import same_cause
from domain.errors import Refused
from domain.notices import Lane
from domain.people import Role
from domain.said import Button, Fact, Said
from domain.verbs import Verb
from handlers import policies, policy_posts
from handlers.router import Buttons, Handler, Reply, Request
from storage import history, listeners, people, undelivered
from storage.policy_posts import report_anew
from storage.undelivered import Letter, Lost

MOST_LINES = 12
MOST_BUTTONS = 6
_MARK = re.compile(r"x(\d{0,12})")
_RESEND = re.compile(r"(?:补发|resend|send again)\s*#?(x?\d{0,12})", re.IGNORECASE)


async def show(request: Request) -> Reply:
    """The list, told privately; 未送达 补发 sends all of it again."""
    order = _MARK.fullmatch(request.argument) or _RESEND.fullmatch(request.text.strip())
    if order is not None:
        return await _send_again(request, order[1].lstrip("x"))
    found = _gathered(await undelivered.lost(request.tx, request.at, _sealed(request)))
    if not found:
        return Reply("undelivered.none", private=True)
    lines = [Said("undelivered.line", _line(lost, request.at)) for lost in found[:MOST_LINES]]
    facts: Mapping[str, Fact] = {
        "count": sum(lost.count for lost in found),
        "lines": lines,
        "rest": Said("undelivered.rest", {"count": len(found) - MOST_LINES}) if len(found) > MOST_LINES else None,
    }
    return Reply("undelivered.list", facts, _buttons(request, found), private=True)


def _sealed(request: Request) -> list[bool]:
    """Sealed matters are the inspector's alone, down to the fact that there is one; all others the coordinators'."""
    return [sealed for role, sealed in ((Role.COORDINATOR, False), (Role.INSPECTOR, True)) if request.who.has(role)]


def _gathered(found: Sequence[Lost]) -> list[Lost]:
    """One line a chat and a cause, whatever the platform adds to its words from call to call; the oldest first."""
    lines: dict[tuple[int, str, bool], Lost] = {}
    for lost in found:
        name = (lost.chat_id, same_cause(lost.cause), lost.doubtful)
        before = lines.get(name)
        count = lost.count + (before.count if before else 0)
        oldest = min(lost.oldest, before.oldest) if before else lost.oldest
        lines[name] = replace(lost, cause=name[1], count=count, oldest=oldest)
    return sorted(lines.values(), key=lambda lost: (lost.oldest, lost.chat_id))


def _line(lost: Lost, at: datetime) -> Mapping[str, Fact]:
    return {
        "place": Said("undelivered.private" if lost.private else "undelivered.group", {"name": lost.name}),
        "channel": lost.channel,
        "count": lost.count,
        "age": _age(at - lost.oldest),
        "fate": Said("undelivered.doubtful") if lost.doubtful else Said("undelivered.dead"),
        "cause": lost.cause,
    }


def _age(gone: timedelta) -> Said:
    if gone < timedelta(hours=1):
        return Said("undelivered.minutes", {"n": max(1, gone // timedelta(minutes=1))})
    if gone < timedelta(days=2):
        return Said("undelivered.hours", {"n": gone // timedelta(hours=1)})
    return Said("undelivered.days", {"n": gone // timedelta(days=1)})


def _buttons(request: Request, found: Sequence[Lost]) -> Buttons:
    """One for everything, for coordinators; one a chat where there are several, or for the inspector."""
    names = {lost.chat_id: lost.name for lost in found}
    everything = ((Button(Verb.RESEND, argument="x"),),) if request.who.has(Role.COORDINATOR) else ()
    if everything and len(names) < 2:
        return everything
    single = [(Button(Verb.UNDELIVERED, argument=f"x{chat}", label=name),) for chat, name in names.items()]
    return (*everything, *single[:MOST_BUTTONS])


# Sending again ------------------------------------------------------------------------------------------------------
async def resend(request: Request) -> Reply:
    """补发: of this list where it was pressed under it or names it (x, x12); else of a policy notice."""
    found = _MARK.fullmatch(request.argument or request.text.strip())
    return await _send_again(request, found[1]) if found is not None else await policies.resend(request)


async def _send_again(request: Request, chat: str) -> Reply:
    """Everything, or what is for one chat, in its old order; a second press finds nothing left."""
    meant = await undelivered.letters(request.tx, request.at, _sealed(request), int(chat) if chat else None)
    back = [letter for letter in meant if await _back(request, letter)]
    if not back:
        raise Refused("undelivered.nothing_to_resend")
    await report_anew(request.tx, [letter.id for letter in back])
    chats = {letter.chat_id for letter in back}
    facts: Mapping[str, Fact] = {"count": len(back), "chats": len(chats)}
    await history.write(request.tx, history.Line("outbox", "resend", request.who.id, request.at, facts))
    return Reply("undelivered.resent", facts, ((Button(Verb.UNDELIVERED),),), private=True)


async def _back(request: Request, letter: Letter) -> bool:
    """It leaves as soon as its listener may be disturbed."""
    tx, at = request.tx, request.at
    person = await people.person(tx, letter.person_id, at) if letter.person_id is not None else None
    due = listeners.audible(request.rules, person, at, urgent=False)
    if letter.lane == Lane.BROADCAST:
        due = policy_posts.opening(request.rules, at)
    return await undelivered.send_again(tx, letter.id, due)


COMMANDS: Mapping[Verb, Handler] = {Verb.UNDELIVERED: show, Verb.RESEND: resend}
