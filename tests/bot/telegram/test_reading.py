"""Raw updates as the house hears them."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.telegram.reading import chat_key, message_id, place_of, read
from domain.chat import Event, Incoming
from tests.making import civil

NOW = civil("2026-03-11 09:00")
ZHANG = {"id": 5001, "is_bot": False, "first_name": "建国", "last_name": "张"}
BOT = {"id": 123456, "is_bot": True, "first_name": "联企", "username": "lianqi_bot"}
PRIVATE = {"id": 5001, "type": "private", "first_name": "建国"}
GROUP = {"id": -1001234, "type": "supergroup", "title": "大树营联企群"}


def heard(update: Mapping[str, Any], *, hears_all: bool = False) -> Incoming | None:
    """An update as it lies in the inbox, read."""
    return read({"update": {"update_id": 1, **update}, "bot": "lianqi_bot", "hears_all": hears_all}, NOW)


def said(kind: str = "message", **more: Any) -> Incoming:
    """What a message with these fields says."""
    message = {"message_id": 12, "date": 1773190800, "chat": GROUP, "from": ZHANG, **more}
    found = heard({kind: message})
    assert found is not None
    return found


def test_a_message_tells_who_says_what_where() -> None:
    assert said(text="诉求 停电") == Incoming(
        channel="telegram",
        account="telegram",
        chat="-1001234",
        private=False,
        message_id="12",
        sender="5001",
        sender_name="建国 张",
        sent_at=NOW,
        text="诉求 停电",
        chat_name="大树营联企群",
        written_at=NOW,
    )
    assert said(text="停电", chat=PRIVATE).private


@pytest.mark.parametrize(
    "text, left, addressed",
    [
        ("@lianqi_bot 诉求 停电", "诉求 停电", True),
        ("@Lianqi_Bot诉求 停电", "诉求 停电", True),
        ("/appeal@lianqi_bot 停电", "/appeal  停电", True),
        ("/诉求@LIANQI_BOT停电", "/诉求 停电", True),
        ("请 @lianqi_bot 看一下", "请   看一下", True),
        ("/appeal@other_bot 停电", "/appeal@other_bot 停电", False),
        ("@lianqi_bot2 停电", "@lianqi_bot2 停电", False),
    ],
)
def test_the_bots_own_name_addresses_it_and_is_no_part_of_the_words(text: str, left: str, addressed: bool) -> None:
    found = said(text=text)
    assert (found.text, found.addressed) == (left, addressed)


def test_an_edit_is_known_as_one() -> None:
    assert said("edited_message", text="诉求 停电两天", edit_date=1773190900).edited


@pytest.mark.parametrize(
    "file, name, media_type",
    [
        ({"document": {"file_name": "电费单.pdf", "mime_type": "application/pdf"}}, "电费单.pdf", "application/pdf"),
        ({"voice": {"duration": 3, "mime_type": "audio/ogg"}}, "voice-u.ogg", "audio/ogg"),
        ({"audio": {"duration": 3}}, "audio-u.mp3", "audio/mpeg"),
        ({"video": {"duration": 3, "width": 1, "height": 1}}, "video-u.mp4", "video/mp4"),
        ({"video_note": {"duration": 3, "length": 1}}, "video-u.mp4", "video/mp4"),
    ],
)
def test_a_file_is_left_with_telegram_until_it_is_wanted(
    file: Mapping[str, Mapping[str, Any]], name: str, media_type: str
) -> None:
    about = {"file_id": "F", "file_unique_id": "u", "file_size": 9}
    whole: dict[str, Any] = {kind: {**about, **each} for kind, each in file.items()}
    (found,) = said(**whole, caption="诉求 看附件").attachments
    assert (found.hash, found.remote, found.name, found.media_type) == ("", "F", name, media_type)


def sizes(*bytes_: int) -> list[dict[str, Any]]:
    return [
        {"file_id": f"P{n}", "file_unique_id": f"u{n}", "width": 1, "height": 1, "file_size": size}
        for n, size in enumerate(bytes_)
    ]


def test_of_a_photo_the_largest_that_a_bot_may_fetch_is_taken() -> None:
    (found,) = said(photo=sizes(1_000, 900_000, 21_000_000), caption="诉求 停电").attachments
    assert (found.remote, found.media_type) == ("P1", "image/jpeg")


def test_a_file_too_large_for_a_bot_is_named_with_the_limit() -> None:
    large = {"file_id": "F", "file_unique_id": "u", "file_size": 20_000_001, "file_name": "视频.zip"}
    found = said(document=large, caption="诉求 停电")
    assert found.attachments == ()
    assert [(lost.name, lost.cause.key, lost.cause.facts) for lost in found.lost] == [
        ("视频.zip", "file.too_large", {"most": 20})
    ]


def test_pictures_sent_as_one_know_so() -> None:
    assert said(photo=sizes(1), media_group_id="777").album == "777"


def test_a_topic_is_kept_and_the_general_one_has_no_name() -> None:
    opening = {"message_id": 7, "date": 1, "chat": GROUP, "forum_topic_created": {"name": "用电", "icon_color": 1}}
    inside = said(text="停电", message_thread_id=7, is_topic_message=True, reply_to_message=opening)
    assert (inside.message_id, inside.reply_to) == ("12@7", None)
    ours = {"message_id": 9, "date": 1, "chat": GROUP, "from": BOT, "text": "已登记"}
    answer = said(text="补充", message_thread_id=7, is_topic_message=True, reply_to_message=ours)
    assert answer.reply_to == "9@7"
    assert said(text="停电", message_thread_id=3, reply_to_message=ours).reply_to == "9"


def test_ids_of_messages_are_read_back() -> None:
    assert place_of(message_id(12, None)) == (12, None)
    assert place_of(message_id(12, 7)) == (12, 7)
    with pytest.raises(ValueError, match="invalid literal"):
        place_of("moved:12")


@pytest.mark.parametrize(
    "as_whom",
    [
        {"sender_chat": GROUP, "from": {"id": 1087968824, "is_bot": True, "first_name": "Group"}},
        {"sender_chat": {"id": -1009, "type": "channel", "title": "园区发布"}, "from": {**BOT, "id": 136817688}},
        {"sender_chat": {"id": -1009, "type": "channel", "title": "园区发布"}, "from": None},
    ],
)
def test_who_speaks_as_a_group_or_a_channel_has_no_name_here(as_whom: Mapping[str, Any]) -> None:
    found = said(text="批准此群", **as_whom)
    assert (found.sender, found.sender_name) == ("", "")


def test_other_bots_are_not_heard() -> None:
    assert heard({"message": {"message_id": 1, "date": 1, "chat": GROUP, "from": BOT, "text": "/诉求 停电"}}) is None


@pytest.mark.parametrize("inaccessible", [True, False])
def test_a_press_names_the_button_and_its_message(inaccessible: bool) -> None:
    message = {"message_id": 40, "date": 0, "chat": GROUP}
    if not inaccessible:
        message |= {"date": 1, "from": BOT, "text": "请接单", "message_thread_id": 7, "is_topic_message": True}
    query = {"id": "q1", "from": ZHANG, "chat_instance": "c", "data": "acknowledge:1:2", "message": message}
    found = heard({"callback_query": query})
    assert found is not None
    known = "40" if inaccessible else "40@7"
    assert (found.button, found.answer_token, found.sender) == ("acknowledge:1:2", "q1", "5001")
    assert (found.message_id, found.reply_to, found.addressed) == (known, known, True)


RESTRICTED = {
    **dict.fromkeys(
        (f"can_send_{kind}s" for kind in ["message", "audio", "document", "photo", "video", "video_note", "poll"]), True
    ),
    **dict.fromkeys(["can_send_voice_notes", "can_send_other_messages", "can_add_web_page_previews"], True),
    **dict.fromkeys(
        ["can_change_info", "can_invite_users", "can_pin_messages", "can_manage_topics", "can_edit_tag"], False
    ),
    "until_date": 0,
    "can_react_to_messages": True,
}


def member(status: str, chat: Mapping[str, Any] = GROUP, *, hears_all: bool = False, inside: bool = True) -> Incoming:
    one: dict[str, Any] = {"user": BOT, "status": status}
    if status == "administrator":
        rights = ("can_be_edited is_anonymous can_manage_chat can_delete_messages can_manage_video_chats "
                  "can_restrict_members can_promote_members can_change_info can_invite_users can_post_stories "
                  "can_edit_stories can_delete_stories")  # fmt: skip
        one |= dict.fromkeys(rights.split(), False)
    one |= {"until_date": 0} if status == "kicked" else {}
    one |= {**RESTRICTED, "is_member": inside} if status == "restricted" else {}
    change = {"chat": chat, "from": ZHANG, "date": 1, "old_chat_member": {"user": BOT, "status": "left"}}
    found = heard({"my_chat_member": {**change, "new_chat_member": one}}, hears_all=hears_all)
    assert found is not None
    return found


def test_the_bot_learns_where_it_was_let_in_and_what_it_hears_there() -> None:
    assert (member("member").event, member("member").hears_all) == (Event.ADDED, False)
    assert member("member", hears_all=True).hears_all
    assert member("administrator").hears_all
    assert (member("left").event, member("kicked").event) == (Event.REMOVED, Event.REMOVED)
    assert (member("restricted").event, member("restricted").hears_all) == (Event.ADDED, False)
    assert member("restricted", inside=False).event is Event.REMOVED
    started = member("member", PRIVATE)
    assert (started.event, started.private, started.hears_all) == (Event.ADDED, True, True)
    assert member("kicked", PRIVATE).event is Event.REMOVED


def test_a_group_that_moves_is_told_from_both_sides() -> None:
    old = said(chat={**GROUP, "id": -55, "type": "group"}, migrate_to_chat_id=-1001234)
    new = said(migrate_from_chat_id=-55)
    assert (old.event, old.chat, old.moved_to) == (Event.MOVED, "-55", "-1001234")
    assert (new.event, new.chat, new.moved_to) == (Event.MOVED, "-55", "-1001234")


def test_a_group_that_is_renamed_tells_its_new_name() -> None:
    found = said(chat={**GROUP, "title": "新名"}, new_chat_title="新名")
    assert (found.event, found.chat_name) == (Event.RENAMED, "新名")


@pytest.mark.parametrize(
    "update",
    [
        {"channel_post": {"message_id": 1, "date": 1, "chat": {"id": -1, "type": "channel"}, "text": "诉求"}},
        {"message": {"message_id": 1, "date": 1, "chat": GROUP, "from": ZHANG, "pinned_message": None}},
        {"message": {"message_id": 1, "date": 1, "chat": GROUP, "from": ZHANG, "new_chat_members": [ZHANG]}},
        {"callback_query": {"id": "1", "from": ZHANG, "chat_instance": "c", "inline_message_id": "i", "data": "x"}},
        {"a_kind_of_next_year": {"x": 1}},
    ],
)
def test_what_is_nothing_to_us_is_none(update: Mapping[str, Any]) -> None:
    assert heard(update) is None


def test_fields_of_a_later_release_harm_nothing() -> None:
    assert said(text="停电", a_new_field={"x": [1]}).text == "停电"


@pytest.mark.parametrize(
    "broken",
    [
        {"message": {"text": "诉求 停电"}},
        {"message": "诉求"},
        {"message": {"message_id": 1, "date": 1, "chat": {"id": 1}, "text": "x"}},
        {"callback_query": {"data": "x"}},
    ],
)
def test_what_cannot_be_read_says_so(broken: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match="no update of Telegram's"):
        heard(broken)


@pytest.mark.parametrize("date", [10**12, 10**20, -(10**15)])
def test_a_date_beyond_all_calendars_says_so(date: int) -> None:
    with pytest.raises(ValueError, match=r"range|no update"):
        said(text="停电", date=date)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "chat", "text"]), inner),
    max_leaves=5,
)
WHOLE: Mapping[str, Any] = {
    "message": {
        "message_id": 12,
        "date": 1,
        "chat": GROUP,
        "from": ZHANG,
        "text": "诉求",
        "caption": "图",
        "photo": [{"file_id": "P", "file_unique_id": "u", "width": 1, "height": 1, "file_size": 9}],
        "document": {"file_id": "F", "file_unique_id": "u"},
        "media_group_id": "7",
        "message_thread_id": 7,
        "is_topic_message": True,
        "reply_to_message": {"message_id": 7, "date": 1, "chat": GROUP},
    },
    "callback_query": {
        "id": "q",
        "from": ZHANG,
        "chat_instance": "c",
        "data": "x",
        "message": {"message_id": 1, "date": 0, "chat": GROUP},
    },
    "my_chat_member": {
        "chat": GROUP,
        "from": ZHANG,
        "date": 1,
        "old_chat_member": {"user": BOT, "status": "left"},
        "new_chat_member": {"user": BOT, "status": "member"},
    },
}


def spoiled(whole: Mapping[str, Any], data: st.DataObject) -> dict[str, Any]:
    """The same with one thing of it missing or otherwise, however deep."""
    name = data.draw(st.sampled_from(sorted(whole)))
    rest = {key: value for key, value in whole.items() if key != name}
    if data.draw(st.booleans()):
        return rest
    if isinstance(whole[name], Mapping) and data.draw(st.booleans()):
        return {**rest, name: spoiled(whole[name], data)}
    return {**rest, name: data.draw(JUNK)}


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_whatever_is_wrong_with_an_update_nothing_but_a_value_error_comes_of_it(kind: str, data: st.DataObject) -> None:
    body = {kind: spoiled(WHOLE[kind], data)}
    with suppress(ValueError):
        heard(body)
    assert chat_key(body)


@pytest.mark.parametrize("body", [{}, {"update": {"update_id": 1}}, {"update": None, "bot": "b", "hears_all": True}])
def test_a_row_that_is_no_update_says_so(body: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match="no update of Telegram's"):
        read(body, NOW)


@pytest.mark.parametrize(
    "update, key",
    [
        ({"message": {"chat": {"id": 7}}}, "7"),
        ({"edited_message": {"chat": {"id": -7}}}, "-7"),
        ({"callback_query": {"message": {"chat": {"id": 8}}}}, "8"),
        ({"my_chat_member": {"chat": {"id": 9}}}, "9"),
        ({"callback_query": {"inline_message_id": "i"}}, "no chat"),
        ({"message": {"chat": {"id": "7"}}}, "no chat"),
        ({"message": None}, "no chat"),
        ({}, "no chat"),
    ],
)
def test_updates_queue_by_their_chat(update: Mapping[str, Any], key: str) -> None:
    assert chat_key(update) == key
