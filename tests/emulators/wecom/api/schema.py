"""What a message may look like; whatever the platform would cut, drop or refuse is an offence of the client."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

TASK_ID = re.compile(r"[0-9A-Za-z_@-]{1,128}")
SEND = {"touser", "msgtype", "agentid", "safe", "enable_id_trans", "enable_duplicate_check", "duplicate_check_interval"}
TEXTS = {"text": 2048, "markdown": 2048}
FILES = ("file", "image", "voice", "video")
ROBOT_TEXTS = {"text": 2048, "markdown": 4096}
CARD = {
    "card_type", "source", "main_title", "sub_title_text", "horizontal_content_list", "card_action", "task_id",
    "button_list", "quote_area", "emphasis_content", "jump_list", "button_selection", "action_menu",
}  # fmt: skip
BUTTON_CARD = ("button_interaction",)


def size(text: str) -> int:
    """How long the platform finds a text: bytes of UTF-8."""
    return len(text.encode())


def send_faults(body: Mapping[str, Any], agent: int) -> Iterator[str]:
    """What is wrong with a body of message/send."""
    kind = body.get("msgtype")
    yield from (f"unknown field {name}" for name in sorted(set(body) - SEND - {str(kind)}))
    if type(body.get("agentid")) is not int or body["agentid"] != agent:
        yield "agentid is not ours"
    to = body.get("touser")
    if not isinstance(to, str) or not to or len(to.split("|")) > 1000:
        yield "touser wants 1 to 1000 ids"
    interval = body.get("duplicate_check_interval", 1800)
    if type(interval) is not int or not 0 < interval <= 14400:
        yield "duplicate_check_interval is at most 4 hours"
    yield from _content_faults(kind, body.get(str(kind)))


def _content_faults(kind: Any, content: Any) -> Iterator[str]:
    if not isinstance(content, Mapping):
        yield f"no content for {kind}"
    elif kind in TEXTS:
        yield from text_faults(content, TEXTS[kind], {"content"})
    elif kind in FILES:
        if set(content) != {"media_id"} or not isinstance(content["media_id"], str):
            yield "a file wants its media_id"
    elif kind == "template_card":
        yield from card_faults(content)
    else:
        yield f"msgtype {kind}"


def text_faults(content: Mapping[str, Any], most: int, known: set[str]) -> Iterator[str]:
    """A text of at most so many bytes."""
    yield from (f"unknown field {name} in a text" for name in sorted(set(content) - known))
    said = content.get("content")
    if not isinstance(said, str) or not said.strip():
        yield "an empty text"
    elif size(said) > most:
        yield f"a text of {size(said)} bytes, {most} at most"


def card_faults(card: Mapping[str, Any]) -> Iterator[str]:
    """A card: its title, its rows, and where a press leads."""
    yield from (f"unknown field {name} in a card" for name in sorted(set(card) - CARD))
    kind, title = card.get("card_type"), card.get("main_title") or {}
    if kind not in ("text_notice", *BUTTON_CARD):
        yield f"card_type {kind}"
    if not (title.get("title") or card.get("sub_title_text")):
        yield "a card wants a title or a subtitle"
    yield from _too_long("title", title.get("title", ""), 36)
    yield from _too_long("desc", title.get("desc", ""), 44)
    yield from _too_long("sub_title_text", card.get("sub_title_text", ""), 160)
    rows = card.get("horizontal_content_list", ())
    if len(rows) > 6:
        yield "at most 6 rows"
    for row in rows:
        yield from _too_long("keyname", row.get("keyname") or "x" * 99, 5)
        yield from _too_long("value", row.get("value", ""), 30)
    yield from _button_faults(card) if kind in BUTTON_CARD else _notice_faults(card)


def _too_long(name: str, text: str, most: int) -> Iterator[str]:
    if len(text) > most:
        yield f"{name} of {len(text)} characters, {most} at most"


def _button_faults(card: Mapping[str, Any]) -> Iterator[str]:
    if not TASK_ID.fullmatch(str(card.get("task_id", ""))):
        yield "a card with buttons wants a task_id"
    buttons = card.get("button_list", ())
    if not 1 <= len(buttons) <= 6:
        yield "1 to 6 buttons"
    if len({button.get("key") for button in buttons}) < len(buttons):
        yield "two buttons with one key"
    for button in buttons:
        if set(button) - {"text", "style", "key", "type"} or button.get("style", 1) not in (1, 2, 3, 4):
            yield "a button has text, style and key"
        yield from _too_long("button", button.get("text") or "x" * 99, 10)
        if not 1 <= size(button.get("key", "")) <= 1024:
            yield "the key of a button has 1 to 1024 bytes"


def _notice_faults(card: Mapping[str, Any]) -> Iterator[str]:
    action = card.get("card_action") or {}
    if action.get("type") != 1 or not str(action.get("url", "")).startswith("http"):
        yield "a notice wants a card_action with an address"
    if "button_list" in card:
        yield "a notice has no buttons"


def robot_faults(body: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a body of webhook/send."""
    kind = body.get("msgtype")
    content = body.get(str(kind))
    if kind not in ROBOT_TEXTS or set(body) != {"msgtype", kind} or not isinstance(content, Mapping):
        yield f"msgtype {kind}"
        return
    lists = {"mentioned_list", "mentioned_mobile_list"} if kind == "text" else set()
    yield from text_faults(content, ROBOT_TEXTS[str(kind)], {"content"} | lists)
    for name in lists & set(content):
        if not all(isinstance(one, str) and one for one in content[name]):
            yield f"{name} wants ids"
