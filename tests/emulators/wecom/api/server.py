"""The HTTP face: /cgi-bin/<call>, with faults where they are wanted."""

import asyncio
import json
from typing import Any

from aiohttp import web

from .core import Call, Core, Media
from .errors import Refused
from .faults import Fault
from .methods import GUARDED, OPEN


class Server:
    """Listens, reads calls, lets faults happen, answers, and records."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.runner: web.AppRunner | None = None
        self.port = 0
        self.closing = asyncio.Event()

    async def start(self, port: int = 0) -> None:
        """Listen on the loopback; port 0 takes any that is free."""
        self.closing.clear()
        application = web.Application(client_max_size=64 << 20)
        application.router.add_route("*", "/cgi-bin/{path:.+}", self.handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2)
        self.runner = runner
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
        self.port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Let go of everybody and close."""
        self.closing.set()
        if self.runner is not None:
            await self.runner.cleanup()
            self.runner = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One call, and whatever is to go wrong with it."""
        path = request.match_info["path"]
        raw, body = await self._read(request)
        fault = self.core.faults.take(path)
        answer: web.StreamResponse | None = None
        if fault is None or fault.takes_effect:
            answer = self._answer(request, path, body, raw)
        elif fault.code is not None:
            answer = self._told(path, raw, Refused(fault.code).body())
        if fault is None:
            assert answer is not None
            return answer
        return await self._spoil(request, fault, path, raw, answer)

    async def _read(self, request: web.Request) -> tuple[bytes, Any]:
        """The bytes and the JSON, or the file of a form; None where there is neither."""
        if request.content_type.startswith("multipart/"):
            file = (await request.post()).get("media")
            if isinstance(file, web.FileField) and file.filename:
                return b"", Media(file.filename, file.content_type, file.file.read(), self.core.wall())
            return b"", None
        raw = await request.read()
        try:
            return raw, json.loads(raw) if raw else None
        except ValueError:
            return raw, None

    def _answer(self, request: web.Request, path: str, body: Any, raw: bytes) -> web.StreamResponse:
        core, query = self.core, request.query
        try:
            method, do = OPEN.get(path) or GUARDED.get(path) or ("GET", None)
            if path in GUARDED or path == "media/get":
                core.check_token(query.get("access_token", ""))
            if path == "media/get":
                return self._file(core.fresh(query.get("media_id", "")), path)
            if do is None or request.method != method or (method == "POST" and body is None):
                raise core.offend(f"{request.method} {path}: no such call, or no JSON")
            told = {"errcode": 0, "errmsg": "ok", **do(core, query, body, raw)}
        except Refused as refused:
            told = refused.body()
        return self._told(path, raw, told)

    def _told(self, path: str, raw: bytes, told: dict[str, Any]) -> web.Response:
        self.core.calls.append(Call(path, raw, told["errcode"]))
        return web.json_response(told)

    def _file(self, media: Media, path: str) -> web.Response:
        self.core.calls.append(Call(path, b"", 0))
        headers = {"Content-Disposition": f'attachment; filename="{media.name}"'}
        return web.Response(body=media.content, content_type=media.media_type, headers=headers)

    async def _spoil(
        self, request: web.Request, fault: Fault, path: str, raw: bytes, answer: web.StreamResponse | None
    ) -> web.StreamResponse:
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.answer == "hang":
            await self.closing.wait()
        if fault.answer in ("none", "hang"):
            self.core.calls.append(Call(path, raw, None))
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if fault.status is not None:
            self.core.calls.append(Call(path, raw, None))
            return web.Response(status=fault.status, text="<html>gateway</html>")
        if fault.answer == "broken":
            return web.Response(text='{"errcode":0,"errm', content_type="application/json")
        if fault.code is not None:
            return web.json_response(Refused(fault.code).body())
        assert answer is not None
        return answer
