"""Reads an update of Telegram's as a message: who, where, what; or as something that happened to the chat."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from telegram import CallbackQuery, Chat, ChatMemberUpdated, Message, Update, User
from telegram.constants import ChatMemberStatus, ChatType

from bot.channels.files import MOST_BYTES, too_large
from domain.chat import Attachment, Event, Incoming, LostFile

NAME = "telegram"
ALLOWED = (Update.MESSAGE, Update.EDITED_MESSAGE, Update.CALLBACK_QUERY, Update.MY_CHAT_MEMBER)
"""The kinds of updates that are asked for; what is asked for once stays so at the server until it is asked anew."""
_GONE = (ChatMemberStatus.LEFT, ChatMemberStatus.BANNED)


def read(body: Mapping[str, Any], at: datetime) -> Incoming | None:
    """The message in an inbox row: the raw `update`, and the `bot`'s name and `hears_all` as they were then.

    None where it is nothing lianqi cares for; ValueError where it cannot be read.
    """
    try:
        update = Update.de_json(dict(body["update"]), None)
        return _Reader(str(body["bot"]), bool(body["hears_all"]), at).read(update)
    except (KeyError, TypeError, AttributeError, OverflowError, OSError) as error:
        raise ValueError(f"no update of Telegram's: {type(error).__name__}") from error


def message_id(number: int, thread: int | None) -> str:
    """A message as the house knows it: its number, and the topic it stands in, `12` or `12@7`."""
    return str(number) if thread is None else f"{number}@{thread}"


def place_of(known: str) -> tuple[int, int | None]:
    """The number and the topic of a message; ValueError for what Telegram never named so."""
    number, _, thread = known.partition("@")
    return int(number), int(thread) if thread else None


class _Reader:
    def __init__(self, bot: str, hears_all: bool, at: datetime) -> None:
        self._called = re.compile(rf"@{re.escape(bot)}(?![A-Za-z0-9_])", re.IGNORECASE)
        self._hears_all = hears_all
        self._at = at

    def read(self, update: Update) -> Incoming | None:
        if update.callback_query is not None:
            return self._pressed(update.callback_query)
        if update.my_chat_member is not None:
            return self._membership(update.my_chat_member)
        message = update.message or update.edited_message
        if message is None or message.chat.type == ChatType.CHANNEL:
            return None
        return self._event(message) or self._said(message, edited=update.message is None)

    def _said(self, message: Message, *, edited: bool) -> Incoming | None:
        """What somebody says; nobody's name where he speaks as the group or a channel. Other bots are not heard,
        nor what they wrote for somebody to send.
        """
        if message.via_bot is not None:
            return None
        unnamed = message.sender_chat is not None
        if not unnamed and (message.from_user is None or message.from_user.is_bot):
            return None
        files, lost = _files(message)
        text = message.text or message.caption or ""
        if not (text or files or lost):
            return None
        return self._incoming(
            message.chat,
            message_id=message_id(message.message_id, _thread(message)),
            sender="" if unnamed or message.from_user is None else str(message.from_user.id),
            sender_name="" if unnamed or message.from_user is None else _shown(message.from_user),
            text=self._called.sub(" ", text).strip(),
            addressed=self._called.search(text) is not None,
            attachments=files,
            lost=lost,
            reply_to=_replied(message),
            album=message.media_group_id or "",
            edited=edited,
            written_at=message.edit_date if edited else message.date,
        )

    def _pressed(self, query: CallbackQuery) -> Incoming | None:
        """A button; its message may be too old to be shown, and still has its number."""
        message = query.message
        if message is None or query.data is None:
            return None
        thread = _thread(message) if isinstance(message, Message) else None
        known = message_id(message.message_id, thread)
        return self._incoming(
            message.chat,
            message_id=known,
            sender=str(query.from_user.id),
            sender_name=_shown(query.from_user),
            button=query.data,
            answer_token=query.id,
            reply_to=known,
            addressed=True,
        )

    def _membership(self, change: ChatMemberUpdated) -> Incoming | None:
        """The bot was let in, put out, blocked, started, or made or unmade an administrator."""
        if change.chat.type == ChatType.CHANNEL:
            return None
        status = change.new_chat_member.status
        gone = status in _GONE or getattr(change.new_chat_member, "is_member", True) is False
        hears = self._hears_all or change.chat.type == ChatType.PRIVATE or status == ChatMemberStatus.ADMINISTRATOR
        return self._incoming(
            change.chat,
            message_id="",
            sender=str(change.from_user.id),
            sender_name=_shown(change.from_user),
            event=Event.REMOVED if gone else Event.ADDED,
            hears_all=hears,
        )

    def _event(self, message: Message) -> Incoming | None:
        """The group has moved or is called otherwise."""
        if message.migrate_to_chat_id is not None:
            return self._moved(message.chat, str(message.chat.id), str(message.migrate_to_chat_id))
        if message.migrate_from_chat_id is not None:
            return self._moved(message.chat, str(message.migrate_from_chat_id), str(message.chat.id))
        if message.new_chat_title is not None:
            return self._incoming(message.chat, message_id="", sender="", sender_name="", event=Event.RENAMED)
        return None

    def _moved(self, chat: Chat, old: str, new: str) -> Incoming:
        return self._incoming(
            chat, chat_id=old, message_id="", sender="", sender_name="", event=Event.MOVED, moved_to=new
        )

    def _incoming(self, chat: Chat, *, chat_id: str = "", **more: Any) -> Incoming:
        return Incoming(
            channel=NAME,
            account=NAME,
            chat=chat_id or str(chat.id),
            private=chat.type == ChatType.PRIVATE,
            chat_name=chat.title or "",
            sent_at=self._at,
            **more,
        )


def _shown(user: User) -> str:
    """The name that somebody shows; of an account that is being deleted there is none."""
    return user.full_name or ""


def _thread(message: Message) -> int | None:
    """The topic of a message; in the general one, and outside forums, there is none to be named."""
    return message.message_thread_id if message.is_topic_message else None


def _replied(message: Message) -> str | None:
    """The message that is replied to; every message of a topic replies to its opening, which says nothing."""
    replied = message.reply_to_message
    if replied is None or replied.forum_topic_created is not None:
        return None
    return message_id(replied.message_id, _thread(message))


def _files(message: Message) -> tuple[tuple[Attachment, ...], tuple[LostFile, ...]]:
    """The files of a message that can be fetched, and those that are too large for a bot."""
    found = [file for file in _came_along(message) if file is not None]
    small = tuple(Attachment("", name, kind, remote=handle) for handle, name, kind, size in found if size <= MOST_BYTES)
    cause = too_large()
    large = tuple(LostFile(name, cause) for _, name, _, size in found if size > MOST_BYTES)
    return small, large


def _came_along(message: Message) -> Sequence[tuple[str, str, str, int] | None]:
    """(handle, name, media type, size in bytes) of every file; of a photo the largest that can be fetched."""
    photos = [photo for photo in message.photo if (photo.file_size or 0) <= MOST_BYTES] or list(message.photo)
    photo = photos[-1] if photos else None
    moving = message.video or message.animation or message.video_note
    return (
        _file(photo, "photo", ".jpg", "image/jpeg"),
        _file(None if message.animation else message.document, "file", "", "application/octet-stream"),
        _file(message.voice, "voice", ".ogg", "audio/ogg"),
        _file(message.audio, "audio", ".mp3", "audio/mpeg"),
        _file(moving, "video", ".mp4", "video/mp4"),
    )


def _file(file: Any, kind: str, suffix: str, media_type: str) -> tuple[str, str, str, int] | None:
    if file is None:
        return None
    name = getattr(file, "file_name", None) or f"{kind}-{file.file_unique_id[:12]}{suffix}"
    return file.file_id, name, getattr(file, "mime_type", None) or media_type, file.file_size or 0


def chat_key(update: Mapping[str, Any]) -> str:
    """What orders an update among others: its chat, or a queue of their own for those that show none."""
    for kind in ALLOWED:
        about = update.get(kind)
        if isinstance(about, Mapping):
            message = about.get("message") if kind == Update.CALLBACK_QUERY else about
            chat = message.get("chat") if isinstance(message, Mapping) else None
            if isinstance(chat, Mapping) and isinstance(chat.get("id"), int):
                return str(chat["id"])
    return "no chat"
