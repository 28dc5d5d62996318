"""The chain over history: how each event is bound to all before it, and the short code by which a head is kept."""

import hmac
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

COLUMNS = (
    "subject",
    "appeal_id",
    "version",
    "name",
    "from_status",
    "to_status",
    "actor_id",
    "at",
    "facts",
    "text_digest",
)
"""What of an event is bound: all of its row. The order is part of the chain and never changes."""

Body = Sequence[str | int | None]
CODE_LENGTH = 24
"""Hex digits of a code, 96 bits: whoever holds the key as well would have to try 2^95 histories to meet it."""
_GROUP = 4
_SEAL_ZERO = "lianqi audit chain 1"
_CODE = re.compile(
    r"(?<![0-9a-z])(?:(?:(?P<n>[0-9]{1,15})-)?(?P<full>[0-9a-f]{64})|(?P<at>[0-9]{1,15})-(?P<code>[0-9a-f]{4}(?:-[0-9a-f]{4}){5}))"
    r"(?![0-9a-z-])"
)
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-"))
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain at some moment, as somebody kept it: seal `n`, None where only its hash is known."""

    n: int | None
    start: str

    def __str__(self) -> str:
        """`1284-9f3a-02bc-…`, in groups that can be read out and typed."""
        groups = [self.start[place : place + _GROUP] for place in range(0, len(self.start), _GROUP)]
        return "-".join([*(() if self.n is None else (str(self.n),)), *groups])


def bind(key: bytes, n: int, event_id: int, before: str, body: Body) -> str:
    """The hash of seal n: HMAC-SHA256 over n, the event's id, the hash before and the event's row, in hex.

    The JSON of a list is unambiguous, whatever stands in the texts.
    """
    return hmac.digest(key, _encode([n, event_id, before, *body]).encode(), "sha256").hex()


def begin(key: bytes) -> str:
    """The hash of seal 0, by which a key is recognised."""
    return hmac.digest(key, _SEAL_ZERO.encode(), "sha256").hex()


def body_of(row: Mapping[str, str | int | None]) -> Body:
    """What is bound of an event's row."""
    return [row[column] for column in COLUMNS]


def code(n: int, seal: str) -> str:
    """The head as a person keeps it."""
    return str(Head(n, seal[:CODE_LENGTH]))


def read_heads(text: str) -> Iterator[Head]:
    """Every code in a text, and every full hash: one that was typed, or a file of kept messages."""
    plain = unicodedata.normalize("NFKC", text).translate(_DASHES).lower()
    for found in _CODE.finditer(plain):
        n = found["n"] or found["at"]
        yield Head(int(n) if n else None, (found["full"] or found["code"]).replace("-", ""))
