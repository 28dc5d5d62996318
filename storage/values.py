"""How times and facts are written into columns: milliseconds since the epoch, and compact JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def to_ms(at: datetime) -> int:
    """Whole milliseconds since the epoch, rounded down; a naive time is a ValueError."""
    if at.utcoffset() is None:
        raise ValueError("a stored time needs a time zone")
    return (at - EPOCH) // MILLISECOND


def from_ms(ms: int) -> datetime:
    """The UTC time of a stored number of milliseconds."""
    return EPOCH + ms * MILLISECOND


def to_ms_or_none(at: datetime | None) -> int | None:
    """`to_ms`, leaving an absent time absent."""
    return None if at is None else to_ms(at)


def from_ms_or_none(ms: int | None) -> datetime | None:
    """`from_ms`, leaving an absent time absent."""
    return None if ms is None else from_ms(ms)


def to_json(value: Any) -> str:
    """Compact JSON with sorted keys, so that equal facts are equal text; NaN is a ValueError."""
    return _ENCODER.encode(value)


def from_json(text: str) -> Any:
    """The value that `to_json` wrote."""
    return json.loads(text)


def one_of(name: str, values: Iterable[Any]) -> tuple[str, dict[str, Any]]:
    """The inside of IN (...) and its parameters, `name` and a number each; of no values NULL, which nothing equals."""
    named = {f"{name}{n}": value for n, value in enumerate(sorted(values))}
    return ", ".join(f":{each}" for each in named) or "NULL", named
