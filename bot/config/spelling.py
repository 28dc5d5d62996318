"""Writes a value the way it stands in config.toml."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import time
from enum import Enum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from bot.config.values import show
from domain.hours import Interval
from domain.spans import Span, Unit

_SUFFIXES = {
    Unit.WORKING_DAYS: ((1, "wd"),),
    Unit.WORKING_HOURS: ((3600, "wh"),),
    Unit.WALL: ((3600, "h"), (60, "m"), (1, "s")),
}


def to_toml(value: Any) -> str:
    """A value of the model as TOML. A share is a float; a day is a pair of numbers, month first."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_name(name)} = {to_toml(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, tuple | list) and not _is_day(value):
        return "[" + ", ".join(to_toml(item) for item in value) + "]"
    return quote(_text(value))


def quote(text: str) -> str:
    """A text in quotes; Chinese stays Chinese."""
    return json.dumps(text, ensure_ascii=False)


def _name(name: str) -> str:
    """Plain ASCII names stand bare."""
    return name if name.isascii() and name.isidentifier() else quote(name)


def spell_span(span: Span) -> str:
    """`4wh`, `3wd`, `15m`."""
    for factor, suffix in _SUFFIXES[span.unit]:
        if span.amount % factor == 0:
            return f"{span.amount // factor}{suffix}"
    raise ValueError(f"no whole number of units: {span}")


def _text(value: Any) -> str:
    for kind, write in _WRITERS.items():
        if isinstance(value, kind):
            return str(write(value))
    raise TypeError(f"config.toml holds no {type(value).__name__}")


def _is_day(value: tuple[Any, ...] | list[Any]) -> bool:
    return len(value) == 2 and all(isinstance(part, int) for part in value)


_WRITERS: dict[type, Any] = {
    Enum: lambda value: value.value,
    str: str,
    float: lambda value: f"{value * 100:g}%",
    time: lambda value: f"{value:%H:%M}",
    Span: spell_span,
    Interval: show,
    ZoneInfo: lambda value: value.key,
    Path: lambda value: value.as_posix(),
    SecretStr: lambda value: value.get_secret_value(),
    tuple: lambda value: f"{value[0]:02}-{value[1]:02}",
}
