"""Whoever may not do a thing changes nothing by trying and learns nothing: each cell of the matrix through dispatch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

import pytest

from domain.access import TWINS, WITH_APPEAL, WITHOUT_APPEAL, Relation
from domain.appeal import Status
from domain.lifecycle import open_to
from domain.people import Role
from domain.verbs import Verb
from handlers import ROUTER
from storage.database import Tx
from tests import making, needs
from tests.backends import Backend
from tests.domain.test_access import MAY
from tests.making import Maker
from tests.security.dumps import MESSAGES, dump
from tests.stories.town import LADDERS, Town, make
from tests.summary import Tally

DENIED = {"sqlite": needs.count(500, 100_000), "postgres": needs.count(100, 2_000)}
SLICES = 4
A_LOOK = 10
PART = {"text": "请配合", "unit": "协办单位", "title": "出意见"}
SECRET = "Ψ密语Ψ"
NOWHERE = "777"
STANDING: Mapping[str, frozenset[Relation]] = {
    "张建国": frozenset({Relation.FIRM}),
    "值班工": frozenset({Relation.HANDLER}),
    "王敏": frozenset({Relation.LIAISON}),
    "钱主任": frozenset({Relation.HEAD}),
    "孙县长": frozenset({Relation.CHIEF}),
    "周芳": frozenset({Relation.COORDINATOR}),
    "吴检": frozenset({Relation.INSPECTOR}),
    "协办人": frozenset({Relation.CO_HANDLER}),
    "陈和顺": frozenset(),
    "郑老师": frozenset(),
    "钱行长": frozenset(),
}
ROLES: Mapping[str, Role] = {
    "张建国": Role.CONTACT,
    "值班工": Role.HANDLER,
    "王敏": Role.LIAISON,
    "钱主任": Role.HEAD,
    "孙县长": Role.CHIEF,
    "周芳": Role.COORDINATOR,
    "吴检": Role.INSPECTOR,
    "钱行长": Role.BANK,
}
_FOR_ALL = frozenset({Verb.STATUS, Verb.TRACE})


@dataclass(frozen=True, slots=True)
class Cell:
    """Somebody tries a verb on a matter in a status; without one, a verb that concerns no matter."""

    who: str
    verb: Verb
    status: Status | None


def denied() -> Sequence[Cell]:
    """Every cell in which the table written down in tests/domain says no, or the life cycle has no such step."""
    cells = [
        Cell(who, verb, status)
        for verb in WITH_APPEAL
        if verb in ROUTER.commands
        for who, held in STANDING.items()
        for status in Status
        if not _allowed(verb, held, status)
    ]
    asked = [
        Cell(who, verb, None)
        for verb, roles in WITHOUT_APPEAL.items()
        if verb in ROUTER.commands
        for who, role in ROLES.items()
        if role not in roles
    ]
    return cells + asked


def _allowed(verb: Verb, held: frozenset[Relation], status: Status) -> bool:
    twin = TWINS.get(verb)
    verbs = {verb} | ({twin} if twin and Relation.CO_HANDLER in held else set())
    statuses = frozenset(Status) if not open_to(verb) else frozenset().union(*map(open_to, verbs))
    return any(one in MAY[relation] for one in verbs for relation in held) and status in statuses


async def populate(tx: Tx) -> dict[Status, str]:
    """One firm, everybody who can stand to its matters, and a matter in each status; another firm, strangers to it."""
    power = await making.make_department(tx, "县供电公司", "power")
    people = {name: await make(tx, name, role) for name, role in ROLES.items()}
    people |= {"协办人": await make(tx, "协办人", Role.HANDLER), "郑老师": await make(tx, "郑老师", Role.HANDLER)}
    people["陈和顺"] = await make(tx, "陈和顺", Role.CONTACT)
    await tx.run("UPDATE departments SET head_id = :head WHERE id = :id", {"head": people["钱主任"], "id": power})
    staff = {"liaison_id": people["王敏"], "chief_id": people["孙县长"]}
    firm = await making.make_enterprise(tx, "宏达机械有限公司", people["张建国"], **staff)
    await making.make_enterprise(tx, "和顺物流有限公司", people["陈和顺"])
    maker, numbers = Maker(tx, making.make_rules(ladders=LADDERS)), {}
    at = making.civil("2026-03-11 08:40")
    for status in Status:
        appeal = await maker.started(firm, at, people["值班工"], power, text=f"{SECRET} 停电 {status}")
        shared = {"handler_id": people["协办人"], "until": making.civil("2026-03-16 17:30"), **PART}
        await maker.take(appeal, Verb.ASSIST, at, by=people["值班工"], **shared)
        await tx.run(
            "UPDATE appeals SET status = :status WHERE number = :number",
            {"status": status.value, "number": appeal.number},
        )
        numbers[status] = appeal.number
    return numbers


@pytest.fixture
async def park() -> AsyncIterator[tuple[Town, dict[Status, str]]]:
    town = await Town.open(new=False)
    numbers = await town.database.transaction(populate)
    await town.settle()
    yield town, numbers
    await town.close()


def chosen(part: int, backend: str) -> Sequence[Cell]:
    """A share of the cells: in every run a few hundred, always the same ones."""
    cells = list(denied())
    Random(7).shuffle(cells)
    return cells[: DENIED[backend]][part::SLICES]


async def said(town: Town, cell: Cell, number: str, word: str) -> str:
    """What the speaker hears in answer, in words."""
    text = " ".join(filter(None, (f"/{word}", number, "3天 值班工 再看一看")))
    heard = await town.says(cell.who, text)
    return "\n".join(line.text for line in heard if line.listener == cell.who)


@pytest.mark.parametrize("part", range(SLICES))
async def test_who_may_not_changes_nothing_and_learns_nothing(
    park: tuple[Town, dict[Status, str]], part: int, backend: Backend, tally: Tally
) -> None:
    town, numbers = park
    words = town.app.park.catalogue.texts
    cells = chosen(part, backend.name)
    before = await dump(town.database, *MESSAGES)
    for done, cell in enumerate(cells, 1):
        number, word = numbers[cell.status] if cell.status else "", words[f"verb.{cell.verb}"].zh
        answer = await said(town, cell, number, word)
        if done % A_LOOK == 0 or cell is cells[-1]:
            assert await dump(town.database, *MESSAGES) == before, cells[max(done - A_LOOK, 0) : done]
        if cell.status is not None and not STANDING[cell.who]:
            elsewhere = await said(town, cell, NOWHERE, word)
            assert SECRET not in answer, cell
            assert answer == elsewhere.replace(NOWHERE, number), cell
    assert len(cells) >= 25
    tally("S2", len(cells))


def test_the_matrix_is_whole() -> None:
    assert len(denied()) > 5_000
    assert {cell.verb for cell in denied()} >= {verb for verb in WITH_APPEAL if verb in ROUTER.commands} - _FOR_ALL
