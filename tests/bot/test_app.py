import asyncio
import sys
from collections.abc import AsyncIterator

import pytest

from bot.app import SWITCH_SECONDS
from bot.channel import Desk, Unsent
from tests.bot.posthouse import until
from tests.stories.town import Town


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    interval = sys.getswitchinterval()
    opened = await Town.open()
    await opened.settle()
    yield opened
    await opened.close()
    sys.setswitchinterval(interval)


BODY = {"chat": "private:王敏", "private": True, "sender": "王敏", "sender_name": "王敏", "text": "待办"}


async def test_the_running_program_answers_at_once_and_stops_cleanly(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.rounds.EVERY_SECONDS", 60)
    before = len(town.channel.sent)
    running = asyncio.create_task(town.app.run())
    await asyncio.sleep(0.03)
    await town.channel.say(town.app.desk, BODY)
    await until(lambda: len(town.channel.sent) > before)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    rows = await town.all("SELECT DISTINCT state FROM outbox WHERE text_key LIKE 'look.%' OR text_key LIKE 'refused.%'")
    assert [row["state"] for row in rows] == ["sent"]


async def test_the_storage_writer_does_not_starve_beside_a_busy_loop(town: Town) -> None:
    running = asyncio.create_task(town.app.run())
    await asyncio.sleep(0.01)
    assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_channel_that_fails_ends_the_program_for_its_keeper_to_start_it_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(desk: Desk) -> None:
        raise ValueError("the token is wrong")

    monkeypatch.setattr(town.channel, "run", fail)
    with pytest.raises(ExceptionGroup) as failed:
        await town.app.run()
    assert failed.group_contains(ValueError, match="the token is wrong")


async def test_coming_to_rest_ends_even_where_nothing_can_be_sent(town: Town) -> None:
    town.channel.failures = [Unsent("down", channel_down=True) for _ in range(99)]
    await town.channel.say(town.app.desk, BODY)
    async with asyncio.timeout(5):
        await town.app.settle()
    assert len(town.channel.failures) == 98
