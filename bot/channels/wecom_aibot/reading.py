"""Reads a callback of the smart bot as a message: who, where, what; names there are none."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.channels.wecom_aibot.connection import EVENT, MESSAGE
from bot.channels.wecom_aibot.wording import known_as
from domain.chat import Attachment, Incoming, LostFile
from domain.said import Said, from_facts

NAME = "wecom_aibot"
MEDIA = {"image": ".jpg", "file": "", "video": ".mp4"}
"""The kinds that come as an address, and how such a file is called where nobody says."""
_ENDS_NAME = r"(?=[\s\u2005\u3000,，:：.。;；、!！?？]|$)"
_FIRST_MENTION = re.compile(rf"^\s*@\S+?{_ENDS_NAME}")
_ENTER = "enter_chat"
_PRESS = "template_card_event"

Body = Mapping[str, Any]


def read(row: Body, at: datetime) -> Incoming | None:
    """The message in an inbox row: `cmd` and `body` as they came, the `files` that came along, and the `bot`'s name.

    None where it is nothing lianqi cares for; ValueError where it cannot be read.
    """
    try:
        return _Reader(row, at).read()
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no callback of wecom's: {type(error).__name__}") from error


class _Reader:
    def __init__(self, row: Body, at: datetime) -> None:
        self._body: Body = row["body"]
        self._cmd = row["cmd"]
        self._files: list[Mapping[str, Any]] = row["files"]
        self._name = str(row["bot"])
        self._at = at

    def read(self) -> Incoming | None:
        if self._cmd == MESSAGE:
            return self._said()
        return self._happened() if self._cmd == EVENT else None

    def _said(self) -> Incoming | None:
        body = self._body
        text = self._without_mention("\n".join(texts_of(body)))
        files = tuple(Attachment(file["hash"], file["name"], file["type"]) for file in self._files if "hash" in file)
        lost = tuple(
            LostFile(file["name"], Said(file["lost"], from_facts(file["facts"])))
            for file in self._files
            if "lost" in file
        )
        if not (text or files or lost):
            return None
        quoted = "\n".join(texts_of(body.get("quote") or {}))
        return self._incoming(
            message_id=str(body["msgid"]),
            text=text,
            attachments=files,
            lost=lost,
            reply_to=known_as(quoted) if quoted else None,
            quoted=quoted,
        )

    def _happened(self) -> Incoming | None:
        """A button was pressed, or somebody came in, who is greeted as if he had said so."""
        event = self._body["event"]
        if event["eventtype"] == _ENTER:
            return self._incoming(message_id=event_id(self._body), text="/start", entered=True)
        if event["eventtype"] != _PRESS:
            return None
        press = event[_PRESS]
        name = event_id(self._body)
        return self._incoming(
            message_id=name, button=str(press["event_key"]), answer_token=name, reply_to=str(press["task_id"])
        )

    def _without_mention(self, text: str) -> str:
        """The text without the bot's name; where nobody has told it, without the first name that a group says."""
        if self._name:
            return re.sub(rf"(?<![A-Za-z0-9.])@{re.escape(self._name)}{_ENDS_NAME}", " ", text).strip()
        return text.strip() if is_private(self._body) else _FIRST_MENTION.sub("", text).strip()

    def _incoming(self, **more: Any) -> Incoming:
        return Incoming(
            channel=NAME,
            account=NAME,
            chat=chat_of(self._body),
            private=is_private(self._body),
            sender=str(self._body["from"]["userid"]),
            sender_name="",
            sent_at=self._at,
            addressed=True,
            calls_only=True,
            **more,
        )


def is_private(body: Body) -> bool:
    """Whether it was said to the bot alone."""
    return body.get("chattype") != "group"


def chat_of(body: Body) -> str:
    """The chat: a group's id, or the person's."""
    return str(body["from"]["userid"] if is_private(body) else body["chatid"])


def texts_of(part: Body) -> Iterator[str]:
    """The words of a message or of what it quotes: text, what a voice said, the texts between pictures."""
    kind = part.get("msgtype")
    if kind == "mixed":
        for item in part["mixed"]["msg_item"]:
            yield from texts_of(item)
    elif kind in ("text", "voice", "markdown") and part[kind].get("content"):
        yield str(part[kind]["content"])


def media_of(part: Body) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Kind and place of every file in a message and in what it quotes."""
    kind = part.get("msgtype")
    if kind == "mixed":
        for item in part["mixed"]["msg_item"]:
            yield from media_of(item)
    elif kind in MEDIA and isinstance(part[kind].get("url"), str):
        yield kind, part[kind]
    if isinstance(part.get("quote"), Mapping):
        yield from media_of(part["quote"])


def event_id(body: Body) -> str:
    """What tells an event from others: who, when, and what was pressed where. Twice in a second is once."""
    event = body["event"]
    press = event.get(_PRESS) or {}
    when = body.get("create_time") or body.get("msgid") or ""
    told = (body["from"]["userid"], when, event["eventtype"], press.get("event_key", ""), press.get("task_id", ""))
    return ":".join(map(str, told)).encode("utf-8", "replace").decode()  # as it is kept
