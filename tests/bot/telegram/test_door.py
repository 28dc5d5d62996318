"""The webhook behind the guard of the whole web server, as the program serves it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from bot.channels import Kit
from bot.channels.telegram import Account, TelegramChannel
from tests.bot.telegram.desks import NoteDesk, words
from tests.webtown import open_town

HOOK = "https://lianqi.example.cn/channels/telegram/x7k2"
PATH = "/channels/telegram/x7k2"
KNOWN = {"x-telegram-bot-api-secret-token": "a-secret", "content-type": "application/json"}


@asynccontextmanager
async def served(desk: NoteDesk) -> AsyncIterator[httpx.AsyncClient]:
    """The whole server, called under a name that is not its own, as a proxy in front may do."""
    channel = TelegramChannel(Account("1:x", "http://127.0.0.1:1", "webhook", HOOK, "a-secret"), Kit(None, words))
    channel._intake.bot = "lianqi_bot"
    async with open_town(routes=tuple(channel.routes(desk))) as town:
        transport = httpx.ASGITransport(town.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://hooks.example.net") as client:
            yield client
    await channel.close()


def update(number: int, text: str) -> bytes:
    message = {"message_id": 1, "date": 1, "chat": {"id": 5001, "type": "private"}, "text": text}
    return json.dumps({"update_id": number, "message": message}).encode()


async def test_telegram_needs_neither_our_host_name_nor_an_origin() -> None:
    desk = NoteDesk()
    async with served(desk) as client:
        assert (await client.post(PATH, content=update(7, "停电"), headers=KNOWN)).status_code == 200
    assert [row.external_id for row in desk.rows] == ["7"]


async def test_the_pages_still_answer_under_their_own_name_only() -> None:
    async with served(NoteDesk()) as client:
        assert (await client.get("/")).status_code == 400


@pytest.mark.parametrize("path", ["/channels/telegram/", "/channels/telegram/other", "/channels/wecom_app"])
async def test_other_doors_are_shut(path: str) -> None:
    desk = NoteDesk()
    async with served(desk) as client:
        assert (await client.post(path, content=update(7, "停电"), headers=KNOWN)).status_code == 404
    assert desk.rows == []


@pytest.mark.parametrize("kilobytes, status", [(300, 200), (1100, 413)])
async def test_a_large_update_is_taken_and_a_flood_is_not(kilobytes: int, status: int) -> None:
    desk = NoteDesk()
    async with served(desk) as client:
        body = update(7, "x" * kilobytes * 1024)
        assert (await client.post(PATH, content=body, headers=KNOWN)).status_code == status
    assert len(desk.rows) == (status == 200)
