from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.channel import Document, NotKept, Replayed, Undeliverable, Update
from bot.desk import FrontDesk
from bot.documents import Documents
from storage.database import Database
from storage.errors import StorageUnavailable
from tests.backends import open_house
from tests.bot.posthouse import CATALOGUE, MORNING, RULES, Clock


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    opened = await open_house("sqlite:///:memory:")
    yield opened
    await opened.close()


class Wakes:
    """Counts how often the dispatcher was stirred."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


async def kept(database: Database) -> list[tuple[Any, ...]]:
    rows = await database.reading(lambda tx: tx.all("SELECT * FROM inbox ORDER BY id"))
    return [(row["channel"], row["account"], row["external_id"], row["chat_key"], row["body"]) for row in rows]


async def test_a_batch_is_kept_in_its_order_and_stirs_the_dispatcher_once(database: Database) -> None:
    wakes = Wakes()
    desk = FrontDesk(database, Clock(), wakes)
    await desk.receive("telegram", "bot1", [Update("7", "-100", {"text": "甲"}), Update("8", "42", {})])
    assert await kept(database) == [
        ("telegram", "bot1", "7", "telegram:-100", '{"text":"甲"}'),
        ("telegram", "bot1", "8", "telegram:42", "{}"),
    ]
    assert wakes.times == 1


async def test_an_update_that_comes_again_is_left_as_it_was(database: Database) -> None:
    desk = FrontDesk(database, Clock(), Wakes())
    await desk.receive("telegram", "bot1", [Update("7", "a", {"n": 1})])
    await desk.receive("telegram", "bot1", [Update("7", "b", {"n": 2}), Update("7", "b", {"n": 3})])
    await desk.receive("telegram", "bot2", [Update("7", "a", {"n": 4})])
    assert [row[4] for row in await kept(database)] == ['{"n":1}', '{"n":4}']


async def test_what_cannot_be_committed_is_not_called_received(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(unit: Any) -> Any:
        raise StorageUnavailable("the disk is full")

    wakes = Wakes()
    desk = FrontDesk(database, Clock(), wakes)
    monkeypatch.setattr(database, "transaction", full)
    with pytest.raises(NotKept):
        await desk.receive("telegram", "bot1", [Update("7", "a", {})])
    assert wakes.times == 0


async def test_a_file_that_cannot_be_committed_is_not_kept_and_whoever_knows_the_storage_hears_so_too(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(unit: Any) -> Any:
        raise StorageUnavailable("the disk is full")

    monkeypatch.setattr(database, "transaction", full)
    desk = FrontDesk(database, Clock(), Wakes())
    for known in (NotKept, StorageUnavailable):
        with pytest.raises(known, match="full"):
            await desk.keep_file(b"x", "x.jpg", "image/jpeg")


async def test_a_batch_is_kept_whole_or_not_at_all(database: Database) -> None:
    desk = FrontDesk(database, Clock(), Wakes())
    with pytest.raises(TypeError):
        await desk.receive("telegram", "bot1", [Update("7", "a", {}), Update("8", "a", {"bad": object()})])
    assert await kept(database) == []


async def test_a_file_is_kept_once_and_found_by_its_content(database: Database) -> None:
    desk = FrontDesk(database, Clock(), Wakes())
    first = await desk.keep_file(b"photo", "现场.jpg", "image/jpeg")
    second = await desk.keep_file(b"photo", "again.jpg", "image/jpeg")
    assert first.hash == second.hash
    assert (first.name, second.name, first.media_type) == ("现场.jpg", "again.jpg", "image/jpeg")
    assert await desk.file(first.hash) == b"photo"
    assert await desk.file("0" * 64) is None
    (row,) = await database.reading(lambda tx: tx.all("SELECT COUNT(*) AS n FROM files"))
    assert row["n"] == 1


async def test_the_desk_tells_civil_time(database: Database) -> None:
    assert FrontDesk(database, Clock(), Wakes()).now() == MORNING


async def test_a_kept_file_is_sent_as_it_came_and_one_that_is_gone_can_never_be(database: Database) -> None:
    documents = Documents(database, RULES, CATALOGUE)
    kept = await FrontDesk(database, Clock(), Wakes()).keep_file(b"photo", "x.jpg", "image/jpeg")
    document = await documents.build({"hash": kept.hash, "name": "现场.jpg"})
    assert document == Document("现场.jpg", "image/jpeg", b"photo")
    with pytest.raises(Undeliverable):
        await documents.build({"hash": "0" * 64, "name": "gone.jpg"})


async def test_a_call_brought_twice_counts_once_and_its_mark_is_let_go(database: Database) -> None:
    clock = Clock()
    desk = FrontDesk(database, clock, Wakes())
    await desk.receive("wecom_app", "ww1", [Update("7", "z", {})], once="m1")
    with pytest.raises(Replayed):
        await desk.receive("wecom_app", "ww1", [Update("8", "z", {})], once="m1")
    assert len(await kept(database)) == 1
    clock.on(hours=2, seconds=1)
    await desk.receive("wecom_app", "ww1", [Update("8", "z", {})], once="m1")
    assert len(await kept(database)) == 2


async def test_a_mark_is_not_kept_where_what_it_marks_is_not(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = FrontDesk(database, Clock(), Wakes())
    with pytest.raises(ValueError, match="character"):
        await desk.receive("wecom_app", "ww1", [Update("7", "z", {"text": "\ud800"})], once="m1")
    await desk.receive("wecom_app", "ww1", [Update("7", "z", {})], once="m1")
    assert len(await kept(database)) == 1
