"""Brings secrets in from the files that `*_file` names, and refuses those that others on the machine can read."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

from bot.config.keys import secrets
from bot.config.origin import Origin
from bot.config.problems import Problem
from domain.said import Said

_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH


@dataclass(frozen=True, slots=True)
class Place:
    """One secret: the table it belongs to, and the way to it."""

    table: dict[str, Any]
    way: tuple[str, ...]

    @property
    def name(self) -> str:
        """`token`"""
        return self.way[-1]

    @property
    def twin(self) -> tuple[str, ...]:
        """The way to `token_file`."""
        return (*self.way[:-1], f"{self.name}_file")


def settle_secrets(data: dict[str, Any], origin: Origin, env: Mapping[str, str], *, exposed: bool) -> Iterator[Problem]:
    """Read every secret that stands in a file of its own into its place; yield what is wrong.

    `exposed` says that others on the machine can read config.toml itself. Relative paths count from the working
    folder; `${CREDENTIALS_DIRECTORY}/token` and other variables are filled in.
    """
    for place in _places(data):
        inline, twin = place.name in place.table, place.twin[-1] in place.table
        if inline and twin:
            yield origin.problem(place.twin, Said("config.secret_twice", {"key": place.name}))
        elif twin:
            problem = _fetch(place, env)
            if problem is not None:
                yield origin.problem(place.twin, problem)
        elif inline and exposed and not origin.variable(place.way) and _is_secret(place):
            yield origin.problem(place.way, Said("config.exposed", {"file": Path(origin.file).name}))


def is_exposed(path: Path) -> bool:
    """Whether others than its owner may read a file; systems without such rights never say so."""
    return os.name == "posix" and bool(path.stat().st_mode & _OTHERS_READ)


def _places(data: dict[str, Any]) -> Iterator[Place]:
    for way in secrets():
        table: Any = data
        for name in way[:-1]:
            table = table.get(name) if isinstance(table, dict) else None
        if isinstance(table, dict):
            yield Place(table, way)


def _fetch(place: Place, env: Mapping[str, str]) -> Said | None:
    named = place.table[place.twin[-1]]
    if not isinstance(named, str):
        return None  # the model says what should stand there
    file = Path(Template(named).safe_substitute(env))
    try:
        text = file.read_text(encoding="utf-8-sig").strip()
        place.table[place.name] = tomllib.loads(text) if place.name == "webhooks" else text
    except (OSError, ValueError):
        return Said("config.no_secret_file", {"file": str(file)})
    return None if text else Said("config.secret_file_empty", {"file": str(file)})


def _is_secret(place: Place) -> bool:
    """An address is one only with a password in it."""
    value = place.table[place.name]
    if place.way != ("storage", "url"):
        return bool(value)
    try:
        return isinstance(value, str) and bool(urlsplit(value).password)
    except ValueError:
        return True
