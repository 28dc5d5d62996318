"""Who says too much at once is answered once and then left; nobody else waits, and nothing that was meant is lost."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.app import App, Park
from bot.channels.memory import MemoryChannel
from bot.civil import CivilClock
from bot.flooding import A_GROUP, A_PERSON, QUIET
from bot.flooding import Flood as Watch
from domain.chat import Event, Incoming
from handlers.raising import MOST_A_DAY
from tests.backends import open_house
from tests.making import civil, make_rules
from tests.stories.town import LADDERS, Town, people_the_town
from texts import Catalogue

AT = civil("2026-03-11 09:00")
BOSS, OTHER, MULTI = "张建国", "陈和顺", "大树营联企群"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    rules, clock, channel = make_rules(ladders=LADDERS), CivilClock(lambda: AT, AT, frozen=True), MemoryChannel()
    database = await open_house("sqlite:///:memory:")
    await database.transaction(people_the_town)
    park = Park(rules, Catalogue.load(strict=True))
    town = Town(App(park, database, {"memory": channel}, civil=clock, machine=lambda: AT, flood=Watch()), channel)
    yield town
    await town.close()


def message(number: int = 0, **more: Any) -> Incoming:
    place: dict[str, Any] = {"channel": "memory", "account": "memory", "chat": "p", "private": True}
    words: dict[str, Any] = {"message_id": str(number), "sender": "a", "sender_name": "a", "text": "帮助"}
    return Incoming(**{"sent_at": AT, **place, **words, **more})


async def send(town: Town, who: str, count: int, text: str = "我的", **more: Any) -> list[str]:
    """So many messages at once; the keys of what he hears."""
    group = more.pop("where", "")
    before = len(town.said)
    for _ in range(count):
        body = {"chat": f"group:{group}" if group else f"private:{who}", "private": not group, "sender": who}
        await town.channel.say(town.app.desk, {**body, "sender_name": who, "chat_name": group, "text": text, **more})
    await town.settle()
    return [line.key for line in town.said[before:] if line.listener in (who, group)]


async def test_a_burst_is_heard_and_what_is_beyond_it_is_answered_once(town: Town) -> None:
    keys = await send(town, BOSS, 200)
    assert len(keys) == A_PERSON.amount + 1
    assert keys.count("reply.too_fast") == 1
    assert await send(town, OTHER, 3) == ["look.nothing_yet"] * 3


async def test_what_was_left_is_kept_without_its_words(town: Town) -> None:
    await send(town, BOSS, 30, "诉求 停电")
    rows = await town.all("SELECT body, state FROM inbox ORDER BY id")
    assert {row["state"] for row in rows} == {"done"}
    assert [row["body"] for row in rows[A_PERSON.amount :]] == ["{}"] * 10


def test_after_a_pause_he_is_heard_again_and_warned_again_only_much_later() -> None:
    flood = Watch()
    admitted = [flood.admits(n, message(), AT) for n in range(25)]
    assert admitted.count(True) == A_PERSON.amount
    assert [flood.speaks_up(n, message(), AT) for n in (20, 21, 20)] == [True, False, True]  # a retry is no second one
    later = AT + timedelta(seconds=10)
    assert [flood.admits(n, message(), later) for n in range(30, 37)].count(True) == 5
    assert not flood.speaks_up(36, message(), later)
    assert flood.speaks_up(99, message(), AT + QUIET)


def test_a_message_that_is_tried_again_is_judged_once() -> None:
    flood = Watch()
    assert all(flood.admits(1, message(), AT) for _ in range(100))
    flood.over(1)
    assert [flood.admits(n, message(), AT) for n in range(2, 30)].count(True) == A_PERSON.amount - 1


def test_what_was_held_up_on_the_way_is_no_flood() -> None:
    flood, hour = Watch(), AT + timedelta(hours=1)
    written = [AT + timedelta(seconds=30 * n) for n in range(100)]
    assert all(flood.admits(n, message(written_at=at), hour) for n, at in enumerate(written))


def test_a_time_of_tomorrow_buys_nothing() -> None:
    flood = Watch()
    ahead = [AT + timedelta(days=n) for n in range(100)]
    assert [flood.admits(n, message(written_at=at), AT) for n, at in enumerate(ahead)].count(True) == A_PERSON.amount


def test_an_album_counts_as_one_and_what_happens_to_a_chat_as_none() -> None:
    flood = Watch()
    assert all(flood.admits(n, message(album="x"), AT) for n in range(100))
    assert all(flood.admits(n, message(event=Event.RENAMED), AT) for n in range(100, 200))
    assert flood.admits(300, message(), AT)


def test_many_voices_in_one_group_are_one_flood_and_leave_other_groups_alone() -> None:
    flood = Watch()
    crowd = [message(chat="g", private=False, sender=f"s{n}") for n in range(200)]
    assert [flood.admits(n, one, AT) for n, one in enumerate(crowd)].count(True) == A_GROUP.amount
    assert flood.admits(500, message(chat="h", private=False, sender="s1"), AT)


async def test_talk_among_people_is_left_without_a_word(town: Town) -> None:
    assert await send(town, BOSS, 40, "大家好", where=MULTI) == []
    assert await send(town, BOSS, 2, "/帮助", where=MULTI) == ["reply.too_fast"]


async def test_in_a_group_that_nobody_let_in_a_flood_is_not_answered(town: Town) -> None:
    assert await send(town, BOSS, 40, "/帮助", where="别处的群") == []


async def test_a_firm_raises_so_many_matters_a_day_and_no_more(town: Town) -> None:
    for _ in range(MOST_A_DAY + 5):
        await send(town, OTHER, 1, "诉求 停电")
        town.app.dispatcher._flood = Watch()
    rows = await town.all("SELECT id FROM appeals")
    assert len(rows) == MOST_A_DAY
