"""What a person reads of markdown."""

import re

LINK = re.compile(r"!?\[([^\]]*)\]\(([^)\s]*)\)")
STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
SLANTED = re.compile(r"(?<![*\w])\*(?=[^\s*])(.+?)(?<=[^\s*])\*(?![*\w])")
CODE = re.compile(r"`([^`]+)`")
STRUCK = re.compile(r"~~(?=\S)(.+?)(?<=\S)~~")
HEAD = re.compile(r"^(?:#{1,6} +|> ?)+")
RULE = re.compile(r"^ {0,3}(?:-{3,}|\*{3,}|_{3,}) *$")
ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
HIDDEN = re.compile("\ue000(\\d+)\ue001")


def plain(markdown: str) -> str:
    """The words that stand there, without marks. A backslash before punctuation lets the mark stand as a sign."""
    kept: list[str] = []

    def hide(found: re.Match[str]) -> str:
        kept.append(found.group(1))
        return f"\ue000{len(kept) - 1}\ue001"

    lines = [line for line in map(read_line, ESCAPED.sub(hide, markdown).split("\n")) if line is not None]
    return HIDDEN.sub(lambda found: kept[int(found.group(1))], "\n".join(lines))


def read_line(line: str) -> str | None:
    """A line without its marks; None where it is only a rule."""
    if RULE.match(line) or line.startswith("```"):
        return None
    line = HEAD.sub("", line)
    line = LINK.sub(r"\1", line)
    for mark, group in ((CODE, r"\1"), (STRONG, r"\2"), (STRUCK, r"\1"), (SLANTED, r"\1")):
        line = mark.sub(group, line)
    return line
