"""An hour in which Telegram takes nothing: afterwards all that was owed arrives, in order, once, within the limits."""

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot.channels.telegram import PACE
from bot.civil import CivilClock
from domain.notices import Lane
from storage import outbox
from storage.database import Tx
from tests import making
from tests.emulators.telegram import Limits, TelegramEmulator
from tests.making import civil
from tests.stories.telegram_town import TelegramTown, telegram_town

NINE = civil("2026-03-11 09:00")
GROUPS = 12
EACH = 15
BUSY = 45
"""So much is owed to one group: more than it may get in a minute."""


@dataclass
class Quarter:
    """A town of many groups, its time, and what is owed to whom."""

    town: TelegramTown
    clock: CivilClock
    owed: dict[tuple[int, Lane], list[str]]

    async def pass_time(self, seconds: int, step: float = 1.0) -> None:
        """Let time go by."""
        for _ in range(round(seconds / step)):
            self.clock.move_to(self.clock() + timedelta(seconds=step))
            await self.town.app.settle()

    @property
    def arrived(self) -> dict[int, list[str]]:
        """What each of these groups got, in order, by the words that tell its messages apart."""
        got: dict[int, list[str]] = defaultdict(list)
        for sent in self.town.emulator.sent:
            if sent.text.startswith("发往“-100900"):
                got[sent.chat_id].append(sent.text.partition("“")[2].partition("”")[0])
        return got


@pytest.fixture
async def quarter() -> AsyncIterator[Quarter]:
    clock = CivilClock(lambda: NINE, NINE, frozen=True)
    emulator = TelegramEmulator(limits=Limits(), clock=lambda: clock().timestamp())
    async with telegram_town(emulator=emulator, pace=PACE, clock=clock) as town:
        quarter = Quarter(town, clock, defaultdict(list))
        for number in range(GROUPS):
            chat = -1_009_000_000_000 - number
            emulator.group(chat, f"第{number}群", bot="administrator")
            await town.database.transaction(lambda tx, chat=chat: owe(tx, quarter, chat))  # type: ignore[misc]  # mypy cannot type a lambda with a default
        yield quarter


async def owe(tx: Tx, quarter: Quarter, chat: int) -> None:
    """A group that is let in, and its messages in every lane."""
    row = await tx.one(
        """INSERT INTO chats(channel, external_id, private, purpose, approved_at)
           VALUES ('telegram', :id, 0, 'liaison', 0) RETURNING id""",
        {"id": str(chat)},
    )
    assert row is not None
    busy = chat == -1_009_000_000_000
    for number in range(BUSY if busy else EACH):
        lane = Lane.BROADCAST if busy else Lane(number % 4)
        said = f"{chat} {lane.name} {number}"
        letter = outbox.Letter(row["id"], "watch.undelivered", {"chat": said, "cause": "-"}, lane=lane)
        await outbox.owe(tx, letter, at=making.civil("2026-03-11 08:59"))
        quarter.owed[chat, lane].append(said)


def lanes(quarter: Quarter) -> dict[tuple[int, Lane], list[str]]:
    """What arrived, taken apart by chat and lane."""
    found: dict[tuple[int, Lane], list[str]] = defaultdict(list)
    for chat, texts in quarter.arrived.items():
        for text in texts:
            found[chat, Lane[text.split()[1]]].append(text)
    return found


async def test_after_an_hour_of_refusals_everything_arrives_in_order_once_and_within_the_limits(
    quarter: Quarter,
) -> None:
    emulator = quarter.town.emulator
    await quarter.pass_time(2)
    before = len(emulator.sent)
    assert 0 < before < sum(map(len, quarter.owed.values()))
    emulator.outage(502)
    await quarter.pass_time(1800, 15)
    emulator.recover()
    emulator.outage(None)  # connections are taken, and closed without an answer
    await quarter.pass_time(1800, 15)
    assert len(emulator.sent) == before
    emulator.recover()
    await quarter.pass_time(300)
    assert lanes(quarter) == quarter.owed
    assert emulator.refusals == 0


async def test_a_chat_that_is_told_to_wait_holds_up_no_other(quarter: Quarter) -> None:
    emulator = quarter.town.emulator
    chat = -1_009_000_000_003
    emulator.fault("sendMessage", chat=chat, status=429, retry_after=40, times=1)
    await quarter.pass_time(30)
    assert chat not in quarter.arrived
    others = {owner for owner, _ in quarter.owed} - {chat}
    assert all(len(quarter.arrived[other]) >= EACH for other in others)
    await quarter.pass_time(60)
    assert len(quarter.arrived[chat]) == EACH


async def test_answers_go_before_matters_and_those_before_digests_and_broadcasts(quarter: Quarter) -> None:
    await quarter.pass_time(20)
    for chat, texts in quarter.arrived.items():
        places = [Lane[text.split()[1]] for text in texts]
        assert places == sorted(places), chat
