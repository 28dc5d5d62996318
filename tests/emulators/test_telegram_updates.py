import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from tests.emulators.telegram import Chat, User
from tests.emulators.telegram.wire import Wire


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with Wire() as found:
        yield found


@pytest.fixture
def zhang(wire: Wire) -> User:
    return wire.emulator.user(5001, "张建国", started=True)


@pytest.fixture
def group(wire: Wire) -> Chat:
    return wire.emulator.group(-1001234, "大树营联企群")


async def test_updates_come_again_until_an_offset_confirms_them(wire: Wire, zhang: User) -> None:
    for word in "一二三":
        await wire.emulator.says(zhang, word)
    assert await wire.ids() == [1, 2, 3]
    assert await wire.ids(offset=2) == [2, 3]
    assert await wire.ids(offset=0) == [2, 3]
    assert await wire.ids(offset=4) == []
    assert wire.emulator.unconfirmed == []


async def test_a_batch_holds_no_more_than_the_limit_from_the_earliest_on(wire: Wire, zhang: User) -> None:
    for _ in range(130):
        await wire.emulator.says(zhang, "x")
    assert await wire.ids(limit=2) == [1, 2]
    assert len(await wire.ids()) == 100
    assert len(await wire.ids(limit=1000)) == 100


async def test_a_negative_offset_keeps_only_the_last_ones(wire: Wire, zhang: User) -> None:
    for _ in range(5):
        await wire.emulator.says(zhang, "x")
    assert await wire.ids(offset=-2) == [4, 5]
    assert await wire.ids() == [4, 5]


async def test_a_long_poll_returns_as_soon_as_something_is_said(wire: Wire, zhang: User) -> None:
    poll = await wire.polls()
    await wire.emulator.says(zhang, "诉求 停电")
    [update] = (await poll)["result"]
    assert update["message"]["text"] == "诉求 停电"
    assert update["message"]["from"]["id"] == 5001


async def test_the_older_of_two_polls_is_told_of_the_conflict(wire: Wire, zhang: User) -> None:
    older = await wire.polls()
    newer = await wire.polls()
    answer = await older
    assert answer["error_code"] == 409
    assert answer["description"] == (
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    )
    await wire.emulator.says(zhang, "x")
    assert len((await newer)["result"]) == 1


async def test_a_poll_beside_a_webhook_is_a_conflict(wire: Wire) -> None:
    waiting = await wire.polls()
    await wire.call("setWebhook", url="http://127.0.0.1:9/")
    assert (await waiting)["description"] == "Conflict: terminated by setWebhook request"
    assert await wire.refused("getUpdates") == (
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    )
    await wire.call("deleteWebhook")
    assert await wire.ids() == []


async def test_the_wanted_kinds_stick_and_others_are_not_queued(wire: Wire, zhang: User) -> None:
    await wire.ids(allowed_updates=["callback_query"])
    await wire.emulator.says(zhang, "x")
    assert await wire.ids() == []
    await wire.emulator.presses(zhang, 1, "a")
    assert len(await wire.ids()) == 1
    await wire.ids(allowed_updates=[])
    await wire.emulator.says(zhang, "x")
    assert len(await wire.ids()) == 2


async def test_changes_of_members_come_only_to_an_administrator_who_asked_for_them(
    wire: Wire, zhang: User, group: Chat
) -> None:
    group.bot = "administrator"
    await wire.emulator.joins(zhang, group)
    assert [set(update) - {"update_id"} for update in wire.emulator.unconfirmed] == [{"message"}]
    await wire.ids(allowed_updates=["chat_member"])
    await wire.emulator.leaves(zhang, group)
    assert wire.emulator.unconfirmed[-1]["chat_member"]["new_chat_member"]["status"] == "left"


async def test_ids_may_jump_even_backwards(wire: Wire, zhang: User) -> None:
    await wire.emulator.says(zhang, "x")
    wire.emulator.jump_ids(900)
    await wire.emulator.says(zhang, "x")
    assert await wire.ids(offset=2) == [900]
    assert await wire.ids(offset=901) == []
    wire.emulator.jump_ids(50)
    await wire.emulator.says(zhang, "x")
    assert await wire.ids() == [50]


async def test_a_duplicated_update_comes_once_more_after_it_was_confirmed(wire: Wire, zhang: User) -> None:
    wire.emulator.duplicate_updates(1)
    await wire.emulator.says(zhang, "x")
    await wire.emulator.says(zhang, "y")
    assert await wire.ids() == [1, 2]
    assert await wire.ids(offset=3) == [1]
    assert await wire.ids(offset=3) == []
    await wire.emulator.confirmed()


async def test_a_shuffled_batch_holds_the_same_in_another_order(wire: Wire, zhang: User) -> None:
    wire.emulator.shuffle_updates()
    for _ in range(6):
        await wire.emulator.says(zhang, "x")
    found = await wire.ids()
    assert found != sorted(found)
    assert sorted(found) == [1, 2, 3, 4, 5, 6]


async def test_raw_updates_come_as_they_are(wire: Wire, zhang: User) -> None:
    wire.emulator.push_raw({"message": "no object at all"})
    wire.emulator.push_raw({"update_id": 77, "something_new": {"a": 1}})
    await wire.emulator.says(zhang, "x")
    first, second, third = await wire.call("getUpdates")
    assert first == {"update_id": 1, "message": "no object at all"}
    assert second == {"update_id": 77, "something_new": {"a": 1}}
    assert third["update_id"] == 78
    wire.emulator.push_raw({"update_id": 30})
    assert await wire.ids(offset=50) == [77, 78]


async def test_updates_can_carry_fields_of_a_later_version(wire: Wire, zhang: User) -> None:
    wire.emulator.unknown_fields = True
    await wire.emulator.says(zhang, "x")
    [update] = await wire.call("getUpdates")
    assert "part_of_a_later_version" in update
    assert "field_of_a_later_version" in update["message"]


async def test_confirmed_waits_for_the_last_offset(wire: Wire, zhang: User) -> None:
    await wire.emulator.says(zhang, "x")
    waiting = asyncio.ensure_future(wire.emulator.confirmed())
    await wire.ids()
    assert not waiting.done()
    await wire.ids(offset=2)
    await asyncio.wait_for(waiting, 1)


# ---------------------------------------------------------------- the webhook


@dataclass
class Receiver:
    """A webhook that notes what comes and answers as it is told."""

    statuses: list[int] = field(default_factory=list)
    got: list[dict[str, Any]] = field(default_factory=list)
    secrets: list[str | None] = field(default_factory=list)
    together: int = 0
    most: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def take(self, request: web.BaseRequest) -> web.Response:
        self.together += 1
        self.most = max(self.most, self.together)
        self.got.append(json.loads(await request.read()))
        self.secrets.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        status = self.statuses.pop(0) if self.statuses else 200
        await self.gate.wait()
        self.together -= 1
        return web.Response(status=status)

    def words(self) -> list[str]:
        return [update["message"]["text"] for update in self.got]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    found.gate.set()
    runner = web.ServerRunner(web.Server(found.take), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield found
    await runner.cleanup()


async def test_a_webhook_gets_what_waits_and_what_comes_with_the_secret(
    wire: Wire, zhang: User, receiver: Receiver
) -> None:
    await wire.emulator.says(zhang, "before")
    await wire.call("setWebhook", url=receiver.url, secret_token="s-1")
    await wire.emulator.says(zhang, "after")
    await wire.emulator.confirmed()
    assert receiver.words() == ["before", "after"]
    assert receiver.secrets == ["s-1", "s-1"]
    info = await wire.call("getWebhookInfo")
    assert (info["url"], info["pending_update_count"]) == (receiver.url, 0)


async def test_a_refused_delivery_is_repeated_before_the_next_of_its_chat(
    wire: Wire, zhang: User, receiver: Receiver
) -> None:
    wire.emulator.core.webhook.base_delay = 0.001
    receiver.statuses = [500, 503, 200]
    await wire.call("setWebhook", url=receiver.url)
    await wire.emulator.says(zhang, "one")
    await wire.emulator.says(zhang, "two")
    await wire.emulator.confirmed()
    assert receiver.words() == ["one", "one", "one", "two"]
    info = await wire.call("getWebhookInfo")
    assert info["last_error_message"] == "Wrong response from the webhook: 503"


async def test_a_webhook_nobody_answers_keeps_its_updates(wire: Wire, zhang: User) -> None:
    await wire.call("setWebhook", url="http://127.0.0.1:9/")
    await wire.emulator.says(zhang, "one")
    while not wire.emulator.core.webhook.attempts:  # noqa: ASYNC110 - a failed delivery rings no bell
        await asyncio.sleep(0.001)
    info = await wire.call("getWebhookInfo")
    assert info["pending_update_count"] == 1
    assert info["last_error_message"].startswith("Connection failed")
    await wire.call("deleteWebhook")
    assert await wire.ids() == [1]


async def test_chats_are_delivered_side_by_side_up_to_the_connections_allowed(wire: Wire, receiver: Receiver) -> None:
    await wire.call("setWebhook", url=receiver.url, max_connections=3)
    receiver.gate.clear()
    for number in range(8):
        person = wire.emulator.user(100 + number, "人")
        await wire.emulator.says(person, "1")
        await wire.emulator.says(person, "2")
    while receiver.together < 3:  # noqa: ASYNC110 - the receiver has no bell
        await asyncio.sleep(0.001)
    receiver.gate.set()
    await wire.emulator.confirmed()
    assert receiver.most == 3
    for number in range(8):
        mine = [got["message"]["text"] for got in receiver.got if got["message"]["chat"]["id"] == 100 + number]
        assert mine == ["1", "2"]


async def test_a_duplicated_update_is_delivered_twice_to_a_webhook(wire: Wire, zhang: User, receiver: Receiver) -> None:
    wire.emulator.duplicate_updates(1)
    await wire.call("setWebhook", url=receiver.url)
    await wire.emulator.says(zhang, "one")
    await wire.emulator.says(zhang, "two")
    await wire.emulator.confirmed()
    assert receiver.words() == ["one", "one", "two"]


@pytest.mark.parametrize(
    "params,reason",
    [
        ({"url": "ftp://x"}, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"),
        ({"url": "http://x", "secret_token": "a b"}, "Bad Request: secret token contains unallowed characters"),
        ({"url": "http://x", "max_connections": 101}, "Bad Request: max_connections must be between 1 and 100"),
    ],
)
async def test_a_webhook_that_cannot_be_is_refused(wire: Wire, params: dict[str, Any], reason: str) -> None:
    assert await wire.refused("setWebhook", **params) == (400, reason)


async def test_pending_updates_can_be_thrown_away(wire: Wire, zhang: User) -> None:
    await wire.emulator.says(zhang, "x")
    await wire.call("deleteWebhook", drop_pending_updates=True)
    assert await wire.ids() == []
