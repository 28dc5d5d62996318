"""The town behind each platform's own door: people speak and press there, and what reaches them is read there."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot.app import App, Park
from bot.channel import Channel
from bot.channels.web import WebChannel
from bot.channels.wecom_app import WecomApp
from bot.civil import CivilClock
from bot.program import kits
from bot.web.bell import Bell
from bot.web.board import PostBoard
from bot.web.context import WebContext
from bot.web.server import make_web
from storage import sessions
from storage.database import Tx
from tests import making, needs
from tests.backends import POSTGRES, SQLITE, open_house
from tests.bot.wecom_app.desks import app_at
from tests.emulators.wecom.aibot import AibotEmulator, Limits, Visible
from tests.emulators.wecom.api import Callback, WecomApiEmulator
from tests.emulators.wecom.api import Sent as AppSent
from tests.making import civil
from tests.stories.telegram_town import TelegramTown, telegram_town
from tests.stories.town import LADDERS, Said, Town, people_the_town
from tests.stories.wecom_town import WecomTown, wecom_town
from tests.webtown import HOST, SAME, Clock, fresh
from texts import Catalogue

AT = "2026-03-11 09:00"
CHANNELS = ("telegram", "wecom_aibot", "wecom_app", "web")
ON_BOTH = CHANNELS if needs.full() else ()
HOUSES = [*((SQLITE, channel) for channel in CHANNELS), *((POSTGRES, channel) for channel in ON_BOTH)]
"""Every door on SQLite, in the long run on PostgreSQL as well: behind the door they are the same."""
through_every_door = pytest.mark.parametrize("backend, channel", HOUSES, indirect=["backend"])


@dataclass(frozen=True, slots=True)
class Shown:
    """A button as its platform brings it: whose chat, the message, its data, its words."""

    who: str
    message: Any
    data: str
    label: str


def whole(text: str) -> str:
    """The text as a form or a document can hold it: without halves of characters."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _in_xml(text: str) -> str:
    """What of it XML can hold."""
    return re.sub(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", whole(text))


class Door(ABC):
    """One platform. `heard` are the words that reached somebody in his private chat, in order."""

    channel: str
    town: Town

    @abstractmethod
    async def meet(self, name: str, shown: str | None = None) -> None:
        """Somebody whom nobody knows comes along, called `name` here and `shown` by the platform."""

    @abstractmethod
    async def user(self, who: str) -> str:
        """His id on the platform."""

    @abstractmethod
    async def rename(self, name: str, shown: str) -> None:
        """Somebody calls himself otherwise on the platform."""

    @abstractmethod
    async def hear(self, who: str, text: str) -> None:
        """It is said, and has come in."""

    @abstractmethod
    async def heard(self, who: str) -> Sequence[str]:
        """What reached him so far."""

    @abstractmethod
    async def shown(self, who: str) -> Sequence[Shown]:
        """Every button that he was ever shown privately."""

    @abstractmethod
    async def press(self, who: str, button: Shown, data: str) -> None:
        """He presses a button, or sends what pretends to be one, and it has come in or was turned away at the door."""

    async def says(self, who: str, text: str) -> list[str]:
        """Somebody says something privately; what reaches him."""
        before = len(await self.heard(who))
        await self.hear(who, text)
        await self.town.answered()
        return list(await self.heard(who))[before:]

    async def presses(self, who: str, button: Shown, data: str | None = None) -> list[str]:
        """The same with a button."""
        before = len(await self.heard(who))
        await self.press(who, button, button.data if data is None else data)
        await self.town.answered()
        return list(await self.heard(who))[before:]


class TelegramDoor(Door):
    """Polled, over HTTP."""

    channel = "telegram"

    def __init__(self, town: TelegramTown) -> None:
        self.town: TelegramTown = town
        self._next = 7001

    async def meet(self, name: str, shown: str | None = None) -> None:
        user = self.town.stranger(self._next, name)
        user.name = name if shown is None else shown
        self._next += 1

    async def user(self, who: str) -> str:
        return str(self.town.users[who].id)

    async def rename(self, name: str, shown: str) -> None:
        self.town.users[name].name = shown

    async def hear(self, who: str, text: str) -> None:
        await self.town.emulator.says(self.town.users[who], text)

    async def heard(self, who: str) -> Sequence[str]:
        return [sent.text for sent in self.town.got(who)]

    async def shown(self, who: str) -> Sequence[Shown]:
        keys = ((sent, key) for sent in self.town.got(who) for row in sent.buttons for key in row)
        return [Shown(who, sent.message_id, data, label) for sent, (label, data) in keys]

    async def press(self, who: str, button: Shown, data: str) -> None:
        await self.town.emulator.presses(self.town.users[who], button.message, data)


class AibotDoor(Door):
    """Over the long connection."""

    channel = "wecom_aibot"

    def __init__(self, town: WecomTown) -> None:
        self.town: WecomTown = town

    async def meet(self, name: str, shown: str | None = None) -> None:
        self.town.users[name] = self.town.emulator.user(f"New{len(self.town.users)}", shown or name)

    async def user(self, who: str) -> str:
        return self.town.users[who]

    async def rename(self, name: str, shown: str) -> None:
        self.town.emulator.user(self.town.users[name], shown)

    async def hear(self, who: str, text: str) -> None:
        await self.town.emulator.says(self.town.users[who], text)

    async def heard(self, who: str) -> Sequence[str]:
        return [seen.text for seen in self.town.seen(who)]

    async def shown(self, who: str) -> Sequence[Shown]:
        return [Shown(who, seen, data, label) for seen in self.town.seen(who) for label, data in seen.buttons]

    async def press(self, who: str, button: Shown, data: str) -> None:
        card: Visible = button.message
        event = {"card_type": "button_interaction", "event_key": data, "task_id": card.task_id}
        await self.town.emulator.happens("template_card_event", self.town.users[who], None, event, card)


class PlainTown(Town):
    """The town with nothing but its program: what was said is read at the door."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.said: list[Said] = []
        self.in_haste = False

    async def _listen(self) -> None:
        """Nobody keeps a list."""


@dataclass
class AppDoor(Door):
    """Callbacks, signed and enciphered."""

    town: Town
    server: WecomApiEmulator
    web: httpx.AsyncClient
    users: dict[str, str]
    channel = "wecom_app"

    async def meet(self, name: str, shown: str | None = None) -> None:
        self.users[name] = f"New{len(self.users)}"
        self.server.member(self.users[name], name if shown is None else shown)

    async def user(self, who: str) -> str:
        return self.users[who]

    async def rename(self, name: str, shown: str) -> None:
        self.server.member(self.users[name], shown)

    async def hear(self, who: str, text: str) -> None:
        await self.call(self.server.message(self.users[who], "text", Content=_in_xml(text)))

    async def call(self, callback: Callback) -> int:
        """WeCom calls; the status of the answer."""
        path = "/channels/wecom_app"
        return (await self.web.post(path, params=callback.query, content=callback.body)).status_code

    async def heard(self, who: str) -> Sequence[str]:
        return [sent.text for sent in self.sent(who)]

    def sent(self, who: str) -> list[AppSent]:
        """What the app sent him."""
        return [sent for sent in self.server.sent if self.users[who] in sent.to]

    async def shown(self, who: str) -> Sequence[Shown]:
        return [Shown(who, sent, data, label) for sent in self.sent(who) for label, data in sent.buttons]

    async def press(self, who: str, button: Shown, data: str) -> None:
        content = button.message.content
        card: Mapping[str, object] = {"TaskId": content["task_id"], "CardType": content["card_type"]}
        fields = {**card, "EventKey": _in_xml(data), "ResponseCode": token_urlsafe(24)}
        await self.call(self.server.event(self.users[who], "template_card_event", **fields))


@dataclass
class WebDoor(Door):
    """The chat page."""

    town: Town
    pages: Starlette
    machine: Clock
    accounts: dict[str, int]
    tokens: dict[str, str] = field(default_factory=dict)
    channel = "web"

    async def meet(self, name: str, shown: str | None = None) -> None:
        async def unit(tx: Tx) -> int:
            guest = await sessions.meet_guest(tx, name if shown is None else shown)
            await sessions.open_private(tx, guest, self.town.app.civil())
            return guest.id

        self.accounts[name] = await self.town.database.transaction(unit)

    async def user(self, who: str) -> str:
        row = await self.town.one("SELECT external_id FROM accounts WHERE id = :id", id=self.accounts[who])
        return str(row["external_id"])

    async def rename(self, name: str, shown: str) -> None:
        sql, row = "UPDATE accounts SET name = :name WHERE id = :id", {"name": shown, "id": self.accounts[name]}
        await self.town.database.transaction(lambda tx: tx.run(sql, row))

    def browser(self, token: str = "", **headers: str) -> httpx.AsyncClient:
        """A browser with that cookie."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.pages),
            base_url=HOST,
            headers={**SAME, **headers},
            cookies={"lianqi": token} if token else None,
        )

    async def browser_of(self, who: str) -> httpx.AsyncClient:
        """The browser of somebody who is signed in."""
        self.machine.on(seconds=60)  # nobody is too fast
        if who not in self.tokens:
            begun, now = self.accounts[who], self.machine()
            self.tokens[who] = await self.town.database.transaction(lambda tx: sessions.begin(tx, begun, now))
        return self.browser(self.tokens[who])

    async def room(self, who: str) -> int:
        """The id of somebody's private room."""
        row = await self.town.one(
            "SELECT id FROM chats WHERE private = 1 AND account_id = :id", id=self.accounts[who]
        )
        return int(row["id"])

    async def hear(self, who: str, text: str) -> None:
        async with await self.browser_of(who) as browser:
            await browser.post(f"/api/chat/rooms/{await self.room(who)}/say", data={"id": fresh(), "text": whole(text)})

    async def posts(self, who: str) -> list[dict[str, Any]]:
        """The bot's posts in his room, as the page gets them."""
        async with await self.browser_of(who) as browser:
            told = (await browser.get(f"/api/chat/rooms/{await self.room(who)}/posts")).json()
        return [post for post in told["posts"] if post["who"]["kind"] == "bot"]

    async def heard(self, who: str) -> Sequence[str]:
        sql = "SELECT body FROM posts WHERE chat_id = :chat AND account_id IS NULL ORDER BY id"
        rows = await self.town.all(sql, chat=await self.room(who))
        return [_text(row["body"]) for row in rows]

    async def shown(self, who: str) -> Sequence[Shown]:
        found = await self.posts(who)
        keys = ((post["id"], key) for post in found for row in post["keys"] for key in row)
        return [Shown(who, post, key["data"], key["label"]) for post, key in keys]

    async def press(self, who: str, button: Shown, data: str) -> None:
        async with await self.browser_of(who) as browser:
            body = {"id": fresh(), "post": button.message, "data": whole(data)}
            await browser.post(f"/api/chat/rooms/{await self.room(who)}/press", json=body)


def _text(body: str) -> str:
    from storage.values import from_json

    return str(from_json(body)["text"])


@asynccontextmanager
async def _telegram() -> AsyncIterator[Door]:
    async with telegram_town(at=AT) as town:
        yield TelegramDoor(town)


@asynccontextmanager
async def _aibot() -> AsyncIterator[Door]:
    clock = CivilClock(lambda: civil(AT), civil(AT), frozen=True)
    unhurried = Limits(chat=(), uploads=())
    async with wecom_town(
        emulator=AibotEmulator(limits=unhurried, clock=lambda: clock().timestamp()), clock=clock
    ) as town:
        yield AibotDoor(town)


async def _move(tx: Tx, channel: str, called: Callable[[int, str], tuple[str, str]]) -> dict[str, tuple[int, str]]:
    """Everybody lives on that channel from now on; `called` gives his id and that of his private chat."""
    homes: dict[str, tuple[int, str]] = {}
    for row in await tx.all("SELECT id, external_id FROM accounts WHERE channel = 'memory' ORDER BY id"):
        user, chat = called(row["id"], row["external_id"])
        moved = {"channel": channel, "user": user, "chat": chat, "id": row["id"]}
        await tx.run("UPDATE accounts SET channel = :channel, external_id = :user WHERE id = :id", moved)
        await tx.run("UPDATE chats SET channel = :channel, external_id = :chat WHERE account_id = :id", moved)
        homes[row["external_id"]] = (row["id"], user)
    await tx.run("UPDATE chats SET channel = :channel WHERE channel = 'memory'", {"channel": channel})
    return homes


@asynccontextmanager
async def _house(stack: AsyncExitStack) -> AsyncIterator[tuple[App, dict[str, Channel]]]:
    """The program over an empty list of channels, which may grow."""
    park = Park(making.make_rules(ladders=LADDERS), Catalogue.load(strict=True))
    clock = CivilClock(lambda: civil(AT), civil(AT), frozen=True)
    database, channels = await open_house("sqlite:///:memory:"), dict[str, Channel]()
    await database.transaction(people_the_town)
    stack.push_async_callback(database.close)
    yield App(park, database, channels, civil=clock, machine=clock), channels


@asynccontextmanager
async def _app() -> AsyncIterator[Door]:
    async with AsyncExitStack() as stack:
        app, channels = await stack.enter_async_context(_house(stack))
        server = await stack.enter_async_context(WecomApiEmulator(lambda: app.civil().timestamp()))
        homes = await app.database.transaction(lambda tx: _move(tx, "wecom_app", lambda n, _: (f"User{n}",) * 2))
        users = {name: user for name, (_, user) in homes.items()}
        for name, user in users.items():
            server.member(user, name)
        channel = WecomApp(app_at(server), kits(app.park, {"wecom_app": None})["wecom_app"], pace=None)
        stack.push_async_callback(channel.close)
        channels["wecom_app"] = channel
        await app.desk.introduce("wecom_app", "联企", "")
        served = httpx.ASGITransport(Starlette(routes=list(channel.routes(app.desk))))
        web = await stack.enter_async_context(httpx.AsyncClient(transport=served, base_url="https://lianqi.example.cn"))
        server.core.flood.windows = ((10**9, 1.0),)  # what the platform drops is another story
        yield AppDoor(PlainTown(app), server, web, users)
        assert server.offences == []


@asynccontextmanager
async def _web() -> AsyncIterator[Door]:
    async with AsyncExitStack() as stack:
        app, channels = await stack.enter_async_context(_house(stack))
        board, machine = PostBoard(app.database, Bell(), app.civil), Clock()
        channels["web"] = WebChannel(board)
        homes = await app.database.transaction(lambda tx: _move(tx, "web", lambda n, _: (f"p{n}", f"private:p{n}")))
        context = WebContext(
            database=app.database,
            rules=app.park.rules,
            catalogue=app.park.catalogue,
            board=board,
            wake=app.dispatcher.wake,
            clock_now=app.civil,
            machine_now=machine,
            public_url=HOST,
        )
        yield WebDoor(PlainTown(app), make_web(context), machine, {name: home[0] for name, home in homes.items()})


_DOORS: Mapping[str, Callable[[], AbstractAsyncContextManager[Door]]] = {
    "telegram": _telegram,
    "wecom_aibot": _aibot,
    "wecom_app": _app,
    "web": _web,
}


def opened(channel: str) -> AbstractAsyncContextManager[Door]:
    """The town behind that door; where the platform keeps count of offences there is none at the end."""
    return _DOORS[channel]()
