"""Sends parcels over the long connection: markdown in pieces, cards, files; directly where that is still possible."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.channel import Document, Key, Parcel, Uncertain, Undeliverable, Unsent
from bot.channels.files import MEGABYTE
from bot.channels.wecom_aibot import cards, repeating
from bot.channels.wecom_aibot.connection import Line, Lost, NotConnected
from bot.channels.wecom_aibot.refusals import DEAD_REQUEST, Refused, outcome, used_before
from bot.channels.wecom_aibot.replying import Handle, Handles
from bot.channels.wecom_aibot.uploading import MOST_FILE, Uploads, kind_of
from bot.channels.wecom_aibot.wording import known_as, literal, split
from domain.said import Said

RESPOND, WELCOME, SEND, UPDATE = (
    "aibot_respond_msg",
    "aibot_respond_welcome_msg",
    "aibot_send_msg",
    "aibot_respond_update_msg",
)
LEAST_FILE = 5
"""Bytes; the platform takes no shorter one."""
_PRIVATE, _GROUP = 1, 2

Say = Callable[[Said], str]


def parts(parcel: Parcel, say: Say) -> Sequence[Parcel]:
    """What WeCom takes as one message each: a card, or markdown and a card behind it; then the files.

    Where no card can hold the buttons, the words that do the same are written below the text. Of an edit the card is
    left.
    """
    if parcel.kind == "edit":
        return (parcel,)
    if parcel.kind != "send":
        return (replace(parcel, text=literal(parcel.text), keys=()),)
    bare = replace(parcel, text="", keys=(), documents=(), mention=None)
    texts = _texts(bare, parcel.text, tuple(key for row in parcel.keys for key in row), say)
    files = [_file_part(bare, document, say) for document in parcel.documents]
    found = [*texts, *files] or [parcel]
    rest = (replace(part, reply_to=None, part=number) for number, part in enumerate(found[1:], start=1))
    return (found[0], *rest)


def _texts(bare: Parcel, text: str, keys: tuple[Key, ...], say: Say) -> list[Parcel]:
    """A text with its buttons: all in one card, a card behind the text, or the words to type below it."""
    if not keys:
        return [replace(bare, text=piece) for piece in split(text)]
    if cards.laid_out(text, keys):
        return [replace(bare, text=text, keys=(keys,))]
    short = cards.short_face(text, say).title
    if cards.laid_out(short, keys):
        return [*(replace(bare, text=piece) for piece in split(text)), replace(bare, text=short, keys=(keys,))]
    return [replace(bare, text=piece) for piece in split(f"{text}\n\n{cards.typed(keys, say)}")]


def _file_part(bare: Parcel, document: Document, say: Say) -> Parcel:
    """One file; one that cannot be sent is named in its place."""
    if LEAST_FILE <= len(document.content) <= MOST_FILE:
        return replace(bare, documents=(document,))
    said = Said("file.not_sendable", {"name": document.name, "most": MOST_FILE // MEGABYTE})
    return replace(bare, text=literal(say(said)))


class Sender:
    """One part, one message; outcomes are those of bot.channel."""

    def __init__(self, line: Line, handles: Handles, bot: str, say: Say) -> None:
        self._line = line
        self._handles = handles
        self._bot = bot
        self._say = say
        self._uploads = Uploads(line)

    def may_edit(self, platform_id: str | None) -> bool:
        """Whether a card was pressed so lately that it can be changed."""
        return self._handles.press(platform_id, self._line.connection) is not None

    async def send(self, parcel: Parcel) -> str:
        """How the message is known from now on; Undeliverable, Unsent or Uncertain."""
        try:
            if parcel.kind == "edit":
                return await self._change(parcel)
            return await self._message(parcel)
        except Refused as no:
            raise outcome(no) from None
        except NotConnected as gone:
            raise Unsent(str(gone), channel_down=True) from None
        except Lost as doubt:
            raise Uncertain(str(doubt), harmless=repeating.harmless(parcel)) from None

    async def _message(self, parcel: Parcel) -> str:
        keys = tuple(key for row in parcel.keys for key in row)
        if keys:
            return await self._card(parcel, keys)
        if again := repeating.as_card(parcel, self._say):
            await self._once(parcel, again, cards.task_id(self._bot, repeating.named(parcel, again[1])))
        elif parcel.documents:
            return await self._file(parcel, parcel.documents[0])
        else:
            await self._say_it(parcel, "markdown", {"content": parcel.text})
        return _name_of(parcel)

    async def _card(self, parcel: Parcel, keys: tuple[Key, ...]) -> str:
        name = cards.task_id(self._bot, parcel)
        laid = cards.laid_out(parcel.text, keys)
        if laid is None:
            raise Undeliverable("no card can hold the text")
        await self._once(parcel, laid, name)
        return name

    async def _once(self, parcel: Parcel, laid: tuple[cards.Face, Sequence[Key]], name: str) -> None:
        """A card by its name; one that is refused as used before has arrived before."""
        try:
            await self._say_it(parcel, "template_card", cards.card(*laid, name))
        except Refused as no:
            if not used_before(no):
                raise

    async def _file(self, parcel: Parcel, document: Document) -> str:
        """A picture as one; what WeCom does not take for a picture goes as a file."""
        kind = kind_of(document)
        try:
            await self._say_it(parcel, kind, {"media_id": await self._uploads.media_id(document, kind)})
        except Refused:
            if kind == "file":
                raise
            await self._say_it(parcel, "file", {"media_id": await self._uploads.media_id(document, "file")})
        return _name_of(parcel)

    async def _say_it(self, parcel: Parcel, kind: str, content: Mapping[str, Any]) -> None:
        """Directly where it answers somebody who can still be answered, else as a message of its own."""
        handle = self._handles.message(parcel.reply_to, self._line.connection, parcel.chat)
        body: Mapping[str, Any] = {"msgtype": kind, kind: content}
        if handle is not None and not (handle.greets and kind not in ("markdown", "template_card")):
            if await self._answered(handle, body):
                return
            self._handles.forget_message(parcel.reply_to)
        where = _PRIVATE if parcel.private else _GROUP
        await self._line.ask(SEND, {"chatid": parcel.chat, "chat_type": where, **body})

    async def _answered(self, handle: Handle, body: Mapping[str, Any]) -> bool:
        """Whether the direct answer was taken; what it answered may be too long ago."""
        if handle.greets and body["msgtype"] == "markdown":
            body = {"msgtype": "text", "text": body["markdown"]}
        try:
            await self._line.ask(WELCOME if handle.greets else RESPOND, body, req_id=handle.req_id)
        except Refused as no:
            if no.code == DEAD_REQUEST:
                return False
            raise
        return True

    async def _change(self, parcel: Parcel) -> str:
        """Other buttons on a card that was pressed just now; it keeps its words."""
        handle = self._handles.press(parcel.edits, self._line.connection)
        if handle is None or parcel.edits is None:
            raise Undeliverable("a card changes only when it is pressed")
        keys = tuple(key for row in parcel.keys for key in row) or (cards.done_key(parcel.text, self._say),)
        short = cards.short_face(parcel.text, self._say).title
        laid = cards.laid_out(parcel.text, keys) or cards.laid_out(short, keys)
        if laid is None:
            raise Undeliverable("no card can hold the buttons")
        body = {"response_type": "update_template_card", "template_card": cards.card(*laid, parcel.edits)}
        self._handles.forget_press(parcel.edits)
        try:
            await self._line.ask(UPDATE, body, req_id=handle.req_id)
        except Refused as no:
            raise Undeliverable(str(no)) from None
        return parcel.edits


def _name_of(parcel: Parcel) -> str:
    """How a message is known that has no name on the platform: by its words, or its row and file."""
    return known_as(f"{parcel.id} {parcel.documents[0].name}" if parcel.documents else parcel.text)
