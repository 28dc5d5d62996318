"""Takes out of a line what no log may hold: tokens and secrets, telephone numbers, identity cards, bank cards.

What only looks alike stays: dates, amounts, hashes, and the numbers of orders, documents, firms and appeals.
"""

import re
from collections.abc import Collection, Iterator
from urllib.parse import quote

from bot.numbers import numbers

_NAMES = (
    r"access_?token|suite_?token|refresh_?token|secret_?token|corp_?secret|client_?secret|webhook_?secret"
    r"|aes_?key|encoding_?aes_?key|api_?key|pass(?:word|wd)|secret|jsapi_?ticket|msg_signature"
)
_SECRETS = (
    re.compile(r"(?<![0-9])(?P<token>[0-9]{5,12}(?::|%3A)[A-Za-z0-9_-]{25,})", re.IGNORECASE),
    re.compile(r"/bot(?P<token>[0-9]{3,12}(?::|%3A)[A-Za-z0-9_-]+)", re.IGNORECASE),
    re.compile(rf"[?&](?:{_NAMES}|key|token|ticket|code)=(?P<secret>[^&\s\"'\\#]+)", re.IGNORECASE),
    re.compile(
        rf"(?<![a-z])(?:{_NAMES})\\?[\"']?\s?(?:=|:|=>)\s?(?:SecretStr\()?b?\\?[\"']?(?P<secret>[^\s\"'\\&,;)}}\]<>]{{6,}})",
        re.IGNORECASE,
    ),
    re.compile(r"\bauthorization\\?[\"']?[:=]\s?\\?[\"']?(?:bearer|basic)\s+(?P<secret>[^\s\"'\\,]+)", re.IGNORECASE),
    re.compile(r"\b(?:set-)?cookie\\?[\"']?[:=]\s?\\?[\"']?(?P<secret>[^\s\"'\\]+)", re.IGNORECASE),
    re.compile(r"://[^\s/@:\"']{0,64}:(?P<secret>[^\s/@\"']{1,128})@"),
)
LEAST = 6
"""A secret shorter than that is none, and would tear holes into every line."""
Span = tuple[int, int, str]


class Redactor:
    """Knows what has a shape, and the very `secrets` of this park."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= LEAST for form in (secret, quote(secret, safe=""))}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._own = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(self, line: str) -> str:
        """The line without them."""
        if self._own is not None:
            line = self._own.sub("[secret]", line)
        line = _without(line, _secrets(line))
        return _without(line, numbers(line))


def _secrets(line: str) -> Iterator[Span]:
    for shape in _SECRETS:
        for found in shape.finditer(line):
            ((name, value),) = found.groupdict().items()
            if value != "[secret]":
                yield (*found.span(name), name)


def _without(line: str, spans: Iterator[Span]) -> str:
    """The line with the name of what stood there in place of each span; of spans that overlap the first counts."""
    kept: list[str] = []
    end = 0
    for start, stop, name in sorted(spans):
        if start >= end:
            kept += [line[end:start], f"[{name}]"]
            end = stop
    return "".join([*kept, line[end:]])
