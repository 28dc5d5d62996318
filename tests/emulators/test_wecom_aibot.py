"""Frames to the stand-in for WeCom's long connection: what it takes, what it shows, what it will not have."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.emulators.wecom.aibot import AibotEmulator, Limits, Rate, plain
from tests.emulators.wecom.aibot.wire import Clock, Wire

SEND, RESPOND = "aibot_send_msg", "aibot_respond_msg"
MD = {"msgtype": "markdown", "markdown": {"content": "好"}}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def emulator(clock: Clock) -> AsyncIterator[AibotEmulator]:
    async with AibotEmulator(clock=clock) as found:
        found.user("Zhang", "张建国", wrote=True)
        found.user("Wang", "王敏")
        found.group("wrGroup", "大树营联企群", "Zhang", "Wang", spoken=True)
        yield found


@pytest.fixture
async def wire(emulator: AibotEmulator) -> AsyncIterator[Wire]:
    async with Wire(emulator) as found:
        yield found


# ---------------------------------------------------------------- the connection


async def test_a_subscription_and_a_ping_are_answered(wire: Wire, emulator: AibotEmulator) -> None:
    assert emulator.connected
    assert await wire.call("ping") == {"headers": {"req_id": "own-2"}, "errcode": 0, "errmsg": "ok"}
    assert [sent.cmd for sent in emulator.sent] == ["aibot_subscribe", "ping"]
    assert emulator.secret not in str(emulator.sent)


@pytest.mark.parametrize("bot_id, secret", [("aib-TEST", "wrong"), ("another", "a-secret-of-the-bot")])
async def test_a_wrong_secret_is_853000(emulator: AibotEmulator, bot_id: str, secret: str) -> None:
    async with Wire(emulator, subscribe=False) as wire:
        answer = await wire.call("aibot_subscribe", {"bot_id": bot_id, "secret": secret})
        assert answer["errcode"] == 853000
        assert not emulator.connected
        assert emulator.offences == []


async def test_nothing_is_said_before_the_subscription(emulator: AibotEmulator) -> None:
    async with Wire(emulator, subscribe=False) as wire:
        assert await wire.push("Zhang") == 846609
        assert emulator.visible == []
        assert len(emulator.offences) == 1


async def test_nobody_subscribes_twice_on_a_connection(wire: Wire, emulator: AibotEmulator) -> None:
    again = await wire.call("aibot_subscribe", {"bot_id": emulator.bot_id, "secret": emulator.secret})
    assert again["errcode"] == 40058
    assert len(emulator.offences) == 1


async def test_a_new_connection_of_the_bot_ends_the_old_one(wire: Wire, emulator: AibotEmulator) -> None:
    async with Wire(emulator) as second:
        event = await wire.callback()
        assert event["cmd"] == "aibot_event_callback"
        assert event["body"]["event"] == {"eventtype": "disconnected_event"}
        assert await wire.ended() == 1000
        assert await second.push("Zhang") == 0
        assert emulator.offences == []


async def test_a_connection_on_which_nothing_comes_is_closed(wire: Wire, emulator: AibotEmulator, clock: Clock) -> None:
    clock.now += 80
    await wire.call("ping")
    clock.now += 80
    await emulator.sweep()
    assert emulator.connected
    clock.now += 20
    await emulator.sweep()
    assert await wire.ended() == 1000


# ---------------------------------------------------------------- what is no frame

WRONG_FRAMES: list[Any] = [
    "no json",
    b"\x00",
    "[]",
    {},
    {"cmd": "ping"},
    {"cmd": "ping", "headers": {}},
    {"cmd": "ping", "headers": {"req_id": ""}},
    {"cmd": "ping", "headers": {"req_id": 5}},
    {"cmd": "ping", "headers": {"req_id": "a", "more": 1}},
    {"cmd": "ping", "headers": {"req_id": "a"}, "body": {}},
    {"cmd": "pong", "headers": {"req_id": "a"}},
    {"cmd": SEND, "headers": {"req_id": "a"}},
    {"cmd": SEND, "headers": {"req_id": "a"}, "body": "x"},
    {"cmd": SEND, "headers": {"req_id": "a"}, "body": {"chatid": "Zhang", **MD}, "extra": 1},
]


@pytest.mark.parametrize("frame", WRONG_FRAMES, ids=[str(one) for one in WRONG_FRAMES])
async def test_what_is_no_frame_is_an_offence(wire: Wire, emulator: AibotEmulator, frame: Any) -> None:
    await wire.say(frame)
    assert (await wire.answer())["errcode"] != 0
    assert len(emulator.offences) == 1


WRONG_BODIES: list[tuple[str, dict[str, Any], int]] = [
    ("msgtype missing", {"chatid": "Zhang", "markdown": {"content": "x"}}, 40008),
    ("text", {"chatid": "Zhang", "msgtype": "text", "text": {"content": "x"}}, 40008),
    ("stream", {"chatid": "Zhang", "msgtype": "stream", "stream": {"id": "1", "content": "x"}}, 40008),
    ("part missing", {"chatid": "Zhang", "msgtype": "markdown"}, 40058),
    ("part of another kind", {"chatid": "Zhang", **MD, "text": {"content": "x"}}, 40058),
    ("chatid missing", MD, 40058),
    ("chatid empty", {"chatid": "", **MD}, 40058),
    ("chatid a number", {"chatid": 5, **MD}, 40058),
    ("chat_type 3", {"chatid": "Zhang", "chat_type": 3, **MD}, 40058),
    ("chat_type a word", {"chatid": "Zhang", "chat_type": "single", **MD}, 40058),
    ("an unknown key", {"chatid": "Zhang", "mentioned_list": ["Wang"], **MD}, 40058),
    ("nothing in it", {"chatid": "Zhang", "msgtype": "markdown", "markdown": {"content": ""}}, 40058),
    ("a number", {"chatid": "Zhang", "msgtype": "markdown", "markdown": {"content": 5}}, 40058),
    ("a key inside", {"chatid": "Zhang", "msgtype": "markdown", "markdown": {"content": "x", "at": 1}}, 40058),
    ("too long", {"chatid": "Zhang", "msgtype": "markdown", "markdown": {"content": "好" * 6827}}, 45002),
    ("no media", {"chatid": "Zhang", "msgtype": "file", "file": {}}, 40058),
]


@pytest.mark.parametrize("body, code", [one[1:] for one in WRONG_BODIES], ids=[one[0] for one in WRONG_BODIES])
async def test_a_wrong_push_is_refused_and_an_offence(
    wire: Wire, emulator: AibotEmulator, body: dict[str, Any], code: int
) -> None:
    assert (await wire.call(SEND, body))["errcode"] == code
    assert len(emulator.offences) == 1
    assert emulator.visible == []


async def test_20480_bytes_are_not_too_long(wire: Wire, emulator: AibotEmulator) -> None:
    assert await wire.push("Zhang", "好" * 6826 + "ab") == 0
    assert emulator.offences == []


async def test_an_id_of_ones_own_is_used_once(wire: Wire, emulator: AibotEmulator) -> None:
    assert (await wire.call(SEND, {"chatid": "Zhang", **MD}, "same"))["errcode"] == 0
    assert (await wire.call(SEND, {"chatid": "Zhang", **MD}, "same"))["errcode"] == 40058
    assert len(emulator.offences) == 1


async def test_two_frames_do_not_wait_under_one_id(wire: Wire, emulator: AibotEmulator) -> None:
    await emulator.says("Zhang", "你好")
    req_id = (await wire.callback())["headers"]["req_id"]
    emulator.fault(RESPOND, delay=0.03)
    frame = {"cmd": RESPOND, "headers": {"req_id": req_id}, "body": MD}
    await wire.say(frame)
    await wire.say(frame)
    assert [(await wire.answer())["errcode"], (await wire.answer())["errcode"]] == [40058, 0]
    assert len(emulator.offences) == 1


# ---------------------------------------------------------------- where it may speak


@pytest.mark.parametrize(
    "chat, chat_type, code",
    [
        ("wrGroup", 0, 0),
        ("wrGroup", 2, 0),
        ("wrGroup", 1, 93006),
        ("wrgroup", 2, 93006),
        ("Zhang", 0, 0),
        ("Zhang", 1, 0),
        ("Zhang", 2, 93006),
        ("zhang", 1, 93006),
        ("Wang", 1, 93006),
        ("Nobody", 0, 93006),
    ],
)
async def test_it_may_push_where_somebody_wrote_to_it(
    wire: Wire, emulator: AibotEmulator, chat: str, chat_type: int, code: int
) -> None:
    assert await wire.push(chat, chat_type=chat_type) == code
    assert [one.chat for one in emulator.visible] == ([chat] if code == 0 else [])
    assert emulator.offences == []


async def test_a_group_where_nobody_called_it_is_out_of_reach_until_somebody_does(
    wire: Wire, emulator: AibotEmulator
) -> None:
    emulator.group("wrNew", "新群", "Zhang")
    assert await wire.push("wrNew") == 93006
    await emulator.says("Zhang", "大家好", chat="wrNew", at_bot=False)
    assert await wire.push("wrNew") == 93006
    await emulator.says("Zhang", "在吗", chat="wrNew")
    assert await wire.push("wrNew") == 0


async def test_more_than_thirty_a_minute_in_a_chat_are_846607(
    wire: Wire, emulator: AibotEmulator, clock: Clock
) -> None:
    await emulator.says("Zhang", "在吗", chat="wrGroup")
    asked = await wire.callback()
    codes = [await wire.push("wrGroup") if number % 2 else await wire.reply(asked) for number in range(31)]
    assert codes == [0] * 30 + [846607]
    assert await wire.push("Zhang") == 0
    clock.now += 60
    assert emulator.passed("wrGroup", 60) == 0
    assert await wire.push("wrGroup") == 0
    assert emulator.refusals == {846607: 1}
    assert emulator.offences == []


async def test_more_than_a_thousand_an_hour_in_a_chat_are_846607(
    wire: Wire, emulator: AibotEmulator, clock: Clock
) -> None:
    for _ in range(40):
        for _ in range(25):
            assert await wire.push("Zhang") == 0
        clock.now += 61
    assert await wire.push("Zhang") == 846607
    clock.now += 3600 - 40 * 61 + 1
    assert await wire.push("Zhang") == 0


async def test_a_test_may_have_limits_of_its_own() -> None:
    async with AibotEmulator(limits=Limits(chat=(Rate(1, 60),))) as emulator, Wire(emulator) as wire:
        emulator.user("Zhang", wrote=True)
        assert [await wire.push("Zhang"), await wire.push("Zhang")] == [0, 846607]


# ---------------------------------------------------------------- markdown


@pytest.mark.parametrize(
    "markdown, read",
    [
        ("普通的一行\n第二行", "普通的一行\n第二行"),
        ("# 标题\n## 二", "标题\n二"),
        ("#1 停电", "#1 停电"),
        ("**已办结** *好* `码` ~~旧~~", "已办结 好 码 旧"),
        ("> 引用", "引用"),
        ("看[台账](https://x.cn)", "看台账"),
        ("---\n下", "下"),
        ("1. 接单\n2. 转办", "1. 接单\n2. 转办"),
        (r"\*\*不是粗体\*\* \# 不是标题 5\>3", "**不是粗体** # 不是标题 5>3"),
        ("2*3*4", "2*3*4"),
        ("a_b_c", "a_b_c"),
    ],
)
def test_markdown_reads_without_its_marks(markdown: str, read: str) -> None:
    assert plain(markdown) == read
