"""A message as any platform brings it, reduced to what the bot's work needs."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from domain.said import Said
from domain.words import MOST_GROUP, shown_file, shown_name


class Event(StrEnum):
    """What may happen to a chat itself, besides somebody speaking in it."""

    ADDED = "added"
    """The bot may speak here, or hears more or less than before."""
    REMOVED = "removed"
    """The bot was put out of the group, or blocked by the person."""
    MOVED = "moved"
    """The chat goes on under another id, `Incoming.moved_to`."""
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file kept by content hash (sha256, hex) together with the name it came under.

    `remote` is the platform's handle of a file that was not fetched yet and has no hash so far.
    """

    hash: str
    name: str
    media_type: str
    remote: str = ""


@dataclass(frozen=True, slots=True)
class LostFile:
    """A file that came along and cannot be had, and why."""

    name: str
    cause: Said


@dataclass(frozen=True, slots=True)
class Incoming:
    """One thing that happened in a chat.

    `sender` is the platform's user id, never a name; it is empty where the platform shows none with authority
    (anonymous administrators, channel posts). `button` is the pressed button's data, `answer_token` what the platform
    wants back for it.
    `reply_to` is the platform's id of the message that was replied to, `quoted` the words of that message where the
    platform brings them instead of an id. `sent_at` is civil time as lianqi received it.
    `album` is common to messages that were sent as one. `hears_all` is told with Event.ADDED: whether the bot will be
    brought what people say here without speaking to it. `calls_only`: a group brings nothing but what calls the bot by
    name, a reply to it no more than anything else. `entered`: nobody said anything, somebody opened his private chat.
    `written_at`: the platform's own time of it, by which alone one can tell who writes too fast from whose messages
    were held up on the way.
    """

    channel: str
    account: str
    chat: str
    private: bool
    message_id: str
    sender: str
    sender_name: str
    sent_at: datetime
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    button: str | None = None
    answer_token: str | None = None
    reply_to: str | None = None
    addressed: bool = False
    chat_name: str = ""
    edited: bool = False
    album: str = ""
    event: Event | None = None
    moved_to: str = ""
    hears_all: bool = True
    lost: tuple[LostFile, ...] = ()
    quoted: str = ""
    calls_only: bool = False
    entered: bool = False
    written_at: datetime | None = None


def tidied(message: Incoming) -> Incoming:
    """The message with every name in it fit to be shown: the speaker's, the group's, those of files."""
    return replace(
        message,
        sender_name=shown_name(message.sender_name),
        chat_name=shown_name(message.chat_name, MOST_GROUP),
        attachments=tuple(replace(file, name=shown_file(file.name)) for file in message.attachments),
        lost=tuple(replace(file, name=shown_file(file.name)) for file in message.lost),
    )
