"""Brings a roster into the house and out again: everything is updated, every change is history, nothing is dropped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from domain.errors import Refused
from domain.people import Role
from domain.roster import (
    DepartmentEntry,
    EnterpriseEntry,
    Entry,
    GroupEntry,
    PersonEntry,
    Roster,
    Sheet,
)
from domain.roster_merge import BLANK, PEOPLE_NAMED, differing, match, merge, told_changes
from storage import accounts, chats, history, house, locks
from storage.database import Tx
from storage.house import House
from storage.values import to_ms

WECOM = accounts.KIN
"""The channels on which a wecom_userid binds."""

E = TypeVar("E", EnterpriseEntry, PersonEntry, DepartmentEntry, GroupEntry)
_SUBJECTS = {
    Sheet.ENTERPRISES: "enterprise",
    Sheet.PEOPLE: "person",
    Sheet.DEPARTMENTS: "department",
    Sheet.GROUPS: "chat",
}


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the lines of one sheet."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Imported:
    """The outcome of an import; `kept` names, by sheet, what the house holds and the workbook does not."""

    counts: Mapping[Sheet, Counts]
    kept: tuple[tuple[Sheet, str], ...]


async def export(tx: Tx) -> Roster:
    """The roster of the house, complete; imported again it changes nothing."""
    return (await house.read(tx)).roster


async def apply(
    tx: Tx, roster: Roster, at: datetime, *, by: int | None = None, wecom: Sequence[str] = WECOM
) -> Imported:
    """Import a checked roster: firms are known by their code or else by name, everybody else by name.

    What an entry leaves unsaid stays. A group named is approved; a telegram_id or wecom_userid binds (on the channels
    `wecom`). `by` is the person who imports, None for the command line. Refused where code and name of a firm or
    department mean two different rows.
    """
    await locks.queue_up(tx, "roster")
    held = await house.read(tx)
    work = _Work(tx, held, at, by, tuple(wecom))
    ids = {
        Sheet.DEPARTMENTS: await work.departments(roster.departments),
        Sheet.PEOPLE: [await work.person(entry) for entry in roster.people],
        Sheet.ENTERPRISES: await work.enterprises(roster.enterprises),
        Sheet.GROUPS: [await work.group(entry) for entry in roster.groups],
    }
    work.name_all(roster, ids)
    counts = {
        Sheet.DEPARTMENTS: await work.fill(Sheet.DEPARTMENTS, ids, roster.departments, held.departments),
        Sheet.PEOPLE: await work.fill(Sheet.PEOPLE, ids, roster.people, held.people),
        Sheet.ENTERPRISES: await work.fill(Sheet.ENTERPRISES, ids, roster.enterprises, held.enterprises),
        Sheet.GROUPS: await work.fill(Sheet.GROUPS, ids, roster.groups, held.groups),
    }
    said = {sheet: counts[sheet] for sheet in Sheet if sheet in roster.sheets}
    return Imported(said, tuple(_kept(held, ids, roster.sheets)))


def _kept(held: House, ids: Mapping[Sheet, Sequence[int]], sheets: frozenset[Sheet]) -> Iterable[tuple[Sheet, str]]:
    everything: Mapping[Sheet, Mapping[int, Entry]] = {
        Sheet.ENTERPRISES: {key: firm for key, firm in held.enterprises.items() if key not in held.asleep},
        Sheet.PEOPLE: held.people,
        Sheet.DEPARTMENTS: held.departments,
        Sheet.GROUPS: held.groups,
    }
    for sheet, entries in everything.items():
        seen = set(ids[sheet])
        for key, entry in entries.items() if sheet in sheets else ():
            if key not in seen:
                yield sheet, entry.name or ""


@dataclass(slots=True)
class _Work:
    """One import under way; `names` maps what lines may name to row ids, once every line has its row."""

    tx: Tx
    held: House
    at: datetime
    by: int | None
    wecom: tuple[str, ...]
    names: dict[Sheet, dict[str, int]] = field(default_factory=dict)

    # First every line gets its row, so that lines may name each other in any order.
    async def departments(self, entries: Sequence[DepartmentEntry]) -> list[int]:
        """The rows of departments, known by code, else by name; new ones are made."""
        found = match(entries, self.held.departments, lambda unit: unit.code)
        for key, entry in zip(found, entries, strict=True):
            await self._rename("departments", key, entry.name)
        return [
            key if key is not None else await self._add("departments", code=entry.code, name=entry.name)
            for key, entry in zip(found, entries, strict=True)
        ]

    async def enterprises(self, entries: Sequence[EnterpriseEntry]) -> list[int]:
        """The rows of firms, known by their credit code, else by name; new ones are made."""
        found = match(entries, self.held.enterprises, lambda firm: firm.uscc)
        for key, entry in zip(found, entries, strict=True):
            await self._rename("enterprises", key, entry.name)
        return [
            key
            if key is not None
            else await self._add("enterprises", name=entry.name, short_name=entry.short_name or entry.name)
            for key, entry in zip(found, entries, strict=True)
        ]

    async def _rename(self, table: str, key: int | None, name: str) -> None:
        """Take a new name at once, so that another line of the workbook may take the old one."""
        if key is not None:
            await self.tx.run(f"UPDATE {table} SET name = :name WHERE id = :id", {"name": name, "id": key})

    async def person(self, entry: PersonEntry) -> int:
        """Who only named himself is taken for the workbook's bearer of the name if that is the same firm's contact."""
        for key, person in self.held.people.items():
            if person.name != entry.name:
                continue
            if key not in self.held.self_named or _is_contact_of(entry, person):
                return key
            await self._mark_self_named(key, person)
        return await self._add("people", name=entry.name)

    async def group(self, entry: GroupEntry) -> int:
        """The row of a group, also under an id that it had before its platform moved it."""
        found = await chats.known(self.tx, entry.channel, entry.chat_id)
        if found is not None:
            return found
        return await self._add("chats", channel=entry.channel, external_id=entry.chat_id, private=0)

    async def _add(self, table: str, **columns: Any) -> int:
        row = await self.tx.one(
            f"INSERT INTO {table}({', '.join(columns)}) VALUES ({', '.join(':' + c for c in columns)}) RETURNING id",
            columns,
        )
        assert row is not None  # RETURNING
        return int(row["id"])

    async def _mark_self_named(self, key: int, person: PersonEntry) -> None:
        """The workbook's bearer of a name keeps it; who had only called himself so is told apart by his firm."""
        firms = {firm.name: firm.short_name or firm.name for firm in self.held.enterprises.values()}
        name = await free_name(self.tx, person.name, firms.get((person.enterprises or ("",))[0], ""))
        await self.tx.run("UPDATE people SET name = :name WHERE id = :id", {"name": name, "id": key})
        self.held.people[key] = replace(person, name=name)
        await self._note(Sheet.PEOPLE, key, "rename", {"changed": "name"})

    def name_all(self, roster: Roster, ids: Mapping[Sheet, Sequence[int]]) -> None:
        """Who is meant by a name from now on: the workbook's lines before what the house held."""
        known: Mapping[Sheet, Mapping[int, Entry]] = {
            Sheet.ENTERPRISES: self.held.enterprises,
            Sheet.PEOPLE: self.held.people,
            Sheet.DEPARTMENTS: self.held.departments,
        }
        told: Mapping[Sheet, Sequence[Entry]] = {
            Sheet.ENTERPRISES: roster.enterprises,
            Sheet.PEOPLE: roster.people,
            Sheet.DEPARTMENTS: roster.departments,
        }
        for sheet, entries in known.items():
            names = {entry.name or "": key for key, entry in reversed(list(entries.items()))}
            names |= {entry.name or "": key for key, entry in zip(ids[sheet], told[sheet], strict=True)}
            self.names[sheet] = names

    # Then what each line says is written.
    async def fill(
        self, sheet: Sheet, ids: Mapping[Sheet, Sequence[int]], entries: Sequence[E], held: Mapping[int, E]
    ) -> Counts:
        """Write the lines of one sheet that say something new."""
        added = updated = unchanged = 0
        for key, entry in zip(ids[sheet], entries, strict=True):
            before = held.get(key)
            after = merge(before if before is not None else _blank(sheet, entry), entry)
            asleep = sheet is Sheet.ENTERPRISES and key in self.held.asleep
            if before is not None and not differing(before, after) and not asleep:
                unchanged += 1
                continue
            added, updated = added + (before is None), updated + (before is not None)
            await self._write(sheet, key, before, after)
        return Counts(added, updated, unchanged)

    async def _write(self, sheet: Sheet, key: int, before: Entry | None, after: Entry) -> None:
        if isinstance(after, EnterpriseEntry):
            await self._write_enterprise(key, after)
        elif isinstance(after, PersonEntry):
            await self._write_person(key, after, before if isinstance(before, PersonEntry) else None)
        elif isinstance(after, DepartmentEntry):
            await self._write_department(key, after)
        else:
            await self._write_group(key, after)
        await self._note(sheet, key, "import", told_changes(before, after) | self._who(before, after))

    def _who(self, before: Entry | None, after: Entry) -> dict[str, Any]:
        """The people whom a changed line names now, by id."""
        changed = PEOPLE_NAMED.intersection(differing(before or BLANK[_sheet_of(after)], after))
        return {f"{name}_id": self._id(Sheet.PEOPLE, getattr(after, name)) for name in sorted(changed)}

    async def _write_enterprise(self, key: int, entry: EnterpriseEntry) -> None:
        await self.tx.run(
            """UPDATE enterprises SET name = :name, short_name = :short, uscc = :uscc, zone = :zone,
               industry = :industry, size = :size, liaison_id = :liaison, deputy_id = :deputy, chief_id = :chief,
               active = 1 WHERE id = :id""",
            {
                "id": key,
                "name": entry.name,
                "short": entry.short_name or entry.name,
                "uscc": entry.uscc,
                "zone": entry.zone,
                "industry": entry.industry,
                "size": entry.size,
                "liaison": self._id(Sheet.PEOPLE, entry.liaison),
                "deputy": self._id(Sheet.PEOPLE, entry.deputy),
                "chief": self._id(Sheet.PEOPLE, entry.chief),
            },
        )
        await self._set("enterprise_tags", ("enterprise_id", "tag"), key, entry.tags or ())

    async def _write_person(self, key: int, entry: PersonEntry, before: PersonEntry | None) -> None:
        await self.tx.run(
            """UPDATE people SET name = :name, department_id = :department, zone = :zone, phone = :phone,
               language = :language, deputy_id = :deputy WHERE id = :id""",
            {
                "id": key,
                "name": entry.name,
                "department": self._id(Sheet.DEPARTMENTS, entry.department),
                "zone": entry.zone,
                "phone": entry.phone,
                "language": entry.language,
                "deputy": self._id(Sheet.PEOPLE, entry.deputy),
            },
        )
        firms = [self.names[Sheet.ENTERPRISES][name] for name in entry.enterprises or ()]
        await self._set("person_roles", ("person_id", "role"), key, [role.value for role in entry.roles or ()])
        await self._set("contacts", ("person_id", "enterprise_id"), key, firms)
        await self._rebind(key, ("telegram",), before.telegram_id if before else None, entry.telegram_id)
        await self._rebind(key, self.wecom, before.wecom_userid if before else None, entry.wecom_userid)

    async def _rebind(self, key: int, channels: Sequence[str], old: str | None, new: str | None) -> None:
        """A new id takes the place of the old one, which then speaks for nobody any more."""
        if not new or new == old:
            return
        for channel in channels:
            gone = await accounts.account(self.tx, channel, old) if old else None
            if gone is not None and await accounts.bound_to(self.tx, gone) == key:
                await accounts.bind(self.tx, gone, None, by=self.by, at=self.at)
            await accounts.bind_externally(self.tx, channel, new, key, by=self.by, at=self.at)

    async def _write_department(self, key: int, entry: DepartmentEntry) -> None:
        await self.tx.run(
            """UPDATE departments SET code = :code, name = :name, external = :external, duty_id = :duty, head_id = :head
               WHERE id = :id""",
            {
                "id": key,
                "code": entry.code,
                "name": entry.name,
                "external": int(entry.external or False),
                "duty": self._id(Sheet.PEOPLE, entry.duty),
                "head": self._id(Sheet.PEOPLE, entry.head),
            },
        )

    async def _write_group(self, key: int, entry: GroupEntry) -> None:
        await self.tx.run(
            """UPDATE chats SET name = :name, purpose = :purpose, zone = :zone,
               approved_at = COALESCE(approved_at, :at) WHERE id = :id""",
            {"id": key, "name": entry.name, "purpose": entry.purpose.value, "zone": entry.zone, "at": to_ms(self.at)},
        )
        firms = [self.names[Sheet.ENTERPRISES][name] for name in entry.enterprises or ()]
        await self._set("chat_enterprises", ("chat_id", "enterprise_id"), key, firms)

    async def _set(self, table: str, columns: tuple[str, str], key: int, items: Iterable[Any]) -> None:
        """Let a list of a row be exactly these items."""
        owner, item = columns
        await self.tx.run(f"DELETE FROM {table} WHERE {owner} = :key", {"key": key})
        for value in dict.fromkeys(items):
            await self.tx.run(
                f"INSERT INTO {table}({owner}, {item}) VALUES (:key, :value)", {"key": key, "value": value}
            )

    def _id(self, sheet: Sheet, name: str | None) -> int | None:
        return self.names[sheet][name] if name else None

    async def _note(self, sheet: Sheet, key: int, name: str, facts: Mapping[str, Any]) -> None:
        await history.write(self.tx, history.Line(f"{_SUBJECTS[sheet]}:{key}", name, self.by, self.at, facts))


def _is_contact_of(entry: PersonEntry, person: PersonEntry) -> bool:
    """Whether the workbook's line says no more of somebody than that he is the contact he already is."""
    only = entry.roles in (None, (Role.CONTACT,))
    return only and not set(entry.enterprises or ()).isdisjoint(person.enterprises or ())


def _sheet_of(entry: Entry) -> Sheet:
    return next(sheet for sheet, blank in BLANK.items() if type(blank) is type(entry))


def _blank(sheet: Sheet, like: E) -> E:
    blank = BLANK[sheet]
    assert isinstance(blank, type(like))  # one blank a sheet
    return blank


async def free_name(tx: Tx, name: str, firm: str) -> str:
    """A name that nobody else has: the name itself, with the firm behind it, or with a number behind that."""
    candidates = [name, f"{name}（{firm}）" if firm else name, *(f"{name}（{firm}{n}）" for n in range(2, 100))]
    for candidate in candidates:
        taken = await tx.all("SELECT id FROM people WHERE name = :name LIMIT 1", {"name": candidate})
        if not taken:
            return candidate
    raise Refused("refused.busy")
