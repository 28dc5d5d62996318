"""A callback as a message: who, where, what, and what was quoted."""

from typing import Any

import pytest

from bot.channels.wecom_aibot import reading
from bot.channels.wecom_aibot.wording import known_as
from domain.chat import Attachment, Incoming, LostFile
from domain.said import Said
from tests.bot.wecom_aibot.desks import AT

PNG = {"hash": "ab", "name": "image-1.png", "type": "image/png"}


def row(kind: str = "text", part: Any = None, *, group: bool = False, bot: str = "小联", **more: Any) -> dict[str, Any]:
    """An inbox row as the intake writes it."""
    body = {"msgid": "m1", "aibotid": "b", "from": {"userid": "ZhangJG"}, "chattype": "group" if group else "single"}
    body |= {"chatid": "wrGROUP"} if group else {}
    body |= {"msgtype": kind, kind: {"content": part} if isinstance(part, str) else part}
    files = more.pop("files", [])
    return {"cmd": "aibot_msg_callback", "body": {**body, **more}, "files": files, "bot": bot}


def event(kind: str, detail: Any = None, **more: Any) -> dict[str, Any]:
    body = {"msgid": "e1", "create_time": 1700000000, "from": {"userid": "WangMin"}, "chattype": "single"}
    told = {"eventtype": kind, **({kind: detail} if detail else {})}
    body |= {"msgtype": "event", "event": told, **more}
    return {"cmd": "aibot_event_callback", "body": body, "files": [], "bot": "小联"}


def read(given: dict[str, Any]) -> Incoming:
    found = reading.read(given, AT)
    assert found is not None
    return found


def test_a_private_line_is_a_persons_own_chat_and_no_name_is_known() -> None:
    message = read(row(part="诉求 停电"))
    assert (message.chat, message.sender, message.sender_name, message.private) == ("ZhangJG", "ZhangJG", "", True)
    assert (message.text, message.message_id, message.addressed) == ("诉求 停电", "m1", True)


@pytest.mark.parametrize(
    "said, text",
    [
        ("@小联 诉求 停电", "诉求 停电"),
        ("@小联\u2005诉求 停电", "诉求 停电"),
        ("@小联\u3000诉求 停电", "诉求 停电"),
        ("@小联：诉求", "：诉求"),
        ("诉求 停电 @小联", "诉求 停电"),
        ("@小联办 请看", "@小联办 请看"),
        ("@小联 @王敏 请看", "@王敏 请看"),
        ("@王敏 @小联 转办 12", "@王敏   转办 12"),
        ("a@小联.cn", "a@小联.cn"),
    ],
)
def test_the_bots_own_name_is_taken_off_and_others_are_kept(said: str, text: str) -> None:
    assert read(row(part=said, group=True)).text.split() == text.split()


def test_where_nobody_told_the_name_the_first_one_that_a_group_calls_is_taken_off() -> None:
    assert read(row(part="@随便什么 诉求 停电 @王敏", group=True, bot="")).text == "诉求 停电 @王敏"
    assert read(row(part="@随便什么 诉求", bot="")).text == "@随便什么 诉求"


def test_text_between_pictures_is_joined_and_the_pictures_come_along() -> None:
    items = [{"msgtype": "text", "text": {"content": "@小联 诉求 停电"}}, {"msgtype": "image", "image": {}}]
    items.append({"msgtype": "text", "text": {"content": "在二车间"}})
    message = read(row("mixed", {"msg_item": items}, group=True, files=[PNG]))
    assert message.text == "诉求 停电\n在二车间"
    assert message.attachments == (Attachment("ab", "image-1.png", "image/png"),)


def test_a_voice_says_its_words_and_a_lost_file_is_told() -> None:
    assert read(row("voice", "电压又低了")).text == "电压又低了"
    lost = {"name": "file-1", "lost": "file.too_large", "facts": {"most": 20}}
    assert read(row("file", {}, files=[lost])).lost == (LostFile("file-1", Said("file.too_large", {"most": 20})),)


def test_what_was_quoted_is_told_by_its_words() -> None:
    message = read(
        row(part="@小联 补充 二车间", group=True, quote={"msgtype": "text", "text": {"content": "已登记 #1"}})
    )
    assert (message.quoted, message.reply_to) == ("已登记 #1", known_as("已登记 #1"))


def test_a_press_brings_its_data_and_the_card() -> None:
    press = {"card_type": "button_interaction", "event_key": "acknowledge:1:2", "task_id": "lq-7-ab"}
    message = read(event("template_card_event", press))
    assert (message.button, message.reply_to, message.sender) == ("acknowledge:1:2", "lq-7-ab", "WangMin")
    assert (
        message.message_id == message.answer_token == "WangMin:1700000000:template_card_event:acknowledge:1:2:lq-7-ab"
    )


def test_whoever_comes_in_is_greeted_as_by_start() -> None:
    assert read(event("enter_chat")).text == "/start"


@pytest.mark.parametrize("given", [event("feedback_event", {"id": "1"}), row("link", {"url": "x"}), row(part="")])
def test_what_is_nothing_to_us_is_passed_over(given: dict[str, Any]) -> None:
    assert reading.read(given, AT) is None


@pytest.mark.parametrize(
    "given",
    [
        {},
        row(part="x", group=True, chatid=None) | {"files": None},
        event("template_card_event"),
        {**row(part="x"), "body": "text"},
    ],
)
def test_what_cannot_be_read_is_said_to_be_so(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="wecom"):
        reading.read(given, AT)
