"""The long connection: whatever ends it, it is there again; only a wrong secret and somebody else's are let be."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from tests.bot.wecom_aibot.desks import GROUP, QUICK, ZHANG, Line, NoteDesk, channel_at, line
from tests.emulators.frames import TEXT, frame
from tests.emulators.wecom.aibot import AibotEmulator
from tests.errors import ExpectedErrors


async def test_it_subscribes_once_and_pings_on() -> None:
    async with line() as wire:
        await wire.server.until(lambda: [sent.cmd for sent in wire.server.sent].count("ping") >= 3)
        assert [sent.cmd for sent in wire.server.sent].count("aibot_subscribe") == 1
        assert wire.desk.introduced == [("wecom_aibot", "小联", "")]


async def works_again(wire: Line) -> None:
    """Wait for another connection, on which both sides are heard."""
    await wire.back()
    await wire.server.says(ZHANG, "诉求 停电", chat=GROUP)
    assert [message.text for message in await wire.heard(1)] == ["诉求 停电"]
    await wire.send()
    assert len(wire.server.visible) == 1


@pytest.mark.parametrize("end", ["drop", "close", "silence", "forget"])
async def test_every_end_of_the_connection_is_followed_by_another(end: str) -> None:
    async with line() as wire:
        ended = getattr(wire.server, end)()
        if ended is not None:
            await ended
        await wire.gone()
        await works_again(wire)
        assert len(wire.server.connections) == 2


TOO_LARGE, NO_FRAME = frame(TEXT, b"x", length=1 << 40), b"\x8f\x00"


@pytest.mark.parametrize("raw", [TOO_LARGE, NO_FRAME], ids=["larger than any", "no frame"])
async def test_a_connection_that_broke_down_is_not_kept_by_a_platform_that_leaves_it_open(raw: bytes) -> None:
    async with line() as wire:
        bot = wire.server.server.bot
        assert bot is not None
        wire.server.silence()
        bot.socket.transport.write(raw)
        bot.socket.transport.pause_reading()  # it never hears that it is to close
        await wire.gone()
        await works_again(wire)


@pytest.mark.parametrize("status", [503, 429, None])
async def test_it_tries_until_it_is_let_in(status: int | None) -> None:
    async with line() as wire:
        wire.server.refuse_connects(5, status)
        wire.server.drop()
        await wire.gone()
        await works_again(wire)


async def test_a_subscription_that_is_refused_for_now_is_tried_again() -> None:
    async with line() as wire:
        wire.server.fault("aibot_subscribe", code=846607, times=2)
        wire.server.drop()
        await wire.gone()
        await works_again(wire)


async def test_a_subscription_that_is_never_answered_is_tried_again() -> None:
    async with line() as wire:
        wire.server.fault("aibot_subscribe", answer="none")
        wire.server.drop()
        await wire.gone()
        await works_again(wire)


@pytest.mark.parametrize("raw", ["{", "[]", "7", '"x"', '{"headers": 5}', '{"cmd": "aibot_msg_callback"}', "{}"])
async def test_frames_that_nobody_understands_are_passed_over(raw: str) -> None:
    async with line() as wire:
        await wire.server.garbage(raw)
        await works_again(wire)
        assert len(wire.server.connections) == 1


async def test_an_unasked_846609_is_the_end_of_a_connection() -> None:
    async with line() as wire:
        await wire.server.garbage('{"errcode": 846609, "errmsg": "aibot websocket not subscribed"}')
        await wire.gone()
        await works_again(wire)


async def test_a_wrong_secret_ends_all_trying_and_is_told_as_an_error(expected_errors: ExpectedErrors) -> None:
    expected_errors.expect("does not accept the bot's id or secret")
    async with line() as wire:
        wire.server.revoke()
        wire.server.drop()
        await wire.gone()
        await wire.server.until(lambda: wire.server.refusals[853000] == 1)
        await asyncio.sleep(0.04)
        assert wire.server.refusals[853000] == 1
        assert wire.server.secret not in str(expected_errors.lines)


async def test_the_secret_never_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with line() as wire:
        wire.server.drop()
        await wire.gone()
        await wire.back()
        ours = [record.getMessage() for record in caplog.records if record.name.startswith("bot.")]
        assert ours
        assert wire.server.secret not in str(ours)


async def test_somebody_elses_connection_is_not_fought() -> None:
    async with line(timing=replace(QUICK, kicked=60.0)) as wire:
        await wire.server.kick()
        await wire.gone()
        await asyncio.sleep(0.04)
        assert len(wire.server.connections) == 1


async def test_after_a_while_it_is_seen_whether_somebody_else_is_still_there() -> None:
    async with line() as wire:
        await wire.server.kick()
        await wire.gone()
        await works_again(wire)


async def test_a_kick_ends_the_work_so_that_the_lease_is_given_back() -> None:
    """Who is kicked because the lease went elsewhere finds it taken, and waits."""
    ended = asyncio.Event()

    class Desk(NoteDesk):
        async def alone(self, name: str, work: object) -> None:
            assert name == "wecom_aibot:aib-TEST"
            await work()  # type: ignore[operator]  # what the channel brings is its own
            ended.set()
            await asyncio.Event().wait()

    async with AibotEmulator() as server:
        channel = channel_at(server)
        running = asyncio.create_task(channel.run(Desk()))
        await server.until_connected()
        await server.kick()
        async with asyncio.timeout(5):
            await ended.wait()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await channel.close()


async def test_frames_of_one_request_wait_for_each_other() -> None:
    async with line() as wire:
        await wire.server.says(ZHANG, "诉求 停电", chat=GROUP)
        (message,) = await wire.heard(1)
        wire.server.fault("aibot_respond_msg", effect=True, delay=0.05)
        await asyncio.gather(*(wire.send(f"第{n}条", reply_to=message.message_id) for n in range(5)))
        assert sorted(shown.text for shown in wire.server.visible) == [f"第{n}条" for n in range(5)]


async def test_many_messages_at_once_each_get_their_own_answer() -> None:
    async with line() as wire:
        known = await asyncio.gather(*(wire.send(f"第{n}条") for n in range(20)))
        assert len({name for (name,) in known}) == 20
