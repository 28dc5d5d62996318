"""The long connection: one subscribed socket at a time, kept alive, watched for every way in which it may end."""

import asyncio
import json
import logging
import math
import random
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.protocol import State

from bot.channels.wecom_aibot.refusals import BAD_SECRET, NOT_SUBSCRIBED, Refused

_log = logging.getLogger(__name__)
_wire_log = _log.getChild("wire")
_wire_log.setLevel(logging.WARNING)  # its debug lines show frames, which hold the secret and what people say

MOST_FRAME = 8 * 1024 * 1024
OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
LANDING_SECONDS = 2.0
"""Less than the time between the end of the work and the end of its lease (bot/leasing.py)."""
MESSAGE, EVENT = "aibot_msg_callback", "aibot_event_callback"


class NotConnected(Exception):
    """There is no connection: nothing has left."""


class Lost(Exception):
    """The frame has left, or perhaps, and no answer came."""


class Kicked(Exception):
    """Somebody else has subscribed with the same bot."""


class WrongSecret(Exception):
    """The bot's id or secret is not accepted."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: between pings, for an answer, of the first and the longest pause between two connections.

    `stable`: a connection that lived so long was a good one. `kicked`: how long somebody else's connection is left be.
    `fresh`: after so long a silence a message is sent only behind a ping that was answered.
    """

    ping: float = 30.0
    answer: float = 5.0
    first_pause: float = 1.0
    longest_pause: float = 30.0
    stable: float = 5.0
    kicked: float = 60.0
    fresh: float = 2.0


@dataclass(frozen=True, slots=True)
class Account:
    """A smart bot in API mode with a long connection. `name` is how it is @-ed, "" where nobody said."""

    bot_id: str
    secret: str
    name: str = ""
    url: str = "wss://openws.work.weixin.qq.com"


@dataclass(frozen=True, slots=True)
class Callback:
    """What the platform brings, and the connection on which alone it can be answered."""

    cmd: str
    req_id: str
    body: Mapping[str, Any]
    connection: "Connection"


Receive = Callable[[Callback], None]


class Connection:
    """One open socket. An answer names only its request, so of each request one frame is under way at a time."""

    def __init__(
        self, socket: ClientConnection, timing: Timing, alive: Callable[[], None] = lambda: None
    ) -> None:
        self._socket = socket
        self._alive = alive
        self._timing = timing
        self._waiting: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._over = asyncio.Event()
        self._heard = _moment()
        self._checking: asyncio.Task[None] | None = None

    async def ask(
        self, cmd: str, body: Mapping[str, Any] | None = None, *, req_id: str = "", seconds: float | None = None
    ) -> Mapping[str, Any]:
        """Send a frame and wait for its answer; the answer's body. NotConnected, Lost or Refused."""
        name = req_id or f"{cmd}_{secrets.token_hex(12)}"
        async with self._turns.setdefault(name, asyncio.Lock()):
            answer = await self._exchange(cmd, name, body, seconds or self._timing.answer)
        code = answer.get("errcode")
        if code == NOT_SUBSCRIBED:
            self._retire()
            raise NotConnected("the socket is open and not subscribed any more")
        if isinstance(code, int) and code != 0:
            raise Refused(code, str(answer.get("errmsg") or ""))
        found = answer.get("body")
        return found if isinstance(found, Mapping) else {}

    async def _exchange(
        self, cmd: str, req_id: str, body: Mapping[str, Any] | None, seconds: float
    ) -> Mapping[str, Any]:
        if not self._over.is_set() and not self._open:
            self.give_up()  # it is closing, and the other side may never see to it
        if self._over.is_set():
            raise NotConnected("the connection is over")
        frame = {"cmd": cmd, "headers": {"req_id": req_id}, **({} if body is None else {"body": body})}
        answer = self._waiting[req_id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                await self._socket.send(json.dumps(frame, ensure_ascii=False))
                found: Mapping[str, Any] = await answer
        except TimeoutError:
            raise Lost(f"no answer within {seconds:g} s") from None
        except WebSocketException as end:
            raise Lost(f"the connection broke: {type(end).__name__}") from None
        finally:
            self._waiting.pop(req_id, None)
            if self._over.is_set():
                self._retire()
        return found

    @property
    def _open(self) -> bool:
        """Whether a frame can still leave: one that is given to a socket known to be closing is not written to it."""
        return self._socket.state is State.OPEN and not self._socket.transport.is_closing()

    async def read(self, receive: Receive) -> None:
        """Hand on what comes until the end, which is NotConnected or Kicked."""
        while True:
            try:
                raw = await self._socket.recv()
            except WebSocketException as end:
                raise NotConnected(f"the connection ended: {end}") from None
            self._heard = _moment()
            self._alive()
            self._take(raw, receive)

    def _take(self, raw: str | bytes, receive: Receive) -> None:
        try:
            frame = json.loads(raw)
        except (ValueError, RecursionError):
            frame = None
        if not isinstance(frame, dict):
            _log.warning("a frame that cannot be read is passed over")
            return
        headers = frame.get("headers")
        req_id = str(headers.get("req_id") or "") if isinstance(headers, dict) else ""
        if frame.get("cmd") in (MESSAGE, EVENT):
            body = frame.get("body")
            self._bring(Callback(frame["cmd"], req_id, body if isinstance(body, dict) else {}, self), receive)
        else:
            self._answered(req_id, frame)

    def _bring(self, callback: Callback, receive: Receive) -> None:
        event = callback.body.get("event")
        if isinstance(event, dict) and event.get("eventtype") == "disconnected_event":
            raise Kicked("somebody else connected with this bot")
        receive(callback)

    def _answered(self, req_id: str, frame: Mapping[str, Any]) -> None:
        """Who waits for it hears; a malformed frame is refused without a name, which fits if one alone is under way."""
        waiting = self._waiting.get(req_id)
        if waiting is None and not req_id and len(self._waiting) == 1:
            (waiting,) = self._waiting.values()
        if waiting is not None and not waiting.done():
            waiting.set_result(frame)
        elif frame.get("errcode") == NOT_SUBSCRIBED:
            self.give_up()
            raise NotConnected("the socket is open and not subscribed any more")

    async def stay_alive(self) -> None:
        """Ping again and again; where no answer comes the reading ends, and with it the connection."""
        while True:
            await asyncio.sleep(self._timing.ping)
            with suppress(NotConnected):
                await self.check()

    async def check(self) -> None:
        """One ping; NotConnected where it is not answered, and the connection is given up."""
        try:
            await self.ask("ping")
        except (Lost, Refused) as trouble:
            self.give_up()
            raise NotConnected(f"a ping was not answered: {trouble}") from None

    async def be_sure(self) -> None:
        """Where nothing came for a while, ping first; NotConnected where nobody is there.

        A message that is sent into a dead line may have arrived, for all anybody knows; one that waits has not.
        """
        if _moment() - self._heard <= self._timing.fresh:
            return
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self.check())
            self._checking.add_done_callback(_seen)
        await asyncio.shield(self._checking)

    def doubt(self) -> None:
        """An answer did not come: nothing more is sent before a ping was answered."""
        self._heard = -math.inf

    def _retire(self) -> None:
        """Send nothing any more; what is under way may still be answered, then it is over."""
        self._over.set()
        if not self._waiting:
            self._socket.transport.abort()

    def give_up(self) -> None:
        """Let nobody use it any more; whoever reads it closes it."""
        self._over.set()
        self._socket.transport.abort()

    async def land(self) -> None:
        """Give what has left a moment for its answers, so that a stop leaves little open; nothing more leaves."""
        self._over.set()
        if self._waiting:
            await asyncio.wait(set(self._waiting.values()), timeout=LANDING_SECONDS)

    def end(self) -> None:
        """It is over: whoever waits for an answer will not get one."""
        self._over.set()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(Lost("the connection broke"))
                waiting.exception()


class Line:
    """The bot's connection, whichever it is now."""

    def __init__(self, account: Account, timing: Timing | None = None) -> None:
        self._account = account
        self._timing = timing or Timing()
        self._left_be_until = 0.0
        self._checking: set[asyncio.Task[None]] = set()
        self.connection: Connection | None = None
        self.heard: Callable[[], None] = lambda: None

    async def ask(
        self, cmd: str, body: Mapping[str, Any], *, req_id: str = "", seconds: float | None = None
    ) -> Mapping[str, Any]:
        """Send on the present connection; one that does not answer is looked after at once."""
        connection = self.connection
        if connection is None:
            raise NotConnected("there is no connection now")
        await connection.be_sure()
        try:
            return await connection.ask(cmd, body, req_id=req_id, seconds=seconds)
        except Lost:
            connection.doubt()
            self._look_after(connection)
            raise

    def _look_after(self, connection: Connection) -> None:
        task = asyncio.create_task(_checked(connection))
        self._checking.add(task)
        task.add_done_callback(self._checking.discard)

    async def hold(self, receive: Receive) -> None:
        """Be connected until cancelled, again and again; ends after a kick. WrongSecret where it is of no use."""
        await asyncio.sleep(self._left_be_until - _moment())
        failures = 0
        while True:
            begun = _moment()
            try:
                await self.live(receive)
            except Kicked as kick:
                _log.warning("the bot's connection was taken over: %s", kick)
                self._left_be_until = _moment() + self._timing.kicked
                return
            except (NotConnected, Lost, Refused, OSError, WebSocketException, ImportError) as end:
                _log.warning("wecom is not connected: %s", end)
            failures = 0 if _moment() - begun >= self._timing.stable else failures + 1
            await asyncio.sleep(self._pause(failures))

    def _pause(self, failures: int) -> float:
        longest = min(self._timing.longest_pause, self._timing.first_pause * 2.0 ** min(failures, 10))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, nothing secret

    async def live(self, receive: Receive, *, briefly: bool = False) -> None:
        """One connection from its opening to its end; `briefly`: only to see that it is accepted."""
        async with connect(
            self._account.url,
            ping_interval=None,
            max_size=MOST_FRAME,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            logger=_wire_log,
        ) as socket:
            connection = Connection(socket, self._timing, self.heard)
            reading = asyncio.create_task(connection.read(receive))
            try:
                await _first_of(reading, self._subscribe(connection))
                if briefly:
                    return
                _log.info("wecom is connected")
                self.connection = connection
                await _first_of(reading, connection.stay_alive())
            finally:
                self.connection = None
                if not reading.done():
                    await connection.land()
                connection.end()
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    async def _subscribe(self, connection: Connection) -> None:
        secret = {"bot_id": self._account.bot_id, "secret": self._account.secret}
        try:
            await connection.ask("aibot_subscribe", secret)
        except Refused as no:
            if no.code == BAD_SECRET:
                raise WrongSecret(str(no)) from None
            raise


async def _first_of(reading: "asyncio.Task[None]", work: Any) -> None:
    """Until the work is done, or the reading has ended with an error, which is raised."""
    working = asyncio.ensure_future(work)
    try:
        await asyncio.wait({reading, working}, return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            await reading
        await working
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def _checked(connection: Connection) -> None:
    with suppress(NotConnected):
        await connection.be_sure()


def _seen(done: "asyncio.Task[None]") -> None:
    """Whoever still waits is told; if nobody does, that is no error."""
    if not done.cancelled():
        done.exception()


def _moment() -> float:
    """Seconds of the event loop, which only go forward."""
    return asyncio.get_running_loop().time()
