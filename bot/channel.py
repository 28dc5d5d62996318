"""What a chat platform must offer, and the desk it is given: the seam between lianqi and any messenger."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from starlette.routing import BaseRoute

from domain.chat import Attachment, Incoming, LostFile
from domain.said import Said


@dataclass(frozen=True, slots=True)
class Window:
    """At most so many messages in a chat in any so many seconds; `groups_only`: private chats are not counted."""

    most: int
    seconds: float
    groups_only: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a platform lets a bot speak: `overall` messages a second, seconds between two in a chat, and what a chat
    takes in longer windows. Counted from the end of a send, as nobody knows when it arrives.
    """

    overall: int
    chat_seconds: float
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a platform can do. `idempotent`: for half an hour sending a row again is harmless; `menus`: it shows a list
    of commands; `pace`: None where nobody counts.

    `single_connection`: only one process may be connected at a time, so the holder of the channel's lease sends too.
    `answers_only`: it may write only where somebody has written to it before.
    """

    buttons: bool = True
    edits: bool = True
    files: bool = True
    menus: bool = False
    idempotent: bool = False
    single_connection: bool = False
    answers_only: bool = False
    pace: Pace | None = None


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
class Mention:
    """Words of a text that call a person: his user id, and how he is named in it."""

    user: str
    words: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """A rendered message on its way out; `id` is its outbox row, the same again on every retry.

    `kind` is send, edit (the keys under `edits`, the platform's id of the message, become these), answer (to a button
    press) or menu (the chat's list of commands becomes these keys: description and command). `reply_to` is the
    platform's id of the message answered, or the token of the button press that an answer belongs to. `part` tells
    the parts of one message apart where a channel needs that. `doubts` is how often this part was sent and no answer
    came, so that a channel may choose another form for it.
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
    private: bool = True
    mention: Mention | None = None
    part: int = 0
    doubts: int = 0


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
    """Perhaps delivered: the connection broke after the message had left.

    `harmless`: sending the parcel again, with one doubt more, cannot be seen as a second message.
    """

    def __init__(self, reason: str = "", *, harmless: bool = False) -> None:
        super().__init__(reason)
        self.harmless = harmless


class Moved(Exception):
    """Not delivered, as the chat goes on under another id."""

    def __init__(self, chat: str) -> None:
        super().__init__(f"the chat is {chat} now")
        self.chat = chat


class Replayed(Exception):
    """The call that brought something was brought before: it counts once."""


class NotKept(Exception):
    """The desk cannot commit anything now: the platform must not be told that it was received."""


@dataclass(frozen=True, slots=True)
class Update:
    """A platform's raw update: `external_id` is unique per channel and account, `chat` orders what belongs together."""

    external_id: str
    chat: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend (`must`) or to know before going live."""

    said: Said
    must: bool = False


class Desk(Protocol):
    """What a channel may ask of lianqi. It never sees the database."""

    async def receive(self, channel: str, account: str, updates: Sequence[Update], *, once: str = "") -> None:
        """Commit raw updates to the inbox, doubles aside; only afterwards may the platform be told "received".

        `once` marks the call that brings them: Replayed, and nothing done, where it was committed within two hours.
        NotKept where storage cannot: bring them again later.
        """
        ...

    async def keep_file(self, content: bytes, name: str, media_type: str) -> Attachment:
        """Keep a file by its content hash; NotKept where storage cannot."""
        ...

    async def file(self, content_hash: str) -> bytes | None:
        """The content of a kept file."""
        ...

    async def alone(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work while this process alone holds the lease of that name; again and again, until cancelled."""
        ...

    async def introduce(self, channel: str, name: str, link: str) -> None:
        """Make known how the bot is called there, and the address at which a person begins a private chat with it."""
        ...

    async def speak_in(self, channel: str, groups: Sequence[str]) -> None:
        """Make known the groups, by name or id, in which a channel only speaks, beside the bot that hears there."""
        ...

    def heard(self, channel: str) -> None:
        """The platform has answered, or brought something: the channel is alive."""
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

    @property
    def here(self) -> bool:
        """Whether messages can leave from this process; where another one is connected they are left to that one."""
        ...

    @property
    def listens(self) -> bool:
        """Whether it asks its platform all the time or is connected to it, so that a silence means trouble."""
        ...

    async def run(self, desk: Desk) -> None:
        """Receive until cancelled; who listens lets the desk hear of every answer of the platform."""
        ...

    def routes(self, desk: Desk) -> Sequence[BaseRoute]:
        """Where the platform calls the HTTP server, if it does."""
        ...

    def read(self, body: Mapping[str, Any], at: datetime) -> Incoming | None:
        """A raw update as a message; None where it is nothing lianqi cares for; ValueError where it cannot be read."""
        ...

    async def fetch(self, remote: str, desk: Desk) -> Attachment | LostFile:
        """A file that came along with a message, kept, or why it cannot be had."""
        ...

    def parts(self, parcel: Parcel) -> Sequence[Parcel]:
        """What the platform takes as one message each, in order; the same again for the same parcel."""
        ...

    def may_edit(self, platform_id: str | None) -> bool:
        """Whether this message can be changed now, where the platform lets messages be changed at all."""
        ...

    async def send(self, parcel: Parcel) -> str:
        """Send one part, edit or answer; the platform's id of the message.

        Raises Undeliverable, Unsent, Uncertain or Moved.
        """
        ...

    async def examine(self, groups: Mapping[str, str]) -> Sequence[Finding]:
        """What will not work, in words for the coordinator; `groups` are the names of the known groups by their id."""
        ...

    async def close(self) -> None:
        """Let go of the network; nothing is sent any more."""
        ...


@runtime_checkable
class Doorkeeper(Protocol):
    """A platform that knows who sits in front of a web page, as the page was opened inside it."""

    name: str
    inside: str

    def way(self, back: str, state: str) -> str:
        """Where the browser goes to be recognised; it comes back to the address `back` with a code and the `state`."""
        ...

    async def who(self, code: str) -> str | None:
        """The platform's user id behind a code, once; None where it says nobody. TimeoutError where it does not say."""
        ...


class PlainChannel:
    """A platform that calls no server, keeps no files, splits and moves nothing: for channels to start from."""

    @property
    def here(self) -> bool:
        """Every process can send."""
        return True

    @property
    def listens(self) -> bool:
        """It is called, or nothing comes in."""
        return False

    def may_edit(self, platform_id: str | None) -> bool:
        """Any message at any time."""
        return True

    def routes(self, desk: Desk) -> Sequence[BaseRoute]:
        """None."""
        return ()

    async def fetch(self, remote: str, desk: Desk) -> Attachment | LostFile:
        """Files come along whole: none is left to be fetched."""
        raise LookupError(f"no file {remote}")

    def parts(self, parcel: Parcel) -> Sequence[Parcel]:
        """All in one."""
        return (parcel,)

    async def examine(self, groups: Mapping[str, str]) -> Sequence[Finding]:
        """Nothing to set up."""
        return ()

    async def close(self) -> None:
        """Nothing to let go of."""
