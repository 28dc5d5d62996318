"""What is sent again in doubt: as a card, since of a card's name WeCom takes one only, however often it is sent."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.channel import Key, Parcel
from bot.channels.wecom_aibot import cards
from bot.channels.wecom_aibot.cards import MOST_BODY, MOST_TITLE, Face
from domain.said import Said

Say = Callable[[Said], str]


def harmless(parcel: Parcel) -> bool:
    """Whether this parcel may be sent once more, should its answer be lost, and nobody sees more of it for that.

    A card of its own is one at every try. Anything else is one from its second repetition on, if not from its first.
    """
    return parcel.kind == "send" and (bool(parcel.keys) or parcel.doubts > 0)


def as_card(parcel: Parcel, say: Say) -> tuple[Face, Sequence[Key]] | None:
    """The words of a doubtful text on a card, with a button, as a card must have one.

    What is too long for a card, or a file, is repeated as it was, which is None; after a second doubt a card says what
    it was that may be missing, and the button leads to it.
    """
    if not parcel.doubts:
        return None
    text = parcel.text or parcel.documents[0].name
    face = None if parcel.documents else _whole(text, say)
    if face is None and parcel.doubts > 1:
        face = Face(_shortened(text.partition("\n")[0]), say(Said("card.perhaps_missed")))
    return (face, (cards.look_key(text, say),)) if face else None


def _whole(text: str, say: Say) -> Face | None:
    """All of a text; where its first line is too long for a title, under one that says that it comes again."""
    if len(text) <= MOST_BODY and len(text.partition("\n")[0]) > MOST_TITLE:
        return Face(say(Said("card.again")), text)
    return cards.face_of(text)


def named(parcel: Parcel, keys: Sequence[Key]) -> Parcel:
    """The parcel by which such a card is called: the same at every try, another for each part of a message."""
    return replace(parcel, text=f"{parcel.part} {parcel.text}", keys=(tuple(keys),))


def _shortened(line: str) -> str:
    return line if len(line) <= MOST_TITLE else f"{line[: MOST_TITLE - 1]}…"
