"""A line between a program and a server that can be cut, blocked and mended: TCP on this machine, byte for byte."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

CHUNK = 65536
ABORT = struct.pack("ii", 1, 0)
"""SO_LINGER of no time: closing resets the connection."""


class Link:
    """Forwards to `target` what comes in at `port`.

    `cut` resets every connection and refuses new ones; `block` lets them stand and carries nothing, as a firewall that
    forgot them does; `mend` undoes both, and what was blocked goes on.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._open = asyncio.Event()
        self._open.set()
        self._is_cut = False
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._calls: set[asyncio.Task[None]] = set()
        self.port = 0
        self.carried = 0

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Hang up for good."""
        self.cut()
        self._open.set()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    def cut(self) -> None:
        """Reset what is connected; from now on nobody gets through."""
        self._is_cut = True
        for writer in list(self._writers):
            reset(writer)

    def block(self) -> None:
        """Carry nothing any more, and tell nobody."""
        self._open.clear()

    def mend(self) -> None:
        """Be a line again."""
        self._is_cut = False
        self._open.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.ensure_future(self._connect(reader, writer))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            reset(writer)
            return
        try:
            there_reader, there_writer = await asyncio.open_connection(*self._target)
        except OSError:
            reset(writer)
            return
        both = {writer, there_writer}
        self._writers |= both
        try:
            await asyncio.gather(self._carry(reader, there_writer), self._carry(there_reader, writer))
        finally:
            self._writers -= both
            for each in both:
                each.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK):
                await self._open.wait()
                self.carried += len(chunk)
                writer.write(chunk)
                await writer.drain()
        if not writer.is_closing():
            writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a reset, as a crash or a firewall does."""
    line = writer.get_extra_info("socket")
    if line is not None and line.fileno() >= 0:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    writer.transport.abort()


@asynccontextmanager
async def link(target: tuple[str, int]) -> AsyncIterator[Link]:
    """A line for the time of the block."""
    line = Link(target)
    await line.start()
    try:
        yield line
    finally:
        await line.close()
