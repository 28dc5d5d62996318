"""Where the server listens, and whom it believes: this machine alone unless told otherwise, no header of a proxy."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bot.config import Config
from bot.config.sections import Web
from bot.web.server import serve
from tests.summary import Tally
from tests.webtown import HOST, Town, open_town

CLAIMS: Sequence[str] = (
    "X-Forwarded-For",
    "X-Real-IP",
    "Forwarded",
    "X-Client-IP",
    "CF-Connecting-IP",
    "True-Client-IP",
    "X-Forwarded",
    "Forwarded-For",
)
HOSTS: Sequence[Mapping[str, str]] = (
    {"X-Forwarded-Host": "127.0.0.1:8080"},
    {"X-Host": "127.0.0.1:8080"},
    {"Forwarded": "host=127.0.0.1:8080;proto=http"},
    {"X-Forwarded-Server": "127.0.0.1"},
    {"X-Original-Host": "localhost"},
)


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with open_town() as opened:
        yield opened


@asynccontextmanager
async def served(town: Town, *proxies: str) -> AsyncIterator[int]:
    """The server as the program opens it, on a free port of its usual address."""
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(town.app, Web().host, 0, port.set_result, proxies=proxies))
    try:
        yield await port
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_the_usual_address_is_this_machine_alone(tmp_path: Path) -> None:
    assert Web().host == Config.demo(port=8080, data=tmp_path).web.host == "127.0.0.1"


async def test_from_another_address_of_this_machine_nobody_gets_in(town: Town) -> None:
    async with served(town) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        with pytest.raises(OSError):  # noqa: PT011 - refused, in the words of the system
            await asyncio.open_connection("127.0.0.2", port)


@pytest.mark.parametrize("name", CLAIMS)
async def test_who_guesses_does_not_become_another_by_a_header(town: Town, name: str, tally: Tally) -> None:
    async with served(town) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as browser:
        statuses = []
        for n in range(12):
            claimed = {name: f"for=10.0.0.{n}" if name == "Forwarded" else f"10.0.0.{n}"}
            answer = await browser.get("/join", params={"code": f"AAAA-AAAA-{n:02}"}, headers=claimed)
            statuses.append(answer.status_code)
    assert statuses == [404] * 10 + [429] * 2
    tally("S15", len(statuses))


@pytest.mark.parametrize(
    "proxy,tells_apart", [("127.0.0.1", True), ("127.0.0.0/8", True), ("10.9.9.9", False), ("10.0.0.0/8", False)]
)
async def test_visitors_are_told_apart_behind_the_proxy_that_is_named_and_behind_no_other(
    town: Town, proxy: str, tells_apart: bool
) -> None:
    async def guess(browser: httpx.AsyncClient, visitor: str, times: int) -> set[int]:
        asked = browser.build_request("GET", "/join?code=AAAA-AAAA", headers={"X-Forwarded-For": visitor})
        return {(await browser.send(asked)).status_code for _ in range(times)}

    async with served(town, proxy) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as browser:
        assert await guess(browser, "203.0.113.7", 11) == {404, 429}
        assert await guess(browser, "203.0.113.8", 1) == {404 if tells_apart else 429}
        assert await guess(browser, "203.0.113.9, 203.0.113.7", 1) == {429}  # the first is his own claim


@pytest.mark.parametrize("headers", HOSTS, ids=range(len(HOSTS)))
async def test_a_foreign_host_stays_one_whatever_a_header_says(
    town: Town, headers: Mapping[str, str], tally: Tally
) -> None:
    async with served(town) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as browser:
        answer = await browser.get("/", headers={"Host": "evil.example", **headers})
    assert answer.status_code == 400
    tally("S15", 1)


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
async def test_a_header_makes_no_method_out_of_another(town: Town, name: str) -> None:
    async with await town.browser_of("张建国") as browser:
        del browser.headers["Origin"]
        answer = await browser.get("/api/chat/sign-out", headers={name: "POST"})
        assert answer.status_code == 405
        assert (await browser.get("/api/chat/state")).status_code == 200


@pytest.mark.parametrize("name", ["X-Original-URL", "X-Rewrite-URL"])
async def test_a_header_leads_to_no_other_address(town: Town, name: str) -> None:
    async with town.browser() as browser:
        plain = await browser.get("/join")
        assert (await browser.get("/join", headers={name: "/metrics"})).text == plain.text


async def test_a_header_makes_no_cookie_of_http_one_of_https(town: Town) -> None:
    async with await town.browser_of("张建国") as browser:
        answer = await browser.post("/api/chat/sign-out", headers={"X-Forwarded-Proto": "https", "Origin": HOST})
    assert (answer.status_code, "Secure" in answer.headers["set-cookie"]) == (204, False)
