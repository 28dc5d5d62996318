"""Turns what pydantic finds into problems that a coordinator can act on."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from bot.config.keys import children, find, keys
from bot.config.model import Config
from bot.config.origin import Origin
from bot.config.problems import Path, Problem, Wrong, spell
from bot.config.spelling import to_toml
from domain.said import Said

_KEYS = {
    "string_type": "config.need_text",
    "int_type": "config.need_number",
    "int_parsing": "config.need_number",
    "int_from_float": "config.need_number",
    "bool_type": "config.need_bool",
    "bool_parsing": "config.need_bool",
    "tuple_type": "config.need_list",
    "model_type": "config.need_table",
    "mapping_type": "config.need_table",
    "dict_type": "config.need_table",
    "too_short": "config.empty",
    "path_type": "config.need_text",
}


def explain(error: ValidationError, origin: Origin) -> Iterator[Problem]:
    """One problem a fault; the values themselves are never repeated here, one of them may be a secret."""
    for item in error.errors(include_url=False, include_input=False):
        path: Path = tuple(part for part in item["loc"] if part != "[key]")
        cause = item.get("ctx", {}).get("error")
        faults = cause.faults if isinstance(cause, Wrong) else [((), _said(item["type"], path, item))]
        for at, said in faults:
            yield origin.problem((*path, *at), said)


def _said(kind: str, path: Path, item: Any) -> Said:
    if kind == "missing":
        return _missing(path)
    if kind == "extra_forbidden":
        return _unknown(path)
    if kind in ("enum", "literal_error"):
        return Said("config.not_one_of", {"allowed": item["ctx"]["expected"].replace(" or ", ", ")})
    if kind in _KEYS:
        return Said(_KEYS[kind])
    return Said("config.wrong_kind")


def _missing(path: Path) -> Said:
    key = find(path)
    if key is None or key.model is not None:
        return Said("config.section_missing", {"section": spell(path)})
    example = (key.field.examples or [""])[0]
    return Said("config.missing", {"example": f"{key.name} = {to_toml(example)}"})


def _unknown(path: Path) -> Said:
    """The nearest key of the same table; else the same key in another table; else all that the table has."""
    *outer, last = path
    around = find(tuple(outer))
    model = Config if not outer else around.model if around else None
    here = [key.name for key in children(model)] if model else []
    near = get_close_matches(str(last), here, 1)
    if near:
        return Said("config.unknown_meant", {"meant": spell((*outer, near[0]))})
    elsewhere = next((key for key in keys() if key.name == last), None)
    if elsewhere is not None:
        return Said("config.unknown_meant", {"meant": spell(elsewhere.path)})
    return Said("config.unknown", {"known": ", ".join(here)})
