"""Puts the tables into their pages, each between a pair of marks, and leaves what people wrote around them alone."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from bot.config import pages as config
from deploy.reference import access, command_line, commands, ladder, lifecycle, program, roster, sentences
from deploy.reference.tables import DOCS

ROOT = DOCS.parent.parent
BLOCKS: Mapping[str, Callable[[], str]] = {
    "commands": commands.tables,
    "access to matters": access.with_appeal,
    "access without matters": access.without_appeal,
    "command line": command_line.table,
    "statuses": lifecycle.statuses,
    "steps": lifecycle.matrix,
    "ladder": ladder.rungs,
    "jobs": program.jobs,
    "channels": program.channels,
    "addresses": program.addresses,
    "roster": roster.sheets,
    "roster words": roster.words,
    "texts": sentences.themes,
}
WHOLE: Mapping[Path, Callable[[], str]] = {
    DOCS / "config.md": config.reference,
    ROOT / "config.example.toml": config.example,
}
_BLOCK = re.compile(r"(<!-- made: (?P<name>[a-z ]+), by `make reference` -->\n).*?(<!-- end -->)", re.DOTALL)


def renewed(page: str) -> str:
    """A page with its tables made anew; KeyError for a mark whose table nobody makes."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{BLOCKS[found['name']]()}\n\n{found[3]}", page)


def placed(page: str) -> list[str]:
    """The names of the tables that a page asks for."""
    return [found["name"] for found in _BLOCK.finditer(page)]


def stale() -> Mapping[Path, str]:
    """The pages that differ from what the program says now, with what should stand there."""
    wanted = {path: make() for path, make in WHOLE.items()}
    for path in sorted(DOCS.glob("*.md")):
        if path not in wanted:
            wanted[path] = renewed(path.read_text(encoding="utf-8"))
    return {path: text for path, text in wanted.items() if _read(path) != text}


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
