"""From a claimed row to what a platform takes as one message: the words, the documents, the part that is next."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.channel import Document, Key, Mention, Parcel
from handlers.outgoing import Body
from storage.delivery import Owed


@dataclass(frozen=True, slots=True)
class Start:
    """A row that may leave for a chat; `probe`: to see whether its paused channel works again."""

    channel: str
    chat_id: int
    probe: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed row with its words."""

    owed: Owed
    body: Body


@dataclass(frozen=True, slots=True)
class Part:
    """One message of the platform's; `bears_keys`: it is the one that stands for its row, which may be edited later."""

    parcel: Parcel
    bears_keys: bool
    last: bool


def parcel_of(ready: Ready, documents: tuple[Document, ...]) -> Parcel:
    """The whole message."""
    owed, body = ready.owed, ready.body
    return Parcel(
        id=owed.id,
        chat_id=owed.chat_id,
        chat=owed.chat,
        kind=owed.kind,
        text=body.text,
        keys=tuple(tuple(Key(label, data) for label, data in row) for row in body.keys),
        documents=documents,
        reply_to=owed.reply_to,
        edits=owed.target,
        silent=owed.silent,
        private=owed.private,
        mention=Mention(owed.mention, body.mention) if owed.mention and body.mention else None,
        doubts=owed.doubts,
    )


def next_part(owed: Owed, parts: Sequence[Parcel]) -> Part:
    """Those that arrived before are passed over; the part with the buttons, or else the first, stands for the row."""
    at = min(owed.parts, len(parts) - 1)
    keyed = next((number for number, part in enumerate(parts) if part.keys), 0)
    return Part(parts[at], bears_keys=at == keyed, last=at == len(parts) - 1)
