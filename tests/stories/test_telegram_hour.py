"""Telegram is gone for an hour: 300 words wait there, 500 messages wait here; afterwards each has its one effect."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from bot.channels.telegram import PACE, intake
from bot.civil import CivilClock
from domain.notices import Lane
from domain.rules import Clock, Listener, Rung
from domain.workdays import parse_span
from storage import outbox
from storage.database import Tx
from tests import making, needs
from tests.emulators.telegram import Limits, TelegramEmulator
from tests.making import civil
from tests.stories.telegram_town import TelegramTown, telegram_town
from tests.summary import Tally

RAISED = civil("2026-03-11 09:00")
BEFORE = civil("2026-03-12 16:40")
GROUPS, EACH = 25, 20
SPEAKERS = ("张建国", "张会计", "陈和顺")
WORDS = 100
MATTERS = 3
TROUBLES = (502, None, 500, 503, 504) if needs.full() else (502,)
"""What every call is answered meanwhile; None closes the line without a word."""
RUNGS = tuple(
    Rung(label, parse_span(label), (Listener.HANDLER,)) for label in ("-40m", "-30m", "-20m", "-10m")
)
"""Before 17:30, when what was raised the day before has to be taken on: four within the hour."""


@dataclass
class Hour:
    """A town, its time, and what is owed to the groups by lane."""

    town: TelegramTown
    clock: CivilClock
    trouble: int | None
    owed: dict[tuple[int, Lane], list[str]] = field(default_factory=lambda: defaultdict(list))

    async def pass_time(self, seconds: int, step: float = 1.0) -> None:
        for _ in range(round(seconds / step)):
            self.clock.move_to(self.clock() + timedelta(seconds=step))
            await self.town.app.settle()

    @property
    def arrived(self) -> Mapping[tuple[int, Lane], list[str]]:
        """What the groups got, taken apart by lane."""
        got: dict[tuple[int, Lane], list[str]] = defaultdict(list)
        for sent in self.town.emulator.sent:
            if sent.text.startswith("发往“-100800"):
                word = sent.text.partition("“")[2].partition("”")[0]
                got[sent.chat_id, Lane[word.split()[1]]].append(word)
        return got


@pytest.fixture(params=TROUBLES)
async def hour(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hour]:
    monkeypatch.setattr(intake, "LONGEST_PAUSE", 0.02)  # of the machine, not of the pushed hour
    clock = CivilClock(lambda: RAISED, RAISED, frozen=True)
    emulator = TelegramEmulator(limits=Limits(), clock=lambda: clock().timestamp())
    rules = replace(making.make_rules(ladders={Clock.ACKNOWLEDGE: RUNGS}), reminders_a_day=9)
    async with telegram_town(emulator=emulator, pace=PACE, clock=clock, rules=rules) as town:
        for n in range(MATTERS):
            await town.says("张建国", f"诉求 车间第{n}次停电")
            clock.move_to(clock() + timedelta(seconds=90))
        clock.move_to(BEFORE)
        await town.settle()
        yield Hour(town, clock, request.param)


async def owe(tx: Tx, hour: Hour, chat: int) -> None:
    """A group that is let in, and its messages in every lane."""
    row = await tx.one(
        """INSERT INTO chats(channel, external_id, private, purpose, approved_at)
           VALUES ('telegram', :id, 0, 'liaison', 0) RETURNING id""",
        {"id": str(chat)},
    )
    assert row is not None
    for number in range(EACH):
        lane = Lane(number % 4)
        said = f"{chat} {lane.name} {number}"
        letter = outbox.Letter(row["id"], "watch.undelivered", {"chat": said, "cause": "-"}, lane=lane)
        await outbox.owe(tx, letter, at=hour.clock())
        hour.owed[chat, lane].append(said)


async def the_hour(hour: Hour) -> None:
    """The platform refuses everything from 16:45 to 17:45, and people go on speaking."""
    town, emulator = hour.town, hour.town.emulator
    await hour.pass_time(300, 15)
    emulator.outage(hour.trouble)
    for number in range(GROUPS):
        chat = -1_008_000_000_000 - number
        emulator.group(chat, f"第{number}群", bot="administrator")
        await town.database.transaction(lambda tx, chat=chat: owe(tx, hour, chat))  # type: ignore[misc]  # mypy cannot type a lambda with a default
    for n in range(WORDS):
        for who in SPEAKERS:
            await emulator.says(town.users[who], f"政策 第{n}条")
    await hour.pass_time(3600, 15)
    emulator.recover()
    await emulator.confirmed()
    await hour.pass_time(400)


async def test_after_an_hour_without_telegram_nothing_is_lost_doubled_or_out_of_order(hour: Hour, tally: Tally) -> None:
    town = hour.town
    tally("R9", 1)
    before = len(town.emulator.sent)
    await the_hour(hour)
    assert hour.arrived == hour.owed
    assert sum(map(len, hour.owed.values())) == GROUPS * EACH == 500
    came = await town.all("SELECT state, COUNT(*) AS n FROM inbox GROUP BY state")
    assert {row["state"]: row["n"] for row in came}.keys() == {"done"}
    for who in SPEAKERS:
        words = [sent.text for sent in town.emulator.sent[before:] if sent.chat_id == town.users[who].id]
        answers = [word.partition("第")[2].partition("条")[0] for word in words if "第" in word and "条" in word]
        assert answers == [str(n) for n in range(WORDS)], who
    assert town.emulator.refusals == 0


async def test_of_the_reminders_of_that_hour_one_an_appeal_arrives_and_it_is_the_latest(hour: Hour) -> None:
    town = hour.town
    await hour.pass_time(300, 15)
    before = len(town.emulator.sent)
    town.emulator.outage(hour.trouble)
    await hour.pass_time(3600, 15)
    town.emulator.recover()
    await hour.pass_time(120)
    owed = await town.all("SELECT state FROM outbox WHERE text_key IN ('remind.one', 'remind.several') ORDER BY id")
    assert [row["state"] for row in owed] == ["superseded"] * (len(RUNGS) - 1) + ["sent"]
    reminders = [sent.text for sent in town.got("王敏") if sent in town.emulator.sent[before:]]
    told = Counter(number for text in reminders for number in ("#1", "#2", "#3") if f"{number} " in text)
    assert told == {"#1": 1, "#2": 1, "#3": 1}, reminders
