import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.clock import EVERY_SECONDS, Bell
from domain.rules import Rules
from handlers.jobs import Job
from storage import turns
from storage.database import Database, Tx
from storage.errors import StorageUnavailable
from tests.backends import open_house
from tests.bot.posthouse import MORNING, RULES, Clock
from tests.errors import ExpectedErrors


class Chores:
    """A job over the keys 0..n: each is done once, by its turn; some of them fail, or stay due after they were done."""

    def __init__(self, many: int, *, page: int = 1000, bad: Sequence[int] = (), sticky: Sequence[int] = ()) -> None:
        self.many, self.page, self.bad, self.sticky = many, page, set(bad), set(sticky)
        self.tried: list[int] = []
        self.job = Job("chores", self._due, self._work, self._upcoming)

    async def _due(self, tx: Tx, _: Rules, at: datetime) -> Sequence[str]:
        done = await turns.taken(tx, "chores")
        return [str(key) for key in range(self.many) if str(key) not in done][: self.page]

    async def _work(self, tx: Tx, _: Rules, at: datetime, key: str) -> None:
        self.tried.append(int(key))
        if int(key) not in self.sticky and not await turns.take(tx, "chores", key, at):
            return
        if int(key) in self.bad:
            raise ZeroDivisionError

    async def _upcoming(self, tx: Tx, _: Rules, at: datetime) -> datetime | None:
        return MORNING + timedelta(hours=self.many)


class Office:
    """A bell over a database in memory; `rung` counts the commits that it passed on."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.civil = Clock()
        self.rung = 0

    def bell(self, *chores: Chores, at_start: Chores | None = None) -> Bell:
        jobs = [each.job for each in chores]
        first = [at_start.job] if at_start else []
        return Bell(self.database, RULES, jobs, civil=self.civil, done=self._count, at_start=first)

    def _count(self) -> None:
        self.rung += 1

    async def done(self) -> int:
        return len(await self.database.reading(lambda tx: turns.taken(tx, "chores")))


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    database = await open_house("sqlite:///:memory:")
    yield Office(database)
    await database.close()


async def test_all_that_is_due_is_done_once_page_by_page(office: Office) -> None:
    chores = Chores(500, page=200)
    bell = office.bell(chores)
    assert await bell.ring() == 500
    assert await bell.ring() == 0
    assert chores.tried == list(range(500))


async def test_what_belongs_to_the_start_is_looked_at_once_and_before_all_others(office: Office) -> None:
    first, chores = Chores(1), Chores(2)
    bell = office.bell(chores, at_start=first)
    await bell.ring()
    first.many = 3
    await bell.ring()
    assert (first.tried, chores.tried) == ([0], [1])  # of the keys that both know the start took the first


async def test_what_fails_at_the_start_is_tried_again_at_the_next_ring(
    office: Office, expected_errors: ExpectedErrors
) -> None:
    expected_errors.expect("job chores failed at 0")
    first = Chores(1, bad=[0])
    bell = office.bell(at_start=first)
    await bell.ring()
    first.bad.clear()
    for _ in range(3):
        await bell.ring()
    assert first.tried == [0, 0]


async def test_a_key_that_fails_is_tried_once_a_ring_and_keeps_nobody_waiting(
    office: Office, expected_errors: ExpectedErrors
) -> None:
    expected_errors.expect("job chores failed at 3")
    chores = Chores(50, page=10, bad=[3])
    assert await office.bell(chores).ring() == 49
    assert chores.tried == list(range(50))
    assert await office.done() == 49


async def test_a_ring_that_only_fails_reports_nothing_done(office: Office, expected_errors: ExpectedErrors) -> None:
    """Else whoever lets the program come to rest would wait for ever."""
    expected_errors.expect("job chores failed at 0")
    bell = office.bell(Chores(1, bad=[0]))
    assert [await bell.ring(), await bell.ring()] == [0, 0]


async def test_a_key_that_stays_due_after_its_work_is_done_does_not_ring_for_ever(office: Office) -> None:
    chores = Chores(3, sticky=[1])
    bell = office.bell(chores)
    assert await bell.ring() == 2
    assert await bell.ring() == 0
    assert chores.tried == [0, 1, 2, 1]


async def test_a_key_that_failed_is_found_again_by_the_next_ring(
    office: Office, expected_errors: ExpectedErrors
) -> None:
    expected_errors.expect("job chores failed at 0")
    chores = Chores(1, bad=[0])
    bell = office.bell(chores)
    await bell.ring()
    chores.bad.clear()
    assert await bell.ring() == 1
    assert await office.done() == 1


async def test_a_bug_that_comes_back_with_every_ring_is_logged_ever_more_seldom(
    office: Office, expected_errors: ExpectedErrors
) -> None:
    expected_errors.expect("job chores failed at 0")
    bell = office.bell(Chores(1, bad=[0]))
    for _ in range(100):
        await bell.ring()
    assert len(expected_errors.lines) == 7


async def test_a_job_that_cannot_even_look_keeps_no_other_waiting(
    office: Office, expected_errors: ExpectedErrors
) -> None:
    expected_errors.expect("job chores failed at ")
    blind, sound = Chores(1), Chores(2)

    async def cannot(tx: Tx, _: Rules, at: datetime) -> Sequence[str]:
        raise ZeroDivisionError

    blind.job = Job("chores", cannot, sound.job.work, sound.job.upcoming)
    assert await office.bell(blind, sound).ring() == 2


async def test_two_bells_do_each_piece_of_work_once(office: Office) -> None:
    chores = Chores(40, page=7)
    await asyncio.gather(office.bell(chores).ring(), office.bell(chores).ring())
    assert await office.done() == 40


async def test_each_commit_wakes_the_pump(office: Office, expected_errors: ExpectedErrors) -> None:
    expected_errors.expect("job chores failed at 1")
    await office.bell(Chores(3, bad=[1])).ring()
    assert office.rung == 2


async def test_a_bell_outlives_storage_that_cannot_work_without_an_error_line(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def locked(unit: object) -> object:
        raise StorageUnavailable("locked")

    chores = Chores(2)
    bell = office.bell(chores)
    with monkeypatch.context() as locking:
        locking.setattr(office.database, "transaction", locked)
        await bell.ring_safely()
    assert "the clock waits: locked" in caplog.text
    await bell.ring_safely()
    assert await office.done() == 2


async def test_the_next_moment_is_the_earliest_of_all_jobs_and_of_what_waits_for_its_hour(office: Office) -> None:
    bell = office.bell(Chores(3), Chores(2))
    assert await bell.upcoming(MORNING) == MORNING + timedelta(hours=2)
    assert await bell.upcoming(MORNING + timedelta(hours=2)) == MORNING + timedelta(hours=3)
    assert await bell.upcoming(MORNING + timedelta(hours=3)) is None

    async def owe(tx: Tx) -> None:
        await tx.run("INSERT INTO chats(channel, external_id, private) VALUES ('memory', 'a', 1)")
        due = round((MORNING + timedelta(minutes=30)).timestamp() * 1000)
        await tx.run(
            """INSERT INTO outbox(chat_id, seq, lane, kind, text_key, facts, buttons, written_at, due_at)
               VALUES (1, 1, 1, 'send', 'reply.busy', '{}', '[]', 0, :due)""",
            {"due": due},
        )

    await office.database.transaction(owe)
    assert await bell.upcoming(MORNING) == MORNING + timedelta(minutes=30)


async def test_the_scheduler_rings_every_few_seconds_and_forgets_no_ring_that_came_late(office: Office) -> None:
    scheduler = AsyncIOScheduler()
    office.bell(Chores(1)).hang(scheduler)
    scheduler.start(paused=True)
    (job,) = scheduler.get_jobs()
    assert job.trigger.interval == timedelta(seconds=EVERY_SECONDS)
    assert (job.coalesce, job.misfire_grace_time, job.max_instances) == (True, None, 1)
    scheduler.shutdown(wait=False)


async def test_a_scheduler_whose_clock_was_set_back_is_not_waited_for(office: Office) -> None:
    scheduler = AsyncIOScheduler(timezone="UTC")
    bell = office.bell(Chores(1))
    rope = bell.hang(scheduler)
    scheduler.start()
    soon = rope.next_run_time
    rope.modify(next_run_time=soon + timedelta(hours=3))
    watching = asyncio.create_task(bell.keep_ringing(rope, patience=0.01))
    async with asyncio.timeout(5):
        while rope.next_run_time > soon + timedelta(minutes=1):  # noqa: ASYNC110 - nothing rings when it is
            await asyncio.sleep(0.005)
    watching.cancel()
    scheduler.shutdown(wait=False)


async def test_a_stop_amid_a_ring_is_no_error(office: Office) -> None:
    """The scheduler would log one, and an operator would look for a bug."""
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def work(tx: Tx, _: Rules, at: datetime, key: str) -> None:
        loop.call_soon_threadsafe(begun.set)
        await tx.all("SELECT 1")

    chores = Chores(200)
    bell = Bell(office.database, RULES, [Job("chores", chores.job.due, work, chores.job.upcoming)], civil=office.civil,
                done=lambda: None)  # fmt: skip
    ringing = asyncio.create_task(bell.ring_safely())
    await begun.wait()
    ringing.cancel()
    await ringing
