"""Long texts in pieces that Telegram takes: counted in UTF-16, cut at the end of a paragraph, line or sentence."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from telegram import MessageEntity, User

from bot.channels.pieces import GOES_ON, good_end

MOST_TEXT = 4096
MOST_CAPTION = 1024


@dataclass(frozen=True, slots=True)
class Mark:
    """Characters of a text that call a user (code points, not UTF-16)."""

    start: int
    end: int
    user: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of a text, with the marks in it."""

    text: str
    marks: tuple[Mark, ...] = ()

    @property
    def entities(self) -> list[MessageEntity]:
        """The marks as Telegram counts: in UTF-16 units."""
        return [
            MessageEntity(
                MessageEntity.TEXT_MENTION,
                offset=length(self.text[: mark.start]),
                length=length(self.text[mark.start : mark.end]),
                user=User(int(mark.user), self.text[mark.start : mark.end].lstrip("@"), is_bot=False),
            )
            for mark in self.marks
        ]


def length(text: str) -> int:
    """How long Telegram finds a text: UTF-16 units."""
    return len(text) + sum(char > "\uffff" for char in text)


def split(text: str, marks: Sequence[Mark] = (), most: int = MOST_TEXT) -> list[Piece]:
    """Pieces of at most so many units; no mark is cut, unless it alone is longer than that.

    Blank space at a cut is dropped, as Telegram drops it at both ends of a message; otherwise nothing is lost. Every
    piece but the first leaves room to say that it goes on.
    """
    pieces: list[Piece] = []
    begin = _skip(text, 0)
    while begin < len(text.rstrip()):
        end = _cut(text, begin, marks, max(2, most - len(GOES_ON)) if pieces else most)
        piece = text[begin:end].rstrip()
        pieces.append(Piece(piece, _within(marks, begin, begin + len(piece))))
        begin = _skip(text, end)
    return pieces


def _within(marks: Sequence[Mark], begin: int, end: int) -> tuple[Mark, ...]:
    """What of the marks lies in a piece, counted from its beginning."""
    clipped = (replace(mark, start=max(mark.start, begin) - begin, end=min(mark.end, end) - begin) for mark in marks)
    return tuple(mark for mark in clipped if mark.start < mark.end)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _cut(text: str, begin: int, marks: Sequence[Mark], most: int) -> int:
    """Where the piece that begins there ends."""
    end = _farthest(text, begin, most)
    if end == len(text):
        return end
    for mark in marks:
        if begin < mark.start < end < mark.end:
            end = mark.start
    best = good_end(text, begin, end)
    return end if any(mark.start < best < mark.end for mark in marks) else best


def _farthest(text: str, begin: int, most: int) -> int:
    """The last position at which a piece may end."""
    end = min(len(text), begin + most)
    while length(text[begin:end]) > most:
        end -= max(1, (length(text[begin:end]) - most) // 2)
    while end < len(text) and length(text[begin : end + 1]) <= most:
        end += 1
    return end
