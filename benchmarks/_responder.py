"""A plain stand-in for Telegram in a process of its own: hands out appeals, takes every message, counts and times.

It checks nothing and refuses nothing, so that it costs as little as it can: what is measured is the bot. Its first line
on stdout is its address. Besides the Bot API: GET /_count tells the figures, GET /_done?sends=N waits until so many
messages were sent, POST /_queue?updates=N adds N updates to what waits.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from benchmarks._crowd import FIRST_UPDATE, update

BOT = {"id": 4_242_424, "is_bot": True, "first_name": "联企", "username": "lianqi_bench_bot"}
ABLE = {"can_join_groups": True, "can_read_all_group_messages": True, "supports_inline_queries": False}
BOT_TEXT = json.dumps(BOT)
DONE = b'{"ok":true,"result":true}'
PLAIN: Mapping[str, bytes] = {
    "getme": json.dumps({"ok": True, "result": BOT | ABLE}).encode(),
    "getwebhookinfo": b'{"ok":true,"result":{"url":"","has_custom_certificate":false,"pending_update_count":0}}',
    "getmycommands": b'{"ok":true,"result":[]}',
}


class Responder:
    """What waits to be fetched, and what was sent. Updates below `offset` are confirmed: they are gone for good."""

    def __init__(self, chats: int, latency: float = 0.0) -> None:
        self._chats = chats
        self._waiting: list[bytes] = []
        self._offset = 0
        self._stir = asyncio.Event()
        self._latency = latency
        self._calls: Counter[str] = Counter()
        self._first_poll: float | None = None
        self._last_send: float | None = None
        self._date = int(time.time())

    def queue(self, many: int) -> None:
        """So many more people say something, one chat after the other."""
        for number in range(len(self._waiting), len(self._waiting) + many):
            self._waiting.append(json.dumps(update(number, self._chats, self._date), separators=(",", ":")).encode())
        self._wake()

    def _wake(self) -> None:
        self._stir.set()
        self._stir = asyncio.Event()

    async def call(self, method: str, asked: Mapping[str, Any]) -> bytes:
        """The answer to a call of the Bot API."""
        method = method.lower()
        self._calls[method] += 1
        if method == "getupdates":
            return await self._updates(asked)
        if method == "sendmessage":
            if self._latency:
                await asyncio.sleep(self._latency)
            return self._sent(asked)
        return PLAIN.get(method, DONE)

    async def _updates(self, asked: Mapping[str, Any]) -> bytes:
        """What was not confirmed, at most `limit`; where there is nothing, wait so many seconds for it."""
        self._first_poll = self._first_poll or time.monotonic()
        self._offset = max(self._offset, int(asked.get("offset") or 0) - FIRST_UPDATE)
        until = time.monotonic() + float(asked.get("timeout") or 0)
        while self._offset >= len(self._waiting) and (left := until - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(self._stir.wait(), left)
            except TimeoutError:
                break
        batch = self._waiting[self._offset : self._offset + int(asked.get("limit") or 100)]
        return b'{"ok":true,"result":[' + b",".join(batch) + b"]}"

    def _sent(self, asked: Mapping[str, Any]) -> bytes:
        chat = int(asked["chat_id"])
        sends = self._calls["sendmessage"]
        self._last_send = time.monotonic()
        if sends % 16 == 0:
            self._wake()
        text = json.dumps(asked["text"])
        return (
            f'{{"ok":true,"result":{{"message_id":{10_000_000 + sends},"date":{self._date},"from":{BOT_TEXT},'
            f'"chat":{{"id":{chat},"type":"private","first_name":"A"}},"text":{text}}}}}'
        ).encode()

    async def done(self, sends: int) -> None:
        """Wait until so many messages were sent."""
        while self._calls["sendmessage"] < sends:
            try:
                await asyncio.wait_for(self._stir.wait(), 0.1)
            except TimeoutError:
                continue

    def figures(self) -> Mapping[str, Any]:
        """Times in seconds of a clock that only runs forward; `confirmed` counts updates that are gone for good."""
        return {
            "sends": self._calls["sendmessage"],
            "confirmed": min(self._offset, len(self._waiting)),
            "first_poll": self._first_poll,
            "last_send": self._last_send,
            "calls": dict(self._calls),
        }


async def _arguments(request: web.Request) -> Mapping[str, Any]:
    """What a call says, in whichever of Telegram's forms."""
    if request.content_type == "multipart/form-data":
        return {**request.query, **await request.post()}
    body = await request.read()
    if request.content_type == "application/json":
        return {**request.query, **json.loads(body or b"{}")}
    return {**request.query, **dict(parse_qsl(body.decode(), keep_blank_values=True))}


def routes(responder: Responder) -> list[web.RouteDef]:
    """The Bot API for every token, and what the benchmark asks."""

    async def api(request: web.Request) -> web.Response:
        try:
            asked = await _arguments(request)
        except ConnectionResetError:  # killed while it spoke
            return web.Response(status=400)
        answer = await responder.call(request.match_info["method"], asked)
        return web.Response(body=answer, content_type="application/json")

    async def count(_: web.Request) -> web.Response:
        return web.json_response(responder.figures())

    async def done(request: web.Request) -> web.Response:
        await responder.done(int(request.query["sends"]))
        return web.json_response(responder.figures())

    async def queue(request: web.Request) -> web.Response:
        responder.queue(int(request.query["updates"]))
        return web.json_response(responder.figures())

    handlers: Mapping[str, Callable[[web.Request], Awaitable[web.Response]]]
    handlers = {"/_count": count, "/_done": done, "/bot{token}/{method}": api}
    found = [web.route("*", path, handler) for path, handler in handlers.items()]
    return [*found, web.post("/_queue", queue)]


async def serve(updates: int, chats: int, latency: float) -> None:
    """Answer until killed; to a message after so many seconds."""
    responder = Responder(chats, latency)
    responder.queue(updates)
    app = web.Application()
    app.add_routes(routes(responder))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--updates", type=int, default=5000, help="that wait from the beginning")
    parser.add_argument("--chats", type=int, default=64, help="from which they come in turns")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that the answer to a message takes")
    options = parser.parse_args()
    asyncio.run(serve(options.updates, options.chats, options.latency))
