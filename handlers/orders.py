"""What is hard goes up: 难易, 提请 to the chief officer, 督办 and 批示 with a date by which an answer is looked for."""

from collections.abc import Mapping

from domain.access import Relation
from domain.appeal import Appeal, Details
from domain.effects import dated, reclassify
from domain.errors import Refused
from domain.guards import Moment
from domain.lifecycle import step_of
from domain.rules import Difficulty
from domain.said import Button, Fact, Said
from domain.verbs import Verb
from domain.when import read_when
from domain.words import MOST_TEXT
from domain.workdays import Span, Unit
from handlers import wishes
from handlers.dates import closing
from handlers.router import Ask, Handler, Reply, Request, one_row
from storage import listeners, people

ANSWER_WITHIN = Span(3, Unit.WORKING_DAYS)
"""By when an order is to be answered, where it names no date."""
_GRADES: Mapping[str, Difficulty] = {
    **dict.fromkeys(("易", "easy"), Difficulty.EASY),
    **dict.fromkeys(("中", "normal", "medium"), Difficulty.NORMAL),
    **dict.fromkeys(("难", "hard"), Difficulty.HARD),
}
_LABELS = {Difficulty.EASY: "易", Difficulty.NORMAL: "中", Difficulty.HARD: "难"}


async def _facts(request: Request, appeal: Appeal) -> dict[str, Fact]:
    return await listeners.appeal_facts(request.tx, appeal, request.rules)


def _named(appeal: Appeal) -> Mapping[str, Fact]:
    return {"number": appeal.number, "title": appeal.title}


def _words(request: Request, ask: str, appeal: Appeal) -> str:
    text = request.need_text(ask, _named(appeal))
    if len(text) > MOST_TEXT:
        raise Refused("refused.too_long", {"most": MOST_TEXT, "length": len(text)})
    return text


async def grade(request: Request) -> Reply:
    """难易: what shortens the time holds at once, what lengthens it is the coordinator's to decide."""
    appeal = await request.appeal()
    step_of(appeal, request.verb)
    kept = str(request.answered.get("graded", ""))
    word, _, reason = f"{kept} {request.argument} {request.text}".strip().partition(" ")
    if not word:
        raise Ask("ask.difficulty", _named(appeal), one_row(*(_grade(request, appeal, each) for each in Difficulty)))
    graded = _GRADES.get(word.lower())
    if graded is None:
        raise Refused("refused.difficulty_unknown", {"word": word[:20]})
    details = Details(text=reason.strip(), difficulty=graded)
    if await _is_sooner(request, appeal, details) or await wishes.decides(request, appeal):
        after = await request.step(appeal, details=details)
        return Reply("orders.graded", {**await _facts(request, after), "difficulty": _word(graded)}, appeal=after)
    if not details.text:
        raise Ask("ask.difficulty_reason", _named(appeal), keep={"graded": word})
    return await wishes.ask(request, appeal, details, difficulty=_word(graded))


def _grade(request: Request, appeal: Appeal, graded: Difficulty) -> Button:
    label = _LABELS[graded] if request.who.language == "zh" else graded.value.capitalize()
    return Button(Verb.DIFFICULTY, appeal.number, appeal.version, graded.value, label)


def _word(graded: Difficulty) -> Said:
    return Said(f"difficulty.{graded}")


async def _is_sooner(request: Request, appeal: Appeal, details: Details) -> bool:
    """Whether the date comes no later by this."""
    fields = reclassify(Moment(appeal, request.at, request.rules, details))
    dates = fields.get("dates", appeal.dates)
    return bool(dated(dates, request.rules.calendar)["due"] <= appeal.due)


async def refer(request: Request) -> Reply:
    """提请: a hard case goes to the chief officer with a one-page brief."""
    appeal = await request.appeal()
    step_of(appeal, request.verb)
    firm = await people.enterprise(request.tx, appeal.enterprise_id)
    if firm.chief_id is None:
        raise Refused("refused.no_chief", {"number": appeal.number, "firm": firm.short_name})
    text = _words(request, "ask.refer", appeal)
    return await wishes.do_or_ask(request, appeal, Details(text=text), "orders.referred")


async def order(request: Request) -> Reply:
    """督办 / 批示 [date] <what is wanted>: the handler answers by that day, and is chased until he has."""
    appeal = await request.appeal()
    step_of(appeal, request.verb)
    if request.verb is Verb.INSTRUCT and appeal.escalated:
        return await _decide(request, appeal)
    line = _words(request, "ask.order", appeal)
    calendar = request.rules.calendar
    when = read_when(line, calendar.local(request.at).date())
    until = closing(calendar, when, request.at) if when else calendar.add(request.at, ANSWER_WITHIN)
    text = when.rest.strip() if when else line
    if not text:
        raise Refused("refused.order_without_words", {"number": appeal.number})
    after = await request.step(appeal, details=Details(text=text, title=text, until=until))
    facts = {**await _facts(request, after), "until": until, "verb": Said(f"verb.{request.verb}")}
    return Reply("orders.ordered", facts, appeal=after)


async def _decide(request: Request, appeal: Appeal) -> Reply:
    """What was rejected twice is the inspector's to decide, and nobody else's."""
    if Relation.INSPECTOR not in await request.relations(appeal):
        raise Refused("refused.awaits_inspector", {"number": appeal.number})
    text = request.need_text("ask.decide", _named(appeal))
    after = await request.step(appeal, details=Details(text=text))
    return Reply("oversight.decided", await _facts(request, after), appeal=after)


async def read(request: Request) -> Reply:
    """已阅: a leader has seen it."""
    appeal = await request.appeal()
    after = await request.step(appeal)
    return Reply("orders.read", await _facts(request, after), appeal=after)


COMMANDS: Mapping[Verb, Handler] = {
    Verb.DIFFICULTY: grade,
    Verb.REFER: refer,
    Verb.SUPERVISE: order,
    Verb.INSTRUCT: order,
    Verb.READ: read,
}
