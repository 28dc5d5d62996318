"""Each frame that comes is a sign of life; a connection that is gone gives none."""

import asyncio

from tests.bot.wecom_aibot.desks import line


async def test_a_frame_is_a_sign_of_life() -> None:
    async with line() as wire:
        assert wire.channel.listens
        before = len(wire.desk.alive)
        connection = wire.channel._line.connection
        assert connection is not None
        await connection.ask("ping")
        assert wire.desk.alive[before:] == ["wecom_aibot"]


async def test_a_line_that_is_cut_gives_none() -> None:
    async with line() as wire:
        wire.server.refuse_connects(50, 503)
        wire.server.drop()
        await asyncio.sleep(0.05)
        before = len(wire.desk.alive)
        await asyncio.sleep(0.05)
        assert len(wire.desk.alive) == before
