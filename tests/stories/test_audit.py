"""The audit chain as the inspector meets it: a code every working morning, and nothing stays unsealed for long."""

from collections.abc import AsyncIterator

import pytest

from domain.chain import read_heads
from storage import seals
from storage.database import Tx
from tests import making
from tests.handlers.talk import BOSS, INSPECTOR, LIAISON, to
from tests.storage.tampering import KEY, Tamperer, for_a_moment, verified
from tests.stories.town import LADDERS, Said, Town


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    """A park that seals, on a Wednesday morning after the digests."""
    opened = await Town.open(key=KEY)
    await opened.settle()
    yield opened
    await opened.close()


def codes(said: list[Said], who: str = INSPECTOR) -> list[Said]:
    return [line for line in said if line.key == "audit.head" and line.listener == who]


async def tail(town: Town) -> int:
    """How many events wait for their seal."""
    outcome, found = await town.database.reading(verified)
    assert found == []
    return outcome.waiting


async def test_every_working_morning_the_inspector_is_given_the_code_of_the_day_once(town: Town) -> None:
    await town.says(BOSS, "诉求 车间停电")
    said = codes(await town.wait(until="2026-03-17 09:00"))
    assert [line.time for line in said] == ["03-12 08:30", "03-13 08:30", "03-16 08:30", "03-17 08:30"]
    assert said[0].text.startswith("3月12日（周四）审计码：")
    assert codes(await town.settle()) == []
    assert len(codes(await town.wait(until="2026-03-18 09:00"))) == 1


async def test_the_code_he_copies_from_the_message_is_that_of_the_chain_and_betrays_a_cut_tail(town: Town) -> None:
    await town.says(BOSS, "诉求 车间停电")
    (told,) = codes(await town.wait(until="2026-03-12 09:00"))
    heads = list(read_heads(told.text))
    end = await town.database.reading(seals.end)
    assert end is not None
    assert heads == list(read_heads(end.code))
    assert f"全部历史{end.n}步" in told.text
    assert (await town.database.reading(lambda tx: verified(tx, *heads)))[1] == []

    async def cut(tx: Tx) -> list[str]:
        thief = await Tamperer.come(tx, 1)
        await thief.remove(thief.chain[-1], "event", "seal")
        return [fault.kind for fault in (await verified(tx, *heads))[1]]

    assert "cut" in await for_a_moment(town.database, cut)


async def test_nobody_else_is_given_the_code(town: Town) -> None:
    await town.says(BOSS, "诉求 车间停电")
    said = await town.wait(until="2026-03-12 09:00")
    assert {line.listener for line in said if line.key == "audit.head"} == {INSPECTOR}


async def test_a_park_without_daily_digests_has_its_code_at_half_past_eight() -> None:
    town = await Town.open(key=KEY, rules=making.make_rules(ladders=LADDERS, daily=()))
    await town.says(BOSS, "诉求 车间停电")
    assert [line.time for line in codes(await town.wait(until="2026-03-12 09:00"))] == ["03-12 08:30"]
    await town.close()


async def test_after_a_down_time_the_code_of_today_comes_and_no_older_one(town: Town) -> None:
    await town.says(BOSS, "诉求 车间停电")
    town.app.civil.move_to(making.civil("2026-03-16 15:00"))
    (told,) = codes(await town.settle())
    assert told.time == "03-16 15:00"


async def test_without_a_key_nothing_is_sealed_and_no_code_goes_out() -> None:
    town = await Town.open()
    await town.says(BOSS, "诉求 车间停电")
    assert codes(await town.wait(until="2026-03-13 09:00")) == []
    assert await town.database.reading(seals.end) is None
    await town.close()


async def test_no_event_of_a_busy_week_waits_a_minute_for_its_seal(town: Town) -> None:
    for n in range(4):
        await town.says(BOSS, f"诉求 第{n}件 车间停电")
        assert await tail(town) == 0
    await town.presses(LIAISON, "接单")
    for _ in range(7 * 8):
        await town.wait(hours=3)
        assert await town.database.reading(lambda tx: seals.unsealed(tx, 1)) == []
    assert await tail(town) == 0
    assert "audit.head" in to(town.said, INSPECTOR)
