"""The office's papers: owed as a name with a few facts, written when they leave, from what is so then."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.appeal import Appeal
from domain.ledger import paper_number
from domain.parts import Part, PartKind
from domain.people import Department, Person
from domain.rules import Rules
from domain.said import Fact, Said
from reports.paper import Paper
from storage import appeals, history, listeners, people, rungs
from storage.database import Tx
from storage.scope import SYSTEM
from storage.values import from_ms, from_ms_or_none
from texts import Catalogue, render

KINDS = frozenset({"reminder_notice", "supervision_notice", "chief_brief", "forward_slip"})
# The brief stays on one page: so many steps, and so many characters of each step, text and name.
MOST_STEPS = 5
MOST_WORDS = 54
_MOST_STUCK = 200
_MOST: Mapping[str, int] = {"paper.row_problem": 140, "paper.row_firm": 28, "paper.row_zone": 28}
_MOST_PARTS = 112
_MOST_LATEST = 84
_MOST_LINE = 56
_TOLD = frozenset({"file", "dispatch", "acknowledge", "progress", "part_progress", "part_done", "suspend", "extend"})


@dataclass(frozen=True, slots=True)
class Case:
    """What papers are about: a matter, perhaps one part of it, as it is now; `facts` are for the sentences."""

    appeal: Appeal
    part: Part | None
    reader: Person | None
    unit: Department | None
    facts: Mapping[str, Fact]
    at: datetime

    @property
    def external(self) -> bool:
        """Whether it goes to somebody who is asked, not ordered."""
        return self.unit is not None and self.unit.external


class _Words:
    """Says sentences in the reader's language."""

    def __init__(self, catalogue: Catalogue, rules: Rules, language: str) -> None:
        self._catalogue = catalogue
        self._rules = rules
        self._language = language

    def of(self, key: str, facts: Mapping[str, Fact]) -> str:
        return render(self._catalogue, Said(key, facts), self._language, self._rules.calendar.zone)


async def attachment(tx: Tx, rules: Rules, catalogue: Catalogue, owed: Mapping[str, Any]) -> tuple[str, bytes]:
    """An owed paper: the file's name and its content (docx). LookupError where its matter does not exist."""
    facts = owed["facts"]
    words = _Words(catalogue, rules, facts["language"])
    case = await _case(tx, rules, facts)
    kind = _kind(owed["document"], case)
    paper = await _paper(tx, rules, words, case, kind)
    name = words.of("paper.file_name", {"title": paper.title, "paper_number": case.facts["paper_number"]})
    from reports.papers import build  # what sets Word files takes memory, and is seldom wanted

    return name, build(paper)


def _kind(document: str, case: Case) -> str:
    """Outside units get a letter of request, whatever it is that others are reminded of."""
    return "work_letter" if case.external and document in ("reminder_notice", "supervision_notice") else document


async def _case(tx: Tx, rules: Rules, facts: Mapping[str, Any]) -> Case:
    appeal = await appeals.get(tx, facts["number"], SYSTEM)
    if appeal is None:
        raise LookupError(f"no appeal {facts['number']}")
    at = from_ms(facts["at"])
    part = appeal.part(facts.get("part") or 0)
    reader = await people.person(tx, facts["person"], at) if facts.get("person") else None
    unit = await people.department(tx, reader.department_id if reader else part.department_id if part else None)
    calendar = rules.calendar
    late = calendar.working_days_between(
        calendar.local(part.due if part else appeal.due).date(), calendar.local(at).date()
    )
    said: dict[str, Fact] = await listeners.appeal_facts(tx, appeal, rules)
    said |= listeners.part_facts(appeal, part.n if part else 0)
    said |= {
        "paper_number": paper_number(appeal.number, appeal.received_at, calendar),
        "whom": unit.name if unit else reader.name if reader else (part.unit if part else None),
        "days": max(late, 0),
        "times": await rungs.told_about(tx, appeal.id or 0),
        "text": facts.get("text"),
        "until": from_ms_or_none(facts.get("until")),
        "park": rules.park,
        "at": at,
        "link": facts.get("link"),
    }
    return Case(appeal, part, reader, unit, said, at)


async def _paper(tx: Tx, rules: Rules, words: _Words, case: Case, kind: str) -> Paper:
    brief = kind == "chief_brief"
    rows = _briefly(await _rows_of_brief(tx, case, words)) if brief else await _rows(tx, case, words)
    slip, link = (_slip(case, words), str(case.facts["link"] or "")) if kind == "forward_slip" else ((), "")
    back = words.of("paper.slip_link" if link else "paper.slip_by_hand", case.facts) if slip else ""
    return Paper(
        title=words.of(f"paper.{kind}", {}),
        number=str(case.facts["paper_number"]),
        addressee=words.of("paper.to", case.facts) if case.facts["whom"] and not brief else "",
        opening=[words.of(key, case.facts) for key in _opening(kind, case)],
        rows=[(words.of(label, {}), value) for label, value in rows],
        compact=brief,
        history_title=words.of("paper.history", {}),
        history=await _history(tx, case, words) if brief else (),
        signed=(words.of("paper.office", case.facts), words.of("paper.day", case.facts)),
        slip_title=words.of("paper.slip_title", {}),
        slip=slip,
        link=link,
        link_words=back,
    )


def _opening(kind: str, case: Case) -> Iterator[str]:
    part = "_part" if case.part is not None and case.part.kind is PartKind.SHARE else ""
    if kind == "reminder_notice":
        yield f"paper.reminder_opening{part}"
    if kind == "supervision_notice":
        yield "paper.supervision_opening"
    if kind == "work_letter":
        yield "paper.request_opening" if case.facts["text"] else f"paper.letter_opening{part}"
    if kind == "forward_slip":
        yield "paper.slip_opening"


def _about(case: Case, words: _Words) -> Iterator[tuple[str, str]]:
    """Whose matter, what, and by when."""
    facts = case.facts
    yield "paper.row_firm", str(facts["firm"])
    yield "paper.row_zone", str(facts["zone"] or "")
    yield "paper.row_category", str(facts["category"])
    yield "paper.row_problem", str(facts["words"] or facts["title"])
    yield "paper.row_received", words.of("paper.when", {"at": case.appeal.received_at})
    due = words.of("paper.when", {"at": case.part.due if case.part else case.appeal.due})
    yield "paper.row_hoped" if case.external else "paper.row_due", due


async def _rows(tx: Tx, case: Case, words: _Words) -> list[tuple[str, str]]:
    """What stands on a letter or notice; an outside unit is not shown how the park drives its own people."""
    known = [*_about(case, words), ("paper.row_lead", _lead(case, words))]
    if case.external:
        return known
    return [
        *known,
        ("paper.row_parts", "\n".join(_parts(case.appeal, words)) or words.of("paper.nothing", {})),
        ("paper.row_latest", await _latest(tx, case, words)),
        ("paper.row_days", _lateness(case, words)),
        ("paper.row_reminders", words.of("paper.times", case.facts)),
    ]


async def _rows_of_brief(tx: Tx, case: Case, words: _Words) -> list[tuple[str, str, int]]:
    """The same in short, with what is stuck: label, value, and how many characters there is room for."""
    return [
        *((label, value, _MOST.get(label, _MOST_LINE)) for label, value in _about(case, words)),
        ("paper.row_lead", _lead(case, words), _MOST_LINE),
        ("paper.row_parts", "；".join(_parts(case.appeal, words)) or words.of("paper.nothing", {}), _MOST_PARTS),
        ("paper.row_latest", await _latest(tx, case, words), _MOST_LATEST),
        ("paper.row_days", _lateness(case, words), _MOST_LINE),
        ("paper.row_reminders", words.of("paper.times", case.facts), _MOST_LINE),
        ("paper.row_stuck", str(case.facts["text"] or ""), _MOST_STUCK),
    ]


def _briefly(rows: Sequence[tuple[str, str, int]]) -> list[tuple[str, str]]:
    return [(label, _cut(value, most)) for label, value, most in rows]


def _lead(case: Case, words: _Words) -> str:
    in_charge = case.facts["in_charge"]
    return words.of(in_charge.key, in_charge.facts) if isinstance(in_charge, Said) else ""


async def _latest(tx: Tx, case: Case, words: _Words) -> str:
    note = await appeals.latest_progress(tx, case.appeal.id or 0)
    return words.of("remind.latest", {"at": note[0], "text": note[1]}) if note else words.of("remind.no_progress", {})


def _lateness(case: Case, words: _Words) -> str:
    return words.of("paper.late" if case.facts["days"] else "paper.in_time", case.facts)


def _parts(appeal: Appeal, words: _Words) -> list[str]:
    """What other units do or did, what those above were asked, a line each."""
    shares = [part for part in appeal.parts if part.kind in (PartKind.SHARE, PartKind.BEYOND)]
    return [
        words.of("paper.part_line" if part.is_open else "paper.part_done", listeners.part_facts(appeal, part.n))
        for part in shares
    ]


async def _history(tx: Tx, case: Case, words: _Words) -> Sequence[tuple[str, str]]:
    """The last steps that say something, the newest first, each cut short."""
    rows = [row for row in await history.standing(tx, case.appeal.id or 0) if row["name"] in _TOLD]
    return [
        (words.of("paper.when", {"at": from_ms(row["at"])}), _cut(words.of(*_step(row)), MOST_WORDS))
        for row in reversed(rows[-MOST_STEPS:])
    ]


def _step(row: Any) -> tuple[str, Mapping[str, Fact]]:
    actor = history.taken_by(row) or Said("look.system")
    facts = {"actor": actor, "verb": Said(f"verb.{row['name']}"), "text": row["text"]}
    return ("paper.step" if row["text"] else "paper.step_plain"), facts


def _slip(case: Case, words: _Words) -> Sequence[tuple[str, str]]:
    """The part that comes back: the number is filled in, the rest is theirs."""
    number = f"{case.facts['paper_number']}" + (f"-{case.part.n}" if case.part else "")
    given = {"paper.slip_number": number, "paper.slip_unit": str(case.facts["whom"] or "")}
    blank = ("paper.slip_result", "paper.slip_expected", "paper.slip_officer", "paper.slip_sealed")
    filled = [(words.of(key, {}), value) for key, value in given.items()]
    return [*filled, *((words.of(key, {}), "\n\n" if key == "paper.slip_result" else "") for key in blank)]


def _cut(text: str, most: int) -> str:
    """The text on one line, and no longer than that."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
