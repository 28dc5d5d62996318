"""What goes out in several messages: long texts, files and albums, in their topic, each thing once."""

from collections.abc import AsyncIterator

import pytest

from bot.channel import Document, Mention, Parcel
from bot.channels.telegram import sending
from tests.bot.telegram.desks import GROUP, ZHANG, Line, line
from tests.emulators.telegram import Chat

PICTURE = Document("现场.png", "image/png", b"\x89PNG\r\n\x1a\n 1")
PAPER = Document("电费单.pdf", "application/pdf", b"%PDF-1.7")
LONG = "\n".join(f"第{n}行：车间电压低，一天跳停三次" for n in range(400))


@pytest.fixture
async def wire() -> AsyncIterator[Line]:
    async with line() as opened:
        yield opened


@pytest.fixture
def forum(wire: Line) -> Chat:
    return wire.server.group(-1005678, "园区大群", forum=True, bot="administrator")


async def test_all_parts_of_an_answer_stay_in_the_topic_and_only_the_first_quotes(wire: Line, forum: Chat) -> None:
    topic = wire.server.topic(forum, "用电")
    asked = await wire.server.says(wire.zhang, "诉求 停电", chat=forum, thread=topic)
    papers = (PICTURE, PICTURE, PAPER)
    known = await wire.send(LONG, chat=forum.id, reply_to=f"{asked}@{topic}", documents=papers)
    sent = wire.server.sent
    assert [each.method for each in sent] == ["sendMessage", "sendMessage", "sendMediaGroup", "sendDocument"]
    assert [each.thread for each in sent] == [topic] * 4
    assert ["reply_parameters" in each.params for each in sent] == [True, False, False, False]
    assert known == f"{sent[-1].message_id}@{topic}"


async def test_all_parts_come_out_of_a_topic_that_is_gone(wire: Line, forum: Chat) -> None:
    aside = await wire.server.says(wire.zhang, "诉求 停水", chat=forum)
    papers = (PICTURE, PICTURE, PAPER)
    known = await wire.send(LONG, chat=forum.id, reply_to=f"{aside}@999", documents=papers)
    assert [each.thread for each in wire.server.sent] == [None] * 4
    assert "@" not in known


@pytest.mark.parametrize("closed", ["Bad Request: TOPIC_CLOSED", "Bad Request: message thread not found"])
async def test_a_file_comes_out_of_a_closed_topic(wire: Line, forum: Chat, closed: str) -> None:
    topic = wire.server.topic(forum, "用电")
    asked = await wire.server.says(wire.zhang, "诉求 停电", chat=forum, thread=topic)
    for document, method in ((PICTURE, "sendPhoto"), (PAPER, "sendDocument")):
        wire.server.fault(method, status=400, description=closed)
        await wire.send("见附件", chat=forum.id, reply_to=f"{asked}@{topic}", documents=(document,))
    assert [(each.method, each.thread) for each in wire.server.sent] == [("sendPhoto", None), ("sendDocument", None)]


async def test_who_is_named_in_several_parts_is_called_once(wire: Line) -> None:
    await wire.send(f"@张建国 {LONG} @张建国", mention=Mention(str(ZHANG), "张建国"))
    assert ["entities" in each.params for each in wire.server.sent] == [True, False]


async def test_a_name_that_the_text_does_not_hold_calls_nobody(wire: Line) -> None:
    await wire.send("请尽快办理", mention=Mention(str(ZHANG), "张建国"))
    assert "entities" not in wire.server.sent[0].params


async def test_a_file_beside_somebodys_name_leaves_the_name_in_a_text_of_its_own(wire: Line) -> None:
    await wire.send("@张建国 见附件", mention=Mention(str(ZHANG), "张建国"), documents=(PAPER,))
    text, file = wire.server.sent
    assert text.params["entities"][0]["user"]["id"] == ZHANG
    assert (file.method, file.text) == ("sendDocument", "")


@pytest.mark.parametrize("text, methods", [("电" * 1024, 1), ("电" * 1025, 2), ("😀" * 512, 1), ("😀" * 513, 2)])
async def test_a_text_is_a_caption_as_long_as_it_fits_to_the_last_unit(wire: Line, text: str, methods: int) -> None:
    await wire.send(text, documents=(PAPER,))
    assert len(wire.server.sent) == methods


async def test_an_album_of_which_one_is_no_photo_to_telegram_goes_as_files(wire: Line) -> None:
    wire.server.fault("sendMediaGroup", status=400, description="Bad Request: PHOTO_INVALID_DIMENSIONS")
    await wire.send("照片如下", documents=(PICTURE, PICTURE))
    _, album = wire.server.sent
    assert [(file.field, file.filename) for file in album.files] == [("document", "现场.png")] * 2


@pytest.mark.parametrize(
    "kind, size, method",
    [("image/png", 8, "sendPhoto"), ("image/svg+xml", 8, "sendDocument"), ("image/png", 9, "sendDocument")],
)
async def test_a_photo_is_what_telegram_shows_as_one(
    wire: Line, monkeypatch: pytest.MonkeyPatch, kind: str, size: int, method: str
) -> None:
    monkeypatch.setattr(sending, "MOST_PHOTO", 8)
    await wire.send("", documents=(Document("图", kind, b"x" * size),))
    assert [each.method for each in wire.server.sent] == [method]


@pytest.mark.parametrize(
    "name, arrives",
    [
        ("企业诉求台账（三月）.pdf", "企业诉求台账（三月）.pdf"),
        ('报"表\\一.pdf', '报"表\\一.pdf'),
        ("报表\r\nX-Header: 1.pdf", "报表__X-Header: 1.pdf"),
        ("半个\ud83d字.pdf", "半个_字.pdf"),
    ],
)
async def test_a_file_arrives_under_its_name_whatever_that_is(wire: Line, name: str, arrives: str) -> None:
    await wire.send("见附件", documents=(Document(name, "application/pdf", b"x"),))
    assert [file.filename for file in wire.server.sent[0].files] == [arrives]


async def test_a_large_file_arrives_whole_and_holds_nobody_up(wire: Line) -> None:
    content = bytes(range(256)) * 10_000
    await wire.send("见附件", documents=(Document("大.bin", "application/octet-stream", content),))
    assert wire.server.sent[0].files[0].data == content


async def test_several_files_of_which_one_is_too_large_still_arrive(
    wire: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "MOST_FILE", 10)
    large = Document("太大.pdf", "application/pdf", b"x" * 11)
    await wire.send("见附件", documents=(PAPER, large))
    first, second = wire.server.sent
    assert (first.method, first.text, first.files[0].filename) == ("sendDocument", "见附件", PAPER.name)
    assert second.text == "file.not_sendable {'name': '太大.pdf', 'most': 0}"


@pytest.mark.parametrize("kind", ["send", "edit", "answer", "menu"])
@pytest.mark.parametrize("text", ["", "  \n "])
def test_there_is_always_a_part_to_be_sent(kind: str, text: str) -> None:
    parcel = Parcel(id=1, chat_id=1, chat="1", kind=kind, text=text)
    assert sending.parts(parcel, str) == (parcel,)


def test_the_parts_of_a_parcel_are_the_same_on_every_try() -> None:
    parcel = Parcel(id=1, chat_id=1, chat=str(GROUP), kind="send", text=LONG, documents=(PICTURE, PAPER))
    assert sending.parts(parcel, str) == sending.parts(parcel, str)


async def test_of_a_long_text_the_part_with_the_buttons_is_edited(wire: Line) -> None:
    known = await wire.send(LONG)
    parcel = Parcel(id=2, chat_id=1, chat=str(GROUP), kind="edit", text=LONG, edits=known, private=False)
    (part,) = wire.channel.parts(parcel)
    await wire.channel.send(part)
    assert wire.server.calls[-1].params["text"] == wire.server.sent[-1].text
