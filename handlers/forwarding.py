"""诉求转办单: an outside unit is asked by paper, with a link by which it answers without an account."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from domain.appeal import Appeal, Details, Status
from domain.errors import Refused
from domain.ledger import paper_number
from domain.lifecycle import open_to, step_of, take
from domain.parts import Outcome, Part, PartKind
from domain.people import Department
from domain.rules import Rules
from domain.said import Fact
from domain.verbs import Verb
from domain.when import read_when
from domain.words import MOST_TEXT, cleaned, without_phones
from handlers import oversight
from handlers.router import Ask, Handler, Reply, Request
from storage import appeals, listeners, slips
from storage.database import Tx
from storage.scope import SYSTEM
from storage.slips import Slip
from storage.values import to_ms

MOST_OFFICER = 20
FURTHEST = timedelta(days=3 * 365)
"""How far ahead a day may lie on which something is expected."""


# The paper ------------------------------------------------------------------------------------------------------------
async def hand_out(request: Request) -> Reply:
    """转办单 <unit>: the paper by which a unit is asked for its part, with a link for the answer."""
    appeal = await request.appeal(_has_share)
    step_of(appeal, request.verb)
    part = await _part_of(request, appeal)
    facts: Mapping[str, Fact] = {"part": part.n, "unit": part.unit}
    after = await request.step(appeal, details=Details(part=part.n, facts=facts))
    until = request.at + slips.LIFETIME
    said = {"until": to_ms(until), "language": request.rules.language}
    if request.rules.public_url:
        said["slip"] = await slips.make(request.tx, after.id or 0, part.n, request.who.id, request.at)
    paper = listeners.owed_paper("forward_slip", after, None, part.n, request.at, **said)
    shown = await listeners.appeal_facts(request.tx, after, request.rules)
    shown |= {**listeners.part_facts(after, part.n), "until": until}
    key = "slips.made" if "slip" in said else "slips.made_without_link"
    return Reply(key, shown, private=True, appeal=after, files=(paper,))


async def _has_share(appeal: Appeal) -> bool:
    return bool(_shares(appeal))


def _shares(appeal: Appeal) -> list[Part]:
    return [part for part in appeal.open_parts if part.kind is PartKind.SHARE]


async def _part_of(request: Request, appeal: Appeal) -> Part:
    """The part of the button, of the unit that is named, or the only one; a unit without one is to be asked first."""
    waiting = _shares(appeal)
    pressed = [part for part in waiting if str(part.n) == request.argument]
    name, _ = oversight.name_first(request.text)
    named = pressed or [part for part in waiting if name and name in part.unit]
    if len(named) == 1:
        return named[0]
    other = await oversight.unit_called(request, name) if name else None
    if not waiting or (other is not None and not named):
        raise _without_part(appeal, name, other)
    if len(waiting) == 1:
        return waiting[0]
    units = "、".join(part.unit for part in waiting)
    raise Ask("ask.slip", {"number": appeal.number, "title": appeal.title, "units": units})


def _without_part(appeal: Appeal, name: str, unit: Department | None) -> Refused:
    """Why there is no paper yet, and what comes first."""
    if unit is None and name:
        return Refused("refused.unit_unknown", {"name": name[:20]})
    facts = {"number": appeal.number, "title": appeal.title, "unit": unit.name if unit else ""}
    return Refused("refused.slip_without_part" if unit else "refused.slip_without_parts", facts)


# The page behind the link ---------------------------------------------------------------------------------------------
class State(StrEnum):
    """Whether an answer is still wanted: open; on hold; the part is done or waived; the whole is over."""

    OPEN = "open"
    PAUSED = "paused"
    DONE = "done"
    WAIVED = "waived"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Asked:
    """What stands behind a good code, and what its holder may read of it. `token` is that of the form as it is now."""

    slip: Slip
    appeal: Appeal
    part: Part
    state: State
    token: str
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a unit says of its part; `expected` where it is not done yet. `token` is the form's."""

    text: str
    officer: str
    done: bool
    expected: date | None
    token: str


async def behind(tx: Tx, rules: Rules, code: str, at: datetime) -> Asked | None:
    """The part that a code asks for, with the little that an outside unit may see; None for a code that is not good."""
    slip = await slips.meant(tx, code, at)
    appeal = await appeals.by_id(tx, slip.appeal_id, SYSTEM) if slip else None
    part = appeal.part(slip.part) if appeal and slip else None
    if slip is None or appeal is None or appeal.sealed or part is None:
        return None
    facts = await _seen_outside(tx, rules, appeal, part)
    facts["until"] = slip.expires_at
    return Asked(slip, appeal, part, _state(appeal, part), slips.form_token(code, slip.answers), facts)


async def _seen_outside(tx: Tx, rules: Rules, appeal: Appeal, part: Part) -> dict[str, Fact]:
    """No contact, no phone, no note, no rating, nothing of other units."""
    known = await listeners.appeal_facts(tx, appeal, rules)
    return {
        "slip_number": f"{paper_number(appeal.number, appeal.received_at, rules.calendar)}-{part.n}",
        "firm": known["firm"],
        "category": known["category"],
        "title": without_phones(appeal.title),
        "unit": part.unit,
        "part": without_phones(part.title),
        "asked": part.asked_at,
        "part_due": part.due,
        "park": rules.park,
    }


def _state(appeal: Appeal, part: Part) -> State:
    if part.outcome is Outcome.DONE:
        return State.DONE
    if part.outcome is not None:
        return State.WAIVED
    if appeal.status in open_to(Verb.PART_DONE):
        return State.OPEN
    return State.PAUSED if appeal.status in (Status.SUSPENDED, Status.LONG_TERM) else State.OVER


def read_answer(fields: Mapping[str, str], today: date) -> Answer:
    """A form that was filled in: `text`, `officer`, `state` (done or going), `expected`, `token`.

    Refused with what is missing or cannot be meant.
    """
    text, officer = cleaned(fields.get("text", "")), " ".join(cleaned(fields.get("officer", "")).split())
    state = fields.get("state", "")
    if not text:
        raise Refused("slips.text_needed")
    if len(text) > MOST_TEXT:
        raise Refused("refused.too_long", {"most": MOST_TEXT, "length": len(text)})
    if state not in ("done", "going"):
        raise Refused("slips.state_needed")
    if not officer:
        raise Refused("slips.officer_needed")
    if len(officer) > MOST_OFFICER:
        raise Refused("slips.officer_too_long", {"most": MOST_OFFICER})
    expected = _expected(cleaned(fields.get("expected", "")), today) if state == "going" else None
    return Answer(text, officer, state == "done", expected, fields.get("token", ""))


def _expected(written: str, today: date) -> date | None:
    """A day as browsers send it, or as people write it."""
    if not written:
        return None
    when = read_when(written, today)
    if when is None or when.day is None or when.rest.strip() or when.day > today + FURTHEST:
        raise Refused("slips.expected_unclear")
    if when.day < today:
        raise Refused("slips.expected_past")
    return when.day


async def take_answer(tx: Tx, rules: Rules, code: str, answer: Answer, at: datetime) -> Asked | None:
    """Record what the unit says of its part, under its name, and tell the lead; what stood behind the code before.

    None where the code is not good any more; where nothing is wanted any more nothing is recorded, the state says why.
    Refused where the form was sent before or is none of ours.
    """
    asked = await behind(tx, rules, code, at)
    if asked is None or asked.state is not State.OPEN:
        return asked
    _must_be_fresh(asked.slip, code, answer.token)
    facts: Mapping[str, Fact] = {
        "part": asked.part.n,
        "on_behalf": asked.part.unit,
        "officer": answer.officer,
        "expected": answer.expected,
        "slip": asked.slip.id,
    }
    verb = Verb.PART_DONE if answer.done else Verb.PART_PROGRESS
    details = Details(text=answer.text, part=asked.part.n, facts=facts)
    await appeals.record(tx, take(asked.appeal, verb, by=None, at=at, rules=rules, details=details), rules)
    await slips.answered(tx, asked.slip, at, final=answer.done)
    return asked


def _must_be_fresh(slip: Slip, code: str, token: str) -> None:
    if token == slips.form_token(code, slip.answers):
        return
    sent = any(token == slips.form_token(code, n) for n in range(slip.answers))
    raise Refused("slips.sent_already" if sent else "slips.not_from_here")


COMMANDS: Mapping[Verb, Handler] = {Verb.SLIP: hand_out}
