"""The platform's state around one bot, and the record of what happened to it."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .codes import DEAD_REQUEST, INVALID_PARAMETER, WORDS, Refused, offence
from .faults import Faults
from .limits import Limits, Windows
from .media import Media
from .world import Visible, World


def wall_time() -> float:
    """Seconds since the epoch."""
    return time.time()  # noqa: TID251 - the platform has a clock of its own, the project's rule is not for it


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame of the client as it was answered; `code` None is no answer at all. `at`: seconds."""

    connection: int
    cmd: str
    req_id: str
    body: dict[str, Any]
    code: int | None
    at: float


@dataclass(slots=True)
class Callback:
    """A callback that can be answered. `kind`: message, enter_chat or template_card_event."""

    kind: str
    connection: int
    at: float
    msgid: str
    user: str
    chat: str | None
    card: Visible | None = None
    answered: int = 0


@dataclass(slots=True)
class Stream:
    """A message that grows."""

    message: Visible
    at: float


@dataclass(slots=True)
class Core:
    """Everything that the commands and the people of the emulator share."""

    bot_id: str
    secret: str
    name: str
    limits: Limits
    clock: Callable[[], float] = wall_time
    world: World = field(default_factory=World)
    faults: Faults = field(default_factory=Faults)
    windows: Windows = field(default_factory=Windows)
    media: Media = field(init=False)
    sent: list[Sent] = field(default_factory=list)
    offences: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)
    refusals: Counter[int] = field(default_factory=Counter)
    callbacks: dict[str, Callback] = field(default_factory=dict)
    streams: dict[tuple[str, str], Stream] = field(default_factory=dict)
    tasks: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Files live as long as the limits say."""
        self.media = Media(self.limits.link, self.limits.upload, self.limits.media)

    def now(self) -> float:
        """Seconds, by the platform's clock."""
        return self.clock()

    def ring(self) -> None:
        """Something happened: those who wait look again."""
        self.changed.set()
        self.changed = asyncio.Event()

    async def until(self, true: Callable[[], bool], timeout: float) -> None:
        """Wait until something is true, at most `timeout` seconds of machine time (TimeoutError)."""
        async with asyncio.timeout(timeout):
            while not true():
                await self.changed.wait()

    def new_id(self, kind: str) -> str:
        """An id that was never given before."""
        return f"{kind}{secrets.token_hex(9)}"

    def note(self, sent: Sent) -> None:
        """Record a frame and its answer."""
        self.sent.append(sent)
        if sent.code:
            self.refusals[sent.code] += 1
        self.ring()

    def callback(self, req_id: str, kind: str, connection: int, window: float) -> Callback:
        """The callback that a reply answers; 846605 where it is unknown, another's, too old or another kind's."""
        found = self.callbacks.get(req_id)
        if found is None or found.connection != connection or found.kind != kind:
            raise Refused(DEAD_REQUEST)
        if self.now() - found.at > window:
            raise Refused(DEAD_REQUEST)
        return found

    def count(self, chat: str) -> None:
        """One more message to a chat; 846607 where there were too many."""
        self.windows.admit(f"chat:{chat}", self.limits.chat, self.now())

    def check_task(self, chat: str, card: dict[str, Any]) -> None:
        """A card's task_id is used up, for ever. The same card again is a try again, another one an offence."""
        name = card.get("task_id")
        if name not in self.tasks:
            return
        if self.tasks[name] == (chat, card):
            raise Refused(INVALID_PARAMETER, words=f"{WORDS[INVALID_PARAMETER]}: duplicate task_id")
        raise offence(f"task_id {name} was used before")

    def use_task(self, chat: str, card: dict[str, Any]) -> None:
        """From now on the task_id is this card's."""
        if "task_id" in card:
            self.tasks[card["task_id"]] = chat, card
