"""The webhook: known by its secret, answered once the update is committed, each update once."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette

from bot.channel import Desk, NotKept
from bot.channels import Kit
from bot.channels.telegram import Account, TelegramChannel, intake
from bot.channels.telegram.api import Api
from bot.channels.telegram.reading import ALLOWED
from bot.desk import FrontDesk
from bot.web.server import serve
from storage.open import open_database
from tests.bot.telegram.desks import UPDATE, NoteDesk, texts, words
from tests.emulators.telegram import TelegramEmulator
from tests.stories.telegram_town import free_port

SECRET = "a-secret_0"
HOOK = "https://lianqi.example.cn/channels/telegram/x7k2"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long in a test."""
    monkeypatch.setattr(intake, "LONGEST_PAUSE", 0.01)


@asynccontextmanager
async def door(desk: Desk, *, ready: bool = True) -> AsyncIterator[httpx.AsyncClient]:
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


async def test_the_secret_is_compared_in_a_time_that_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(given: bytes, wanted: bytes) -> bool:
        compared.append((given, wanted))
        return given == wanted

    monkeypatch.setattr(hmac, "compare_digest", compare)
    async with door(NoteDesk()) as client:
        await client.post(PATH, json=UPDATE, headers={"x-telegram-bot-api-secret-token": "guess"})
    assert compared == [(b"guess", SECRET.encode())]


async def test_without_a_secret_of_its_own_the_door_is_shut(monkeypatch: pytest.MonkeyPatch) -> None:
    route = intake.endpoint(intake.Intake(Api("1:x", "http://127.0.0.1:1"), "1"), NoteDesk(), HOOK, "")
    transport = httpx.ASGITransport(Starlette(routes=[route]))
    async with httpx.AsyncClient(transport=transport, base_url="https://lianqi.example.cn") as client:
        assert (await client.post(PATH, json=UPDATE)).status_code == 403


@pytest.mark.parametrize(
    "odd, kept", [('"\\ud83d停电"', "?停电"), ("[NaN, Infinity]", [None, None]), ('"a\\u0000b"', "a\0b")]
)
async def test_what_no_storage_takes_is_kept_without_it(odd: str, kept: object) -> None:
    database = await open_database("sqlite:///:memory:")
    try:
        async with door(FrontDesk(database, NoteDesk().now, lambda: None)) as client:
            body = f'{{"update_id": 7, "message": {{"text": {odd}}}}}'.encode()
            assert (await client.post(PATH, content=body, headers=KNOWN)).status_code == 200
        (row,) = await database.reading(lambda tx: tx.all("SELECT body FROM inbox"))
    finally:
        await database.close()
    assert json.loads(row["body"])["update"]["message"]["text"] == kept


async def test_what_storage_could_not_keep_telegram_brings_again() -> None:
    desk = NoteDesk(trouble=[NotKept("the disk is full")] * 2)
    async with TelegramEmulator() as server:
        server.core.webhook.base_delay = 0.01
        zhang = server.user(5001, "张建国", started=True)
        hook = f"http://127.0.0.1:{free_port()}{PATH}"
        channel = TelegramChannel(Account(server.token, server.api_base, "webhook", hook, SECRET), Kit(None, words))
        web_server = Starlette(routes=list(channel.routes(desk)))
        tasks = [
            asyncio.create_task(serve(web_server, "127.0.0.1", urlsplit(hook).port or 0, lambda _: None)),
            asyncio.create_task(channel.run(desk)),
        ]
        server.duplicate_updates()
        await server.says(zhang, "停电")
        await server.confirmed()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await channel.close()
        assert server.offences == []
    assert texts(desk) == ["停电"]
    assert [status for _, status in server.core.webhook.attempts][-4:] == [503, 503, 200, 200]


async def test_telegram_is_told_where_to_call_and_what_for_once_it_can_be_reached() -> None:
    desk = NoteDesk()
    async with TelegramEmulator() as server:
        server.fault("setWebhook", status=502)
        channel = TelegramChannel(Account(server.token, server.api_base, "webhook", HOOK, SECRET), Kit(None, words))
        task = asyncio.create_task(channel.run(desk))
        async with asyncio.timeout(5):
            while not server.core.webhook.url:  # noqa: ASYNC110 - seen from outside
                await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await channel.close()
        told = [call for call in server.calls if call.method == "setWebhook"]
        assert [call.status for call in told] == [502, 200]
        assert told[-1].params["url"] == HOOK
        assert told[-1].params["secret_token"] == SECRET
        assert list(told[-1].params["allowed_updates"]) == list(ALLOWED)
        assert not told[-1].params.get("drop_pending_updates")


async def test_before_the_bot_knows_its_name_telegram_is_asked_to_come_again() -> None:
    desk = NoteDesk()
    async with door(desk, ready=False) as client:
        assert (await client.post(PATH, json=UPDATE, headers=KNOWN)).status_code == 503
    assert desk.rows == []
