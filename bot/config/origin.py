"""Where each value of a configuration came from, so that a problem can name the line or the variable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.config.problems import Path, Problem, spell
from domain.said import Said


@dataclass(frozen=True, slots=True)
class Origin:
    """The file as it was named, the lines of its keys, and the variables that overruled some of them."""

    file: str = ""
    lines: Mapping[Path, int] = field(default_factory=dict)
    variables: Mapping[Path, str] = field(default_factory=dict)

    def problem(self, path: Path, said: Said) -> Problem:
        """The trouble with the value at a path, or with the nearest table around it that stands somewhere."""
        variable = self.variable(path)
        if variable:
            return Problem(f"${variable}", 0, spell(path), said)
        line = next((self.lines[part] for part in _ways_up(path) if part in self.lines), 0)
        return Problem(self.file or "config", line, spell(path), said)

    def variable(self, path: Path) -> str:
        """The variable that gave the value at a path or a table around it; empty where none did."""
        return next((self.variables[part] for part in _ways_up(path) if part in self.variables), "")


def _ways_up(path: Path) -> list[Path]:
    return [path[:length] for length in range(len(path), 0, -1)]
