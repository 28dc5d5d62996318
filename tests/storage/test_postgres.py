"""The PostgreSQL backend: units side by side, each in its own transaction, and what stands between them."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from domain.notices import Lane
from domain.people import Purpose, Role
from storage import binding, chats, delivery, inbox, invites, locks, outbox, people
from storage.database import Database, Tx
from storage.errors import ConstraintViolated, StorageUnavailable
from storage.outbox import Letter
from storage.postgres_connection import connect
from storage.postgres_text import numbered
from storage.remembered import TABLES
from tests import making
from tests.backends import Backend, current, open_bare, open_house
from tests.making import civil
from tests.storage.notes import bodies, make_tables, owe_to_nobody, together, write

BACKENDS = ("postgres",)
AT = civil("2026-03-11 09:00")
LONG = 5.0  # seconds; who waits so long waits in vain


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    opened = await open_bare(connections=8)
    await opened.transaction(make_tables)
    yield opened
    await opened.close()


@pytest.fixture
async def house() -> AsyncIterator[Database]:
    opened = await open_house(connections=8)
    yield opened
    await opened.close()


class Meeting:
    """Lets one unit stop amid its work until the test says go on; units run in threads, so they may block."""

    def __init__(self) -> None:
        self._arrived = threading.Event()
        self._go = threading.Event()

    def stop_here(self) -> None:
        """Say that one has come so far, and wait; a second run of the unit goes straight through."""
        self._arrived.set()
        assert self._go.wait(LONG)

    async def arrived(self) -> None:
        """Until a unit has stopped."""
        assert await asyncio.to_thread(self._arrived.wait, LONG)

    def go_on(self) -> None:
        """Let it, and whoever comes later, go on."""
        self._go.set()


async def waits(task: asyncio.Task[Any]) -> bool:
    """Whether a unit is held up; one that is free ends within a fraction of this."""
    await asyncio.wait({task}, timeout=0.3)
    return not task.done()


class TestText:
    @pytest.mark.parametrize(
        "sql,text,names",
        [
            ("SELECT :a, :b, :a", "SELECT $1, $2, $3", ("a", "b", "a")),
            ("SELECT x::text FROM t WHERE y = :y", "SELECT x::text FROM t WHERE y = $1", ("y",)),
            ("SELECT ':a', 'it''s :b', :c", "SELECT ':a', 'it''s :b', $1", ("c",)),
            (r"SELECT E'\':a', :b", r"SELECT E'\':a', $1", ("b",)),
            ('SELECT ":a" FROM t -- :b\n, :c', 'SELECT ":a" FROM t -- :b\n, $1', ("c",)),
            ("SELECT /* :a\n:b */ :c", "SELECT /* :a\n:b */ $1", ("c",)),
            ("SELECT $$ :a $$, $x$ :b $x$, :c", "SELECT $$ :a $$, $x$ :b $x$, $1", ("c",)),
            ("SELECT a[1:2], b LIKE '5%' AND :c > 1", "SELECT a[1:2], b LIKE '5%' AND $1 > 1", ("c",)),
        ],
    )
    def test_parameters_are_numbered_and_nothing_else_is_touched(
        self, sql: str, text: str, names: tuple[str, ...]
    ) -> None:
        assert numbered(sql) == (text.encode(), names)


class TestValues:
    async def test_they_come_back_as_they_do_from_sqlite(self, database: Database) -> None:
        given = {"yes": True, "big": 1 << 60, "text": "甲'\\%:x", "none": None, "bytes": b"\0\xff'"}
        row = await database.transaction(
            lambda tx: tx.one(
                """SELECT :yes AS yes, :big AS big, :text AS text, CAST(:none AS BIGINT) AS none, :bytes AS bytes,
                   1 = 2 AS no, (SELECT SUM(x) FROM (VALUES (:big), (1)) v(x)) AS sum, AVG(1) AS avg""",
                given,
            )
        )
        assert row == {**given, "yes": 1, "no": 0, "sum": (1 << 60) + 1, "avg": 1}
        assert all(type(row[name]) is int for name in ("yes", "no", "sum"))

    async def test_a_character_that_it_cannot_keep_is_shown_as_such(self, database: Database) -> None:
        await database.transaction(write("a\0b"))
        assert await bodies(database) == ["a\ufffdb"]


class TestErrors:
    async def test_what_a_row_holds_is_not_told(self, database: Database) -> None:
        await database.transaction(write("13800000000"))
        with pytest.raises(ConstraintViolated, match="UNIQUE") as told:
            await database.transaction(write("13800000000"))
        assert "138" not in repr(told.value)
        assert told.value.__cause__ is None

    async def test_a_mistake_in_the_sql_stays_a_mistake(self, database: Database) -> None:
        with pytest.raises(psycopg.errors.UndefinedTable):
            await database.transaction(lambda tx: tx.all("SELECT * FROM nowhere"))

    async def test_a_reference_that_is_checked_at_the_commit_breaks_it(self, database: Database) -> None:
        results = await together(database, write("a"), owe_to_nobody, write("b"))
        assert isinstance(results[1], ConstraintViolated)
        assert sorted(await bodies(database)) == ["a", "b"]

    async def test_an_error_that_was_swallowed_still_keeps_the_unit_from_being_committed(
        self, database: Database
    ) -> None:
        async def unit(tx: Tx) -> None:
            await tx.run("INSERT INTO notes (body) VALUES ('gone')")
            with suppress(ConstraintViolated):
                await tx.run("INSERT INTO notes (body) VALUES (NULL)")

        with pytest.raises(ConstraintViolated):
            await database.transaction(unit)
        assert await bodies(database) == []

    async def test_one_caught_outside_a_savepoint_leaves_the_unit_whole(self, database: Database) -> None:
        async def unit(tx: Tx) -> None:
            with suppress(ConstraintViolated):
                async with tx.savepoint():
                    await tx.run("INSERT INTO notes (body) VALUES (NULL)")
            await tx.run("INSERT INTO notes (body) VALUES ('kept')")

        await database.transaction(unit)
        assert await bodies(database) == ["kept"]

    async def test_a_server_that_is_not_there_is_told_without_the_password(self) -> None:
        with pytest.raises(StorageUnavailable, match="cannot be reached") as told:
            connect("postgresql://lianqi:secret@127.0.0.1:1/lianqi")
        assert "secret" not in str(told.value)


class TestSessions:
    async def test_a_session_that_was_ended_between_units_is_opened_anew_unnoticed(self, database: Database) -> None:
        await asyncio.gather(*(bodies(database) for _ in range(16)))
        await end_other_sessions()
        assert await together(database, *(write(f"n{n}") for n in range(16))) == [1] * 16

    async def test_one_that_was_ended_amid_a_unit_has_it_run_again(self, database: Database) -> None:
        meeting, runs = Meeting(), []

        async def unit(tx: Tx) -> None:
            runs.append(1)
            await tx.run("INSERT INTO notes (body) VALUES ('once')")
            meeting.stop_here()
            await tx.all("SELECT 1")

        task = asyncio.create_task(database.transaction(unit))
        await meeting.arrived()
        await end_other_sessions()
        meeting.go_on()
        await task
        assert len(runs) == 2
        assert await bodies(database) == ["once"]

    async def test_a_commit_is_durable_whatever_the_database_says(self, database: Database) -> None:
        row = await database.reading(lambda tx: tx.one("SELECT current_setting('synchronous_commit') AS it"))
        assert row == {"it": "on"}

    async def test_a_frozen_process_does_not_keep_its_locks(self, database: Database) -> None:
        row = await database.transaction(
            lambda tx: tx.one("SELECT current_setting('idle_in_transaction_session_timeout') AS it")
        )
        assert row == {"it": "10s"}

    async def test_closing_finishes_what_was_handed_in(self, backend: Backend) -> None:
        url = "sqlite:///closing.db"
        opened = await open_bare(url, connections=4)
        await opened.transaction(make_tables)
        tasks = [asyncio.create_task(opened.transaction(write(f"n{n}"))) for n in range(40)]
        await asyncio.sleep(0)
        await opened.close()
        assert await asyncio.gather(*tasks) == [1] * 40
        with pytest.raises(StorageUnavailable, match="closed"):
            await bodies(opened)


async def end_other_sessions() -> None:
    """As a server does that is restarted."""

    async def unit(tx: Tx) -> None:
        await tx.all(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'lianqi'"""
        )

    (url,) = current()._made.values()
    operator = await open_bare(next(iter(current()._made)))
    await operator.transaction(unit)
    await operator.close()
    assert url


class TestSideBySide:
    async def test_units_do_not_wait_for_each_other(self, database: Database) -> None:
        all_in = threading.Barrier(8)

        async def unit(tx: Tx) -> None:
            await tx.all("SELECT 1")
            all_in.wait(LONG)

        await asyncio.gather(*(database.transaction(unit) for _ in range(8)))

    async def test_who_read_before_another_wrote_does_not_overwrite_him(self, database: Database) -> None:
        """The conditional update waits for the other transaction and then looks again."""
        await database.transaction(write("v1"))
        meeting = Meeting()
        conditional = "UPDATE notes SET body = :new WHERE body = :old"

        async def first(tx: Tx) -> int:
            changed = await tx.run(conditional, {"old": "v1", "new": "v2"})
            meeting.stop_here()
            return changed

        one = asyncio.create_task(database.transaction(first))
        await meeting.arrived()
        two = asyncio.create_task(database.transaction(lambda tx: tx.run(conditional, {"old": "v1", "new": "v3"})))
        assert await waits(two)
        meeting.go_on()
        assert (await one, await two) == (1, 0)

    async def test_two_that_wait_for_each_other_both_come_through(self, database: Database) -> None:
        await together(database, write("a"), write("b"))
        both_hold_one = threading.Barrier(2)
        runs: list[str] = []

        def crossing(*order: str) -> Callable[[Tx], Awaitable[None]]:
            async def unit(tx: Tx) -> None:
                runs.append(order[0])
                await tx.run("UPDATE notes SET body = body WHERE body = :b", {"b": order[0]})
                if len(runs) <= 2:
                    both_hold_one.wait(LONG)
                await tx.run("UPDATE notes SET body = body WHERE body = :b", {"b": order[1]})

            return unit

        await asyncio.gather(database.transaction(crossing("a", "b")), database.transaction(crossing("b", "a")))
        assert len(runs) == 3  # one gave way and ran again

    async def test_who_meets_a_row_that_was_not_there_a_moment_ago_looks_again(self, database: Database) -> None:
        meeting = Meeting()

        async def insert_unless_there(tx: Tx) -> bool:
            if await tx.one("SELECT id FROM notes WHERE body = 'only'"):
                return False
            await tx.run("INSERT INTO notes (body) VALUES ('only')")
            meeting.stop_here()
            return True

        one = asyncio.create_task(database.transaction(insert_unless_there))
        await meeting.arrived()
        two = asyncio.create_task(database.transaction(insert_unless_there))
        assert await waits(two)
        meeting.go_on()
        assert (await one, await two) == (True, False)

    async def test_a_reading_sees_one_state(self, database: Database) -> None:
        meeting = Meeting()

        async def unit(tx: Tx) -> list[int]:
            before = len(await tx.all("SELECT 1 AS x FROM notes"))
            meeting.stop_here()
            return [before, len(await tx.all("SELECT 1 AS x FROM notes"))]

        reading = asyncio.create_task(database.reading(unit))
        await meeting.arrived()
        await database.transaction(write("meanwhile"))
        meeting.go_on()
        assert await reading == [0, 0]


class TestTakingTurns:
    async def test_who_queues_up_comes_after_the_commit_of_the_one_before(self, database: Database) -> None:
        meeting = Meeting()

        async def first(tx: Tx) -> None:
            await locks.queue_up(tx, "the well")
            await tx.run("INSERT INTO notes (body) VALUES ('first')")
            meeting.stop_here()

        async def second(tx: Tx) -> int:
            await locks.queue_up(tx, "the well")
            return len(await tx.all("SELECT 1 AS x FROM notes"))

        one = asyncio.create_task(database.transaction(first))
        await meeting.arrived()
        assert not await database.transaction(lambda tx: locks.is_free(tx, "the well"))
        assert await database.transaction(lambda tx: locks.is_free(tx, "another well"))
        two = asyncio.create_task(database.transaction(second))
        assert await waits(two)
        meeting.go_on()
        await one
        assert await two == 1

    async def test_a_message_in_hand_is_passed_over_and_free_again_when_that_fails(self, house: Database) -> None:
        entry = await house.transaction(lambda tx: inbox.keep(tx, "web", "web", "1", "room", {"text": "x"}, AT))
        assert entry is not None
        meeting = Meeting()

        async def fails(tx: Tx) -> None:
            assert await inbox.claim(tx, entry, AT)
            meeting.stop_here()
            raise KeyError

        one = asyncio.create_task(house.transaction(fails))
        await meeting.arrived()
        assert await house.transaction(lambda tx: inbox.claim(tx, entry, AT)) is None
        meeting.go_on()
        with pytest.raises(KeyError):
            await one
        assert await house.transaction(lambda tx: inbox.claim(tx, entry, AT)) is not None

    async def test_of_two_pumps_one_gets_the_row_and_the_next_row_waits(self, house: Database) -> None:
        chat = await house.transaction(lambda tx: making.make_group(tx, Purpose.LIAISON, name="群"))
        for word in ("甲", "乙"):
            letter = Letter(chat, "watch.undelivered", {"cause": word}, lane=Lane.CASE)
            await house.transaction(lambda tx, letter=letter: outbox.owe(tx, letter, at=AT))  # type: ignore[misc]  # mypy cannot type a lambda with a default
        heads = await house.reading(lambda tx: delivery.heads(tx, ["web"], AT, AT))
        assert len(heads) == 1
        claims = await asyncio.gather(
            *(house.transaction(lambda tx: delivery.claim(tx, heads[0][0], AT)) for _ in range(8))
        )
        assert sum(claim is not None for claim in claims) == 1
        assert await house.reading(lambda tx: delivery.heads(tx, ["web"], AT, AT)) == []

    async def test_a_claimer_who_was_followed_by_another_writes_nothing_any_more(self, house: Database) -> None:
        chat = await house.transaction(lambda tx: making.make_group(tx, Purpose.LIAISON, name="群"))
        row = await house.transaction(lambda tx: outbox.owe(tx, Letter(chat, "watch.undelivered", {}), at=AT))
        assert row is not None
        old = await house.transaction(lambda tx: delivery.claim(tx, row, AT))
        assert old is not None
        later = AT + timedelta(seconds=61)
        assert [owed.id for owed in await house.reading(lambda tx: delivery.abandoned(tx, AT, started=True))] == []
        assert [owed.id for owed in await house.reading(lambda tx: delivery.abandoned(tx, later))] == [row]
        assert await house.transaction(lambda tx: delivery.put_back(tx, old, later, "gone", doubt=True))
        new = await house.transaction(lambda tx: delivery.claim(tx, row, later))
        assert new is not None
        for unit in (
            lambda tx: delivery.mark(tx, old, "sent", at=later),
            lambda tx: delivery.put_back(tx, old, later, "late"),
            lambda tx: delivery.renew(tx, old, later),
            lambda tx: delivery.part_arrived(tx, old, "7", bears_keys=False),
        ):
            assert not await house.transaction(unit)
        assert await house.transaction(lambda tx: delivery.mark(tx, new, "sent", at=later))

    async def test_numbers_in_a_chat_become_visible_in_their_order(self, house: Database) -> None:
        chat = await house.transaction(lambda tx: making.make_group(tx, Purpose.LIAISON, name="群"))
        meeting = Meeting()

        async def slow(tx: Tx) -> None:
            await outbox.owe(tx, Letter(chat, "watch.undelivered", {}), at=AT)
            meeting.stop_here()

        one = asyncio.create_task(house.transaction(slow))
        await meeting.arrived()
        two = asyncio.create_task(
            house.transaction(lambda tx: outbox.owe(tx, Letter(chat, "watch.undelivered", {}), at=AT))
        )
        assert await waits(two)
        meeting.go_on()
        await asyncio.gather(one, two)
        rows = await house.reading(lambda tx: tx.all("SELECT id, seq FROM outbox ORDER BY seq"))
        assert [row["seq"] for row in rows] == [1, 2]
        assert rows[1]["id"] == await two

    async def test_a_chats_move_told_of_at_both_its_ends_is_one_move(self, house: Database) -> None:
        chat = await house.transaction(lambda tx: making.make_group(tx, Purpose.LIAISON, name="群"))
        before = await house.reading(lambda tx: people.chat(tx, chat))
        channel, old = before.channel, before.external_id
        moved = await asyncio.gather(
            *(house.transaction(lambda tx: chats.move(tx, channel, old, "-100", AT)) for _ in range(6))
        )
        assert sorted(moved) == [False] * 5 + [True]
        after = await house.reading(lambda tx: people.chat(tx, chat))
        assert (after.external_id, after.approved) == ("-100", True)

    async def test_a_code_is_good_once_however_many_use_it_at_once(self, house: Database) -> None:
        async def prepare(tx: Tx) -> tuple[str, list[int]]:
            person = await people.person(tx, await making.make_person(tx, "王敏", Role.LIAISON), AT)
            assert person is not None
            accounts = [await people.meet(tx, "web", f"u{n}", f"客{n}") for n in range(6)]
            return await invites.make(tx, person, AT), accounts

        code, accounts = await house.transaction(prepare)
        redeemed = await asyncio.gather(
            *(house.transaction(lambda tx, a=account: invites.redeem(tx, code, a, AT)) for account in accounts)  # type: ignore[misc]  # as above
        )
        assert sum(invited is not None for invited in redeemed) == 1

    async def test_asking_twice_at_once_is_one_request(self, house: Database) -> None:
        async def prepare(tx: Tx) -> tuple[int, int, int]:
            firm = await making.make_enterprise(tx, "宏达机械有限公司")
            account = await people.meet(tx, "web", "u", "客")
            return account, firm, await making.make_group(tx, Purpose.LIAISON, name="群")

        account, firm, chat = await house.transaction(prepare)
        asked = await asyncio.gather(
            *(house.transaction(lambda tx: binding.ask(tx, account, firm, chat, AT)) for _ in range(4))
        )
        assert sorted(new for _, new in asked) == [False, False, False, True]
        assert len({request.id for request, _ in asked}) == 1


class TestRoster:
    async def test_every_table_that_is_kept_tells_all_processes_of_its_changes(self, house: Database) -> None:
        rows = await house.reading(
            lambda tx: tx.all("SELECT tgrelid::regclass::text AS name FROM pg_trigger WHERE tgname LIKE '%_noted'")
        )
        assert {row["name"] for row in rows} == set(TABLES)

    async def test_what_was_read_before_a_change_is_not_kept_after_it(self, house: Database) -> None:
        """A unit that began before a commit must not leave its old reading to those that begin after it."""
        wang = await house.transaction(lambda tx: making.make_person(tx, "王敏", Role.LIAISON))
        meeting = Meeting()

        async def slow(tx: Tx) -> None:
            await people.person(tx, wang, AT)
            meeting.stop_here()
            await people.people_with(tx, Role.CHIEF, AT)

        reader = asyncio.create_task(house.transaction(slow))
        await meeting.arrived()
        await house.transaction(lambda tx: tx.run("UPDATE people SET name = '王小敏' WHERE id = :id", {"id": wang}))
        found = await house.transaction(lambda tx: people.person(tx, wang, AT))
        meeting.go_on()
        await reader
        again = await house.transaction(lambda tx: people.person(tx, wang, AT))
        assert [each and each.name for each in (found, again)] == ["王小敏", "王小敏"]


class TestWire:
    async def test_a_commit_wakes_the_other_processes_and_not_its_own(self) -> None:
        ours, theirs = [await open_house("sqlite:///shared.db") for _ in range(2)]
        rung, own = asyncio.Event(), asyncio.Event()
        theirs.watch(rung.set)
        ours.watch(own.set)
        async with asyncio.timeout(LONG):
            for each in (rung, own):
                await each.wait()  # at the beginning, as words may have been missed
                each.clear()
            await ours.transaction(commit_of_note)
            await rung.wait()
        await asyncio.sleep(0.05)
        assert not own.is_set()
        for database in (ours, theirs):
            await database.close()

    async def test_it_goes_on_after_its_session_was_ended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("storage.postgres_wire.AGAIN_SECONDS", 0.01)
        ours, theirs = [await open_house("sqlite:///shared.db") for _ in range(2)]
        rung = asyncio.Event()
        theirs.watch(rung.set)
        async with asyncio.timeout(LONG):
            await rung.wait()
            rung.clear()
            await end_other_sessions()
            await rung.wait()  # it listens again
            rung.clear()
            await ours.transaction(commit_of_note)
            await rung.wait()
        for database in (ours, theirs):
            await database.close()


async def commit_of_note(tx: Tx) -> None:
    tx.on_commit(lambda: None)
