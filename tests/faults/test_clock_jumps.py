"""The machine's clock is set back by hours or ahead by days: what waits waits no longer, nothing leaves twice.

Within a process time is steady whatever the clock shows; so what matters is a process that starts after the jump.
"""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from bot.app import App, steady_time
from bot.channel import Parcel, Unsent
from bot.deliver import Pump
from bot.machine import MachineClock
from storage.open import open_database
from tests import needs
from tests.bot.posthouse import MORNING, Clock, PostHouse, Scripted, post_house
from tests.faults.crashing import PARK
from tests.summary import Tally

TRIALS = needs.count(12, 200)
JUMPS = (timedelta(hours=-3), timedelta(days=-30), timedelta(days=2))
CHATS = ("a", "b", "c")
ENOUGH = 600
"""Seconds; the longest that a chat may ask to wait in all is less."""
MOST_REFUSALS = 5

pytestmark = pytest.mark.timeout(needs.count(60, 600))


class Refusing(Scripted):
    """Asks for waits at random, and notes who does not wait."""

    def __init__(self, passed: Clock, dice: random.Random) -> None:
        super().__init__()
        self.passed = passed
        self.dice = dice
        self.until: dict[str, datetime] = {}
        self.hasty: list[str] = []
        self.refused: Counter[str] = Counter()

    async def send(self, parcel: Parcel) -> str:
        """Arrive, or be told to wait."""
        if self.until.get(parcel.chat, MORNING) > self.passed():
            self.hasty.append(parcel.text)
        if self.refused[parcel.chat] < MOST_REFUSALS and self.dice.random() < 0.5:
            self.refused[parcel.chat] += 1
            seconds = self.dice.choice((3.0, 35.0, 90.0))
            self.until[parcel.chat] = self.passed() + timedelta(seconds=seconds)
            raise Unsent("429", seconds=seconds)
        return await super().send(parcel)


class Machine:
    """A machine whose clock is set to another time; every process on it has a steady time of its own."""

    def __init__(self, house: PostHouse, passed: Clock) -> None:
        self.house = house
        self.passed = passed
        self.wrong_by = timedelta()

    async def start(self) -> Pump:
        """A process that starts now, by what the clock shows now."""
        wrong_by = self.wrong_by
        clock = MachineClock(lambda: self.passed() + wrong_by)
        await clock.go_on_from(self.house.database)
        return self.house.new_pump(clock)


async def jump(seed: int) -> tuple[Refusing, timedelta, dict[str, int]]:
    """Messages that are refused for a while, a jump, a restart; the channel, the jump, the states of rows at last."""
    dice, passed = random.Random(seed), Clock(MORNING)
    channel = Refusing(passed, dice)
    async with post_house(channel) as house:
        for name in CHATS:
            await house.chat(name)
        machine = Machine(house, passed)
        pump = await machine.start()
        step = JUMPS[seed % len(JUMPS)]
        for turn in range(ENOUGH // 5):
            if turn < 5:
                await house.owe(dice.choice(CHATS), f"{turn}")
            if turn in (3, 9):
                machine.wrong_by += step
                pump = await machine.start()
            await pump.drain()
            passed.on(seconds=5)
        return channel, step, await house.states()


async def test_no_wait_grows_and_nothing_leaves_twice_when_the_clock_jumps(tally: Tally) -> None:
    for seed in range(TRIALS):
        channel, step, states = await jump(seed)
        assert states == {"sent": 5}, (seed, states)
        assert max(Counter(parcel.id for parcel in channel.sent).values()) == 1, seed
        assert step > timedelta() or channel.hasty == [], seed
    tally("R5a", TRIALS)


async def test_within_a_process_time_is_steady(monkeypatch: pytest.MonkeyPatch) -> None:
    before = steady_time()
    assert abs(before - datetime.now(UTC)) < timedelta(seconds=5)  # noqa: TID251 - the real clock is what it is held against
    monkeypatch.setattr("bot.app.machine_time", lambda: before - timedelta(hours=3))
    database = await open_database("sqlite:///:memory:")
    app = App(PARK, database, {})
    assert timedelta() <= app.machine() - before < timedelta(seconds=5)
    await database.close()
