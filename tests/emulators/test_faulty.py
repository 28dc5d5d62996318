"""The line that follows a script, and the time that is pushed: what the trials of troubles stand on."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.emulators.faulty import HANDSHAKE, FaultyLine, Trouble, faulty_line
from tests.emulators.frames import TEXT, closing, frame
from tests.emulators.pushed import BEGIN, let_pass, run_pushed, seconds

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nhalf"


@asynccontextmanager
async def shop(heard: list[str]) -> AsyncIterator[FaultyLine]:
    """A platform that says back what it hears."""

    async def handler(request: web.BaseRequest) -> web.Response:
        heard.append((await request.read()).decode())
        return web.Response(text=f"{request.path}: {heard[-1]}")

    runner = web.ServerRunner(web.Server(handler, access_log=None), shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with faulty_line(("127.0.0.1", runner.addresses[0][1])) as line:
        yield line
    await runner.cleanup()


async def ask(line: FaultyLine, said: str, path: str = "/say") -> str:
    timeout = aiohttp.ClientTimeout(sock_read=20.0)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(f"http://127.0.0.1:{line.port}{path}", data=said) as answer,
    ):
        return await answer.text()


def in_the_shop(act: Callable[[FaultyLine, list[str]], Awaitable[None]], *troubles: Trouble) -> None:
    """Do something there once the script has begun."""

    async def main() -> None:
        heard: list[str] = []
        async with shop(heard) as line:
            line.suffer(troubles)
            await act(line, heard)

    run_pushed(main())


def test_hours_pass_in_no_time_and_in_their_order() -> None:
    async def main() -> list[float]:
        found = []

        async def wait(hours: float) -> None:
            await let_pass(hours * 3600)
            found.append(seconds() - BEGIN)

        await asyncio.gather(wait(2), wait(1), wait(0.001))
        return found

    assert run_pushed(main()) == pytest.approx([3.6, 3600.0, 7200.0])


def test_the_work_of_a_thread_takes_no_time() -> None:
    async def main() -> float:
        held = asyncio.Event()

        async def impatient() -> None:
            async with asyncio.timeout(1.0):
                await held.wait()

        waiting = asyncio.create_task(impatient())
        await asyncio.get_running_loop().run_in_executor(None, sum, range(2_000_000))
        held.set()
        await waiting
        return seconds()

    assert run_pushed(main()) == BEGIN


def test_without_a_trouble_all_is_carried_and_noted() -> None:
    async def act(line: FaultyLine, heard: list[str]) -> None:
        assert await ask(line, "hello") == "/say: hello"
        assert [(call.path, call.said, call.landed, call.answered) for call in line.calls] == [
            ("/say", "/sayhello", True, True)
        ]

    in_the_shop(act)


def test_a_trouble_waits_for_the_calls_that_are_meant_and_for_so_many() -> None:
    async def act(line: FaultyLine, heard: list[str]) -> None:
        said = [await ask(line, word) for word in ("good", "bad 1", "bad 2", "bad 3")]
        assert said == ["/say: good", "no", "no", "/say: bad 3"]
        assert heard == ["good", "bad 3"]
        assert line.quiet

    in_the_shop(act, Trouble(words="bad", times=2, asked=0, say=b"HTTP/1.1 503 X\r\nContent-Length: 2\r\n\r\nno"))


def test_a_trouble_that_lasts_begins_with_its_first_call_and_ends_by_itself() -> None:
    async def act(line: FaultyLine, heard: list[str]) -> None:
        await let_pass(100)
        for wait, fails in ((0, True), (29, True), (2, False)):
            await let_pass(wait)
            if fails:
                with pytest.raises(aiohttp.ClientError):
                    await ask(line, "x")
            else:
                assert await ask(line, "y") == "/say: y"

    in_the_shop(act, Trouble(times=None, seconds=30.0, end="close", asked=0))


@pytest.mark.parametrize(
    "trouble, heard_of, seconds_gone, error",
    [
        (Trouble(asked=10, end="reset"), False, 0.0, aiohttp.ClientError),
        (Trouble(kept=0, end="reset"), True, 0.0, aiohttp.ClientError),
        (Trouble(kept=60, end="close"), True, 0.0, aiohttp.ClientError),
        (Trouble(say=HALF, end="close"), True, 0.0, aiohttp.ClientError),
        (Trouble(kept=0, end="hole"), True, 20.0, TimeoutError),
        (Trouble(asked=0, end="hole"), False, 20.0, TimeoutError),
        (Trouble(pause=15.0), True, 15.0, None),
        (Trouble(drip=10, gap=2.0), True, 30.0, None),
        (Trouble(path="(connect)", end="close"), False, 0.0, aiohttp.ClientError),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_each_trouble_does_what_it_says(
    trouble: Trouble, heard_of: bool, seconds_gone: float, error: type[Exception] | None
) -> None:
    async def act(line: FaultyLine, heard: list[str]) -> None:
        if error is None:
            assert await ask(line, "x") == "/say: x"
        else:
            with pytest.raises(error):
                await ask(line, "x")
        assert seconds() - BEGIN == pytest.approx(seconds_gone, abs=2.0)
        assert heard == (["x"] if heard_of else [])

    in_the_shop(act, trouble)


def test_a_platform_may_hear_of_a_call_long_after_its_caller_has_given_up() -> None:
    async def act(line: FaultyLine, heard: list[str]) -> None:
        with pytest.raises(TimeoutError):
            await ask(line, "x")
        assert heard == []
        await let_pass(15)
        assert heard == ["x"]

    in_the_shop(act, Trouble(late=30.0))


def test_nobody_listens_until_it_is_opened_again_at_the_same_place() -> None:
    async def act(line: FaultyLine, heard: list[str]) -> None:
        line.shut()
        with pytest.raises(aiohttp.ClientConnectorError):
            await ask(line, "x")
        await line.open()
        assert await ask(line, "y") == "/say: y"

    in_the_shop(act)


# A WebSocket -------------------------------------------------------------------------------------------------------
async def echo(socket: ServerConnection) -> None:
    with suppress(ConnectionClosed):
        async for said in socket:
            await socket.send(json.dumps({"headers": json.loads(said)["headers"], "errcode": 0}))


def on_the_line(trouble: Trouble, act: Callable[[Any, FaultyLine], Awaitable[None]]) -> None:
    """A client on a line of which one frame goes wrong."""

    async def main() -> None:
        async with (
            serve(echo, "127.0.0.1", 0, compression=None, ping_interval=None) as server,
            faulty_line(("127.0.0.1", server.sockets[0].getsockname()[1])) as line,
        ):
            line.suffer([trouble])
            async with connect(f"ws://127.0.0.1:{line.port}", close_timeout=1.0, ping_interval=None) as socket:
                await act(socket, line)

    run_pushed(main())


def said(name: str, cmd: str = "send") -> str:
    return json.dumps({"cmd": cmd, "headers": {"req_id": name}})


def test_the_answer_to_one_frame_is_spoilt_and_that_to_another_is_not() -> None:
    def no(name: str) -> bytes:
        return frame(TEXT, f"no, {name}".encode())

    async def act(socket: Any, line: FaultyLine) -> None:
        for name in ("a", "b"):
            await socket.send(said(name, "send" if name == "b" else "ping"))
        assert [json.loads(await socket.recv())["headers"], await socket.recv()] == [{"req_id": "a"}, "no, b"]
        assert [call.landed for call in line.calls[1:]] == [True, True]

    on_the_line(Trouble(path="send", say=no), act)


@pytest.mark.parametrize(
    "trouble, code",
    [
        (Trouble(kept=3, end="reset"), 1006),
        (Trouble(asked=5, end="reset"), 1006),
        (Trouble(say=closing(4000, "enough"), end="close"), 4000),
        (Trouble(say=b"\x8f\x00", end="close"), 1006),
    ],
    ids=["cut in an answer", "cut in a frame", "closed with a code", "no frame at all"],
)
def test_a_connection_ends_in_the_way_that_is_asked_for(trouble: Trouble, code: int) -> None:
    async def act(socket: Any, line: FaultyLine) -> None:
        await socket.send(said("a"))
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        await socket.wait_closed()
        assert socket.close_code == code

    on_the_line(trouble, act)


def test_behind_a_silence_nothing_comes_and_nothing_goes() -> None:
    async def act(socket: Any, line: FaultyLine) -> None:
        await socket.send(said("a"))
        await let_pass(1)
        await socket.send(said("b"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 60)
        assert [(call.landed, call.answered) for call in line.calls[1:]] == [(True, False), (False, False)]

    on_the_line(Trouble(kept=0, end="hole", times=1), act)


def test_an_opening_is_answered_by_somebody_else() -> None:
    async def main() -> None:
        async with faulty_line(("127.0.0.1", 1)) as line:
            line.suffer([Trouble(path=HANDSHAKE, say=b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n", end="close")])
            with pytest.raises(Exception, match="503"):
                async with connect(f"ws://127.0.0.1:{line.port}"):
                    raise AssertionError("it was let in")

    run_pushed(main())
