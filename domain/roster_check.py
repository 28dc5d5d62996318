"""The whole roster at once: what stands twice, who is named but not there, who lacks the role he is named for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from domain.people import OFFICE, Role
from domain.roster import (
    EMPTY,
    Checked,
    DepartmentEntry,
    EnterpriseEntry,
    Entry,
    GroupEntry,
    PersonEntry,
    Problem,
    Roster,
    Sheet,
    Table,
)
from domain.roster_sheets import Line, Reading, read
from domain.said import Said

T = TypeVar("T")


def check(tables: Sequence[Table], known: Roster = EMPTY) -> Checked:
    """Read a workbook and find everything that is wrong with it, all at once.

    `known` is what the house holds already: a sheet may name people and firms that the workbook itself does not list.
    """
    reading = read(tables)
    names = _Names.of(reading, known)
    found = [*reading.problems, *_twice(reading.lines)]
    lines: list[Line] = []
    for line in reading.lines:
        problems, entry = _resolve(line, names)
        found += problems
        lines.append(replace(line, entry=entry))
    order = {table.name: number for number, table in enumerate(tables)}
    found.sort(key=lambda problem: (order.get(problem.sheet, -1), problem.row, problem.place))
    return Checked(_roster(lines, frozenset(reading.sheets)), tuple(found))


def _roster(lines: Sequence[Line], sheets: frozenset[Sheet]) -> Roster:
    entries = [line.entry for line in lines]
    return Roster(
        enterprises=tuple(_of(EnterpriseEntry, entries)),
        people=tuple(_of(PersonEntry, entries)),
        departments=tuple(_of(DepartmentEntry, entries)),
        groups=tuple(_of(GroupEntry, entries)),
        sheets=sheets,
    )


def _of(kind: type[T], entries: Iterable[object]) -> Iterator[T]:
    return (entry for entry in entries if isinstance(entry, kind))


# Twice ----------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Key:
    """What may stand only once in a sheet, and the sentence about the second."""

    sheet: Sheet
    column: str
    of: Callable[[Entry], object]
    cause: str


def _field(name: str) -> Callable[[Entry], object]:
    return lambda entry: getattr(entry, name)


_KEYS = (
    _Key(Sheet.ENTERPRISES, "name", _field("name"), "roster.twice"),
    _Key(Sheet.ENTERPRISES, "uscc", _field("uscc"), "roster.uscc_twice"),
    _Key(Sheet.PEOPLE, "name", _field("name"), "roster.person_twice"),
    _Key(Sheet.PEOPLE, "telegram_id", _field("telegram_id"), "roster.account_twice"),
    _Key(Sheet.PEOPLE, "wecom_userid", _field("wecom_userid"), "roster.account_twice"),
    _Key(Sheet.DEPARTMENTS, "code", _field("code"), "roster.twice"),
    _Key(Sheet.DEPARTMENTS, "name", _field("name"), "roster.twice"),
    _Key(
        Sheet.GROUPS,
        "chat_id",
        lambda entry: isinstance(entry, GroupEntry) and (entry.channel, entry.chat_id),
        "roster.twice",
    ),
)


def _twice(lines: Sequence[Line]) -> Iterator[Problem]:
    for key in _KEYS:
        first: dict[object, int] = {}
        for line in lines:
            value = key.of(line.entry) if line.sheet is key.sheet else None
            if value and first.setdefault(value, line.row) != line.row:
                yield line.problem(key.column, Said(key.cause, {"row": first[value]}))


# Who is named ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Names:
    """What can be named: people with their roles (None where unknown), firms and departments by any of their names."""

    people: Mapping[str, frozenset[Role] | None]
    enterprises: Mapping[str, frozenset[str]]
    departments: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, reading: Reading, known: Roster) -> _Names:
        """A row with one bad cell still names its person or firm: only what is wrong itself is told."""
        entries = [line.entry for line in reading.lines]
        told = {person.name: person.roles for person in known.people}
        told |= dict(_named(reading, Sheet.PEOPLE, "roles"))
        told |= {person.name: person.roles or told.get(person.name) for person in _of(PersonEntry, entries)}
        firms = [(firm.name, firm.short_name) for firm in (*known.enterprises, *_of(EnterpriseEntry, entries))]
        units = [(unit.name, unit.code) for unit in (*known.departments, *_of(DepartmentEntry, entries))]
        return cls(
            {name: frozenset(roles) if roles is not None else None for name, roles in told.items()},
            _by_any([*firms, *_named(reading, Sheet.ENTERPRISES, "short_name")]),
            _by_any([*units, *_named(reading, Sheet.DEPARTMENTS, "code")]),
        )


def _named(reading: Reading, sheet: Sheet, beside: str) -> Iterator[tuple[str, Any]]:
    for of_sheet, found in reading.broken:
        if of_sheet is sheet and found.get("name"):
            yield found["name"], found.get(beside)


def _by_any(named: Iterable[tuple[str, str | None]]) -> dict[str, frozenset[str]]:
    """Full names by either spelling; a full name always means its bearer."""
    found: dict[str, set[str]] = defaultdict(set)
    full = set()
    for name, other in named:
        full.add(name)
        for spelling in (name, other):
            if spelling:
                found[spelling].add(name)
    return {spelling: frozenset({spelling} if spelling in full else names) for spelling, names in found.items()}


def _resolve(line: Line, names: _Names) -> tuple[list[Problem], Entry]:
    """What is wrong with the names in a line, and the line with full names in their place."""
    entry = line.entry
    if isinstance(entry, EnterpriseEntry):
        return [*_enterprise_problems(line, entry, names), *_blank_uscc(line, entry)], entry
    if isinstance(entry, DepartmentEntry):
        return list(_department_problems(line, entry, names)), entry
    if isinstance(entry, GroupEntry):
        problems, firms = _firms(line, "enterprises", entry.enterprises, names)
        return problems, replace(entry, enterprises=firms)
    problems, firms = _firms(line, "enterprise", entry.enterprises, names)
    more, unit = _unit(line, entry.department, names)
    own = _person_problems(line, entry, names)
    return [*problems, *more, *own], replace(entry, enterprises=firms, department=unit)


def _enterprise_problems(line: Line, entry: EnterpriseEntry, names: _Names) -> Iterator[Problem]:
    yield from _person(line, "liaison", entry.liaison, names, frozenset({Role.LIAISON}))
    yield from _person(line, "deputy", entry.deputy, names, OFFICE)
    yield from _person(line, "chief", entry.chief, names, frozenset({Role.CHIEF}))
    if entry.deputy and entry.deputy == entry.liaison:
        yield line.problem("deputy", Said("roster.own_deputy"))


def _blank_uscc(line: Line, entry: EnterpriseEntry) -> Iterator[Problem]:
    if entry.uscc is None:
        yield line.problem("uscc", Said("roster.uscc_empty"), warning=True)


def _department_problems(line: Line, entry: DepartmentEntry, names: _Names) -> Iterator[Problem]:
    yield from _person(line, "duty", entry.duty, names, frozenset({Role.HANDLER, Role.HEAD}))
    yield from _person(line, "head", entry.head, names, frozenset({Role.HEAD}))


def _person_problems(line: Line, entry: PersonEntry, names: _Names) -> Iterator[Problem]:
    contact = Role.CONTACT in (entry.roles or ())
    yield from _person(line, "deputy", entry.deputy, names, OFFICE)
    if entry.deputy == entry.name:
        yield line.problem("deputy", Said("roster.own_deputy"))
    if contact and entry.enterprises == ():
        yield line.problem("enterprise", Said("roster.contact_without_firm"))
    if entry.enterprises and not contact:
        yield line.problem("roles", Said("roster.firm_without_contact"))
    if entry.phone is None:
        yield line.problem("phone", Said("roster.phone_empty"), warning=True)


def _person(line: Line, column: str, name: str | None, names: _Names, wanted: frozenset[Role]) -> Iterator[Problem]:
    if not name:
        return
    if name not in names.people:
        yield line.problem(column, Said("roster.unknown_person", {"name": name}))
        return
    roles = names.people[name]
    if roles is not None and roles.isdisjoint(wanted):
        role = next(role for role in Role if role in wanted)
        yield line.problem(column, Said("roster.lacks_role", {"name": name, "role": Said(f"role.{role}")}))


def _firms(
    line: Line, column: str, firms: tuple[str, ...] | None, names: _Names
) -> tuple[list[Problem], tuple[str, ...] | None]:
    problems: list[Problem] = []
    full: list[str] = []
    for firm in firms or ():
        meant = names.enterprises.get(firm, frozenset())
        if len(meant) == 1:
            full += meant
        else:
            key = "roster.ambiguous_enterprise" if meant else "roster.unknown_enterprise"
            problems.append(line.problem(column, Said(key, {"name": firm})))
    return problems, None if firms is None else tuple(dict.fromkeys(full))


def _unit(line: Line, unit: str | None, names: _Names) -> tuple[list[Problem], str | None]:
    if not unit:
        return [], unit
    meant = names.departments.get(unit, frozenset())
    if len(meant) == 1:
        return [], next(iter(meant))
    return [line.problem("department", Said("roster.unknown_department", {"name": unit}))], unit
