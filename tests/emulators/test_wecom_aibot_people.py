"""What the bot hears of people on the stand-in for WeCom's long connection, and how it may answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.emulators.wecom.aibot import AibotEmulator
from tests.emulators.wecom.aibot.wire import Clock, Wire, button_card, fetch, notice

SEND, RESPOND, WELCOME = "aibot_send_msg", "aibot_respond_msg", "aibot_respond_welcome_msg"
UPDATE = "aibot_respond_update_msg"
GROUP = "wrGroup"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def emulator(clock: Clock) -> AsyncIterator[AibotEmulator]:
    async with AibotEmulator(clock=clock) as found:
        found.user("Zhang", "张建国", wrote=True)
        found.user("Wang", "王敏")
        found.group(GROUP, "大树营联企群", "Zhang", "Wang")
        yield found
        assert found.offences == []


@pytest.fixture
async def wire(emulator: AibotEmulator) -> AsyncIterator[Wire]:
    async with Wire(emulator) as found:
        yield found


# ---------------------------------------------------------------- what it hears


async def test_a_private_message_names_no_chat(wire: Wire, emulator: AibotEmulator) -> None:
    said = await emulator.says("Zhang", "诉求 停电")
    frame = await wire.callback()
    assert frame["cmd"] == "aibot_msg_callback"
    assert frame["headers"]["req_id"]
    assert frame["body"] == {
        "msgid": said.msgid,
        "aibotid": emulator.bot_id,
        "from": {"userid": "Zhang"},
        "chattype": "single",
        "msgtype": "text",
        "text": {"content": "诉求 停电"},
    }


async def test_in_a_group_only_what_calls_it_is_heard(wire: Wire, emulator: AibotEmulator) -> None:
    await emulator.says("Zhang", "大家好", chat=GROUP, at_bot=False)
    await emulator.says("Wang", "诉求 停电", chat=GROUP)
    body = (await wire.callback())["body"]
    assert (body["chatid"], body["chattype"]) == (GROUP, "group")
    assert body["text"] == {"content": "@小联 诉求 停电"}
    assert wire.callbacks.empty()


@pytest.mark.parametrize(
    "what",
    [{"images": [b"a"]}, {"file": ("a.txt", b"a")}, {"voice": "停电了"}, {"video": b"a"}],
    ids=["image", "file", "voice", "video"],
)
async def test_a_file_alone_is_heard_privately_and_not_in_a_group(
    wire: Wire, emulator: AibotEmulator, what: dict[str, Any]
) -> None:
    await emulator.says("Zhang", chat=GROUP, **what)
    await emulator.says("Zhang", **what)
    frame = await wire.callback()
    assert frame["body"]["chattype"] == "single"
    [kind] = frame["body"].keys() & {"image", "file", "voice", "video"}
    assert frame["body"]["msgtype"] == kind
    if kind == "voice":
        assert frame["body"]["voice"] == {"content": "停电了"}
    else:
        assert await fetch(frame["body"][kind]) == b"a"


async def test_words_and_pictures_are_mixed(wire: Wire, emulator: AibotEmulator) -> None:
    await emulator.says("Zhang", "看这里", chat=GROUP, images=[b"one", b"two"])
    body = (await wire.callback())["body"]
    first, *pictures = body["mixed"]["msg_item"]
    assert body["msgtype"] == "mixed"
    assert first == {"msgtype": "text", "text": {"content": "@小联 看这里"}}
    assert [await fetch(one["image"]) for one in pictures] == [b"one", b"two"]


async def test_a_picture_in_a_group_is_heard_by_quoting_it(wire: Wire, emulator: AibotEmulator) -> None:
    picture = await emulator.says("Zhang", chat=GROUP, images=[b"a picture"])
    await emulator.says("Wang", "诉求 见图", chat=GROUP, quote=picture)
    quote = (await wire.callback())["body"]["quote"]
    assert quote["msgtype"] == "image"
    assert await fetch(quote["image"]) == b"a picture"


async def test_a_quote_tells_what_was_said_and_not_which_message_it_was(wire: Wire, emulator: AibotEmulator) -> None:
    await wire.push("Zhang", "**#1** 已受理")
    await emulator.says("Zhang", "催办", quote=emulator.visible[0])
    assert (await wire.callback())["body"]["quote"] == {"msgtype": "text", "text": {"content": "#1 已受理"}}


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 100_000])
async def test_media_is_enciphered_and_padded_to_32_bytes(wire: Wire, emulator: AibotEmulator, size: int) -> None:
    content = bytes(number % 251 for number in range(size))
    await emulator.says("Zhang", file=("表.xlsx", content))
    part = (await wire.callback())["body"]["file"]
    assert await fetch(part) == content
    async with aiohttp.ClientSession() as session, session.get(part["url"]) as answer:
        sealed = await answer.read()
        assert answer.content_disposition is not None
        assert answer.content_disposition.filename == "表.xlsx"
        assert len(sealed) % 32 == 0
        assert len(sealed) > size


async def test_a_media_link_lives_five_minutes(wire: Wire, emulator: AibotEmulator, clock: Clock) -> None:
    await emulator.says("Zhang", images=[b"a picture"])
    part = (await wire.callback())["body"]["image"]
    clock.now += 299
    assert await fetch(part) == b"a picture"
    clock.now += 1
    with pytest.raises(aiohttp.ClientResponseError, match="403"):
        await fetch(part)


async def test_nobody_reads_media_without_its_signature(wire: Wire, emulator: AibotEmulator) -> None:
    await emulator.says("Zhang", images=[b"a picture"])
    part = (await wire.callback())["body"]["image"]
    with pytest.raises(aiohttp.ClientResponseError, match="403"):
        await fetch(part | {"url": part["url"].partition("?")[0]})


async def test_what_is_said_while_nobody_is_connected_is_lost(emulator: AibotEmulator) -> None:
    said = await emulator.says("Zhang", "在吗")
    assert emulator.lost == [said.msgid]
    async with Wire(emulator) as wire:
        heard = await emulator.says("Zhang", "在吗?")
        assert (await wire.callback())["body"]["msgid"] == heard.msgid
        assert emulator.heard == [heard.msgid]


async def test_what_is_held_comes_with_the_next_connection(emulator: AibotEmulator) -> None:
    emulator.faults.hold = True
    said = [await emulator.says("Zhang", text) for text in ("一", "二")]
    async with Wire(emulator) as wire:
        assert [(await wire.callback())["body"]["msgid"] for _ in said] == [one.msgid for one in said]
        assert emulator.lost == []


# ---------------------------------------------------------------- replies


@pytest.mark.parametrize("chat", [None, GROUP])
async def test_a_reply_stands_where_the_message_was_said(wire: Wire, emulator: AibotEmulator, chat: str | None) -> None:
    said = await emulator.says("Zhang", "在吗", chat=chat)
    assert await wire.reply(await wire.callback(), "在") == 0
    [shown] = emulator.seen(chat or "Zhang")
    assert (shown.text, shown.answers, shown.cmd) == ("在", said.msgid, RESPOND)


async def test_a_text_reply_is_40008(wire: Wire, emulator: AibotEmulator) -> None:
    await emulator.says("Zhang", "在吗")
    body = {"msgtype": "text", "text": {"content": "在"}}
    answer = await wire.call(RESPOND, body, (await wire.callback())["headers"]["req_id"])
    assert answer["errcode"] == 40008
    assert emulator.offences.pop() == f"{RESPOND}: msgtype is 'text'"


async def test_a_reply_is_taken_for_24_hours(wire: Wire, emulator: AibotEmulator, clock: Clock) -> None:
    await emulator.says("Zhang", "在吗")
    asked = await wire.callback()
    clock.now += 86_400
    assert await wire.reply(asked) == 0
    clock.now += 1
    assert await wire.reply(asked) == 846605


async def test_a_reply_belongs_to_the_connection_of_the_message(wire: Wire, emulator: AibotEmulator) -> None:
    await emulator.says("Zhang", "在吗")
    asked = await wire.callback()
    async with Wire(emulator) as second:
        assert await second.reply(asked) == 846605
        assert await second.push("Zhang") == 0
    assert emulator.refusals == {846605: 1}


async def test_a_reply_to_nothing_is_846605(wire: Wire) -> None:
    assert await wire.reply({"headers": {"req_id": "made-up"}}) == 846605


async def test_a_reply_to_an_event_is_846605(wire: Wire, emulator: AibotEmulator) -> None:
    await emulator.enters("Zhang")
    assert await wire.reply(await wire.callback()) == 846605


# ---------------------------------------------------------------- welcome


async def test_who_comes_in_is_greeted_once_within_five_seconds(
    wire: Wire, emulator: AibotEmulator, clock: Clock
) -> None:
    await emulator.enters("Wang")
    event = await wire.callback()
    assert event["body"]["event"] == {"eventtype": "enter_chat"}
    assert event["body"]["from"] == {"userid": "Wang"}
    req_id, body = event["headers"]["req_id"], {"msgtype": "text", "text": {"content": "您好"}}
    clock.now += 5
    assert (await wire.call(WELCOME, body, req_id))["errcode"] == 0
    assert [one.text for one in emulator.seen("Wang")] == ["您好"]
    assert (await wire.call(WELCOME, body, req_id))["errcode"] == 846605
    await emulator.enters("Wang")
    event = await wire.callback()
    clock.now += 5.1
    assert (await wire.call(WELCOME, body, event["headers"]["req_id"]))["errcode"] == 846605


async def test_coming_in_does_not_open_the_door_for_pushes(wire: Wire, emulator: AibotEmulator) -> None:
    await emulator.enters("Wang")
    assert await wire.push("Wang") == 93006


async def test_a_welcome_is_text_or_a_card(wire: Wire, emulator: AibotEmulator) -> None:
    await emulator.enters("Wang")
    req_id = (await wire.callback())["headers"]["req_id"]
    body: dict[str, Any] = {"msgtype": "markdown", "markdown": {"content": "您好"}}
    assert (await wire.call(WELCOME, body, req_id))["errcode"] == 40008
    emulator.offences.clear()
    body = {"msgtype": "template_card", "template_card": button_card("w1", "绑定")}
    assert (await wire.call(WELCOME, body, req_id))["errcode"] == 0


# ---------------------------------------------------------------- presses


async def pressed(wire: Wire, emulator: AibotEmulator, chat: str = "Zhang") -> dict[str, Any]:
    """The event of a press on a fresh card."""
    assert await wire.push_card(chat, button_card("t1", "接单", "转办")) == 0
    await emulator.presses("Zhang", emulator.visible[-1], "转办")
    return await wire.callback()


def another(**more: Any) -> dict[str, Any]:
    card = button_card("t1", "办结", main_title={"title": "已接单"})
    return {"response_type": "update_template_card", "template_card": card | more}


async def test_a_press_tells_key_task_and_person(wire: Wire, emulator: AibotEmulator) -> None:
    emulator.world.groups[GROUP].spoken = True
    event = await pressed(wire, emulator, GROUP)
    body = event["body"]
    assert event["cmd"] == "aibot_event_callback"
    assert (body["chatid"], body["chattype"], body["from"]) == (GROUP, "group", {"userid": "Zhang"})
    assert body["event"]["template_card_event"] == {
        "card_type": "button_interaction",
        "event_key": "转办",
        "task_id": "t1",
    }


async def test_a_card_changes_within_five_seconds_of_the_press(
    wire: Wire, emulator: AibotEmulator, clock: Clock
) -> None:
    req_id = (await pressed(wire, emulator))["headers"]["req_id"]
    clock.now += 5
    assert (await wire.call(UPDATE, another(), req_id))["errcode"] == 0
    [shown] = emulator.visible
    assert (shown.text, shown.buttons, shown.updates) == ("已接单", (("办结", "办结"),), 1)
    assert (await wire.call(UPDATE, another(), req_id))["errcode"] == 846605


async def test_a_card_does_not_change_after_five_seconds(wire: Wire, emulator: AibotEmulator, clock: Clock) -> None:
    req_id = (await pressed(wire, emulator))["headers"]["req_id"]
    clock.now += 5.1
    assert (await wire.call(UPDATE, another(), req_id))["errcode"] == 846605
    assert emulator.visible[0].updates == 0


async def test_a_card_may_change_for_some_only(wire: Wire, emulator: AibotEmulator) -> None:
    req_id = (await pressed(wire, emulator))["headers"]["req_id"]
    assert (await wire.call(UPDATE, another() | {"userids": ["Zhang"]}, req_id))["errcode"] == 0
    [shown] = emulator.visible
    assert shown.seen_by("Zhang") == "已接单"
    assert [label for label, _ in shown.buttons_for("Wang")] == ["接单", "转办"]


async def test_a_card_may_become_one_without_buttons(wire: Wire, emulator: AibotEmulator) -> None:
    req_id = (await pressed(wire, emulator))["headers"]["req_id"]
    body = {"response_type": "update_template_card", "template_card": notice(task_id="t1")}
    assert (await wire.call(UPDATE, body, req_id))["errcode"] == 0
    assert emulator.visible[0].buttons == ()


@pytest.mark.parametrize(
    "body",
    [
        another(task_id="t2"),
        {"response_type": "update_template_card", "template_card": notice()},
        another() | {"response_type": "update"},
        another() | {"userids": []},
        another() | {"msgtype": "template_card"},
        another(button_list=[]),
        {"template_card": another()["template_card"]},
    ],
    ids=["another task_id", "no task_id", "another response", "nobody", "msgtype", "no buttons", "no response"],
)
async def test_a_wrong_update_is_refused_and_an_offence(
    wire: Wire, emulator: AibotEmulator, body: dict[str, Any]
) -> None:
    req_id = (await pressed(wire, emulator))["headers"]["req_id"]
    assert (await wire.call(UPDATE, body, req_id))["errcode"] == 40058
    assert emulator.offences
    emulator.offences.clear()


async def test_an_update_answers_a_press_and_no_message(wire: Wire, emulator: AibotEmulator) -> None:
    await emulator.says("Zhang", "在吗")
    assert (await wire.call(UPDATE, another(), (await wire.callback())["headers"]["req_id"]))["errcode"] == 846605


async def test_nobody_presses_what_is_not_shown_to_him(wire: Wire, emulator: AibotEmulator) -> None:
    await wire.push_card("Zhang", button_card("t1", "接单"))
    with pytest.raises(AssertionError, match="办结"):
        await emulator.presses("Zhang", emulator.visible[0], "办结")


async def test_a_vote_tells_what_was_chosen(wire: Wire, emulator: AibotEmulator) -> None:
    options = [{"id": "1", "text": "满意"}, {"id": "2", "text": "不满意"}]
    card = {"card_type": "vote_interaction", "checkbox": {"question_key": "q", "option_list": options}}
    await wire.push_card("Zhang", card | {"submit_button": {"text": "提交", "key": "s"}, "task_id": "v1"})
    await emulator.presses("Zhang", emulator.visible[0], "s", {"q": ["2"]})
    event = (await wire.callback())["body"]["event"]["template_card_event"]
    chosen = [{"question_key": "q", "option_ids": {"option_id": ["2"]}}]
    assert event["selected_items"] == {"selected_item": chosen}


async def test_feedback_is_an_event(wire: Wire, emulator: AibotEmulator) -> None:
    await wire.push("Zhang")
    await emulator.rates("Zhang", emulator.visible[0], 2)
    event = (await wire.callback())["body"]["event"]
    assert (event["eventtype"], event["feedback_event"]["type"]) == ("feedback_event", 2)


# ---------------------------------------------------------------- streams


def stream(content: str, *, finish: bool = False, name: str = "s1") -> dict[str, Any]:
    return {"msgtype": "stream", "stream": {"id": name, "content": content, "finish": finish}}


async def test_a_stream_is_one_message_that_is_written_anew(wire: Wire, emulator: AibotEmulator) -> None:
    await emulator.says("Zhang", "查台账")
    req_id = (await wire.callback())["headers"]["req_id"]
    codes = [
        (await wire.call(RESPOND, body, req_id))["errcode"]
        for body in (stream("查询中"), stream("查询中……"), stream("共 3 件", finish=True), stream("共 4 件"))
    ]
    assert codes == [0, 0, 0, 846608]
    [shown] = emulator.visible
    assert (shown.text, shown.finished) == ("共 3 件", True)


async def test_a_stream_ends_after_six_minutes(wire: Wire, emulator: AibotEmulator, clock: Clock) -> None:
    await emulator.says("Zhang", "查台账")
    req_id = (await wire.callback())["headers"]["req_id"]
    assert (await wire.call(RESPOND, stream("查询中"), req_id))["errcode"] == 0
    clock.now += 361
    assert (await wire.call(RESPOND, stream("查询中……"), req_id))["errcode"] == 846608


async def test_each_refresh_counts_against_the_quota(wire: Wire, emulator: AibotEmulator) -> None:
    await emulator.says("Zhang", "查台账")
    req_id = (await wire.callback())["headers"]["req_id"]
    codes = [(await wire.call(RESPOND, stream(str(n)), req_id))["errcode"] for n in range(31)]
    assert codes == [0] * 30 + [846607]


async def test_one_waits_for_what_people_see(wire: Wire, emulator: AibotEmulator) -> None:
    waiting = asyncio.ensure_future(emulator.until_visible(2))
    await wire.push("Zhang", "一")
    assert not waiting.done()
    await wire.push("Zhang", "二")
    assert [one.text for one in await waiting] == ["一", "二"]
