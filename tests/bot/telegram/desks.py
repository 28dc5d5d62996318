"""A channel at an emulated Bot API, and the desk it works for."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from bot.channel import Parcel, Update
from bot.channels import Kit
from bot.channels.telegram import Account, TelegramChannel
from domain.chat import Attachment
from domain.said import Said
from tests.emulators.pushed import let_pass
from tests.emulators.telegram import Chat, TelegramEmulator, User
from tests.making import civil

GROUP = -1001234
ZHANG = 5001
MESSAGE = {"message_id": 1, "date": 1, "chat": {"id": ZHANG, "type": "private"}, "text": "停电"}
UPDATE = {"update_id": 7, "message": MESSAGE}


@dataclass
class NoteDesk:
    """Keeps what it receives in lists; `trouble` is raised instead, as often as it holds exceptions."""

    rows: list[Update] = field(default_factory=list)
    files: list[tuple[bytes, str]] = field(default_factory=list)
    introduced: list[tuple[str, str, str]] = field(default_factory=list)
    trouble: list[Exception] = field(default_factory=list)
    alive: list[str] = field(default_factory=list)
    spoken_in: tuple[str, tuple[str, ...]] = ("", ())

    async def receive(self, channel: str, account: str, updates: Sequence[Update], *, once: str = "") -> None:
        if self.trouble:
            raise self.trouble.pop(0)
        known = {row.external_id for row in self.rows}
        self.rows += [update for update in updates if update.external_id not in known]

    async def keep_file(self, content: bytes, name: str, media_type: str) -> Attachment:
        self.files.append((content, name))
        return Attachment("hash", name, media_type)

    async def file(self, content_hash: str) -> bytes | None:
        return None

    async def alone(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        await work()

    def heard(self, channel: str) -> None:
        self.alive.append(channel)

    async def introduce(self, channel: str, name: str, link: str) -> None:
        self.introduced.append((channel, name, link))

    async def speak_in(self, channel: str, groups: Sequence[str]) -> None:
        self.spoken_in = (channel, tuple(groups))

    def now(self) -> datetime:
        return civil("2026-03-11 09:00")


def texts(desk: NoteDesk) -> list[str]:
    """What was said in the messages that it received."""
    return [row.body["update"]["message"]["text"] for row in desk.rows]


@dataclass
class Line:
    """A channel with its server; one person and one group that know the bot."""

    server: TelegramEmulator
    channel: TelegramChannel
    zhang: User
    group: Chat

    async def send(self, text: str = "已登记 #12", *, chat: int = GROUP, **more: object) -> str:
        """One parcel through every part of it; the id of the last."""
        whole = Parcel(id=1, chat_id=1, chat=str(chat), kind="send", text=text, private=chat > 0)
        sent = ""
        for part in self.channel.parts(_with(whole, more)):
            sent = await self.channel.send(part)
        return sent


def _with(parcel: Parcel, more: dict[str, object]) -> Parcel:
    return Parcel(**{name: getattr(parcel, name) for name in Parcel.__slots__} | more)


def words(said: Said) -> str:
    """What the channel itself says, by key and facts."""
    return f"{said.key} {dict(said.facts)}"


def channel_at(server: TelegramEmulator, token: str = "") -> TelegramChannel:
    """A channel that polls this server, without a pace."""
    groups = {"": [("诉求", "appeal")], "en": [("Raise", "appeal")]}
    kit = Kit(None, words, strangers={"": [("绑定", "bind")]}, groups=groups)
    return TelegramChannel(Account(token or server.token, server.api_base), kit, pace=None)


@asynccontextmanager
async def gateway(handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """Something else that listens where Telegram should; its address."""
    runner = web.ServerRunner(web.Server(handler, access_log=None), shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def dripping(request: web.BaseRequest) -> web.StreamResponse:
    """For a gateway whose time is pushed: an answer that never falls silent and never ends."""
    answer = web.StreamResponse()
    await answer.prepare(request)
    with suppress(ConnectionError):
        while True:
            await answer.write(b" ")
            await let_pass(3)
    return answer


@asynccontextmanager
async def line(server: TelegramEmulator | None = None) -> AsyncIterator[Line]:
    """A channel at a server, both closed at the end; no call of it was against the schema."""
    async with server or TelegramEmulator() as opened:
        channel = channel_at(opened)
        zhang = opened.user(ZHANG, "张建国", started=True)
        yield Line(opened, channel, zhang, opened.group(GROUP, "大树营联企群", bot="administrator"))
        await channel.close()
        assert opened.offences == []
