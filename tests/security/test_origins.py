"""Every address that changes something, found from the router, from every foreign place: refused; and the callbacks."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import product

import pytest
from starlette.routing import BaseRoute, Mount, Route

from bot.channels import Kit
from bot.channels.telegram import Account, TelegramChannel
from bot.channels.wecom_app import WecomApp
from tests.bot.telegram.desks import UPDATE, NoteDesk, words
from tests.bot.wecom_app.desks import app_at
from tests.emulators.wecom.api import Callback, WecomApiEmulator
from tests.needs import count
from tests.summary import Tally
from tests.webtown import HOST, Clock, PanelClock, Town, open_town

SECRET = "a-secret_of-the-webhook"
HOOK = f"{HOST}/channels/telegram/x7k2"
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
PUBLIC = "https://lianqi.park.example"
ORIGINS: Sequence[str | None] = (
    None,
    "",
    "null",
    "NULL",
    "https://evil.example",
    "http://evil.example:8080",
    "http://127.0.0.1",
    "http://127.0.0.1:80",
    "http://127.0.0.1:8081",
    "http://127.0.0.1:80800",
    "https://127.0.0.1",
    "ftp://127.0.0.1:8080",
    "file://",
    "chrome-extension://abcdefgh",
    "//127.0.0.1:8080",
    "127.0.0.1:8080",
    "http://localhost:8080",
    "http://127.0.0.1:8080.evil.example",
    "http://evil.example/http://127.0.0.1:8080",
    "http://127.0.0.1:8080@evil.example",
    "http://127.0.0.2:8080",
    "http://[::1]:8080",
    "http://2130706433:8080",
    "not an origin",
)
SITES: Sequence[str | None] = (None, "none", "cross-site", "same-site", "SAME-ORIGIN")
FOREIGN = [
    {name: value for name, value in (("Origin", origin), ("Sec-Fetch-Site", site)) if value is not None}
    for origin, site in product(ORIGINS, SITES)
]
FOREIGN += [{"Origin": HOST, "Sec-Fetch-Site": site} for site in SITES if site]


@asynccontextmanager
async def whole_server(url: str = HOST) -> AsyncIterator[tuple[Town, NoteDesk, WecomApiEmulator]]:
    """Everything that the server can offer: pages, demo, and both callbacks."""
    desk = NoteDesk()
    account = Account("123456:AAH", "http://127.0.0.1:1", "webhook", HOOK, SECRET)
    telegram = TelegramChannel(account, Kit(None, words))
    telegram._intake.bot = "lianqi_bot"
    async with WecomApiEmulator(lambda: desk.now().timestamp()) as server:
        app = WecomApp(app_at(server), Kit(None, words))
        routes = (*telegram.routes(desk), *app.routes(desk))
        async with open_town(routes=routes, demo=PanelClock(Clock()), public_url=url) as town:
            yield town, desk, server
        await app.close()
    await telegram.close()


def leaves(routes: Sequence[BaseRoute], above: str = "") -> Iterator[tuple[str, frozenset[str]]]:
    """Every address of the server with its methods, those of mounted parts too."""
    for route in routes:
        if isinstance(route, Mount):
            yield f"{above}{route.path}/x", frozenset()
            yield from leaves(route.routes or (), above + route.path)
        elif isinstance(route, Route):
            yield above + route.path, frozenset(route.methods or ())


def addresses(town: Town) -> Iterator[tuple[str, str, str]]:
    """Every unsafe method at every address with its pattern, whether it is meant to be used there or not."""
    for path, _ in leaves(town.app.routes):
        filled = path.replace("{id}", "1").replace("{person:int}", "1").replace("{stride}", "hour")
        for method in UNSAFE:
            filled = filled.replace("{on}", "on").replace("{hash}", "0" * 64).replace("{code}", "AAAA-BBBB")
            yield method, filled, path


def trials(town: Town) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """From everywhere at each address that changes something; at the others from one place in turn, or everywhere."""
    meant = {path for path, methods in leaves(town.app.routes) if "POST" in methods}
    few = count(1, len(FOREIGN))
    for number, (method, path, way) in enumerate(addresses(town)):
        if not path.startswith("/channels/"):
            whence = FOREIGN if method == "POST" and way in meant else [*FOREIGN, *FOREIGN][number % 97 :][:few]
            yield from ((method, path, headers) for headers in whence)


async def state_of(town: Town) -> Sequence[object]:
    tables = ("inbox", "posts", "sessions", "accounts", "chats", "invites", "slips")
    return [[tuple(row.values()) for row in await town.all(f"SELECT * FROM {name}")] for name in tables]


async def test_no_foreign_page_changes_anything_at_any_address(tally: Tally) -> None:
    tried = 0
    async with whole_server() as (town, desk, _):
        token = await town.token("张建国")
        before = await state_of(town)
        async with town.browser(token) as browser:
            del browser.headers["Origin"]
            for method, path, headers in trials(town):
                answer = await browser.request(method, path, headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (403, "origin"), (method, path, headers)
                tried += 1
        assert (await state_of(town), desk.rows) == (before, [])
    assert tried > 1200
    tally("S13", tried)


async def test_every_address_that_is_meant_to_change_something_is_among_them() -> None:
    async with whole_server() as (town, _, _):
        found = {path for path, methods in leaves(town.app.routes) if methods - {"GET", "HEAD"}}
    pages = {"/join", "/slip/{code}", *(f"/api/chat/rooms/{{id}}/{verb}" for verb in ("say", "press", "read"))}
    pages |= {"/api/chat/sign-out", "/demo/be/{person:int}", "/demo/advance/{stride}", "/demo/play/{on}"}
    assert found == pages | {"/channels/telegram/x7k2", "/channels/wecom_app"}


@pytest.mark.parametrize(
    "origin, status",
    [(PUBLIC, 204), (f"{PUBLIC}:443", 204), ("http://lianqi.park.example", 403), (f"{PUBLIC}:8443", 403)],
)
async def test_under_a_name_of_https_a_page_that_came_without_it_is_foreign(origin: str, status: int) -> None:
    async with open_town(public_url=PUBLIC) as town, await town.browser_of("张建国") as browser:
        headers = {"Host": "lianqi.park.example", "Origin": origin}
        assert (await browser.post("/api/chat/sign-out", headers=headers)).status_code == status


# Callbacks: they have no origin, and their own secret -----------------------------------------------------------------
def forms(body: bytes) -> Iterator[Mapping[str, object]]:
    """What a form or a script of any page can send without asking: three types, with the cookies that are there."""
    yield {"content": body, "headers": {"Content-Type": "text/plain"}}
    yield {"content": b"x=" + body, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
    yield {"files": {"x": ("x.json", body, "application/json")}}
    yield {"content": body}


async def test_no_form_of_any_page_drives_the_webhook_of_telegram(tally: Tally) -> None:
    tried = 0
    async with whole_server() as (town, desk, _), await town.browser_of("周主任") as browser:
        for origin, form in product((*ORIGINS, HOST), forms(json.dumps(UPDATE).encode())):
            headers = {**dict(form.get("headers", {})), **({"Origin": origin} if origin else {})}  # type: ignore[call-overload]  # a mapping of headers
            for path in (HOOK, f"{HOOK}?secret_token={SECRET}", f"{HOOK}?x-telegram-bot-api-secret-token={SECRET}"):
                answer = await browser.post(path, **{**form, "headers": headers})  # type: ignore[arg-type]  # keywords of httpx
                assert answer.status_code == 403
                tried += 1
        assert desk.rows == []
        known = {"x-telegram-bot-api-secret-token": SECRET}
        assert (await browser.post(HOOK, json=UPDATE, headers=known)).status_code == 200
    tally("S13", tried)


async def test_no_form_of_any_page_drives_the_callback_of_wecom(tally: Tally) -> None:
    tried = 0
    async with whole_server() as (town, desk, server), await town.browser_of("周主任") as browser:
        good = server.message("zhang", "text", Content="停电")
        for origin, form in product((*ORIGINS, HOST), forms(good.body)):
            headers = {**dict(form.get("headers", {})), **({"Origin": origin} if origin else {})}  # type: ignore[call-overload]  # a mapping of headers
            for query in unsigned(good):
                given = {**form, "headers": headers, "params": query}
                answer = await browser.post("/channels/wecom_app", **given)  # type: ignore[arg-type]  # keywords of httpx
                assert (answer.status_code, answer.content) == (403, b"not for you")
                tried += 1
        assert desk.rows == []
        assert (await browser.post("/channels/wecom_app", params=good.query, content=good.body)).status_code == 200
    tally("S13", tried)


def unsigned(good: Callback) -> Iterator[dict[str, str]]:
    """Addresses as somebody writes them who does not know the token."""
    yield {}
    yield {**good.query, "msg_signature": "0" * 40}
    yield {name: value for name, value in good.query.items() if name != "msg_signature"}


async def test_a_slip_is_answered_from_its_own_page_alone() -> None:
    async with whole_server() as (town, _, _), town.browser() as browser:
        del browser.headers["Origin"]
        fields = {"token": "x", "text": "好了", "state": "done"}
        answers = [await browser.post("/slip/AAAA-BBBB", data=fields, headers=headers) for headers in FOREIGN[:20]]
    assert {answer.status_code for answer in answers} == {403}
