"""Brings callbacks to the desk: their files are fetched at once, as their addresses die soon; then they are kept."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from bot.channel import Desk, NotKept, Update
from bot.channels import files
from bot.channels.wecom_aibot import reading
from bot.channels.wecom_aibot.connection import EVENT, MESSAGE, Callback, Lost, NotConnected
from bot.channels.wecom_aibot.fetching import Fetcher, NotFetched
from bot.channels.wecom_aibot.reading import MEDIA, NAME, Body, chat_of, event_id, media_of
from bot.channels.wecom_aibot.refusals import Refused
from bot.channels.wecom_aibot.replying import Handles
from bot.media import media_type_of
from domain.chat import LostFile
from domain.said import Said, to_facts

_log = logging.getLogger(__name__)

MOST_FETCHED_AT_ONCE = 6
_SUFFIXES: Mapping[str | None, str] = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/heic": ".heic",
    "video/mp4": ".mp4",
    "application/pdf": ".pdf",
}
_PLACES = frozenset({"url", "aeskey", "response_url"})
"""What opens a file or a chat to whoever reads it, and is of no use later."""


class Intake:
    """One bot's callbacks. What is said in a chat is kept in the order in which it came."""

    def __init__(self, account: str, bot: str, handles: Handles, say: Callable[[Said], str]) -> None:
        self._account = account
        self._bot = bot
        self._handles = handles
        self._say = say
        self._fetcher = Fetcher()
        self._slots = asyncio.Semaphore(MOST_FETCHED_AT_ONCE)
        self._last: dict[str, asyncio.Task[None]] = {}

    def receive(self, desk: Desk, callback: Callback) -> None:
        """Take a callback up, and let the connection read on."""
        try:
            name, chat = self._note(callback)
        except (KeyError, TypeError, AttributeError):
            _log.warning("a callback that cannot be read is passed over")
            return
        if not name:
            return
        task = asyncio.create_task(self._bring(desk, callback, name, chat, self._last.get(chat)))
        self._last[chat] = task
        task.add_done_callback(lambda done: self._last.pop(chat) if self._last.get(chat) is done else None)

    def _note(self, callback: Callback) -> tuple[str, str]:
        """Remember how it can be answered; what the message is called, "" where it is of no interest, and its chat."""
        body, connection, chat = callback.body, callback.connection, chat_of(callback.body)
        if callback.cmd == MESSAGE:
            self._handles.note_message(str(body["msgid"]), callback.req_id, connection, chat)
            return str(body["msgid"]), chat
        kind = body["event"]["eventtype"]
        if kind == "enter_chat":
            self._handles.note_message(event_id(body), callback.req_id, connection, chat, greets=True)
        elif kind == "template_card_event":
            self._handles.note_press(str(body["event"][kind]["task_id"]), callback.req_id, connection, chat)
        else:
            return "", ""
        return event_id(body), chat

    async def _bring(
        self, desk: Desk, callback: Callback, name: str, chat: str, before: "asyncio.Task[None] | None"
    ) -> None:
        try:
            files = await self._files(desk, callback.body) if callback.cmd != EVENT else []
            if before is not None:
                await asyncio.wait({before})
            row = {"cmd": callback.cmd, "body": stripped(callback.body), "files": files, "bot": self._bot}
            await desk.receive(NAME, self._account, [Update(name, chat, row)])
        except NotKept as trouble:
            _log.warning("what came in cannot be kept, its sender is asked to repeat it: %s", trouble)
            await self._ask_again(callback)
        except Exception:  # noqa: BLE001 - what one callback stumbles over must not end the reading
            _log.exception("a callback could not be kept")
            await self._ask_again(callback)

    async def _files(self, desk: Desk, body: Body) -> list[Mapping[str, Any]]:
        """Every file kept, or why it cannot be had."""
        found = await asyncio.gather(
            *(self._file(desk, kind, place, number) for number, (kind, place) in enumerate(media_of(body), start=1)),
            return_exceptions=True,
        )
        for end in found:
            if isinstance(end, BaseException):
                raise end
        return [file for file in found if not isinstance(file, BaseException)]

    async def _file(self, desk: Desk, kind: str, place: Mapping[str, Any], number: int) -> Mapping[str, Any]:
        async with self._slots:
            try:
                fetched = await self._fetcher.fetch(place["url"], str(place.get("aeskey") or ""))
            except NotFetched as lost:
                name = str(place.get("filename") or f"{kind}-{number}{MEDIA[kind]}")
                return _lost(LostFile(name, lost.cause))
        otherwise = f"{kind}-{number}{_SUFFIXES.get(media_type_of(fetched.content), MEDIA[kind])}"
        name = str(place.get("filename") or "") or fetched.name or otherwise
        kept = await files.take(desk, fetched.content, name)
        if isinstance(kept, LostFile):
            return _lost(kept)
        return {"hash": kept.hash, "name": kept.name, "type": kept.media_type}

    async def _ask_again(self, callback: Callback) -> None:
        """The platform does not bring it again, so its sender has to: the one line that may be said from memory."""
        text = self._say(Said("reply.busy"))
        body = {"msgtype": "markdown", "markdown": {"content": text}}
        try:
            if callback.cmd == MESSAGE:
                await callback.connection.ask("aibot_respond_msg", body, req_id=callback.req_id)
            else:
                kind = 1 if reading.is_private(callback.body) else 2
                await callback.connection.ask(
                    "aibot_send_msg", {"chatid": chat_of(callback.body), "chat_type": kind, **body}
                )
        except (NotConnected, Lost, Refused) as trouble:
            _log.warning("not even that could be said: %s", trouble)

    async def close(self) -> None:
        """Let what is under way be kept, and close all connections."""
        if self._last:
            await asyncio.wait(set(self._last.values()), timeout=2.0)
        for task in list(self._last.values()):
            task.cancel()
        await self._fetcher.close()


def _lost(file: LostFile) -> Mapping[str, Any]:
    """A file that cannot be had, as the inbox row tells it."""
    return {"name": file.name, "lost": file.cause.key, "facts": to_facts(file.cause.facts)}


def stripped(value: Any) -> Any:
    """The same without addresses and keys, and without characters that no storage takes."""
    if isinstance(value, Mapping):
        return {stripped(name): stripped(each) for name, each in value.items() if name not in _PLACES}
    if isinstance(value, list):
        return [stripped(each) for each in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
