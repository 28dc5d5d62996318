"""Told to stop in the middle of work, with a platform that does not answer: gone within ten seconds, nothing lost."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx
import pytest

from bot.app import machine_seconds
from storage import sessions
from storage.database import Tx
from storage.open import open_database
from tests.emulators.telegram import TelegramEmulator
from tests.faults import telegram_burst as burst
from tests.stories.telegram_town import free_port

ROOT = Path(__file__).resolve().parents[2]
FIRMS, MATTERS = 20, 5
MOST_SECONDS = 10.0
CONFIG = """[park]
name = "试点园区"
[storage]
url = "sqlite:///{path}"
[web]
port = {port}
[hours]
always = true
[channels.web]
enabled = true
[channels.telegram]
token = "{token}"
api_base = "{api}"
"""

pytestmark = [pytest.mark.timeout(120), pytest.mark.xdist_group("heavy")]


class Trial:
    """A house on the disk, its config, and what is seen of it from outside."""

    def __init__(self, folder: Path, emulator: TelegramEmulator) -> None:
        self.path = folder / "lianqi.db"
        self.config = folder / "config.toml"
        self.emulator = emulator
        self.port = free_port()
        self.cookie = ""

    async def furnish(self) -> None:
        """People, and a session of one of them at the web page."""
        text = CONFIG.format(path=self.path, port=self.port, token=self.emulator.token, api=self.emulator.api_base)
        self.config.write_text(text, encoding="utf-8")
        self.config.chmod(0o600)
        database = await open_database(f"sqlite:///{self.path}")

        async def unit(tx: Tx) -> str:
            await burst.people_it(tx)
            seat = await sessions.meet_guest(tx, "访客")
            return await sessions.begin(tx, seat.id, burst.MORNING.replace(year=2099))

        self.cookie = await database.transaction(unit)
        await database.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """`lianqi run`."""
        command = [sys.executable, "-m", "bot", "run", "--config", str(self.config)]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=asyncio.subprocess.PIPE
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[httpx.Response]:
        """Somebody's page, which listens for news without end."""
        async with (
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", cookies={"lianqi": self.cookie}) as page,
            page.stream("GET", "/api/chat/stream", timeout=60) as answer,
        ):
            assert answer.status_code == 200
            yield answer

    def count(self, where: str) -> int:
        """Rows of the outbox as they lie on the disk."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
            return int(connection.execute(f"SELECT COUNT(*) FROM outbox WHERE kind = 'send' AND {where}").fetchone()[0])

    async def speak(self) -> None:
        """Every firm has some matters, all waiting at the platform."""
        owners = [self.emulator.user(burst.owner(n), f"企业{n}", started=True) for n in range(FIRMS)]
        for n in range(burst.FIRMS):
            self.emulator.user(burst.liaison(n), f"干部{n}", started=True)
        for n in range(MATTERS):
            for owner in owners:
                await self.emulator.says(owner, f"诉求 第{n}件：车间停电")


async def until(holds: object, seconds: float = 30.0) -> None:
    """Wait until this is so."""
    async with asyncio.timeout(seconds):
        while not holds():  # type: ignore[operator]  # noqa: ASYNC110 - another process has no event to wait for
            await asyncio.sleep(0.02)


async def test_a_stop_amid_slow_sends_open_pages_and_a_long_poll_takes_ten_seconds_at_most_and_loses_nothing(
    tmp_path: Path,
) -> None:
    async with TelegramEmulator() as emulator:
        trial = Trial(tmp_path, emulator)
        await trial.furnish()
        await trial.speak()
        hanging = emulator.fault("sendMessage", answer="hang", times=4)
        emulator.fault("sendMessage", delay=1.0, times=40)
        async with trial.running() as process:
            await until(lambda: hanging.met >= 2 and len(emulator.sent) >= 10)
            async with trial.stream() as stream:
                begun = machine_seconds()
                process.send_signal(signal.SIGTERM)
                code = await asyncio.wait_for(process.wait(), 30)
                taken = machine_seconds() - begun
                await _drain(stream)
            assert process.stderr is not None
            said = (await process.stderr.read()).decode()
        assert (code, taken < MOST_SECONDS) == (0, True), (code, taken, said[-2000:])
        assert "Traceback" not in said
        emulator.core.faults.waiting.clear()
        async with trial.running():
            await until(lambda: not emulator.unconfirmed and trial.count("state IN ('pending', 'sending')") == 0, 60)
        told = Counter((sent.chat_id, sent.text) for sent in emulator.sent if sent.method == "sendMessage")
        assert {key: n for key, n in told.items() if n > 1} == {}
        assert sum(told.values()) == trial.count("state = 'sent'") >= 2 * FIRMS * MATTERS
        assert trial.count("state <> 'sent'") == 0


async def _drain(stream: httpx.Response) -> None:
    """The page is told that it is over, one way or the other."""
    try:
        async for _ in stream.aiter_raw():
            pass
    except httpx.RemoteProtocolError:
        return
