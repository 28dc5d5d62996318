"""Updates come in: committed before they are confirmed, each once, whatever Telegram or the desk does meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest
from aiohttp import web

from bot.channel import NotKept
from bot.channels.telegram import intake
from bot.channels.telegram.api import Api
from bot.channels.telegram.reading import ALLOWED
from tests.bot.telegram.desks import MESSAGE, UPDATE, Line, NoteDesk, gateway, line, texts
from tests.errors import ExpectedErrors


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
    assert [(channel, link) for channel, _, link in desk.introduced] == [("telegram", "https://t.me/lianqi_bot")]


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


# Polled, by a script -------------------------------------------------------------------------------------------------
Poll = dict[str, object]


@asynccontextmanager
async def scripted(desk: NoteDesk, *batches: object) -> AsyncIterator[list[Poll]]:
    """Polls that bring these, a number standing for a status; afterwards none is answered. What was asked, so far."""
    asked: list[Poll] = []
    over = asyncio.Event()

    async def handler(request: web.BaseRequest) -> web.Response:
        asked.append(await request.json())
        if len(asked) > len(batches):
            await over.wait()
            return web.Response(status=502)
        batch = batches[len(asked) - 1]
        if isinstance(batch, int):
            return web.Response(status=batch)
        return web.json_response({"ok": True, "result": batch})

    async with gateway(handler) as base:
        api = Api("123456:TEST", base)
        task = asyncio.create_task(intake.Intake(api, "123456").poll(desk))
        try:
            yield asked
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            over.set()
            await api.close()


async def until(asked: list[Poll], count: int) -> None:
    async with asyncio.timeout(5):
        while len(asked) < count:  # noqa: ASYNC110 - seen from outside
            await asyncio.sleep(0.005)


async def test_what_has_no_number_is_passed_over_and_keeps_none_back(caplog: pytest.LogCaptureFixture) -> None:
    desk = NoteDesk()
    batch = [{"message": MESSAGE}, {"update_id": 5, "message": MESSAGE}, "?", None, {"update_id": True}, UPDATE]
    async with scripted(desk, batch) as asked:
        await until(asked, 2)
    assert [row.external_id for row in desk.rows] == ["5", "7"]
    assert [poll.get("offset") for poll in asked] == [None, 8]
    assert "4 updates without a number are passed over" in caplog.text


async def test_where_nothing_has_a_number_it_waits_before_it_asks_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(intake, "LONGEST_PAUSE", 30.0)
    async with scripted(NoteDesk(), *[[{"message": MESSAGE}]] * 50) as asked:
        await until(asked, 1)
        await asyncio.sleep(0.04)
        assert len(asked) == 1
    assert "nobody can confirm" in caplog.text


@pytest.mark.parametrize("trouble", [[], 502, 409])
async def test_no_number_is_named_after_silence_or_trouble_as_they_may_begin_anew(trouble: object) -> None:
    desk = NoteDesk()
    async with scripted(desk, [{**UPDATE, "update_id": 900_000}], trouble, [UPDATE]) as asked:
        await until(asked, 4)
    assert [poll.get("offset") for poll in asked] == [None, 900_001, None, 8]
    assert [row.external_id for row in desk.rows] == ["900000", "7"]


async def test_a_batch_in_disorder_is_kept_in_the_order_of_its_numbers() -> None:
    desk = NoteDesk()
    async with scripted(desk, [{**UPDATE, "update_id": number} for number in (9, 7, 11, 8)]) as asked:
        await until(asked, 2)
    assert [row.external_id for row in desk.rows] == ["7", "8", "9", "11"]


async def test_a_server_that_says_too_often_is_not_asked_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "LONGEST_PAUSE", 30.0)
    async with line() as wire:
        wire.server.fault("getMe", times=50, status=429, retry_after=0)
        async with polling(wire, NoteDesk()):
            await asyncio.sleep(0.04)
        assert len(wire.server.calls) == 1


async def test_a_spinner_that_hangs_keeps_nobody_from_stopping(wire: Line) -> None:
    known = await wire.send()
    wire.server.fault("answerCallbackQuery", answer="hang")
    async with polling(wire, NoteDesk()):
        await wire.server.presses(wire.zhang, int(known), "status:1:", chat=wire.group)
        await wire.server.confirmed()
        while wire.server.core.faults.waiting:  # noqa: ASYNC110 - seen from outside
            await asyncio.sleep(0.005)
    async with asyncio.timeout(5):
        await wire.channel.close()
