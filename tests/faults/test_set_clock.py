"""The machine's clock is set two days on and three hours back while the program runs, as libfaketime lets it see."""

import asyncio
import json
import os
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.people import Role
from storage import accounts
from storage.database import Tx
from storage.open import open_database
from tests import making, needs
from tests.emulators.telegram import Sent, TelegramEmulator, User
from tests.faults import telegram_burst as burst
from tests.making import civil
from tests.summary import Tally

ROOT = Path(__file__).resolve().parents[2]
WEDNESDAY = civil("2026-03-11 10:00")
FIRMS = 3
RINGS = 7.0
LOOK = 0.05
"""Real seconds in which the program's clock rings at least once."""

pytestmark = [pytest.mark.needs("faketime"), pytest.mark.timeout(120), pytest.mark.xdist_group("heavy")]


@dataclass
class Machine:
    """A program whose clock shows what a file says, and the platform it speaks to."""

    folder: Path
    emulator: TelegramEmulator
    shown: timedelta

    def set_clock(self, by: timedelta) -> None:
        """Set it on, or back."""
        self.shown += by
        new = self.folder / "clock.new"
        new.write_text(f"{self.shown.total_seconds():+.0f}", encoding="ascii")
        new.replace(self.folder / "clock")

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows as they lie on the disk."""
        with closing(sqlite3.connect(f"file:{self.folder}/house.db?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]

    @property
    def said(self) -> list[Sent]:
        """The messages that reached people."""
        return [sent for sent in self.emulator.sent if sent.method == "sendMessage"]

    async def until_said(self, count: int) -> None:
        """Until so many messages have reached people."""
        async with asyncio.timeout(30):
            while len(self.said) < count:  # noqa: ASYNC110 - a look from outside
                await asyncio.sleep(LOOK)


@asynccontextmanager
async def machine(folder: Path, library: str) -> AsyncIterator[Machine]:
    """It shows ten o'clock of a Wednesday when the program starts."""
    async with TelegramEmulator(token=burst.TOKEN) as emulator:
        found = Machine(folder, emulator, WEDNESDAY - datetime.now(UTC))  # noqa: TID251 - what the real clock shows
        found.set_clock(timedelta())
        database = await open_database(f"sqlite:///{folder}/house.db")
        await database.transaction(people_it)
        await database.close()
        fake = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": f"{folder}/clock", "FAKETIME_NO_CACHE": "1"}
        fake |= {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tests.faults.jumping", f"{folder}/house.db", emulator.api_base]
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env={**os.environ, **fake})
        try:
            yield found
            assert process.returncode is None
        finally:
            process.kill()
            await process.wait()


async def people_it(tx: Tx) -> None:
    """Firms with a contact and a liaison each, known to Telegram by their ids."""
    power = await making.make_department(tx, "县供电公司", "power")
    for firm in range(FIRMS):
        contact = await making.make_person(tx, f"企业{firm}", Role.CONTACT, chat=False)
        cadre = await making.make_person(tx, f"干部{firm}", Role.LIAISON, chat=False, department_id=power)
        await making.make_enterprise(tx, f"第{firm}机械有限公司", contact, liaison_id=cadre)
        await accounts.bind_externally(tx, "telegram", str(burst.owner(firm)), contact, by=None, at=WEDNESDAY)
        await accounts.bind_externally(tx, "telegram", str(burst.liaison(firm)), cadre, by=None, at=WEDNESDAY)


async def settle(machine: Machine) -> None:
    """Long enough for a ring of the clock, and for what it brings."""
    for _ in range(round(RINGS / LOOK)):
        await asyncio.sleep(LOOK)


async def matters(machine: Machine) -> list[User]:
    """Each firm raises one, and all that is said of it has arrived; who spoke for the firms."""
    emulator = machine.emulator
    owners = [emulator.user(burst.owner(firm), f"企业{firm}", started=True) for firm in range(FIRMS)]
    for firm in range(FIRMS):
        emulator.user(burst.liaison(firm), f"干部{firm}", started=True)
    for firm, who in enumerate(owners):
        await emulator.says(who, f"诉求 第{firm}家：车间电压低")
    await machine.until_said(2 * FIRMS)
    return owners


def told(machine: Machine, since: int, *keys: str) -> Counter[tuple[int, str]]:
    """How often who was sent words of such a key, by what the platform has seen since."""
    rows = machine.query("SELECT o.text_key, o.body, c.external_id FROM outbox o JOIN chats c ON c.id = o.chat_id")
    key_of = {(row["external_id"], json.loads(row["body"])["text"]): row["text_key"] for row in rows if row["body"]}
    found = Counter((sent.chat_id, key_of[str(sent.chat_id), sent.text]) for sent in machine.said[since:])
    return Counter({(chat, key): count for (chat, key), count in found.items() if key.startswith(keys)})


async def test_two_days_on_each_matter_is_reminded_of_once_and_three_hours_back_nothing_comes_again(
    tmp_path: Path, tally: Tally
) -> None:
    async with machine(tmp_path, needs.need("faketime")) as found:
        owners = await matters(found)
        before = len(found.said)
        found.set_clock(timedelta(days=2))
        await found.until_said(before + FIRMS)
        await settle(found)
        once = {(burst.liaison(firm), "remind.one"): 1 for firm in range(FIRMS)}
        assert told(found, before, "remind") == once
        assert max(told(found, before, "").values()) == 1
        before = len(found.said)
        found.set_clock(timedelta(hours=-3))
        await settle(found)
        assert len(found.said) == before
        await found.emulator.says(owners[0], "进度 1")
        await found.until_said(before + 1)
        tally("R5b", 2)


@pytest.mark.full
async def test_a_clock_that_was_set_back_rings_on_and_not_after_as_many_hours(tmp_path: Path, tally: Tally) -> None:
    async with machine(tmp_path, needs.need("faketime")) as found:
        await matters(found)
        await settle(found)
        before = len(found.said)
        found.set_clock(timedelta(days=2, hours=-3))  # seven o'clock on Friday
        await settle(found)
        found.set_clock(timedelta(hours=-3))
        await settle(found)
        found.set_clock(timedelta(hours=5))  # nine o'clock, and the digest is for half past eight
        await found.until_said(before + FIRMS)
        await settle(found)
        assert told(found, before, "digest") == {(burst.liaison(firm), "digest.cadre"): 1 for firm in range(FIRMS)}
        tally("R5b", 3)
