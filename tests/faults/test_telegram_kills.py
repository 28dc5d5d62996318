"""Killed without a word while 500 updates wait at Telegram, ten times: each has exactly one effect, none is lost."""

import asyncio
import json
import os
import random
import sqlite3
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.deliver import MOST_DEATHS
from storage.open import open_database
from tests.emulators.telegram import Sent, TelegramEmulator
from tests.faults import telegram_burst as burst

ROOT = Path(__file__).resolve().parents[2]
KILLS = 10
UPDATES = burst.FIRMS * burst.MATTERS
MESSAGES = 2 * UPDATES
"""An acknowledgement to the firm and a notice to its liaison for each."""

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("heavy")]


@dataclass
class Drill:
    """What was seen from outside: the platform's record, and the disk right after each death."""

    path: Path
    emulator: TelegramEmulator
    in_flight: Counter[int] = field(default_factory=Counter)
    kills: int = 0
    lost: set[str] = field(default_factory=set)

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows as they lie on the disk."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]

    def look(self) -> None:
        """Right after a death: whatever Telegram was told is received is on the disk; what is in flight is noted."""
        kept = {row["external_id"] for row in self.query("SELECT external_id FROM inbox")}
        waiting = {str(update["update_id"]) for update in self.emulator.unconfirmed}
        self.lost |= {str(number) for number in range(FIRST, FIRST + UPDATES)} - waiting - kept
        self.in_flight.update(row["id"] for row in self.query("SELECT id FROM outbox WHERE state = 'sending'"))

    @property
    def said(self) -> list[Sent]:
        """The messages that reached people, lists of commands and spinners left out."""
        return [sent for sent in self.emulator.sent if sent.method == "sendMessage"]


FIRST = 1000


@asynccontextmanager
async def bot(drill: Drill) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process over what the last one left; killed at the end."""
    command = [sys.executable, "-m", "tests.faults.telegram_burst", str(drill.path), drill.emulator.api_base]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def queue_updates(emulator: TelegramEmulator) -> None:
    """Ten matters of each of fifty firms, all waiting before the bot comes up."""
    emulator.jump_ids(FIRST)
    owners = [emulator.user(burst.owner(firm), f"企业{firm}", started=True) for firm in range(burst.FIRMS)]
    for firm in range(burst.FIRMS):
        emulator.user(burst.liaison(firm), f"干部{firm}", started=True)
    for matter in range(burst.MATTERS):
        for firm, who in enumerate(owners):
            await emulator.says(who, f"诉求 第{firm}家第{matter}件：车间电压低")


async def quiet(drill: Drill) -> bool:
    """Whether everything has come in, was handled and was sent."""
    if drill.emulator.unconfirmed or not drill.path.exists():
        return False
    owing = "SELECT 1 FROM outbox WHERE state IN ('pending', 'sending') UNION SELECT 1 FROM inbox WHERE state = 'new'"
    return not drill.query(owing)


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Drill:
    """The whole drill, once for all tests of this module."""
    return asyncio.run(drill(tmp_path_factory.mktemp("telegram") / "house.db"))


async def drill(path: Path) -> Drill:
    """Ten deaths at random depths of the work, then a life in peace."""
    async with TelegramEmulator(token=burst.TOKEN) as emulator:
        found = Drill(path, emulator)
        database = await open_database(f"sqlite:///{path}")
        await database.transaction(burst.people_it)
        await database.close()
        await queue_updates(emulator)
        dice = random.Random(20261121)
        for depth in sorted(dice.sample(range(MESSAGES - 100), KILLS)):
            async with bot(found):
                await emulator.until_sent(max(depth, len(emulator.sent) + 1), timeout=30)
            found.kills += 1
            found.look()
        async with bot(found), asyncio.timeout(60):
            while not await quiet(found):  # noqa: ASYNC110 - a look from outside
                await asyncio.sleep(0.05)
        return found


def test_it_was_really_killed_in_the_middle_of_500_updates(drilled: Drill) -> None:
    assert drilled.kills == KILLS
    assert drilled.in_flight
    assert len(drilled.query("SELECT id FROM inbox")) == UPDATES


def test_every_update_has_exactly_one_effect(drilled: Drill) -> None:
    titles = Counter(row["title"] for row in drilled.query("SELECT title FROM appeals"))
    wanted = {f"第{firm}家第{n}件：车间电压低" for firm in range(burst.FIRMS) for n in range(burst.MATTERS)}
    assert set(titles) == wanted
    assert set(titles.values()) == {1}
    assert {row["state"] for row in drilled.query("SELECT state FROM inbox")} == {"done"}


def test_nothing_that_telegram_was_told_is_received_was_lost(drilled: Drill) -> None:
    assert drilled.lost == set()


def test_every_message_arrived_and_twice_only_what_was_in_flight_at_a_death(drilled: Drill) -> None:
    sends = drilled.query(
        """SELECT o.id, o.state, o.body, c.external_id FROM outbox o JOIN chats c ON c.id = o.chat_id
           WHERE o.kind = 'send'"""
    )
    assert len(sends) == MESSAGES
    arrived = Counter((str(sent.chat_id), sent.text) for sent in drilled.said)
    for row in sends:
        times = arrived[row["external_id"], json.loads(row["body"])["text"]]
        flights = drilled.in_flight[row["id"]]
        assert 1 <= times <= 1 + flights, row
        assert row["state"] == "sent" or flights > MOST_DEATHS, row


def test_each_firm_is_answered_in_the_order_in_which_it_spoke(drilled: Drill) -> None:
    heard: dict[int, list[str]] = defaultdict(list)
    for sent in drilled.said:
        if sent.text not in heard[sent.chat_id]:
            heard[sent.chat_id].append(sent.text)
    for firm in range(burst.FIRMS):
        matters = [int(text.split("件")[0].rsplit("第", 1)[1]) for text in heard[burst.owner(firm)]]
        assert matters == list(range(burst.MATTERS))


def test_no_call_was_wrong(drilled: Drill) -> None:
    assert drilled.emulator.offences == []
