"""Makes what tests of forwarding slips need: a matter with secrets around it, a part, a slip with its code."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from domain.appeal import Appeal
from domain.rules import Rules
from domain.verbs import Verb
from storage import appeals, slips
from storage.database import Database, Tx
from tests.making import Maker, make_department

CANARIES = ("金丝雀原话", "金丝雀备注", "金丝雀评价", "金丝雀别家", "金丝雀进展", "金丝雀单位", "13912345678", "张建国")
UNIT = "县供电公司"


class HasRules(Protocol):
    """Where the park's rules are."""

    @property
    def rules(self) -> Rules: ...


class Town(Protocol):
    """As much of a park as is needed here."""

    database: Database
    people: dict[str, int]

    @property
    def context(self) -> HasRules: ...

    @property
    def civil(self) -> Callable[[], datetime]: ...


@dataclass(frozen=True, slots=True)
class Given:
    """A slip that was handed out."""

    code: str
    slip: int
    appeal: Appeal

    @property
    def path(self) -> str:
        return f"/slip/{self.code}"


async def hand_out(town: Town, **words: Any) -> Given:
    """A part for the power company, with notes, news, another unit and another firm's matter beside it, and a slip."""

    async def unit(tx: Tx) -> Given:
        return await _hand_out(tx, town, **words)

    return await town.database.transaction(unit)


async def _hand_out(
    tx: Tx, town: Town, *, title: str = "车间电压低 电话13912345678", part: str = "更换变压器", unit: str = UNIT
) -> Given:
    maker, at, who = Maker(tx, town.context.rules), town.civil(), town.people
    power = await make_department(tx, unit, "power", external=1)
    school = await make_department(tx, "金丝雀单位", "school")
    await tx.run("UPDATE people SET phone = '13912345678' WHERE id = :id", {"id": who["张建国"]})
    said: dict[str, Any] = {"text": f"{title} 金丝雀原话", "title": title, "contact_id": who["张建国"]}
    held = await maker.resolved(1, at, who["王敏"], liaison_id=who["王敏"], **said)
    held = await maker.take(held, Verb.DISSATISFIED, at, by=who["张建国"], text="金丝雀评价")
    await maker.started(2, at, who["赵亮"], text="金丝雀别家", liaison_id=who["赵亮"])
    held = await maker.take(held, Verb.NOTE, at, by=who["王敏"], text="金丝雀备注")
    held = await maker.take(held, Verb.PROGRESS, at, by=who["王敏"], text="金丝雀进展")
    for name, ident in ((unit, power), ("金丝雀单位", school)):
        given = {"text": part, "title": part if ident == power else "金丝雀别家", "unit": name, "department_id": ident}
        held = await maker.take(held, Verb.ASSIST, at, by=who["周主任"], **given)
    slip = await slips.make(tx, held.id or 0, 1, who["周主任"], at)
    return Given(await slips.add_code(tx, slip), slip, held)


async def present(town: Town, given: Given) -> Appeal:
    """The matter as it is now."""
    found = await town.database.reading(lambda tx: appeals.by_id(tx, given.appeal.id or 0))
    assert found is not None
    return found


async def step(town: Town, given: Given, verb: Verb, **details: Any) -> Appeal:
    """Something else happens to the matter."""
    held = await present(town, given)
    by = town.people["周主任"]

    async def unit(tx: Tx) -> Appeal:
        return await Maker(tx, town.context.rules).take(held, verb, town.civil(), by=by, **details)

    return await town.database.transaction(unit)


def read_page(page: str) -> str:
    """The words of a page, without tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def token_of(page: str) -> str:
    """The token of the form on a page."""
    found = re.search(r'name="token" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]
