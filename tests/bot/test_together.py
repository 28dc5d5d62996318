"""Several processes in one house: whatever one has in hand, the others leave alone, and who ends is followed."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import datetime, timedelta

import pytest

from bot import leasing
from bot.app import App, Park
from bot.channel import Abilities, Desk, Pace, Parcel
from bot.channels.memory import MemoryChannel
from bot.civil import CivilClock
from bot.clock import Bell
from domain.chat import Attachment, LostFile
from domain.errors import Stale
from domain.rules import Rules
from handlers.jobs import Job
from storage import locks, outbox
from storage.database import Database, Tx
from storage.outbox import Letter
from tests import making
from tests.backends import open_house
from tests.bot.posthouse import MORNING, RULES, Clock, until
from tests.making import civil
from tests.stories.town import LADDERS, people_the_town
from texts import Catalogue

BACKENDS = ("postgres",)
CATALOGUE = Catalogue.load(strict=True)


class Wired(MemoryChannel):
    """Connected by nothing; `calm` is a pace that somebody counts, but generously."""

    calm = Pace(overall=1000, chat_seconds=0.0)

    def __init__(self, *, single: bool = False) -> None:
        super().__init__(Abilities(edits=False, pace=None if single else self.calm, single_connection=single))
        self.connected = 0

    async def run(self, desk: Desk) -> None:
        if self.abilities.single_connection:
            await desk.alone("memory:1", self._connect)
        await asyncio.get_running_loop().create_future()

    async def _connect(self) -> None:
        self.connected += 1
        await asyncio.get_running_loop().create_future()


class Process:
    """The program over the house, with a database connection and a channel of its own."""

    def __init__(self, database: Database, channel: MemoryChannel, at: str) -> None:
        self.database = database
        self.channel = channel
        clock = CivilClock(lambda: civil(at), civil(at), frozen=True)
        park = Park(making.make_rules(ladders=LADDERS), CATALOGUE)
        self.app = App(park, database, {"memory": channel}, civil=clock, machine=clock)
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._running = asyncio.create_task(self.app.run())

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
        await self.database.close()


class House:
    """One PostgreSQL and the processes over it."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack

    async def process(self, channel: MemoryChannel | None = None, at: str = "2026-03-11 09:00") -> Process:
        database = await open_house("sqlite:///together.db", connections=4)
        made = Process(database, channel or MemoryChannel(Abilities(edits=False)), at)
        self._stack.push_async_callback(made.stop)
        return made


@pytest.fixture
async def house(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(leasing, "LOOK_SECONDS", 0.02)
    async with AsyncExitStack() as stack:
        made = House(stack)
        await (await made.process()).database.transaction(people_the_town)
        yield made


async def owe(process: Process, word: str) -> None:
    async def unit(tx: Tx) -> None:
        tx.on_commit(process.app.pump.wake)
        row = await tx.one("SELECT id FROM chats WHERE external_id = 'private:张建国'")
        assert row is not None
        facts = {"number": "1", "chat": word, "cause": "-"}
        await outbox.owe(tx, Letter(row["id"], "watch.undelivered", facts), at=civil("2026-03-11 09:00"))

    await process.database.transaction(unit)


async def says(process: Process, who: str, text: str, message_id: str) -> None:
    body = {"chat": f"private:{who}", "private": True, "sender": who, "sender_name": who, "text": text}
    await process.channel.say(process.app.desk, {**body, "message_id": message_id})


def words(*processes: Process) -> list[list[str]]:
    return [[word_of(parcel) for parcel in process.channel.sent] for process in processes]


def word_of(parcel: Parcel) -> str:
    return parcel.text.partition("“")[2].partition("”")[0]


@pytest.mark.parametrize("single", [False, True])
async def test_where_a_platform_counts_or_knows_one_connection_one_process_sends_until_another_follows(
    house: House, single: bool
) -> None:
    first, second = [await house.process(Wired(single=single)) for _ in range(2)]
    first.start()
    await owe(first, "甲")
    await until(lambda: words(first) == [["甲"]])
    second.start()
    for word in ("乙", "丙"):
        await owe(second, word)
    await until(lambda: words(first, second) == [["甲", "乙", "丙"], []])
    await first.stop()
    await owe(second, "丁")
    await until(lambda: words(second) == [["丁"]])


async def test_without_either_all_send_and_each_row_leaves_once(house: House) -> None:
    several = [await house.process() for _ in range(3)]
    for n in range(30):
        await owe(several[n % 3], f"{n}")
    await asyncio.gather(*(process.app.pump.drain() for process in several))
    sent = [word for each in words(*several) for word in each]
    assert Counter(sent) == Counter({f"{n}": 1 for n in range(30)})


async def test_a_message_is_heard_by_one_process(house: House) -> None:
    several = [await house.process() for _ in range(3)]
    for n in range(12):
        for who in ("张建国", "陈和顺"):
            await says(several[n % 3], who, f"诉求 停电{n}", f"{who}{n:02}")
    await asyncio.gather(*(process.app.settle() for process in several))
    rows = await several[0].database.reading(lambda tx: tx.all("SELECT title, number FROM appeals ORDER BY id"))
    assert len({row["number"] for row in rows}) == 24
    for who in ("张建国", "陈和顺"):
        told = [parcel.reply_to for process in several for parcel in process.channel.sent if parcel.chat.endswith(who)]
        replies = [reply for reply in told if reply]
        assert sorted(replies) == [f"{who}{n:02}" for n in range(12)]
    titles = [row["title"] for row in rows]
    assert Counter(titles) == Counter({f"停电{n}": 2 for n in range(12)})
    assert [titles.index(f"停电{n}") for n in range(12)] == sorted(titles.index(f"停电{n}") for n in range(12))


async def test_a_reminder_that_is_due_is_said_once_whoever_rings(house: House) -> None:
    one = await house.process()
    await says(one, "张建国", "诉求 停电", "1")
    await one.app.settle()
    late = [await house.process(at="2026-03-20 10:00") for _ in range(3)]
    await asyncio.gather(*(process.app.settle() for process in late))
    rows = await one.database.reading(
        lambda tx: tx.all("SELECT person_id, text_key FROM outbox WHERE text_key LIKE 'remind.%'")
    )
    assert rows
    assert max(Counter((row["person_id"], row["text_key"]) for row in rows).values()) == 1


async def test_a_key_that_another_process_has_in_hand_is_left_to_it(house: House) -> None:
    one, two = [await house.process() for _ in range(2)]
    begun, go_on, done = threading.Event(), threading.Event(), []

    async def work(tx: Tx, _: Rules, at: datetime, key: str) -> None:
        await tx.all("SELECT 1")
        if not begun.is_set():
            begun.set()
            assert go_on.wait(5)
        done.append(key)

    ringing = asyncio.create_task(bell(one, work).ring())
    assert await asyncio.to_thread(begun.wait, 5)
    await bell(two, work).ring()
    assert done == []
    go_on.set()
    await ringing
    assert done == ["k"]


async def test_a_job_that_comes_too_late_by_a_moment_is_no_error(house: House) -> None:
    async def work(tx: Tx, _: Rules, at: datetime, key: str) -> None:
        raise Stale

    assert await bell(await house.process(), work).ring() == 0


def bell(process: Process, work: object) -> Bell:
    """A bell with one job, whose only key stays due."""

    async def due(tx: Tx, _: Rules, at: datetime) -> Sequence[str]:
        return ["k"]

    async def upcoming(tx: Tx, _: Rules, at: datetime) -> datetime | None:
        return None

    job = Job("chore", due, work, upcoming)  # type: ignore[arg-type]  # a function of the test
    return Bell(process.database, RULES, [job], civil=Clock(MORNING), done=lambda: None)


async def test_the_name_of_a_lock_is_all_that_counts(house: House) -> None:
    database = (await house.process()).database

    async def unit(tx: Tx) -> list[bool]:
        return [await locks.is_free(tx, f"job {n}") for n in range(50)]

    assert all(await database.transaction(unit))


class Slow(MemoryChannel):
    """Its files come when `gate` opens."""

    def __init__(self) -> None:
        super().__init__(Abilities(edits=False))
        self.gate = asyncio.Event()
        self.asked = 0

    async def fetch(self, remote: str, desk: Desk) -> Attachment | LostFile:
        self.asked += 1
        await self.gate.wait()
        return await desk.keep_file(b"\xff\xd8\xff", "x.jpg", "image/jpeg")


async def test_the_files_of_a_message_are_fetched_by_one_process(house: House) -> None:
    channels = [Slow(), Slow()]
    first, second = [await house.process(channel) for channel in channels]
    photo = {"hash": "", "name": "x.jpg", "media_type": "image/jpeg", "remote": "f-1"}
    body = {"chat": "private:张建国", "private": True, "sender": "张建国", "sender_name": "张建国", "text": "诉求 停电"}
    await first.channel.say(first.app.desk, {**body, "message_id": "1", "attachments": [photo]})
    draining = asyncio.create_task(first.app.dispatcher.drain())
    await until(lambda: channels[0].asked == 1)
    await second.app.dispatcher.drain()
    assert channels[1].asked == 0
    channels[0].gate.set()
    await draining
    files = await first.database.reading(lambda tx: tx.all("SELECT name FROM event_files"))
    assert [file["name"] for file in files] == ["x.jpg"]


async def test_after_the_death_of_who_fetched_them_another_does(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.dispatch.RESERVED", timedelta())
    channels = [Slow(), Slow()]
    first, second = [await house.process(channel) for channel in channels]
    photo = {"hash": "", "name": "x.jpg", "media_type": "image/jpeg", "remote": "f-1"}
    body = {"chat": "private:张建国", "private": True, "sender": "张建国", "sender_name": "张建国", "text": "诉求 停电"}
    await first.channel.say(first.app.desk, {**body, "message_id": "1", "attachments": [photo]})
    dying = asyncio.create_task(first.app.dispatcher.run())
    await until(lambda: channels[0].asked == 1)
    dying.cancel()
    channels[1].gate.set()
    await second.app.settle()
    assert channels[1].asked == 1
    assert len(second.channel.sent) > 0
