"""What is too long, too many or too fast."""

import math
import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .entities import units
from .errors import bad, too_many
from .world import Chat

TEXT = 4096  # UTF-16 units
CAPTION = 1024
CALLBACK_DATA = 64  # bytes
CALLBACK_TEXT = 200
COMMANDS = 100
COMMAND_NAME = re.compile(r"[a-z0-9_]{1,32}")
COMMAND_DESCRIPTION = 256
ALBUM = range(2, 11)
DOWNLOAD = 20 * 1024 * 1024  # bytes
UPLOAD = 50 * 1024 * 1024
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


def check_text(text: str, *, edit: bool = False) -> None:
    """Refuse an empty text, and one that is too long after its markup is gone."""
    if not text.strip():
        raise bad("message text is empty")
    if units(text) > TEXT:
        raise bad("MESSAGE_TOO_LONG" if edit else "message is too long")


def check_caption(text: str) -> None:
    """Refuse a caption that is too long."""
    if units(text) > CAPTION:
        raise bad("message caption is too long")


def check_buttons(markup: Mapping[str, Any] | None) -> None:
    """Refuse inline buttons without a label, without an action, or with more data than they carry."""
    for row in (markup or {}).get("inline_keyboard", ()):
        for button in row:
            check_button(button)


def check_button(button: Mapping[str, Any]) -> None:
    """The same for one button."""
    if not button["text"]:
        raise bad("can't parse inline keyboard button: Text must be non-empty")
    if len(button) == 1:
        raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    data = button.get("callback_data")
    if data is not None and not 1 <= len(data.encode()) <= CALLBACK_DATA:
        raise bad("BUTTON_DATA_INVALID")


def check_commands(commands: list[dict[str, Any]]) -> None:
    """Refuse a command menu the platform would not show."""
    if len(commands) > COMMANDS:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not COMMAND_NAME.fullmatch(command["command"].removeprefix("/")):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= len(command["description"]) <= COMMAND_DESCRIPTION:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")


@dataclass(frozen=True, slots=True)
class Rate:
    """So many messages in so many seconds, in a sliding window."""

    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Flood control; None switches a window off. `edits`: whether edits count like messages."""

    per_chat: Rate | None = Rate(1, 1.0)
    per_group: Rate | None = Rate(20, 60.0)
    overall: Rate | None = Rate(30, 1.0)
    edits: bool = False


class Flood:
    """Remembers what was sent when, and says how long to wait."""

    def __init__(self) -> None:
        self.limits: Limits | None = None
        self.windows: dict[tuple[str, int], deque[float]] = {}

    def admit(self, chat: Chat, count: int, now: float) -> None:
        """Count `count` messages to a chat at `now`, in seconds of any clock; 429 if a window is full."""
        if self.limits is None:
            return
        rates = list(self.rates(self.limits, chat))
        waits = [self.wait(key, rate, count, now) for key, rate in rates]
        if (longest := max(waits, default=0.0)) > 0:
            raise too_many(math.ceil(longest))
        for key, _ in rates:
            self.windows[key].extend([now] * count)

    def rates(self, limits: Limits, chat: Chat) -> Iterable[tuple[tuple[str, int], Rate]]:
        """The windows a message to this chat falls into."""
        if limits.per_chat:
            yield ("chat", chat.id), limits.per_chat
        if limits.per_group and chat.kind != "private":
            yield ("group", chat.id), limits.per_group
        if limits.overall:
            yield ("overall", 0), limits.overall

    def wait(self, key: tuple[str, int], rate: Rate, count: int, now: float) -> float:
        """Seconds until `count` more fit into a window; an album larger than the window may go alone."""
        window = self.windows.setdefault(key, deque())
        while window and window[0] <= now - rate.seconds:
            window.popleft()
        excess = len(window) + count - max(rate.count, count)
        if excess <= 0:
            return 0.0
        return window[excess - 1] + rate.seconds - now
