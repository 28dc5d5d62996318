"""Hostile files by every platform, as document, picture or album: refused by name, while the words are heard."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from bot.channels import files
from domain.chat import Attachment, LostFile
from domain.words import shown_file
from handlers.attaching import MOST_FILES
from tests.bot.telegram.desks import NoteDesk
from tests.bot.telegram.desks import line as telegram_line
from tests.bot.wecom_aibot.desks import ZHANG
from tests.bot.wecom_aibot.desks import line as aibot_line
from tests.bot.wecom_app.desks import line as app_line
from tests.needs import count
from tests.security.hostile import NAMES, PNG, POLYGLOTS, REFUSED
from tests.stories.telegram_town import TelegramTown, telegram_town
from tests.stories.town import Said, Town
from tests.stories.wecom_town import wecom_town
from tests.summary import Tally

BOSS, LIAISON = "张建国", "王敏"
GIF, PDF = b"GIF89a" + b"\0" * 40, b"%PDF-1.7 " + b"x" * 40
WHY = "这种文件这里不收"
# Where a platform cannot carry a name or an empty file itself, the name is left to the tests of single readers.
CARRIED = [(name, content) for name, content in REFUSED if content]


def lost(said: Sequence[Said]) -> list[str]:
    return [line.text for line in said if line.key == "reply.file_lost"]


async def kept(town: Town) -> Mapping[str, str]:
    """The kinds of all files that are kept, by their hash."""
    return {row["hash"]: row["media_type"] for row in await town.all("SELECT hash, media_type FROM files")}


async def words_of(town: Town) -> list[str]:
    return [row["body"] for row in await town.all("SELECT body FROM event_texts ORDER BY event_id")]


# Telegram -------------------------------------------------------------------------------------------------------------
async def test_a_hostile_document_on_telegram_is_refused_and_its_words_are_heard(tally: Tally) -> None:
    async with telegram_town() as town:
        for n, (name, content) in enumerate(CARRIED):
            said = await town.says(BOSS, document=(name, content, "image/png"), caption=f"诉求 停电{n}")
            assert [line.key for line in said if line.listener == BOSS] == ["appeal.filed", "reply.file_lost"], name
            assert all(WHY in text and name in text for text in lost(said))
        assert await kept(town) == {}
        assert await words_of(town) == [f"停电{n}" for n in range(len(CARRIED))]
    tally("S9", len(CARRIED))


async def test_what_calls_itself_a_picture_on_telegram_is_looked_at_all_the_same(tally: Tally) -> None:
    async with telegram_town() as town:
        for n, (_, content) in enumerate(CARRIED):
            said = await town.says(BOSS, photo=content, caption=f"诉求 停电{n}")
            assert len(lost(said)) == 1
        assert await kept(town) == {}
        assert len(await town.all("SELECT id FROM appeals")) == len(CARRIED)
    tally("S9", len(CARRIED))


async def test_of_an_album_the_good_pictures_are_kept_and_each_bad_one_is_named(tally: Tally) -> None:
    async with telegram_town() as town:
        bad = [content for _, content in CARRIED][:8]
        await town.emulator.album(town.users[BOSS], [PNG, *bad, GIF], caption="诉求 停电")
        said = await town.settle()
        assert len(lost(said)) == len(bad)
        assert sorted((await kept(town)).values()) == ["image/gif", "image/png"]
        assert len(await town.all("SELECT hash FROM event_files")) == 2
        assert len(await town.all("SELECT id FROM appeals")) == 1
    tally("S9", len(bad))


async def test_what_is_two_things_at_once_is_kept_as_what_it_begins_as(tally: Tally) -> None:
    async with telegram_town() as town:
        for n, (name, content) in enumerate(POLYGLOTS):
            await town.says(BOSS, document=(name, content, "text/html"), caption=f"诉求 停电{n}")
        kinds = sorted((await kept(town)).values())
    assert kinds == ["application/pdf", "image/gif", "image/gif", "image/jpeg", "image/png", "image/png"]
    tally("S9", len(POLYGLOTS))


async def test_a_file_goes_on_to_the_office_by_a_name_that_leads_nowhere(tally: Tally) -> None:
    names = [name for name in NAMES if name.strip() and name.isprintable()]
    async with telegram_town() as town:
        for n, name in enumerate(names):
            await town.says(BOSS, document=(name, PDF + bytes([n]), "application/pdf"), caption=f"诉求 停电{n}")
        rows = await town.all("SELECT name FROM event_files ORDER BY event_id")
        sent = [file.filename for each in town.got(LIAISON) for file in each.files]
    assert [row["name"] for row in rows] == [shown_file(name) for name in names]
    assert sent == [shown_file(name) for name in names]
    tally("S9", len(names))


async def test_a_file_that_is_larger_than_it_said_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.body_of, "__defaults__", (1000,))
    async with telegram_line() as wire:
        desk = NoteDesk()
        paper = ("大.pdf", PDF + bytes(100_000), "application/pdf")
        await wire.server.says(wire.zhang, document=paper, claimed_size=10)
        (update,) = wire.server.unconfirmed
        found = await wire.channel.fetch(update["message"]["document"]["file_id"], desk)
    assert isinstance(found, LostFile)
    assert (found.cause.key, desk.files) == ("file.too_large", [])


async def fill(town: TelegramTown, most: int) -> list[Said]:
    """A matter, and one picture more than it takes, ten at a time."""
    await town.says(BOSS, "诉求 停电")
    said: list[Said] = []
    for n in range(0, most + 1, 10):
        pictures = [PNG + bytes([n, k]) for k in range(min(10, most + 1 - n))]
        await town.emulator.album(town.users[BOSS], pictures, caption=f"补充 1 第{n}批")
        said += await town.settle()
    return said


async def test_a_matter_takes_so_many_files_and_all_words(tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    most = count(20, MOST_FILES)
    monkeypatch.setattr("handlers.attaching.MOST_FILES", most)
    async with telegram_town() as town:
        said = await fill(town, most)
        again = await town.says(BOSS, photo=PNG + b"!", caption="补充 1 还有一句")
        assert (len(lost(said)), len(lost(again))) == (1, 1)
        assert all(f"最多收{most}个附件" in text for text in lost([*said, *again]))
        assert len(await town.all("SELECT hash FROM event_files")) == len(await kept(town)) == most
        assert "还有一句" in await words_of(town)
        other = await town.says(BOSS, photo=PNG + b"?", caption="诉求 停水")
        assert lost(other) == []
    tally("S9", most + 3)


async def test_what_a_stranger_says_takes_no_more_files_than_a_matter_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.attaching.MOST_FILES", 3)
    async with telegram_town() as town:
        town.stranger(7001, "马师傅")
        await town.says("马师傅", photo=PNG, caption="诉求 停电")
        said = [await town.says("马师傅", photo=PNG + bytes([n])) for n in range(4)]
        (row,) = await town.all("SELECT body FROM kept_messages")
    assert [len(lost(each)) for each in said] == [0, 0, 1, 1]
    assert row["body"].count('"hash"') == 3


# WeCom ----------------------------------------------------------------------------------------------------------------
async def test_hostile_files_of_the_smart_bot_are_refused_once_deciphered(tally: Tally) -> None:
    async with wecom_town() as town:
        for name, content in CARRIED:
            said = await town.says(BOSS, file=(name, content))
            assert [WHY in text and name in text for text in lost(said)] == [True], name
        assert await kept(town) == {}
    tally("S9", len(CARRIED))


async def test_beside_a_hostile_picture_of_the_smart_bot_the_rest_is_done(tally: Tally) -> None:
    async with wecom_town() as town:
        for n, (_, content) in enumerate(CARRIED):
            said = await town.says(BOSS, f"诉求 停电{n}", images=[content, PNG + bytes([n])])
            assert len(lost(said)) == 1
            if n % 8 == 7:
                await town.wait(hours=1)  # a chat takes so many messages of a bot in a minute
        assert set((await kept(town)).values()) == {"image/png"}
        assert await words_of(town) == [f"停电{n}" for n in range(len(CARRIED))]
    tally("S9", len(CARRIED))


async def test_polyglots_of_the_smart_bot_are_what_they_begin_as(tally: Tally) -> None:
    async with aibot_line() as wire:
        for name, content in POLYGLOTS:
            await wire.server.says(ZHANG, file=(name, content))
        found = [file.media_type for message in await wire.heard(len(POLYGLOTS)) for file in message.attachments]
    assert found == ["image/png", "image/gif", "image/jpeg", "application/pdf", "image/png", "image/gif"]
    tally("S9", len(POLYGLOTS))


async def test_hostile_files_of_the_app_are_not_kept(tally: Tally) -> None:
    async with app_line() as wire:
        for name, content in REFUSED:
            found = await wire.channel.fetch(wire.server.keep("image", name, content), wire.desk)
            assert isinstance(found, LostFile), name
            assert found.cause.key == "file.kind"
        assert wire.desk.files == []
        for name, content in POLYGLOTS:
            taken = await wire.channel.fetch(wire.server.keep("image", name, content), wire.desk)
            assert isinstance(taken, Attachment), name
    tally("S9", len(REFUSED) + len(POLYGLOTS))


async def test_a_file_of_the_app_without_end_is_not_read_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.body_of, "__defaults__", (1000,))
    async with app_line() as wire:
        async with asyncio.timeout(5):
            found = await wire.channel.fetch(wire.server.keep("image", "大.jpg", PNG + bytes(100_000)), wire.desk)
        assert isinstance(found, LostFile)
        assert (found.cause.key, wire.desk.files) == ("file.too_large", [])
