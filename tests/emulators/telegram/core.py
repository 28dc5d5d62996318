"""The platform's state around one bot: its world, its queue of updates, and the record of what was called."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .entities import marked
from .faults import Faults
from .limits import Flood
from .schema import Part
from .updates import Updates
from .webhooks import Webhook
from .world import GENERAL, Chat, Upload, World

Message = dict[str, Any]
Buttons = tuple[tuple[tuple[str, str], ...], ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """One send or edit that took effect. `buttons`: rows of (label, data or link); `at`: machine seconds."""

    method: str
    chat_id: int
    message_id: int
    text: str
    buttons: Buttons
    params: dict[str, Any]
    files: tuple[Upload, ...]
    at: float
    thread: int | None


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it was answered; status 0 is no answer at all."""

    method: str
    params: dict[str, Any]
    status: int


@dataclass(slots=True)
class Query:
    """A press of a button that waits for its answer."""

    user: int
    at: float
    open: bool = True


@dataclass(frozen=True, slots=True)
class Request:
    """A call that fits the schema, with the files that came along by the name of their part."""

    method: str
    params: dict[str, Any]
    files: dict[str, Part] = field(default_factory=dict)


def machine_time() -> float:
    """Seconds that only go forward."""
    return time.monotonic()  # noqa: TID251 - the platform has a clock of its own, the project's rule is not for it


def wall_time() -> float:
    """Seconds since the epoch."""
    return time.time()  # noqa: TID251 - the platform has a clock of its own, the project's rule is not for it


class Core:
    """Everything the methods and the people of the emulator share."""

    query_window = 15.0  # seconds in which a press can be answered

    def __init__(self, token: str, username: str, *, privacy: bool, clock: Callable[[], float] | None) -> None:
        self.token = token
        self.privacy = privacy
        self.clock = clock or machine_time
        self.wall = wall_time
        self.me: dict[str, Any] = {"id": int(token.partition(":")[0]), "is_bot": True}
        self.me |= {"first_name": username, "username": username}
        self.world = World(self.me)
        self.updates = Updates()
        self.webhook = Webhook(self.updates, self.now)
        self.flood = Flood()
        self.faults = Faults()
        self.calls: list[Call] = []
        self.sent: list[Sent] = []
        self.offences: list[str] = []
        self.refusals = 0
        self.mine: set[tuple[int, int]] = set()
        self.answered: dict[str, str | None] = {}
        self.queries: dict[str, Query] = {}
        self.commands: dict[str, list[dict[str, Any]]] = {}
        self.reactions: dict[tuple[int, int], list[str]] = {}
        self.descriptions: dict[str, str] = {}
        self.actions: list[tuple[int, str]] = []
        self.unknown_fields = False
        self.albums = 0
        self.arrivals: list[tuple[int, asyncio.Future[None]]] = []

    def now(self) -> float:
        """Seconds since the epoch, by the clock that stands in `wall`."""
        return self.wall()

    def announce(self, kind: str, inner: dict[str, Any]) -> int | None:
        """Queue an update for the bot; its id, or None if the bot does not want such updates."""
        if self.unknown_fields:
            inner = {**inner, "field_of_a_later_version": {"kind": "new", "values": [1, None, "x"]}}
            return self.updates.put(kind, inner, {"part_of_a_later_version": {"id": "1"}})
        return self.updates.put(kind, inner)

    def note(self, sent: Sent) -> None:
        """Record a send, and tell those who wait for so many."""
        self.sent.append(sent)
        for wanted, future in self.arrivals:
            if wanted <= len(self.sent) and not future.done():
                future.set_result(None)
        if self.arrivals:
            self.arrivals = [one for one in self.arrivals if not one[1].done()]

    def envelope(self, chat: Chat) -> Message:
        """The part of a message that all messages have, under a new id."""
        return {"message_id": self.world.next_id(chat), "date": int(self.wall()), "chat": chat.json()}

    def own_envelope(self, chat: Chat) -> Message:
        """The same for a message of the bot."""
        found = self.envelope(chat)
        self.mine.add((chat.id, found["message_id"]))
        if chat.kind == "channel":
            found["sender_chat"] = chat.json()
        else:
            found["from"] = self.me
        return found

    def is_mine(self, message: Message) -> bool:
        """Whether the bot wrote a message."""
        return (message["chat"]["id"], message["message_id"]) in self.mine


def put_text(message: Message, text: str, entities: list[dict[str, Any]] | None, *, caption: bool = False) -> None:
    """Write a text or caption into a message, with its entities if there are any."""
    message["caption" if caption else "text"] = text
    if found := entities or marked(text):
        message["caption_entities" if caption else "entities"] = found


def put_place(message: Message, chat: Chat, thread: int | None, replied: Message | None) -> None:
    """Write into a message what it answers and which topic it stands in."""
    if replied is not None:
        message["reply_to_message"] = {key: value for key, value in replied.items() if key != "reply_to_message"}
    if chat.forum:
        if thread is None and replied is not None and replied.get("is_topic_message"):
            thread = replied["message_thread_id"]
        if thread is not None and thread != GENERAL:
            message["message_thread_id"] = thread
            message["is_topic_message"] = True
    elif replied is not None and chat.kind == "supergroup":
        message["message_thread_id"] = replied.get("message_thread_id", replied["message_id"])


def buttons(markup: dict[str, Any] | None) -> Buttons:
    """Rows of (label, data) of an inline keyboard."""
    rows = (markup or {}).get("inline_keyboard", ())
    return tuple(tuple((one["text"], one.get("callback_data") or one.get("url") or "") for one in row) for row in rows)
