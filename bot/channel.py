"""What a chat platform must offer, and the desk it is given: the seam between lianqi and any messenger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from domain.chat import Attachment, Incoming


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a platform can do. `most_text` counts characters; `idempotent`: sending a row again is harmless.

    `single_connection`: only one process may be connected at a time, so the holder of the channel's lease sends too.
    """

    buttons: bool = True
    edits: bool = True
    files: bool = True
    most_text: int = 4000
    idempotent: bool = False
    single_connection: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """A button as it is shown: its words, and the data that comes back when it is pressed."""

    label: str
    data: str


@dataclass(frozen=True, slots=True)
class Document:
    """A file to be sent."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Parcel:
    """A rendered message on its way out; `id` is its outbox row, the same again on every retry.

    `edits` is the platform's id of the message to be changed; `reply_to` that of the message answered, or the token of
    the button press that an answer belongs to.
    """

    id: int
    chat_id: int
    chat: str
    kind: str
    text: str
    keys: tuple[tuple[Key, ...], ...] = ()
    documents: tuple[Document, ...] = ()
    reply_to: str | None = None
    edits: str | None = None
    silent: bool = False


class Undeliverable(Exception):
    """This message can never arrive here (chat gone, blocked); `unreachable` says that no other can either."""

    def __init__(self, reason: str, *, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.unreachable = unreachable


class Unsent(Exception):
    """Not delivered, worth another try; `seconds`: what the platform asks to wait; `channel_down`: that all must."""

    def __init__(self, reason: str, *, seconds: float | None = None, channel_down: bool = False) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.channel_down = channel_down


class Uncertain(Exception):
    """Perhaps delivered: the connection broke after the message had left."""


@dataclass(frozen=True, slots=True)
class Update:
    """A platform's raw update: `external_id` is unique per channel and account, `chat` orders what belongs together."""

    external_id: str
    chat: str
    body: Mapping[str, Any]


class Desk(Protocol):
    """What a channel may ask of lianqi. It never sees the database."""

    async def receive(self, channel: str, account: str, updates: Sequence[Update]) -> None:
        """Commit raw updates to the inbox, doubles aside; only afterwards may the platform be told "received"."""
        ...

    async def keep_file(self, content: bytes, name: str, media_type: str) -> Attachment:
        """Keep a file by its content hash."""
        ...

    async def file(self, content_hash: str) -> bytes | None:
        """The content of a kept file."""
        ...

    def now(self) -> datetime:
        """Civil time."""
        ...


class Channel(Protocol):
    """One platform. It knows neither handlers nor storage; one line in bot/channels/__init__.py makes it known."""

    @property
    def name(self) -> str:
        """The channel's name in config, roster and database."""
        ...

    @property
    def abilities(self) -> Abilities:
        """What this platform can do."""
        ...

    async def run(self, desk: Desk) -> None:
        """Receive until cancelled."""
        ...

    def read(self, body: Mapping[str, Any], at: datetime) -> Incoming | None:
        """A raw update as a message; None where it is nothing lianqi cares for; ValueError where it cannot be read."""
        ...

    async def send(self, parcel: Parcel) -> str:
        """Send, edit or answer; the platform's id of the message. Raises Undeliverable, Unsent or Uncertain."""
        ...
