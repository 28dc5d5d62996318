"""Parcels over the long connection, and what the platform's refusals mean."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.channel import Document, Key, Parcel, Uncertain, Undeliverable, Unsent
from bot.channels.pieces import GOES_ON
from bot.channels.wecom_aibot.wording import known_as
from tests.bot.wecom_aibot.desks import GROUP, WANG, ZHANG, Line, channel_at, line
from tests.emulators.wecom.aibot import AibotEmulator

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\nIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4\x00\x00\x00\x00IEND\xaeB`\x82"
)
KEYS = ((Key("接单", "acknowledge:1:2"), Key("退单", "return:1:2")), (Key("进度", "status:1:"),))
LEDGER = Document("诉求台账.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK\x03\x04 x")
SEND, RESPOND, UPDATE = "aibot_send_msg", "aibot_respond_msg", "aibot_respond_update_msg"


@pytest.fixture
async def wire() -> AsyncIterator[Line]:
    async with line() as opened:
        yield opened


def commands(wire: Line) -> list[str]:
    """What was said to the platform, pings aside."""
    return [sent.cmd for sent in wire.server.sent if sent.cmd not in ("ping", "aibot_subscribe")]


async def asked(wire: Line, said: str = "诉求 停电", chat: str | None = GROUP) -> str:
    """Zhang says something; how his message is known."""
    await wire.server.says(ZHANG, said, chat=chat)
    return (await wire.heard(len(wire.desk.rows) + 1))[-1].message_id


# Where a message goes --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("chat", [GROUP, ZHANG])
async def test_a_question_is_answered_where_it_was_asked(wire: Line, chat: str) -> None:
    message = await asked(wire, chat=None if chat == ZHANG else chat)
    await wire.send("已登记 #1", chat=chat, reply_to=message)
    (answer,) = wire.server.visible
    assert (answer.chat, answer.text, answer.answers, answer.cmd) == (chat, "已登记 #1", message, RESPOND)


@pytest.mark.parametrize("chat", [GROUP, ZHANG])
async def test_what_answers_nobody_is_pushed(wire: Line, chat: str) -> None:
    assert await wire.send("请接单", chat=chat) == [known_as("请接单")]
    (pushed,) = wire.server.visible
    assert (pushed.chat, pushed.private, pushed.text, pushed.cmd) == (chat, chat == ZHANG, "请接单", SEND)


async def test_after_a_reconnect_the_answer_is_pushed_at_once(wire: Line) -> None:
    message = await asked(wire)
    wire.server.drop()
    await wire.gone()
    await wire.back()
    await wire.send(reply_to=message)
    assert commands(wire) == [SEND]


async def test_an_answer_meant_for_another_chat_never_appears_where_the_question_was_asked(wire: Line) -> None:
    message = await asked(wire)
    await wire.send("只给您看", chat=ZHANG, reply_to=message)
    (sent,) = wire.server.visible
    assert (sent.chat, sent.cmd) == (ZHANG, SEND)


async def test_an_answer_that_is_refused_as_too_late_is_pushed_and_never_tried_again(wire: Line) -> None:
    message = await asked(wire)
    wire.server.fault(RESPOND, code=846605)
    await wire.send(reply_to=message)
    await wire.send(reply_to=message)
    assert commands(wire) == [RESPOND, SEND, SEND]
    assert len(wire.server.visible) == 2


async def test_only_the_first_of_several_parts_answers_directly(wire: Line) -> None:
    message = await asked(wire)
    await wire.send("停电三天了。" * 2000, reply_to=message)
    first, *rest = wire.server.visible
    assert first.answers == message
    assert [part.answers for part in rest] == [None] * len(rest)
    assert "".join(part.text for part in wire.server.visible).replace(GOES_ON, "") == "停电三天了。" * 2000


async def test_words_that_look_like_markup_are_read_as_words(wire: Line) -> None:
    await wire.send("# 停电 <@WangMin> **三天** [看](http://x)")
    assert wire.server.visible[0].text == "＃ 停电 ＜@WangMin> ＊＊三天＊＊ [看］(http://x)"


# Cards -----------------------------------------------------------------------------------------------------------
async def test_buttons_come_as_a_card_that_is_known_by_its_task(wire: Line) -> None:
    (known,) = await wire.send("【待接单】#1 宏达机械\n车间电压低", keys=KEYS)
    (card,) = wire.server.visible
    assert (card.kind, card.task_id, card.text) == ("template_card", known, "【待接单】#1 宏达机械\n车间电压低")
    assert list(card.buttons) == [(key.label, key.data) for row in KEYS for key in row]
    assert wire.server.advice == []


async def test_a_card_that_had_arrived_and_is_sent_again_is_shown_once(wire: Line) -> None:
    wire.server.lose_acks(1, SEND)
    with pytest.raises(Uncertain):
        await wire.send(keys=KEYS)
    await wire.send(keys=KEYS)
    assert [card.kind for card in wire.server.visible] == ["template_card"]


async def press(wire: Line) -> str:
    """Wang sees a card and presses its first button; how the card is known."""
    (known,) = await wire.send("【待接单】#1 宏达机械\n车间电压低", keys=KEYS)
    await wire.server.presses(WANG, wire.server.visible[-1], "acknowledge:1:2")
    await wire.heard(1)
    return known


def edit(known: str, *keys: Key) -> Parcel:
    text = "【待接单】#1 宏达机械\n车间电压低"
    return Parcel(2, 1, GROUP, "edit", text, keys=(keys,) if keys else (), edits=known, private=False)


async def test_a_pressed_card_shows_the_buttons_that_are_left(wire: Line) -> None:
    known = await press(wire)
    assert wire.channel.may_edit(known)
    await wire.channel.send(edit(known, Key("进度", "status:1:")))
    (card,) = wire.server.visible
    assert (card.text, card.buttons) == ("【待接单】#1 宏达机械\n车间电压低", (("进度", "status:1:"),))


async def test_a_pressed_card_without_buttons_left_says_that_it_is_done(wire: Line) -> None:
    known = await press(wire)
    await wire.channel.send(edit(known))
    assert wire.server.visible[0].buttons == (("已处理", "status:1:"),)


async def test_a_card_that_nobody_pressed_or_that_was_changed_once_is_left_as_it_is(wire: Line) -> None:
    (known,) = await wire.send(keys=KEYS)
    assert not wire.channel.may_edit(known)
    with pytest.raises(Undeliverable):
        await wire.channel.send(edit(known))
    known = await press(wire)
    await wire.channel.send(edit(known))
    assert not wire.channel.may_edit(known)


async def test_a_press_before_a_reconnect_changes_no_card(wire: Line) -> None:
    known = await press(wire)
    wire.server.drop()
    await wire.gone()
    await wire.back()
    assert not wire.channel.may_edit(known)


async def test_the_answer_to_a_press_is_a_message_of_its_own(wire: Line) -> None:
    await press(wire)
    (message,) = await wire.heard(1)
    await wire.send("已接单 #1", reply_to=message.message_id)
    assert commands(wire) == [SEND, SEND]


async def test_a_row_of_an_answer_to_a_press_is_said_in_words(wire: Line) -> None:
    await wire.send("好的 **#1**", kind="answer", reply_to="WangMin:1:x", keys=KEYS)
    assert (wire.server.visible[0].text, wire.server.visible[0].buttons) == ("好的 ＊＊#1＊＊", ())


# Greetings -------------------------------------------------------------------------------------------------------
async def test_whoever_comes_in_is_greeted_though_he_never_wrote(wire: Line) -> None:
    await wire.server.enters(WANG)
    (message,) = await wire.heard(1)
    await wire.send("您好，我是联企小助手", chat=WANG, reply_to=message.message_id)
    (greeting,) = wire.server.visible
    assert (greeting.cmd, greeting.chat, greeting.kind) == ("aibot_respond_welcome_msg", WANG, "text")


async def test_a_greeting_that_comes_too_late_to_somebody_who_never_wrote_cannot_arrive(wire: Line) -> None:
    await wire.server.enters(WANG)
    (message,) = await wire.heard(1)
    wire.server.fault("aibot_respond_welcome_msg", code=846605)
    with pytest.raises(Undeliverable) as end:
        await wire.send(chat=WANG, reply_to=message.message_id)
    assert end.value.unreachable


# Files -----------------------------------------------------------------------------------------------------------
async def test_a_picture_is_shown_as_one_and_anything_else_is_a_file(wire: Line) -> None:
    await wire.send("报表", documents=(Document("p.png", "image/png", PNG), LEDGER))
    text, picture, file = wire.server.visible
    assert (text.kind, picture.kind, file.kind) == ("markdown", "image", "file")
    assert picture.file is not None
    assert file.file is not None
    assert picture.file.content == PNG
    assert (file.file.name, file.file.content) == (LEDGER.name, LEDGER.content)


async def test_a_large_file_goes_in_chunks_and_only_once_for_all(wire: Line) -> None:
    large = Document("大.bin", "application/octet-stream", bytes(range(256)) * 5000)
    await wire.send("", documents=(large,))
    await wire.send("", documents=(large,), chat=ZHANG)
    assert commands(wire).count("aibot_upload_media_chunk") == 3
    assert [shown.file.content == large.content for shown in wire.server.visible if shown.file] == [True, True]


async def test_two_who_get_the_same_file_at_once_share_its_upload(wire: Line) -> None:
    await asyncio.gather(*(wire.send("", documents=(LEDGER,), chat=chat) for chat in (GROUP, ZHANG)))
    assert commands(wire).count("aibot_upload_media_init") == 1


async def test_what_is_no_picture_to_the_platform_goes_as_a_file(wire: Line) -> None:
    wire.server.fault(SEND, code=40007)
    await wire.send("", documents=(Document("p.png", "image/png", PNG),))
    assert [shown.kind for shown in wire.server.visible] == ["file"]


async def test_an_interrupted_upload_was_seen_by_nobody_and_is_tried_again(wire: Line) -> None:
    wire.server.fault("aibot_upload_media_chunk", answer="abort")
    with pytest.raises(Unsent):
        await wire.send("", documents=(LEDGER,))
    await wire.gone()
    await wire.back()
    await wire.send("", documents=(LEDGER,))
    assert len(wire.server.visible) == 1


@pytest.mark.parametrize("content", [b"", b"x" * 20_000_001])
async def test_a_file_that_cannot_be_sent_is_named_in_its_place(wire: Line, content: bytes) -> None:
    await wire.send("", documents=(Document("大.zip", "application/zip", content),))
    assert wire.server.visible[0].text.startswith("附件“大.zip”")


# Refusals --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "code, outcome, facts",
    [
        (93006, Undeliverable, {"unreachable": True}),
        (40201, Undeliverable, {"unreachable": False}),
        (40058, Undeliverable, {"unreachable": False}),
        (846607, Unsent, {"seconds": 60.0, "channel_down": False}),
        (-1, Unsent, {"seconds": None, "channel_down": False}),
        (846609, Unsent, {"channel_down": True}),
    ],
)
async def test_each_refusal_has_its_outcome(wire: Line, code: int, outcome: Any, facts: dict[str, Any]) -> None:
    wire.server.fault(SEND, code=code)
    with pytest.raises(outcome) as end:
        await wire.send()
    assert {name: getattr(end.value, name) for name in facts} == facts
    assert wire.server.visible == []


async def test_somebody_who_never_wrote_cannot_be_reached(wire: Line) -> None:
    with pytest.raises(Undeliverable) as end:
        await wire.send(chat=WANG)
    assert end.value.unreachable


async def test_a_refusal_that_names_no_request_belongs_to_the_only_one_under_way(wire: Line) -> None:
    async def refuse() -> None:
        await wire.server.until(lambda: commands(wire) == [SEND])
        await wire.server.garbage('{"errcode": 40058, "errmsg": "missing field"}')

    wire.server.fault(SEND, answer="none")
    with pytest.raises(Undeliverable, match="missing field"):
        await asyncio.gather(wire.send(), refuse())


async def test_a_lost_answer_leaves_it_open_whether_the_message_arrived(wire: Line) -> None:
    wire.server.lose_acks(1, SEND)
    with pytest.raises(Uncertain):
        await wire.send()
    assert len(wire.server.visible) == 1
    await wire.send()


@pytest.mark.parametrize("answer", ["abort", "close"])
async def test_a_connection_that_breaks_under_a_message_leaves_it_open(wire: Line, answer: Any) -> None:
    wire.server.fault(SEND, effect=True, answer=answer)
    with pytest.raises(Uncertain):
        await wire.send()
    await wire.gone()
    await wire.back()


async def test_what_is_under_way_at_a_stop_gets_its_answer() -> None:
    async with line() as wire:
        wire.server.fault(SEND, effect=True, delay=0.05)
        sending = asyncio.create_task(wire.send())
        await wire.server.until(lambda: len(wire.server.visible) == 1)
    assert await sending == [known_as("已登记 #12")]


async def test_nothing_leaves_without_a_connection() -> None:
    async with AibotEmulator() as server:
        channel = channel_at(server)
        assert not channel.here
        with pytest.raises(Unsent) as end:
            await channel.send(Parcel(1, 1, GROUP, "send", "x", private=False))
        assert end.value.channel_down
        await channel.close()
