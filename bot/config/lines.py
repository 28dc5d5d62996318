"""Finds the line on which a key of a TOML file stands; tomllib reads values but keeps no places."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.config.problems import Path

_TOKEN = re.compile(
    r'''(?P<text>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')'''
    r"|(?P<skip>#[^\n]*|[ \t\r]+)|(?P<line>\n)|(?P<mark>[\[\]{},=.])|(?P<bare>[^\s\[\]{},=.#\"']+)",
    re.DOTALL,
)
_AT = re.compile(r"\(at line (\d+), column \d+\)")


def lines_of(source: str) -> Mapping[Path, int]:
    """The line (from 1) of each table, key and list item of a text that tomllib has read without complaint."""
    return _Scan(_tokens(source)).run()


def line_of_error(error: tomllib.TOMLDecodeError, source: str) -> int:
    """The line that tomllib complains of; its last one where the text ends too early."""
    found = _AT.search(str(error))
    return int(found[1]) if found else source.rstrip().count("\n") + 1


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int


def _tokens(source: str) -> list[_Token]:
    tokens, line = [], 1
    for found in _TOKEN.finditer(source):
        if found.lastgroup != "skip":
            tokens.append(_Token(found.lastgroup or "", found[0], line))
        line += found[0].count("\n")
    return [*tokens, _Token("line", "\n", line)]


@dataclass(slots=True)
class _Scan:
    """Walks over the tokens once; `lists` counts the tables of each [[list]]."""

    tokens: list[_Token]
    spot: int = 0
    table: Path = ()
    places: dict[Path, int] = field(default_factory=dict)
    lists: dict[Path, int] = field(default_factory=dict)

    def run(self) -> Mapping[Path, int]:
        while self.spot < len(self.tokens):
            if self._next_is("[", "line") == "[":
                self._header()
            elif self.tokens[self.spot].kind == "line":
                self.spot += 1
            else:
                self._pair(self.table)
        return self.places

    def _next_is(self, mark: str, other: str) -> str:
        token = self.tokens[self.spot]
        return mark if token.text == mark else other if token.kind == other else ""

    def _header(self) -> None:
        line = self.tokens[self.spot].line
        double = self.tokens[self.spot + 1].text == "["
        self.spot += 2 if double else 1
        *outer, last = self._name("]")
        self.spot += 2 if double else 1
        path: Path = (*self._resolve(tuple(outer)), last)
        for length in range(1, len(path) + 1):
            self._note(path[:length], line)
        if double:
            self.lists[path] = self.lists.get(path, 0) + 1
        self.table = self._inside(path)
        self._note(self.table, line)

    def _resolve(self, names: tuple[str, ...]) -> Path:
        path: Path = ()
        for name in names:
            path = self._inside((*path, name))
        return path

    def _inside(self, path: Path) -> Path:
        """In a [[list]] a name means its latest table."""
        return (*path, self.lists[path] - 1) if path in self.lists else path

    def _name(self, end: str) -> list[str]:
        """The parts of a dotted name, up to the mark that ends it."""
        parts: list[str] = []
        while (token := self.tokens[self.spot]).text != end:
            if token.kind in ("text", "bare"):
                parts.append(_unquoted(token))
            self.spot += 1
        return parts

    def _pair(self, table: Path) -> None:
        line = self.tokens[self.spot].line
        names = self._name("=")
        self.spot += 1
        for count in range(1, len(names) + 1):
            self._note((*table, *names[:count]), line)
        self._value((*table, *names))

    def _value(self, path: Path) -> None:
        mark = self.tokens[self.spot].text
        if mark == "[":
            self._list(path)
        elif mark == "{":
            self._inline(path)
        else:
            while self.tokens[self.spot].kind != "line" and self.tokens[self.spot].text not in ",]}":
                self.spot += 1

    def _list(self, path: Path) -> None:
        self.spot += 1
        count = 0
        while (token := self.tokens[self.spot]).text != "]":
            if token.kind == "line" or token.text == ",":
                self.spot += 1
                continue
            self._note((*path, count), token.line)
            self._value((*path, count))
            count += 1
        self.spot += 1

    def _inline(self, path: Path) -> None:
        self.spot += 1
        while (token := self.tokens[self.spot]).text != "}":
            if token.kind == "line" or token.text == ",":
                self.spot += 1
            else:
                self._pair(path)
        self.spot += 1

    def _note(self, path: Path, line: int) -> None:
        self.places.setdefault(path, line)


def _unquoted(token: _Token) -> str:
    if token.kind == "bare":
        return token.text
    text: str = tomllib.loads(f"text = {token.text}")["text"]
    return text
