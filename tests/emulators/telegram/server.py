"""The HTTP face: /bot<token>/<method>, /file/bot<token>/<path> and, if wanted, /_control/."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage

from .core import Call, Core, Request
from .errors import NOT_FOUND, Refused
from .faults import WORDS, Fault
from .methods import TABLE, WAITING
from .reading import read_call
from .schema import METHODS, check
from .updates import Update

TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
BEYOND = {
    "business_connection_id",
    "direct_messages_topic_id",
    "ephemeral_message_parameters",
    "inline_message_id",
    "rich_message",
    "suggested_post_parameters",
}
Control = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]


def answer(status: int, body: bytes) -> web.Response:
    """A JSON answer."""
    return web.Response(status=status, body=body, content_type="application/json")


def spell(result: Any) -> bytes:
    """The bytes of an ok answer; updates are spelled already."""
    if isinstance(result, list) and result and isinstance(result[0], Update):
        return ('{"ok":true,"result":[' + ",".join(one.written for one in result) + "]}").encode()
    return json.dumps({"ok": True, "result": result}, ensure_ascii=False).encode()


def seen_status(fault: Fault, found: web.Response | None) -> int:
    """The status a client will see of a spoiled answer; 0 if it sees none."""
    if fault.answer in ("none", "hang"):
        return 0
    return fault.status or (found.status if found else 200)


class Server:
    """Listens, reads calls, lets faults happen, answers, and records."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.runner: web.ServerRunner | None = None
        self.port = 0
        self.closing = asyncio.Event()
        self.control: Control | None = None

    async def start(self, port: int) -> None:
        """Listen on the loopback; port 0 takes any that is free."""
        self.closing.clear()
        server = web.Server(self.handle, request_factory=self.make_request, access_log=None)
        self.runner = web.ServerRunner(server, shutdown_timeout=0.2)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", port, reuse_address=True)
        await site.start()
        self.port = self.runner.addresses[0][1]

    async def stop(self) -> None:
        """Let go of everybody and close."""
        self.closing.set()
        self.core.updates.interrupt(Refused(502, WORDS[502]))
        await self.core.webhook.close()
        if self.runner:
            await self.runner.cleanup()
            self.runner = None

    def make_request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        """Requests without a limit of their own; the platform's limits are checked elsewhere."""
        loop = asyncio.get_running_loop()
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=0)

    # ------------------------------------------------------------ addresses

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Find out what is asked for."""
        path = request.path
        if path.startswith("/bot"):
            token, _, method = path[4:].partition("/")
            return await self.serve(request, token, method)
        if path.startswith("/file/bot"):
            token, _, name = path[9:].partition("/")
            return await self.download(request, token, name)
        if path.startswith("/_control/") and self.control:
            return await self.control(request, path.removeprefix("/_control/"))
        return self.refuse(Refused(404, NOT_FOUND))

    def check_token(self, token: str) -> None:
        """404 for what is no token at all, 401 for somebody else's."""
        if not TOKEN.fullmatch(token):
            raise Refused(404, NOT_FOUND)
        if token != self.core.token:
            raise Refused(401, "Unauthorized")

    async def download(self, request: web.BaseRequest, token: str, name: str) -> web.StreamResponse:
        """The bytes of a file whose path getFile told."""
        if self.core.faults.down:
            return await self.fail(request)
        fault = self.core.faults.take("download", None)
        try:
            self.check_token(token)
        except Refused as refusal:
            return self.refuse(refusal)
        stored = self.core.world.paths.get(name)
        if stored is None:
            return self.refuse(Refused(404, NOT_FOUND))
        found = web.Response(body=stored.data, content_type="application/octet-stream")
        return await self.spoil(request, fault, found) if fault else found

    # ------------------------------------------------------------ calls

    async def serve(self, request: web.BaseRequest, token: str, name: str) -> web.StreamResponse:
        """One call, recorded with the status it was answered with."""
        if self.core.faults.down:
            await request.read()
            return await self.fail(request, METHODS.get(name.lower(), name))
        method = METHODS.get(name.lower(), name)
        params: dict[str, Any] = {}
        try:
            self.check_token(token)
            params, files = await read_call(request)
            self.check(method, params)
        except Refused as refusal:
            self.note(method, params, refusal.status)
            return self.refuse(refusal)
        chat = params.get("chat_id")
        fault = self.core.faults.take(method, chat if isinstance(chat, int) else None)
        call = Request(method, params, files)
        found = await self.run(call) if fault is None or fault.takes_effect else None
        if fault is not None:
            self.note(method, params, seen_status(fault, found))
            return await self.spoil(request, fault, found)
        assert found is not None
        self.note(method, params, found.status)
        return found

    def check(self, method: str, params: dict[str, Any]) -> None:
        """Hold a call against the schema, and against what is emulated; offences are remembered."""
        if problem := check(method, params):
            self.core.offences.append(problem.offence)
            raise Refused(problem.status, problem.description)
        for name in BEYOND & params.keys():
            self.core.offences.append(f"{method}: {name} is not emulated")
            raise Refused(400, f"Bad Request: {name} is not emulated")
        if method not in TABLE and method not in WAITING:
            self.core.offences.append(f"{method}: not emulated")
            raise Refused(400, "Bad Request: not emulated")

    async def run(self, call: Request) -> web.Response:
        """Carry a call out and spell its answer."""
        try:
            if call.method in WAITING:
                result = await WAITING[call.method](self.core, call)
            else:
                result = TABLE[call.method](self.core, call)
        except Refused as refusal:
            return self.refuse(refusal)
        return answer(200, spell(result))

    def refuse(self, refusal: Refused) -> web.Response:
        """The answer that says no."""
        return answer(refusal.status, json.dumps(refusal.body(), ensure_ascii=False).encode())

    def note(self, method: str, params: dict[str, Any], status: int) -> None:
        """Record a call."""
        self.core.calls.append(Call(method, params, status))
        if status == 429:
            self.core.refusals += 1

    # ------------------------------------------------------------ misbehaviour

    async def fail(self, request: web.BaseRequest, method: str = "download") -> web.StreamResponse:
        """What everybody gets during an outage."""
        status = self.core.faults.outage_status
        self.note(method, {}, status or 0)
        if status is None:
            return self.cut(request)
        return self.refuse(Refused(status, WORDS.get(status, "Error")))

    async def spoil(self, request: web.BaseRequest, fault: Fault, found: web.Response | None) -> web.StreamResponse:
        """The answer a fault makes of a good one."""
        if fault.delay:
            await self.linger(fault.delay)
        if fault.answer == "hang":
            await self.closing.wait()
            return self.cut(request)
        if fault.answer == "none":
            return self.cut(request)
        refusal = fault.refusal()
        spoiled = self.refuse(refusal) if refusal else found
        if fault.answer == "broken":
            body = spoiled.body if spoiled and isinstance(spoiled.body, bytes) else b'{"ok":true,"result":{"message_id"'
            return answer(spoiled.status if spoiled else 200, body[: len(body) * 2 // 3])
        assert spoiled is not None
        return spoiled

    async def linger(self, seconds: float) -> None:
        """Wait, but not longer than the emulator lives."""
        try:
            await asyncio.wait_for(self.closing.wait(), seconds)
        except TimeoutError:
            return

    def cut(self, request: web.BaseRequest) -> web.StreamResponse:
        """Close the connection instead of answering."""
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)
