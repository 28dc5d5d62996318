"""The people, firms and departments of a park, as the roster names them."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person is in the park; one person may be several."""

    CONTACT = "contact"
    LIAISON = "liaison"
    HANDLER = "handler"
    HEAD = "head"
    CHIEF = "chief"
    COORDINATOR = "coordinator"
    INSPECTOR = "inspector"
    MONITOR = "monitor"
    EXPERT = "expert"
    BANK = "bank"


LANGUAGES_SPELLED = {
    "zh": "zh",
    "中文": "zh",
    "汉语": "zh",
    "chinese": "zh",
    "en": "en",
    "英文": "en",
    "英语": "en",
    "english": "en",
}
"""How people and rosters write a language, in lower case, and its code."""

OFFICE = frozenset({Role.LIAISON, Role.HANDLER, Role.HEAD, Role.CHIEF, Role.COORDINATOR, Role.INSPECTOR})


class Purpose(StrEnum):
    """What a group chat is for; it decides what may be said there."""

    LIAISON = "liaison"
    COORDINATION = "coordination"
    LEADERSHIP = "leadership"
    INSPECTION = "inspection"
    BANK = "bank"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the roster. `enterprise_ids` are the firms that a contact speaks for.

    `standing_in_for` are colleagues on leave whose duties he has meanwhile; `looks_after` are firms whose liaison is
    on leave without a stand-in, and that name this person as their deputy.
    """

    id: int
    name: str
    roles: frozenset[Role] = frozenset()
    department_id: int | None = None
    enterprise_ids: frozenset[int] = frozenset()
    zone: str = ""
    language: str = "zh"
    deputy_id: int | None = None
    on_leave: bool = False
    standing_in_for: frozenset[int] = frozenset()
    looks_after: frozenset[int] = frozenset()

    def has(self, *roles: Role) -> bool:
        """Whether the person holds any of these roles."""
        return not self.roles.isdisjoint(roles)

    def acts_for(self, firm: "Enterprise") -> frozenset[int]:
        """Whose part this person has in a matter of a firm: his own, and that of those for whom he stands in."""
        liaison = {firm.liaison_id} if firm.id in self.looks_after and firm.liaison_id is not None else set()
        return self.standing_in_for | liaison | {self.id}

    @property
    def in_office(self) -> bool:
        """Whether the person works for the park's side, so that office hours hold for messages to him."""
        return not self.roles.isdisjoint(OFFICE)


@dataclass(frozen=True, slots=True)
class Enterprise:
    """A firm of the park with the people assigned to it."""

    id: int
    name: str
    short_name: str
    uscc: str = ""
    zone: str = ""
    industry: str = ""
    size: str = ""
    tags: frozenset[str] = frozenset()
    liaison_id: int | None = None
    deputy_id: int | None = None
    chief_id: int | None = None


@dataclass(frozen=True, slots=True)
class Department:
    """An office or utility that fixes things; `external` units are asked, never ordered."""

    id: int
    code: str
    name: str
    external: bool = False
    duty_id: int | None = None
    head_id: int | None = None


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation on a platform: a group, or one person's private chat with the bot.

    `hears_all`: the bot is brought what people say without speaking to it. `menu`: of what its commands are listed.
    """

    id: int
    channel: str
    external_id: str
    private: bool
    name: str = ""
    purpose: Purpose | None = None
    approved: bool = False
    person_id: int | None = None
    enterprise_ids: frozenset[int] = frozenset()
    hears_all: bool = True
    menu: str = ""

    @property
    def one_firm(self) -> int | None:
        """The firm whose matters may be spoken of openly here, if the group belongs to exactly one."""
        return next(iter(self.enterprise_ids)) if len(self.enterprise_ids) == 1 and not self.private else None

    def is_about(self, enterprise_id: int) -> bool:
        """Whether a group may hear that this firm has matters: its own ones, the office's, and one of no firm."""
        office = self.purpose is Purpose.COORDINATION or not self.enterprise_ids
        return office or enterprise_id in self.enterprise_ids
