"""The whole program behind a real port, and browsers that look at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright, expect

from bot.app import App, Park
from bot.channels.web import WebChannel
from bot.civil import CivilClock
from bot.web.bell import Bell
from bot.web.board import PostBoard
from bot.web.context import DemoPerson, Group, Stride, WebContext
from bot.web.server import make_web, serve
from storage import invites, people
from storage.database import Database, Tx
from storage.open import open_database
from tests.making import civil, make_rules
from tests.webtown import populate
from texts import Catalogue

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESK, PHONE = (1280, 800), (390, 844)
expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong
CAST: Sequence[tuple[str, Group, str]] = (
    ("张建国", "firm", "宏达机械有限公司"),
    ("李芳", "firm", "和顺物流有限公司"),
    ("王敏", "liaison", "挂钩宏达机械"),
    ("赵亮", "liaison", "挂钩和顺物流"),
    ("孙工", "department", "县供电公司"),
    ("周主任", "office", "园区优化办"),
    ("纪书记", "inspection", "纪检监察组"),
)
STRIDES = {"hour": timedelta(hours=1), "morning": timedelta(hours=22)}


def real_time() -> datetime:
    """The machine's clock, which only sessions and pauses go by."""
    return datetime.now(UTC)  # noqa: TID251 - the program under test runs in real time


@dataclass
class Panel:
    """The demo's controls over the running program."""

    app: App
    cast: Sequence[DemoPerson] = ()
    runs: bool = False

    def now(self) -> datetime:
        return self.app.civil()

    def playing(self) -> bool:
        return self.runs

    async def advance(self, stride: Stride) -> None:
        limit = self.now() + timedelta(days=3)
        if stride == "next":
            await self.app.step_on(limit)
        else:
            await self.app.step_to(self.now() + STRIDES[stride])

    async def play(self, on: bool) -> None:
        self.runs = on

    async def people(self) -> Sequence[DemoPerson]:
        return self.cast


@dataclass
class Program:
    """The running program: its address, its people and rooms by name."""

    address: str
    app: App
    database: Database
    people: dict[str, int]
    rooms: dict[str, int]
    browser: Browser
    troubles: list[str] = field(default_factory=list)

    async def page(self, size: tuple[int, int] = DESK) -> Page:
        """A fresh browser window; what goes wrong in it is kept in `troubles`."""
        phone = size == PHONE
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale="zh-CN",
            has_touch=phone,
            is_mobile=phone,
            device_scale_factor=2 if phone else 1,
        )
        page = await context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", lambda said: self.troubles.append(said.text) if said.type == "error" else None)
        return page

    async def card(self, name: str) -> str:
        """The address on a desk card made for somebody."""

        async def unit(tx: Tx) -> str:
            person = await people.person(tx, self.people[name], self.app.civil())
            assert person is not None
            return await invites.make(tx, person, self.app.civil())

        return f"{self.address}/join?code={await self.database.transaction(unit)}"

    async def signed_in(self, name: str, size: tuple[int, int] = DESK) -> Page:
        """A window of somebody who came by his card."""
        page = await self.page(size)
        await page.goto(await self.card(name))
        await page.get_by_role("button", name="确认进入").click()
        await page.wait_for_url(f"{self.address}/**")
        return page


def _cast(found: dict[str, int]) -> list[DemoPerson]:
    return [DemoPerson(found[name], name, group, note) for name, group, note in CAST]


@asynccontextmanager
async def running(folder: Path, chromium: str, *, demo: bool = False) -> AsyncIterator[Program]:
    """The program on a free port, with a browser beside it."""
    database = await open_database(f"sqlite:///{folder}/lianqi.db")
    found, rooms = await database.transaction(populate)
    clock = CivilClock(real_time, civil("2026-03-11 10:30"))
    park = Park(make_rules(), Catalogue.load(strict=True))
    board = PostBoard(database, Bell(), clock)
    app = App(park, database, {"web": WebChannel(board)}, civil=clock, machine=real_time)
    panel = Panel(app, _cast(found)) if demo else None
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    context = WebContext(
        database,
        park.rules,
        park.catalogue,
        board,
        app.dispatcher.wake,
        clock,
        real_time,
        "http://127.0.0.1",
        panel,
    )
    tasks = [
        asyncio.create_task(serve(make_web(context), "127.0.0.1", 0, port.set_result)),
        asyncio.create_task(app.run()),
    ]
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
            yield Program(f"http://127.0.0.1:{await port}", app, database, found, rooms, browser)
            await browser.close()
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        await database.close()
