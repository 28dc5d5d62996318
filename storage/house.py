"""The roster as the database holds it: every firm, person, department and approved group, by row id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.people import Purpose, Role
from domain.roster import DepartmentEntry, EnterpriseEntry, GroupEntry, PersonEntry, Roster
from storage.database import Row, Tx


@dataclass(slots=True)
class House:
    """What is there now; no field of an entry is None. `self_named` are people who were never in a workbook."""

    enterprises: dict[int, EnterpriseEntry] = field(default_factory=dict)
    people: dict[int, PersonEntry] = field(default_factory=dict)
    departments: dict[int, DepartmentEntry] = field(default_factory=dict)
    groups: dict[int, GroupEntry] = field(default_factory=dict)
    self_named: frozenset[int] = frozenset()
    asleep: frozenset[int] = frozenset()

    @property
    def roster(self) -> Roster:
        """All of it as a workbook would say it; what is not active any more is left out."""
        return Roster(
            tuple(firm for key, firm in self.enterprises.items() if key not in self.asleep),
            tuple(self.people.values()),
            tuple(self.departments.values()),
            tuple(self.groups.values()),
        )


async def read(tx: Tx) -> House:
    """Read the house; a handful of queries whatever its size."""
    people_rows = await tx.all("SELECT * FROM people WHERE active = 1 ORDER BY id")
    firm_rows = await tx.all("SELECT * FROM enterprises ORDER BY id")
    unit_rows = await tx.all("SELECT * FROM departments ORDER BY id")
    people = {row["id"]: row["name"] for row in people_rows}
    firms = {row["id"]: row["name"] for row in firm_rows if row["active"]}
    units = {row["id"]: row["name"] for row in unit_rows}
    return House(
        enterprises=await _enterprises(tx, firm_rows, people),
        people=await _people(tx, people_rows, firms, units),
        departments={row["id"]: _department(row, people) for row in unit_rows},
        groups=await _groups(tx, firms),
        self_named=frozenset(row["id"] for row in people_rows if row["self_named"]),
        asleep=frozenset(row["id"] for row in firm_rows if not row["active"]),
    )


async def _enterprises(tx: Tx, rows: Sequence[Row], people: dict[int, str]) -> dict[int, EnterpriseEntry]:
    tags = await _lists(tx, "SELECT enterprise_id AS owner, tag AS item FROM enterprise_tags ORDER BY tag")
    return {
        row["id"]: EnterpriseEntry(
            name=row["name"],
            short_name=row["short_name"],
            uscc=row["uscc"],
            zone=row["zone"],
            industry=row["industry"],
            size=row["size"],
            tags=tuple(tags[row["id"]]),
            liaison=people.get(row["liaison_id"], ""),
            deputy=people.get(row["deputy_id"], ""),
            chief=people.get(row["chief_id"], ""),
        )
        for row in rows
    }


async def _people(tx: Tx, rows: Sequence[Row], firms: dict[int, str], units: dict[int, str]) -> dict[int, PersonEntry]:
    roles = await _lists(tx, "SELECT person_id AS owner, role AS item FROM person_roles")
    spoken = await _lists(tx, "SELECT person_id AS owner, enterprise_id AS item FROM contacts ORDER BY enterprise_id")
    telegram = await _accounts(tx, "telegram")
    wecom = await _accounts(tx, "wecom_aibot") | await _accounts(tx, "wecom_app")
    names = {row["id"]: row["name"] for row in rows}
    return {
        row["id"]: PersonEntry(
            name=row["name"],
            roles=tuple(role for role in Role if role.value in roles[row["id"]]),
            department=units.get(row["department_id"], ""),
            enterprises=tuple(firms[firm] for firm in spoken[row["id"]] if firm in firms),
            zone=row["zone"],
            phone=row["phone"],
            telegram_id=telegram.get(row["id"], ""),
            wecom_userid=wecom.get(row["id"], ""),
            language=row["language"],
            deputy=names.get(row["deputy_id"], ""),
        )
        for row in rows
    }


def _department(row: Row, people: dict[int, str]) -> DepartmentEntry:
    return DepartmentEntry(
        code=row["code"],
        name=row["name"],
        duty=people.get(row["duty_id"], ""),
        head=people.get(row["head_id"], ""),
        external=bool(row["external"]),
    )


async def _groups(tx: Tx, firms: dict[int, str]) -> dict[int, GroupEntry]:
    rows = await tx.all(
        "SELECT * FROM chats WHERE private = 0 AND approved_at IS NOT NULL AND purpose IS NOT NULL ORDER BY id"
    )
    bound = await _lists(
        tx, "SELECT chat_id AS owner, enterprise_id AS item FROM chat_enterprises ORDER BY enterprise_id"
    )
    return {
        row["id"]: GroupEntry(
            channel=row["channel"],
            chat_id=row["external_id"],
            name=row["name"],
            purpose=Purpose(row["purpose"]),
            enterprises=tuple(firms[firm] for firm in bound[row["id"]] if firm in firms),
            zone=row["zone"],
        )
        for row in rows
    }


async def _accounts(tx: Tx, channel: str) -> dict[int, str]:
    """The account of each person on a channel; of several the one that was bound last."""
    rows = await tx.all(
        """SELECT person_id, external_id FROM accounts WHERE channel = :channel AND person_id IS NOT NULL
           ORDER BY COALESCE(bound_at, 0), id""",
        {"channel": channel},
    )
    return {row["person_id"]: row["external_id"] for row in rows}


async def _lists(tx: Tx, query: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in await tx.all(query):
        found[row["owner"]].append(row["item"])
    return found
