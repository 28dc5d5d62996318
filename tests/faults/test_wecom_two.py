"""Two processes with one bot: exactly one is connected; if it dies or freezes the other one is, within 20 seconds."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from storage.open import open_database
from tests.emulators.wecom.aibot import AibotEmulator
from tests.faults import wecom_bot as bot

ROOT = Path(__file__).resolve().parents[2]
WITHIN = 20.0
QUICK, EARNEST = 0.1, 1.0
EACH = 3
"""Messages for a matter: the owner's acknowledgement with its card, and the liaison's card."""

pytestmark = [pytest.mark.timeout(120), pytest.mark.xdist_group("heavy")]
Process = asyncio.subprocess.Process


@asynccontextmanager
async def running(path: Path, url: str, part: float) -> AsyncIterator[Process]:
    """A process over the common database; killed at the end."""
    command = [sys.executable, "-m", "tests.faults.wecom_bot", str(path), url, str(part)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Pair:
    """Two processes, the first of which is connected."""

    def __init__(self, emulator: AibotEmulator, first: Process, second: Process, part: float) -> None:
        self.emulator = emulator
        self.first = first
        self.second = second
        self.within = WITHIN * part + 3.0
        self.asked = 0

    async def answers(self) -> None:
        """A matter is raised, acknowledged to the owner and told to the liaison, each once."""
        self.asked += 1
        await self.emulator.says(bot.OWNER, f"诉求 第{self.asked}台机器停电")
        told = await self.emulator.until_visible(EACH * self.asked, timeout=30)
        await self.quiet()
        assert len(told) == EACH * self.asked
        assert {message.chat for message in told[-EACH:]} == {bot.OWNER, bot.LIAISON}

    async def quiet(self) -> None:
        """A moment in which whoever would connect as well, or say things twice, could do so."""
        for _ in range(12):
            await asyncio.sleep(0.05)

    async def taken_over(self) -> None:
        """The second process is connected; not later than is promised."""
        await self.emulator.until(lambda: len(self.subscribed) == 2 and self.emulator.connected, self.within)

    @property
    def subscribed(self) -> list[int]:
        """The connections on which the bot was let in, in order."""
        return [sent.connection for sent in self.emulator.sent if sent.cmd == "aibot_subscribe" and sent.code == 0]


@asynccontextmanager
async def pair(path: Path, part: float) -> AsyncIterator[Pair]:
    """Both processes run, the second one waits."""
    database = await open_database(f"sqlite:///{path}")
    await database.transaction(bot.people_it)
    await database.close()
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(AibotEmulator(bot.BOT, bot.SECRET))
        emulator.user(bot.OWNER, "张建国", wrote=True)
        emulator.user(bot.LIAISON, "王敏", wrote=True)
        first = await stack.enter_async_context(running(path, emulator.url, part))
        await emulator.until_connected(30)
        second = await stack.enter_async_context(running(path, emulator.url, part))
        found = Pair(emulator, first, second, part)
        await found.answers()
        for _ in range(40):
            await asyncio.sleep(0.05)
        assert len(emulator.connections) == 1
        await found.answers()
        yield found
        assert emulator.offences == []


PARTS = [QUICK, EARNEST]


@pytest.mark.parametrize("part", PARTS)
async def test_a_killed_one_is_followed_by_the_other(tmp_path: Path, part: float) -> None:
    async with pair(tmp_path / "house.db", part) as two:
        two.first.kill()
        await two.first.wait()
        await two.taken_over()
        await two.answers()


@pytest.mark.parametrize("part", PARTS)
async def test_a_frozen_one_is_followed_by_the_other_and_does_not_fight_when_it_thaws(
    tmp_path: Path, part: float
) -> None:
    async with pair(tmp_path / "house.db", part) as two:
        two.first.send_signal(signal.SIGSTOP)
        await two.taken_over()
        await two.answers()
        two.first.send_signal(signal.SIGCONT)
        await two.quiet()
        await two.answers()
        assert len(two.emulator.connections) == 2
        assert two.emulator.connected
