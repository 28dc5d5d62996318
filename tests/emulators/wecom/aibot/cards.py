"""Template cards: their five kinds, what each must have, what of it a person can read and press."""

import re
from collections.abc import Iterator
from typing import Any

from .codes import offence
from .shapes import Flag, Ratio, Record, Rows, Shape, Whole, Words, wrong

Card = dict[str, Any]
Buttons = tuple[tuple[str, str], ...]
KEY = Words(1024)
TASK_ID = re.compile(r"[0-9A-Za-z_@-]{1,128}")
TEXT = Words(empty=True)
LINK: dict[str, Shape] = {"type": Whole(0, 2), "url": Words(), "appid": Words(), "pagepath": Words()}
FEEDBACK = Record({"id": Words(256)})
SOURCE = Record(may={"icon_url": Words(), "desc": TEXT, "desc_color": Whole(0, 3)})
MENU = Record({"desc": TEXT, "action_list": Rows(Record({"text": Words(), "key": KEY}), 1, 3, "key")})
TITLE = Record(may={"title": TEXT, "desc": TEXT})
QUOTE = Record(may={**LINK, "title": TEXT, "quote_text": TEXT})
ROW = Record({"keyname": Words()}, {"type": Whole(0, 3), "value": TEXT, "url": Words(), "userid": Words()})
JUMP = Record({"title": Words()}, {**LINK, "type": Whole(0, 3), "question": Words(200)})
ACTION = Record({"type": Whole(0, 2)}, {"url": Words(), "appid": Words(), "pagepath": Words()})
VERTICAL = Record({"title": Words()}, {"desc": TEXT})
IMAGE = Record({"url": Words()}, {"aspect_ratio": Ratio(1.3, 2.25)})
IMAGE_TEXT = Record({"image_url": Words()}, {**LINK, "title": TEXT, "desc": TEXT})
OPTION = Record({"id": Words(128), "text": Words()})
CHECKED = Record({"id": Words(128), "text": Words()}, {"is_checked": Flag()})
SELECTION = Record(
    {"question_key": KEY, "option_list": Rows(OPTION, 1, 10, "id")},
    {"title": TEXT, "disable": Flag(), "selected_id": Words()},
)
BOXES = Record(
    {"question_key": KEY, "option_list": Rows(CHECKED, 1, 20, "id")}, {"disable": Flag(), "mode": Whole(0, 1)}
)
BUTTON = Record({"text": Words(), "key": KEY}, {"style": Whole(1, 4)})
SUBMIT = Record({"text": Words(), "key": KEY})

COMMON: dict[str, Shape] = {"card_type": Words(), "source": SOURCE, "main_title": TITLE, "task_id": Words(128)}
COMMON["feedback"] = FEEDBACK
BODY: dict[str, Shape] = {
    "action_menu": MENU,
    "quote_area": QUOTE,
    "horizontal_content_list": Rows(ROW, most=6),
    "card_action": ACTION,
}
JUMPS: dict[str, Shape] = {"jump_list": Rows(JUMP, most=3)}
EMPHASIS = Record(may={"title": TEXT, "desc": TEXT})
PICTURES: dict[str, Shape] = {"card_image": IMAGE, "image_text_area": IMAGE_TEXT}


def kind(must: dict[str, Shape], may: dict[str, Shape]) -> Record:
    """The shape of one kind of card."""
    return Record({"card_type": COMMON["card_type"], **must}, {**COMMON, **may})


KINDS = {
    "text_notice": kind(
        {"card_action": ACTION}, {**BODY, **JUMPS, "emphasis_content": EMPHASIS, "sub_title_text": TEXT}
    ),
    "news_notice": kind(
        {"main_title": TITLE, "card_action": ACTION},
        {**BODY, **JUMPS, **PICTURES, "vertical_content_list": Rows(VERTICAL, most=4)},
    ),
    "button_interaction": kind(
        {"main_title": TITLE, "button_list": Rows(BUTTON, 1, 6, "key"), "task_id": Words(128)},
        {**BODY, "sub_title_text": TEXT, "button_selection": SELECTION},
    ),
    "vote_interaction": kind({"checkbox": BOXES, "submit_button": SUBMIT, "task_id": Words(128)}, {}),
    "multiple_interaction": kind(
        {"select_list": Rows(SELECTION, 1, 3, "question_key"), "submit_button": SUBMIT, "task_id": Words(128)}, {}
    ),
}
ADVICE = {  # longer is taken, and shown cut off
    ("main_title", "title"): 36,
    ("main_title", "desc"): 44,
    ("sub_title_text",): 112,
    ("source", "desc"): 13,
}


def check_card(card: Any, path: str = "template_card") -> None:
    """Refuse a card that the platform would not take."""
    name = card.get("card_type") if isinstance(card, dict) else None
    if name not in KINDS:
        raise offence(f"{path}.card_type is {name}")
    if found := wrong(KINDS[name], card, path) or next(meanings(name, card), ""):
        raise offence(f"{path}: {found}" if not found.startswith(path) else found)


def meanings(name: str, card: Card) -> Iterator[str]:
    """What a shape cannot say."""
    title = card.get("main_title", {}).get("title", "")
    if name in ("text_notice", "button_interaction") and not title and not card.get("sub_title_text"):
        yield "neither main_title.title nor sub_title_text"
    if name == "news_notice" and not PICTURES.keys() & card.keys():
        yield "neither card_image nor image_text_area"
    if name.endswith("_notice") and card["card_action"]["type"] == 0:
        yield "card_action.type is 0"
    if "action_menu" in card and "task_id" not in card:
        yield "action_menu without task_id"
    if "task_id" in card and not TASK_ID.fullmatch(card["task_id"]):
        yield f"task_id {card['task_id']!r}"
    yield from links(card)


def links(card: Card) -> Iterator[str]:
    """Places that promise a link, a program, a person or a question, and do not name it."""
    rows, jumps = card.get("horizontal_content_list", []), card.get("jump_list", [])
    places = [card.get(name, {}) for name in ("card_action", "quote_area", "image_text_area")]
    for place in [*places, *jumps]:
        needed = {1: "url", 2: "appid", 3: "question"}.get(place.get("type", 0))
        if needed and needed not in place:
            yield f"type {place['type']} without {needed}"
    for row in rows:
        needed = {1: "url", 2: "?", 3: "userid"}.get(row.get("type", 0))
        if needed and needed not in row:
            yield f"row of type {row['type']} without {needed}"


def advised(card: Card) -> Iterator[str]:
    """Where a card is longer than advised: people see it cut off."""
    for path, most in ADVICE.items():
        value: Any = card
        for name in path:
            value = value.get(name, "") if isinstance(value, dict) else ""
        if len(value) > most:
            yield f"{'.'.join(path)} has {len(value)} characters, {most} are advised"
    for row in card.get("horizontal_content_list", ()):
        if len(row["keyname"]) > 5 or len(row.get("value", "")) > 30:
            yield f"row {row['keyname']} is longer than advised"
    yield from (f"button {label} is longer than advised" for label, _ in buttons(card) if len(label) > 10)


def buttons(card: Card) -> Buttons:
    """Labels and keys of what can be pressed, the menu in the corner last."""
    found = [*card.get("button_list", ()), *card.get("action_menu", {}).get("action_list", ())]
    if "submit_button" in card:
        found.append(card["submit_button"])
    return tuple((one["text"], one["key"]) for one in found)


def card_text(card: Card) -> str:
    """What a person reads on a card, a line each; buttons aside."""
    title, quote = card.get("main_title", {}), card.get("quote_area", {})
    lines = [title.get("title"), title.get("desc"), card.get("emphasis_content", {}).get("title")]
    lines += [quote.get("title"), quote.get("quote_text"), card.get("sub_title_text")]
    lines += [f"{row['keyname']}：{row.get('value', '')}" for row in card.get("horizontal_content_list", ())]
    lines += [f"{row['title']}\n{row.get('desc', '')}".strip() for row in card.get("vertical_content_list", ())]
    lines += [one["title"] for one in card.get("jump_list", ())]
    return "\n".join(line for line in lines if line)
