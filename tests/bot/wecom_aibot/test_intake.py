"""What comes in is kept at once, in order, with its files; what cannot be kept is asked for again."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.channel import NotKept
from bot.channels import files
from bot.channels.wecom_aibot import fetching
from bot.channels.wecom_aibot.fetching import decipher
from domain.chat import LostFile
from domain.said import Said
from tests.bot.wecom_aibot.desks import GROUP, WANG, ZHANG, Line, line
from tests.bot.wecom_aibot.test_sending import KEYS, PNG
from tests.emulators.wecom.aibot import encipher
from tests.errors import ExpectedErrors


@pytest.fixture
async def wire() -> AsyncIterator[Line]:
    async with line() as opened:
        yield opened


async def test_a_callback_that_comes_twice_is_one_message(wire: Line) -> None:
    wire.server.duplicate()
    await wire.server.says(ZHANG, "诉求 停电")
    await wire.server.says(ZHANG, "诉求 断水")
    assert [message.text for message in await wire.heard(2)] == ["诉求 停电", "诉求 断水"]


async def test_pictures_of_a_group_are_kept_before_the_message_is(wire: Line) -> None:
    await wire.server.says(ZHANG, "诉求 停电", chat=GROUP, images=[PNG, b"\xff\xd8\xff jpeg"])
    (message,) = await wire.heard(1)
    assert [(file.name, file.media_type) for file in message.attachments] == [
        ("image-1.png", "image/png"),
        ("image-2.jpg", "image/jpeg"),
    ]
    assert [wire.desk.files[file.hash] for file in message.attachments] == [PNG, b"\xff\xd8\xff jpeg"]


async def test_no_address_and_no_key_is_kept(wire: Line) -> None:
    await wire.server.says(ZHANG, "诉求 停电", images=[PNG])
    await wire.heard(1)
    assert "aeskey" not in str(wire.desk.rows[0].body)
    assert "http" not in str(wire.desk.rows[0].body)


async def test_a_quoted_picture_comes_along(wire: Line) -> None:
    picture = await wire.server.says(ZHANG, chat=GROUP, images=[PNG])
    await wire.server.says(ZHANG, "补充 1 照片", chat=GROUP, quote=picture)
    (message,) = await wire.heard(1)
    assert (message.text, [wire.desk.files[file.hash] for file in message.attachments]) == ("补充 1 照片", [PNG])


async def test_a_file_keeps_its_name(wire: Line) -> None:
    await wire.server.says(ZHANG, file=("停电 照片.pdf", b"%PDF-1.7 x"))
    (message,) = await wire.heard(1)
    (file,) = message.attachments
    assert (file.name, file.media_type) == ("停电 照片.pdf", "application/pdf")


async def test_a_voice_comes_as_its_words_and_a_video_as_a_file(wire: Line) -> None:
    await wire.server.says(ZHANG, voice="车间电压低")
    await wire.server.says(ZHANG, video=b"\x00\x00\x00\x18ftypmp42 video")
    spoken, filmed = await wire.heard(2)
    assert spoken.text == "车间电压低"
    assert [file.media_type for file in filmed.attachments] == ["video/mp4"]


async def test_a_file_that_stumbles_is_fetched_again(wire: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PAUSE_SECONDS", 0.001)
    wire.server.fault("download", code=503, times=2)
    await wire.server.says(ZHANG, "诉求 停电", images=[PNG])
    (message,) = await wire.heard(1)
    assert len(message.attachments) == 1


@pytest.mark.parametrize("code, times", [(404, 1), (503, 3)])
async def test_a_file_that_cannot_be_had_is_told_and_the_words_are_kept(
    wire: Line, monkeypatch: pytest.MonkeyPatch, code: int, times: int
) -> None:
    monkeypatch.setattr(fetching, "PAUSE_SECONDS", 0.001)
    wire.server.fault("download", code=code, times=times)
    await wire.server.says(ZHANG, "诉求 停电", images=[PNG])
    (message,) = await wire.heard(1)
    assert (message.text, message.lost) == ("诉求 停电", (LostFile("image-1.jpg", Said("file.unreachable")),))


async def test_a_file_over_the_limit_is_told(wire: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MOST_BYTES", 1000)
    monkeypatch.setattr(files, "MOST_BYTES", 1000)
    await wire.server.says(ZHANG, file=("大.pdf", b"%PDF-" + b"x" * 996))
    await wire.server.says(ZHANG, file=("好.pdf", b"%PDF-" + b"x" * 995))
    large, good = await wire.heard(2)
    assert [lost.cause.key for lost in large.lost] == ["file.too_large"]
    assert len(good.attachments) == 1


async def test_words_behind_a_slow_picture_keep_their_place(wire: Line) -> None:
    wire.server.fault("download", effect=True, delay=0.05)
    await wire.server.says(ZHANG, "诉求 停电", chat=GROUP, images=[PNG])
    await wire.server.says(WANG, "接单 1", chat=GROUP)
    await wire.server.says(WANG, "我的")
    texts = [message.text for message in await wire.heard(3)]
    assert texts == ["我的", "诉求 停电", "接单 1"]


@pytest.mark.parametrize("images", [[], [PNG]])
async def test_what_cannot_be_kept_is_asked_for_again(wire: Line, images: list[bytes]) -> None:
    wire.desk.trouble.append(NotKept("disk full"))
    spoken = await wire.server.says(ZHANG, "诉求 停电", chat=GROUP, images=images)
    (told,) = await wire.server.until_visible(1)
    assert (told.text, told.answers) == ("系统繁忙，请稍后再发一次。", spoken.msgid)
    assert wire.desk.rows == []


async def test_a_press_that_cannot_be_kept_is_asked_for_again(wire: Line) -> None:
    await wire.send(keys=KEYS)
    wire.desk.trouble.append(NotKept("disk full"))
    await wire.server.presses(WANG, wire.server.visible[0], "status:1:")
    _, told = await wire.server.until_visible(2)
    assert (told.chat, told.text) == (GROUP, "系统繁忙，请稍后再发一次。")


async def test_a_bug_of_ours_does_not_end_the_reading(wire: Line, expected_errors: ExpectedErrors) -> None:
    expected_errors.expect("could not be kept")
    wire.desk.trouble.append(RuntimeError("a bug"))
    await wire.server.says(ZHANG, "诉求 停电")
    await wire.server.says(ZHANG, "诉求 断水")
    assert [message.text for message in await wire.heard(1)] == ["诉求 断水"]


async def test_a_press_is_heard_once_and_feedback_never(wire: Line) -> None:
    await wire.send(keys=KEYS)
    card = wire.server.visible[0]
    wire.server.duplicate()
    await wire.server.presses(WANG, card, "acknowledge:1:2")
    await wire.server.rates(WANG, card, 1)
    await wire.server.enters(WANG)
    press, enters = await wire.heard(2)
    assert (press.button, press.chat, press.reply_to) == ("acknowledge:1:2", GROUP, card.task_id)
    assert (enters.text, enters.chat) == ("/start", WANG)


async def test_what_is_under_way_at_the_end_is_still_kept() -> None:
    async with line() as wire:
        wire.server.fault("download", effect=True, delay=0.05)
        await wire.server.says(ZHANG, "诉求 停电", images=[PNG])
        await asyncio.sleep(0.01)
    assert [row.body["body"]["msgid"] for row in wire.desk.rows] == wire.server.heard


# The cipher ------------------------------------------------------------------------------------------------------
KEY = bytes(range(32))
SPELLED = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"


@pytest.mark.parametrize("content", [b"", b"x", b"x" * 31, b"x" * 32, b"\x20" * 33, bytes(range(256)) * 40])
@pytest.mark.parametrize("key", [SPELLED, SPELLED + "="])
def test_a_file_is_deciphered_whatever_its_length(content: bytes, key: str) -> None:
    assert decipher(encipher(content, KEY), key) == content


@pytest.mark.parametrize(
    "sealed, key",
    [
        (b"", SPELLED),
        (b"x" * 15, SPELLED),
        (b"x" * 32, SPELLED),
        (encipher(b"x", KEY), "AAEC"),
        (encipher(b"x", KEY), "不是密钥"),
        (encipher(b"x", KEY), SPELLED[::-1]),
        (encipher(b"x", KEY)[:-16], SPELLED),
        (encipher(b"\x21" * 32, KEY)[:32], SPELLED),
        (encipher(b"\x21" * 64, KEY)[:64], SPELLED),
    ],
)
def test_what_is_no_such_file_is_not_taken_for_one(sealed: bytes, key: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whichever the reason
        decipher(sealed, key)
