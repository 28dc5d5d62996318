"""What dates are counted from is kept: a round trip, and rows of before there was such a thing."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.appeal import Appeal, Slip
from domain.deadlines import Cap, Dates, Pause, Reckoning, fixed
from domain.guards import latest_extension
from domain.parts import Outcome, Part, PartKind
from domain.people import Role
from domain.rules import Difficulty
from domain.verbs import Verb
from domain.workdays import Span, Unit
from storage import appeals, history, parts
from storage.database import Database, Tx
from storage.open import open_database
from storage.reckonings import read_dates, read_reckoning, write_dates, write_reckoning
from storage.scope import SYSTEM
from storage.values import EPOCH, from_json, from_ms, to_ms
from tests.making import Maker, civil, make_enterprise, make_person, make_rules

RULES = make_rules()
MONDAY = civil("2026-03-09 10:00")
MOMENTS = st.integers(0, 2**42).map(lambda ms: EPOCH + timedelta(milliseconds=ms))
SPANS = st.builds(Span, st.integers(-(10**9), 10**9), st.sampled_from(Unit))
RECKONINGS = st.builds(
    Reckoning,
    MOMENTS,
    st.lists(SPANS, min_size=1, max_size=3).map(tuple),
    st.lists(SPANS | st.builds(Pause, MOMENTS, MOMENTS), max_size=4).map(tuple),
    st.lists(st.builds(Cap, MOMENTS, SPANS), max_size=3).map(tuple),
)


@given(RECKONINGS)
def test_a_reckoning_is_read_back_as_it_was(reckoned: Reckoning) -> None:
    assert read_reckoning(write_reckoning(reckoned)) == reckoned


@given(st.builds(Dates, RECKONINGS, RECKONINGS, RECKONINGS, st.none() | MOMENTS))
def test_the_dates_of_an_appeal_are_read_back_as_they_were(dates: Dates) -> None:
    assert read_dates(write_dates(dates)) == dates


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    opened = await open_database("sqlite:///:memory:")
    yield opened
    await opened.close()


def details(verb: Verb) -> dict[str, Any]:
    until = {Verb.HARD_DATE: MONDAY + timedelta(days=30), Verb.ASSIST: None}.get(verb, MONDAY + timedelta(days=9))
    return {
        "text": "说明",
        "until": until,
        "span": Span(2, Unit.WORKING_DAYS),
        "unit": "建设局",
        "title": "出具意见",
        "part": 1,
        "difficulty": Difficulty.EASY,
        "facts": {"part": 1},
    }


async def led(tx: Tx, *verbs: Verb) -> Appeal:
    make = Maker(tx, RULES)
    handler = await make_person(tx, "李强", Role.HANDLER)
    appeal = await make.started(await make_enterprise(tx, f"企业{handler}有限公司"), MONDAY, handler)
    for verb in verbs:
        appeal = await make.take(appeal, verb, MONDAY, **details(verb))
    return appeal


WAYS: list[tuple[Verb, ...]] = [
    (),
    (Verb.URGENT,),
    (Verb.EXTEND, Verb.HARD_DATE),
    (Verb.SUSPEND, Verb.RESUME, Verb.EXTEND),
    (Verb.ASSIST, Verb.BEYOND, Verb.SUPERVISE),
    (Verb.ASSIST, Verb.PART_ACKNOWLEDGE, Verb.PART_PROGRESS, Verb.PART_DONE),
    (Verb.ASSIST, Verb.SUSPEND, Verb.RESUME, Verb.PART_RETURN),
    (Verb.AGREE, Verb.MILESTONE),
]


@pytest.mark.parametrize("way", WAYS)
async def test_an_appeal_is_read_back_with_its_dates_and_its_parts(database: Database, way: tuple[Verb, ...]) -> None:
    async def unit(tx: Tx) -> None:
        appeal = await led(tx, *way)
        assert await appeals.get(tx, appeal.number, SYSTEM) == appeal
        assert await parts.of_appeal(tx, appeal.id or 0) == appeal.parts

    await database.transaction(unit)


async def test_every_field_of_a_part_is_kept(database: Database) -> None:
    async def unit(tx: Tx) -> None:
        appeal = await led(tx)
        later = [MONDAY + timedelta(milliseconds=n) for n in range(5)]
        full = Part(
            n=1,
            kind=PartKind.SHARE,
            title="出具意见",
            unit="建设局",
            department_id=None,
            handler_id=None,
            asked_at=later[0],
            reckoned=Reckoning(later[0], (Span(3, Unit.WORKING_DAYS),)).capped(later[1]),
            due=later[1],
            round=3,
            acknowledged_at=later[2],
            progress_at=later[3],
            ended_at=later[4],
            outcome=Outcome.WAIVED,
        )
        bare = Part(2, PartKind.BEYOND, "", "省厅", None, None, MONDAY, fixed(MONDAY), MONDAY)
        await parts.store(tx, appeal.id or 0, None, replace(appeal, parts=(full, bare)))
        assert await parts.of_appeal(tx, appeal.id or 0) == (full, bare)

    await database.transaction(unit)


# Rows of before -----------------------------------------------------------------------------------------------------
async def older(tx: Tx) -> Appeal:
    """An appeal in work that was filed before anybody kept what its dates are counted from."""
    appeal = await led(tx)
    await tx.run("UPDATE appeals SET reckoned = '', part_count = 0 WHERE id = :id", {"id": appeal.id})
    found = await appeals.get(tx, appeal.number, SYSTEM)
    assert found is not None
    return found


async def test_an_older_row_keeps_its_dates_as_they_stand(database: Database) -> None:
    async def unit(tx: Tx) -> None:
        known, found = await led(tx), await older(tx)
        dates = ("dispatch_due", "acknowledge_due", "due", "received_at", "parts")
        assert [getattr(found, name) for name in dates] == [getattr(known, name) for name in dates]
        counted = (found.dates.dispatch, found.dates.acknowledge, found.dates.work)
        assert [each.deadline(RULES.calendar) for each in counted] == [
            found.dispatch_due,
            found.acknowledge_due,
            found.due,
        ]
        moved = await Maker(tx, RULES).take(found, Verb.RECOUNT, MONDAY)
        assert (moved.due, moved.dispatch_due) == (found.due, found.dispatch_due)
        assert await appeals.get(tx, found.number, SYSTEM) == moved

    await database.transaction(unit)


async def test_an_older_row_that_came_in_between_two_seconds_keeps_its_dates_too(database: Database) -> None:
    async def unit(tx: Tx) -> None:
        appeal = await older(tx)
        came = to_ms(MONDAY) + 123
        await tx.run("UPDATE appeals SET received_at = :came WHERE id = :id", {"came": came, "id": appeal.id})
        found = await appeals.by_id(tx, appeal.id or 0)
        assert found is not None
        moved = await Maker(tx, RULES).take(found, Verb.RECOUNT, MONDAY)
        assert (moved.due, moved.dispatch_due, moved.acknowledge_due) == (
            found.due,
            found.dispatch_due,
            found.acknowledge_due,
        )

    await database.transaction(unit)


async def test_the_dates_of_an_older_row_move_by_a_hold_and_an_extension(database: Database) -> None:
    async def unit(tx: Tx) -> None:
        work = (await older(tx)).dates.work
        assert work.moved(Span(2, Unit.WORKING_DAYS)).deadline(RULES.calendar) == civil("2026-03-25 17:30")
        hour = Pause(civil("2026-03-10 10:00"), civil("2026-03-10 11:00"))
        assert work.moved(hour).deadline(RULES.calendar) == civil("2026-03-24 09:30")

    await database.transaction(unit)


async def test_an_older_row_that_is_called_easy_is_not_due_later_for_it(database: Database) -> None:
    async def unit(tx: Tx) -> None:
        found = await older(tx)
        easy = await Maker(tx, RULES).take(found, Verb.DIFFICULTY, MONDAY, difficulty=Difficulty.EASY)
        assert easy.due <= found.due

    await database.transaction(unit)


async def test_the_most_of_an_older_row_is_counted_from_its_intake_as_well(database: Database) -> None:
    async def unit(tx: Tx) -> None:
        assert latest_extension(await older(tx), RULES) == latest_extension(await led(tx), RULES)

    await database.transaction(unit)


# The log alone ------------------------------------------------------------------------------------------------------
async def test_whatever_moves_a_date_stands_in_the_log(database: Database) -> None:
    """Without it nobody could count the dates again from the log: how long, until when, which date others set."""

    async def unit(tx: Tx) -> None:
        for verb, moment in ((Verb.HARD_DATE, MONDAY + timedelta(days=30)), (Verb.SUSPEND, MONDAY + timedelta(days=9))):
            appeal = await led(tx, verb)
            line = (await history.of_appeal(tx, appeal.id or 0))[-1]
            assert moment in _moments(from_json(line["facts"])), verb
        appeal = await led(tx, Verb.EXTEND)
        facts = from_json((await history.of_appeal(tx, appeal.id or 0))[-1]["facts"])
        assert _moments(facts) >= {civil("2026-03-23 17:30"), civil("2026-03-25 17:30")}

    await database.transaction(unit)


def _moments(facts: dict[str, object]) -> set[datetime]:
    return {from_ms(fact["at"]) for fact in facts.values() if isinstance(fact, dict) and "at" in fact}


async def test_when_a_handler_reported_last_is_not_what_he_took_back(database: Database) -> None:
    async def unit(tx: Tx) -> None:
        make = Maker(tx, RULES)
        appeal = await led(tx)
        slipped = await make.take(appeal, Verb.PROGRESS, MONDAY, text="说错了")
        back = await make.take(
            slipped, Verb.TAKE_BACK, MONDAY, facts={"undone": "progress"}, slip=_slip(appeal, MONDAY)
        )
        assert back.progress_at is None
        again = await make.take(back, Verb.RESOLVE, MONDAY, text="已办妥")
        done = await history.done_before(tx, again.id or 0, again.version)
        assert "progress" not in done

    await database.transaction(unit)


def _slip(before: Appeal, at: datetime) -> Slip:
    return Slip(Verb.PROGRESS, None, at, before.status)
