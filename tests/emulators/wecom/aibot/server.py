"""The two faces of the platform: the WebSocket of the bot, and the HTTP links of media."""

import asyncio
import json
import logging
import urllib.parse
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from websockets.asyncio.server import Server as SocketServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from .answering import TABLE
from .codes import BAD_SECRET, NOT_SUBSCRIBED, OK, WORDS, Refused, offence
from .commands import PING, REPLIES, SUBSCRIBE, Frame, parse, read_frame, req_id_of
from .core import Core, Sent
from .faults import Fault

LOG = logging.getLogger("tests.emulators.wecom")
LOG.propagate = False  # connections that die on purpose are nothing to report
LARGEST = 4 * 1024 * 1024  # bytes of a frame


class Connection:
    """One socket. `subscribed`: it is the bot's; `silent`: nothing is heard or said; `forgotten`: 846609 to all."""

    def __init__(self, number: int, socket: ServerConnection, at: float) -> None:
        self.number = number
        self.socket = socket
        self.heard_at = self.opened_at = at
        self.subscribed = False
        self.ever = False
        self.silent = False
        self.forgotten = False
        self.closed = False
        self.used: set[str] = set()
        self.unanswered: Counter[str] = Counter()

    async def say(self, frame: dict[str, Any] | str) -> bool:
        """Send a frame; False where the socket is gone or silent."""
        if self.silent or self.closed:
            return False
        try:
            await self.socket.send(frame if isinstance(frame, str) else json.dumps(frame))
        except ConnectionClosed:
            return False
        return True

    def abort(self) -> None:
        """The line is cut: no close frame."""
        self.closed = True
        self.subscribed = False
        self.socket.transport.abort()

    async def close(self, code: int = 1000) -> None:
        """Close in order; nobody waits for the other side."""
        self.subscribed = False
        self.closed = True
        closing = asyncio.ensure_future(self.socket.close(code))
        await asyncio.wait([closing], timeout=0.5)


class Server:
    """Listens, reads frames, lets faults happen, answers, and records."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.port = self.media_port = 0
        self.connections: list[Connection] = []
        self.bot: Connection | None = None
        self.sockets: SocketServer | None = None
        self.runner: web.ServerRunner | None = None
        self.late: set[asyncio.Task[None]] = set()
        self.held: list[Callable[[], Awaitable[None]]] = []

    async def start(self, port: int) -> None:
        """Listen on the loopback; port 0 takes any that is free."""
        self.sockets = await serve(
            self.handle,
            "127.0.0.1",
            port,
            process_request=self.let_in,
            ping_interval=None,
            compression=None,
            max_size=LARGEST,
            close_timeout=0.5,
            logger=LOG,
        )
        self.port = next(iter(self.sockets.sockets)).getsockname()[1]
        self.runner = web.ServerRunner(web.Server(self.download, access_log=None), shutdown_timeout=0.2)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.media_port = self.runner.addresses[0][1]

    async def stop(self) -> None:
        """Let go of everybody."""
        for task in self.late:
            task.cancel()
        for connection in self.connections:
            if not connection.closed:
                connection.abort()
        if self.sockets:
            self.sockets.close()
            await self.sockets.wait_closed()
        if self.runner:
            await self.runner.cleanup()

    # ------------------------------------------------------------ connections

    def let_in(self, socket: ServerConnection, request: Request) -> Response | None:
        """Refuse an attempt to connect, where that is asked for."""
        if not self.core.faults.refuses():
            return None
        status = self.core.faults.refuse_status
        if status is None:
            socket.transport.abort()
            status = 503
        return Response(status, "Refused", Headers({"Content-Length": "0", "Connection": "close"}), b"")

    async def handle(self, socket: ServerConnection) -> None:
        """One connection, from its first frame to its end."""
        connection = Connection(len(self.connections) + 1, socket, self.core.now())
        self.connections.append(connection)
        self.core.ring()
        try:
            async for raw in socket:
                if connection.closed:
                    break
                if connection.silent:
                    continue
                connection.heard_at = self.core.now()
                await self.hear(connection, raw)
        except ConnectionClosed:
            LOG.debug("connection %s was cut", connection.number)
        finally:
            connection.closed = True
            connection.subscribed = False
            if self.bot is connection:
                self.bot = None
            self.core.ring()

    async def hear(self, connection: Connection, raw: str | bytes) -> None:
        """Read one frame, do what it says, answer."""
        sent: Any = None
        try:
            sent = parse(raw)
            frame = read_frame(sent)
            self.check_id(connection, frame)
        except Refused as refusal:
            self.core.offences.append(refusal.offence)
            body = sent.get("body") if isinstance(sent, dict) else None
            found = Frame(str(sent.get("cmd")) if isinstance(sent, dict) else "", req_id_of(sent), body or {})
            await self.answer(connection, found, refusal, None)
            return
        fault = self.core.faults.take(frame.cmd, frame.chat or self.chat_of(frame))
        outcome = await self.run(connection, frame, fault)
        if fault is None:
            await self.answer(connection, frame, outcome[0], outcome[1])
        else:
            await self.spoil(connection, frame, fault, outcome)
        if frame.cmd == SUBSCRIBE and connection.subscribed:
            await self.release()

    async def release(self) -> None:
        """Callbacks that were held while nobody was there come now."""
        while self.held and self.bot is not None:
            await self.held.pop(0)()

    def chat_of(self, frame: Frame) -> str | None:
        """The chat of the callback that a frame answers."""
        found = self.core.callbacks.get(frame.req_id)
        return (found.chat or found.user) if found else None

    def check_id(self, connection: Connection, frame: Frame) -> None:
        """An ack names nothing but the req_id: no two frames may wait under one, no id of one's own comes twice."""
        if connection.unanswered[frame.req_id]:
            raise offence(f"{frame.cmd}: {frame.req_id} still waits for an answer")
        if frame.cmd not in REPLIES:
            if frame.req_id in connection.used or frame.req_id in self.core.callbacks:
                raise offence(f"{frame.cmd}: req_id {frame.req_id} was used before")
            connection.used.add(frame.req_id)

    # ------------------------------------------------------------ commands

    async def run(
        self, connection: Connection, frame: Frame, fault: Fault | None
    ) -> tuple[Refused | None, dict[str, Any] | None]:
        """Carry a frame out, unless a fault forbids it: the refusal, or the body of the answer."""
        if fault is not None and not fault.takes_effect:
            return None, None
        try:
            if frame.cmd == SUBSCRIBE:
                await self.subscribe(connection, frame)
                return None, None
            self.check_subscribed(connection, frame)
            return None, None if frame.cmd == PING else TABLE[frame.cmd](self.core, frame, connection.number)
        except Refused as refusal:
            if refusal.offence:
                self.core.offences.append(f"{frame.cmd}: {refusal.offence}")
            return refusal, None

    def check_subscribed(self, connection: Connection, frame: Frame) -> None:
        """846609 to whoever is not the bot, or is it no more."""
        if not connection.ever:
            raise offence("sent before aibot_subscribe was answered", NOT_SUBSCRIBED)
        if connection.forgotten or not connection.subscribed:
            raise Refused(NOT_SUBSCRIBED)

    async def subscribe(self, connection: Connection, frame: Frame) -> None:
        """The bot's connection from now on; the one before is told and closed."""
        if connection.ever:
            raise offence("a second subscription on one connection")
        if (frame.body["bot_id"], frame.body["secret"]) != (self.core.bot_id, self.core.secret):
            raise Refused(BAD_SECRET)
        old, self.bot = self.bot, connection
        connection.subscribed = connection.ever = True
        if old is not None and old is not connection:
            await self.kick(old)

    async def kick(self, old: Connection) -> None:
        """Tell a connection that another took its place, and close it."""
        event = {"msgid": self.core.new_id("kick"), "create_time": int(self.core.now()), "aibotid": self.core.bot_id}
        event |= {"msgtype": "event", "event": {"eventtype": "disconnected_event"}}
        headers = {"req_id": self.core.new_id("cb")}
        await old.say({"cmd": "aibot_event_callback", "headers": headers, "body": event})
        await old.close(1000)

    # ------------------------------------------------------------ answers

    async def answer(
        self, connection: Connection, frame: Frame, refusal: Refused | None, body: dict[str, Any] | None
    ) -> None:
        """The ack of a frame, recorded."""
        code = refusal.code if refusal else OK
        self.note(connection, frame, code)
        await connection.say(ack(frame, code, refusal.words if refusal else WORDS[OK], body))

    def note(self, connection: Connection, frame: Frame, code: int | None) -> None:
        """Record a frame; the secret is not kept."""
        body = {} if frame.cmd == SUBSCRIBE else frame.body
        self.core.note(Sent(connection.number, frame.cmd, frame.req_id, body, code, self.core.now()))

    async def spoil(
        self,
        connection: Connection,
        frame: Frame,
        fault: Fault,
        outcome: tuple[Refused | None, dict[str, Any] | None],
    ) -> None:
        """The answer that a fault makes of a good one."""
        refusal, body = outcome
        code = fault.code if fault.code is not None else refusal.code if refusal else OK
        self.note(connection, frame, code if fault.answer == "normal" else None)
        if fault.answer == "abort":
            connection.abort()
        elif fault.answer == "close":
            await connection.close()
        elif fault.answer == "silence":
            self.silence(connection)
        elif fault.answer != "none":
            words = ack(frame, code, WORDS.get(code, "error"), body)
            if fault.answer == "broken":
                words = words[: len(words) * 2 // 3]
            if fault.delay:
                self.say_later(connection, frame, words, fault.delay)
            else:
                await connection.say(words)

    def silence(self, connection: Connection) -> None:
        """A connection that stays open, and on which nothing is heard or said any more."""
        connection.silent = True
        if self.bot is connection:
            self.bot = None

    def say_later(self, connection: Connection, frame: Frame, words: str, seconds: float) -> None:
        """An answer that takes its time, while others overtake it."""

        connection.unanswered[frame.req_id] += 1

        async def wait() -> None:
            await asyncio.sleep(seconds)
            connection.unanswered[frame.req_id] -= 1
            await connection.say(words)

        task = asyncio.ensure_future(wait())
        self.late.add(task)
        task.add_done_callback(self.late.discard)

    # ------------------------------------------------------------ media

    def link(self, name: str) -> str:
        """The address of an enciphered file."""
        return f"http://127.0.0.1:{self.media_port}/media/{name}?sign={name[::-1]}"

    async def download(self, request: web.BaseRequest) -> web.StreamResponse:
        """The bytes behind a link, while it lives."""
        name = request.path.removeprefix("/media/")
        fault = self.core.faults.take("download", None)
        if fault is not None and fault.answer in ("abort", "close", "none") and request.transport:
            request.transport.abort()
        if fault is not None and fault.code is not None:
            return web.Response(status=fault.code)
        found = self.core.media.get(name, self.core.now())
        if found is None or request.query.get("sign") != name[::-1]:
            return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>")
        sealed = found.sealed
        if fault is not None and fault.answer == "broken":
            sealed = sealed[: len(sealed) * 2 // 3]
        quoted = urllib.parse.quote(found.file.name)
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quoted}"} if found.file.name else {}
        return web.Response(body=sealed, headers=headers, content_type="application/octet-stream")


def ack(frame: Frame, code: int, words: str, body: dict[str, Any] | None) -> str:
    """An answer as it is written."""
    said: dict[str, Any] = {"headers": {"req_id": frame.req_id}, "errcode": code, "errmsg": words}
    if body is not None and code == OK:
        said["body"] = body
    return json.dumps(said, ensure_ascii=False)
