"""The page behind a forwarding slip: what an outside unit is asked for, and the form by which it answers."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from bot.limits import SLIP_ANSWERS, WRONG_CODES
from bot.web.context import WebContext, context_of
from bot.web.page import show
from domain.errors import Refused, Stale
from domain.said import Fact, Said
from handlers import forwarding
from handlers.forwarding import Answer, Asked, State
from handlers.router import RERUNS
from storage.database import Tx
from storage.errors import StorageUnavailable
from texts import LANGUAGES

_MOST_CODE = 60
_ROWS: tuple[tuple[str, str], ...] = (
    ("slips.row_number", "slip_number"),
    ("slips.row_firm", "firm"),
    ("slips.row_category", "category"),
    ("slips.row_title", "title"),
    ("slips.row_part", "part"),
)
_NOT_WANTED: Mapping[State, tuple[str, str]] = {
    State.DONE: ("slips.over_title", "slips.state_done"),
    State.WAIVED: ("slips.over_title", "slips.state_waived"),
    State.OVER: ("slips.over_title", "slips.state_over"),
    State.PAUSED: ("slips.paused_title", "slips.state_paused"),
}
NOBODYS = {"X-Robots-Tag": "noindex, nofollow"}


@dataclass(frozen=True, slots=True)
class _Visit:
    """One request for the page of a code, in the language that the browser asks for."""

    request: Request
    context: WebContext
    code: str
    language: str

    @property
    def source(self) -> str:
        """Where wrong codes are counted, those of signing in among them."""
        return f"codes:{self.request.client.host if self.request.client else ''}"

    def say(self, key: str, facts: Mapping[str, Fact] | None = None) -> str:
        return self.context.say(Said(key, facts or {}), self.language)

    def show(self, template: str, status: int, **facts: object) -> Response:
        response = show(self.context, template, self.language, status, **facts)
        response.headers.update(NOBODYS)
        return response


async def form(request: Request) -> Response:
    """GET /slip/{code}: the matter as an outside unit may see it, and a form; changes nothing, as previews open it."""
    visit = _visit(request)
    asked = await _look(visit) if _may_try(visit) else None
    return _form(visit, asked, {}) if asked is not None and asked.state is State.OPEN else _no_form(visit, asked)


async def answer(request: Request) -> Response:
    """POST /slip/{code}: what the unit says of its part; the last answer ends the part and the link."""
    visit = _visit(request)
    async with request.form(max_files=0, max_fields=8) as sent:
        fields = {name: value for name, value in sent.items() if isinstance(value, str)}
    asked = await _look(visit) if _may_try(visit) else None
    if asked is None or asked.state is not State.OPEN:
        return _no_form(visit, asked)
    context = visit.context
    try:
        given = forwarding.read_answer(fields, context.rules.calendar.local(context.clock_now()).date())
        if not context.limits.take(f"slip:{asked.slip.id}", SLIP_ANSWERS, context.machine_now()):
            return _form(visit, asked, fields, visit.say("slips.answered_too_often"), 429)
        taken = await _take(visit, given)
    except Refused as refused:
        now = await _look(visit) or asked
        return _form(visit, now, fields, visit.say(refused.key, refused.facts), 422)
    except (Stale, StorageUnavailable):
        return _form(visit, asked, fields, visit.say("slips.busy"), 503)
    return _thanks(visit, given) if taken is not None and taken.state is State.OPEN else _no_form(visit, taken)


def _visit(request: Request) -> _Visit:
    context = context_of(request)
    language = _language(request.headers.get("accept-language", ""))
    request.state.language = language
    return _Visit(request, context, request.path_params["code"][:_MOST_CODE], language)


def _language(accepted: str) -> str:
    """The language that a browser likes best of ours; "" for the park's where it likes neither."""
    wanted = [each.partition(";")[0].strip().lower().partition("-")[0] for each in accepted.split(",")]
    return next((language for language in wanted if language in LANGUAGES), "")


def _may_try(visit: _Visit) -> bool:
    return visit.context.limits.has(visit.source, WRONG_CODES, visit.context.machine_now())


async def _look(visit: _Visit) -> Asked | None:
    context = visit.context

    async def unit(tx: Tx) -> Asked | None:
        return await forwarding.behind(tx, context.rules, visit.code, context.clock_now())

    return await context.database.reading(unit)


async def _take(visit: _Visit, given: Answer) -> Asked | None:
    """Record the answer, once more where somebody else was faster."""
    context = visit.context

    async def unit(tx: Tx) -> Asked | None:
        tx.on_commit(context.wake)
        return await forwarding.take_answer(tx, context.rules, visit.code, given, context.clock_now())

    for _ in range(RERUNS - 1):
        try:
            return await context.database.transaction(unit)
        except Stale:
            continue
    return await context.database.transaction(unit)


# Pages ----------------------------------------------------------------------------------------------------------------
def _form(visit: _Visit, asked: Asked, fields: Mapping[str, str], trouble: str = "", status: int = 200) -> Response:
    """The form, with what was typed."""
    facts = asked.facts
    rows = [(visit.say(label), str(facts[name])) for label, name in _ROWS]
    rows.append((visit.say("slips.row_asked"), visit.say("slips.day", {"at": facts["asked"]})))
    rows.append((visit.say("slips.row_due"), visit.say("slips.when", {"at": facts["part_due"]})))
    return visit.show(
        "slip.html",
        status,
        code=visit.code,
        token=asked.token,
        lead=visit.say("slips.lead", facts),
        note=visit.say("slips.note", facts),
        rows=rows,
        typed={name: fields.get(name, "") for name in ("text", "state", "expected", "officer")},
        trouble=trouble,
        today=visit.context.rules.calendar.local(visit.context.clock_now()).date().isoformat(),
    )


def _thanks(visit: _Visit, given: Answer) -> Response:
    words = visit.say("slips.thanks_done" if given.done else "slips.thanks_going")
    again = "" if given.done else visit.code
    return visit.show("slip_note.html", 200, title=visit.say("slips.thanks"), words=words, again=again)


def _no_form(visit: _Visit, asked: Asked | None) -> Response:
    """Why there is nothing to fill in. Unknown, used and expired codes are answered alike, and counted."""
    if asked is not None:
        title, words = _NOT_WANTED[asked.state]
        sentence = visit.say(words, asked.facts)
        return visit.show("slip_note.html", 410, title=visit.say(title), words=sentence, again="")
    gone = visit.say("slips.gone_title")
    if not visit.context.limits.take(visit.source, WRONG_CODES, visit.context.machine_now()):
        return visit.show("slip_note.html", 429, title=gone, words=visit.say("slips.too_often"), again="")
    return visit.show("slip_note.html", 404, title=gone, words=visit.say("slips.gone"), again="")
