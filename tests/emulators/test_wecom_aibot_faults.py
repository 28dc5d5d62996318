"""The stand-in for WeCom's long connection misbehaves on demand, as the platform has been seen to."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidMessage, InvalidStatus

from tests.emulators.wecom.aibot import AibotEmulator
from tests.emulators.wecom.aibot.wire import Wire, button_card, fetch

SEND, RESPOND = "aibot_send_msg", "aibot_respond_msg"
FRAME = {"cmd": SEND, "headers": {"req_id": "late"}}
BODY = {"chatid": "Zhang", "msgtype": "markdown", "markdown": {"content": "好"}}


@pytest.fixture
async def emulator() -> AsyncIterator[AibotEmulator]:
    async with AibotEmulator() as found:
        found.user("Zhang", "张建国", wrote=True)
        found.user("Wang", "王敏", wrote=True)
        yield found
        assert found.offences == []


@pytest.fixture
async def wire(emulator: AibotEmulator) -> AsyncIterator[Wire]:
    async with Wire(emulator) as found:
        yield found


# ---------------------------------------------------------------- connections that die


async def test_a_cut_line_is_1006(wire: Wire, emulator: AibotEmulator) -> None:
    emulator.drop()
    assert await wire.ended() == 1006
    assert not emulator.connected


@pytest.mark.parametrize("code", [1000, 1001, 1011])
async def test_a_connection_is_closed_in_order(wire: Wire, emulator: AibotEmulator, code: int) -> None:
    await emulator.close(code)
    assert await wire.ended() == code
    assert not emulator.connected


async def test_a_silent_connection_is_open_and_answers_nothing(wire: Wire, emulator: AibotEmulator) -> None:
    emulator.silence()
    await wire.say({"cmd": "ping", "headers": {"req_id": "p"}})
    await wire.say(FRAME | {"body": BODY})
    said = await emulator.says("Zhang", "在吗")
    assert await wire.quiet()
    assert not wire.reading.done()
    assert emulator.visible == []
    assert emulator.lost == [said.msgid]


async def test_a_forgotten_connection_is_open_and_every_frame_gets_846609(wire: Wire, emulator: AibotEmulator) -> None:
    emulator.forget()
    assert [await wire.push("Zhang"), (await wire.call("ping"))["errcode"]] == [846609, 846609]
    assert not wire.reading.done()
    async with Wire(emulator) as second:
        assert await second.push("Zhang") == 0


async def test_a_kick_tells_why(wire: Wire, emulator: AibotEmulator) -> None:
    await emulator.kick()
    assert (await wire.callback())["body"]["event"]["eventtype"] == "disconnected_event"
    assert await wire.ended() == 1000


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_connections_are_refused(emulator: AibotEmulator, status: int) -> None:
    emulator.refuse_connects(2, status)
    for _ in range(2):
        with pytest.raises(InvalidStatus, match=str(status)):
            await connect(emulator.url)
    async with Wire(emulator) as wire:
        assert await wire.push("Zhang") == 0


async def test_connections_are_refused_without_a_word_until_all_is_well(emulator: AibotEmulator) -> None:
    emulator.refuse_connects(None, None)
    for _ in range(3):
        with pytest.raises((InvalidMessage, ConnectionError)):
            await connect(emulator.url)
    await emulator.recover()
    async with Wire(emulator):
        assert emulator.connected


async def test_a_revoked_secret_opens_no_new_connection(wire: Wire, emulator: AibotEmulator) -> None:
    old = emulator.secret
    emulator.revoke()
    assert await wire.push("Zhang") == 0
    async with Wire(emulator, subscribe=False) as second:
        answer = await second.call("aibot_subscribe", {"bot_id": emulator.bot_id, "secret": old})
        assert answer["errcode"] == 853000
    assert emulator.connected


# ---------------------------------------------------------------- frames that go wrong


@pytest.mark.parametrize("code", [846609, 846607, 846605, 40201, 93006])
async def test_the_next_frames_are_refused(wire: Wire, emulator: AibotEmulator, code: int) -> None:
    emulator.fault(SEND, code=code, times=2)
    assert [await wire.push("Zhang") for _ in range(3)] == [code, code, 0]
    assert len(emulator.visible) == 1
    assert emulator.refusals == {code: 2}


async def test_a_refusal_is_for_one_chat(wire: Wire, emulator: AibotEmulator) -> None:
    emulator.fault(chat="Wang", code=40201)
    assert [await wire.push("Zhang"), await wire.push("Wang")] == [0, 40201]


async def test_a_refusal_may_be_meant_for_the_chat_of_a_reply(wire: Wire, emulator: AibotEmulator) -> None:
    emulator.fault(chat="Wang", code=40201)
    await emulator.says("Zhang", "在吗")
    assert await wire.reply(await wire.callback()) == 0
    await emulator.says("Wang", "在吗")
    assert await wire.reply(await wire.callback()) == 40201


async def test_a_fault_for_any_command_leaves_pings_alone(wire: Wire, emulator: AibotEmulator) -> None:
    emulator.fault(code=846607)
    assert (await wire.call("ping"))["errcode"] == 0
    assert await wire.push("Zhang") == 846607


async def test_a_lost_ack_has_its_effect(wire: Wire, emulator: AibotEmulator) -> None:
    emulator.lose_acks()
    await wire.say(FRAME | {"body": BODY})
    await emulator.until_visible(1)
    assert await wire.quiet()
    assert emulator.sent[-1].code is None
    assert await wire.push("Zhang") == 0


async def test_a_frame_may_vanish_without_effect(wire: Wire, emulator: AibotEmulator) -> None:
    emulator.fault(SEND, answer="none")
    await wire.say(FRAME | {"body": BODY})
    assert await wire.push("Zhang") == 0
    assert len(emulator.visible) == 1


@pytest.mark.parametrize("effect", [True, False])
async def test_the_line_is_cut_instead_of_an_answer(wire: Wire, emulator: AibotEmulator, effect: bool) -> None:
    emulator.fault(SEND, answer="abort", effect=effect)
    await wire.say(FRAME | {"body": BODY})
    assert await wire.ended() == 1006
    assert len(emulator.visible) == effect


async def test_the_connection_is_closed_instead_of_an_answer(wire: Wire, emulator: AibotEmulator) -> None:
    emulator.fault(SEND, answer="close", effect=True)
    await wire.say(FRAME | {"body": BODY})
    assert await wire.ended() == 1000
    assert len(emulator.visible) == 1


async def test_the_connection_falls_silent_with_a_frame_that_had_its_effect(
    wire: Wire, emulator: AibotEmulator
) -> None:
    emulator.fault(SEND, answer="silence", effect=True)
    await wire.say(FRAME | {"body": BODY})
    await wire.say({"cmd": "ping", "headers": {"req_id": "p"}})
    assert await wire.quiet()
    assert not wire.reading.done()
    assert not emulator.connected
    assert len(emulator.visible) == 1


async def test_half_an_answer_comes(wire: Wire, emulator: AibotEmulator) -> None:
    emulator.fault(SEND, answer="broken", effect=True)
    await wire.say(FRAME | {"body": BODY})
    with pytest.raises(ValueError, match=r".+"):
        json.loads(await asyncio.wait_for(wire.rest.get(), 5))


async def test_an_answer_that_takes_its_time_is_overtaken(wire: Wire, emulator: AibotEmulator) -> None:
    emulator.fault(SEND, delay=0.03)
    await wire.say(FRAME | {"body": BODY})
    await wire.say({"cmd": "ping", "headers": {"req_id": "p"}})
    assert [(await wire.answer())["headers"]["req_id"] for _ in range(2)] == ["p", "late"]


async def test_an_error_may_have_its_effect(wire: Wire, emulator: AibotEmulator) -> None:
    emulator.fault(SEND, code=846609, effect=True)
    assert await wire.push("Zhang") == 846609
    assert len(emulator.visible) == 1


async def test_a_refused_card_does_not_use_its_task_id_up(wire: Wire, emulator: AibotEmulator) -> None:
    emulator.fault(SEND, code=846607)
    assert [await wire.push_card("Zhang", button_card("t1")) for _ in range(2)] == [846607, 0]


async def test_a_subscription_may_stay_without_an_answer(emulator: AibotEmulator) -> None:
    emulator.fault("aibot_subscribe", answer="none")
    async with Wire(emulator, subscribe=False) as wire:
        body = {"bot_id": emulator.bot_id, "secret": emulator.secret}
        await wire.say({"cmd": "aibot_subscribe", "headers": {"req_id": "s"}, "body": body})
        assert await wire.quiet()
        assert not emulator.connected


# ---------------------------------------------------------------- callbacks that go wrong


async def test_a_callback_comes_twice_under_one_msgid(wire: Wire, emulator: AibotEmulator) -> None:
    emulator.duplicate(1)
    said = [await emulator.says("Zhang", text) for text in ("一", "二")]
    frames = [await wire.callback() for _ in range(3)]
    assert [one["body"]["msgid"] for one in frames] == [said[0].msgid, said[0].msgid, said[1].msgid]
    assert len({one["headers"]["req_id"] for one in frames}) == 3
    assert [await wire.reply(one) for one in frames] == [0, 0, 0]


async def test_all_callbacks_come_twice_until_it_ends(wire: Wire, emulator: AibotEmulator) -> None:
    emulator.duplicate(None)
    await emulator.says("Zhang", "一")
    emulator.duplicate(0)
    await emulator.says("Zhang", "二")
    assert [(await wire.callback())["body"]["text"]["content"] for _ in range(3)] == ["一", "一", "二"]


async def test_garbage_comes(wire: Wire, emulator: AibotEmulator) -> None:
    await emulator.garbage()
    await emulator.garbage('{"cmd": "aibot_of_a_later_version", "headers": {"req_id": "x"}, "body": {}}')
    assert await asyncio.wait_for(wire.rest.get(), 5) == '{"cmd": "aibot_msg_cal'
    assert (await wire.callback())["cmd"] == "aibot_of_a_later_version"


# ---------------------------------------------------------------- media that goes wrong


async def test_a_download_fails_once(wire: Wire, emulator: AibotEmulator) -> None:
    await emulator.says("Zhang", images=[b"a picture"])
    part = (await wire.callback())["body"]["image"]
    emulator.fault("download", code=502)
    with pytest.raises(aiohttp.ClientResponseError, match="502"):
        await fetch(part)
    assert await fetch(part) == b"a picture"


async def test_a_download_is_cut(wire: Wire, emulator: AibotEmulator) -> None:
    await emulator.says("Zhang", images=[b"a picture"])
    part = (await wire.callback())["body"]["image"]
    emulator.fault("download", answer="abort", times=3)  # the client tries again by itself
    with pytest.raises(aiohttp.ClientError):
        await fetch(part)


async def test_a_download_comes_by_half(wire: Wire, emulator: AibotEmulator) -> None:
    await emulator.says("Zhang", images=[b"a picture" * 100])
    part = (await wire.callback())["body"]["image"]
    emulator.fault("download", answer="broken")
    with pytest.raises((ValueError, AssertionError)):
        await fetch(part)
