"""What holds after a roster's line was said: its words over what was there, and which rows its lines mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from domain.errors import Refused
from domain.roster import DepartmentEntry, EnterpriseEntry, Entry, GroupEntry, PersonEntry, Sheet

E = TypeVar("E", EnterpriseEntry, PersonEntry, DepartmentEntry, GroupEntry)
N = TypeVar("N", EnterpriseEntry, DepartmentEntry)

BLANK: Mapping[Sheet, Entry] = {
    Sheet.ENTERPRISES: EnterpriseEntry("", "", "", "", "", "", (), "", "", ""),
    Sheet.PEOPLE: PersonEntry("", (), "", (), "", "", "", "", "zh", ""),
    Sheet.DEPARTMENTS: DepartmentEntry("", "", "", "", external=False),
    Sheet.GROUPS: GroupEntry("", "", "", enterprises=(), zone=""),
}
"""What a row holds before anything was said of it."""

PEOPLE_NAMED = frozenset({"liaison", "deputy", "chief", "duty", "head"})
_OF_PEOPLE = frozenset({"name", "phone", "telegram_id", "wecom_userid"})


def merge(before: E, said: E) -> E:
    """The line's words, and what was there where it says nothing."""
    told = {item.name: value for item in fields(said) if (value := getattr(said, item.name)) is not None}
    return replace(before, **told)


def differing(before: Entry, after: Entry) -> tuple[str, ...]:
    """The fields that differ; of lists only the members count."""
    pairs = ((item.name, getattr(before, item.name), getattr(after, item.name)) for item in fields(after))
    return tuple(name for name, old, new in pairs if (set(old) != set(new) if isinstance(old, tuple) else old != new))


def told_changes(before: Entry | None, after: Entry) -> dict[str, Any]:
    """What an import changed, for the history, both values kept.

    Of people no name, phone or account stands there: history is for ever, and these must stay erasable.
    """
    if before is None:
        return {"added": True}
    names = differing(before, after)
    facts: dict[str, Any] = {"changed": ", ".join(names)}
    hidden = PEOPLE_NAMED | (_OF_PEOPLE if isinstance(after, PersonEntry) else frozenset())
    for name in names:
        if name not in hidden:
            facts[name], facts[f"{name}_before"] = getattr(after, name), getattr(before, name)
    return facts


def match(entries: Sequence[N], held: Mapping[int, N], code: Callable[[N], str | None]) -> list[int | None]:
    """The row that each line means: by its code, else by its name unless another line's code claims that row.

    Refused where code and name of one line mean two rows.
    """
    by_code = {code(entry): key for key, entry in held.items() if code(entry)}
    by_name = {entry.name: key for key, entry in held.items()}
    claimed = {by_code[code(entry)] for entry in entries if code(entry) in by_code}
    found: list[int | None] = []
    for entry in entries:
        own, namesake = by_code.get(code(entry)), by_name.get(entry.name)
        if own is not None and namesake not in (None, own):
            facts = {"code": code(entry), "other": held[own].name, "name": entry.name}
            raise Refused("roster.conflict", facts)
        found.append(own if own is not None else None if namesake in claimed else namesake)
    return found
