"""Pictures and documents on Telegram: kept, sent on, too large, in albums, slow, lost, and found after a restart."""

import hashlib
from collections.abc import AsyncIterator

import pytest

from tests.stories.telegram_town import TelegramTown, telegram_town
from tests.stories.town import Said

BOSS, CLERK, LIAISON = "张建国", "张会计", "王敏"
GROUP, MULTI = "宏达机械联企群", "大树营联企群"
NEW = "马师傅"
PHOTO = b"\xff\xd8\xff a picture of the transformer"
ALBUM = [b"\xff\xd8\xff picture %d" % number for number in range(5)]


@pytest.fixture
async def town() -> AsyncIterator[TelegramTown]:
    async with telegram_town(at="2026-03-11 09:00") as opened:
        yield opened


def told(said: list[Said], listener: str) -> list[str]:
    return [line.key for line in said if line.listener == listener]


def hashes(*contents: bytes) -> set[str]:
    return {hashlib.sha256(content).hexdigest() for content in contents}


async def filed_hashes(town: TelegramTown) -> set[str]:
    """The files that the appeals have, each of them kept with its content."""
    rows = await town.all("SELECT f.hash, f.content FROM event_files e JOIN files f ON f.hash = e.hash")
    assert hashes(*(row["content"] for row in rows)) == {row["hash"] for row in rows}
    return {row["hash"] for row in rows}


async def album(town: TelegramTown, who: str, caption: str | None, where: str = "") -> list[Said]:
    """Five pictures sent as one."""
    chat = town.groups[where] if where else None
    await town.emulator.album(town.users[who], ALBUM, caption=caption, chat=chat)
    return await town.settle()


def fetched(town: TelegramTown) -> int:
    return len(town.calls("getFile"))


# One file -------------------------------------------------------------------------------------------------------------
async def test_the_picture_of_an_appeal_is_kept_and_the_liaison_gets_it(town: TelegramTown) -> None:
    said = await town.says(BOSS, photo=PHOTO, caption="诉求 停电")
    assert told(said, BOSS) == ["appeal.filed"]
    assert await filed_hashes(town) == hashes(PHOTO)
    (sent,) = [sent for sent in town.got(LIAISON) if sent.files]
    assert [file.data for file in sent.files] == [PHOTO]
    assert "#1" in sent.text


async def test_a_document_keeps_its_name(town: TelegramTown) -> None:
    await town.says(BOSS, document=("用电明细.pdf", b"%PDF-1.7", "application/pdf"), caption="诉求 停电")
    (sent,) = [sent for sent in town.got(LIAISON) if sent.files]
    assert (sent.method, sent.files[0].filename, sent.files[0].data) == ("sendDocument", "用电明细.pdf", b"%PDF-1.7")


async def test_a_document_that_is_too_large_is_refused_by_name_and_limit_and_the_appeal_is_filed(
    town: TelegramTown,
) -> None:
    large = ("监控录像.zip", b"PK", "application/zip")
    said = await town.says(BOSS, document=large, caption="诉求 停电", claimed_size=21_000_000)
    assert told(said, BOSS) == ["appeal.filed", "reply.file_lost"]
    (lost,) = (line.text for line in said if line.key == "reply.file_lost")
    assert "监控录像.zip" in lost
    assert "20MB" in lost
    assert fetched(town) == 0
    assert await town.all("SELECT hash FROM event_files") == []


async def test_in_a_group_a_large_document_is_spoken_of_only_if_it_was_for_the_bot(town: TelegramTown) -> None:
    large = ("监控录像.zip", b"PK", "application/zip")
    said = await town.says(BOSS, where=GROUP, document=large, caption="大家看看", claimed_size=21_000_000)
    assert told(said, GROUP) == []
    said = await town.says(BOSS, where=GROUP, document=large, caption="催办", claimed_size=21_000_000)
    assert told(said, GROUP) == []
    asked = await town.says(BOSS, "诉求", where=GROUP)
    said = await town.says(BOSS, where=GROUP, reply_to=asked[-1].id, document=large, claimed_size=21_000_000)
    assert told(said, GROUP) == ["ask.in_group", "reply.file_lost"]


async def test_a_file_that_cannot_be_had_is_named_and_the_rest_is_done(town: TelegramTown) -> None:
    town.emulator.fault("getFile", status=400, description="Bad Request: wrong file_id")
    said = await town.says(BOSS, document=("表.pdf", b"%PDF-1.7", "application/pdf"), caption="诉求 停电")
    assert told(said, BOSS) == ["appeal.filed", "reply.file_lost"]
    assert len(await town.all("SELECT id FROM appeals")) == 1
    assert "表.pdf" in said[-1].text or "表.pdf" in said[-2].text


async def test_a_file_server_that_stumbles_once_is_asked_again(town: TelegramTown) -> None:
    town.emulator.fault("download", status=502)
    said = await town.says(BOSS, photo=PHOTO, caption="诉求 停电")
    assert told(said, BOSS) == ["appeal.filed"]
    assert await filed_hashes(town) == hashes(PHOTO)


async def test_a_restart_between_receiving_and_handling_loses_nothing(town: TelegramTown) -> None:
    await town.hears(BOSS, photo=PHOTO, caption="诉求 停电")
    assert await town.all("SELECT id FROM appeals") == []
    await town.restart()
    assert told(await town.settle(), BOSS) == ["appeal.filed"]
    assert await filed_hashes(town) == hashes(PHOTO)
    assert len(await town.all("SELECT id FROM appeals")) == 1


async def test_a_slow_download_holds_up_its_own_chat_alone(town: TelegramTown) -> None:
    slow = town.emulator.fault("download", delay=0.05)
    await town.hears(BOSS, photo=PHOTO, caption="诉求 停电")
    await town.hears(BOSS, "进度")
    await town.hears(CLERK, "进度")
    async with town.at_work():
        await town.emulator.until_sent(1)
        assert slow.met == 1
        first = [sent.chat_id for sent in town.emulator.sent]
        assert set(first) == {town.users[CLERK].id}
        while len(town.got(BOSS)) < 2:
            await town.emulator.until_sent(len(town.emulator.sent) + 1)
    texts = [sent.text for sent in town.got(BOSS)]
    assert "已登记" in texts[0] or "#1" in texts[0]


# Albums ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("where", ["", GROUP])
async def test_an_album_is_one_appeal_with_five_files_and_one_answer(town: TelegramTown, where: str) -> None:
    said = await album(town, BOSS, "诉求 停电", where)
    assert told(said, where or BOSS) == ["appeal.filed"]
    assert len(await town.all("SELECT id FROM appeals")) == 1
    assert await filed_hashes(town) == hashes(*ALBUM)
    got = {file.data for sent in town.got(LIAISON) for file in sent.files}
    assert got == set(ALBUM)


async def test_an_album_waits_with_the_question_that_its_bare_word_put(town: TelegramTown) -> None:
    said = await album(town, BOSS, "诉求")
    assert told(said, BOSS) == ["ask.appeal"]
    assert told(await town.says(BOSS, "车间停电"), BOSS) == ["appeal.filed"]
    assert await filed_hashes(town) == hashes(*ALBUM)


async def test_an_album_answers_a_question(town: TelegramTown) -> None:
    await town.says(BOSS, "诉求")
    assert told(await album(town, BOSS, "车间停电"), BOSS) == ["appeal.filed"]
    assert await filed_hashes(town) == hashes(*ALBUM)


async def test_a_second_album_stays_out_of_the_first(town: TelegramTown) -> None:
    await album(town, BOSS, "诉求 停电")
    await album(town, BOSS, "诉求 停水")
    rows = await town.all(
        """SELECT a.number, COUNT(*) AS files FROM event_files f JOIN events e ON e.id = f.event_id
           JOIN appeals a ON a.id = e.appeal_id GROUP BY a.number ORDER BY a.number"""
    )
    assert [(row["number"], row["files"]) for row in rows] == [("1", 5), ("2", 5)]


@pytest.mark.parametrize("who", [BOSS, NEW])
@pytest.mark.parametrize("asked", [False, True])
async def test_an_album_that_is_nobodys_command_is_neither_fetched_nor_answered_nor_kept(
    town: TelegramTown, who: str, asked: bool
) -> None:
    """Not even where somebody has a question open, or a matter kept, in that group."""
    town.stranger(7001, NEW)
    if asked:
        await town.says(who, "诉求", where=GROUP)
    else:
        await town.says(who, "诉求 停电", where=GROUP)
    before = await town.everything("inbox", "chats")
    assert told(await album(town, who, "周末团建照片", GROUP), GROUP) == []
    assert told(await album(town, who, None, GROUP), GROUP) == []
    assert fetched(town) == 0
    assert await town.everything("inbox", "chats") == before
    bodies = await town.all("SELECT body FROM inbox ORDER BY id DESC LIMIT 10")
    assert [row["body"] for row in bodies] == ["{}"] * 10


async def test_a_strangers_album_is_kept_with_his_matter(town: TelegramTown) -> None:
    town.stranger(7001, NEW)
    said = await album(town, NEW, "诉求 停电")
    assert told(said, NEW) == ["joining.kept_alone"]
    (row,) = await town.all("SELECT body FROM kept_messages")
    assert row["body"].count('"hash"') == 5


async def test_a_picture_of_an_album_that_is_too_large_or_lost_is_named(town: TelegramTown) -> None:
    for number, size in enumerate((None, 21_000_000, None)):
        paper = (f"{number}.pdf", b"%%PDF-1.7 %d" % number, "application/pdf")
        caption = None if number else "诉求 停电"
        await town.emulator.says(
            town.users[BOSS], document=paper, caption=caption, album="A", claimed_size=size
        )
    town.emulator.fault("getFile", status=400, description="Bad Request: wrong file_id", times=1)
    said = await town.settle()
    lost = [line.text for line in said if line.key == "reply.file_lost"]
    assert sorted("20MB" in text for text in lost) == [False, True]
    assert told(said, BOSS).count("appeal.filed") == 1


async def test_the_caption_of_an_album_can_be_corrected_until_somebody_takes_it_on(town: TelegramTown) -> None:
    ids = await town.emulator.album(town.users[BOSS], ALBUM, caption="诉求 停电")
    await town.settle()
    await town.emulator.edits(town.users[BOSS], ids[0], "诉求 三车间停电")
    assert told(await town.settle(), BOSS) == ["work.supplemented"]
    await town.presses(LIAISON, "接单")
    before = await town.everything("inbox", "outbox", "chats")
    await town.emulator.edits(town.users[BOSS], ids[0], "诉求 全厂停电")
    assert told(await town.settle(), BOSS) == []
    assert await town.everything("inbox", "outbox", "chats") == before
