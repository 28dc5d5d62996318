"""The app at an emulated WeCom, the server its callbacks come to, and the desk it works for."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette

from bot.channel import Key, Parcel, Replayed, Update
from bot.channels import Kit
from bot.channels.wecom_app import App, WecomApp
from tests.bot.telegram.desks import NoteDesk, words
from tests.emulators.wecom.api import WecomApiEmulator

BEGIN = 1_790_000_000.0
URL = "https://lianqi.example.cn"


class Clock:
    """Seconds since the epoch that stand until they are moved."""

    def __init__(self) -> None:
        self.at = BEGIN

    def __call__(self) -> float:
        return self.at


@dataclass
class MarkDesk(NoteDesk):
    """Keeps marks as well, and lives at the emulator's time."""

    clock: Clock = field(default_factory=Clock)
    marks: set[str] = field(default_factory=set)

    async def receive(self, channel: str, account: str, updates: Any, *, once: str = "") -> None:
        if once and once in self.marks:
            raise Replayed
        await super().receive(channel, account, updates)
        self.marks.add(once)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)


@dataclass
class Line:
    """An app with its platform; 张建国 is a member whom it reaches."""

    server: WecomApiEmulator
    channel: WecomApp
    desk: MarkDesk
    clock: Clock

    @property
    def rows(self) -> list[Update]:
        """What came in."""
        return self.desk.rows

    async def send(self, text: str = "已登记 #12", *, chat: str = "zhang", row: int = 1, **more: Any) -> list[str]:
        """One parcel through all its parts; the ids."""
        parcel = replace(Parcel(id=row, chat_id=1, chat=chat, kind="send", text=text), **more)
        return [await self.channel.send(part) for part in self.channel.parts(parcel)]


def app_at(server: WecomApiEmulator) -> App:
    """The app as the emulator knows it."""
    core = server.core
    return App(core.corp_id, core.agent_id, core.secret, core.token, core.aes_key, server.api_base)


def keys(*labels: str) -> tuple[tuple[Key, ...], ...]:
    """One row of buttons."""
    return (tuple(Key(label, f"acknowledge:{number}:1") for number, label in enumerate(labels, 1)),)


@asynccontextmanager
async def line() -> AsyncIterator[Line]:
    """An app and its platform; no call of it was one that a well-made client does not make."""
    clock = Clock()
    async with WecomApiEmulator(clock) as server:
        server.member("zhang", "张建国")
        channel = WecomApp(app_at(server), Kit(None, words, public_url=URL))
        yield Line(server, channel, MarkDesk(clock=clock), clock)
        await channel.close()
        assert server.offences == []


@asynccontextmanager
async def called(opened: Line) -> AsyncIterator[Line]:
    """The same with a server behind the callback address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        app = Starlette(routes=list(opened.channel.routes(opened.desk)))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none"))
        serving = asyncio.create_task(server.serve([listening]))
        while not server.started:  # noqa: ASYNC110 - the server has no bell for this
            await asyncio.sleep(0.001)
        opened.server.caller.url = f"http://127.0.0.1:{listening.getsockname()[1]}/channels/wecom_app"
        try:
            yield opened
        finally:
            await opened.server.caller.close()
            server.should_exit = True
            await serving
