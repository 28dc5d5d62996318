"""Parcels at a server that behaves as Telegram's does, and what its refusals mean."""

import logging
from collections.abc import AsyncIterator

import pytest

from bot.channel import Document, Key, Mention, Moved, Parcel, Uncertain, Undeliverable, Unsent
from bot.channels.pieces import GOES_ON
from bot.channels.telegram import sending, transport
from tests.bot.telegram.desks import GROUP, ZHANG, Line, channel_at, line
from tests.emulators.telegram import TelegramEmulator
from tests.errors import ExpectedErrors

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\nIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4\x00\x00\x00\x00IEND\xaeB`\x82"
)
KEYS = ((Key("接单", "acknowledge:1:2"), Key("退单", "return:1:2")), (Key("进度", "status:1:"),))
LEDGER = Document("诉求台账.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK\x03\x04 x")


@pytest.fixture
async def wire() -> AsyncIterator[Line]:
    async with line() as opened:
        yield opened


async def test_a_text_arrives_with_its_buttons(wire: Line) -> None:
    known = await wire.send(keys=KEYS)
    (sent,) = wire.server.sent
    assert (sent.chat_id, sent.text, str(sent.message_id)) == (GROUP, "已登记 #12", known)
    assert [[*row] for row in sent.buttons] == [[(key.label, key.data) for key in row] for row in KEYS]


async def test_words_that_look_like_markup_arrive_as_they_are(wire: Line) -> None:
    said = "<b>停电</b> *三天* _什么_ [时候](http://x) & `好`"
    await wire.send(said)
    assert wire.server.sent[0].text == said
    assert "parse_mode" not in wire.server.sent[0].params


async def test_somebody_is_called_by_his_id_wherever_his_name_stands(wire: Line) -> None:
    await wire.send("😀 @张建国 有话对您说", mention=Mention(str(ZHANG), "张建国"))
    (entity,) = wire.server.sent[0].params["entities"]
    assert (entity["type"], entity["offset"], entity["length"], entity["user"]["id"]) == ("text_mention", 3, 4, ZHANG)


async def test_a_silent_message_makes_no_sound(wire: Line) -> None:
    await wire.send(silent=True)
    await wire.send()
    assert [sent.params.get("disable_notification") for sent in wire.server.sent] == [True, None]


async def test_a_group_is_answered_with_a_quotation_and_a_person_without(wire: Line) -> None:
    asked = await wire.server.says(wire.zhang, "诉求 停电", chat=wire.group)
    privately = await wire.server.says(wire.zhang, "诉求 停电")
    await wire.send(reply_to=str(asked))
    await wire.send(chat=ZHANG, reply_to=str(privately))
    quoting, plain = wire.server.sent
    assert quoting.params["reply_parameters"]["message_id"] == asked
    assert "reply_parameters" not in plain.params


async def test_an_answer_to_a_deleted_message_arrives_all_the_same(wire: Line) -> None:
    asked = await wire.server.says(wire.zhang, "诉求 停电", chat=wire.group)
    wire.server.deletes(asked, wire.group)
    await wire.send(reply_to=str(asked))
    assert len(wire.server.sent) == 1


async def test_an_answer_stays_in_its_topic_and_comes_out_of_a_deleted_one(wire: Line) -> None:
    forum = wire.server.group(-1005678, "园区大群", forum=True, bot="administrator")
    topic = wire.server.topic(forum, "用电")
    asked = await wire.server.says(wire.zhang, "诉求 停电", chat=forum, thread=topic)
    known = await wire.send(chat=forum.id, reply_to=f"{asked}@{topic}")
    assert known == f"{wire.server.sent[0].message_id}@{topic}"
    aside = await wire.server.says(wire.zhang, "诉求 停水", chat=forum)
    assert "@" not in await wire.send(chat=forum.id, reply_to=str(aside))
    assert "@" not in await wire.send(chat=forum.id, reply_to=f"{aside}@{topic + 999}")
    assert [sent.thread for sent in wire.server.sent] == [topic, None, None]


async def test_a_long_text_arrives_whole_with_the_buttons_under_its_end(wire: Line) -> None:
    text = "\n".join(f"第{n}行：车间电压低，一天跳停三次" for n in range(400))
    asked = await wire.server.says(wire.zhang, "待办", chat=wire.group)
    await wire.send(text, keys=KEYS, reply_to=str(asked))
    first, *_, last = sent = wire.server.sent
    assert len(sent) == 2
    assert f"{first.text}\n{last.text.removeprefix(GOES_ON)}" == text
    assert last.text.startswith(GOES_ON)
    assert (bool(first.buttons), bool(last.buttons)) == (False, True)
    assert ("reply_parameters" in first.params, "reply_parameters" in last.params) == (True, False)


async def test_a_file_goes_along_with_a_short_text_under_its_own_name(wire: Line) -> None:
    await wire.send("台账如下", documents=(LEDGER,), keys=KEYS, chat=ZHANG)
    (sent,) = wire.server.sent
    assert (sent.method, sent.text) == ("sendDocument", "台账如下")
    assert [(file.filename, file.data) for file in sent.files] == [(LEDGER.name, LEDGER.content)]
    assert sent.buttons


async def test_pictures_go_as_an_album_and_other_files_one_by_one(wire: Line) -> None:
    pictures = tuple(Document(f"现场{n}.png", "image/png", PNG) for n in range(12))
    await wire.send("照片如下", documents=(*pictures, LEDGER), chat=ZHANG)
    assert [(sent.method, len(sent.files)) for sent in wire.server.sent] == [
        ("sendMessage", 0),
        ("sendMediaGroup", 10),
        ("sendMediaGroup", 2),
        ("sendDocument", 1),
    ]


async def test_one_picture_goes_as_a_photo_and_what_is_none_as_a_file(wire: Line) -> None:
    picture = Document("现场.png", "image/png", PNG)
    await wire.send("现场", documents=(picture,))
    wire.server.fault("sendPhoto", status=400, description="Bad Request: PHOTO_INVALID_DIMENSIONS")
    await wire.send("现场", documents=(picture,))
    assert [sent.method for sent in wire.server.sent] == ["sendPhoto", "sendDocument"]


async def test_a_file_too_large_is_named_in_its_place(wire: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MOST_FILE", 5)
    await wire.send("台账如下", documents=(LEDGER,), chat=ZHANG)
    assert [sent.method for sent in wire.server.sent] == ["sendMessage", "sendMessage"]
    assert wire.server.sent[1].text.startswith("file.not_sendable")
    assert LEDGER.name in wire.server.sent[1].text


def edit(known: str, text: str = "已登记 #12", keys: tuple[tuple[Key, ...], ...] = ()) -> Parcel:
    return Parcel(id=2, chat_id=1, chat=str(GROUP), kind="edit", text=text, keys=keys, edits=known, private=False)


async def test_buttons_that_are_over_vanish_and_doing_it_twice_is_no_trouble(wire: Line) -> None:
    known = await wire.send(keys=KEYS)
    for _ in range(2):
        assert await wire.channel.send(edit(known)) == known
    edits = [sent for sent in wire.server.sent if sent.method.startswith("edit")]
    assert [(each.text, each.buttons) for each in edits] == [("已登记 #12", ())]


async def test_buttons_under_a_file_vanish_as_well(wire: Line) -> None:
    known = await wire.send("台账如下", documents=(LEDGER,), keys=KEYS)
    for _ in range(2):
        assert await wire.channel.send(edit(known, "台账如下")) == known
    assert wire.server.sent[-1].method == "editMessageReplyMarkup"


async def test_a_message_that_is_gone_cannot_be_edited(wire: Line) -> None:
    known = await wire.send(keys=KEYS)
    wire.server.deletes(int(known), wire.group)
    with pytest.raises(Undeliverable):
        await wire.channel.send(edit(known))
    with pytest.raises(Undeliverable):
        await wire.channel.send(Parcel(id=3, chat_id=1, chat=str(GROUP), kind="edit", text="x"))


async def test_a_persons_commands_are_listed_in_his_chat(wire: Line) -> None:
    keys = ((Key("提诉求", "appeal"),), (Key("我提的事", "my"),))
    await wire.channel.send(Parcel(id=4, chat_id=1, chat=str(ZHANG), kind="menu", text="", keys=keys))
    assert wire.server.commands[f"chat:{ZHANG}"] == [
        {"command": "appeal", "description": "提诉求"},
        {"command": "my", "description": "我提的事"},
    ]


async def test_a_spinner_is_answered_with_words_where_there_are_some(wire: Line) -> None:
    known = await wire.send(keys=KEYS)
    query = await wire.server.presses(wire.zhang, int(known), KEYS[0][0].data, chat=wire.group)
    await wire.channel.send(Parcel(id=5, chat_id=1, chat=str(GROUP), kind="answer", text="已接单", reply_to=query))
    assert wire.server.answered == {query: "已接单"}


# Refusals -------------------------------------------------------------------------------------------------------------
async def outcome(wire: Line, chat: int = GROUP) -> Exception:
    with pytest.raises((Undeliverable, Unsent, Uncertain, Moved)) as caught:
        await wire.send(chat=chat)
    return caught.value


@pytest.mark.parametrize(
    "status, description, unreachable",
    [
        (403, "Forbidden: bot was blocked by the user", True),
        (403, "Forbidden: bot can't initiate conversation with a user", True),
        (403, "Forbidden: user is deactivated", True),
        (403, "Forbidden: bot was kicked from the supergroup chat", True),
        (400, "Bad Request: chat not found", True),
        (400, "Bad Request: message text is empty", False),
        (400, "Bad Request: BUTTON_DATA_INVALID", False),
        (400, "Bad Request: not enough rights to send text messages to the chat", False),
    ],
)
async def test_what_will_never_arrive_is_told_from_a_chat_that_nothing_reaches(
    wire: Line, status: int, description: str, unreachable: bool
) -> None:
    wire.server.fault("sendMessage", status=status, description=description)
    end = await outcome(wire)
    assert isinstance(end, Undeliverable)
    assert end.unreachable is unreachable
    assert description.partition(": ")[2].lower() in str(end).lower()


async def test_a_chat_that_is_asked_to_wait_waits_so_long(wire: Line) -> None:
    wire.server.fault("sendMessage", status=429, retry_after=17)
    end = await outcome(wire)
    assert isinstance(end, Unsent)
    assert (end.seconds, end.channel_down) == (17.0, False)


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_server_in_trouble_has_done_nothing(wire: Line, status: int) -> None:
    wire.server.outage(status)
    end = await outcome(wire)
    assert isinstance(end, Unsent)
    assert end.channel_down


async def test_a_wrong_token_stops_the_channel_and_is_never_told(
    wire: Line, caplog: pytest.LogCaptureFixture, expected_errors: ExpectedErrors
) -> None:
    expected_errors.expect("the token is refused")
    caplog.set_level(logging.DEBUG)
    channel = channel_at(wire.server, "987654:wrong-secret-part")
    with pytest.raises(Unsent) as caught:
        await channel.send(Parcel(id=1, chat_id=1, chat="1", kind="send", text="x"))
    await channel.close()
    assert caught.value.channel_down
    assert "wrong-secret-part" not in str(caught.value) + caplog.text


async def test_a_server_that_is_not_there_has_got_nothing() -> None:
    server = TelegramEmulator()
    await server.start()
    channel = channel_at(server)
    await server.stop()
    with pytest.raises(Unsent) as caught:
        await channel.send(Parcel(id=1, chat_id=1, chat="1", kind="send", text="x"))
    await channel.close()
    assert caught.value.channel_down
    assert server.token not in str(caught.value)


@pytest.mark.parametrize("answer", ["none", "broken"])
@pytest.mark.parametrize("effect", [True, False])
async def test_without_a_readable_answer_nobody_knows(wire: Line, answer: str, effect: bool) -> None:
    wire.server.fault("sendMessage", effect=effect, answer=answer)  # type: ignore[arg-type]  # both are answers
    assert isinstance(await outcome(wire), Uncertain)
    assert len(wire.server.sent) == effect


async def test_no_answer_in_time_leaves_it_open(wire: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "READ_SECONDS", 0.05)
    wire.server.fault("sendMessage", effect=True, answer="hang")
    assert isinstance(await outcome(wire), Uncertain)


async def test_a_gateway_that_waited_in_vain_leaves_it_open(wire: Line) -> None:
    wire.server.fault("sendMessage", status=504)
    assert isinstance(await outcome(wire), Uncertain)


async def test_after_a_doubt_nothing_leaves_until_something_gets_through(wire: Line) -> None:
    wire.server.fault("sendMessage", answer="none")
    await outcome(wire)
    wire.server.fault("getMe", answer="none")
    end = await outcome(wire)
    assert isinstance(end, Unsent)
    assert end.channel_down
    await wire.send()
    await wire.send()
    assert [call.method for call in wire.server.calls].count("getMe") == 2


async def test_a_group_that_has_moved_says_where_to(wire: Line) -> None:
    new = await wire.server.migrates(wire.server.group(-77, "旧群", kind="group", bot="member"))
    end = await outcome(wire, -77)
    assert isinstance(end, Moved)
    assert end.chat == str(new)
