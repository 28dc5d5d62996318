"""The line that tests cut: it carries, it breaks, it blocks, it is mended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from tests.emulators.link import Link, link


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while said := await reader.read(1000):
            writer.write(said.upper())
    writer.close()


@pytest.fixture
async def line() -> AsyncIterator[Link]:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, link(("127.0.0.1", server.sockets[0].getsockname()[1])) as made:
        yield made


async def ask(line: tuple[asyncio.StreamReader, asyncio.StreamWriter], text: bytes) -> bytes:
    reader, writer = line
    writer.write(text)
    return await asyncio.wait_for(reader.read(1000), 0.2)


async def test_it_carries_both_ways(line: Link) -> None:
    end = await asyncio.open_connection("127.0.0.1", line.port)
    assert await ask(end, b"hello") == b"HELLO"
    assert line.carried == 10
    end[1].close()


async def test_a_cut_resets_what_is_connected_and_refuses_what_comes(line: Link) -> None:
    end = await asyncio.open_connection("127.0.0.1", line.port)
    assert await ask(end, b"x") == b"X"
    line.cut()
    with pytest.raises(ConnectionError):
        await ask(end, b"y")
    late = await asyncio.open_connection("127.0.0.1", line.port)
    with suppress(ConnectionError):  # reset, or closed without a word
        assert await ask(late, b"z") == b""
    line.mend()
    new = await asyncio.open_connection("127.0.0.1", line.port)
    assert await ask(new, b"w") == b"W"
    for each in (end, late, new):
        each[1].close()


async def test_what_is_blocked_waits_and_arrives_when_it_is_mended(line: Link) -> None:
    end = await asyncio.open_connection("127.0.0.1", line.port)
    assert await ask(end, b"x") == b"X"
    line.block()
    with pytest.raises(TimeoutError):
        await ask(end, b"y")
    line.mend()
    assert await asyncio.wait_for(end[0].read(1000), 1) == b"Y"
    end[1].close()
