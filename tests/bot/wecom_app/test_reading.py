"""What a callback means: words, files, a press, the app opened; the rest is none of lianqi's business."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.wecom_app.letters import fields_of
from bot.channels.wecom_app.reading import external_id, read
from domain.chat import Event, Incoming
from tests.making import civil

AT = civil("2026-03-11 09:00")


def incoming(kind: str, **fields: str) -> Incoming:
    message = {"ToUserName": "ww1", "FromUserName": "Zhang", "CreateTime": "1", "MsgType": kind, "MsgId": "7", **fields}
    found = read({"message": message, "name": "张建国"}, AT)
    assert found is not None
    return found


def test_words_are_said_privately_by_a_user_id() -> None:
    found = incoming("text", Content=" 停电 ")
    assert (found.text, found.sender, found.sender_name, found.chat) == ("停电", "Zhang", "张建国", "Zhang")
    assert (found.private, found.message_id, found.channel) == (True, "7", "wecom_app")


@pytest.mark.parametrize("kind, name", [("image", "photo.jpg"), ("voice", "voice.amr"), ("video", "video.mp4")])
def test_files_are_fetched_by_their_media_id(kind: str, name: str) -> None:
    (file,) = incoming(kind, MediaId="m1").attachments
    assert (file.name, file.remote, file.hash) == (name, "m1", "")


def test_a_place_is_politely_not_understood() -> None:
    (lost,) = incoming("location", Label="南厂区").lost
    assert (lost.name, lost.cause.key) == ("南厂区", "file.location")


def test_a_link_is_its_title_and_address() -> None:
    assert incoming("link", Title="通知", Url="https://a.example").text == "通知 https://a.example"


def test_a_press_names_its_card_and_what_changes_it() -> None:
    pressed = {"Event": "template_card_event", "EventKey": "acknowledge:12:3", "TaskId": "t1", "ResponseCode": "c1"}
    found = incoming("event", **pressed)
    assert (found.button, found.reply_to, found.answer_token) == ("acknowledge:12:3", "t1", "c1")


@pytest.mark.parametrize(
    "name, event",
    [("enter_agent", Event.ADDED), ("subscribe", Event.ADDED), ("unsubscribe", Event.REMOVED)],
)
def test_the_app_opens_and_shuts_a_chat(name: str, event: Event) -> None:
    assert incoming("event", Event=name).event is event


@pytest.mark.parametrize("more", [{"MsgType": "event", "Event": "LOCATION"}, {"MsgType": "sticker"}])
def test_the_rest_is_passed_over(more: dict[str, str]) -> None:
    assert read({"message": {"FromUserName": "z", **more}}, AT) is None


@pytest.mark.parametrize(
    "body", [{}, {"message": {}}, {"message": {"FromUserName": "z", "MsgType": "text"}}, {"message": 7}]
)
def test_what_cannot_be_read_is_said_to_be_so(body: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no callback"):
        read(body, AT)


def test_messages_are_known_by_their_id_and_events_by_all_that_they_are() -> None:
    assert external_id({"MsgId": "7"}) == "7"
    event = {"FromUserName": "z", "CreateTime": "1", "Event": "e", "EventKey": "k", "TaskId": "t"}
    ids = {external_id({**event, name: "other"}) for name in event}
    assert len(ids | {external_id(event)}) == 6


TAGS = st.sampled_from(["xml", "MsgType", "Event", "FromUserName", "Content", "MediaId", "x:y", "MsgId"])
XML = st.recursive(
    st.text(max_size=20),
    lambda inner: st.builds(lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>", TAGS, st.lists(inner, max_size=4)),
    max_leaves=12,
)


@given(st.one_of(XML.map(str.encode), st.binary(max_size=200)))
def test_whatever_comes_is_read_or_said_to_be_unreadable(xml: bytes) -> None:
    try:
        fields = fields_of(xml)
    except ValueError:
        return
    assert all(isinstance(text, str) for text in fields.values())
    external_id(fields)
    with suppress(ValueError):
        read({"message": fields}, AT)
