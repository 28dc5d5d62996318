"""A channel that polls lets the desk hear of every answer of the platform, and of nothing else."""

import asyncio
from contextlib import suppress

import pytest

from bot.channels.telegram import intake
from tests.bot.telegram.desks import NoteDesk, line


async def test_a_poll_that_comes_back_is_a_sign_of_life_and_one_that_fails_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intake, "LONGEST_PAUSE", 0.01)
    desk = NoteDesk()
    async with line() as wire:
        running = asyncio.create_task(wire.channel.run(desk))
        await wire.server.says(wire.zhang, "停电")
        await wire.server.confirmed()
        assert wire.channel.listens
        assert set(desk.alive) == {"telegram"}
        wire.server.outage(502)
        await asyncio.sleep(0.05)
        before = len(desk.alive)
        await asyncio.sleep(0.05)
        assert len(desk.alive) == before
        wire.server.recover()
        await wire.server.says(wire.zhang, "来电了")
        await wire.server.confirmed()
        assert len(desk.alive) > before
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
