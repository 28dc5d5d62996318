"""Turns a sentence to be into words: fills the holes of its text, in a language and a civil zone."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import lru_cache
from string import Formatter

from domain.said import Fact, Said
from texts.catalogue import Catalogue, TextError

_UNKNOWN = "「…」"
BAR = "│ "
_log = logging.getLogger(__name__)

_Piece = tuple[str, str | None, str]  # literal text, the hole after it (if any), the hole's format


@lru_cache(maxsize=4096)
def _lines(template: str) -> tuple[tuple[_Piece, ...], ...]:
    return tuple(
        tuple((literal, name, spec or "") for literal, name, spec, _ in Formatter().parse(line))
        for line in template.split("\n")
    )


def render(catalogue: Catalogue, said: Said, language: str, zone: tzinfo) -> str:
    """Say it: facts in the holes, instants in the civil `zone`, a line whose holes are all empty left out.

    Holes are `{number}`, or with a format: `{due:when}` day and time, `{due:day}` day with weekday,
    `{due:date}` day with year, `{due:time}` the time alone, `{share:percent}` a share of one. `{text:said}` sets
    what somebody said, alone on a line, in quotation marks. What people wrote in several lines goes on behind a bar,
    so that none of them looks like a line of ours; `{body:plain}` leaves what the office wrote as it is. A strict
    catalogue raises TextError for a missing text or fact; any other shows 「…」 there and logs an error.
    """
    return _Speaker(catalogue, language, zone).sentence(said)


@dataclass(frozen=True, slots=True)
class _Speaker:
    catalogue: Catalogue
    language: str
    zone: tzinfo

    def sentence(self, said: Said) -> str:
        text = self.catalogue.texts.get(said.key)
        if text is None:
            return self._without_text(said)
        lines = (self._line(said, pieces) for pieces in _lines(text.of(self.language)))
        return "\n".join(line for line in lines if line is not None)

    def _line(self, said: Said, pieces: tuple[_Piece, ...]) -> str | None:
        """One line with its holes filled; None where it has holes and all are empty."""
        spoken: list[str] = []
        holes = empty = 0
        for literal, name, spec in pieces:
            spoken.append(literal)
            if name is not None:
                value = self._hole(said, name, spec)
                spoken.append(value)
                holes += 1
                empty += not value
        return None if holes and holes == empty else "".join(spoken)

    def _hole(self, said: Said, name: str, spec: str) -> str:
        if name not in said.facts:
            return self._trouble(f"{said.key}: the fact {{{name}}} is missing")
        try:
            return self._fact(said.facts[name], spec)
        except (TypeError, ValueError) as error:
            if isinstance(error, TextError):
                raise
            return self._trouble(f"{said.key}: the fact {{{name}:{spec}}} does not fit: {error}")

    def _fact(self, fact: Fact, spec: str) -> str:
        if fact is None:
            return ""
        if isinstance(fact, Said):
            return self.sentence(fact)
        if isinstance(fact, date):  # a datetime is one, too
            return self._moment(fact, spec)
        if isinstance(fact, bool):
            return self.sentence(Said("word.yes" if fact else "word.no"))
        if isinstance(fact, str):
            return _quoted(fact, spec)
        if isinstance(fact, int | float):
            return _figure(fact, spec)
        return "\n".join(line for item in fact if (line := self._fact(item, spec)))

    def _moment(self, moment: date, spec: str) -> str:
        """A civil date or an instant; `spec` is empty, when, day, date or time."""
        instant = isinstance(moment, datetime)
        if isinstance(moment, datetime):
            if moment.tzinfo is None:
                raise ValueError("a naive datetime")
            moment = moment.astimezone(self.zone)
        spec = spec or ("when" if instant else "day")
        if spec == "time":
            return f"{moment:%H:%M}"
        if spec not in ("when", "day", "date"):
            raise ValueError(f"a date has no {spec}")
        return self.sentence(Said(_MOMENTS[spec if instant or spec != "when" else "day"], _parts(moment)))

    def _without_text(self, said: Said) -> str:
        plain = (value for value in said.facts.values() if isinstance(value, str | int) and value != "")
        return " ".join([self._trouble(f"there is no text {said.key}"), *map(str, plain)])

    def _trouble(self, message: str) -> str:
        if self.catalogue.strict:
            raise TextError(message)
        _log.error("text trouble: %s", message)
        return _UNKNOWN


_MOMENTS = {"when": "time.when", "day": "time.day", "date": "time.date"}


def _parts(moment: date) -> Mapping[str, Fact]:
    return {
        "year": moment.year,
        "month": Said(f"month.{moment.month}"),
        "day": moment.day,
        "weekday": Said(f"weekday.{moment.isoweekday()}"),
        "time": f"{moment:%H:%M}",
    }


def _quoted(words: str, spec: str) -> str:
    """What somebody wrote: its further lines behind a bar, and, where it stands alone, in quotation marks."""
    if spec == "plain" or not words:
        return words
    barred = f"\n{BAR}".join(words.split("\n"))
    return f"“{barred}”" if spec == "said" else barred


def _figure(figure: float, spec: str) -> str:
    """A number as it is; as a percentage 0.875 is 87.5%, with at most one decimal."""
    if spec == "percent":
        return f"{figure * 100:.1f}".removesuffix(".0") + "%"
    return str(figure) if isinstance(figure, int) else f"{figure:.10g}"
