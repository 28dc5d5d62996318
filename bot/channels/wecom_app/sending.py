"""Sends parcels by the app: texts in pieces, cards with buttons, files; a retry is byte for byte the same."""

import asyncio
import hashlib
import json
import logging
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.channel import Document, Parcel, Undeliverable, Unsent
from bot.channels.pieces import pieces
from bot.channels.qyapi import Account, ApiError, Denied, File, outcome
from bot.channels.wecom_app import cards
from bot.channels.wecom_app.cards import Say
from domain.said import Said

_log = logging.getLogger(__name__)

MOST_TEXT = 2048
MEGABYTE = 1024 * 1024
MOST_FILE = 20 * MEGABYTE
MOST_PHOTO = 10 * MEGABYTE
LEAST_FILE = 6
PHOTOS = frozenset({"image/jpeg", "image/png"})
SAME_SECONDS = 1800
"""So long at least the platform takes the same bytes for the same message; 4 hours are the most it allows."""
SAME_SPREAD = 12_601
"""All the seconds from there to four hours: so many rows have intervals of their own."""
PART_STEP = 661
"""From the interval of one part of a row to that of the next."""
MEDIA_SECONDS = 2.5 * 24 * 3600
MOST_REMEMBERED = 2000
MEDIA_GONE = 40007
_LINK = re.compile(r"<(?=\s*/?\s*a\b)", re.IGNORECASE)
"""A text may hold links as HTML; what people wrote is never one."""


def parts(parcel: Parcel, say: Say) -> Sequence[Parcel]:
    """What the app sends as one message each: pieces of the text, cards with the buttons, then file by file.

    Of an edit the card is left. A file that is too large is named in its place.
    """
    if parcel.kind not in ("send", "edit"):
        return (parcel,)
    bare = replace(parcel, text="", keys=(), documents=(), reply_to=None, mention=None)
    buttons = cards.with_keys(parcel, bare, say)
    if parcel.kind == "edit":
        return tuple(buttons[:1]) or (parcel,)
    alone = bool(buttons) and cards.fits_title(parcel.text)
    texts = [] if alone else [replace(bare, text=piece) for piece in pieces(_harmless(parcel.text), MOST_TEXT)]
    files = [_file_or_word(bare, document, say) for document in parcel.documents]
    return tuple(replace(part, part=number) for number, part in enumerate((*texts, *buttons, *files))) or (parcel,)


def _harmless(text: str) -> str:
    return _LINK.sub("＜", text)


def _file_or_word(bare: Parcel, document: Document, say: Say) -> Parcel:
    if LEAST_FILE <= len(document.content) <= MOST_FILE:
        return replace(bare, documents=(document,))
    return replace(bare, text=say(Said("file.not_sendable", {"name": document.name, "most": MOST_FILE // MEGABYTE})))


class Sender:
    """One parcel, one message; outcomes are those of bot.channel."""

    def __init__(self, account: Account, agent_id: int, say: Say) -> None:
        self._account = account
        self._agent_id = agent_id
        self._say = say
        self._media: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._codes: OrderedDict[str, str] = OrderedDict()

    async def send(self, parcel: Parcel) -> str:
        """The id of the message that was sent or edited: of a card its task_id, which its presses name."""
        try:
            if parcel.kind == "edit":
                return await self._edit(parcel)
            if parcel.kind != "send":
                raise Undeliverable(f"the app has no {parcel.kind}")
            return await self._message(parcel)
        except ApiError as error:
            raise outcome(error) from None

    def keep_code(self, card: str, code: str) -> None:
        """With what a card can be changed once, within 72 hours; this process alone knows."""
        if card and code:
            _keep(self._codes, card, code)

    def may_edit(self, card: str | None) -> bool:
        """Whether a card can still be changed."""
        return card in self._codes

    async def _message(self, parcel: Parcel) -> str:
        kind, content = await self._content(parcel)
        body = _bytes(
            {
                "touser": parcel.chat,
                "msgtype": kind,
                "agentid": self._agent_id,
                kind: content,
                "enable_duplicate_check": 1,
                # No two messages are the same bytes, as what is meant to be said twice must be heard twice.
                "duplicate_check_interval": SAME_SECONDS + (parcel.id + parcel.part * PART_STEP) % SAME_SPREAD,
            }
        )
        try:
            told = await self._account.post("message/send", body)
        except Denied as denied:
            if denied.code != MEDIA_GONE:
                raise
            self._media.clear()
            raise Unsent(str(denied)) from None
        if set(parcel.chat.lower().split("|")) & set(str(told.get("invaliduser") or "").lower().split("|")):
            raise Undeliverable("the app does not reach this member", unreachable=True)
        if kind == "template_card":
            self.keep_code(content["task_id"], str(told.get("response_code") or ""))
            return str(content["task_id"])
        return str(told.get("msgid", ""))

    async def _content(self, parcel: Parcel) -> tuple[str, dict[str, Any]]:
        if parcel.documents:
            return await self._uploaded(parcel.documents[0])
        if parcel.keys:
            return "template_card", cards.card(parcel, cards.task_id(parcel))
        return "text", {"content": _harmless(parcel.text)}

    async def _uploaded(self, document: Document) -> tuple[str, dict[str, Any]]:
        """The file as the platform knows it; what was handed over lately is named again, so that a retry is the same.

        A picture that is too large for one goes as a file.
        """
        photo = document.media_type in PHOTOS and len(document.content) <= MOST_PHOTO
        kind = "image" if photo else "file"
        known = hashlib.sha256(f"{kind} {document.name} ".encode() + document.content).hexdigest()
        moment = asyncio.get_running_loop().time()
        media_id, until = self._media.get(known, ("", 0.0))
        if moment >= until:
            file = File(document.name, document.media_type, document.content)
            media_id = await self._account.upload(kind, file)
            _keep(self._media, known, (media_id, moment + MEDIA_SECONDS))
        return kind, {"media_id": media_id}

    async def _edit(self, parcel: Parcel) -> str:
        """Other buttons on a card, or none: then its button says that it is over."""
        code = self._codes.pop(parcel.edits or "", "")
        if not code or parcel.edits is None:
            raise Undeliverable("the card cannot be changed any more")
        change: dict[str, Any] = {"button": {"replace_name": self._say(Said("card.over"))}}
        if parcel.keys:
            change = {"template_card": cards.card(parcel, parcel.edits)}
        body = {"userids": [parcel.chat], "agentid": self._agent_id, "response_code": code, **change}
        await self._account.post("message/update_template_card", _bytes(body))
        return parcel.edits


def _keep(kept: OrderedDict[str, Any], name: str, value: Any) -> None:
    kept[name] = value
    kept.move_to_end(name)
    if len(kept) > MOST_REMEMBERED:
        kept.popitem(last=False)


def _bytes(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
