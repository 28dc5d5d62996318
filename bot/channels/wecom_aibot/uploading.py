"""Files on their way out: in chunks of half a megabyte, once for all who get the same one."""

import asyncio
import base64
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from weakref import WeakValueDictionary

from bot.channel import Document, Unsent
from bot.channels.files import MEGABYTE
from bot.channels.wecom_aibot.connection import Line, Lost

CHUNK = 512 * 1024
MOST_FILE = 20 * MEGABYTE
MOST_PICTURE = 10 * MEGABYTE
PICTURES = frozenset({"image/jpeg", "image/png"})
KEPT_SECONDS = 2.5 * 24 * 3600
"""The platform keeps what was uploaded for three days."""
ANSWER_SECONDS = 30.0
MOST_REMEMBERED = 500
_MOST_NAME = 200


def kind_of(document: Document) -> str:
    """How a document is sent: image or file."""
    picture = document.media_type in PICTURES and len(document.content) <= MOST_PICTURE
    return "image" if picture else "file"


@dataclass(frozen=True, slots=True)
class _Kept:
    media_id: str
    until: float


class Uploads:
    """What was uploaded lately, by kind, name and content."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def media_id(self, document: Document, kind: str) -> str:
        """The platform's id of a document, uploaded now unless it was lately. Unsent, NotConnected or Refused."""
        digest = hashlib.sha256(document.content).hexdigest()
        name = f"{kind}:{digest}:{document.name}"
        async with self._turns.setdefault(name, asyncio.Lock()):
            kept = self._kept.get(name)
            if kept is None or kept.until <= _moment():
                kept = _Kept(await self._upload(document, kind), _moment() + KEPT_SECONDS)
                self._kept[name] = kept
                if len(self._kept) > MOST_REMEMBERED:
                    self._kept.popitem(last=False)
        return kept.media_id

    async def _upload(self, document: Document, kind: str) -> str:
        """What is lost on the way was shown to nobody, so it may be begun again."""
        try:
            return await self._carry(document, kind)
        except Lost as lost:
            raise Unsent(f"an upload was interrupted: {lost}") from None

    async def _carry(self, document: Document, kind: str) -> str:
        content = document.content
        pieces = [content[at : at + CHUNK] for at in range(0, len(content), CHUNK)]
        about = {
            "type": kind,
            "filename": _short(document.name),
            "total_size": len(content),
            "total_chunks": len(pieces),
            "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        }
        upload = (await self._line.ask("aibot_upload_media_init", about, seconds=ANSWER_SECONDS)).get("upload_id")
        for number, piece in enumerate(pieces):
            data = base64.b64encode(piece).decode()
            chunk = {"upload_id": upload, "chunk_index": number, "base64_data": data}
            await self._line.ask("aibot_upload_media_chunk", chunk, seconds=ANSWER_SECONDS)
        finish = {"upload_id": upload}
        found = await self._line.ask("aibot_upload_media_finish", finish, seconds=ANSWER_SECONDS)
        return str(found.get("media_id") or "")


def _short(name: str) -> str:
    """A file name of at most 200 bytes, its ending kept."""
    stem, dot, ending = name.rpartition(".")
    if len(name.encode()) <= _MOST_NAME or not dot:
        return name.encode()[:_MOST_NAME].decode(errors="ignore")
    room = _MOST_NAME - len(ending.encode()) - 1
    return f"{stem.encode()[: max(room, 1)].decode(errors='ignore')}.{ending}"


def _moment() -> float:
    """Seconds of the event loop, which only go forward."""
    return asyncio.get_running_loop().time()
