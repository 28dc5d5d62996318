"""A park for sixty days: ten firms, their cadres and departments, two coordinators, chiefs, an inspector; its rules."""

from collections.abc import Mapping
from dataclasses import replace

from domain.people import Role
from domain.rules import Clock, Kind, Listener, Rules, Rung
from domain.workdays import parse_span
from storage.database import Tx
from tests import making
from tests.stories.town import make


def _rung(label: str, *tell: Listener, release: str = "", kinds: frozenset[Kind] = frozenset()) -> Rung:
    at = float(label[:-1]) / 100 if label.endswith("%") else parse_span(label)
    return Rung(label, at, tell, release=release, kinds=kinds)


_HELD = "coordinator"
_SUGGESTIONS = frozenset({Kind.SUGGESTION})

LADDERS: Mapping[Clock, tuple[Rung, ...]] = {
    Clock.DISPATCH: (_rung("0s", Listener.COORDINATOR),),
    Clock.ACKNOWLEDGE: (
        _rung("50%", Listener.HANDLER),
        _rung("0s", Listener.HANDLER, Listener.COORDINATOR),
    ),
    Clock.RESOLVE: (
        _rung("-2wd", Listener.HANDLER),
        _rung("0s", Listener.HANDLER),
        _rung("+1wd", Listener.HANDLER, Listener.HEAD),
        _rung("+3wd", Listener.CHIEF, release=_HELD),
        _rung("+5wd", Listener.INSPECTOR, release=_HELD),
        _rung("-4wh", Listener.HANDLER, kinds=_SUGGESTIONS),
        _rung("+2wd", Listener.HANDLER, Listener.COORDINATOR, kinds=_SUGGESTIONS),
    ),
    Clock.PART: (
        _rung("-1wd", Listener.CO_HANDLER),
        _rung("0s", Listener.CO_HANDLER),
        _rung("+1wd", Listener.CO_HANDLER, Listener.HEAD),
        _rung("+3wd", Listener.HANDLER, Listener.COORDINATOR),
    ),
    Clock.MILESTONE: (
        _rung("-2wd", Listener.HANDLER),
        _rung("0s", Listener.HANDLER),
        _rung("+1wd", Listener.HANDLER, Listener.COORDINATOR),
        _rung("+5wd", Listener.CHIEF, release=_HELD),
    ),
    Clock.ORDER: (
        _rung("50%", Listener.HANDLER),
        _rung("0s", Listener.HANDLER),
        _rung("+1wd", Listener.HANDLER, Listener.HEAD, Listener.ORDERER),
    ),
    Clock.SURVEY: (_rung("3wd", Listener.CONTACT), _rung("6wd", Listener.COORDINATOR)),
}
"""The shipped ladders, with one of its own for suggestions; without the papers that come along."""


def make_rules() -> Rules:
    """The contract's terms; inquiries about land have a term of their own; no digests."""
    rules = making.make_rules(daily=(), ladders=LADDERS)
    land = replace(rules.categories["land"], terms={"inquiry": parse_span("4wd"), "appeal_hard": parse_span("12wd")})
    return replace(rules, categories={**rules.categories, "land": land})


LIAISONS = ("王敏", "李强", "韩梅", "郭勇")
UNITS: Mapping[str, tuple[str, str | None, str | None]] = {
    "县供电公司": ("power", "赵工", "钱主任"),
    "自然资源局": ("land", "孙科", "冯局"),
    "教体局": ("school", "郑老师", None),
    "交通局": ("traffic", "何科", "吕局"),
    "司法局": ("law", None, "沈局"),
    "住建局": ("housing", "尤工", "杜局"),
}
"""Code, duty officer and head of each department; the power company is external, and 吕局 has no chat."""
OUTSIDE, UNHEARD = "县供电公司", "吕局"
CHIEFS = ("孙县长", "马县长")
COORDINATORS = ("周芳", "陈静")
INSPECTOR = "吴检"
_STAFF = tuple(name for unit in UNITS.values() for name in unit[1:] if name is not None and name != UNHEARD)
COLLEAGUES = (LIAISONS, _STAFF, CHIEFS)
"""Who may take over from one another."""
CADRES = (*LIAISONS, *_STAFF, *CHIEFS, *COORDINATORS, INSPECTOR)
"""Everybody who may be on leave and stand in; whoever speaks can be reached."""
FIRMS = ("宏达", "和顺", "永兴", "天成", "金泰", "远航", "华茂", "新业", "广源", "恒通")


def contacts(firm: str) -> tuple[str, ...]:
    """Who speaks for a firm; every third one has two people."""
    owner = f"{firm}老板"
    return (owner, f"{firm}会计") if FIRMS.index(firm) % 3 == 0 else (owner,)


async def furnish(tx: Tx) -> None:
    """Write the roster. The last firm has no liaison, the last three have no chief."""
    ids = {name: await make(tx, name, Role.LIAISON) for name in LIAISONS}
    for name, (code, duty, head) in UNITS.items():
        unit = await making.make_department(tx, name, code, external=int(name == OUTSIDE))
        for person, role, column in ((duty, Role.HANDLER, "duty_id"), (head, Role.HEAD, "head_id")):
            if person is not None:
                ids[person] = ids.get(person) or await make(tx, person, role, department_id=unit)
                staff = {"person": ids[person], "unit": unit}
                await tx.run(f"UPDATE departments SET {column} = :person WHERE id = :unit", staff)
    for role, names in ((Role.CHIEF, CHIEFS), (Role.COORDINATOR, COORDINATORS), (Role.INSPECTOR, (INSPECTOR,))):
        ids |= {name: await make(tx, name, role) for name in names}
    for n, firm in enumerate(FIRMS):
        people = [await make(tx, name, Role.CONTACT) for name in contacts(firm)]
        served = {
            "liaison_id": ids[LIAISONS[n % 4]] if n < 9 else None,
            "deputy_id": ids[LIAISONS[(n + 1) % 4]] if n < 9 else None,
            "chief_id": ids[CHIEFS[n % 2]] if n < 7 else None,
        }
        await making.make_enterprise(tx, f"{firm}有限公司", *people, short_name=firm, **served)
    await tx.run("UPDATE chats SET reachable = 0 WHERE external_id = :id", {"id": f"private:{UNHEARD}"})
