import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import deliver
from bot.channel import Abilities, Document, Parcel, Uncertain, Undeliverable, Unsent
from bot.patience import Patience
from domain.notices import Lane
from storage import delivery
from storage.database import Tx
from storage.errors import StorageUnavailable
from storage.values import from_ms
from tests.bot.posthouse import MORNING, PostHouse, Scripted, post_house, until
from tests.errors import ExpectedErrors


@pytest.fixture
async def house() -> AsyncIterator[PostHouse]:
    async with post_house() as opened:
        for name in ("a", "b", "c"):
            await opened.chat(name)
        yield opened


async def later(house: PostHouse, seconds: float) -> None:
    """Machine time passes, and the pump looks again."""
    house.machine.on(seconds=seconds)
    await house.pump.drain()


# Order and lanes -----------------------------------------------------------------------------------------------------
async def test_what_is_owed_is_sent_once_and_in_order(house: PostHouse) -> None:
    for n in range(5):
        await house.owe("a", str(n))
    await house.pump.drain()
    await house.pump.drain()
    assert house.said() == ["0", "1", "2", "3", "4"]
    assert await house.states() == {"sent": 5}


async def test_a_lane_holds_its_order_while_its_head_waits_for_another_try(house: PostHouse) -> None:
    house.channel.failures = [Unsent("busy")]
    await house.owe("a", "1")
    await house.owe("a", "2")
    await house.pump.drain()
    assert house.said() == []
    await later(house, 2)
    assert house.said() == ["1", "2"]


async def test_another_lane_and_another_chat_go_on_meanwhile(house: PostHouse) -> None:
    house.channel.always = {"a": Unsent("busy")}
    await house.owe("a", "stuck")
    await house.owe("b", "free")
    await house.pump.drain()
    assert house.said() == ["free"]
    house.channel.always = {}
    await house.owe("a", "reply", lane=Lane.REPLY)
    await house.pump.drain()
    assert house.said() == ["free", "reply"]


async def test_the_most_urgent_lane_leaves_first(house: PostHouse) -> None:
    for lane in reversed(Lane):
        await house.owe("a", lane.name, lane=lane)
    await house.pump.drain()
    assert house.said(tried=True) == ["REPLY", "CASE", "DIGEST", "BROADCAST"]


async def test_a_row_that_waits_for_its_hour_holds_nobody_up_and_leaves_when_it_comes(house: PostHouse) -> None:
    await house.owe("a", "morning", due=MORNING + timedelta(hours=1))
    await house.owe("a", "now")
    await house.pump.drain()
    assert house.said() == ["now"]
    house.civil.on(hours=1)
    await house.pump.drain()
    assert house.said() == ["now", "morning"]


async def test_rows_that_waited_for_one_hour_leave_in_their_order(house: PostHouse) -> None:
    for n in range(4):
        await house.owe("a", str(n), due=MORNING + timedelta(hours=1))
    house.civil.on(hours=2)
    await house.pump.drain()
    assert house.said() == ["0", "1", "2", "3"]


async def test_a_slow_chat_delays_no_other(house: PostHouse) -> None:
    house.channel.gates["a"] = asyncio.Event()
    await house.owe("a", "slow")
    draining = asyncio.create_task(house.pump.drain())
    await until(lambda: house.said(tried=True) == ["slow"])
    for n in range(3):
        await house.owe("b", str(n))
    house.pump.wake()
    await until(lambda: len(house.said("b")) >= 3)
    assert house.said("a") == []
    house.channel.gates["a"].set()
    await draining
    assert house.said("a") == ["slow"]


async def test_many_chats_are_served_at_once_but_never_more_than_64(house: PostHouse) -> None:
    gate = asyncio.Event()
    for n in range(100):
        await house.chat(f"c{n}")
        await house.owe(f"c{n}", str(n))
        house.channel.gates[f"c{n}"] = gate
    draining = asyncio.create_task(house.pump.drain())
    await until(lambda: len(house.channel.tried) >= deliver.MOST_IN_FLIGHT)
    await asyncio.sleep(0.02)
    gate.set()
    await draining
    assert house.channel.most_at_once == deliver.MOST_IN_FLIGHT
    assert await house.states() == {"sent": 100}


# Waiting and giving up -----------------------------------------------------------------------------------------------
async def test_a_failed_row_waits_longer_each_time(house: PostHouse) -> None:
    house.channel.always = {"a": Unsent("busy")}
    row = await house.owe("a", "x")
    waits = []
    for _ in range(5):
        await house.pump.drain()
        retry = from_ms((await house.row(row))["retry_at"])
        waits.append((retry - house.machine()).total_seconds())
        house.machine.at = retry
    for wait, base in zip(waits, (1, 5, 15, 60, 120), strict=True):
        assert 0.75 * base <= wait <= 1.25 * base
    assert (await house.row(row))["attempts"] == 5


async def test_it_is_never_tried_before_the_platform_allows_it_in_no_lane_of_the_chat(house: PostHouse) -> None:
    house.channel.failures = [Unsent("429", seconds=30)]
    await house.owe("a", "case")
    await house.pump.drain()
    await house.owe("a", "reply", lane=Lane.REPLY)
    await house.owe("b", "other")
    await later(house, 29.9)
    assert house.said(tried=True) == ["case", "other"]
    await later(house, 0.2)
    assert house.said("a") == ["reply", "case"]


async def test_a_shorter_wait_does_not_end_a_longer_one(house: PostHouse) -> None:
    house.channel.failures = [Unsent("429", seconds=30), Unsent("429", seconds=5)]
    await house.owe("a", "reply", lane=Lane.REPLY)
    await house.owe("a", "case")
    await house.pump.drain()
    await later(house, 29)
    assert len(house.channel.tried) == 2
    await later(house, 1)
    assert house.said() == ["reply", "case"]


async def test_a_platform_that_asks_for_no_wait_at_all_is_not_hammered(house: PostHouse) -> None:
    house.channel.always = {"a": Unsent("429", seconds=0)}
    await house.owe("a", "x")
    await house.pump.drain()
    assert len(house.channel.tried) == 1


async def test_a_channel_that_is_down_is_paused_whole_and_counts_against_nobody(house: PostHouse) -> None:
    house.channel.always = {"*": Unsent("no route", channel_down=True)}
    rows = [await house.owe(name, name + n) for n in "12" for name in "abc"]
    await house.pump.drain()
    assert len(house.channel.tried) == 3  # one a chat was in flight when it was noticed
    await later(house, 0.5)
    assert len(house.channel.tried) == 3
    house.channel.always = {}
    await later(house, 0.75)
    assert [house.said(name) for name in "abc"] == [["a1", "a2"], ["b1", "b2"], ["c1", "c2"]]
    assert [(await house.row(row))["attempts"] for row in rows] == [0] * 6


async def test_a_paused_channel_is_tried_with_one_message_and_ever_more_seldom(house: PostHouse) -> None:
    house.channel.always = {"*": Unsent("no route", channel_down=True)}
    for name in "abc":
        await house.owe(name, name)
    await house.pump.drain()
    tries = []
    for seconds in (1.25, 3.9, 2.2, 11.9, 6.2, 47, 26, 95, 50, 95, 50):
        before = len(house.channel.tried)
        await later(house, seconds)
        tries.append(len(house.channel.tried) - before)
    assert tries == [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]


async def test_the_platform_says_how_long_the_channel_is_down(house: PostHouse) -> None:
    house.channel.failures = [Unsent("flood", seconds=90, channel_down=True)]
    await house.owe("a", "1")
    await house.pump.drain()
    await house.owe("b", "2")
    await later(house, 89)
    assert len(house.channel.tried) == 1
    await later(house, 1)
    assert house.said() == ["1", "2"]


async def test_a_pause_that_the_platform_asked_for_is_not_ended_by_what_was_under_way(house: PostHouse) -> None:
    house.channel.gates["b"] = asyncio.Event()
    house.channel.always = {"a": Unsent("too often", seconds=60, channel_down=True)}
    await house.owe("a", "1")
    await house.owe("b", "2")
    draining = asyncio.create_task(house.pump.drain())
    await until(lambda: len(house.channel.tried) == 2)
    house.channel.gates["b"].set()
    await draining
    house.channel.always = {}
    await house.owe("c", "3")
    await later(house, 59.9)
    assert house.said() == ["2"]
    await later(house, 0.1)
    assert house.said() == ["2", "1", "3"]


async def test_how_long_a_channel_is_paused_is_not_the_same_everywhere() -> None:
    moments = set()
    for _ in range(8):
        patience, machine = Patience(), MORNING
        patience.down("memory", machine)
        while not patience.to_probe(["memory"], machine):
            machine += timedelta(seconds=0.01)
        assert timedelta(seconds=0.8) <= machine - MORNING <= timedelta(seconds=1.21)
        moments.add(machine)
    assert len(moments) > 1


async def test_a_chat_that_takes_nothing_does_not_keep_a_paused_channel_from_being_tried_with_others(
    house: PostHouse,
) -> None:
    house.channel.always = {"*": Unsent("502", channel_down=True)}
    for name in "abc":
        await house.owe(name, name)
    await house.pump.drain()
    house.channel.always = {"a": Unsent("500", channel_down=True)}
    await later(house, 1.25)
    assert house.said() == []
    await later(house, 6.1)
    assert house.said() == ["b", "c"]


async def test_a_chat_that_takes_nothing_while_others_do_pauses_nobody_and_is_tried_ever_more_seldom(
    house: PostHouse,
) -> None:
    house.channel.always = {"a": Unsent("500", channel_down=True)}
    poison = await house.owe("a", "x")
    for n in range(60):
        await house.owe("b", str(n))
        await later(house, 1)
    assert [word for word in house.said() if word != "x"] == [str(n) for n in range(60)]
    tried = house.said("a", tried=True)
    assert 4 <= len(tried) <= 8
    assert (await house.row(poison))["attempts"] >= 3
    house.channel.always = {}
    await later(house, 150)
    assert house.said("a") == ["x"]


async def test_a_refusal_of_the_message_itself_ends_the_pause(house: PostHouse) -> None:
    house.channel.failures = [Unsent("down", channel_down=True), Undeliverable("too old")]
    await house.owe("a", "1")
    await house.pump.drain()
    await house.owe("b", "2")
    await house.owe("c", "3")
    await later(house, 1.25)
    assert await house.states() == {"dead": 1, "sent": 2}


async def test_a_probe_that_vanishes_is_followed_by_another_after_a_longer_pause(house: PostHouse) -> None:
    house.channel.failures = [Unsent("down", channel_down=True), Uncertain("reset")]
    for n in range(3):
        await house.owe("a", str(n), lane=Lane.BROADCAST)
    await house.pump.drain()
    await later(house, 1.25)
    assert await house.states() == {"uncertain": 1, "pending": 2}
    await later(house, 3.9)
    assert len(house.channel.tried) == 2
    await later(house, 2.2)
    assert house.said() == ["1", "2"]


async def test_while_a_probe_is_on_its_way_no_second_one_leaves(house: PostHouse) -> None:
    house.channel.failures = [Unsent("down", channel_down=True)]
    await house.owe("a", "1")
    await house.pump.drain()
    house.channel.gates["a"] = asyncio.Event()
    house.machine.on(seconds=1.25)
    draining = asyncio.create_task(house.pump.drain())
    await until(lambda: len(house.channel.tried) == 2)
    await house.owe("b", "2")
    house.pump.wake()
    await asyncio.sleep(0.02)
    assert house.said("b") == []
    house.channel.gates["a"].set()
    await draining
    assert house.said() == ["1", "2"]


async def test_a_probe_that_need_not_leave_makes_room_for_the_next(house: PostHouse) -> None:
    house.channel.failures = [Unsent("down", channel_down=True)]
    await house.owe("a", "stale", expires=MORNING + timedelta(seconds=1))
    await house.pump.drain()
    await house.owe("b", "fresh")
    house.civil.on(seconds=2)
    await later(house, 1.25)
    assert house.said() == ["fresh"]


async def test_one_channel_that_is_down_does_not_stop_the_other() -> None:
    async with post_house(Scripted(), Scripted("other")) as house:
        await house.chat("a")
        await house.chat("o", channel="other")
        house.channel.always = {"*": Unsent("down", channel_down=True)}
        await house.owe("a", "held")
        await house.owe("o", "sent")
        await house.pump.drain()
        assert house.said() == ["sent"]


async def test_rows_of_a_channel_that_is_switched_off_wait(house: PostHouse) -> None:
    await house.chat("w", channel="wecom")
    await house.owe("w", "x")
    await house.owe("a", "y")
    await house.pump.drain()
    assert house.said() == ["y"]
    assert await house.states() == {"pending": 1, "sent": 1}


async def keep_failing(house: PostHouse, *, minutes: int, alive: str = "", lane: Lane = Lane.REPLY) -> None:
    """Time passes; to the chat `alive` something arrives every minute."""
    for n in range(minutes):
        if alive:
            await house.owe(alive, f"sign of life {n}", lane=lane)
        await later(house, 60)


async def test_a_row_that_blocks_its_lane_is_set_aside_after_ten_minutes_while_its_chat_takes_others(
    house: PostHouse,
) -> None:
    row = await house.owe("a", "bad")
    house.channel.failures = []
    bad = PoisonText(house, "bad")
    await house.owe("a", "good")
    await keep_failing(house, minutes=9, alive="a")
    assert (await house.row(row))["state"] == "pending"
    await keep_failing(house, minutes=4, alive="a")
    assert (await house.row(row))["state"] == "dead"
    assert "good" in house.said("a")
    assert bad.refused > 3


async def test_the_time_for_which_the_program_was_down_is_not_held_against_a_row(house: PostHouse) -> None:
    row = await house.owe("a", "bad")
    bad = PoisonText(house, "bad")
    await house.pump.drain()
    house.machine.on(hours=26)
    house.pump = house.new_pump()
    await keep_failing(house, minutes=5, alive="a")
    assert (await house.row(row))["state"] == "pending"
    assert bad.refused > 3


class PoisonText:
    """Makes a channel refuse one text, whenever it is tried."""

    def __init__(self, house: PostHouse, word: str) -> None:
        self.refused = 0
        send = house.channel.send

        async def picky(parcel: Parcel) -> str:
            if f"“{word}”" in parcel.text:
                self.refused += 1
                raise Unsent("500")
            return await send(parcel)

        house.channel.send = picky  # type: ignore[method-assign]  # the platform dislikes one text


async def test_the_time_for_which_a_channel_was_down_is_not_held_against_a_row(house: PostHouse) -> None:
    house.channel.failures = [Unsent("down", channel_down=True)]
    row = await house.owe("a", "x")
    await house.pump.drain()
    await house.owe("a", "sign of life", lane=Lane.REPLY)
    house.channel.failures = []
    PoisonText(house, "x")
    await later(house, 1800)
    await later(house, 5)
    assert house.said() == ["sign of life"]
    assert (await house.row(row))["state"] == "pending"


async def test_nothing_is_set_aside_while_the_channel_takes_nothing_at_all(house: PostHouse) -> None:
    house.channel.always = {"*": Unsent("500")}
    await house.owe("a", "1")
    await house.owe("a", "2")
    await keep_failing(house, minutes=180)
    await later(house, 48 * 3600)
    assert await house.states() == {"pending": 2}
    house.channel.always = {}
    await later(house, 200)
    assert house.said("a") == ["1", "2"]


async def test_a_chat_that_takes_nothing_keeps_its_order_for_a_day(house: PostHouse) -> None:
    house.channel.always = {"a": Unsent("500")}
    row = await house.owe("a", "1")
    await keep_failing(house, minutes=30, alive="b")
    assert (await house.row(row))["state"] == "pending"
    house.machine.on(hours=24)
    await house.owe("b", "x")
    await later(house, 0)
    assert (await house.row(row))["state"] == "dead"


# The three outcomes --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("lane", [Lane.REPLY, Lane.CASE])
async def test_what_may_have_arrived_is_sent_once_more_where_losing_it_is_worse(house: PostHouse, lane: Lane) -> None:
    house.channel.failures = [Uncertain("reset"), Uncertain("reset")]
    row = await house.owe("a", "x", lane=lane)
    await house.pump.drain()
    assert len(house.channel.tried) == 2
    assert (await house.row(row))["state"] == "uncertain"


@pytest.mark.parametrize("lane", [Lane.DIGEST, Lane.BROADCAST])
async def test_what_may_have_arrived_is_not_repeated_to_a_group(house: PostHouse, lane: Lane) -> None:
    house.channel.failures = [Uncertain("reset")]
    row = await house.owe("a", "x", lane=lane)
    await house.owe("a", "next", lane=lane)
    await house.pump.drain()
    assert (await house.row(row))["state"] == "uncertain"
    assert house.said() == ["next"]


async def test_failures_before_it_do_not_take_the_second_try_from_an_uncertain_message(house: PostHouse) -> None:
    house.channel.failures = [Unsent("busy"), Uncertain("reset")]
    await house.owe("a", "x")
    await house.pump.drain()
    await later(house, 2)
    assert house.said() == ["x"]


async def test_where_sending_twice_is_harmless_doubt_is_a_plain_failure() -> None:
    async with post_house(Scripted(abilities=Abilities(idempotent=True))) as house:
        await house.chat("a")
        house.channel.failures = [Uncertain("reset") for _ in range(4)]
        await house.owe("a", "x", lane=Lane.BROADCAST)
        await house.pump.drain()
        assert len(house.channel.tried) == 1
        for _ in range(4):
            await later(house, 120)
        assert house.said() == ["x"]


@pytest.mark.parametrize("lane", [Lane.CASE, Lane.BROADCAST])
async def test_what_nobody_sees_twice_is_sent_until_it_is_certain(house: PostHouse, lane: Lane) -> None:
    house.channel.failures = [Uncertain("reset", harmless=True) for _ in range(6)]
    await house.owe("a", "x", lane=lane)
    await house.owe("a", "next", lane=lane)
    for _ in range(7):
        await later(house, 150)
    assert house.said() == ["x", "next"]
    assert [parcel.doubts for parcel in house.channel.tried] == [0, 1, 2, 3, 4, 5, 6, 0]


async def test_a_doubt_that_never_ends_is_left_to_people_when_others_get_through(house: PostHouse) -> None:
    house.channel.always = {"a": Uncertain("reset", harmless=True)}
    row = await house.owe("a", "x")
    await keep_failing(house, minutes=30, alive="b")
    assert (await house.row(row))["state"] == "pending"
    house.machine.on(hours=24)
    await house.owe("b", "y")
    await later(house, 0)
    assert (await house.row(row))["state"] == "uncertain"


async def test_a_platform_that_does_not_answer_in_time_leaves_doubt(
    house: PostHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "SEND_TIMEOUT", 0.01)
    house.channel.gates["a"] = asyncio.Event()
    row = await house.owe("a", "x", lane=Lane.BROADCAST)
    await house.pump.drain()
    assert (await house.row(row))["error"] == "no answer in time"
    assert (await house.row(row))["state"] == "uncertain"


async def test_a_channel_that_swallows_one_message_after_the_other_is_paused(house: PostHouse) -> None:
    house.channel.always = {"*": Uncertain("black hole")}
    for n in range(40):
        await house.owe("a", str(n), lane=Lane.BROADCAST)
    await house.pump.drain()
    assert await house.states() == {"pending": 37, "uncertain": 3}


async def test_a_bug_of_the_channel_is_doubt_and_never_repeated_to_a_group(
    house: PostHouse, expected_errors: ExpectedErrors
) -> None:
    expected_errors.expect("the channel failed")
    house.channel.always = {"a": TypeError("oops")}
    row = await house.owe("a", "x", lane=Lane.BROADCAST)
    await house.owe("b", "y")
    await house.pump.drain()
    assert house.said() == ["y"]
    assert (await house.row(row))["state"] == "uncertain"
    assert (await house.row(row))["error"] == "TypeError"


async def test_a_message_without_words_is_tried_five_times_then_set_aside_and_others_go_on(
    house: PostHouse, expected_errors: ExpectedErrors
) -> None:
    expected_errors.expect("has no words")
    row = await house.owe("a", "x")
    await house.run("UPDATE outbox SET text_key = 'no.such.key' WHERE id = :id", id=row)
    await house.owe("a", "next")
    await house.owe("b", "other")
    for _ in range(8):
        await house.pump.drain()
        house.machine.on(seconds=150)
    assert house.said() == ["other", "next"]
    assert (await house.row(row))["state"] == "dead"
    assert (await house.row(row))["attempts"] == deliver.MOST_BROKEN - 1


# Crash, claims, fencing ----------------------------------------------------------------------------------------------
async def test_two_pumps_send_each_row_once(house: PostHouse) -> None:
    for name in "abc":
        for n in range(10):
            await house.owe(name, f"{name}{n}")
    second = house.new_pump()
    await second.drain()  # it has started before anything was in flight
    await asyncio.gather(house.pump.drain(), second.drain(), house.pump.drain())
    gc.collect()  # a task that failed unseen is logged now
    assert [house.said(name) for name in "abc"] == [[f"{name}{n}" for n in range(10)] for name in "abc"]


async def test_two_who_look_at_the_same_moment_launch_each_row_once(
    house: PostHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = house.database.reading
    looked: list[int] = []
    both = asyncio.Event()

    async def late(unit: Any) -> Any:
        seen = await reading(unit)
        looked.append(1)
        if len(looked) == 2:
            both.set()
        await both.wait()
        return seen

    monkeypatch.setattr(house.database, "reading", late)
    for name in "abc":
        await house.owe(name, name)
    assert sorted(await asyncio.gather(house.pump.drain(), house.pump.drain())) == [0, 3]
    assert sorted(house.said()) == ["a", "b", "c"]


async def test_a_row_of_ours_whose_lease_is_over_is_not_lost_while_it_is_still_on_its_way(house: PostHouse) -> None:
    house.channel.gates["a"] = asyncio.Event()
    row = await house.owe("a", "x")
    draining = asyncio.create_task(house.pump.drain())
    await until(lambda: bool(house.channel.tried))
    house.machine.on(seconds=61)
    house.pump.wake()
    await asyncio.sleep(0.02)
    house.channel.gates["a"].set()
    await draining
    assert house.said(tried=True) == ["x"]
    assert (await house.row(row))["doubts"] == 0


async def claimed(house: PostHouse, row: int) -> delivery.Owed:
    """A claim by somebody else."""
    owed = await house.database.transaction(lambda tx: delivery.claim(tx, row, house.machine()))
    assert owed is not None
    return owed


async def test_an_expired_lease_is_taken_up_again_and_not_before(house: PostHouse) -> None:
    await house.pump.drain()
    row = await house.owe("a", "x")
    await claimed(house, row)
    await later(house, 59)
    assert house.said() == []
    await later(house, 1)
    assert house.said() == ["x"]
    assert (await house.row(row))["doubts"] == 1


async def test_a_restart_does_not_wait_for_the_leases_of_the_dead_process(house: PostHouse) -> None:
    rows = [await house.owe("a", "x"), await house.owe("b", "news", lane=Lane.BROADCAST)]
    for row in rows:
        await claimed(house, row)
    await house.new_pump().drain()
    assert house.said() == ["x"]
    assert [(await house.row(row))["state"] for row in rows] == ["sent", "uncertain"]


@pytest.mark.parametrize("deaths, end", [(5, "sent"), (6, "uncertain")])
async def test_what_was_under_way_at_several_deaths_is_still_sent(house: PostHouse, deaths: int, end: str) -> None:
    row = await house.owe("a", "x")
    for _ in range(deaths - 1):
        await claimed(house, row)
        await house.run("UPDATE outbox SET state = 'pending', doubts = doubts + 1 WHERE id = :id", id=row)
    await claimed(house, row)
    await house.new_pump().drain()
    assert (await house.row(row))["state"] == end


async def test_a_late_outcome_of_an_earlier_claim_changes_nothing(house: PostHouse) -> None:
    row = await house.owe("a", "x")
    late = await claimed(house, row)
    await house.database.transaction(lambda tx: delivery.put_back(tx, late, house.machine(), "lost"))
    now = await claimed(house, row)

    async def unit(tx: Tx) -> list[bool]:
        return [
            await delivery.mark(tx, late, "sent", at=MORNING),
            await delivery.mark(tx, late, "dead", at=MORNING),
            await delivery.put_back(tx, late, MORNING, "again"),
            await delivery.renew(tx, late, MORNING),
            await delivery.renew(tx, now, MORNING),
        ]

    assert await house.database.transaction(unit) == [False, False, False, False, True]


async def test_a_message_given_up_as_lost_that_did_arrive_is_not_sent_again(house: PostHouse) -> None:
    row = await house.owe("a", "x")
    slow = await claimed(house, row)

    async def unit(tx: Tx) -> bool:
        await delivery.put_back(tx, slow, house.machine() + timedelta(seconds=9), "lost", doubt=True)
        return await delivery.mark(tx, slow, "sent", at=MORNING, platform_id="7")

    assert await house.database.transaction(unit)
    await later(house, 10)
    assert house.said(tried=True) == []


async def test_an_early_second_claim_gets_nothing(house: PostHouse) -> None:
    row = await house.owe("a", "x")
    owed = await claimed(house, row)
    await house.database.transaction(lambda tx: delivery.put_back(tx, owed, MORNING + timedelta(seconds=5), "busy"))
    assert await house.database.transaction(lambda tx: delivery.claim(tx, row, house.machine())) is None


class FailingDatabase:
    """The house's database; while `full`, its transactions cannot be committed."""

    def __init__(self, house: PostHouse) -> None:
        self._inner = house.database
        self.full = False

    shared = False

    def watch(self, call: Callable[[], None]) -> None:
        """Nobody else is there."""

    async def transaction(self, unit: Any) -> Any:
        if self.full:
            raise StorageUnavailable("the disk is full")
        return await self._inner.transaction(unit)

    async def reading(self, unit: Any) -> Any:
        return await self._inner.reading(unit)

    async def close(self) -> None:
        await self._inner.close()


async def test_what_has_arrived_while_the_disk_was_full_is_not_sent_again(house: PostHouse) -> None:
    disk = FailingDatabase(house)
    house.database = disk
    pump = house.new_pump()
    gate = house.channel.gates["a"] = asyncio.Event()
    row = await house.owe("a", "x")
    draining = asyncio.create_task(pump.drain())
    await until(lambda: bool(house.channel.tried))
    disk.full = True
    gate.set()
    with pytest.raises(StorageUnavailable):
        await draining
    disk.full = False
    house.machine.on(minutes=5)
    await pump.drain()
    assert house.said(tried=True) == ["x"]
    assert (await house.row(row))["state"] == "sent"


async def test_the_running_pump_outlives_a_full_disk_and_wakes_at_once(
    house: PostHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.rounds.EVERY_SECONDS", 0.01)
    disk = FailingDatabase(house)
    house.database = disk
    await house.owe("a", "x")
    disk.full = True
    pump = house.new_pump()
    running = asyncio.create_task(pump.run())
    await asyncio.sleep(0.05)
    assert house.said() == []
    disk.full = False
    await until(lambda: house.said() == ["x"])
    monkeypatch.setattr("bot.rounds.EVERY_SECONDS", 60)
    await asyncio.sleep(0.03)  # it sleeps its minute now
    await house.owe("a", "y")
    pump.wake()
    await until(lambda: house.said() == ["x", "y"])
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_what_is_in_flight_at_a_stop_may_land(house: PostHouse) -> None:
    gate = house.channel.gates["a"] = asyncio.Event()
    row = await house.owe("a", "x")
    running = asyncio.create_task(house.pump.run())
    await until(lambda: bool(house.channel.tried))
    running.cancel()
    await asyncio.sleep(0)
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await house.row(row))["state"] == "sent"


async def test_a_send_that_does_not_land_in_time_is_in_doubt_at_the_next_start(
    house: PostHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "STOP_GRACE", 0.01)
    house.channel.gates["a"] = asyncio.Event()
    row = await house.owe("a", "x")
    running = asyncio.create_task(house.pump.run())
    await until(lambda: bool(house.channel.tried))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await house.row(row))["state"] == "sending"
    house.channel.gates.clear()
    await house.new_pump().drain()
    assert house.said() == ["x"]


# A channel that one process alone may use -----------------------------------------------------------------------------
class Elsewhere(Scripted):
    """A channel whose one connection another process holds, until it is `connected` here; nothing in it is edited."""

    connected = False

    @property
    def here(self) -> bool:
        """Whether this process is connected."""
        return self.connected

    def may_edit(self, platform_id: str | None) -> bool:
        """Never."""
        return False


async def test_what_another_process_must_send_is_left_to_it_untouched() -> None:
    channel = Elsewhere()
    async with post_house(channel, Scripted("web")) as house:
        await house.chat("a")
        await house.chat("b", channel="web")
        row = await house.owe("a", "x")
        await house.owe("b", "y")
        await house.pump.drain()
        assert house.said(tried=True) == ["y"]
        assert ((await house.row(row))["state"], (await house.row(row))["token"]) == ("pending", 0)
        channel.connected = True
        await house.pump.drain()
        assert house.said(tried=True) == ["x", "y"]


async def test_a_paused_channel_is_not_probed_by_who_is_not_connected() -> None:
    channel = Elsewhere()
    async with post_house(channel) as house:
        await house.chat("a")
        channel.connected, channel.failures = True, [Unsent("gone", channel_down=True)]
        await house.owe("a", "x")
        await house.pump.drain()
        channel.connected = False
        await later(house, 10)
        assert len(channel.tried) == 1
        channel.connected = True
        await later(house, 0)
        assert house.said() == ["x"]


async def test_an_edit_of_what_cannot_be_edited_any_more_is_dropped_without_a_word_to_the_platform() -> None:
    channel = Elsewhere()
    channel.connected = True
    async with post_house(channel) as house:
        await house.chat("a")
        row = await house.owe("a", "message")
        await house.pump.drain()
        await house.owe("a", "edit", kind="edit", edits=row)
        await house.pump.drain()
        assert house.said(tried=True) == ["message"]
        assert await house.states() == {"sent": 1, "superseded": 1}


# Words, edits, answers, documents ------------------------------------------------------------------------------------
async def test_a_retry_says_the_very_same_although_the_facts_would_read_differently_now(house: PostHouse) -> None:
    house.channel.failures = [Unsent("busy")]
    row = await house.owe("a", "as it was")
    await house.pump.drain()
    await house.run("UPDATE outbox SET facts = :f WHERE id = :id", f='{"chat":"new","cause":"-"}', id=row)
    await later(house, 2)
    assert house.said(tried=True) == ["as it was", "as it was"]


async def test_an_edit_waits_until_its_message_has_arrived(house: PostHouse) -> None:
    house.channel.failures = [Unsent("busy")]
    row = await house.owe("a", "message", lane=Lane.REPLY)
    edit = await house.owe("a", "edit", kind="edit", edits=row)
    await house.owe("a", "other")
    await house.pump.drain()
    assert house.said() == ["other"]
    await later(house, 2)
    assert house.said() == ["other", "message", "edit"]
    assert house.channel.sent[-1].edits == f"out-{row}"
    assert (await house.row(edit))["attempts"] == 0


async def test_of_several_edits_the_newest_wins(house: PostHouse) -> None:
    row = await house.owe("a", "message", due=MORNING + timedelta(hours=1))
    for n in range(3):
        await house.owe("a", f"edit {n}", kind="edit", edits=row)
    house.civil.on(hours=1)
    await house.pump.drain()
    assert house.said() == ["message", "edit 2"]
    assert await house.states() == {"sent": 2, "superseded": 2}


async def test_an_edit_of_a_message_that_never_arrived_is_dropped(house: PostHouse) -> None:
    house.channel.failures = [Undeliverable("gone")]
    row = await house.owe("a", "message")
    await house.owe("a", "edit", kind="edit", edits=row)
    await house.pump.drain()
    assert await house.states() == {"dead": 1, "superseded": 1}


async def test_an_edit_in_doubt_is_simply_done_again(house: PostHouse) -> None:
    row = await house.owe("a", "message")
    await house.pump.drain()
    house.channel.failures = [Uncertain("reset"), Uncertain("reset")]
    await house.owe("a", "edit", kind="edit", edits=row, lane=Lane.BROADCAST)
    for _ in range(3):
        await later(house, 10)
    assert house.said() == ["message", "edit"]


@pytest.mark.parametrize(
    "trouble", [Unsent("busy"), Unsent("down", channel_down=True), Uncertain("reset"), Undeliverable("old")]
)
async def test_an_answer_to_a_press_is_tried_once(house: PostHouse, trouble: Exception) -> None:
    house.channel.failures = [trouble]
    await house.owe("a", "done", kind="answer", reply_to="token", lane=Lane.REPLY)
    await later(house, 0)
    await later(house, 600)
    assert house.said(tried=True) == ["done"]
    assert (await house.states()).keys() <= {"dead", "uncertain"}


async def test_an_answer_whose_time_is_over_is_not_sent(house: PostHouse) -> None:
    row = await house.owe("a", "late", kind="answer", reply_to="token", expires=MORNING + timedelta(seconds=15))
    house.civil.on(seconds=15)
    await house.pump.drain()
    assert house.said(tried=True) == []
    assert ((await house.row(row))["state"], (await house.row(row))["error"]) == ("superseded", "expired")


async def test_an_answer_carries_its_token(house: PostHouse) -> None:
    await house.owe("a", "done", kind="answer", reply_to="token")
    await house.pump.drain()
    assert (house.channel.sent[0].kind, house.channel.sent[0].reply_to) == ("answer", "token")


async def test_documents_are_built_when_they_leave(house: PostHouse) -> None:
    await house.owe("a", "x", files=({"document": "ledger", "facts": {}},))
    await house.pump.drain()
    assert house.channel.sent[0].documents[0].content == b"['document', 'facts']"


async def test_a_document_that_cannot_be_had_any_more_is_no_bug(house: PostHouse) -> None:
    async def gone(owed: Any) -> Document:
        raise Undeliverable("the file is not kept any more")

    house.build = gone
    row = await house.owe("a", "x", files=({"hash": "00", "name": "x"},))
    await house.pump.drain()
    assert (await house.row(row))["state"] == "dead"


async def test_a_report_that_cannot_be_built_is_tried_five_times(
    house: PostHouse, expected_errors: ExpectedErrors
) -> None:
    async def buggy(owed: Any) -> Document:
        raise KeyError("total")

    expected_errors.expect("cannot be built")
    house.build = buggy
    row = await house.owe("a", "x", files=({"document": "ledger"},))
    for _ in range(8):
        await later(house, 150)
    assert house.channel.tried == []
    assert (await house.row(row))["state"] == "dead"


async def test_a_report_that_takes_so_long_that_the_row_was_lost_is_not_sent_twice(house: PostHouse) -> None:
    second = house.new_pump()
    await second.drain()
    builds: list[datetime] = []

    async def slow(owed: Any) -> Document:
        builds.append(house.machine())
        if len(builds) == 1:
            house.machine.on(seconds=61)
            await second.drain()
        return Document("x", "text/plain", b"x")

    house.build = slow
    await house.owe("a", "x", files=({"document": "ledger"},))
    await house.pump.drain()
    assert len(builds) == 2
    assert house.said(tried=True) == ["x"]


# Efficiency ----------------------------------------------------------------------------------------------------------
async def test_looking_for_what_may_leave_uses_the_indexes(tmp_path: Path) -> None:
    async with post_house(url=f"sqlite:///{tmp_path}/x.db") as house:
        moment = {"civil": 0, "machine": 0, "most": 64, "channel0": "memory"}
        heads = "EXPLAIN QUERY PLAN " + delivery._HEADS.format(channels=":channel0", resting="0")
        plan = [row["detail"] for row in await house.all(heads, **moment)]
        assert not [line for line in plan if line.startswith("SCAN") and line.split()[1] in ("o", "t", "c", "outbox")]
