import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.emulators.telegram import Limits, Rate, TelegramEmulator, User
from tests.emulators.telegram.wire import Wire

ROOT = Path(__file__).parents[2]


class Clock:
    """Machine time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def wire(clock: Clock) -> AsyncIterator[Wire]:
    async with Wire(clock=clock) as found:
        yield found


@pytest.fixture
def zhang(wire: Wire) -> User:
    return wire.emulator.user(5001, "张建国", started=True)


async def send(wire: Wire, chat: int = 5001, text: str = "x") -> dict[str, Any]:
    return await wire.ask("sendMessage", chat_id=chat, text=text)


# ---------------------------------------------------------------- flood control


async def test_without_limits_nothing_is_too_fast(wire: Wire, zhang: User) -> None:
    for _ in range(100):
        assert (await send(wire))["ok"]
    assert wire.emulator.refusals == 0


async def test_a_chat_takes_one_message_a_second(wire: Wire, zhang: User, clock: Clock) -> None:
    wire.emulator.core.flood.limits = Limits()
    assert (await send(wire))["ok"]
    clock.now += 0.5
    refused = await send(wire)
    assert refused["error_code"] == 429
    assert refused["description"] == "Too Many Requests: retry after 1"
    assert refused["parameters"] == {"retry_after": 1}
    clock.now += 0.5
    assert (await send(wire))["ok"]
    assert wire.emulator.refusals == 1
    assert len(wire.emulator.sent) == 2


async def test_a_group_takes_twenty_messages_a_minute_in_a_sliding_window(wire: Wire, clock: Clock) -> None:
    wire.emulator.core.flood.limits = Limits(per_chat=None, overall=None)
    wire.emulator.group(-5, "群")
    for _ in range(20):
        assert (await send(wire, -5))["ok"]
        clock.now += 1
    assert (await send(wire, -5))["parameters"] == {"retry_after": 40}
    clock.now += 40
    assert (await send(wire, -5))["ok"]
    assert (await send(wire, -5))["parameters"] == {"retry_after": 1}


async def test_all_chats_together_take_thirty_a_second(wire: Wire, clock: Clock) -> None:
    wire.emulator.core.flood.limits = Limits()
    for number in range(31):
        wire.emulator.user(number + 1, "人", started=True)
    answers = [(await send(wire, number + 1))["ok"] for number in range(31)]
    assert answers == [True] * 30 + [False]
    clock.now += 1
    assert (await send(wire, 31))["ok"]


async def test_an_album_counts_as_many_messages_as_it_has(wire: Wire, zhang: User) -> None:
    wire.emulator.core.flood.limits = Limits(per_chat=Rate(3, 1.0))
    await wire.emulator.says(zhang, photo=b"x")
    photo = wire.emulator.unconfirmed[-1]["message"]["photo"][-1]["file_id"]
    await wire.call("sendMediaGroup", chat_id=5001, media=[{"type": "photo", "media": photo}] * 2)
    assert (await send(wire))["ok"]
    assert (await send(wire))["error_code"] == 429


async def test_edits_count_only_where_that_is_asked_for(wire: Wire, zhang: User) -> None:
    wire.emulator.core.flood.limits = Limits()
    message_id = (await send(wire))["result"]["message_id"]
    await wire.call("editMessageText", chat_id=5001, message_id=message_id, text="1")
    wire.emulator.core.flood.limits = Limits(edits=True)
    refused = await wire.ask("editMessageText", chat_id=5001, message_id=message_id, text="2")
    assert refused["error_code"] == 429


async def test_a_press_is_too_old_after_fifteen_seconds(wire: Wire, zhang: User, clock: Clock) -> None:
    query = await wire.emulator.presses(zhang, 1, "a")
    clock.now += 15.1
    assert (await wire.refused("answerCallbackQuery", callback_query_id=query))[0] == 400


# ---------------------------------------------------------------- faults


async def test_a_call_may_take_effect_without_any_answer(wire: Wire, zhang: User) -> None:
    wire.emulator.fault("sendMessage", answer="none", effect=True)
    with pytest.raises(aiohttp.ClientError):
        await send(wire, text="once")
    assert [one.text for one in wire.emulator.sent] == ["once"]
    assert wire.emulator.calls[-1].status == 0
    assert (await send(wire, text="twice"))["ok"]


async def test_a_call_may_be_lost_altogether(wire: Wire, zhang: User) -> None:
    wire.emulator.fault("sendMessage", answer="none")
    with pytest.raises(aiohttp.ClientError):
        await send(wire)
    assert wire.emulator.sent == []


async def test_an_answer_may_be_broken(wire: Wire, zhang: User) -> None:
    wire.emulator.fault("sendMessage", answer="broken", effect=True)
    with pytest.raises(json.JSONDecodeError):
        await send(wire)
    assert len(wire.emulator.sent) == 1


async def test_an_answer_may_never_come(wire: Wire, zhang: User) -> None:
    wire.emulator.fault("sendMessage", answer="hang", effect=True)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(send(wire), 0.05)
    assert len(wire.emulator.sent) == 1


async def test_an_answer_may_come_late_and_good(wire: Wire, zhang: User) -> None:
    wire.emulator.fault("sendMessage", delay=0.01)
    assert (await send(wire))["ok"]


async def test_a_fault_meets_only_its_method_and_chat_and_only_so_often(wire: Wire, zhang: User) -> None:
    wire.emulator.group(-5, "群")
    fault = wire.emulator.fault("sendMessage", chat=-5, times=2, status=500)
    assert (await send(wire))["ok"]
    assert (await wire.ask("getChat", chat_id=-5))["ok"]
    assert [(await send(wire, -5)).get("error_code") for _ in range(3)] == [500, 500, None]
    assert fault.met == 2


async def test_a_fault_can_speak_any_refusal_of_the_platform(wire: Wire, zhang: User) -> None:
    wire.emulator.fault(status=429, retry_after=7)
    wire.emulator.fault(status=400, description="Bad Request: group chat was upgraded", migrate_to=-77)
    wire.emulator.fault(status=502, effect=True)
    first, second, third = [await send(wire) for _ in range(3)]
    assert (first["description"], first["parameters"]) == ("Too Many Requests: retry after 7", {"retry_after": 7})
    assert second["parameters"] == {"migrate_to_chat_id": -77}
    assert third == {"ok": False, "error_code": 502, "description": "Bad Gateway"}
    assert wire.emulator.refusals == 1
    assert len(wire.emulator.sent) == 1


async def test_a_download_may_fail(wire: Wire, zhang: User) -> None:
    await wire.emulator.says(zhang, photo=b"picture")
    photo = wire.emulator.unconfirmed[-1]["message"]["photo"][-1]["file_id"]
    path = (await wire.call("getFile", file_id=photo))["file_path"]
    wire.emulator.fault("download", answer="none", times=2)  # the client asks a lost GET once more by itself
    url = f"{wire.emulator.api_base}/file/bot{wire.emulator.token}/{path}"
    with pytest.raises(aiohttp.ClientError):
        await wire.session.get(url)
    async with wire.session.get(url) as found:
        assert await found.read() == b"picture"


async def test_an_outage_fails_everything_until_it_is_over(wire: Wire, zhang: User) -> None:
    poll = await wire.polls()
    wire.emulator.outage()
    assert (await poll)["error_code"] == 502
    assert await send(wire) == {"ok": False, "error_code": 502, "description": "Bad Gateway"}
    await wire.emulator.says(zhang, "x")
    wire.emulator.outage(status=None)
    with pytest.raises(aiohttp.ClientError):
        await wire.call("getMe")
    wire.emulator.recover()
    assert await wire.ids() == [1]


async def test_stopping_ends_polls_and_hanging_calls(wire: Wire, zhang: User) -> None:
    emulator = TelegramEmulator()
    await emulator.start()
    emulator.fault("getMe", answer="hang")
    url = f"{emulator.api_base}/bot{emulator.token}"
    poll = asyncio.ensure_future(wire.session.post(f"{url}/getUpdates", json={"timeout": 30}))
    hung = asyncio.ensure_future(wire.session.post(f"{url}/getMe"))
    while not emulator.calls or emulator.core.updates.poll is None:  # noqa: ASYNC110 - the server has no bell for this
        await asyncio.sleep(0)
    await asyncio.wait_for(emulator.stop(), 1)
    found = await asyncio.gather(poll, hung, return_exceptions=True)
    assert isinstance(found[1], aiohttp.ClientError)
    with pytest.raises(aiohttp.ClientError):
        await wire.session.post(f"{url}/getMe")


# ---------------------------------------------------------------- a process of its own


async def test_another_process_can_drive_it(wire: Wire) -> None:
    command = (sys.executable, "-m", "tests.emulators.telegram", "--token", "1:abc")
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    base = (await process.stdout.readline()).decode().strip()
    try:
        await drive(wire.session, base)
    finally:
        process.terminate()
        await process.wait()
    assert process.returncode == 0


async def drive(session: aiohttp.ClientSession, base: str) -> None:
    """What another process would ask for, in order."""

    async def ask(path: str, body: Any) -> dict[str, Any]:
        async with session.post(base + path, json=body) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    assert (await ask("/_control/", {"call": "user", "user_id": 5, "name": "张", "started": True}))["result"] == 5
    assert (await ask("/_control/says", {"user": 5, "text": "诉求", "photo": "bytes"}))["ok"]
    raw = [{"message": {"text": str(number)}} for number in range(500)]
    assert (await ask("/_control/push", raw))["result"] == list(range(2, 502))
    assert len((await ask("/bot1:abc/getUpdates", {"offset": 2}))["result"]) == 100
    assert (await ask("/_control/fault", {"method": "getMe", "status": 500}))["ok"]
    assert (await ask("/bot1:abc/getMe", {}))["error_code"] == 500
    for text in ("一", "二"):
        assert (await ask("/bot1:abc/sendMessage", {"chat_id": 5, "text": text}))["ok"]
    async with session.get(base + "/_control/sent", params={"after": "1"}) as answer:
        sent = (await answer.json())["result"]
    assert (sent["count"], [one["text"] for one in sent["sent"]]) == (2, ["二"])
    async with session.get(base + "/_control/state") as answer:
        state = (await answer.json())["result"]
    assert (state["unconfirmed"], state["sent"], state["offences"]) == (500, 2, [])
    assert not (await ask("/_control/explode", {}))["ok"]
