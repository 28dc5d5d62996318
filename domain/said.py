"""A message before it has words: a text key with its facts, and the buttons under it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias

from domain.verbs import Verb

Fact: TypeAlias = "str | int | float | bool | datetime | date | Said | Sequence[Said | str] | None"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BUTTON = re.compile(r"([a-z_]{1,24}):([0-9A-Za-z-]{0,20}):([0-9]{0,9})(?::(.*))?", re.DOTALL)
_BUTTON_BYTES = 64  # what the narrowest platform (Telegram) takes as callback data


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence to be: the key of a text, and a fact for each of its holes.

    Datetimes are aware; they are shown in the park's zone. A sequence is shown one item a line.
    """

    key: str
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Button:
    """A verb that can be pressed; `version` is the appeal's version that its presser has seen.

    `label` stands on the button in place of the verb's word (a title to pick from); no part of the data.
    """

    verb: Verb
    number: str | None = None
    version: int | None = None
    argument: str | None = None
    label: str = field(default="", compare=False)

    @property
    def data(self) -> str:
        """`verb:number:version[:argument]`, at most 64 bytes; raises ValueError where that is not enough."""
        version = "" if self.version is None else str(self.version)
        parts = [self.verb.value, self.number or "", version]
        if self.argument is not None:
            parts.append(self.argument)
        data = ":".join(parts)
        if len(data.encode()) > _BUTTON_BYTES:
            raise ValueError(f"button data is longer than {_BUTTON_BYTES} bytes: {data}")
        return data

    @classmethod
    def parse(cls, data: str) -> Button | None:
        """Read `data` back; None for whatever lianqi has not written itself."""
        found = _BUTTON.fullmatch(data)
        if found is None or found[1] not in _VERBS:
            return None
        version = int(found[3]) if found[3] else None
        return cls(Verb(found[1]), found[2] or None, version, found[4])


_VERBS = frozenset(verb.value for verb in Verb)


def to_facts(facts: Mapping[str, Fact]) -> dict[str, Any]:
    """Facts as a dict for JSON: an instant becomes `{"at": milliseconds}`, a day `{"day": "2026-03-12"}`."""
    return {name: _pack(fact) for name, fact in facts.items()}


def from_facts(packed: Mapping[str, Any]) -> dict[str, Fact]:
    """The inverse of `to_facts`; sequences come back as tuples, instants in UTC and to the millisecond."""
    return {name: _unpack(value) for name, value in packed.items()}


def _pack(fact: Fact) -> Any:
    if fact is None or isinstance(fact, str | int | float):
        return fact
    if isinstance(fact, Said):
        return {"said": fact.key, "facts": to_facts(fact.facts)}
    if isinstance(fact, datetime):
        return {"at": _milliseconds(fact)}
    if isinstance(fact, date):
        return {"day": fact.isoformat()}
    return [_pack(item) for item in fact]


def _unpack(value: Any) -> Fact:
    if isinstance(value, list):
        return tuple(_unpack_item(item) for item in value)
    if not isinstance(value, dict):
        return _plain(value)
    if "said" in value:
        return Said(value["said"], from_facts(value["facts"]))
    if "at" in value:
        return _EPOCH + timedelta(milliseconds=value["at"])
    return date.fromisoformat(value["day"])


def _unpack_item(value: Any) -> Said | str:
    item = _unpack(value)
    if isinstance(item, Said | str):
        return item
    raise ValueError(f"a sequence holds sentences and strings only, not {item!r}")


def _plain(value: Any) -> str | int | float | None:
    if value is None or isinstance(value, str | int | float):
        return value
    raise ValueError(f"not a fact: {value!r}")


def _milliseconds(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError(f"a naive datetime cannot be told: {at!r}")
    return (at - _EPOCH) // timedelta(milliseconds=1)
