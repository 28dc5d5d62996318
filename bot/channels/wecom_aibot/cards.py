"""Buttons as WeCom's cards show them, what of a text a card can hold, and the words to type where it cannot."""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.channel import Key, Parcel
from domain.said import Button, Said
from domain.verbs import Verb

MOST_KEYS = 6
MOST_LABEL = 20
"""Columns: ten Chinese characters are advised."""
MOST_TITLE = 36
MOST_BODY = 112
MOST_ROWS = 6
MOST_VALUE = 30
_SIGNS = "①②③④⑤⑥"
_ROW = re.compile(r"([^：\s“│]{1,5})：(\S.{0,29})")
_LED_BY_NUMBER = re.compile(r"(#[0-9A-Za-z-]{1,4})\s+(\S.*)")
_NUMBER = re.compile(r"#[0-9A-Za-z-]+")

Say = Callable[[Said], str]
Card = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Face:
    """The words of a card: its first line, what follows, and the last lines as rows of name and value."""

    title: str
    body: str = ""
    rows: tuple[tuple[str, str], ...] = ()


def face_of(text: str) -> Face | None:
    """A text as a card shows it; None where a card would cut something off (lengths: page 101032)."""
    title, _, rest = text.partition("\n")
    lines = rest.split("\n") if rest else []
    rows: list[tuple[str, str]] = []
    while lines and len(rows) < MOST_ROWS and (found := _ROW.fullmatch(lines[-1])):
        rows.insert(0, (found[1], found[2]))
        lines.pop()
    body = "\n".join(lines)
    fits = 0 < len(title) <= MOST_TITLE and len(body) <= MOST_BODY
    return Face(title, body, tuple(rows)) if fits else None


def short_face(text: str, say: Say) -> Face:
    """The words of a card that follows its text: which matter, and that something may be pressed."""
    number = _NUMBER.search(text)
    asked = say(Said("card.choose"))
    title = f"{number[0]} {asked}" if number else asked
    return Face(title[:MOST_TITLE])


def laid_out(text: str, keys: Sequence[Key]) -> tuple[Face, Sequence[Key]] | None:
    """The words and buttons of one card; None where it would cut something off.

    Buttons with long labels bear a number or a sign, and the labels stand in rows.
    """
    face = face_of(text)
    if face is None or not 0 < len(keys) <= MOST_KEYS or len({key.data for key in keys}) < len(keys):
        return None
    if all(0 < _columns(key.label) <= MOST_LABEL for key in keys):
        return face, keys
    signs = [_signed(place, key) for place, key in enumerate(keys)]
    if len({sign for sign, _ in signs}) < len(keys) or not all(0 < len(label) <= MOST_VALUE for _, label in signs):
        return None
    whole = "\n".join([face.body, *(f"{name}：{value}" for name, value in face.rows)]).strip("\n")
    if len(whole) > MOST_BODY:
        return None
    shown = [Key(sign, key.data) for (sign, _), key in zip(signs, keys, strict=True)]
    return Face(face.title, whole, tuple(signs)), shown


def _signed(place: int, key: Key) -> tuple[str, str]:
    """The sign of a long label, and its words: a matter's own number, or else one that is no matter's."""
    found = _LED_BY_NUMBER.fullmatch(key.label)
    return (found[1], found[2]) if found else (_SIGNS[place], key.label)


def _columns(label: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in label)


def typed(keys: Sequence[Key], say: Say) -> str:
    """What to write instead of pressing, one line for each button."""
    lines = [_line(key, say) for key in keys]
    return say(Said("card.reply_with", {"lines": lines}))


def _line(key: Key, say: Say) -> str:
    words = twin(key, say)
    return words if words == key.label else f"{words}　{key.label}" if key.label not in words else words


def twin(key: Key, say: Say) -> str:
    """The words that do what a button does."""
    button = Button.parse(key.data)
    if button is None:
        return key.label
    if button.verb is Verb.PICK:
        return button.number or key.label
    if button.number:
        return f"{key.label} {button.number}"
    word = say(Said(f"verb.{button.verb}"))
    custom = button.argument is not None and button.verb is not Verb.CONFIRM and key.label != word
    return f"{word} {key.label}" if custom else key.label


def task_id(bot: str, parcel: Parcel) -> str:
    """The name of a card, unique for ever and the same for the same message: its row, and a mark of what it says."""
    said = "\0".join((bot, parcel.chat, parcel.text, *(key.data for row in parcel.keys for key in row)))
    return f"lq-{parcel.id}-{hashlib.sha256(said.encode(errors='replace')).hexdigest()[:16]}"


def card(face: Face, keys: Sequence[Key], name: str) -> Card:
    """A button_interaction card of that task_id."""
    made: dict[str, Any] = {
        "card_type": "button_interaction",
        "main_title": {"title": face.title},
        "button_list": [{"text": key.label, "style": 1 if first else 4, "key": key.data} for first, key in _led(keys)],
        "task_id": name,
    }
    if face.body:
        made["sub_title_text"] = face.body
    if face.rows:
        made["horizontal_content_list"] = [{"keyname": name, "value": value} for name, value in face.rows]
    return made


def _led(keys: Sequence[Key]) -> Sequence[tuple[bool, Key]]:
    """The first button stands out."""
    return [(place == 0, key) for place, key in enumerate(keys)]


def done_key(text: str, say: Say) -> Key:
    """The one button of a card whose others are outdated: it looks the matter up, as a card must have one."""
    return Key(say(Said("card.over")), _look(text).data)


def look_key(text: str, say: Say) -> Key:
    """The button of a card that has none of its own: the state of the matter that it names, or else the help."""
    look = _look(text)
    return Key(say(Said(f"verb.{look.verb}")), look.data)


def _look(text: str) -> Button:
    found = _NUMBER.search(text)
    return Button(Verb.STATUS, found[0][1:21]) if found else Button(Verb.HELP)
