"""What a command of the client does, once its frame fits."""

from collections.abc import Callable
from typing import Any

from .cards import advised
from .codes import DEAD_REQUEST, STREAM_OVER, Refused, offence
from .commands import (
    FINISH,
    INIT,
    MEDIA,
    PART,
    RESPOND,
    SEND,
    UPDATE,
    WELCOME,
    Frame,
)
from .core import Callback, Core, Stream
from .world import Visible

Answer = dict[str, Any] | None


def respond(core: Core, frame: Frame, connection: int) -> Answer:
    """Reply to a person's message, in the chat where it was said."""
    asked = core.callback(frame.req_id, "message", connection, core.limits.reply)
    if frame.body["msgtype"] == "stream":
        stream(core, frame, asked)
    else:
        post(core, frame, asked.chat or asked.user, private=asked.chat is None, answers=asked.msgid)
    asked.answered += 1
    return None


def welcome(core: Core, frame: Frame, connection: int) -> Answer:
    """Greet a person who came in, once."""
    asked = core.callback(frame.req_id, "enter_chat", connection, core.limits.welcome)
    if asked.answered:
        raise Refused(DEAD_REQUEST)
    post(core, frame, asked.user, private=True, answers=asked.msgid)
    asked.answered += 1
    return None


def update(core: Core, frame: Frame, connection: int) -> Answer:
    """Put another card in the place of the one that was pressed, once."""
    asked = core.callback(frame.req_id, "template_card_event", connection, core.limits.update)
    card, message = frame.body["template_card"], asked.card
    assert message is not None
    if card["task_id"] != message.task_id:
        raise offence(f"task_id {card['task_id']} in the place of {message.task_id}")
    if asked.answered:
        raise Refused(DEAD_REQUEST)
    core.advice.extend(advised(card))
    if people := frame.body.get("userids"):
        message.cards.update(dict.fromkeys(people, card))
    else:
        message.card, message.cards = card, {}
    message.updates += 1
    asked.answered += 1
    return None


def send(core: Core, frame: Frame, connection: int) -> Answer:
    """Speak unasked."""
    chat = frame.body["chatid"]
    private = core.world.reach(chat, frame.body.get("chat_type", 0))
    post(core, frame, chat, private=private)
    return None


def post(core: Core, frame: Frame, chat: str, *, private: bool, answers: str | None = None) -> Visible:
    """A message of any kind but a stream appears in a chat, if it may."""
    kind = frame.body["msgtype"]
    part = frame.body[kind]
    more: dict[str, Any] = {"answers": answers}
    if kind in MEDIA:
        more["file"] = core.media.take(part["media_id"], kind, core.now())
    elif kind == "template_card":
        more["card"] = part
    else:
        more["source"] = part["content"]
    if kind == "template_card":
        core.check_task(chat, part)
    core.count(chat)
    if kind == "template_card":
        core.use_task(chat, part)
        core.advice.extend(advised(part))
    return core.world.show(chat, private, kind, frame.cmd, core.now(), **more)


def stream(core: Core, frame: Frame, asked: Callback) -> None:
    """Begin a stream, or write it anew as a whole; 846608 once it is over."""
    part = frame.body["stream"]
    chat, now = asked.chat or asked.user, core.now()
    found = core.streams.get((frame.req_id, part["id"]))
    if found is not None and (found.message.finished or now - found.at > core.limits.stream):
        raise Refused(STREAM_OVER)
    if found is None or core.limits.refreshes:
        core.count(chat)
    if found is None:
        private = asked.chat is None
        message = core.world.show(chat, private, "stream", frame.cmd, now, answers=asked.msgid)
        found = core.streams[frame.req_id, part["id"]] = Stream(message, now)
    found.message.source = part.get("content", "")
    found.message.finished = part.get("finish", False)


def begin_upload(core: Core, frame: Frame, connection: int) -> Answer:
    """A file is announced."""
    upload = core.media.begin(frame.body, core.now())
    core.windows.admit("uploads", core.limits.uploads, core.now())
    return {"upload_id": upload}


def add_chunk(core: Core, frame: Frame, connection: int) -> Answer:
    """A chunk of it."""
    core.media.add(frame.body, core.now())
    return None


def finish_upload(core: Core, frame: Frame, connection: int) -> Answer:
    """It is whole."""
    kind, media_id = core.media.finish(frame.body["upload_id"], core.now())
    return {"type": kind, "media_id": media_id, "created_at": int(core.now())}


TABLE: dict[str, Callable[[Core, Frame, int], Answer]] = {
    RESPOND: respond,
    WELCOME: welcome,
    UPDATE: update,
    SEND: send,
    INIT: begin_upload,
    PART: add_chunk,
    FINISH: finish_upload,
}
