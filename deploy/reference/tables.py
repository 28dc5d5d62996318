"""What every generated table is made of: cells in markdown, words in both languages, data files beside the pages."""

import inspect
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from texts import Catalogue

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference"


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A markdown table."""
    return "\n".join([_row(headers), _row(["---"] * len(headers)), *map(_row, rows)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;').replace(chr(10), ' ') for cell in cells)} |"


def data(name: str) -> Mapping[str, Any]:
    """A data file of docs/reference."""
    return tomllib.loads((DOCS / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def catalogue() -> Catalogue:
    """The shipped sentences."""
    return Catalogue.load(strict=True)


def zh(key: str) -> str:
    """The Chinese of a text."""
    return catalogue().texts[key].zh


def en(key: str) -> str:
    """The English of a text."""
    return catalogue().texts[key].en


def both(words: Mapping[str, str]) -> str:
    """Chinese above English in one cell."""
    return f"{words['zh']}<br>{words['en']}"


def first_words(thing: object) -> str:
    """The first paragraph of a docstring on one line; ValueError where there is none."""
    words = inspect.getdoc(thing)
    if not words:
        raise ValueError(f"{thing!r} has no docstring")
    return " ".join(words.split("\n\n")[0].split()).replace("<", "&lt;")
