"""What a client may say: the frames, command by command."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .cards import FEEDBACK, check_card
from .codes import TOO_LONG, UNKNOWN_MSGTYPE, Refused, offence
from .shapes import Flag, Record, Rows, Shape, Whole, Words, wrong

CONTENT = 20480  # bytes of markdown or of a stream
CHUNK = 512 * 1024  # bytes
CHUNKS = 100
MEDIA = ("file", "image", "voice", "video")
SUBSCRIBE, PING = "aibot_subscribe", "ping"
RESPOND, WELCOME, UPDATE = "aibot_respond_msg", "aibot_respond_welcome_msg", "aibot_respond_update_msg"
SEND = "aibot_send_msg"
INIT, PART, FINISH = "aibot_upload_media_init", "aibot_upload_media_chunk", "aibot_upload_media_finish"
REPLIES = (RESPOND, WELCOME, UPDATE)

ANY = Words(empty=True)
MESSAGES: dict[str, Shape] = {
    "text": Record({"content": Words()}),
    "markdown": Record({"content": Words()}, {"feedback": FEEDBACK}),
    "stream": Record(
        {"id": Words()},
        {
            "finish": Flag(),
            "content": ANY,
            "feedback": FEEDBACK,
            "msg_item": Rows(Record({"msgtype": Words()}), most=10),
        },
    ),
    "video": Record({"media_id": Words()}, {"title": ANY, "description": ANY}),
    **{name: Record({"media_id": Words()}) for name in ("file", "image", "voice")},
}
ALLOWED = {
    RESPOND: ("stream", "template_card", "markdown", *MEDIA),
    WELCOME: ("text", "template_card"),
    SEND: ("markdown", "template_card", *MEDIA),
}
BODIES: dict[str, Shape] = {
    SUBSCRIBE: Record({"bot_id": Words(), "secret": Words()}),
    INIT: Record(
        {
            "type": Words(among=MEDIA),
            "filename": Words(256),
            "total_size": Whole(5, CHUNK * CHUNKS),
            "total_chunks": Whole(1, CHUNKS),
        },
        {"md5": Words(32)},
    ),
    PART: Record({"upload_id": Words(), "chunk_index": Whole(0, CHUNKS - 1), "base64_data": Words()}),
    FINISH: Record({"upload_id": Words()}),
}


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that fits: its command, its req_id, its body."""

    cmd: str
    req_id: str
    body: dict[str, Any]

    @property
    def chat(self) -> str | None:
        """The chat that it names itself."""
        return self.body.get("chatid")


def parse(raw: str | bytes) -> Any:
    """What a client sent, as JSON."""
    if isinstance(raw, bytes):
        raise offence("a binary frame")
    try:
        return json.loads(raw)
    except ValueError as wrong:
        raise offence("no JSON") from wrong


def req_id_of(sent: Any) -> str:
    """The req_id that an answer must carry, as far as one can be found."""
    headers = sent.get("headers") if isinstance(sent, dict) else None
    found = headers.get("req_id") if isinstance(headers, dict) else None
    return found if isinstance(found, str) else ""


def read_frame(sent: Any) -> Frame:
    """Hold a frame against all that can be told from itself alone."""
    cmd = sent.get("cmd") if isinstance(sent, dict) else None
    if not isinstance(cmd, str) or cmd not in CHECKS:
        raise offence(f"cmd is {cmd!r}")
    parts = {"cmd", "headers"} if cmd == PING else {"cmd", "headers", "body"}
    if unknown := set(sent) - parts:
        raise offence(f"{cmd}: {min(unknown)} is unknown")
    if found := wrong(Record({"req_id": Words(256)}), sent.get("headers"), "headers"):
        raise offence(f"{cmd}: {found}")
    body = sent.get("body", {})
    if cmd != PING and not isinstance(sent.get("body"), dict):
        raise offence(f"{cmd}: body is no object")
    try:
        CHECKS[cmd](cmd, body)
    except Refused as refusal:
        raise offence(f"{cmd}: {refusal.offence}", refusal.code) from refusal
    return Frame(cmd, sent["headers"]["req_id"], body)


def check_body(cmd: str, body: dict[str, Any]) -> None:
    """Bodies of which a shape says all."""
    if found := wrong(BODIES[cmd], body, "body"):
        raise offence(found)
    if cmd == PART:
        check_chunk(body["base64_data"])


def check_chunk(data: str) -> None:
    """A chunk: base64 of at most 512 KiB."""
    try:
        size = len(base64.b64decode(data, validate=True))
    except binascii.Error as broken:
        raise offence("base64_data is no base64") from broken
    if size > CHUNK:
        raise offence(f"a chunk of {size} bytes", TOO_LONG)


def check_ping(cmd: str, body: dict[str, Any]) -> None:
    """A ping has no body."""


def check_message(cmd: str, body: dict[str, Any]) -> None:
    """A reply or a push: the part that its msgtype names, and nothing else."""
    kind = body.get("msgtype")
    if not isinstance(kind, str) or kind not in ALLOWED[cmd]:
        raise offence(f"msgtype is {kind!r}", UNKNOWN_MSGTYPE)
    may = {"chatid", "chat_type"} if cmd == SEND else set()
    if extra := body.keys() - {"msgtype", kind} - may:
        raise offence(f"body.{min(extra)} is unknown")
    if cmd == SEND:
        head = {name: value for name, value in body.items() if name in may}
        if found := wrong(Record({"chatid": Words()}, {"chat_type": Whole(0, 2)}), head, "body"):
            raise offence(found)
    if kind == "template_card":
        check_card(body.get(kind))
        return
    if found := wrong(MESSAGES[kind], body.get(kind), kind):
        raise offence(found)
    content = body[kind].get("content", "")
    if len(content.encode()) > CONTENT:
        raise offence(f"{kind}.content has {len(content.encode())} bytes, {CONTENT} are allowed", TOO_LONG)


def check_update(cmd: str, body: dict[str, Any]) -> None:
    """Another card in the place of one."""
    shape = Record(
        {"response_type": Words(among=("update_template_card",)), "template_card": Record()},
        {"userids": Rows(Words(), least=1)},
    )
    card = body.get("template_card")
    outside = {**body, "template_card": {}} if "template_card" in body else body
    if found := wrong(shape, outside, "body"):
        raise offence(found)
    check_card(card)
    if isinstance(card, dict) and "task_id" not in card:
        raise offence("template_card.task_id is missing")


CHECKS: dict[str, Callable[[str, dict[str, Any]], None]] = {
    **dict.fromkeys(BODIES, check_body),
    **dict.fromkeys(ALLOWED, check_message),
    UPDATE: check_update,
    PING: check_ping,
}
