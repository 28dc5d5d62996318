"""As few messages as possible are left open: what may be dead is asked first, what was sent gets its answer."""

import asyncio
from dataclasses import replace

import pytest

from bot.channel import Uncertain, Unsent
from tests.bot.wecom_aibot.desks import QUICK, ZHANG, line

SEND = "aibot_send_msg"


async def test_after_a_silence_a_message_waits_until_a_ping_was_answered() -> None:
    async with line(timing=replace(QUICK, ping=60.0, fresh=0.0)) as wire:
        await wire.send()
        assert [sent.cmd for sent in wire.server.sent][-2:] == ["ping", SEND]


async def test_what_would_leave_on_a_dead_line_has_not_left() -> None:
    async with line(timing=replace(QUICK, ping=60.0, answer=0.05, fresh=0.0)) as wire:
        wire.server.silence()
        ends = await asyncio.gather(*(wire.send(f"第{number}条") for number in range(3)), return_exceptions=True)
        assert [type(end) for end in ends] == [Unsent] * 3
        await wire.back()
        await wire.send()
        assert [seen.text for seen in wire.server.visible] == ["已登记 #12"]


async def test_after_a_lost_answer_nothing_leaves_on_that_line_before_a_ping_was_answered() -> None:
    async with line(timing=replace(QUICK, ping=60.0, answer=0.05)) as wire:
        wire.server.fault(SEND, answer="silence")
        with pytest.raises(Uncertain):
            await wire.send("一")
        with pytest.raises(Unsent):
            await wire.send("二")
        await wire.back()
        await wire.send("三")
        assert [seen.text for seen in wire.server.visible] == ["三"]


async def test_a_line_that_only_lost_an_answer_is_used_on() -> None:
    async with line(timing=replace(QUICK, ping=60.0, answer=0.05)) as wire:
        wire.server.lose_acks(1, SEND)
        with pytest.raises(Uncertain):
            await wire.send("一")
        await wire.send("二")
        assert len(wire.server.connections) == 1
        assert [seen.text for seen in wire.server.visible] == ["一", "二"]


async def test_when_one_message_gets_846609_the_others_under_way_get_their_own_answers() -> None:
    async with line() as wire:
        wire.server.fault(SEND, chat=ZHANG, code=846609)
        wire.server.fault(SEND, delay=0.03)
        ends = await asyncio.gather(wire.send(chat=ZHANG), wire.send(), return_exceptions=True)
        assert isinstance(ends[0], Unsent)
        assert isinstance(ends[1], list)
        await wire.gone()
        await wire.back()
        assert len(wire.server.connections) == 2
