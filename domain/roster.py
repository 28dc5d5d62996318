"""The roster of a park as values: what its workbook says of firms, people, departments and groups, line by line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from domain.people import Purpose, Role
from domain.said import Said


class Sheet(StrEnum):
    """The four sheets of a roster."""

    ENTERPRISES = "enterprises"
    PEOPLE = "people"
    DEPARTMENTS = "departments"
    GROUPS = "groups"


SHEET_WORDS: Mapping[Sheet, str] = {
    Sheet.ENTERPRISES: "企业",
    Sheet.PEOPLE: "人员",
    Sheet.DEPARTMENTS: "部门",
    Sheet.GROUPS: "群",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its English and its Chinese header, further spellings, and whether a sheet must have it."""

    name: str
    zh: str
    also: tuple[str, ...] = ()
    required: bool = False


COLUMNS: Mapping[Sheet, tuple[Column, ...]] = {
    Sheet.ENTERPRISES: (
        Column("name", "名称", ("企业名称", "企业", "enterprise"), required=True),
        Column("short_name", "简称", ("企业简称",)),
        Column("uscc", "统一社会信用代码", ("信用代码", "社会信用代码")),
        Column("zone", "片区", ("所属片区",)),
        Column("industry", "行业", ("所属行业",)),
        Column("size", "规模", ("企业规模",)),
        Column("tags", "标签"),
        Column("liaison", "挂钩干部", ("包联干部", "联络员")),
        Column("deputy", "备岗"),
        Column("chief", "首席服务官"),
    ),
    Sheet.PEOPLE: (
        Column("name", "姓名", ("名字",), required=True),
        Column("roles", "角色", ("role",), required=True),
        Column("department", "部门", ("单位",)),
        Column("enterprise", "企业", ("所属企业", "enterprises")),
        Column("zone", "片区"),
        Column("phone", "电话", ("手机", "手机号", "联系电话")),
        Column("telegram_id", "Telegram", ("telegram id",)),
        Column("wecom_userid", "企业微信", ("企业微信账号", "wecom userid")),
        Column("language", "语言"),
        Column("deputy", "备岗"),
    ),
    Sheet.DEPARTMENTS: (
        Column("code", "代码", required=True),
        Column("name", "名称", ("部门", "部门名称"), required=True),
        Column("duty", "经办人"),
        Column("head", "负责人", ("部门负责人",)),
        Column("external", "外部单位", ("是否外部单位",)),
    ),
    Sheet.GROUPS: (
        Column("channel", "渠道", required=True),
        Column("chat_id", "chat_id", ("群id", "群号", "chat id"), required=True),
        Column("name", "名称", ("群名", "群名称")),
        Column("purpose", "用途", required=True),
        Column("enterprises", "企业", ("enterprise",)),
        Column("zone", "片区"),
    ),
}

CHANNELS: Mapping[str, str] = {
    "telegram": "telegram",
    "wecom_aibot": "wecom_aibot",
    "wecom_app": "wecom_app",
    "wecom_group": "wecom_group",
    "web": "web",
    "企业微信": "wecom_aibot",
    "网页": "web",
}
"""The names of channels that a sheet may write, and the channel each of them means."""


# The workbook as it was read ------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Table:
    """One sheet as text. `rows` holds (row number as the program shows it, cells from the first column on).

    `faults` are places (row, column from 1) whose cell cannot be taken at its word, with the key of the reason.
    """

    name: str
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    faults: Mapping[tuple[int, int], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one cell. `column` is its header, `place` its number from 1; a warning hinders nothing."""

    sheet: str
    row: int
    column: str
    cause: Said
    place: int = 1
    warning: bool = False


# What it says ---------------------------------------------------------------------------------------------------------
# A field that is None was not said (no such column, or a blank where a blank cannot be meant) and stays as it is.
@dataclass(frozen=True, slots=True)
class EnterpriseEntry:
    """A line of the sheet of firms; people are named."""

    name: str
    short_name: str | None = None
    uscc: str | None = None
    zone: str | None = None
    industry: str | None = None
    size: str | None = None
    tags: tuple[str, ...] | None = None
    liaison: str | None = None
    deputy: str | None = None
    chief: str | None = None


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """A line of the sheet of people; `enterprises` are the firms that a contact speaks for."""

    name: str
    roles: tuple[Role, ...] | None = None
    department: str | None = None
    enterprises: tuple[str, ...] | None = None
    zone: str | None = None
    phone: str | None = None
    telegram_id: str | None = None
    wecom_userid: str | None = None
    language: str | None = None
    deputy: str | None = None


@dataclass(frozen=True, slots=True)
class DepartmentEntry:
    """A line of the sheet of departments; `duty` takes what is dispatched to it."""

    code: str
    name: str
    duty: str | None = None
    head: str | None = None
    external: bool | None = None


@dataclass(frozen=True, slots=True)
class GroupEntry:
    """A line of the sheet of groups; to be named here is to be approved."""

    channel: str
    chat_id: str
    name: str | None = None
    purpose: Purpose = Purpose.LIAISON
    enterprises: tuple[str, ...] | None = None
    zone: str | None = None


Entry: TypeAlias = "EnterpriseEntry | PersonEntry | DepartmentEntry | GroupEntry"


@dataclass(frozen=True, slots=True)
class Roster:
    """Everything a workbook says, in its order. `sheets` are those it has; about the others it says nothing."""

    enterprises: tuple[EnterpriseEntry, ...] = ()
    people: tuple[PersonEntry, ...] = ()
    departments: tuple[DepartmentEntry, ...] = ()
    groups: tuple[GroupEntry, ...] = ()
    sheets: frozenset[Sheet] = frozenset(Sheet)


EMPTY = Roster(sheets=frozenset())


@dataclass(frozen=True, slots=True)
class Checked:
    """A workbook that was read: its roster, and all that is wrong with it. It may be imported when nothing is."""

    roster: Roster
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep the workbook from being imported."""
        return tuple(problem for problem in self.problems if not problem.warning)
