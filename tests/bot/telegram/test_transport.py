"""Calls and what becomes of them where the server, a gateway or the network is in the way; nothing tells the token."""

import asyncio
import logging
import traceback

import pytest
from aiohttp import web
from telegram.error import NetworkError, TelegramError, TimedOut

from bot.channel import Document, Parcel, Uncertain, Undeliverable, Unsent
from bot.channels import Kit
from bot.channels.telegram import Account, TelegramChannel, transport
from bot.channels.telegram.api import POLL_WHOLE_SECONDS, Api
from tests.bot.telegram.desks import ZHANG, NoteDesk, channel_at, dripping, gateway, line, words
from tests.emulators.pushed import BEGIN, run_pushed, seconds
from tests.emulators.telegram import TelegramEmulator
from tests.errors import ExpectedErrors

TOKEN = "123456:very-secret-part"
HELLO = Parcel(id=1, chat_id=1, chat=str(ZHANG), kind="send", text="停电")
FILE = Parcel(id=1, chat_id=1, chat=str(ZHANG), kind="send", text="", documents=(Document("x", "text/plain", b"x"),))


async def outcome(base: str, parcel: Parcel = HELLO) -> Exception:
    """What a channel makes of this server."""
    channel = TelegramChannel(Account(TOKEN, base), Kit(None, words), pace=None)
    try:
        await channel.send(parcel)
    except (Undeliverable, Unsent, Uncertain) as end:
        return end
    finally:
        await channel.close()
    raise AssertionError("it arrived")


async def answered(status: int, body: str, headers: dict[str, str] | None = None) -> Exception:
    async def handler(request: web.BaseRequest) -> web.Response:
        return web.Response(status=status, text=body, headers=headers)

    async with gateway(handler) as base:
        return await outcome(base)


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 407, 408, 418, 429])
@pytest.mark.parametrize("body", ["<html>Access denied</html>", "", "[]", '{"error":"forbidden"}'])
async def test_a_page_that_stands_in_telegrams_way_makes_nobody_unreachable(status: int, body: str) -> None:
    end = await answered(status, body)
    assert isinstance(end, Unsent)
    assert end.channel_down


async def test_no_call_follows_a_redirection_to_another_place() -> None:
    met = []

    async def handler(request: web.BaseRequest) -> web.Response:
        met.append(request.path)
        return web.Response(status=307, headers={"location": "/elsewhere"})

    async with gateway(handler) as base:
        assert isinstance(await outcome(base), Unsent)
    assert met == [f"/bot{TOKEN}/sendMessage"]


@pytest.mark.parametrize(
    "body", ['{"ok":false,"description":"Too Many Requests"}', '{"ok":false,"parameters":{"x":1}}']
)
async def test_a_server_that_says_too_often_but_not_until_when_gets_some_seconds(body: str) -> None:
    end = await answered(429, body)
    assert isinstance(end, Unsent)
    assert (end.seconds, end.channel_down) == (transport.WAIT_SECONDS, False)


@pytest.mark.parametrize("body", ["<html>nginx</html>", '{"ok":false,"description":"Request Entity Too Large"}'])
async def test_what_is_too_large_for_the_server_will_never_arrive(body: str) -> None:
    end = await answered(413, body)
    assert isinstance(end, Undeliverable)
    assert not end.unreachable


@pytest.mark.parametrize("body", ["<html>welcome</html>", "", "[]", "{}", '{"ok":true}'])
async def test_a_success_that_cannot_be_read_leaves_it_open(body: str) -> None:
    assert isinstance(await answered(200, body), Uncertain)


async def test_a_no_that_comes_under_a_yes_is_a_no() -> None:
    end = await answered(200, '{"ok":false,"error_code":429,"description":"slow","parameters":{"retry_after":12}}')
    assert isinstance(end, Unsent)
    assert (end.seconds, end.channel_down) == (12.0, False)
    assert isinstance(await answered(200, '{"ok":false,"error_code":400,"description":"Bad Request"}'), Undeliverable)
    assert isinstance(await answered(200, '{"ok":false,"error_code":502,"description":"Bad Gateway"}'), Unsent)


@pytest.mark.parametrize("body", ['{"ok":false}', '{"ok":false,"error_code":"429"}', '{"ok":false,"error_code":200}'])
async def test_a_no_under_a_yes_that_does_not_say_why_leaves_it_open(body: str) -> None:
    assert isinstance(await answered(200, body), Uncertain)


@pytest.mark.parametrize("result", ["true", "[]", "{}", '"7"', '{"message_id":"7"}', '{"message_id":null}'])
async def test_a_result_that_is_no_message_leaves_it_open(result: str) -> None:
    assert isinstance(await answered(200, f'{{"ok":true,"result":{result}}}'), Uncertain)


def test_updates_that_come_in_drops_and_never_end_are_asked_for_again() -> None:
    async def main() -> float:
        async with gateway(dripping) as base:
            api = Api(TOKEN, base)
            with pytest.raises(TimedOut):
                await api.poll(25)
            await api.close()
        return seconds() - BEGIN

    assert run_pushed(main()) == pytest.approx(25 + 10 + POLL_WHOLE_SECONDS, abs=0.5)


async def test_a_conflict_is_no_delivery() -> None:
    assert isinstance(await answered(409, '{"ok":false,"description":"Conflict"}'), Unsent)


async def test_an_answer_that_breaks_off_leaves_it_open() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"content-length": "100"})
        await answer.prepare(request)
        await answer.write(b'{"ok":true')
        assert request.transport is not None
        request.transport.abort()
        return answer

    async with gateway(handler) as base:
        assert isinstance(await outcome(base), Uncertain)


async def test_a_name_that_leads_nowhere_has_got_nothing() -> None:
    end = await outcome("http://127.0.0.1:1")
    assert isinstance(end, Unsent)
    assert end.channel_down


async def test_a_proxy_that_does_not_let_through_has_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        return web.Response(status=407)

    async with gateway(handler) as base:
        monkeypatch.setenv("HTTPS_PROXY", base)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        end = await outcome("https://api.telegram.example")
    assert isinstance(end, Unsent)
    assert end.channel_down


async def test_calls_go_through_the_proxy_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    met = []

    async def handler(request: web.BaseRequest) -> web.Response:
        met.append(request.headers["host"])
        return web.Response(text='{"ok":true,"result":{"message_id":7}}')

    async with gateway(handler) as base:
        monkeypatch.setenv("HTTP_PROXY", base)
        monkeypatch.setenv("http_proxy", base)
        channel = TelegramChannel(Account(TOKEN, "http://api.telegram.example"), Kit(None, words), pace=None)
        assert await channel.send(HELLO) == "7"
        await channel.close()
    assert met == ["api.telegram.example"]


async def test_an_upload_gets_the_time_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "READ_SECONDS", 0.01)
    async with line() as wire:
        wire.server.fault("sendDocument", delay=0.05)
        await wire.channel.send(FILE)
        assert len(wire.server.sent) == 1


async def told(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    """All that a log could show of it."""
    return "".join(traceback.format_exception(error)) + str(error) + repr(error) + caplog.text


@pytest.mark.parametrize("parcel", [HELLO, FILE], ids=["text", "file"])
@pytest.mark.parametrize("kind", ["echo", "refused", "cut", "hang", "unreadable", "nowhere"])
async def test_the_token_is_never_told(
    kind: str,
    parcel: Parcel,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    expected_errors: ExpectedErrors,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(transport, "READ_SECONDS", 0.02)
    monkeypatch.setattr("bot.channels.telegram.sending.UPLOAD_SECONDS", 0.02)

    async def handler(request: web.BaseRequest) -> web.Response:
        if kind == "cut":
            assert request.transport is not None
            request.transport.abort()
        elif kind == "hang":
            await asyncio.sleep(0.05)
        elif kind == "unreadable":
            return web.Response(text=request.path)
        status = 404 if kind == "echo" else 401
        body = f"The requested URL {request.path} was not found" if kind == "echo" else '{"ok":false}'
        return web.Response(status=status, text=body)

    if kind == "refused":
        expected_errors.expect("the token is refused")
    async with gateway(handler) as base:
        end = await outcome("http://127.0.0.1:1" if kind == "nowhere" else base, parcel)
    assert "very-secret-part" not in await told(end, caplog)
    assert "停电" not in await told(end, caplog)


async def test_the_token_is_not_told_while_polling_fetching_and_looking_around(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("bot.channels.telegram.FETCH_PAUSE", 0.0)

    async def handler(request: web.BaseRequest) -> web.Response:
        return web.Response(status=404, text=f"nothing under {request.path}")

    async with gateway(handler) as base:
        channel = TelegramChannel(Account(TOKEN, base), Kit(None, words), pace=None)
        findings = await channel.examine({"-1": "群"})
        lost = await channel.fetch("F", NoteDesk())
        with pytest.raises(TelegramError) as caught:
            await channel._api.poll(0)
        await channel.close()
    assert "very-secret-part" not in f"{findings} {lost}" + await told(caught.value, caplog)


async def test_what_a_poll_brings_that_is_no_list_is_trouble_and_not_silence() -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        return web.Response(text='{"ok":true,"result":true}')

    async with gateway(handler) as base:
        api = Api(TOKEN, base)
        with pytest.raises(TelegramError, match="cannot be read"):
            await api.poll(0)
        await api.close()


async def test_a_closed_channel_leaves_no_connection_and_can_begin_again() -> None:
    async with TelegramEmulator() as server:
        server.user(ZHANG, "张建国", started=True)
        channel = channel_at(server)
        for _ in range(2):
            await channel.send(HELLO)
            await channel.close()
            await channel.close()
        assert len(server.sent) == 2


async def test_a_call_that_is_under_way_at_the_close_ends_as_network_trouble() -> None:
    async with TelegramEmulator() as server:
        channel = channel_at(server)
        server.fault("getMe", answer="hang")
        asking = asyncio.create_task(channel._api.ask("getMe"))
        while not server.calls:  # noqa: ASYNC110 - seen from outside
            await asyncio.sleep(0.005)
        await channel.close()
        with pytest.raises(NetworkError):
            await asking
