import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.channel import Update
from bot.channels.memory import MemoryChannel
from bot.desk import FrontDesk
from bot.dispatch import MOST_TRIES, Dispatcher
from domain.errors import Refused, Stale
from domain.people import Role
from domain.verbs import Verb
from handlers.conversation import House
from handlers.router import Ask, Reply, Request, Router
from storage import inbox
from storage.database import Database, Row, Tx
from storage.errors import StorageUnavailable
from tests.backends import open_house
from tests.bot.posthouse import CATALOGUE, RULES, Clock, until
from tests.errors import ExpectedErrors
from tests.stories.town import make

Handler = Callable[[Request], Awaitable[Reply | None]]


class Office:
    """A dispatcher whose one command, 帮助, is what the test makes of it; `order` is what it was asked, in order."""

    def __init__(self, database: Database, handler: Handler | None = None) -> None:
        self.database = database
        self.civil, self.machine = Clock(), Clock()
        self.order: list[str] = []
        self.handler: Handler = handler or self.note
        self.done = 0
        router = Router({Verb.HELP: self._handle}, kept=self._handle)
        house = House(RULES, CATALOGUE.words(), ("联企",), router)
        self.channel = MemoryChannel()
        self.dispatcher = Dispatcher(
            database, house, {"memory": self.channel}, civil=self.civil, machine=self.machine, done=self._count
        )
        self.desk = FrontDesk(database, self.civil, self.dispatcher.wake)

    def _count(self) -> None:
        self.done += 1

    async def _handle(self, request: Request) -> Reply | None:
        return await self.handler(request)

    async def note(self, request: Request) -> Reply | None:
        """Answer, and remember in the database that this was done."""
        await request.tx.run("INSERT INTO kept_messages(account_id, chat_id, body, kept_at) VALUES (:a, :c, :b, 0)",
                             {"a": request.account_id, "c": request.chat.id, "b": request.text})  # fmt: skip
        return Reply("reply.busy")

    async def hears(self, who: str, text: str, **more: Any) -> None:
        """Somebody writes `帮助 text` to the bot."""
        await self.hears_plain(who, f"/帮助 {text}", **more)

    async def hears_plain(self, who: str, text: str, **more: Any) -> None:
        """Somebody writes just that."""
        body = {"chat": who, "private": True, "sender": who, "sender_name": who, "text": text, **more}
        await self.channel.say(self.desk, body)

    async def all(self, sql: str, **params: Any) -> Sequence[Row]:
        return await self.database.reading(lambda tx: tx.all(sql, params))

    async def effects(self) -> list[str]:
        """What was done, in order."""
        return [row["body"] for row in await self.all("SELECT body FROM kept_messages ORDER BY id")]

    async def owed(self) -> list[str]:
        """The keys of what is owed, in order."""
        return [row["text_key"] for row in await self.all("SELECT text_key FROM outbox ORDER BY id")]

    async def states(self) -> list[str]:
        return [row["state"] for row in await self.all("SELECT state FROM inbox ORDER BY id")]


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    database = await open_house("sqlite:///:memory:")
    yield Office(database)
    await database.close()


def breaks(*words: str) -> Handler:
    """A handler with a bug that these words bring out, after it has written something."""

    async def handler(request: Request) -> Reply | None:
        await Office.note(None, request)  # type: ignore[arg-type]  # it needs no office
        if request.text in words:
            raise ZeroDivisionError
        return Reply("reply.busy")

    return handler


async def test_each_message_has_one_effect_and_one_reply(office: Office) -> None:
    for n in range(3):
        await office.hears("甲", str(n))
    assert await office.dispatcher.drain() == 3
    assert await office.dispatcher.drain() == 0
    assert await office.effects() == ["0", "1", "2"]
    assert await office.owed() == ["reply.busy"] * 3


async def test_a_message_that_the_platform_brings_twice_has_one_effect(office: Office) -> None:
    for _ in range(2):
        await office.hears("甲", "x", message_id="m1")
        await office.dispatcher.drain()
    assert await office.effects() == ["x"]


async def test_two_dispatchers_do_each_message_once_and_keep_the_order_of_a_chat(tmp_path: Path) -> None:
    database = await open_house(f"sqlite:///{tmp_path}/x.db")
    first, second = Office(database), Office(database)
    for n in range(20):
        for who in "甲乙丙":
            await first.hears(who, f"{who}{n}")
    await asyncio.gather(first.dispatcher.drain(), second.dispatcher.drain(), first.dispatcher.drain())
    effects = await first.effects()
    for who in "甲乙丙":
        assert [each for each in effects if each.startswith(who)] == [f"{who}{n}" for n in range(20)]
    await database.close()


async def test_64_chats_share_their_rounds_and_each_keeps_its_order(office: Office) -> None:
    for n in range(5):
        for who in range(80):
            await office.hears(f"c{who}", f"{who}.{n}")
    await office.dispatcher.drain()
    effects = await office.effects()
    assert len(effects) == 400
    for who in range(80):
        assert [each for each in effects if each.startswith(f"{who}.")] == [f"{who}.{n}" for n in range(5)]


async def test_two_who_drain_at_once_count_a_failure_once(office: Office, expected_errors: ExpectedErrors) -> None:
    expected_errors.expect("could not be handled")
    office.handler = breaks("bad")
    await office.hears("甲", "bad")
    await asyncio.gather(office.dispatcher.drain(), office.dispatcher.drain())
    (row,) = await office.all("SELECT attempts FROM inbox")
    assert row["attempts"] == 1


async def test_a_refusal_is_answered_and_changes_nothing(office: Office) -> None:
    async def refuse(request: Request) -> Reply | None:
        await office.note(request)
        raise Refused("refused.busy")

    office.handler = refuse
    await office.hears("甲", "x")
    await office.dispatcher.drain()
    assert (await office.effects(), await office.owed(), await office.states()) == ([], ["refused.busy"], ["done"])


async def test_a_question_is_put_and_its_answer_completes_the_command(office: Office) -> None:
    async def ask(request: Request) -> Reply | None:
        await office.note(request)
        if not request.text:
            raise Ask("reply.busy")
        return Reply("reply.trouble")

    office.handler = ask
    await office.hears("甲", "")
    await office.dispatcher.drain()
    assert (await office.effects(), await office.owed()) == ([], ["reply.busy"])
    await office.hears_plain("甲", "the answer")
    await office.dispatcher.drain()
    assert (await office.effects(), await office.owed()) == (["the answer"], ["reply.busy", "reply.trouble"])


async def test_who_was_overtaken_tries_again_and_its_earlier_writes_are_gone(office: Office) -> None:
    tries: list[int] = []

    async def overtaken(request: Request) -> Reply | None:
        tries.append(1)
        reply = await office.note(request)
        if len(tries) < 3:
            raise Stale
        return reply

    office.handler = overtaken
    await office.hears("甲", "x")
    await office.dispatcher.drain()
    assert (len(tries), await office.effects(), await office.owed()) == (3, ["x"], ["reply.busy"])


async def test_who_is_overtaken_for_ever_is_told_to_say_it_again(office: Office) -> None:
    async def stale(request: Request) -> Reply | None:
        raise Stale

    office.handler = stale
    await office.hears("甲", "x")
    await office.dispatcher.drain()
    assert (await office.owed(), await office.states()) == (["refused.busy"], ["done"])


async def test_a_poison_message_holds_up_its_own_chat_only(office: Office, expected_errors: ExpectedErrors) -> None:
    expected_errors.expect("could not be handled")
    office.handler = breaks("bad")
    await office.hears("甲", "first")
    await office.hears("甲", "bad")
    await office.hears("甲", "behind")
    await office.hears("乙", "other")
    await office.dispatcher.drain()
    assert await office.effects() == ["first", "other"]
    assert await office.states() == ["done", "new", "new", "done"]


async def test_300_chats_that_wait_do_not_hide_the_one_that_can_be_served(
    office: Office, expected_errors: ExpectedErrors
) -> None:
    expected_errors.expect("could not be handled")
    office.handler = breaks("bad")
    for n in range(300):
        await office.hears(f"c{n}", "bad")
    await office.dispatcher.drain()
    await office.hears("甲", "x")
    await office.dispatcher.drain()
    assert await office.effects() == ["x"]


async def poison(office: Office) -> list[float]:
    """Let a message fail until it is set aside; the waits between its tries, in seconds."""
    office.handler = breaks("bad")
    await office.hears("甲", "bad")
    await office.hears("甲", "behind")
    waits: list[float] = []
    for _ in range(MOST_TRIES):
        await office.dispatcher.drain()
        (row,) = await office.all("SELECT retry_at, state FROM inbox WHERE body LIKE '%/帮助 bad%'")
        if row["state"] == "dead":
            break
        retry = datetime.fromtimestamp(row["retry_at"] / 1000, tz=office.machine().tzinfo)
        waits.append((retry - office.machine()).total_seconds())
        office.machine.at = retry - timedelta(milliseconds=1)
        await office.dispatcher.drain()
        office.machine.at = retry
    return waits


async def test_after_five_tries_it_is_set_aside_and_its_chat_goes_on(
    office: Office, expected_errors: ExpectedErrors
) -> None:
    expected_errors.expect("could not be handled")
    assert await poison(office) == [1, 5, 30, 120]
    await office.dispatcher.drain()
    assert (await office.states(), await office.effects()) == (["dead", "done"], ["behind"])
    (row,) = await office.all("SELECT attempts, error FROM inbox WHERE state = 'dead'")
    assert (row["attempts"], row["error"]) == (5, "ZeroDivisionError")
    assert len([line for line in expected_errors.lines if "could not be handled" in line]) == 5


async def test_its_speaker_hears_one_apology_and_each_coordinator_one_word(
    office: Office, expected_errors: ExpectedErrors
) -> None:
    expected_errors.expect("could not be handled")
    await office.hears("甲", "hello")
    await office.dispatcher.drain()
    for name in ("周芳", "吴芳"):
        await office.database.transaction(lambda tx, name=name: make(tx, name, Role.COORDINATOR))  # type: ignore[misc]  # the default binds this turn of the loop
    await poison(office)
    owed = await office.all(
        "SELECT c.external_id AS chat, o.text_key FROM outbox o JOIN chats c ON c.id = o.chat_id ORDER BY o.id"
    )
    told = [(row["chat"], row["text_key"]) for row in owed]
    assert told.count(("甲", "reply.trouble")) == 1
    assert [row["lane"] for row in await office.all("SELECT lane FROM outbox WHERE text_key = 'reply.trouble'")] == [0]
    assert [each for each in told if each[1] == "watch.poison"] == [
        ("private:周芳", "watch.poison"),
        ("private:吴芳", "watch.poison"),
    ]


async def test_an_update_that_cannot_be_read_is_poison_too(office: Office, expected_errors: ExpectedErrors) -> None:
    expected_errors.expect("could not be handled")
    await office.desk.receive("memory", "memory", [Update("1", "甲", {"nonsense": 1}), Update("2", "乙", {"odd": 2})])
    for _ in range(6):
        await office.dispatcher.drain()
        office.machine.on(minutes=3)
    assert await office.states() == ["dead", "dead"]


async def test_where_nobody_can_be_told_the_message_is_set_aside_all_the_same(
    office: Office, expected_errors: ExpectedErrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("no words")

    expected_errors.expect("could not be handled")
    expected_errors.expect("nobody could be told")
    monkeypatch.setattr("handlers.mishaps.apologise", broken)
    monkeypatch.setattr("handlers.mishaps.report_poison", broken)
    await poison(office)
    assert (await office.states())[0] == "dead"


async def test_messages_of_a_channel_that_is_switched_off_wait_untouched(office: Office) -> None:
    await office.desk.receive("telegram", "bot", [Update("1", "甲", {})])
    await office.hears("甲", "x")
    assert await office.dispatcher.drain() == 1
    assert await office.states() == ["new", "done"]


async def test_a_claim_made_before_its_time_gets_nothing(office: Office) -> None:
    await office.hears("甲", "x")

    async def unit(tx: Tx) -> Any:
        await inbox.failed(tx, 1, "bug", office.machine() + timedelta(seconds=1), dead=False)
        return await inbox.claim(tx, 1, office.machine())

    assert await office.database.transaction(unit) is None


async def test_a_commit_wakes_the_pump(office: Office) -> None:
    await office.hears("甲", "x")
    await office.hears("乙", "y")
    await office.dispatcher.drain()
    assert office.done == 2


async def test_the_running_dispatcher_reacts_at_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.rounds.EVERY_SECONDS", 60)
    running = asyncio.create_task(office.dispatcher.run())
    await asyncio.sleep(0.02)
    for n in range(3):
        await office.hears("甲", str(n))
        done = n + 1
        await until(lambda done=done: office.done == done)  # type: ignore[misc]  # the default binds this turn of the loop
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_it_outlives_storage_that_cannot_work(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.rounds.EVERY_SECONDS", 0.01)
    transaction = office.database.transaction

    async def full(unit: Any) -> Any:
        raise StorageUnavailable("the disk is full")

    await office.hears("甲", "x")
    monkeypatch.setattr(office.database, "transaction", full)
    running = asyncio.create_task(office.dispatcher.run())
    await asyncio.sleep(0.04)
    assert not running.done()
    monkeypatch.setattr(office.database, "transaction", transaction)
    await until(lambda: office.done == 1)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert await office.effects() == ["x"]


async def test_looking_for_heads_costs_by_chats_and_not_by_messages(office: Office) -> None:
    plan = await office.all(
        "EXPLAIN QUERY PLAN " + inbox._HEADS.format(channels=":c"), c="memory", machine=0, most=64
    )
    assert not [row["detail"] for row in plan if row["detail"].startswith(("SCAN inbox", "SCAN i", "SCAN head"))]


async def test_storage_trouble_in_one_chat_lets_the_others_of_the_round_finish(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def flaky(request: Request) -> Reply | None:
        if request.text == "x":
            raise StorageUnavailable("locked")
        return await office.note(request)

    office.handler = flaky
    await office.hears("甲", "x")
    await office.hears("乙", "y")
    with pytest.raises(StorageUnavailable):
        await office.dispatcher.drain()
    assert (await office.effects(), await office.states()) == (["y"], ["new", "done"])
