"""A busy hour in which the connection to WeCom dies two hundred times, in every way: nothing that is owed is lost."""

import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from bot.channels.wecom_aibot import PACE
from bot.channels.wecom_aibot.connection import Timing
from bot.civil import CivilClock
from domain.notices import Lane
from domain.said import Button
from domain.verbs import Verb
from storage import outbox
from storage.database import Tx
from tests.emulators.wecom.aibot import AibotEmulator
from tests.making import civil
from tests.needs import full
from tests.stories.wecom_town import WecomTown, until_here, wecom_town

NINE = civil("2026-03-11 09:00")
STEP, BETWEEN = 2, 16
"""Seconds: of a step, and from one lost connection to the next, which makes two hundred in an hour."""
CHATS = 12
BUSIEST, BURST = "wrBusy0", 30
MUST_ARRIVE = (Lane.REPLY, Lane.CASE)
ASKER, ASKED = "张建国", "进度"
SEND = "aibot_send_msg"
TIMING = Timing(ping=0.1, answer=0.1, first_pause=0.002, longest_pause=0.01, stable=0.0, fresh=0.01)
"""Of the machine, not of the pushed hour: what is waited for is the loss of a connection, and the next one."""

Strike = Callable[[AibotEmulator], Awaitable[None] | None]


def waiting(**fault: Any) -> Strike:
    """A strike that comes with the next message."""

    def strike(emulator: AibotEmulator) -> None:
        emulator.fault(SEND, **fault)

    return strike


def cut_and_shut(emulator: AibotEmulator) -> None:
    """The line is cut, and the next attempts to connect fail as well."""
    emulator.refuse_connects(2, 503)
    emulator.drop()


WAYS: dict[str, Strike] = {
    "cut": lambda emulator: emulator.drop(),
    "cut before a message": waiting(answer="abort"),
    "cut after a message": waiting(answer="abort", effect=True),
    "cut, and not let in again at once": cut_and_shut,
    "closed with 1000": lambda emulator: emulator.close(1000),
    "closed with 1001": lambda emulator: emulator.close(1001),
    "closed before a message": waiting(answer="close"),
    "closed after a message": waiting(answer="close", effect=True),
    "silent": lambda emulator: emulator.silence(),
    "silent before a message": waiting(answer="silence"),
    "silent after a message": waiting(answer="silence", effect=True),
    "forgotten, 846609 to all": lambda emulator: emulator.forget(),
    "846609 to a message": waiting(code=846609),
}
LOST_ANSWER = waiting(answer="none", effect=True)
"""The one trouble that ends no connection."""


@dataclass
class Hour:
    """A town of many groups, its time, what is owed to whom, and what was struck."""

    town: WecomTown
    clock: CivilClock
    chance: random.Random
    chats: dict[str, int] = field(default_factory=dict)
    owed: dict[tuple[str, Lane], list[str]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def emulator(self) -> AibotEmulator:
        """The platform."""
        return self.town.emulator

    async def owe(self, chat: str, lane: Lane, *, card: bool) -> None:
        """One message more."""
        said = f"{chat} {lane.name} {len(self.rows)}"
        keys = ((Button(Verb.STATUS, "1"),),) if card else ()
        letter = outbox.Letter(
            self.chats[chat], "watch.undelivered", {"chat": said, "cause": "-"}, lane=lane, buttons=keys
        )

        async def unit(tx: Tx) -> None:
            row = await outbox.owe(tx, letter, at=self.clock())
            assert row is not None
            self.rows[said] = row

        await self.town.database.transaction(unit)
        self.owed[chat, lane].append(said)

    async def pass_time(self, seconds: float) -> None:
        """Let time go by, a step after the other."""
        for _ in range(round(seconds / STEP)):
            self.clock.move_to(self.clock() + timedelta(seconds=STEP))
            await self.town.app.settle()

    @property
    def arrived(self) -> dict[tuple[str, Lane], list[str]]:
        """What stands in each chat, by lane, in order, doubles included."""
        found: dict[tuple[str, Lane], list[str]] = defaultdict(list)
        for seen in self.emulator.visible:
            said = seen.text.partition("“")[2].partition("”")[0]
            if said in self.rows:
                found[seen.chat, Lane[said.split()[1]]].append(said)
        return found

    async def suffer(self, strike: Strike) -> None:
        """Somebody asks, and the connection is lost before he is answered; a loss gets the moment to be noticed in."""
        before = len(self.emulator.connections)
        await until_here(self.town.wecom)
        self.emulator.duplicate(1)
        await self.emulator.says(self.town.users[ASKER], ASKED)
        await self.town.taken_in()
        if (done := strike(self.emulator)) is not None:
            await done
        for _ in range(BETWEEN // STEP):
            await self.load()
            await self.pass_time(STEP)
            if not self.emulator.connected and self.chance.random() < 0.7:
                await self.emulator.until_connected()
        await self.emulator.until(lambda: strike is LOST_ANSWER or len(self.emulator.connections) > before)
        await self.emulator.until_connected()

    async def load(self) -> None:
        """What becomes owed in a step: something now and then, and in one group much more."""
        for chat, often in ((BUSIEST, 0.25), (self.chance.choice(list(self.chats)), 0.5)):
            if self.chance.random() < often:
                await self.owe_one(chat)

    async def owe_one(self, chat: str) -> None:
        """A message of any lane, sometimes with a button."""
        await self.owe(chat, Lane(self.chance.randrange(4)), card=self.chance.random() < 0.3)


@pytest.fixture
async def hour() -> AsyncIterator[Hour]:
    clock = CivilClock(lambda: NINE, NINE, frozen=True)
    emulator = AibotEmulator(clock=lambda: clock().timestamp())
    async with wecom_town(emulator=emulator, pace=PACE, clock=clock, timing=TIMING) as town:
        hour = Hour(town, clock, random.Random(7))
        for number in range(CHATS):
            chat = emulator.group(f"wrBusy{number}", f"第{number}群", spoken=True).id
            hour.chats[chat] = await let_in(town, chat)
        yield hour


async def let_in(town: WecomTown, chat: str) -> int:
    """A group that the park knows: its row."""

    async def unit(tx: Tx) -> int:
        row = await tx.one(
            """INSERT INTO chats(channel, external_id, private, purpose, approved_at)
               VALUES ('wecom_aibot', :id, 0, 'liaison', 0) RETURNING id""",
            {"id": chat},
        )
        assert row is not None
        return int(row["id"])

    return await town.database.transaction(unit)


ROUNDS = 16 if full() else 4
"""How often the line breaks in each way: fifty times in all, in the long trial more than two hundred times."""


def most_within(times: list[float], seconds: float) -> int:
    """The fullest window."""
    return max(sum(begin <= at < begin + seconds for at in times) for begin in times)


@pytest.mark.timeout(300)
async def test_a_line_that_breaks_again_and_again_loses_nothing_that_is_owed(hour: Hour) -> None:
    strikes = [strike for strike in (*WAYS.values(), LOST_ANSWER) for _ in range(ROUNDS)]
    hour.chance.shuffle(strikes)
    for number, strike in enumerate(strikes):
        if number % 26 == 0:
            for _ in range(BURST):
                await hour.owe_one(BUSIEST)
        await hour.suffer(strike)
    await hour.pass_time(1200)
    assert len(hour.emulator.connections) > len(WAYS) * ROUNDS
    for place, owed in hour.owed.items():
        check_lane(hour, place, owed)
    await check_answers(hour, len(strikes))
    assert 15 <= most_within([seen.at for seen in hour.emulator.seen(BUSIEST)], 60.0) <= 20
    assert set(hour.emulator.refusals) <= {846609, 40058}
    assert not hour.emulator.faults.waiting


def check_lane(hour: Hour, place: tuple[str, Lane], owed: Sequence[str]) -> None:
    """All is there in its order; twice only what was in doubt, and then twice at most.

    What is no matter of somebody's own is not repeated in doubt: it may be missing then, and never comes twice.
    """
    doubts = hour.town.wecom.doubts
    doubted = {said for said in owed if doubts[hour.rows[said]]}
    times = Counter(hour.arrived[place])
    repeated = {said for said, count in times.items() if count > 1}
    missing = {said for said in owed if said not in times}
    assert list(times) == [said for said in owed if said in times]
    assert max(times.values(), default=0) <= 2
    assert repeated <= doubted
    if place[1] in MUST_ARRIVE:
        assert missing == set()
    else:
        assert (repeated, missing - doubted) == (set(), set())


async def check_answers(hour: Hour, asked: int) -> None:
    """Who asked is answered each time, mostly on another connection than that on which he asked."""
    town = hour.town
    row = await town.one("SELECT COUNT(*) AS done FROM inbox WHERE state = 'done'")
    assert row["done"] == asked == len(set(town.emulator.heard))
    mine = await town.all(
        "SELECT o.id, o.state FROM outbox o JOIN chats c ON c.id = o.chat_id WHERE c.external_id = :user",
        user=town.users[ASKER],
    )
    assert len(mine) == asked
    assert all(row["state"] == "sent" or town.wecom.doubts[row["id"]] > 1 for row in mine)
    doubted = sum(town.wecom.doubts[row["id"]] for row in mine)
    assert asked <= len(town.seen(ASKER)) <= asked + doubted
