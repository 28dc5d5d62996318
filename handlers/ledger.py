"""The problem ledger as a file: asked for as 台账, built at delivery or by `lianqi export ledger`."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from domain import ledger
from domain.errors import Refused
from domain.figures import Identity, Part
from domain.rules import Rules
from domain.said import Fact, Said
from domain.verbs import Verb
from handlers.router import Handler, Reply, Request
from reports.ledger import Cell, LedgerBook
from storage import figures
from storage import ledger as entries
from storage.database import Tx
from storage.values import from_ms, to_ms
from texts import Catalogue, render

DOCUMENT = "ledger"
_MOMENT = timedelta(milliseconds=1)


async def ask(request: Request) -> Reply:
    """台账: the file, privately; it holds ratings by name, which are the coordinators' alone."""
    calendar = request.rules.calendar
    words = " ".join((*request.numbers, request.text)).strip()  # a year alone is read like a number
    wanted = ledger.period(words, request.at, calendar)
    if wanted is None:
        raise Refused("ledger.period_unknown", {"words": words[:20]})
    received = await figures.month(request.tx, wanted.since, wanted.until)
    first, last = await _days(request.tx, request.rules, wanted.since, wanted.until)
    facts: dict[str, Fact] = {"first": first, "last": last, "count": received.received}
    return Reply("ledger.reply", facts, private=True, files=(document(wanted),))


def document(wanted: ledger.Period) -> Mapping[str, object]:
    """The file as it is owed: what `attachment` builds it from at delivery."""
    span = {"from": to_ms(wanted.since), "until": to_ms(wanted.until), "period": wanted.name}
    return {"document": DOCUMENT, "name": f"ledger-{wanted.name}.xlsx", "facts": span}


async def attachment(tx: Tx, rules: Rules, catalogue: Catalogue, owed: Mapping[str, Any]) -> tuple[str, bytes]:
    """An owed ledger as it is now: the file's name in the park's language, and the workbook."""
    facts = owed["facts"]
    name = _Words(catalogue, rules).of(Said("ledger.file", {"period": facts["period"]}))
    return name, await build(tx, rules, catalogue, from_ms(facts["from"]), from_ms(facts["until"]))


async def build(tx: Tx, rules: Rules, catalogue: Catalogue, since: datetime, until: datetime) -> bytes:
    """The workbook (xlsx) of all that was received from `since` up to, not including, `until`.

    Headers and words are in the park's language. Sealed matters stand in no row and no figure. Needs only reads.
    """
    words = _Words(catalogue, rules)
    first, last = await _days(tx, rules, since, until)
    title = words.of(Said("ledger.title", {"park": rules.park, "first": first, "last": last}))
    headers = [words.of(Said(key)) for key in ledger.COLUMNS]
    book = LedgerBook(title, words.of(Said("ledger.sheet")), headers)
    ordinal = 0
    async for page in entries.rows(tx, since, until):
        book.add(_lines(page, ordinal, rules, words))
        ordinal += len(page)
    summary = _summary(await figures.month(tx, since, until), title, words)
    return book.finish(words.of(Said("ledger.figures")), summary)


async def _days(tx: Tx, rules: Rules, since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """The first and the last day of a period; everything begins with the first appeal that there is."""
    last = until - _MOMENT
    if since > ledger.EVERYTHING_SINCE:
        return since, last
    return await entries.first_received(tx) or rules.calendar.day_start(last), last


class _Words:
    """Says words in the park's language; those without facts, which fill most cells, only once."""

    def __init__(self, catalogue: Catalogue, rules: Rules) -> None:
        self._catalogue = catalogue
        self._rules = rules
        self._plain: dict[str, str] = {}

    def of(self, said: Said) -> str:
        """The sentence."""
        if said.facts:
            return self._said(said)
        if said.key not in self._plain:
            self._plain[said.key] = self._said(said)
        return self._plain[said.key]

    def cell(self, cell: ledger.Cell) -> Cell:
        """What stands in a cell: figures and people's text as they are, our own words said."""
        if isinstance(cell, Said):
            return self.of(cell)
        return "\n".join(self.of(said) for said in cell) if isinstance(cell, tuple) else cell

    def _said(self, said: Said) -> str:
        return render(self._catalogue, said, self._rules.language, self._rules.calendar.zone)


def _lines(page: Sequence[ledger.Entry], before: int, rules: Rules, words: _Words) -> Iterator[Sequence[Cell]]:
    for ordinal, entry in enumerate(page, before + 1):
        yield [words.cell(cell) for cell in ledger.cells(entry, ordinal, rules)]


_PARTS: Mapping[Part, str] = {
    Part.CLOSED: "ledger.part_closed",
    Part.DISPUTED: "ledger.part_disputed",
    Part.UNRATED: "ledger.part_unrated",
    Part.WAITING: "ledger.part_waiting",
    Part.UNDER_WAY: "ledger.part_under_way",
    Part.DECLINED: "ledger.part_declined",
    Part.WITHDRAWN: "ledger.part_withdrawn",
    Part.MERGED: "ledger.part_merged",
}


def _summary(month: Identity, title: str, words: _Words) -> Iterator[Sequence[Cell]]:
    """受理 and its parts, and whether the sum is right."""
    yield [title]
    yield [words.of(Said("ledger.total")), month.received]
    for part, count in month.parts.items():
        yield [words.of(Said(_PARTS[part])), count]
    verdict = Said("ledger.holds") if month.holds else Said("ledger.gap", {"count": month.gap})
    yield [words.of(Said("ledger.check")), words.of(verdict)]


COMMANDS: Mapping[Verb, Handler] = {Verb.LEDGER: ask}
