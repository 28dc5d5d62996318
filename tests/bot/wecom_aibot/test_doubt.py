"""As few messages as possible are left open: what may be dead is asked first, what was sent gets its answer."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.channel import Document, Key, Uncertain, Unsent
from tests.bot.wecom_aibot.desks import GROUP, QUICK, ZHANG, Line, line

SEND = "aibot_send_msg"
LONG = "【催办】#12 宏达机械\n" + "停电三天了，请尽快处理。" * 20
PHOTO = Document("现场.pdf", "application/pdf", b"%PDF-1.7 x")


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


async def test_what_is_given_to_a_socket_that_is_closed_has_not_left() -> None:
    async with line(timing=replace(QUICK, ping=60.0)) as wire:
        connection = wire.channel._line.connection
        assert connection is not None
        connection._socket.transport.abort()
        with pytest.raises(Unsent):
            await wire.send()


# Sent again ------------------------------------------------------------------------------------------------------
async def sent_in_doubt(wire: Line, text: str, *, times: int, effect: bool, **more: Any) -> list[bool]:
    """A message of which so many answers are lost, sent until one comes: how often repeating it was harmless."""
    wire.server.fault(SEND, answer="none", effect=effect, times=times)
    harmless = []
    for doubts in range(times):
        with pytest.raises(Uncertain) as doubt:
            await wire.send(text, doubts=doubts, **more)
        harmless.append(doubt.value.harmless)
    await wire.send(text, doubts=times, **more)
    return harmless


@pytest.mark.parametrize("effect", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "已登记 #12",
        "【催办】#12 宏达机械\n车间电压低",
        "发往“园区企业联络群”的消息送不到：对方已把机器人移出群聊，请检查这个会话。",
    ],
)
async def test_a_doubtful_text_is_repeated_as_a_card_that_is_shown_once(text: str, *, effect: bool) -> None:
    async with line() as wire:
        assert await sent_in_doubt(wire, text, times=4, effect=effect) == [False, True, True, True]
        seen = wire.server.seen(GROUP)
        assert [one.kind for one in seen] == (["markdown"] if effect else []) + ["template_card"]
        assert all(text in one.text for one in seen)
        assert wire.server.advice == []


async def test_the_button_of_such_a_card_leads_to_the_matter_that_it_names() -> None:
    async with line() as wire:
        await wire.send("已登记 #12", doubts=1)
        await wire.send("您好", doubts=1)
        assert [one.buttons for one in wire.server.visible] == [(("进度", "status:12:"),), (("帮助", "help::"),)]


@pytest.mark.parametrize("effect", [True, False])
async def test_a_text_that_is_too_long_for_a_card_is_repeated_once_and_then_announced_by_one(*, effect: bool) -> None:
    async with line() as wire:
        assert await sent_in_doubt(wire, LONG, times=5, effect=effect) == [False, True, True, True, True]
        *whole, announced = wire.server.seen(GROUP)
        assert [one.kind for one in whole] == (["markdown", "markdown"] if effect else [])
        assert announced.text.startswith("【催办】#12 宏达机械\n刚才网络中断，这一条可能没有送到。")
        assert announced.buttons == (("进度", "status:12:"),)


async def test_a_file_that_is_doubtful_twice_is_announced_by_its_name() -> None:
    async with line() as wire:
        harmless = await sent_in_doubt(wire, "", times=3, effect=False, documents=(PHOTO,))
        assert harmless == [False, True, True]
        assert [one.text.partition("\n")[0] for one in wire.server.visible] == ["现场.pdf"]


async def test_a_card_of_its_own_may_be_repeated_at_every_try() -> None:
    keys = ((Key("接单", "acknowledge:12:2"),),)
    async with line() as wire:
        assert await sent_in_doubt(wire, "【待接单】#12", times=3, effect=True, keys=keys) == [True, True, True]
        assert len(wire.server.visible) == 1
