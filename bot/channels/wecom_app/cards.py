"""What becomes of a message with buttons: cards of at most six, long labels as numbered rows."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bot.channel import Key, Parcel
from domain.said import Said

MOST_BUTTONS = 6
MOST_TITLE = 36
MOST_BODY = 160
MOST_LABEL = 10
MOST_VALUE = 30
"""Characters that the platform's page on cards advises; what is longer may be cut on small screens."""

Say = Callable[[Said], str]


def fits_title(text: str) -> bool:
    """Whether a text is a card's title and body as it stands."""
    title, _, rest = text.partition("\n")
    return bool(title.strip()) and len(title) <= MOST_TITLE and len(rest) <= MOST_BODY


def with_keys(parcel: Parcel, bare: Parcel, say: Say) -> list[Parcel]:
    """The cards of a message: one under its text where that fits, else as many as it takes, headed by a word."""
    flat = [key for row in parcel.keys for key in row]
    groups = [tuple(flat[n : n + MOST_BUTTONS]) for n in range(0, len(flat), MOST_BUTTONS)]
    heading = say(Said("card.choose"))
    cards = [replace(bare, text=heading, keys=(group,)) for group in groups]
    if cards and fits_title(parcel.text):
        cards[0] = replace(cards[0], text=parcel.text)
    return cards


def card(parcel: Parcel, task_id: str) -> dict[str, Any]:
    """A card with buttons, the same again for the same parcel."""
    title, _, rest = parcel.text.partition("\n")
    keys = [key for row in parcel.keys for key in row]
    told: dict[str, Any] = {"card_type": "button_interaction", "main_title": {"title": title}, "task_id": task_id}
    if rest:
        told["sub_title_text"] = rest
    if any(len(key.label) > MOST_LABEL for key in keys):
        told["horizontal_content_list"] = [
            {"keyname": str(number), "value": _short(key.label)} for number, key in enumerate(keys, 1)
        ]
        keys = [Key(str(number), key.data) for number, key in enumerate(keys, 1)]
    told["button_list"] = [{"text": key.label, "style": 1, "key": key.data} for key in keys]
    return told


def _short(label: str) -> str:
    return label if len(label) <= MOST_VALUE else f"{label[: MOST_VALUE - 1]}…"


def task_id(parcel: Parcel) -> str:
    """What names a card for ever: its row, and its content, as another house may count its rows from one again."""
    said = json.dumps([parcel.chat, parcel.text, _data(parcel.keys)], ensure_ascii=False)
    return f"lq-{parcel.id}-{hashlib.sha256(said.encode()).hexdigest()[:20]}"


def _data(keys: Sequence[Sequence[Key]]) -> list[str]:
    return [key.data for row in keys for key in row]
