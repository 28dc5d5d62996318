"""Who sees which room of the web chat."""

from collections.abc import AsyncIterator

import pytest

from storage import posts, sessions
from storage.database import Tx
from storage.posts import Draft
from tests.webtown import Town, open_town


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with open_town() as opened:
        yield opened


@pytest.mark.parametrize(
    "name, seen",
    [
        ("张建国", {"宏达群", "片区群"}),
        ("李芳", {"和顺群", "片区群"}),
        ("王敏", {"宏达群", "片区群"}),
        ("赵亮", {"和顺群", "片区群"}),
        ("陈局", {"宏达群", "片区群", "领导群"}),
        ("周主任", {"宏达群", "和顺群", "片区群", "协调群", "领导群", "银企群"}),
        ("孙工", {"协调群"}),
        ("纪书记", {"纪检群"}),
        ("钱行长", {"银企群"}),
    ],
)
async def test_groups_are_seen_by_firm_and_role(town: Town, name: str, seen: set[str]) -> None:
    async def look(tx: Tx) -> list[posts.Room]:
        account = await sessions.seat_of(tx, town.people[name])
        assert account is not None
        return list(await posts.rooms(tx, account))

    found = await town.database.reading(look)
    assert {room.name for room in found if not room.private} == seen
    assert [room.private for room in found] == [True] + [False] * len(seen)


async def test_a_guest_sees_nothing_until_a_link_lets_him_in(town: Town) -> None:
    async def unit(tx: Tx) -> tuple[list[str], list[str]]:
        guest = await sessions.meet_guest(tx, "来客")
        before = [room.name for room in await posts.rooms(tx, guest)]
        await tx.run(
            "INSERT INTO chat_guests(chat_id, account_id) VALUES (:chat, :account)",
            {"chat": town.rooms["和顺群"], "account": guest.id},
        )
        return before, [room.name for room in await posts.rooms(tx, guest)]

    assert await town.database.transaction(unit) == ([], ["和顺群"])


async def test_a_chat_of_another_platform_is_no_room_of_the_page(town: Town) -> None:
    async def unit(tx: Tx) -> set[str]:
        await tx.run("UPDATE chats SET channel = 'telegram' WHERE name = '宏达群'", {})
        account = await sessions.seat_of(tx, town.people["张建国"])
        assert account is not None
        return {room.name for room in await posts.rooms(tx, account) if not room.private}

    assert await town.database.transaction(unit) == {"片区群"}


async def test_serials_grow_with_every_post_and_edit(town: Town) -> None:
    chat = town.rooms["宏达群"]
    body = {"text": "一", "keys": [], "files": []}

    async def unit(tx: Tx) -> list[int]:
        found = []
        first = await posts.write(tx, Draft(chat, body), town.civil())
        found.append(await posts.serial(tx))
        await posts.write(tx, Draft(chat, body), town.civil())
        found.append(await posts.serial(tx))
        await posts.rewrite(tx, chat, first, body, town.civil())
        found.append(await posts.serial(tx))
        return found

    assert await town.database.transaction(unit) == [1, 2, 3]


async def test_a_seat_is_taken_once(town: Town) -> None:
    async def unit(tx: Tx) -> tuple[int, int]:
        person = town.people["张建国"]
        one = await sessions.seat(tx, "person:x", "张建国", town.civil(), person)
        two = await sessions.seat(tx, "person:x", "张建国", town.civil(), person)
        assert one == two
        row = await tx.one("SELECT COUNT(*) AS count FROM chats WHERE account_id = :id", {"id": one.id})
        assert row is not None
        return one.id, row["count"]

    assert (await town.database.transaction(unit))[1] == 1


@pytest.mark.parametrize("text, edited", [("一", False), ("二", True)])
async def test_other_buttons_under_the_same_words_make_no_edited_post(town: Town, text: str, edited: bool) -> None:
    chat = town.rooms["宏达群"]
    keys = [[{"label": "接单", "data": "acknowledge:1:2"}]]

    async def unit(tx: Tx) -> bool:
        first = await posts.write(tx, Draft(chat, {"text": "一", "keys": keys, "files": []}), town.civil())
        await posts.rewrite(tx, chat, first, {"text": text, "keys": [], "files": []}, town.civil())
        post = await posts.one(tx, first)
        assert post is not None
        return post.edited

    assert await town.database.transaction(unit) is edited
