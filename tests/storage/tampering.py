"""A house with a history, somebody who has its database and no key, and what each of his deeds must be found as."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from domain import chain
from domain.audit import Fault, Kind
from domain.chain import Head
from domain.people import Role
from domain.verbs import Verb
from storage import history, seals
from storage.database import Database, Row, Tx
from storage.verifying import Outcome, verify
from tests.making import Maker, civil, make_enterprise, make_person, make_rules

T = TypeVar("T")
KEY = bytes(range(32))
AT = civil("2026-03-11 09:00")
RULES = make_rules()

# What people who own the database can take away from it.
UNGUARD: Mapping[str, Sequence[str]] = {
    "sqlite": (
        "PRAGMA defer_foreign_keys = ON",
        *(
            f"DROP TRIGGER {table}_no_{deed}"
            for table in ("events", "seals")
            for deed in ("update", "delete", "replace")
        ),
    ),
    "postgres": (
        "DROP TRIGGER events_no_change ON events",
        "DROP TRIGGER seals_no_change ON seals",
        *(f"ALTER TABLE {t} DROP CONSTRAINT {t}_event_id_fkey" for t in ("seals", "event_texts", "event_files")),
    ),
}
ZERO_WINDOW = {"sqlite": 0, "postgres": 0}


async def lay_history(tx: Tx) -> None:
    """Some matters with their words, some lines about other things, and ids that were never used."""
    make, firm = Maker(tx, RULES), await make_enterprise(tx)
    wang = await make_person(tx, "王敏", Role.LIAISON)
    for n in range(6):
        work = await make.started(firm, AT, wang, text=f"第{n}件 车间停电")
        await make.take(work, Verb.PROGRESS, AT, by=wang, text="等待停电窗口")
        await history.write(tx, history.Line(f"person:{n}", "bound", wang, AT, {"n": n}))
    await skip_ids(tx)
    for n in range(3):
        await make.resolved(firm, AT, wang, text=f"再报{n}")
    await skip_ids(tx)
    await make.resolved(firm, AT, wang, text="最后一件")


async def skip_ids(tx: Tx) -> None:
    """Ids that a rolled back transaction leaves unused."""
    (row,) = await tx.all("SELECT MAX(id) AS id FROM events")
    await tx.run(
        "INSERT INTO events(id, subject, name, at, facts) VALUES (:id, 'park', 'noted', 1, '{}')",
        {"id": row["id"] + 4},
    )
    if tx.engine == "postgres":
        await tx.all("SELECT setval(pg_get_serial_sequence('events', 'id'), :id)", {"id": row["id"] + 4})


async def seal_all(tx: Tx, key: bytes = KEY) -> None:
    """Every committed event."""
    assert await seals.begin(tx, key)
    while waiting := await seals.unsealed(tx, seals.BATCH):
        await seals.append(tx, key, waiting)


async def verified(tx: Tx, *heads: Head, key: bytes = KEY) -> tuple[Outcome, list[Fault]]:
    """What a verification says."""
    found: list[Fault] = []
    return await verify(tx, key, heads, found.append), found


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed event as the tamperer sees it."""

    n: int
    hash: str
    row: Row

    @property
    def id(self) -> int:
        return int(self.row["id"])


@dataclass(slots=True)
class Tamperer:
    """Does one thing, at random; each deed returns what it must be found as: kind and events (or seal numbers)."""

    tx: Tx
    chance: random.Random
    chain: Sequence[Sealed]

    @classmethod
    async def come(cls, tx: Tx, seed: int) -> Tamperer:
        """He takes all guards away first."""
        for statement in UNGUARD[tx.engine]:
            await tx.run(statement)
        rows = await tx.all(
            """SELECT s.n, s.hash, e.*, t.body AS words FROM seals s JOIN events e ON e.id = s.event_id
               LEFT JOIN event_texts t ON t.event_id = e.id ORDER BY s.n"""
        )
        return cls(tx, random.Random(seed), [Sealed(row["n"], row["hash"], row) for row in rows])

    def any(self, *, but_last: bool = False) -> Sealed:
        return self.chance.choice(self.chain[:-1] if but_last else self.chain)

    async def change(self) -> Expected:
        """One column of one event."""
        column, link = self.chance.choice(chain.COLUMNS), self.any()
        value = self.other(column, link.row)
        await self.tx.run(f"UPDATE events SET {column} = :value WHERE id = :id", {"value": value, "id": link.id})
        return Expected(Kind.CHANGED, {link.id}, {Kind.TEXT_CHANGED, Kind.TEXT_INSERTED})

    def other(self, column: str, row: Row) -> Any:
        old = row[column]
        if column == "appeal_id":
            return None if old is not None else self.chain[0].row["appeal_id"]
        if column == "version":
            return (old or 0) + 1000 + self.chance.randrange(1000)
        if isinstance(old, int) or column in ("actor_id", "at"):
            return (old or 0) + self.chance.choice((1, -1, 60_000))
        return self.chance.choice([f"{old or ''}x", f" {old or ''}", (old or "x").upper() + "·"])

    async def delete_event(self) -> Expected:
        """The event alone."""
        link = self.any()
        await self.remove(link, "event")
        return Expected(Kind.MISSING, {link.id})

    async def delete_both(self) -> Expected:
        """The event with its seal, amid the chain; its id is sure where no other id is free beside it."""
        link = self.any(but_last=True)
        await self.remove(link, "event", "seal")
        here = self.chain.index(link)
        before = self.chain[here - 1].id if here else 0
        sure = self.chain[here + 1].id - before == 2
        return Expected(Kind.MISSING, {link.id if sure else link.n}, {Kind.UNPROVEN}, by_seal=not sure)

    async def delete_seal(self) -> Expected:
        """The seal alone, amid the chain."""
        link = self.any(but_last=True)
        await self.remove(link, "seal")
        return Expected(Kind.SEAL_MISSING, {link.id})

    async def change_seal(self) -> Expected:
        """A seal's hash, amid the chain."""
        link = self.any(but_last=True)
        forged = f"{self.chance.getrandbits(256):064x}"
        await self.tx.run("UPDATE seals SET hash = :hash WHERE n = :n", {"hash": forged, "n": link.n})
        return Expected(Kind.SEAL_CHANGED, {link.id})

    async def swap_events(self) -> Expected:
        """Two events take each other's id."""
        one, two = self.chance.sample(self.chain, 2)
        for old, new in ((one.id, -1), (two.id, one.id), (-1, two.id)):
            for table, column in (("events", "id"), ("event_texts", "event_id")):
                await self.tx.run(f"UPDATE {table} SET {column} = :new WHERE {column} = :old", {"new": new, "old": old})
        return Expected(Kind.SWAPPED, {one.id, two.id})

    async def renumber(self) -> Expected:
        """An event takes an id of another time, and its words and its seal go along."""
        link, new = self.any(), self.chain[-1].id + self.chance.randrange(1, 9)
        for table, column in (("events", "id"), ("event_texts", "event_id"), ("seals", "event_id")):
            await self.tx.run(f"UPDATE {table} SET {column} = :new WHERE {column} = :old", {"new": new, "old": link.id})
        return Expected(Kind.CHANGED, {new})

    async def swap_seals(self) -> Expected:
        """Two seals take each other's number."""
        one, two = self.chance.sample(self.chain, 2)
        for old, new in ((one.n, 1_000_000), (two.n, one.n), (1_000_000, two.n)):
            await self.tx.run("UPDATE seals SET n = :new WHERE n = :old", {"new": new, "old": old})
        at_the_end = {Kind.REWRITTEN} if self.chain[-1] in (one, two) else set()  # the kept code is of the last one
        return Expected(Kind.OUT_OF_ORDER, {one.id, two.id}, at_the_end)

    async def insert(self) -> Expected:
        """An event with an id that was never used."""
        used = {link.id for link in self.chain}
        free = [each for each in range(1, max(used)) if each not in used]
        return Expected(Kind.INSERTED, {await self.forge(self.chance.choice(free))})

    async def insert_with_seal(self) -> Expected:
        """The same with a seal that he makes up, at the end of the chain."""
        made = await self.forge(max(link.id for link in self.chain) + 1)
        await self.tx.run(
            "INSERT INTO seals(n, event_id, hash) VALUES (:n, :event, :hash)",
            {"n": len(self.chain) + 1, "event": made, "hash": f"{self.chance.getrandbits(256):064x}"},
        )
        return Expected(Kind.CHANGED, {made})

    async def forge(self, event_id: int) -> int:
        await self.tx.run(
            "INSERT INTO events(id, subject, name, at, facts, actor_id) VALUES (:id, 'park', 'forged', 5, '{}', 1)",
            {"id": event_id},
        )
        return event_id

    async def change_words(self) -> Expected:
        """What a person wrote."""
        link = self.chance.choice([each for each in self.chain if each.row["words"] is not None])
        column = self.chance.choice(("body", "salt"))
        await self.tx.run(f"UPDATE event_texts SET {column} = {column} || ' ' WHERE event_id = :id", {"id": link.id})
        return Expected(Kind.TEXT_CHANGED, {link.id})

    async def add_words(self) -> Expected:
        """Words for somebody who wrote none."""
        link = self.chance.choice([each for each in self.chain if each.row["text_digest"] is None])
        await self.tx.run("INSERT INTO event_texts(event_id, salt, body) VALUES (:id, '', '同意')", {"id": link.id})
        return Expected(Kind.TEXT_INSERTED, {link.id})

    async def cut(self) -> Expected:
        """The tail from anywhere on, with its events or without them."""
        start = self.chance.randrange(len(self.chain))
        what = self.chance.choice((("event", "seal"), ("seal",)))
        for link in self.chain[start:]:
            await self.remove(link, *what)
        return Expected(Kind.CUT, {start}, by_seal=True)

    async def remove(self, link: Sealed, *what: str) -> None:
        if "event" in what:
            await self.tx.run("DELETE FROM event_texts WHERE event_id = :id", {"id": link.id})
            await self.tx.run("DELETE FROM events WHERE id = :id", {"id": link.id})
        if "seal" in what:
            await self.tx.run("DELETE FROM seals WHERE n = :n", {"n": link.n})


@dataclass(frozen=True, slots=True)
class Expected:
    """What a deed must be found as, and what else may follow from it."""

    kind: Kind
    named: set[int]
    besides: frozenset[Kind] | set[Kind] = frozenset()
    by_seal: bool = False

    def unmet_by(self, found: Sequence[Fault]) -> str:
        """What is wrong with what was found; nothing if it is right."""
        told = [fault for fault in found if fault.kind is self.kind]
        named = {each for fault in told for each in ((fault.n,) if self.by_seal else (fault.event, fault.other))}
        others = {fault.kind for fault in found} - {self.kind, Kind.STEP_MISSING, *self.besides}
        if len(told) != 1 or named - {None} != self.named or others:
            return f"{self} was found as {found}"
        return ""


Deed = Callable[[Tamperer], Awaitable[Expected]]
DEEDS: Sequence[Deed] = (
    Tamperer.change,
    Tamperer.delete_event,
    Tamperer.delete_both,
    Tamperer.delete_seal,
    Tamperer.change_seal,
    Tamperer.swap_events,
    Tamperer.renumber,
    Tamperer.swap_seals,
    Tamperer.insert,
    Tamperer.insert_with_seal,
    Tamperer.change_words,
    Tamperer.add_words,
    Tamperer.cut,
)


class _Undone(Exception):
    """The deed is taken back."""


async def for_a_moment(database: Database, unit: Callable[[Tx], Awaitable[T]]) -> T:
    """What a unit comes to, all of which is taken back."""
    results: list[T] = []

    async def undone(tx: Tx) -> None:
        results.append(await unit(tx))
        raise _Undone

    with suppress(_Undone):
        await database.transaction(undone)
    return results[-1]


async def attempt(database: Database, deed: Deed, seed: int, head: Head) -> str:
    """Tamper, verify, and take it back; what was not found rightly."""

    async def unit(tx: Tx) -> str:
        expected = await deed(await Tamperer.come(tx, seed))
        _, found = await verified(tx, head)
        return expected.unmet_by(found)

    unmet = await for_a_moment(database, unit)
    return f"{deed.__name__} {seed}: {unmet}" if unmet else ""
