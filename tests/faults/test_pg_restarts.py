"""PostgreSQL stopped and started under load: nothing that was acknowledged is lost, and all goes on by itself."""

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.app import App, Park
from bot.channel import Abilities, Desk, NotKept, Update
from bot.channels.memory import MemoryChannel
from bot.civil import CivilClock
from storage.database import Database
from storage.open import open_database
from tests import making, needs
from tests.faults.burst import MORNING, at_rest
from tests.pgserver import Server, durable_server
from tests.stories.town import people_the_town
from tests.summary import Tally
from texts import Catalogue

BACKENDS = ("postgres",)
RESTARTS = needs.count(2, 50)
WRITERS = 4
RECOVERED_WITHIN = 2.0
pytestmark = [
    pytest.mark.xdist_group("heavy"),
    pytest.mark.needs("pg"),
    pytest.mark.timeout(120 if not needs.full() else 1200),
]


def seconds() -> float:
    return time.monotonic()  # noqa: TID251 - how long something really takes is what is asked


class Quiet(MemoryChannel):
    """Brings nothing by itself."""

    async def run(self, desk: Desk) -> None:
        await asyncio.get_running_loop().create_future()


@dataclass
class Load:
    """What the writers were told is received, and when."""

    acked: list[tuple[str, float]] = field(default_factory=list)
    stopping: bool = False

    async def write(self, desk: Desk, writer: int) -> None:
        """Bring one message after the other, each again until it is received."""
        number = 0
        while not self.stopping:
            number += 1
            update = f"{writer}-{number:05}"
            body = {"message_id": update, "chat": f"private:w{writer}", "private": True, "sender": f"w{writer}",
                    "sender_name": f"w{writer}", "text": "进度"}  # fmt: skip
            await self._bring(desk, Update(update, str(body["chat"]), body))
            self.acked.append((update, seconds()))

    async def _bring(self, desk: Desk, update: Update) -> None:
        while True:
            try:
                return await desk.receive("memory", "memory", [update])
            except NotKept:
                await asyncio.sleep(0.02)

    async def more(self, count: int) -> None:
        """Until so many more were received."""
        wanted = len(self.acked) + count
        while len(self.acked) < wanted:  # noqa: ASYNC110 - writers ring no event
            await asyncio.sleep(0.01)


async def restart_often(server: Server, load: Load, dice: random.Random) -> list[float]:
    """Stop and start it, now politely, now as a crash; how long after each start the first message was received."""
    gaps = []
    for turn in range(RESTARTS):
        await load.more(dice.randint(10, 40))
        await asyncio.to_thread(server.stop, "immediate" if turn % 2 == 0 else "fast")
        await asyncio.sleep(dice.uniform(0, 0.05))
        await asyncio.to_thread(server.start)
        back = seconds()
        await load.more(1)
        gaps.append(next(at for _, at in load.acked if at >= back) - back)
    return gaps


async def test_nothing_is_lost_and_all_goes_on_within_two_seconds(
    record_property: Callable[[str, object], None], caplog: pytest.LogCaptureFixture, tally: Tally
) -> None:
    with durable_server() as server:
        database = await open_database(server.dsn("postgres"))
        await database.transaction(people_the_town)
        channel, load = Quiet(Abilities(edits=False)), Load()
        park = Park(making.make_rules(), Catalogue.load(strict=True))
        clock = CivilClock(lambda: MORNING, MORNING, frozen=True)
        app = App(park, database, {"memory": channel}, civil=clock)
        running = asyncio.create_task(app.run())
        writers = [asyncio.create_task(load.write(app.desk, writer)) for writer in range(WRITERS)]
        gaps = await restart_often(server, load, random.Random(7))
        load.stopping = True
        await asyncio.gather(*writers)
        await until_rest(database)
        received = {row["external_id"] for row in await database.reading(lambda tx: tx.all("SELECT * FROM inbox"))}
        sent = Counter(parcel.reply_to for parcel in channel.sent)
        states = {row["state"] for row in await database.reading(lambda tx: tx.all("SELECT state FROM outbox"))}
        running.cancel()
        await asyncio.wait({running})
        await database.close()
    told = f"{RESTARTS} restarts, {len(load.acked)} messages acknowledged, longest gap {max(gaps):.2f} s"
    record_property("restarts", told)
    tally("R15", RESTARTS)
    sys.stdout.write(told + "\n")
    acked = {update for update, _ in load.acked}
    assert acked - received == set()
    assert acked - sent.keys() == set()
    assert states == {"sent"}
    assert max(gaps) <= RECOVERED_WITHIN
    assert "lianqi@" not in caplog.text


async def until_rest(database: Database) -> None:
    """Until all is handled and answered."""
    async with asyncio.timeout(60):
        while not await at_rest(database):  # noqa: ASYNC110 - nothing rings when all is still
            await asyncio.sleep(0.02)


def test_the_server_of_a_test_is_gone_afterwards() -> None:
    with durable_server() as server:
        folder = server.folder
        assert server.is_there()
    assert not Path(folder).exists()
