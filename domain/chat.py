"""A message as any platform brings it, reduced to what the bot's work needs."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file kept by content hash (sha256, hex) together with the name it came under."""

    hash: str
    name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """One thing that happened in a chat.

    `sender` is the platform's user id, never a name; it is empty where the platform shows none with authority
    (anonymous administrators, channel posts). `button` is the pressed button's data, `answer_token` what the platform
    wants back for it.
    `reply_to` is the platform's id of the message that was replied to. `sent_at` is civil time as lianqi received it.
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
