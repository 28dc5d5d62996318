"""What can still be answered directly: messages for a day, a greeting and a pressed card for five seconds."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from bot.channels.wecom_aibot.connection import Connection

MESSAGE_SECONDS = 24 * 3600.0
QUICK_SECONDS = 4.5
"""The platform gives five, and the answer has to travel."""
MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Handle:
    """A request that may be answered on the connection that brought it, and on no other, until then.

    The answer appears in `chat`, wherever it was meant for.
    `clock` is that of the event loop: storage's thread, which has none, may ask whether a card can be changed.
    """

    req_id: str
    connection: Connection
    chat: str
    until: float
    clock: Callable[[], float]
    greets: bool = False


class Handles:
    """Messages by their id, pressed cards by their task_id; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._messages: OrderedDict[str, Handle] = OrderedDict()
        self._cards: OrderedDict[str, Handle] = OrderedDict()

    def note_message(self, name: str, req_id: str, connection: Connection, chat: str, *, greets: bool = False) -> None:
        """Somebody spoke, or came in: then he is greeted."""
        lives, clock = QUICK_SECONDS if greets else MESSAGE_SECONDS, asyncio.get_running_loop().time
        _keep(self._messages, name, Handle(req_id, connection, chat, clock() + lives, clock, greets))

    def note_press(self, task_id: str, req_id: str, connection: Connection, chat: str) -> None:
        """A card's button was pressed."""
        clock = asyncio.get_running_loop().time
        _keep(self._cards, task_id, Handle(req_id, connection, chat, clock() + QUICK_SECONDS, clock))

    def message(self, message_id: str | None, connection: Connection | None, chat: str) -> Handle | None:
        """How to answer a message of this chat on this connection, if it still can be."""
        handle = _alive(self._messages.get(message_id or ""), connection)
        return handle if handle is not None and handle.chat == chat else None

    def press(self, task_id: str | None, connection: Connection | None) -> Handle | None:
        """How to change a card on this connection, if it was pressed just now."""
        return _alive(self._cards.get(task_id or ""), connection)

    def forget_message(self, message_id: str | None) -> None:
        """It cannot be answered directly any more."""
        self._messages.pop(message_id or "", None)

    def forget_press(self, task_id: str | None) -> None:
        """The card was changed, which is possible once for each press."""
        self._cards.pop(task_id or "", None)


def _keep(handles: "OrderedDict[str, Handle]", name: str, handle: Handle) -> None:
    handles[name] = handle
    if len(handles) > MOST_REMEMBERED:
        handles.popitem(last=False)


def _alive(handle: Handle | None, connection: Connection | None) -> Handle | None:
    living = handle is not None and handle.connection is connection and handle.clock() < handle.until
    return handle if living else None
