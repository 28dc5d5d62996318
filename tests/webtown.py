"""A small park behind the web pages, for tests: people who are signed in, rooms, and the server without a network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import uuid4

import httpx
from starlette.applications import Starlette

from bot.channel import Document, Key, Parcel
from bot.web.bell import Bell
from bot.web.board import PostBoard
from bot.web.context import DemoPerson, Stride, WebContext
from bot.web.server import make_web
from domain.people import Purpose, Role
from storage import outbox, sessions
from storage.database import Database, Tx
from storage.outbox import Letter
from tests.backends import open_house
from tests.making import civil, make_enterprise, make_group, make_person, make_rules
from texts import Catalogue

NOON = civil("2026-03-11 10:30")
HOST = "http://127.0.0.1:8080"
SAME = {"Origin": HOST}
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at

    def on(self, **span: float) -> None:
        self.at += timedelta(**span)


@dataclass
class PanelClock:
    """The demo's controls over a clock that nothing hangs on."""

    clock: Clock
    cast: Sequence[DemoPerson] = ()
    runs: bool = False
    strides: list[Stride] = field(default_factory=list)

    def now(self) -> datetime:
        return self.clock()

    def playing(self) -> bool:
        return self.runs

    async def advance(self, stride: Stride) -> None:
        self.strides.append(stride)
        self.clock.on(hours=1)

    async def play(self, on: bool) -> None:
        self.runs = on

    async def people(self) -> Sequence[DemoPerson]:
        return self.cast


@dataclass
class Town:
    """The park: `people` by name to person id, `rooms` by name to chat id."""

    database: Database
    context: WebContext
    app: Starlette
    civil: Clock
    machine: Clock
    people: dict[str, int]
    rooms: dict[str, int]
    wakes: list[int]

    def browser(self, token: str = "", **headers: str) -> httpx.AsyncClient:
        """Somebody's browser; it speaks to the server without a network, and sends its own origin."""
        name = "__Host-lianqi" if self.context.secure else "lianqi"
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url=HOST,
            headers={**SAME, **headers},
            cookies={name: token} if token else None,
        )

    async def token(self, name: str) -> str:
        """A session of somebody."""

        async def unit(tx: Tx) -> str:
            account = await sessions.seat_of(tx, self.people[name])
            assert account is not None
            return await sessions.begin(tx, account.id, self.machine())

        return await self.database.transaction(unit)

    async def browser_of(self, name: str) -> httpx.AsyncClient:
        """The browser of somebody who is signed in."""
        return self.browser(await self.token(name))

    async def private(self, name: str) -> int:
        """The id of somebody's private room."""
        row = await self.one(
            "SELECT c.id FROM chats c JOIN accounts a ON a.id = c.account_id WHERE a.person_id = :id",
            id=self.people[name],
        )
        return int(row["id"])

    async def one(self, sql: str, **params: Any) -> Any:
        """The only row of a query."""
        return await self.database.reading(lambda tx: tx.one(sql, params))

    async def all(self, sql: str, **params: Any) -> Any:
        """All rows of a query."""
        return await self.database.reading(lambda tx: tx.all(sql, params))

    async def bot_says(self, chat_id: int, text: str, *keys: str, **parcel: Any) -> int:
        """The bot posts in a room; the post's id. `keys` are labels whose data is `data-<label>`."""
        row = tuple(Key(label, f"data-{label}") for label in keys)
        outbox_id = await self.owed(chat_id)
        sent = Parcel(outbox_id, chat_id, "", "send", text, (row,) if row else ())
        return int(await self.context.board.post(replace(sent, **parcel)))

    async def owed(self, chat_id: int) -> int:
        """An outbox row to be sent."""
        letter = Letter(chat_id, "word.yes")
        made = await self.database.transaction(lambda tx: outbox.owe(tx, letter, at=self.civil()))
        assert made is not None
        return made

    async def inbox(self) -> list[dict[str, Any]]:
        """The bodies of all that came in."""
        return [json.loads(row["body"]) for row in await self.all("SELECT body FROM inbox ORDER BY id")]


def fresh() -> str:
    """An id as pages make them."""
    return uuid4().hex


def words(text: str, **more: Any) -> dict[str, Any]:
    """The form of a plain message."""
    return {"data": {"id": fresh(), "text": text, **more}}


def document(name: str = "台账.xlsx") -> Document:
    """A file that the bot sends."""
    return Document(name, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK\x03\x04 rows")


async def populate(tx: Tx) -> tuple[dict[str, int], dict[str, int]]:
    """Two firms, their cadres, the office; a group of each firm and the office's groups."""
    people = {
        "张建国": await make_person(tx, "张建国", Role.CONTACT),
        "李芳": await make_person(tx, "李芳", Role.CONTACT),
        "王敏": await make_person(tx, "王敏", Role.LIAISON),
        "赵亮": await make_person(tx, "赵亮", Role.LIAISON),
        "陈局": await make_person(tx, "陈局", Role.CHIEF),
        "周主任": await make_person(tx, "周主任", Role.COORDINATOR),
        "孙工": await make_person(tx, "孙工", Role.HANDLER),
        "纪书记": await make_person(tx, "纪书记", Role.INSPECTOR),
        "钱行长": await make_person(tx, "钱行长", Role.BANK),
    }
    hongda = await make_enterprise(
        tx, "宏达机械有限公司", people["张建国"], liaison_id=people["王敏"], chief_id=people["陈局"]
    )
    heshun = await make_enterprise(tx, "和顺物流有限公司", people["李芳"], liaison_id=people["赵亮"])
    rooms = {
        "宏达群": await make_group(tx, Purpose.LIAISON, hongda, name="宏达群"),
        "和顺群": await make_group(tx, Purpose.LIAISON, heshun, name="和顺群"),
        "片区群": await make_group(tx, Purpose.LIAISON, hongda, heshun, name="片区群"),
        "协调群": await make_group(tx, Purpose.COORDINATION, name="协调群"),
        "领导群": await make_group(tx, Purpose.LEADERSHIP, name="领导群"),
        "纪检群": await make_group(tx, Purpose.INSPECTION, name="纪检群"),
        "银企群": await make_group(tx, Purpose.BANK, name="银企群"),
        "未批准群": await make_group(tx, Purpose.LIAISON, hongda, name="未批准群", approved_at=None),
    }
    return people, rooms


@asynccontextmanager
async def open_town(url: str = "sqlite:///:memory:", **context: Any) -> AsyncIterator[Town]:
    """The park, open; further arguments go to the WebContext."""
    database = await open_house(url)
    people, rooms = await database.transaction(populate)
    now, machine, wakes = Clock(), Clock(), [0]

    def wake() -> None:
        wakes[0] += 1

    given: dict[str, Any] = {
        "database": database,
        "rules": make_rules(),
        "catalogue": Catalogue.load(strict=True),
        "board": PostBoard(database, Bell(), now),
        "wake": wake,
        "clock_now": now,
        "machine_now": machine,
        "public_url": HOST,
        **context,
    }
    made = WebContext(**given)
    try:
        yield Town(database, made, make_web(made), now, machine, people, rooms, wakes)
    finally:
        await database.close()


@dataclass
class Stream:
    """An event stream read straight from the application, as `httpx.ASGITransport` waits for the end of a body."""

    app: Starlette
    token: str
    query: str = ""
    last_event_id: str = ""
    status: int = 0
    heard: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        headers = [(b"host", b"127.0.0.1:8080"), (b"cookie", f"lianqi={self.token}".encode())]
        if self.last_event_id:
            headers.append((b"last-event-id", self.last_event_id.encode()))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/api/chat/stream",
            "raw_path": b"/api/chat/stream",
            "root_path": "",
            "query_string": self.query.encode(),
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8080),
        }
        self.task = asyncio.create_task(self.app(scope, self._receive, self._send))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.gone.set()
        if self.task:
            await self.task

    async def _receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message.get("body"):
            self.heard.put_nowait(message["body"].decode())

    async def event(self) -> dict[str, Any]:
        """The next event: its name, id and data."""
        while True:
            lines = (await asyncio.wait_for(self.heard.get(), 5)).strip().splitlines()
            fields = dict(line.split(": ", 1) for line in lines if not line.startswith(":"))
            if "event" in fields:
                return {"event": fields["event"], "id": fields.get("id"), "data": json.loads(fields["data"])}
