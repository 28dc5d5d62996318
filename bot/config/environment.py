"""Lays the environment over a configuration: LIANQI_WEB__PORT=8081 goes before `port` in [web]."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from typing import Any

from bot.config.model import Config
from bot.config.problems import Path

PREFIX = "LIANQI_"


def lay_over(table: dict[str, Any], env: Mapping[str, str]) -> Mapping[Path, str]:
    """Put every variable of ours into the table; the answer tells which variable gave which value.

    Sections are parted from keys by two underscores, lists and tables are written as in TOML or JSON. A name
    without two underscores counts only if it is a section: LIANQI_CATEGORY. Of a secret and its `*_file` twin
    the one in the environment holds.
    """
    given: dict[Path, str] = {}
    for variable in sorted(env):
        way = _way(variable)
        if way and _put(table, way, _read(env[variable])):
            given[way] = variable
    return given


def _way(variable: str) -> tuple[str, ...]:
    if not variable.upper().startswith(PREFIX):
        return ()
    way = tuple(variable[len(PREFIX) :].lower().split("__"))
    return way if len(way) > 1 or way[0] in Config.model_fields else ()


def _put(table: dict[str, Any], way: tuple[str, ...], value: Any) -> bool:
    """Whether there was room for it: a key in the place of a table is told as the file's own fault."""
    *outer, last = way
    for name in outer:
        inner = table.setdefault(name, {})
        if not isinstance(inner, dict):
            return False
        table = inner
    table.pop(last.removesuffix("_file") if last.endswith("_file") else f"{last}_file", None)
    if isinstance(value, dict) and isinstance(table.get(last), dict):
        value = {**table[last], **value}
    table[last] = value
    return True


def _read(text: str) -> Any:
    """Lists and tables as what they are; whatever else stands there is a text."""
    if not text.lstrip().startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
