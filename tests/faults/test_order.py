"""Thousands of messages through refusals and outages, by several pumps: each once, in order in its lane of its chat."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.channel import Parcel, Unsent
from domain.notices import Lane
from storage import outbox
from storage.database import Tx
from storage.outbox import Letter
from tests import needs
from tests.bot.posthouse import PostHouse, Scripted, post_house
from tests.conftest import Tally

MESSAGES = needs.count(3_000, 30_000)
CHATS = 20
PUMPS = 3

pytestmark = [pytest.mark.xdist_group("order"), pytest.mark.timeout(needs.count(120, 1800))]


class Moody(Scripted):
    """Asks to wait now and then, and is out of order now and then; what it says is drawn from a seed."""

    def __init__(self) -> None:
        super().__init__()
        self.dice = random.Random(20261121)

    async def send(self, parcel: Parcel) -> str:
        """Arrive, or not, a moment later."""
        await asyncio.sleep(0)
        mood = self.dice.random()
        if mood < 0.03:
            raise Unsent("429", seconds=self.dice.choice((1.0, 5.0, 20.0)))
        if mood < 0.035:
            raise Unsent("502", channel_down=True)
        return await super().send(parcel)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[PostHouse]:
    async with post_house(Moody(), url=f"sqlite:///{tmp_path}/house.db") as opened:
        for number in range(CHATS):
            await opened.chat(f"chat {number}")
        yield opened


async def owe_all(house: PostHouse) -> None:
    """So many messages, spread over chats and lanes."""
    dice, chats = random.Random(7), list(house.chats.values())

    async def unit(tx: Tx) -> None:
        for number in range(MESSAGES):
            facts = {"chat": str(number), "cause": "-"}
            letter = Letter(dice.choice(chats), "watch.undelivered", facts, lane=dice.choice(list(Lane)))
            await outbox.owe(tx, letter, at=house.civil())

    await house.database.transaction(unit)


async def test_order_holds_in_each_lane_of_each_chat_and_nothing_is_sent_twice(house: PostHouse, tally: Tally) -> None:
    pumps = [house.new_pump() for _ in range(PUMPS)]
    for pump in pumps:
        await pump.drain()  # what lies there when it starts is taken for an earlier process's
    await owe_all(house)
    while (await house.states()).get("pending", 0):
        await asyncio.gather(*(pump.drain() for pump in pumps))
        house.machine.on(seconds=1)
    assert await house.states() == {"sent": MESSAGES}
    assert max(Counter(parcel.id for parcel in house.channel.sent).values()) == 1
    rows = {row["id"]: row for row in await house.all("SELECT id, chat_id, lane, seq FROM outbox")}
    lanes: dict[tuple[int, int], list[int]] = defaultdict(list)
    for parcel in house.channel.sent:
        lanes[rows[parcel.id]["chat_id"], rows[parcel.id]["lane"]].append(rows[parcel.id]["seq"])
    tally("R6", MESSAGES)
    assert len(lanes) == CHATS * len(Lane)
    assert [key for key, seqs in lanes.items() if seqs != sorted(seqs)] == []
    assert len(house.channel.tried) >= MESSAGES
