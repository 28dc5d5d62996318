"""Makes what tests need: a small park's rules, people, firms, chats, and appeals that went some way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from domain.appeal import NOTHING, Appeal, Details, Source
from domain.hours import Hours
from domain.lifecycle import Draft, submit, take
from domain.people import Purpose, Role
from domain.rules import (
    Category,
    Clock,
    Difficulty,
    DigestTimes,
    Kind,
    Listener,
    Route,
    Rules,
    Rung,
    SurveyTerms,
    Terms,
)
from domain.verbs import Verb
from domain.workdays import Calendar, parse_interval, parse_span
from storage import appeals
from storage.database import Tx
from storage.years import read_years

ZONE = ZoneInfo("Asia/Shanghai")


def civil(text: str) -> datetime:
    """The instant of a local "2026-03-11 08:30" in Shanghai, as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(ZoneInfo("UTC"))


def make_calendar(*, always: bool = False) -> Calendar:
    """The shipped year tables with the usual hours; quiet from 21:00 to 08:00."""
    intervals = (parse_interval("08:30-12:00"), parse_interval("14:00-17:30"))
    hours = Hours(intervals, always=always, quiet=parse_interval("21:00-08:00"))
    return Calendar(read_years(), hours, ZONE)


CATEGORIES = (
    Category("power", "要素保障·用电", ("停电", "电压", "变压器"), "power", Route.LIAISON),
    Category("school", "员工生活·子女入学", ("入学", "上学"), "school", Route.LIAISON),
    Category("land", "要素·用地规划", ("红线", "土地"), "land", Route.DEPARTMENT),
    Category("enforce", "涉企执法", ("罚款", "查封"), "law", Route.LIAISON, sensitive=True),
    Category("service", "政务作风", ("推诿",), "", Route.INSPECTOR, sensitive=True),
)

LADDERS: Mapping[Clock, tuple[Rung, ...]] = {
    Clock.ACKNOWLEDGE: (Rung("50%", 0.5, (Listener.HANDLER,)),),
    Clock.RESOLVE: (
        Rung("-2wd", parse_span("-2wd"), (Listener.HANDLER,)),
        Rung("0s", parse_span("0s"), (Listener.HANDLER,)),
        Rung("+1wd", parse_span("1wd"), (Listener.HANDLER, Listener.HEAD), document="reminder_notice"),
        Rung("+3wd", parse_span("3wd"), (Listener.CHIEF,), release="coordinator"),
    ),
    Clock.SURVEY: (Rung("+3wd", parse_span("3wd"), (Listener.CONTACT,)),),
}


def make_terms(**changed: str) -> Terms:
    """The defaults of the contract; `make_terms(appeal="5wd")` changes one."""
    spans = {
        "dispatch": "4wh",
        "dispatch_urgent": "1h",
        "acknowledge": "1wd",
        "urgent": "2h",
        "inquiry": "2wd",
        "inquiry_hard": "3wd",
        "appeal": "10wd",
        "appeal_easy": "3wd",
        "appeal_hard": "15wd",
        "complaint": "15wd",
        "complaint_accept": "3wd",
        "suggestion": "10wd",
        "blocked_service": "5wd",
        "part": "3wd",
        "extension_total": "30wd",
        **changed,
    }
    parsed: dict[str, Any] = {name: parse_span(span) for name, span in spans.items()}
    return Terms(**parsed)


def make_rules(
    *,
    daily: tuple[str, ...] = ("08:30",),
    always: bool = False,
    ladders: Mapping[Clock, tuple[Rung, ...]] = LADDERS,
    terms: Mapping[str, str] | None = None,
) -> Rules:
    """A small park: five categories, the contract's terms and ladders, the digest at 08:30."""
    return Rules(
        park="测试园区",
        language="zh",
        calendar=make_calendar(always=always),
        terms=make_terms(**(terms or {})),
        ladders=ladders,
        survey=SurveyTerms(parse_span("3wd"), parse_span("3wd")),
        digest=DigestTimes(tuple(time.fromisoformat(clock) for clock in daily)),
        categories={category.code: category for category in CATEGORIES},
    )


def drafted(**fields: Any) -> Draft:
    """What a firm's appeal is made of, with no database behind it; `fields` change it."""
    plain: dict[str, Any] = {
        "number": "12",
        "kind": Kind.APPEAL,
        "title": "车间电压低",
        "text": "车间电压低",
        "category": "power",
        "enterprise_id": 1,
        "contact_id": 1,
        "liaison_id": 2,
        "source": Source.PRIVATE,
    }
    return Draft(**{**plain, **fields})


async def _insert(tx: Tx, table: str, row: Mapping[str, Any]) -> int:
    names = ", ".join(row)
    holes = ", ".join(f":{name}" for name in row)
    made = await tx.one(f"INSERT INTO {table}({names}) VALUES ({holes}) RETURNING id", row)
    assert made is not None
    return int(made["id"])


async def make_department(tx: Tx, name: str = "县供电公司", code: str = "power", **columns: Any) -> int:
    """A department; further columns as the table has them (`head_id`, `duty_id`, `external`)."""
    return await _insert(tx, "departments", {"code": code, "name": name, **columns})


async def make_person(tx: Tx, name: str, *roles: Role, chat: bool = True, **columns: Any) -> int:
    """A person with these roles, bound to an account; with `chat`, a private chat reaches him."""
    person = await _insert(tx, "people", {"name": name, **columns})
    for role in roles:
        await tx.run(
            "INSERT INTO person_roles(person_id, role) VALUES (:person, :role)",
            {"person": person, "role": role.value},
        )
    account = {"channel": "web", "external_id": f"{name}-{person}", "name": name, "person_id": person}
    account_id = await _insert(tx, "accounts", account)
    if chat:
        place = {"channel": "web", "external_id": f"private-{person}", "private": 1, "account_id": account_id}
        await _insert(tx, "chats", place)
    return person


async def make_enterprise(tx: Tx, name: str = "宏达机械有限公司", *contacts: int, **columns: Any) -> int:
    """A firm with its contacts; further columns as in the table (`liaison_id`, `zone`, `short_name`)."""
    row = {"name": name, "short_name": name.removesuffix("有限公司"), "zone": "大树营片区", **columns}
    firm = await _insert(tx, "enterprises", row)
    for contact in contacts:
        await tx.run(
            "INSERT INTO contacts(enterprise_id, person_id) VALUES (:firm, :person)",
            {"firm": firm, "person": contact},
        )
    return firm


async def make_group(tx: Tx, purpose: Purpose, *firms: int, name: str = "群", approved_at: int | None = 0) -> int:
    """A group chat, approved at the beginning of time unless told otherwise."""
    row = {"channel": "web", "external_id": f"{purpose}-{name}", "private": 0, "name": name}
    chat = await _insert(tx, "chats", {**row, "purpose": purpose.value, "approved_at": approved_at})
    for firm in firms:
        await tx.run(
            "INSERT INTO chat_enterprises(chat_id, enterprise_id) VALUES (:chat, :firm)",
            {"chat": chat, "firm": firm},
        )
    return chat


async def private_chat_of(tx: Tx, person_id: int) -> int:
    """The id of the private chat that reaches a person."""
    row = await tx.one(
        "SELECT c.id FROM chats c JOIN accounts a ON a.id = c.account_id WHERE a.person_id = :id",
        {"id": person_id},
    )
    assert row is not None
    return int(row["id"])


@dataclass(frozen=True, slots=True)
class Maker:
    """Files appeals and leads them along, by the domain's own steps and through the one door."""

    tx: Tx
    rules: Rules

    async def appeal(self, firm: int, at: datetime, text: str = "车间电压低", **fields: Any) -> Appeal:
        """A filed appeal: category power, no liaison, from a private chat; `fields` change the draft."""
        plain = {
            "number": fields.pop("number", None) or await appeals.new_number(self.tx),
            "kind": Kind.APPEAL,
            "title": text[:20],
            "text": text,
            "category": "power",
            "enterprise_id": firm,
            "contact_id": None,
            "liaison_id": None,
            "source": Source.PRIVATE,
            "difficulty": Difficulty.NORMAL,
        }
        change = submit(Draft(**{**plain, **fields}), by=None, at=at, rules=self.rules)
        return await appeals.record(self.tx, change, self.rules)

    async def take(self, appeal: Appeal, verb: Verb, at: datetime, *, by: int | None = None, **details: Any) -> Appeal:
        """One step, with its details (`text`, `handler_id`, `department_id`)."""
        given = Details(**details) if details else NOTHING
        change = take(appeal, verb, by=by, at=at, rules=self.rules, details=given)
        return await appeals.record(self.tx, change, self.rules)

    async def dispatched(
        self, firm: int, at: datetime, handler: int, department: int | None = None, **fields: Any
    ) -> Appeal:
        """Filed and handed to somebody at the same moment."""
        filed = await self.appeal(firm, at, **fields)
        return await self.take(filed, Verb.DISPATCH, at, handler_id=handler, department_id=department)

    async def started(
        self, firm: int, at: datetime, handler: int, department: int | None = None, **fields: Any
    ) -> Appeal:
        """Filed, handed over and taken on at the same moment."""
        handed = await self.dispatched(firm, at, handler, department, **fields)
        return await self.take(handed, Verb.ACKNOWLEDGE, at, by=handler)

    async def resolved(
        self, firm: int, at: datetime, handler: int, department: int | None = None, **fields: Any
    ) -> Appeal:
        """Filed, taken on and done at the same moment."""
        begun = await self.started(firm, at, handler, department, **fields)
        return await self.take(begun, Verb.RESOLVE, at, by=handler, text="已办妥")
