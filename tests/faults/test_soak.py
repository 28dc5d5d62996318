"""A long day of talk: memory and open files stay what they were once the program has got going."""

import gc
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.app import App
from bot.channel import Parcel
from bot.channels.memory import MemoryChannel
from bot.civil import CivilClock
from storage.open import open_database
from tests import needs
from tests.bot.posthouse import Clock
from tests.conftest import Tally
from tests.faults.crashing import PARK
from tests.making import civil
from tests.stories.town import people_the_town

HOURS = needs.count(1, 24)
AN_HOUR = 300
"""Messages: of more than a park says in its busiest hour."""
MOST_GROWTH = 6.0 if not needs.full() else 24.0
"""Megabytes: a megabyte an hour, and in a single hour what caches still take."""
MORNING = civil("2026-03-11 09:00")

pytestmark = [pytest.mark.xdist_group("soak"), pytest.mark.timeout(needs.count(120, 1800))]


class Forgetful(MemoryChannel):
    """Keeps nothing of what was sent."""

    async def send(self, parcel: Parcel) -> str:
        """Count, and forget."""
        return f"out-{parcel.id}"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    database = await open_database(f"sqlite:///{tmp_path}/house.db")
    await database.transaction(people_the_town)
    machine = Clock(MORNING)
    yield App(PARK, database, {"memory": Forgetful()}, civil=CivilClock(machine, MORNING, frozen=True), machine=machine)
    await database.close()


def held() -> tuple[float, int]:
    """Megabytes that the process holds, and its open files."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20, len(list(Path("/proc/self/fd").iterdir()))


async def talk(app: App, hour: int) -> None:
    """An hour of it: matters are filed, asked after, worked on and done."""
    channel = app.channels["memory"]
    assert isinstance(channel, MemoryChannel)
    lines = ("张建国", "诉求 路灯不亮"), ("王敏", "待办"), ("张建国", "我的"), ("王敏", "在吗"), ("陈和顺", "进度")
    for number in range(AN_HOUR):
        who, text = lines[number % len(lines)]
        body = {"chat": f"private:{who}", "private": True, "sender": who, "sender_name": who, "text": text}
        await channel.say(app.desk, {**body, "message_id": f"{hour}-{number}"})
        if number % 10 == 0:
            await app.step_to(app.civil() + timedelta(hours=1) * 10 / AN_HOUR)
    await app.settle()


async def test_memory_and_open_files_do_not_grow(app: App, tally: Tally) -> None:
    await talk(app, 0)
    before, files = held()
    for hour in range(1, HOURS + 1):
        await talk(app, hour)
    after, files_after = held()
    tally("R17, hours", HOURS)
    assert files_after <= files
    assert after - before < MOST_GROWTH
