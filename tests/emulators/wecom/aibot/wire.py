"""A bare client for the emulator's own tests: it sends what it is told, and sorts what comes."""

import asyncio
import base64
import hashlib
import itertools
import json
from contextlib import AsyncExitStack
from typing import Any, Self

import aiohttp
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from .commands import CHUNK, FINISH, INIT, PART, RESPOND, SEND, SUBSCRIBE
from .emulator import AibotEmulator

Body = dict[str, Any]


class Clock:
    """Time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_770_000_000.0

    def __call__(self) -> float:
        return self.now


class Wire:
    """One connection to an emulator, subscribed unless that is left to the test."""

    def __init__(self, emulator: AibotEmulator, *, subscribe: bool = True) -> None:
        self.emulator = emulator
        self.subscribe = subscribe
        self.numbers = itertools.count(1)
        self.answers: asyncio.Queue[Body] = asyncio.Queue()
        self.callbacks: asyncio.Queue[Body] = asyncio.Queue()
        self.rest: asyncio.Queue[str] = asyncio.Queue()
        self.socket: ClientConnection
        self.reading: asyncio.Task[None]
        self.house = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.socket = await self.house.enter_async_context(connect(self.emulator.url, ping_interval=None))
        self.reading = asyncio.ensure_future(self.read())
        if self.subscribe:
            answer = await self.call(SUBSCRIBE, {"bot_id": self.emulator.bot_id, "secret": self.emulator.secret})
            assert answer["errcode"] == 0
        return self

    async def __aexit__(self, *reason: object) -> None:
        self.reading.cancel()
        self.socket.transport.abort()
        await self.house.aclose()

    async def read(self) -> None:
        """Sort what comes until the end of the connection."""
        try:
            async for raw in self.socket:
                try:
                    frame = json.loads(raw)
                except ValueError:
                    self.rest.put_nowait(str(raw))
                    continue
                (self.callbacks if "cmd" in frame else self.answers).put_nowait(frame)
        except ConnectionClosed:
            return

    async def ended(self) -> int | None:
        """Wait for the end of the connection: its close code as the client sees it."""
        await asyncio.wait_for(asyncio.shield(self.reading), 5)
        return self.socket.close_code

    async def say(self, frame: Any) -> None:
        """Send a frame as it is."""
        await self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def call(self, cmd: str, body: Body | None = None, req_id: str | None = None) -> Body:
        """Send a frame and wait for the answer."""
        frame: Body = {"cmd": cmd, "headers": {"req_id": req_id or f"own-{next(self.numbers)}"}}
        await self.say(frame if body is None else frame | {"body": body})
        return await asyncio.wait_for(self.answers.get(), 5)

    async def answer(self) -> Body:
        """The next answer."""
        return await asyncio.wait_for(self.answers.get(), 5)

    async def quiet(self) -> bool:
        """Whether no answer has come so far, once all that was on its way is here."""
        await asyncio.sleep(0.02)
        return self.answers.empty()

    async def callback(self) -> Body:
        """The next callback."""
        return await asyncio.wait_for(self.callbacks.get(), 5)

    async def reply(self, callback: Body, text: str = "好") -> int:
        """Answer a message with markdown; the errcode."""
        body = {"msgtype": "markdown", "markdown": {"content": text}}
        return int((await self.call(RESPOND, body, callback["headers"]["req_id"]))["errcode"])

    async def push(self, chat: str, text: str = "好", chat_type: int = 0) -> int:
        """Speak unasked; the errcode."""
        body = {"chatid": chat, "chat_type": chat_type, "msgtype": "markdown", "markdown": {"content": text}}
        return int((await self.call(SEND, body))["errcode"])

    async def push_card(self, chat: str, card: Body) -> int:
        """Push a card; the errcode."""
        return int(
            (await self.call(SEND, {"chatid": chat, "msgtype": "template_card", "template_card": card}))["errcode"]
        )

    async def upload(self, content: bytes, name: str = "台账.xlsx", kind: str = "file") -> str:
        """Bring a file in chunks; its media_id."""
        parts = [content[at : at + CHUNK] for at in range(0, len(content), CHUNK)]
        md5 = hashlib.md5(content).hexdigest()
        body = {"type": kind, "filename": name, "total_size": len(content), "total_chunks": len(parts), "md5": md5}
        upload = (await self.call(INIT, body))["body"]["upload_id"]
        for number, part in enumerate(parts):
            data = base64.b64encode(part).decode()
            await self.call(PART, {"upload_id": upload, "chunk_index": number, "base64_data": data})
        return str((await self.call(FINISH, {"upload_id": upload}))["body"]["media_id"])


async def fetch(part: Body) -> bytes:
    """What stands behind a link, deciphered as the platform's page says."""
    async with aiohttp.ClientSession() as session, session.get(part["url"]) as answer:
        answer.raise_for_status()
        sealed = await answer.read()
    key = base64.b64decode(part["aeskey"] + "=" * (-len(part["aeskey"]) % 4))
    worker = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    padded = worker.update(sealed) + worker.finalize()
    assert len(padded) % 32 == 0
    return padded[: -padded[-1]]


def button_card(task: str, *keys: str, **more: Any) -> Body:
    """A card with buttons, each labelled as its key."""
    found = {"card_type": "button_interaction", "main_title": {"title": "诉求 #1"}, "task_id": task}
    return found | {"button_list": [{"text": key, "key": key} for key in keys or ("接单",)]} | more


def notice(**more: Any) -> Body:
    """A card without buttons."""
    action = {"type": 1, "url": "https://example.org"}
    return {"card_type": "text_notice", "main_title": {"title": "通知"}, "card_action": action} | more
