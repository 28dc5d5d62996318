"""A park in which every word of every firm can be told apart, and who may read which: decided here, by other rules.

What a canary is follows from where it was written down: words of a matter, words inside the office, a rating's
reason, a sealed matter, a firm's name, a secret that no message shows. Whom the roster names now, or ever named while
the park was watched, may read a matter: losing sight of one is held by tests of its own.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from bot.channel import Parcel
from domain.people import Person, Purpose, Role
from domain.rules import Rules
from domain.verbs import Verb
from storage import files, people
from storage.database import Database, Tx
from storage.values import from_ms
from tests.making import Maker, civil, make_department, make_enterprise
from tests.stories.town import group, make

MARK = "Ω"
_SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_WHOLE = re.compile(f"{MARK}[{_SIGNS}]{{6}}")
FIRMS = ("甲", "乙", "丙", "丁")
OFFICE = ("挂钩一", "挂钩二", "值班工", "钱主任", "孙县长", "郑老师", "周芳")
INSPECTOR = "吴检"
STRANGERS = ("路人甲", "路人乙")
BANKER = "钱行长"
ALONE = ("甲企群", "丙企群")
SHARED = ("甲乙片区群", "丙丁片区群")
OFFICES = "优化办调度群"
UNKNOWN = "没批准的群"
GROUPS = (*ALONE, *SHARED, OFFICES, UNKNOWN)
AT = civil("2026-03-11 09:00")
_OF_MATTERS = frozenset(
    {"file", "supplement", "progress", "resolve", "explain", "instant", "object", "withdraw", "urge", "urgent", "undo"}
    | {"extend", "suspend", "agree", "disagree", "milestone", "milestone_done", "beyond", "decline", "hard_date"}
    | {"resume", "long_term", "merge", "unmerge", "deny", "take_back", "assist", "waive"}
)
_RATINGS = frozenset(
    {"satisfied", "fairly_satisfied", "dissatisfied", "solved", "partly_solved", "unsolved", "follow_up", "rework"}
)
_PUBLIC = (("policies", "title"), ("policies", "body"), ("closures", "reason"))


def contacts() -> list[str]:
    """Two of the first firm, one of each other."""
    return ["甲联系人", "甲会计", "乙联系人", "丙联系人", "丁联系人"]


def everybody() -> list[str]:
    """All who speak."""
    return [*contacts(), *OFFICE, INSPECTOR, BANKER, *STRANGERS]


def coin(random: Random) -> str:
    """A word that stands nowhere else: a sign nobody types, and six of 32."""
    return MARK + "".join(random.choice(_SIGNS) for _ in range(6))


def found_in(text: str) -> list[str]:
    """The canaries in a text; one that was cut short counts as none."""
    return _WHOLE.findall(text)


def words_of(parcel: Parcel) -> str:
    """Everything that leaves with a message: text, buttons, whom it calls, names and contents of its files."""
    labels = [key.label for row in parcel.keys for key in row] + [key.data for row in parcel.keys for key in row]
    mention = [str(parcel.mention)] if parcel.mention else []
    documents = [document.name + "\n" + _content(document.content) for document in parcel.documents]
    return "\n".join([parcel.text, *labels, *mention, *documents])


def _content(content: bytes) -> str:
    if not content.startswith(b"PK"):
        return content.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(content)) as pack:
        return "\n".join(pack.read(name).decode("utf-8", "replace") for name in pack.namelist())


@dataclass(frozen=True, slots=True)
class Leak:
    """A canary where it must not be."""

    chat: str
    canary: str
    standing: str
    text: str


@dataclass
class Watch:
    """What is known of the park from outside, and the leaks found so far."""

    database: Database
    said_in: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    names: dict[str, int] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    sealed: dict[str, str] = field(default_factory=dict)
    seers: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    stands_in: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    leaks: list[Leak] = field(default_factory=list)
    looked_at: int = 0

    def said(self, chat: str, text: str, *, by: str) -> None:
        """Somebody wrote it there himself, and may be answered with it there and privately."""
        for canary in found_in(text):
            self.said_in[canary] |= {chat, f"private:{by}"}

    async def read(self, parcels: Iterable[Parcel]) -> None:
        """Look at all that left."""
        for parcel in parcels:
            text = words_of(parcel)
            self.looked_at += 1
            for canary in set(found_in(text)):
                if parcel.chat not in self.said_in[canary] and not await self._may_stand(canary, parcel.chat):
                    self.leaks.append(Leak(parcel.chat, canary, str(await self._places(canary)), text[:400]))

    async def look_around(self) -> None:
        """Note who stands where now."""
        rows = await self._all("SELECT id, liaison_id, deputy_id, chief_id FROM enterprises")
        called = {row["id"]: row["name"] for row in await self._all("SELECT id, name FROM people")}
        for row in rows:
            self.seers[row["id"]] |= {called[row[key]] for key in row if key != "id" and row[key] is not None}
        for row in await self._all("SELECT enterprise_id AS firm, person_id AS who FROM contacts"):
            self.seers[row["firm"]].add(called[row["who"]])
        row = (await self._all("SELECT MAX(received_at) AS at FROM inbox"))[0]
        at = from_ms(row["at"]) if row["at"] else AT
        for one, name in called.items():
            person = await self._person(one, at)
            if person is not None:
                self.stands_in[name] |= {called[other] for other in person.standing_in_for}

    async def _person(self, one: int, at: datetime) -> Person | None:
        return await self.database.reading(lambda tx: people.person(tx, one, at))

    async def _may_stand(self, canary: str, chat: str) -> bool:
        kind, _, name = chat.partition(":")
        if canary in self.secrets:
            return False
        if canary in self.sealed:
            return chat in (f"private:{self.sealed[canary]}", f"private:{INSPECTOR}")
        if canary in self.names:
            return await self._may_be_named(self.names[canary], kind, name)
        for table, column in _PUBLIC:
            if await self._all(f"SELECT 1 AS there FROM {table} WHERE {column} LIKE :it", it=f"%{canary}%"):
                return True
        places = await self._places(canary)
        return any([await self._may_read(place, kind, name) for place in places])

    async def _places(self, canary: str) -> list[dict[str, Any]]:
        """The lines of history in which it stands, and those that came with a file of its name."""
        rows = await self._all(
            """SELECT a.id, a.enterprise_id AS firm, a.kind, a.category, a.sealed, e.name AS event, e.subject
               FROM events e LEFT JOIN appeals a ON a.id = e.appeal_id
               WHERE e.id IN (SELECT event_id FROM event_texts WHERE body LIKE :it)
               OR e.id IN (SELECT event_id FROM event_files WHERE name LIKE :it)""",
            it=f"%{canary}%",
        )
        return [dict(row) for row in rows]

    async def _may_read(self, place: dict[str, Any], kind: str, name: str) -> bool:
        if place["firm"] is None:
            return kind == "private" and name in (*OFFICE, INSPECTOR)
        quiet = place["sealed"] or place["kind"] == "complaint" or place["category"] in ("enforce", "service")
        mine = place["event"] in _OF_MATTERS
        if kind == "group":
            own = name in ALONE and await self._is_group_of(name, place["firm"])
            return not quiet and (name == OFFICES or (own and mine))
        firms_people = name in contacts() or name in STRANGERS or name == BANKER
        if firms_people and not (mine or place["event"] in _RATINGS):
            return False
        return name in await self._readers(place["id"], place["firm"])

    async def _may_be_named(self, firm: int, kind: str, name: str) -> bool:
        if kind == "group":
            return name == OFFICES or await self._is_group_of(name, firm)
        return name in (*OFFICE, INSPECTOR) or name in self.seers[firm]

    async def _is_group_of(self, name: str, firm: int) -> bool:
        sql = """SELECT 1 AS there FROM chats c JOIN chat_enterprises g ON g.chat_id = c.id
                 WHERE c.name = :name AND g.enterprise_id = :firm"""
        return bool(await self._all(sql, name=name, firm=firm))

    async def _readers(self, appeal: int, firm: int) -> set[str]:
        sql = """SELECT p.name FROM people p WHERE p.id IN (
                     SELECT handler_id FROM appeals WHERE id = :id UNION SELECT liaison_id FROM appeals WHERE id = :id
                     UNION SELECT handler_id FROM parts WHERE appeal_id = :id UNION SELECT actor_id FROM events
                     WHERE appeal_id = :id UNION SELECT head_id FROM departments WHERE id IN (
                         SELECT department_id FROM appeals WHERE id = :id
                         UNION SELECT department_id FROM parts WHERE appeal_id = :id))"""
        named = {row["name"] for row in await self._all(sql, id=appeal)} | self.seers[firm] | {"周芳", INSPECTOR}
        return named | {who for who, whose in self.stands_in.items() if whose & named}

    async def _all(self, sql: str, **params: Any) -> Any:
        return await self.database.reading(lambda tx: tx.all(sql, params))


async def settle(tx: Tx, rules: Rules, watch: Watch, random: Random) -> None:
    """Everybody, each firm with a canary in its name, its phone and its code, and two sealed matters."""
    power = await make_department(tx, "县供电公司", "power", external=1)
    school = await make_department(tx, "教体局", "school")
    phone = coin(random)
    watch.secrets.add(phone)
    office = {
        "挂钩一": await make(tx, "挂钩一", Role.LIAISON, phone=phone),
        "挂钩二": await make(tx, "挂钩二", Role.LIAISON),
        "值班工": await make(tx, "值班工", Role.HANDLER, department_id=power),
        "钱主任": await make(tx, "钱主任", Role.HEAD, department_id=power),
        "孙县长": await make(tx, "孙县长", Role.CHIEF),
        "郑老师": await make(tx, "郑老师", Role.HANDLER, department_id=school),
        "周芳": await make(tx, "周芳", Role.COORDINATOR),
    }
    inspector = await make(tx, INSPECTOR, Role.INSPECTOR)
    await make(tx, BANKER, Role.BANK)
    heads = {"power": ("值班工", "钱主任"), "school": ("郑老师", None)}
    for code, (duty, head) in heads.items():
        row = {"code": code, "duty": office[duty], "head": office[head] if head else None}
        await tx.run("UPDATE departments SET duty_id = :duty, head_id = :head WHERE code = :code", row)
    firms = {}
    for letter in FIRMS:
        who = [await _contact(tx, watch, random, name) for name in contacts() if name.startswith(letter)]
        first = letter in "甲乙"
        name, short = f"{letter}{coin(random)}机械有限公司", f"{letter}{coin(random)}"
        called = name + short
        staff = {"liaison_id": office["挂钩一" if first else "挂钩二"], "chief_id": office["孙县长"] if first else None}
        firms[letter] = await make_enterprise(tx, name, *who, short_name=short, **staff)
        watch.names |= dict.fromkeys(found_in(called), firms[letter])
        if letter in "甲丙":
            await _seal(tx, rules, watch, random, firms[letter], who[0], f"{letter}联系人", inspector)
    for name, letters in {"甲企群": "甲", "丙企群": "丙", "甲乙片区群": "甲乙", "丙丁片区群": "丙丁"}.items():
        await group(tx, Purpose.LIAISON, name, *(firms[letter] for letter in letters))
    await group(tx, Purpose.COORDINATION, OFFICES)


async def _contact(tx: Tx, watch: Watch, random: Random, name: str) -> int:
    phone = coin(random)
    watch.secrets.add(phone)
    return await make(tx, name, Role.CONTACT, phone=phone)


async def _seal(
    tx: Tx, rules: Rules, watch: Watch, random: Random, firm: int, who: int, name: str, inspector: int
) -> None:
    canary = coin(random)
    watch.sealed[canary] = name
    maker = Maker(tx, rules)
    number = "M-" + "".join(random.choice(_SIGNS) for _ in range(6))
    sealed = {"sealed": True, "contact_id": who, "number": number}
    filed = await maker.appeal(firm, AT, f"{canary} 有人刁难", **sealed)
    await maker.take(filed, Verb.DISPATCH, AT, handler_id=inspector)


async def keep_file(database: Database, content: str) -> str:
    """A kept text file; its hash."""
    return await database.transaction(lambda tx: files.keep(tx, content.encode(), "text/plain", AT))


