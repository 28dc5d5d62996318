"""Reads a callback of the self-built app as a message: who, what; or as something that happened to his chat."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from domain.chat import Attachment, Event, Incoming, LostFile
from domain.said import Said

NAME = "wecom_app"
_FILES = {
    "image": ("photo.jpg", "image/jpeg"),
    "voice": ("voice.amr", "audio/amr"),
    "video": ("video.mp4", "video/mp4"),
}
_SECONDS = re.compile("[0-9]{1,11}")
_EVENTS = {"enter_agent": Event.ADDED, "subscribe": Event.ADDED, "unsubscribe": Event.REMOVED}


def external_id(fields: Mapping[str, str]) -> str:
    """What makes a callback the same as another: MsgId; of an event who, when, which key and card."""
    if fields.get("MsgId"):
        return fields["MsgId"]
    parts = [fields.get(name, "") for name in ("FromUserName", "CreateTime", "Event", "EventKey", "TaskId")]
    return f"event:{hashlib.sha256(repr(parts).encode()).hexdigest()}"


def read(body: Mapping[str, Any], at: datetime) -> Incoming | None:
    """The message in an inbox row: the fields of its XML as `message`, the sender's `name` where it was known.

    None where it is nothing lianqi cares for; ValueError where it cannot be read.
    """
    try:
        fields: Mapping[str, str] = body["message"]
        sender, kind = fields["FromUserName"], fields["MsgType"]
        return _Reader(fields, sender, str(body.get("name", "")), at).read(kind)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no callback of WeCom's: {type(error).__name__}") from error


class _Reader:
    def __init__(self, fields: Mapping[str, str], sender: str, name: str, at: datetime) -> None:
        self._fields = fields
        self._sender = sender
        self._name = name
        self._at = at

    def read(self, kind: str) -> Incoming | None:
        if kind == "event":
            return self._event(self._fields["Event"])
        if kind == "text":
            return self._incoming(text=self._fields["Content"].strip())
        if kind == "link":
            return self._incoming(text=f"{self._fields.get('Title', '')} {self._fields.get('Url', '')}".strip())
        if kind in _FILES:
            name, media_type = _FILES[kind]
            return self._incoming(attachments=(Attachment("", name, media_type, remote=self._fields["MediaId"]),))
        if kind == "location":
            lost = LostFile(self._fields.get("Label", ""), Said("file.location"))
            return self._incoming(lost=(lost,))
        return None

    def _event(self, event: str) -> Incoming | None:
        if event == "template_card_event":
            card = self._fields["TaskId"]
            return self._incoming(
                message_id=card,
                button=self._fields["EventKey"],
                answer_token=self._fields.get("ResponseCode") or None,
                reply_to=card,
            )
        if event in _EVENTS:
            return self._incoming(message_id="", event=_EVENTS[event])
        return None

    def _incoming(self, *, message_id: str | None = None, **more: Any) -> Incoming:
        return Incoming(
            channel=NAME,
            account=NAME,
            chat=self._sender,
            private=True,
            message_id=self._fields.get("MsgId", "") if message_id is None else message_id,
            sender=self._sender,
            sender_name=self._name,
            sent_at=self._at,
            addressed=True,
            written_at=_written_at(self._fields.get("CreateTime", "")),
            **more,
        )


def _written_at(seconds: str) -> datetime | None:
    """CreateTime, whole seconds since 1970."""
    return datetime.fromtimestamp(int(seconds), UTC) if _SECONDS.fullmatch(seconds) else None
