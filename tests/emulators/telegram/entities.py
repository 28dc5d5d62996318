"""Text as the platform measures it (UTF-16 units), the commands it marks, and the small HTML it understands."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from .errors import bad

NAME = r"(?:@[A-Za-z0-9_]{3,32})?"
COMMAND = re.compile(rf"(?<![\w/<>])/([A-Za-z0-9_]{{1,64}}){NAME}(?![\w/<>])")
MENTION = re.compile(r"(?<!\w)@([A-Za-z][A-Za-z0-9_]{3,31})(?!\w)")
STRAY = re.compile(r"<(?![A-Za-z/])([^\s>]*)")
TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
    "tg-spoiler": "spoiler",
}


def units(text: str) -> int:
    """The length of a text in UTF-16 units."""
    return len(text) + sum(char > "\uffff" for char in text)


def bot_commands(text: str) -> list[dict[str, Any]]:
    """The command entities of a text: ASCII names only, not glued to a letter of any script on either side."""
    if "/" not in text:
        return []
    return [entity("bot_command", text, found.start(), found.end()) for found in COMMAND.finditer(text)]


def mentions(text: str) -> list[dict[str, Any]]:
    """The @name entities of a text."""
    if "@" not in text:
        return []
    return [entity("mention", text, found.start(), found.end()) for found in MENTION.finditer(text)]


def entity(kind: str, text: str, start: int, end: int) -> dict[str, Any]:
    """An entity over text[start:end], counted the platform's way."""
    return {"type": kind, "offset": units(text[:start]), "length": units(text[start:end])}


def marked(text: str) -> list[dict[str, Any]]:
    """What the platform finds in a text by itself, in order; a mention inside a command is part of the command."""
    found = bot_commands(text)
    covered = [(one["offset"], one["offset"] + one["length"]) for one in found]
    for one in mentions(text):
        if not any(start <= one["offset"] < end for start, end in covered):
            found.append(one)
    return sorted(found, key=lambda one: int(one["offset"]))


def spelled(text: str, marks: Mapping[str, Any]) -> str:
    """The piece of text an entity covers."""
    raw = text.encode("utf-16-le")
    start = marks["offset"] * 2
    return raw[start : start + marks["length"] * 2].decode("utf-16-le")


def check_entities(text: str, entities: list[dict[str, Any]]) -> None:
    """Refuse entities that reach outside the text, or cut a character in two."""
    size = units(text)
    raw = text.encode("utf-16-le")
    for one in entities:
        start, end = one["offset"], one["offset"] + one["length"]
        if start < 0 or one["length"] <= 0 or end > size:
            raise bad("ENTITY_BOUNDS_INVALID")
        if any(0 < at < size and 0xDC <= raw[at * 2 + 1] <= 0xDF for at in (start, end)):
            raise bad("ENTITY_BOUNDS_INVALID")


class Reader(HTMLParser):
    """Reads the HTML subset; leaves `text` and `entities`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.entities: list[dict[str, Any]] = []
        self.open: list[tuple[str, int, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where a tag opens."""
        if tag not in TAGS:
            raise bad(f'can\'t parse entities: Unsupported start tag "{tag}" at byte offset {self.bytes_read()}')
        self.open.append((tag, units(self.text), dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Turn a closed tag into an entity."""
        if not self.open or self.open[-1][0] != tag:
            raise bad(f"can't parse entities: Unexpected end tag at byte offset {self.bytes_read()}")
        name, start, attrs = self.open.pop()
        found: dict[str, Any] = {"type": TAGS[name], "offset": start, "length": units(self.text) - start}
        if name == "a":
            found["url"] = attrs.get("href") or ""
        if found["length"]:
            self.entities.append(found)

    def handle_data(self, data: str) -> None:
        """Collect what stands between tags."""
        self.text += data

    def bytes_read(self) -> int:
        """Where in the source the reader stands, in bytes."""
        line, column = self.getpos()
        lines = self.rawdata.split("\n")
        before = "\n".join([*lines[: line - 1], lines[line - 1][:column]])
        return len(before.encode())


def parse(text: str, mode: str) -> tuple[str, list[dict[str, Any]]]:
    """Text and entities of a marked-up text; only HTML is emulated."""
    if mode.lower() != "html":
        raise bad(f"unsupported parse_mode {mode}")
    if stray := STRAY.search(text):
        at = len(text[: stray.start()].encode())
        raise bad(f'can\'t parse entities: Unsupported start tag "{stray[1]}" at byte offset {at}')
    reader = Reader()
    reader.feed(text)
    reader.close()
    if reader.open:
        tag = reader.open[-1][0]
        raise bad(f"can't parse entities: Can't find end tag corresponding to start tag \"{tag}\"")
    return reader.text, sorted(reader.entities, key=lambda one: int(one["offset"]))
