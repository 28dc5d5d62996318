"""Who speaks in the Telegram benchmarks, and what: appeals from private chats, one chat after the other."""

from collections.abc import Mapping
from typing import Any

FIRST_UPDATE = 700_000_001
FIRST_PERSON = 10_000_001
"""The user id, and with it the private chat's id, of the first person who speaks."""
SAID = "诉求 车间电压低，一天跳停三次"


def update(number: int, chats: int, date: int) -> Mapping[str, Any]:
    """The update of that number, counted from 0, in Telegram's form; `date` in seconds since the epoch."""
    who = FIRST_PERSON + number % chats
    name = {"id": who, "first_name": f"企业{who - FIRST_PERSON + 1}"}
    message = {
        "message_id": number + 1,
        "from": {**name, "is_bot": False, "language_code": "zh-hans"},
        "chat": {**name, "type": "private"},
        "date": date,
        "text": SAID,
    }
    return {"update_id": FIRST_UPDATE + number, "message": message}
