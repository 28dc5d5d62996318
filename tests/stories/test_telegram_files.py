"""Pictures and files on Telegram: fetched only where a matter wants them, kept, shown to whom they concern."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.stories.telegram_town import TelegramTown, telegram_town
from tests.stories.town import Said

GROUP = "宏达机械联企群"
PICTURE = b"\x89PNG\r\n\x1a\n picture"


@pytest.fixture
async def town() -> AsyncIterator[TelegramTown]:
    async with telegram_town(at="2026-03-11 09:00") as opened:
        yield opened


def told(said: list[Said], listener: str) -> list[str]:
    return [line.key for line in said if line.listener == listener]


async def kept(town: TelegramTown) -> list[bytes]:
    rows = await town.all("SELECT f.content FROM event_files e JOIN files f ON f.hash = e.hash ORDER BY e.event_id")
    return [bytes(row["content"]) for row in rows]


def downloads(town: TelegramTown) -> int:
    return [call.method for call in town.emulator.calls].count("getFile")


async def test_a_matter_with_a_picture_reaches_its_liaison_with_the_picture(town: TelegramTown) -> None:
    await town.emulator.says(town.users["张建国"], photo=PICTURE, caption="诉求 车间电压低")
    said = await town.settle()
    assert told(said, "张建国") == ["appeal.filed"]
    assert await kept(town) == [PICTURE]
    files = [file.data for sent in town.emulator.sent if sent.chat_id == town.users["王敏"].id for file in sent.files]
    assert files == [PICTURE]


async def test_a_file_too_large_is_named_and_the_matter_filed(town: TelegramTown) -> None:
    big = ("视频.zip", b"x", "application/zip")
    await town.emulator.says(
        town.users["张建国"], document=big, caption="诉求 车间电压低", claimed_size=21_000_000
    )
    said = await town.settle()
    assert told(said, "张建国") == ["appeal.filed", "reply.file_lost"]
    assert "视频.zip" in said[-1].text or "视频.zip" in "".join(line.text for line in said)
    assert "20MB" in "".join(line.text for line in said)
    assert downloads(town) == 0


async def test_an_album_is_one_matter_with_all_its_pictures_and_one_answer(town: TelegramTown) -> None:
    pictures = [PICTURE + bytes([n]) for n in range(5)]
    await town.emulator.album(town.users["张建国"], pictures, caption="诉求 车间电压低", chat=town.groups[GROUP])
    said = await town.settle()
    assert told(said, GROUP) == ["appeal.filed"]
    assert sorted(await kept(town)) == sorted(pictures)
    assert len(await town.all("SELECT id FROM appeals")) == 1


async def test_an_album_that_answers_a_question_waits_with_it(town: TelegramTown) -> None:
    await town.says("张建国", "诉求")
    pictures = [PICTURE + bytes([n]) for n in range(3)]
    await town.emulator.album(town.users["张建国"], pictures)
    await town.settle()
    said = await town.says("张建国", "车间电压低")
    assert told(said, "张建国") == ["appeal.filed"]
    assert sorted(await kept(town)) == sorted(pictures)


async def test_pictures_among_people_are_neither_fetched_nor_answered(town: TelegramTown) -> None:
    await town.settle()
    before = len(town.emulator.sent)
    await town.emulator.album(town.users["张建国"], [PICTURE, PICTURE + b"2"], chat=town.groups[GROUP])
    big = ("电影.zip", b"x", "application/zip")
    await town.emulator.says(
        town.users["张建国"], document=big, chat=town.groups[GROUP], claimed_size=21_000_000
    )
    await town.settle()
    assert downloads(town) == 0
    assert len(town.emulator.sent) == before


async def test_a_file_that_cannot_be_had_is_told_and_the_matter_filed(town: TelegramTown) -> None:
    town.emulator.fault("getFile", status=400, description="Bad Request: wrong file_id", times=3)
    await town.emulator.says(town.users["张建国"], photo=PICTURE, caption="诉求 车间电压低")
    assert told(await town.settle(), "张建国") == ["appeal.filed", "reply.file_lost"]
    assert await kept(town) == []


async def test_a_file_server_that_stumbles_is_asked_again(town: TelegramTown) -> None:
    town.emulator.fault("getFile", status=502)
    await town.emulator.says(town.users["张建国"], photo=PICTURE, caption="诉求 车间电压低")
    assert told(await town.settle(), "张建国") == ["appeal.filed"]
    assert await kept(town) == [PICTURE]


async def test_a_slow_file_keeps_its_own_chat_waiting_and_no_other(town: TelegramTown) -> None:
    fault = town.emulator.fault("getFile", delay=0.4)
    await town.emulator.says(town.users["张建国"], photo=PICTURE, caption="诉求 车间电压低")
    await town.emulator.says(town.users["陈和顺"], "诉求 停电")
    await town.emulator.confirmed()
    heard = asyncio.create_task(town.app.settle())
    while not any(sent.chat_id == town.users["陈和顺"].id for sent in town.emulator.sent):
        town.app.pump.wake()
        await asyncio.sleep(0.01)
        if heard.done():
            break
        await town.app.pump._launch()
    mine = [sent for sent in town.emulator.sent if sent.chat_id == town.users["张建国"].id]
    assert fault.met
    assert mine == []
    await heard
    await town.settle()
    assert await kept(town) == [PICTURE]


async def test_what_a_firm_adds_later_goes_with_the_matter(town: TelegramTown) -> None:
    (filed,) = [line for line in await town.says("张建国", "诉求 车间电压低") if line.listener == "张建国"]
    answered = await town._platform_id(filed.id)
    await town.emulator.says(town.users["张建国"], photo=PICTURE, reply_to=answered)
    assert told(await town.settle(), "张建国") == ["work.supplemented"]
    assert await kept(town) == [PICTURE]
