"""Updates come in: committed before they are confirmed, each once, whatever Telegram or the desk does meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest
from starlette.applications import Starlette

from bot.channel import NotKept
from bot.channels import Kit
from bot.channels.telegram import Account, TelegramChannel, intake
from bot.channels.telegram.reading import ALLOWED
from tests.bot.telegram.desks import Line, NoteDesk, line, words
from tests.emulators.telegram import TelegramEmulator
from tests.errors import ExpectedErrors

SECRET = "a-secret_0"
HOOK = "https://lianqi.example.cn/channels/telegram/x7k2"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long in a test."""
    monkeypatch.setattr(intake, "LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(intake, "CONFLICT_SECONDS", 0.01)
    monkeypatch.setattr(intake, "STORAGE_SECONDS", 0.01)
    monkeypatch.setattr(intake, "WRONG_TOKEN_SECONDS", 0.01)


@pytest.fixture
async def wire() -> AsyncIterator[Line]:
    async with line() as opened:
        yield opened


@asynccontextmanager
async def polling(wire: Line, desk: NoteDesk) -> AsyncIterator[NoteDesk]:
    """The channel receives."""
    task = asyncio.create_task(wire.channel.run(desk))
    try:
        yield desk
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def texts(desk: NoteDesk) -> list[str]:
    return [row.body["update"]["message"]["text"] for row in desk.rows]


async def test_what_was_said_before_the_bot_came_up_is_received_in_order(wire: Line) -> None:
    for number in range(250):
        await wire.server.says(wire.zhang, f"第{number}句")
    async with polling(wire, NoteDesk()) as desk:
        await wire.server.confirmed()
    assert texts(desk) == [f"第{number}句" for number in range(250)]


async def test_every_row_holds_the_raw_update_and_what_the_bot_was_then(wire: Line) -> None:
    wire.server.unknown_fields = True
    async with polling(wire, NoteDesk()) as desk:
        await wire.server.says(wire.zhang, "停电", chat=wire.group)
        await wire.server.confirmed()
    (row,) = desk.rows
    assert row.chat == str(wire.group.id)
    assert (row.body["bot"], row.body["hears_all"]) == ("lianqi_bot", True)
    assert row.external_id == str(row.body["update"]["update_id"])
    assert set(row.body["update"]) - {"update_id", "message"}


async def test_nothing_is_confirmed_that_the_desk_could_not_commit(wire: Line) -> None:
    desk = NoteDesk(trouble=[NotKept("the disk is full")] * 3)
    await wire.server.says(wire.zhang, "停电")
    async with polling(wire, desk):
        while desk.trouble:
            assert wire.server.unconfirmed
            await asyncio.sleep(0.005)
        await wire.server.confirmed()
    assert texts(desk) == ["停电"]


async def test_updates_that_come_twice_or_in_disorder_count_once(wire: Line) -> None:
    wire.server.duplicate_updates()
    wire.server.shuffle_updates(seed=7)
    for number in range(120):
        await wire.server.says(wire.zhang, f"第{number}句")
    async with polling(wire, NoteDesk()) as desk:
        await wire.server.confirmed()
    assert sorted(texts(desk)) == sorted(f"第{number}句" for number in range(120))


async def test_ids_that_begin_anew_lower_after_a_quiet_week_are_received(wire: Line) -> None:
    wire.server.jump_ids(900_000)
    async with polling(wire, NoteDesk()) as desk:
        await wire.server.says(wire.zhang, "上周")
        await wire.server.confirmed()
        polls = len(wire.server.calls)
        while len(wire.server.calls) < polls + 1 and polls < 50:
            await asyncio.sleep(0.005)
            polls = min(polls, len(wire.server.calls) - 1)
        wire.server.jump_ids(17)
        await wire.server.says(wire.zhang, "这周")
        await wire.server.confirmed()
    assert texts(desk) == ["上周", "这周"]


async def test_an_update_that_nobody_can_read_keeps_none_back(wire: Line) -> None:
    await wire.server.says(wire.zhang, "之前")
    wire.server.push_raw({"message": "不是消息"})
    await wire.server.says(wire.zhang, "之后")
    async with polling(wire, NoteDesk()) as desk:
        await wire.server.confirmed()
    assert [row.body["update"].get("message", {}) for row in desk.rows][1] == "不是消息"
    assert len(desk.rows) == 3


async def test_only_what_is_read_is_asked_for_and_a_webhook_set_elsewhere_is_taken_away(wire: Line) -> None:
    async with httpx.AsyncClient(base_url=f"{wire.server.api_base}/bot{wire.server.token}") as client:
        await client.post("/setWebhook", json={"url": "http://127.0.0.1:9/elsewhere"})
    await wire.server.says(wire.zhang, "停电")
    async with polling(wire, NoteDesk()) as desk:
        await wire.server.confirmed()
    assert texts(desk) == ["停电"]
    polls = [call.params for call in wire.server.calls if call.method == "getUpdates"]
    assert [list(params["allowed_updates"]) for params in polls] == [list(ALLOWED)] * len(polls)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 409, "description": "Conflict: terminated by other getUpdates request"},
        {"status": 429, "retry_after": 0},
        {"status": 401, "description": "Unauthorized"},
        {"status": 500},
        {"answer": "none"},
        {"answer": "broken"},
    ],
)
async def test_trouble_while_polling_passes_and_nothing_is_lost(
    wire: Line, fault: dict[str, object], expected_errors: ExpectedErrors
) -> None:
    if fault.get("status") == 401:
        expected_errors.expect("telegram does not work: Unauthorized")
    wire.server.fault("getUpdates", times=2, **fault)  # type: ignore[arg-type]  # spelled out above
    await wire.server.says(wire.zhang, "停电")
    async with polling(wire, NoteDesk()) as desk:
        await wire.server.confirmed()
    assert texts(desk) == ["停电"]


async def test_a_server_that_cannot_be_reached_at_the_start_is_waited_for(wire: Line) -> None:
    wire.server.outage(502)
    async with polling(wire, NoteDesk()) as desk:
        await asyncio.sleep(0.03)
        wire.server.recover()
        await wire.server.says(wire.zhang, "停电")
        await wire.server.confirmed()
    assert texts(desk) == ["停电"]
    assert desk.introduced[-1] == ("telegram", "lianqi_bot", "https://t.me/lianqi_bot") or desk.introduced


@pytest.mark.parametrize("fails", [False, True])
async def test_a_spinner_stops_as_soon_as_the_press_is_committed(wire: Line, fails: bool) -> None:
    known = await wire.send(keys=())
    if fails:
        wire.server.fault("answerCallbackQuery", status=400, description="Bad Request: query is too old")
    async with polling(wire, NoteDesk()) as desk:
        query = await wire.server.presses(wire.zhang, int(known), "status:1:", chat=wire.group)
        await wire.server.confirmed()
        while not any(call.method == "answerCallbackQuery" for call in wire.server.calls):  # noqa: ASYNC110 - seen from outside
            await asyncio.sleep(0.005)
    assert len(desk.rows) == 1
    assert wire.server.answered == ({} if fails else {query: None})


# Called ---------------------------------------------------------------------------------------------------------------
@asynccontextmanager
async def door(desk: NoteDesk, *, ready: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    """The webhook's endpoint, with nobody but the test calling it."""
    async with TelegramEmulator() as server:
        account = Account(server.token, server.api_base, "webhook", HOOK, SECRET)
        channel = TelegramChannel(account, Kit(None, words), pace=None)
        if ready:
            channel._intake.bot = "lianqi_bot"
        transport = httpx.ASGITransport(Starlette(routes=list(channel.routes(desk))), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://lianqi.example.cn") as client:
            yield client
        await channel.close()


MESSAGE = {"message_id": 1, "date": 1, "chat": {"id": 5001, "type": "private"}, "text": "停电"}
UPDATE = {"update_id": 7, "message": MESSAGE}
KNOWN = {"x-telegram-bot-api-secret-token": SECRET}
PATH = "/channels/telegram/x7k2"


@pytest.mark.parametrize("given", [None, "", "a-secret_1", SECRET[:-1], SECRET + "0", "秘密".encode()])
async def test_who_does_not_know_the_secret_is_turned_away(given: str | bytes | None) -> None:
    desk = NoteDesk()
    async with door(desk) as client:
        headers = {} if given is None else {"x-telegram-bot-api-secret-token": given}
        assert (await client.post(PATH, json=UPDATE, headers=headers)).status_code == 403  # type: ignore[arg-type]  # bytes, too
    assert desk.rows == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'{"message": {}}', b'{"update_id": "7"}', b"\xff\xfe"])
async def test_what_is_no_update_is_refused(body: bytes) -> None:
    desk = NoteDesk()
    async with door(desk) as client:
        assert (await client.post(PATH, content=body, headers=KNOWN)).status_code == 400
    assert desk.rows == []


async def test_an_update_is_answered_once_it_is_committed_and_counts_once() -> None:
    desk = NoteDesk(trouble=[NotKept("the disk is full")])
    async with door(desk) as client:
        assert (await client.post(PATH, json=UPDATE, headers=KNOWN)).status_code == 503
        assert desk.rows == []
        for _ in range(2):
            assert (await client.post(PATH, json=UPDATE, headers=KNOWN)).status_code == 200
        assert (await client.get(PATH, headers=KNOWN)).status_code == 405
    assert texts(desk) == ["停电"]


async def test_before_the_bot_knows_its_name_telegram_is_asked_to_come_again() -> None:
    desk = NoteDesk()
    async with door(desk, ready=False) as client:
        assert (await client.post(PATH, json=UPDATE, headers=KNOWN)).status_code == 503
    assert desk.rows == []
