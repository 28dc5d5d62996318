"""A channel at an emulated long connection, and the desk it works for."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bot.channel import Parcel, Update
from bot.channels import Kit
from bot.channels.wecom_aibot import WecomAibotChannel
from bot.channels.wecom_aibot.connection import Account, Timing
from domain.chat import Attachment, Incoming
from domain.said import Said
from tests.emulators.wecom.aibot import AibotEmulator
from tests.making import ZONE, civil
from texts import Catalogue, render

AT = civil("2026-03-11 09:00")
GROUP = "wrGROUP"
ZHANG, WANG = "ZhangJG", "WangMin"
QUICK = Timing(ping=0.05, answer=0.2, first_pause=0.002, longest_pause=0.01, stable=0.0, kicked=0.05)
"""A connection that notices soon; a lost answer costs a fifth of a second."""
_CATALOGUE = Catalogue.load(strict=True)


@dataclass
class NoteDesk:
    """Keeps what it receives in lists; `trouble` is raised instead, as often as it holds exceptions."""

    rows: list[Update] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    introduced: list[tuple[str, str, str]] = field(default_factory=list)
    trouble: list[Exception] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    alive: list[str] = field(default_factory=list)

    async def receive(self, channel: str, account: str, updates: Sequence[Update], *, once: str = "") -> None:
        if self.trouble:
            raise self.trouble.pop(0)
        known = {row.external_id for row in self.rows}
        self.rows += [update for update in updates if update.external_id not in known]
        self.news.set()

    async def keep_file(self, content: bytes, name: str, media_type: str) -> Attachment:
        if self.trouble:
            raise self.trouble.pop(0)
        name_of = hashlib.sha256(content).hexdigest()
        self.files[name_of] = content
        return Attachment(name_of, name, media_type)

    async def file(self, content_hash: str) -> bytes | None:
        return self.files.get(content_hash)

    async def alone(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await work()

    def heard(self, channel: str) -> None:
        self.alive.append(channel)

    async def introduce(self, channel: str, name: str, link: str) -> None:
        self.introduced.append((channel, name, link))

    async def speak_in(self, channel: str, groups: Sequence[str]) -> None:
        raise AssertionError("the smart bot hears where it speaks")

    def now(self) -> datetime:
        return AT


@dataclass
class Line:
    """A channel with its server; one person and one group that know the bot."""

    server: AibotEmulator
    channel: WecomAibotChannel
    desk: NoteDesk

    async def heard(self, count: int) -> list[Incoming]:
        """Wait until so many updates were kept; all of them as messages."""
        async with asyncio.timeout(5):
            while len(self.desk.rows) < count:
                self.desk.news.clear()
                await self.desk.news.wait()
        read = [self.channel.read(row.body, AT) for row in self.desk.rows]
        return [message for message in read if message is not None]

    async def send(self, text: str = "已登记 #12", *, chat: str = GROUP, **more: Any) -> list[str]:
        """One parcel through every part of it; how each is known."""
        whole = replace(Parcel(id=1, chat_id=1, chat=chat, kind="send", text=text, private=chat != GROUP), **more)
        return [await self.channel.send(part) for part in self.channel.parts(whole)]

    async def back(self) -> None:
        """Wait until the bot is connected, and knows it."""
        await self.server.until_connected()
        async with asyncio.timeout(5):
            while not self.channel.here:  # noqa: ASYNC110 - nothing rings when it knows
                await asyncio.sleep(0.002)

    async def gone(self) -> None:
        """Wait until the channel has noticed the end of its connection."""
        async with asyncio.timeout(5):
            while self.channel.here:  # noqa: ASYNC110 - nothing rings when it knows
                await asyncio.sleep(0.001)


def words(said: Said) -> str:
    """What the channel itself says."""
    return render(_CATALOGUE, said, "zh", ZONE)


def channel_at(server: AibotEmulator, *, timing: Timing = QUICK, **more: Any) -> WecomAibotChannel:
    """A channel for this server's bot, without a pace."""
    account = replace(Account(server.bot_id, server.secret, server.name, server.url), **more)
    return WecomAibotChannel(account, Kit(None, words), pace=None, timing=timing)


@asynccontextmanager
async def line(server: AibotEmulator | None = None, **more: Any) -> AsyncIterator[Line]:
    """A channel connected to a server, both closed at the end; no frame of it was against the rules."""
    async with server or AibotEmulator() as opened:
        opened.user(ZHANG, "张建国", wrote=True)
        opened.user(WANG, "王敏")
        opened.group(GROUP, "大树营联企群", ZHANG, WANG, spoken=True)
        channel, desk = channel_at(opened, **more), NoteDesk()
        running = asyncio.create_task(channel.run(desk))
        found = Line(opened, channel, desk)
        await found.back()
        try:
            yield found
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            await channel.close()
        assert opened.offences == []
