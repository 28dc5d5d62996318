"""What deadlines are counted from, as compact JSON in a column."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from domain.deadlines import Cap, Dates, Pause, Reckoning
from domain.spans import Span, Unit
from storage.values import from_json, from_ms, from_ms_or_none, to_json, to_ms, to_ms_or_none

_SECOND = timedelta(seconds=1)


def write_dates(dates: Dates) -> str:
    """The three reckonings of an appeal, and the date that others have set."""
    counted = [_pack(each) for each in (dates.dispatch, dates.acknowledge, dates.work)]
    return to_json([*counted, to_ms_or_none(dates.hard)])


@lru_cache(maxsize=4096)
def read_dates(text: str) -> Dates:
    """The inverse of `write_dates`."""
    dispatch, acknowledge, work, hard = from_json(text)
    return Dates(_unpack(dispatch), _unpack(acknowledge), _unpack(work), from_ms_or_none(hard))


def as_they_stand(received: datetime, *dates: datetime) -> Dates:
    """The three dates of an appeal of which nobody knows any more how they were counted: so long after its intake."""
    dispatch, acknowledge, work = (_so_long(received, date) for date in dates)
    return Dates(dispatch, acknowledge, work)


def _so_long(received: datetime, date: datetime) -> Reckoning:
    """Spans are whole seconds: counted from the full second of intake, so that the date comes out as it stands."""
    seconds = -((received - date) // _SECOND)
    return Reckoning(date - seconds * _SECOND, (Span(seconds, Unit.WALL),))


def write_reckoning(reckoned: Reckoning) -> str:
    """One reckoning."""
    return to_json(_pack(reckoned))


@lru_cache(maxsize=4096)
def read_reckoning(text: str) -> Reckoning:
    """The inverse of `write_reckoning`."""
    return _unpack(from_json(text))


def _pack(reckoned: Reckoning) -> list[Any]:
    return [
        to_ms(reckoned.start),
        [_span(span) for span in reckoned.spans],
        [_span(move) if isinstance(move, Span) else [to_ms(move.start), to_ms(move.end)] for move in reckoned.moves],
        [[to_ms(cap.start), *_span(cap.span)] for cap in reckoned.caps],
    ]


def _span(span: Span) -> list[Any]:
    return [span.amount, span.unit.value]


def _unpack(packed: Sequence[Any]) -> Reckoning:
    start, spans, moves, caps = packed
    return Reckoning(
        from_ms(start),
        tuple(_to_span(span) for span in spans),
        tuple(_to_span(move) if isinstance(move[1], str) else _to_pause(move) for move in moves),
        tuple(Cap(from_ms(cap[0]), _to_span(cap[1:])) for cap in caps),
    )


def _to_span(packed: Sequence[Any]) -> Span:
    return Span(packed[0], Unit(packed[1]))


def _to_pause(packed: Sequence[int]) -> Pause:
    return Pause(from_ms(packed[0]), from_ms(packed[1]))
