"""A line that follows a script: it stands between a program and a platform, reads what goes by, and spoils it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

from tests.emulators.frames import TEXT, Frame, read_frame
from tests.emulators.link import reset

MOST_HEAD = 1 << 20
CONNECT, HANDSHAKE = "(connect)", "(handshake)"
"""Where a trouble waits for a connection instead of a call, or for a WebSocket's opening."""
End = Literal["goes on", "close", "reset", "hole"]
_LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What becomes of the next calls that fit, which is all unless it says otherwise.

    path, words  parts of the address (on a WebSocket the frame's cmd) and of what is said
    times        so many calls; None: as many as come
    seconds      for so long from the first of them; None: until `times` are met
    late         seconds before the platform hears of it
    asked        bytes of the request that the platform gets; None: all, 0: none
    pause        seconds before the answer
    say          what comes in place of the platform's answer; told the frame's req_id, where it asks for that
    kept         bytes of the answer that come; None: all
    drip, gap    so many bytes at a time, with so many seconds between
    end          what becomes of the connection then: "hole" leaves it open, and nothing comes or goes any more
    """

    path: str = ""
    words: str = ""
    times: int | None = 1
    seconds: float | None = None
    late: float = 0.0
    asked: int | None = None
    pause: float = 0.0
    say: bytes | Callable[[str], bytes] | None = None
    kept: int | None = None
    drip: int = 0
    gap: float = 0.0
    end: End = "goes on"


@dataclass(slots=True)
class Call:
    """A call as it went by: `at` seconds, and what it met.

    `landed`: all of it reached the platform; `answered`: the platform's own answer came back whole; None where it was
    sent behind something by which the other side may have hung up.
    """

    at: float
    path: str
    said: str
    trouble: Trouble | None = None
    landed: bool = False
    answered: bool | None = False


@dataclass(slots=True)
class _Waiting:
    trouble: Trouble
    left: int | None
    until: float | None = None

    def takes(self, path: str, said: str, now: float) -> bool:
        """Whether this call meets it; then it is one less."""
        trouble = self.trouble
        if self.left == 0 or trouble.path not in path or trouble.words not in said:
            return False
        if (path in (CONNECT, HANDSHAKE)) != (trouble.path in (CONNECT, HANDSHAKE)):
            return False
        if trouble.seconds is not None:
            self.until = self.until or now + trouble.seconds
            if now >= self.until:
                return False
        self.left = None if self.left is None else self.left - 1
        return True


@dataclass(slots=True)
class FaultyLine:
    """HTTP and WebSocket to `target`; `calls` is all that went by, `heed` hears of each call before it is passed on."""

    target: tuple[str, int]
    calls: list[Call] = field(default_factory=list)
    heed: Callable[[Call], None] = lambda _: None
    port: int = 0
    _waiting: list[_Waiting] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def open(self) -> None:
        """Let connections in, always at the same port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, limit=MOST_HEAD)
        self.port = self._server.sockets[0].getsockname()[1]

    def shut(self) -> None:
        """Nobody listens here any more, and what was connected is reset."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            reset(writer)

    async def close(self) -> None:
        """Hang up for good."""
        self.shut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def suffer(self, troubles: Sequence[Trouble]) -> None:
        """These wait for their calls from now on; the first that fits has it."""
        self._waiting += [_Waiting(trouble, trouble.times) for trouble in troubles]

    @property
    def quiet(self) -> bool:
        """Whether every counted trouble was met."""
        return not any(waiting.left for waiting in self._waiting if waiting.trouble.seconds is None)

    def note(self, cmd: str, frame: Frame) -> None:
        """A frame that nobody will ever hear of."""
        self.calls.append(Call(_now(), cmd, frame.payload.decode(errors="replace")))

    def take(self, path: str, said: str) -> Call:
        """Note a call, with the trouble that it meets."""
        call = Call(_now(), path, said)
        call.trouble = next((one.trouble for one in self._waiting if one.takes(path, said, call.at)), None)
        if path != CONNECT:
            self.calls.append(call)
            self.heed(call)
        return call

    # One connection ----------------------------------------------------------------------------------------------
    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._connected(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            trouble = self.take(CONNECT, "").trouble
            if trouble is not None and not await spoil(reader, writer, trouble, b""):
                return
            while await self._one_call(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _one_call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read a request and see to it; whether another may follow."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1])) if length else b""
        path = head.split(b" ", 2)[1].decode()
        if b"\r\nupgrade: websocket" in head.lower():
            await _Socket(self, reader, writer).live(head)
            return False
        call = self.take(path, path + body.decode(errors="replace"))
        if call.trouble is None:
            call.landed = True
            writer.write(await self._platforms_answer(head + body, None))
            call.answered = True
            return True
        await asyncio.sleep(call.trouble.late)
        answer = b""
        if call.trouble.asked != 0:
            call.landed = call.trouble.asked is None
            answer = await self._platforms_answer(head + body, call.trouble.asked)
        return await spoil(reader, writer, call.trouble, answer)

    async def _platforms_answer(self, request: bytes, asked: int | None) -> bytes:
        """All of it; nothing where the platform was not told all."""
        reader, writer = await asyncio.open_connection(*self.target, limit=MOST_HEAD)
        try:
            writer.write(request[:asked])
            if asked is not None:
                await writer.drain()
                return b""
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            return head + (await reader.readexactly(int(length[1])) if length else b"")
        finally:
            writer.close()


async def spoil(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, trouble: Trouble, answer: bytes, name: str = ""
) -> bool:
    """Answer as the trouble wants it, to the request of this name; whether the connection goes on."""
    await asyncio.sleep(trouble.pause)
    said = trouble.say(name) if callable(trouble.say) else trouble.say
    words = (answer if said is None else said)[: trouble.kept]
    step = trouble.drip or len(words) or 1
    for start in range(0, len(words), step):
        writer.write(words[start : start + step])
        await writer.drain()
        await asyncio.sleep(trouble.gap)
    if trouble.end == "reset":
        reset(writer)
    elif trouble.end == "close":
        writer.close()
    elif trouble.end == "hole":
        while await reader.read(MOST_HEAD):  # until the other side gives up
            pass
    return trouble.end == "goes on"


class _Socket:
    """One WebSocket; an answer is known by the id of its request."""

    def __init__(self, line: FaultyLine, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._line = line
        self._reader, self._writer = reader, writer
        self._open: dict[str, Call] = {}
        self._late: set[asyncio.Task[bool]] = set()
        self._dead = self._spoilt = False

    async def live(self, head: bytes) -> None:
        """From the opening to the end of either side."""
        trouble = self._line.take(HANDSHAKE, head.decode()).trouble
        if trouble is not None:
            await spoil(self._reader, self._writer, trouble, b"")
            return
        there_reader, there_writer = await asyncio.open_connection(*self._line.target, limit=MOST_HEAD)
        try:
            there_writer.write(head)
            self._writer.write(await there_reader.readuntil(b"\r\n\r\n"))
            await self._carry_both(there_reader, there_writer)
        finally:
            there_writer.transport.abort()

    async def _carry_both(self, there_reader: asyncio.StreamReader, there_writer: asyncio.StreamWriter) -> None:
        both = [asyncio.ensure_future(self._up(there_writer)), asyncio.ensure_future(self._down(there_reader))]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*both, *self._late):
                task.cancel()
            await asyncio.gather(*both, *self._late, return_exceptions=True)

    async def _up(self, there: asyncio.StreamWriter) -> None:
        """From the program to the platform."""
        while True:
            frame = await read_frame(self._reader)
            cmd, name = _read(frame)
            if not cmd:
                continue
            if self._dead:
                self._line.note(cmd, frame)
                continue
            call = self._open[name] = self._line.take(cmd, frame.payload.decode(errors="replace"))
            trouble = call.trouble
            if trouble is None or trouble.asked is None:
                call.landed = True
                there.write(frame.raw)
                continue
            there.write(frame.raw[: trouble.asked])
            self._dead = trouble.end == "hole"
            if trouble.end != "goes on":
                await self._note_rest()
            if self._dead:
                trouble = replace(trouble, end="goes on")
            if not await spoil(self._reader, self._writer, trouble, b"", name):
                return

    async def _note_rest(self) -> None:
        """What was sent behind it is lost as well."""
        await asyncio.sleep(0.001)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0):
                while True:
                    frame = await read_frame(self._reader)
                    if cmd := _read(frame)[0]:
                        self._line.note(cmd, frame)

    async def _down(self, there: asyncio.StreamReader) -> None:
        """From the platform to the program."""
        while True:
            frame = await read_frame(there)
            name = _read(frame)[1]
            call = self._open.pop(name, None)
            if self._dead:
                continue
            if call is None or call.trouble is None:
                self._writer.write(frame.raw)
                if call is not None:
                    call.answered = None if self._spoilt else True
            elif call.trouble.pause:
                self._late.add(asyncio.ensure_future(spoil(self._reader, self._writer, call.trouble, frame.raw)))
            elif not await self._spoil_now(call.trouble, frame.raw, name):
                return

    async def _spoil_now(self, trouble: Trouble, raw: bytes, name: str) -> bool:
        self._spoilt = self._spoilt or trouble.say is not None
        self._dead = trouble.end == "hole"
        alive = replace(trouble, end="goes on") if self._dead else trouble
        return await spoil(self._reader, self._writer, alive, raw, name)


def _read(frame: Frame) -> tuple[str, str]:
    """The cmd and the req_id of a frame, "" where it has none."""
    if frame.opcode != TEXT:
        return "", ""
    with contextlib.suppress(ValueError, AttributeError):
        told = json.loads(frame.payload)
        return str(told.get("cmd") or ""), str((told.get("headers") or {}).get("req_id") or "")
    return "", ""


def _now() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def faulty_line(target: tuple[str, int]) -> AsyncIterator[FaultyLine]:
    """A line for the time of the block; as long as nothing is scripted, a good one."""
    line = FaultyLine(target)
    await line.open()
    try:
        yield line
    finally:
        await line.close()
