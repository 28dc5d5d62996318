"""Sends parcels by the Bot API: texts in pieces, files and albums, edits, menus."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from telegram import (
    BotCommand,
    BotCommandScopeChat,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from telegram.constants import FileSizeLimit, MediaGroupLimit
from telegram.error import BadRequest, TelegramError

from bot.channel import Document, Key, Parcel, Uncertain, Undeliverable, Unsent
from bot.channels.files import MEGABYTE
from bot.channels.pieces import GOES_ON
from bot.channels.telegram.api import Api
from bot.channels.telegram.reading import message_id, place_of
from bot.channels.telegram.refusals import no_photo, refusal, topic_gone, unchanged
from bot.channels.telegram.wording import MOST_CAPTION, MOST_TEXT, Mark, Piece, length, split
from domain.said import Said

MOST_FILE = int(FileSizeLimit.FILESIZE_UPLOAD)
MOST_PHOTO = int(FileSizeLimit.PHOTOSIZE_UPLOAD)
MOST_ALBUM = int(MediaGroupLimit.MAX_MEDIA_LENGTH)
PHOTOS = frozenset({"image/jpeg", "image/png", "image/webp"})
NO_PREVIEW = LinkPreviewOptions(is_disabled=True).to_dict()
UPLOAD_SECONDS = 240.0


def parts(parcel: Parcel, say: Callable[[Said], str]) -> Sequence[Parcel]:
    """What Telegram takes as one message each: pieces of the text, the last with the buttons, then files and albums.

    One file goes along with a short text. A file that is too large is named in its place. Of an edit the piece with the
    buttons is left.
    """
    if parcel.kind not in ("send", "edit") or _is_short(parcel):
        return (parcel,)
    texts = _texts(parcel)
    if parcel.kind == "edit":
        return texts[-1:] or (parcel,)
    small = tuple(document for document in parcel.documents if len(document.content) <= MOST_FILE)
    large = [replace(_bare(parcel), text=_too_large(document, say)) for document in parcel.documents
             if len(document.content) > MOST_FILE]  # fmt: skip
    if len(small) == 1 and len(texts) == 1 and not parcel.mention and length(parcel.text) <= MOST_CAPTION:
        return (replace(texts[0], documents=small), *large)
    files = [replace(_bare(parcel), documents=group) for group in _groups(small)]
    return (*texts, *files, *large) or (parcel,)


def _is_short(parcel: Parcel) -> bool:
    """Whether a plain text fits whatever its characters are; most do."""
    return not parcel.documents and 0 < 2 * len(parcel.text) <= MOST_TEXT


def _texts(parcel: Parcel) -> tuple[Parcel, ...]:
    """The pieces of the text; who is named in several is called once."""
    pieces = split(parcel.text, _marks(parcel))
    found = [
        replace(
            _bare(parcel),
            text=f"{GOES_ON if number else ''}{piece.text}",
            mention=parcel.mention if piece.marks else None,
        )
        for number, piece in enumerate(pieces)
    ]
    if found:
        found[0] = replace(found[0], reply_to=parcel.reply_to)
        found[-1] = replace(found[-1], keys=parcel.keys)
    return tuple(found)


def _bare(parcel: Parcel) -> Parcel:
    """What follows the first part: it quotes nothing, and stands in the same topic."""
    _, _, thread = (parcel.reply_to or "").partition("@")
    follows = f"@{thread}" if thread else None
    return replace(parcel, text="", keys=(), documents=(), reply_to=follows, mention=None)


def _too_large(document: Document, say: Callable[[Said], str]) -> str:
    return say(Said("file.not_sendable", {"name": document.name, "most": MOST_FILE // MEGABYTE}))


def _groups(documents: Sequence[Document]) -> list[tuple[Document, ...]]:
    """Photos in albums of ten, everything else by itself, in the order in which they came."""
    groups: list[tuple[Document, ...]] = []
    for document in documents:
        joins = groups and _is_photo(document) and _is_photo(groups[-1][0]) and len(groups[-1]) < MOST_ALBUM
        if joins:
            groups[-1] = (*groups[-1], document)
        else:
            groups.append((document,))
    return groups


def _is_photo(document: Document) -> bool:
    return document.media_type in PHOTOS and len(document.content) <= MOST_PHOTO


def _marks(parcel: Parcel) -> tuple[Mark, ...]:
    """Where the text calls somebody: his name with the @ before it."""
    if parcel.mention is None:
        return ()
    words = f"@{parcel.mention.words}"
    at = parcel.text.find(words)
    return (Mark(at, at + len(words), parcel.mention.user),) if at >= 0 else ()


class Sender:
    """One parcel, one call; outcomes are those of bot.channel.

    After a message that may have been lost, a harmless call shows whether anything gets through before the next leaves.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._shaken = False

    async def send(self, parcel: Parcel) -> str:
        """The id of the message that was sent or edited; Undeliverable, Unsent, Uncertain or Moved."""
        ways = {"send": self._message, "edit": self._edit, "answer": self._answer, "menu": self._menu}
        await self._calm_down()
        try:
            return await ways[parcel.kind](parcel)
        except TelegramError as error:
            told = refusal(error)
            self._shaken = self._shaken or isinstance(told, Uncertain)
            raise told from None

    async def _calm_down(self) -> None:
        """Unsent where nothing gets through."""
        if not self._shaken:
            return
        try:
            await self._api.ask("getMe")
        except TelegramError as error:
            raise Unsent(f"nothing gets through: {error}", channel_down=True) from None
        self._shaken = False

    async def _message(self, parcel: Parcel) -> str:
        place = _place(parcel)
        try:
            return await self._say(parcel, place)
        except BadRequest as error:
            if not topic_gone(error):
                raise
            outside = {name: place[name] for name in place.keys() - {"message_thread_id", "reply_parameters"}}
            return await self._say(parcel, outside)  # a quotation would lead back into the topic

    async def _say(self, parcel: Parcel, place: dict[str, Any]) -> str:
        if parcel.documents:
            return await self._files(parcel, place)
        entities = [entity.to_dict() for entity in Piece(parcel.text, _marks(parcel)).entities]
        sent = await self._api.ask(
            "sendMessage",
            **place,
            text=parcel.text,
            entities=entities or None,
            link_preview_options=NO_PREVIEW,
            reply_markup=_keyboard(parcel.keys),
        )
        if not isinstance(sent, dict) or type(sent.get("message_id")) is not int:
            raise TelegramError("an answer that cannot be read")
        return message_id(sent["message_id"], sent["message_thread_id"] if sent.get("is_topic_message") else None)

    async def _files(self, parcel: Parcel, place: dict[str, Any]) -> str:
        """An album, a photo, or a file as it is; what Telegram does not take for a photo goes as a file."""
        bot, documents = self._api.bot, parcel.documents
        given = {**place, "write_timeout": UPLOAD_SECONDS, "read_timeout": UPLOAD_SECONDS}
        if "reply_parameters" in place:
            given["reply_parameters"] = ReplyParameters(**place["reply_parameters"])
        if len(documents) > 1:
            return await self._album(documents, given)
        document = documents[0]
        given |= {"caption": parcel.text or None, "reply_markup": _markup(parcel.keys)}
        if _is_photo(document):
            try:
                return _known(await bot.send_photo(photo=document.content, filename=document.name, **given))
            except BadRequest as error:
                if not no_photo(error):
                    raise
        return _known(await bot.send_document(document=document.content, filename=document.name, **given))

    async def _album(self, documents: tuple[Document, ...], given: dict[str, Any]) -> str:
        """Photos as one; where one of them is none to Telegram, all go as files, and still as one."""
        send = self._api.bot.send_media_group
        photos = [InputMediaPhoto(document.content, filename=document.name) for document in documents]
        try:
            return _known((await send(media=photos, **given))[0])
        except BadRequest as error:
            if not no_photo(error):
                raise
        files = [InputMediaDocument(document.content, filename=document.name) for document in documents]
        return _known((await send(media=files, **given))[0])

    async def _edit(self, parcel: Parcel) -> str:
        """The text as it stands, under other buttons; of a file they stand under the caption."""
        if parcel.edits is None:
            raise Undeliverable("there is no message to be changed")
        number, _ = place_of(parcel.edits)
        about = {"chat_id": int(parcel.chat), "message_id": number, "reply_markup": _keyboard(parcel.keys)}
        try:
            await self._api.ask("editMessageText", **about, text=parcel.text, link_preview_options=NO_PREVIEW)
        except BadRequest as error:
            if "no text in the message" in str(error).lower():
                return await self._under_caption(parcel, about)
            if not unchanged(error):
                raise
        return parcel.edits

    async def _under_caption(self, parcel: Parcel, about: dict[str, Any]) -> str:
        try:
            await self._api.ask("editMessageReplyMarkup", **about)
        except BadRequest as error:
            if not unchanged(error):
                raise
        return parcel.edits or ""

    async def _answer(self, parcel: Parcel) -> str:
        await self._api.ask("answerCallbackQuery", callback_query_id=parcel.reply_to, text=parcel.text[:200])
        return parcel.reply_to or ""

    async def _menu(self, parcel: Parcel) -> str:
        commands = [BotCommand(key.data, key.label) for row in parcel.keys for key in row]
        await self._api.bot.set_my_commands(commands, scope=BotCommandScopeChat(int(parcel.chat)))
        return ""


def _place(parcel: Parcel) -> dict[str, Any]:
    """Chat, topic, and the message that is answered; in a private chat an answer needs no quotation."""
    place: dict[str, Any] = {"chat_id": int(parcel.chat), "disable_notification": parcel.silent or None}
    if parcel.reply_to is None or parcel.private:
        return place
    if parcel.reply_to.startswith("@"):
        return {**place, "message_thread_id": int(parcel.reply_to[1:])}
    number, thread = place_of(parcel.reply_to)
    quoted = ReplyParameters(number, allow_sending_without_reply=True)
    return {**place, "message_thread_id": thread, "reply_parameters": quoted.to_dict()}


def _markup(keys: tuple[tuple[Key, ...], ...]) -> InlineKeyboardMarkup | None:
    rows = [[InlineKeyboardButton(key.label, callback_data=key.data) for key in row] for row in keys]
    return InlineKeyboardMarkup(rows) if rows else None


def _keyboard(keys: tuple[tuple[Key, ...], ...]) -> dict[str, Any] | None:
    """The same as plain JSON: most messages have one, and building it by objects costs as much as sending it."""
    rows = [[{"text": key.label, "callback_data": key.data} for key in row] for row in keys]
    return {"inline_keyboard": rows} if rows else None


def _known(message: Message) -> str:
    return message_id(message.message_id, message.message_thread_id if message.is_topic_message else None)
