"""What is wrong with a configuration: each trouble with its place and its remedy, all of them told at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from typing import TypeAlias

from domain.said import Said
from texts import Catalogue, render

Path: TypeAlias = tuple[str | int, ...]
"""How one gets to a value from the top: table names, and places in a list counted from 0."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One trouble. `file` is a file or `$VARIABLE`; `line` is 0 where there is none; places in `key` count from 1."""

    file: str
    line: int
    key: str
    said: Said

    def __str__(self) -> str:
        """`config.toml:12 web.port: 中文 / English`; the park's language is not known yet, so both."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{' '.join(part for part in (place, self.key) if part)}: {speak(self.said)}"


class ConfigError(Exception):
    """A configuration that cannot be used; the command line prints it and exits with 78."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.file, problem.line, problem.key))
        super().__init__(self.problems)

    def __str__(self) -> str:
        """A heading, then one line a problem."""
        heading = speak(Said("config.heading", {"count": len(self.problems)}))
        return "\n".join([heading, *(f"  {problem}" for problem in self.problems)])


class Wrong(ValueError):
    """Raised by a reader of values: what should be there instead, and where within the value (`()`: all of it)."""

    def __init__(self, *faults: tuple[Path, Said]) -> None:
        super().__init__(", ".join(said.key for _, said in faults))
        self.faults = faults


def wrong(key: str, **facts: str | int) -> Wrong:
    """The whole value is wrong."""
    return Wrong(((), Said(key, facts)))


def spell(path: Path) -> str:
    """`category[2].route` for ("category", 1, "route"): people count from 1; odd names stand in quotes."""
    spelled = ""
    for part in path:
        if isinstance(part, int):
            spelled += f"[{part + 1}]"
        else:
            spelled += ("." if spelled else "") + (part if _is_bare(part) else f'"{part}"')
    return spelled


def speak(said: Said) -> str:
    """The sentence in both languages, on one line."""
    both = (render(_catalogue(), said, language, UTC) for language in ("zh", "en"))
    return " / ".join(" ".join(text.split("\n")) for text in both)


def _is_bare(name: str) -> bool:
    return bool(name) and all(letter.isalnum() or letter in "_-" for letter in name)


@lru_cache(maxsize=1)
def _catalogue() -> Catalogue:
    return Catalogue.load()
