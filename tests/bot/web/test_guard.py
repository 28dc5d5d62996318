"""The gate: hosts, origins, sizes, headers, for every route that there is."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from domain.said import Said
from storage.errors import StorageUnavailable
from tests.errors import ExpectedErrors
from tests.webtown import HOST, Clock, PanelClock, Town, open_town, words

FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:9999"},
    {"Origin": "http://127.0.0.1:8080.evil.example"},
    {"Origin": "not a url"},
    {"Origin": "http://[::1"},
    {"Origin": HOST, "Sec-Fetch-Site": "cross-site"},
    {"Origin": HOST, "Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {},
]
OWN: list[dict[str, str]] = [
    {"Origin": HOST},
    {"Origin": HOST, "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "same-origin"},
]


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with open_town(demo=PanelClock(Clock())) as opened:
        yield opened


def unsafe(town: Town) -> Iterator[str]:
    """Every address that takes a POST."""
    for route in town.app.routes:
        if isinstance(route, Route) and "POST" in (route.methods or ()):
            yield (
                route.path.replace("{id}", "1")
                .replace("{person:int}", "1")
                .replace("{stride}", "hour")
                .replace("{on}", "on")
            )


async def test_no_foreign_page_can_do_anything_by_any_post(town: Town) -> None:
    token = await town.token("张建国")
    paths = list(unsafe(town))
    assert len(paths) == 9
    for path in paths:
        for headers in FOREIGN:
            async with town.browser(token) as browser:
                del browser.headers["Origin"]
                answer = await browser.post(path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "origin"), (path, headers)
    assert not await town.inbox()


@pytest.mark.parametrize("headers", OWN)
async def test_an_own_page_can(town: Town, headers: dict[str, str]) -> None:
    async with await town.browser_of("张建国") as browser:
        del browser.headers["Origin"]
        url = f"/api/chat/rooms/{await town.private('张建国')}/say"
        assert (await browser.post(url, headers=headers, **words("好"))).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "127.0.0.1:x"])
async def test_another_host_name_gets_nothing(town: Town, host: str) -> None:
    async with await town.browser_of("张建国") as browser:
        answer = await browser.get("/api/chat/state", headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (400, "host")


async def test_the_public_name_is_known_and_probes_need_none() -> None:
    async with open_town(public_url="https://lianqi.park.example") as town, town.browser() as browser:
        assert (await browser.get("/", headers={"Host": "lianqi.park.example"})).status_code == 200
        for probe in ("/livez", "/readyz"):
            assert (await browser.get(probe, headers={"Host": "10.0.0.7"})).status_code == 200


async def test_behind_https_the_origin_is_compared_without_its_scheme_and_cookies_are_bound() -> None:
    public = "https://lianqi.park.example"
    async with open_town(public_url=public) as town, await town.browser_of("张建国") as browser:
        answer = await browser.post(
            "/api/chat/sign-out",
            headers={"Host": "lianqi.park.example", "Origin": "https://lianqi.park.example"},
        )
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-lianqi=")
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"))


async def test_every_answer_carries_the_headers(town: Town) -> None:
    async with town.browser() as browser:
        for path in ("/", "/join", "/nowhere", "/api/chat/state", "/livez", "/static/chat.js"):
            headers = (await browser.get(path)).headers
            assert "script-src 'self';" in headers["content-security-policy"], path
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert "camera=()" in headers["permissions-policy"]
            assert headers["cache-control"] == ("no-cache" if path.startswith("/static") else "no-store")


async def test_bodies_are_bounded_by_their_length_and_by_what_really_comes(town: Town) -> None:
    async def endless() -> Any:
        for _ in range(80):
            yield b"x" * 1024

    async with await town.browser_of("张建国") as browser:
        url = f"/api/chat/rooms/{await town.private('张建国')}/press"
        told = await browser.post(url, content=b"x" * 70_000)
        untold = await browser.post(url, content=endless())
        odd = await browser.post(url, headers={"Content-Length": "-5"})
    assert [(answer.status_code, answer.json()["code"]) for answer in (told, untold, odd)] == [(413, "too_large")] * 3


async def test_unknown_addresses_and_methods_are_told_in_a_sentence(town: Town) -> None:
    async with await town.browser_of("张建国") as browser:
        answers = [await browser.get("/nowhere"), await browser.post("/livez"), await browser.get("/static/../chat.py")]
    assert [answer.status_code for answer in answers] == [404, 405, 404]
    assert all(answer.json()["error"].endswith("。") for answer in answers)


async def test_other_parts_of_the_server_hang_under_the_same_guard() -> None:
    async def hello(request: Request) -> JSONResponse:
        return JSONResponse({"hello": True})

    routes = (Mount("/console", routes=[Route("/", hello)]), Route("/channels/wecom_app", hello, methods=["POST"]))
    async with open_town(routes=routes) as town, town.browser() as browser:
        del browser.headers["Origin"]
        assert (await browser.get("/console/")).json() == {"hello": True}
        assert (await browser.post("/channels/wecom_app")).status_code == 200


async def test_health_is_told_as_the_program_tells_it() -> None:
    async def health() -> Sequence[Said]:
        return wrong

    wrong = [Said("health.storage", {"cause": "disk full"})]
    async with open_town(health=health) as town, town.browser() as browser:
        alive, ready = await browser.get("/livez"), await browser.get("/readyz")
        wrong.clear()
        again = await browser.get("/readyz")
    assert alive.status_code == 200
    assert (ready.status_code, ready.json()) == (503, {"ready": False, "wrong": ["存储写不进去：disk full"]})
    assert (again.status_code, again.json()) == (200, {"ready": True, "wrong": []})


async def test_storage_that_cannot_work_is_told_and_a_bug_is_not_shown(expected_errors: ExpectedErrors) -> None:
    async def down(request: Request) -> JSONResponse:
        raise StorageUnavailable("the disk is full")

    async def bug(request: Request) -> JSONResponse:
        raise RuntimeError("secret detail")

    async with open_town(routes=(Route("/down", down), Route("/bug", bug))) as town, town.browser() as browser:
        busy = await browser.get("/down")
        with pytest.raises(RuntimeError):  # the server logs it after the answer has left
            await browser.get("/bug")
    assert (busy.status_code, busy.json()["code"]) == (503, "busy")
    assert "disk" not in busy.text


async def test_a_browser_that_leaves_half_way_is_no_error(town: Town) -> None:
    url, token, sent = f"/api/chat/rooms/{await town.private('张建国')}/read", await town.token("张建国"), []

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1:8080"), (b"origin", HOST.encode()), (b"cookie", f"lianqi={token}".encode())]
    scope = {"type": "http", "method": "POST", "path": url, "query_string": b"", "headers": headers, "client": None}
    await town.app(scope, gone, send)
    assert sent[0]["status"] == 400
