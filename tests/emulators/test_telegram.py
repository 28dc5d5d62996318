import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto

from tests.emulators.telegram import Chat, User
from tests.emulators.telegram.wire import Wire

GROUP = -1001234
MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with Wire() as found:
        yield found


@pytest.fixture
def zhang(wire: Wire) -> User:
    return wire.emulator.user(5001, "张建国", username="zhangjg", started=True)


@pytest.fixture
def group(wire: Wire) -> Chat:
    return wire.emulator.group(GROUP, "大树营联企群")


def keyboard(data: str) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": "受理", "callback_data": data}, {"text": "网页", "url": "https://x.cn"}]]}


# ---------------------------------------------------------------- sending


async def test_a_message_comes_back_as_the_platform_would_show_it(wire: Wire, zhang: User, group: Chat) -> None:
    asked = await wire.emulator.says(zhang, "诉求 停电", chat=group)
    sent = await wire.call(
        "sendMessage",
        chat_id=GROUP,
        text=" 已收到\n",
        reply_parameters={"message_id": asked},
        reply_markup=keyboard("a:1"),
    )
    assert sent["text"] == "已收到"
    assert sent["from"]["is_bot"]
    assert sent["reply_to_message"]["text"] == "诉求 停电"
    [record] = wire.emulator.sent
    assert (record.chat_id, record.message_id, record.text) == (GROUP, sent["message_id"], "已收到")
    assert record.buttons == ((("受理", "a:1"), ("网页", "https://x.cn")),)
    assert wire.emulator.offences == []


async def test_a_form_says_the_same_as_json(wire: Wire, zhang: User) -> None:
    fields = {"chat_id": "5001", "text": "好", "disable_notification": "true"}
    answer = await wire.form("sendMessage", fields | {"reply_markup": json.dumps(keyboard("a"))})
    assert answer["result"]["reply_markup"] == keyboard("a")
    assert wire.emulator.sent[0].params["disable_notification"] is True


async def test_python_telegram_bot_lives_with_it(wire: Wire, zhang: User, group: Chat) -> None:
    base = wire.emulator.api_base
    async with Bot(wire.emulator.token, base_url=f"{base}/bot", base_file_url=f"{base}/file/bot") as bot:
        assert bot.can_read_all_group_messages
        photo = await wire.emulator.says(zhang, photo=b"\xff\xd8 a picture", caption="诉求 照片", chat=group)
        [update] = await bot.get_updates()
        assert update.message is not None
        assert update.message.message_id == photo
        file = await bot.get_file(update.message.photo[-1].file_id)
        assert bytes(await file.download_as_bytearray()) == b"\xff\xd8 a picture"
        markup = InlineKeyboardMarkup([[InlineKeyboardButton("受理", callback_data="a")]])
        sent = await bot.send_message(GROUP, "好", reply_markup=markup)
        query = await wire.emulator.presses(zhang, sent.message_id, "a", chat=group)
        assert await bot.answer_callback_query(query, text="好的")
        await bot.edit_message_text("办结", GROUP, sent.message_id)
        album = await bot.send_media_group(5001, [InputMediaPhoto(b"one"), InputMediaPhoto(b"two")], caption="两张")
        assert [message.caption for message in album] == ["两张", None]
        assert (await bot.get_chat(GROUP)).title == "大树营联企群"
        assert (await bot.get_chat_member(GROUP, 5001)).status == "member"
        assert len(await bot.get_chat_administrators(GROUP)) == 0
    assert wire.emulator.answered == {query: "好的"}
    assert [upload.data for upload in wire.emulator.sent[-1].files] == [b"one", b"two"]
    assert wire.emulator.offences == []


async def test_a_wrong_token_is_unauthorized_and_a_malformed_one_is_not_found(wire: Wire) -> None:
    assert (await wire.ask("getMe", token="123456:other"))["description"] == "Unauthorized"
    assert (await wire.ask("getMe", token="123456:other"))["error_code"] == 401
    assert await wire.ask("getMe", token="nonsense") == {"ok": False, "error_code": 404, "description": "Not Found"}


@pytest.mark.parametrize(
    "params,reason",
    [
        ({"text": ""}, "message text is empty"),
        ({"text": " \n"}, "message text is empty"),
        ({"text": "长" * 4097}, "message is too long"),
        ({"text": "😀" * 2049}, "message is too long"),
        ({"text": "x", "reply_markup": keyboard("")}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "reply_markup": keyboard("字" * 22)}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "message_thread_id": 1}, "message thread not found"),
        ({"text": "x", "reply_parameters": {"message_id": 99}}, "message to be replied not found"),
        ({"text": "x", "chat_id": 404}, "chat not found"),
        ({"text": "😀", "entities": [{"type": "bold", "offset": 0, "length": 3}]}, "ENTITY_BOUNDS_INVALID"),
        ({"text": "😀", "entities": [{"type": "bold", "offset": 1, "length": 1}]}, "ENTITY_BOUNDS_INVALID"),
        (
            {"text": "a<b>x", "parse_mode": "HTML"},
            "can't parse entities: Can't find end tag corresponding to start tag \"b\"",
        ),
        (
            {"text": "好<企业>", "parse_mode": "HTML"},
            'can\'t parse entities: Unsupported start tag "企业" at byte offset 3',
        ),
        (
            {"text": "字<x>", "parse_mode": "HTML"},
            'can\'t parse entities: Unsupported start tag "x" at byte offset 3',
        ),
    ],
)
async def test_a_send_is_refused_in_the_words_of_the_platform(
    wire: Wire, zhang: User, params: dict[str, Any], reason: str
) -> None:
    call = {"chat_id": 5001, **params}
    assert await wire.refused("sendMessage", **call) == (400, "Bad Request: " + reason)
    assert wire.emulator.sent == []
    assert wire.emulator.offences == []


async def test_the_longest_text_and_button_data_just_fit(wire: Wire, zhang: User) -> None:
    await wire.call("sendMessage", chat_id=5001, text="长" * 4096, reply_markup=keyboard("字" * 21 + "x"))
    whole = [{"type": "bold", "offset": 0, "length": 2}]
    await wire.call("sendMessage", chat_id=5001, text="😀", entities=whole)
    assert len(wire.emulator.sent) == 2


async def test_an_answer_to_a_deleted_message_may_go_without_it(wire: Wire, zhang: User) -> None:
    asked = await wire.emulator.says(zhang, "x")
    wire.emulator.deletes(asked, zhang)
    reply = {"message_id": asked, "allow_sending_without_reply": True}
    sent = await wire.call("sendMessage", chat_id=5001, text="x", reply_parameters=reply)
    assert "reply_to_message" not in sent


async def test_html_becomes_entities(wire: Wire, zhang: User) -> None:
    text = '😀<b>粗</b> <a href="https://x.cn">链 &lt;</a>'
    sent = await wire.call("sendMessage", chat_id=5001, text=text, parse_mode="HTML")
    assert sent["text"] == "😀粗 链 <"
    assert sent["entities"][0] == {"type": "bold", "offset": 2, "length": 1}
    assert sent["entities"][1] == {"type": "text_link", "offset": 4, "length": 3, "url": "https://x.cn"}


async def test_topics_are_named_except_the_general_one(wire: Wire, zhang: User) -> None:
    forum = wire.emulator.group(-1009, "话题群", forum=True, bot="administrator")
    topic = wire.emulator.topic(forum, "供电")
    sent = await wire.call("sendMessage", chat_id=-1009, text="x", message_thread_id=topic)
    assert (sent["message_thread_id"], sent["is_topic_message"]) == (topic, True)
    assert wire.emulator.sent[-1].thread == topic
    plain = await wire.call("sendMessage", chat_id=-1009, text="x")
    assert "message_thread_id" not in plain
    for wrong in (1, 999):
        refused = await wire.refused("sendMessage", chat_id=-1009, text="x", message_thread_id=wrong)
        assert refused == (400, "Bad Request: message thread not found")
    asked = await wire.emulator.says(zhang, "诉求", chat=forum, thread=topic)
    reply = await wire.call("sendMessage", chat_id=-1009, text="x", reply_parameters={"message_id": asked})
    assert reply["message_thread_id"] == topic


async def test_a_reply_in_a_plain_supergroup_has_a_thread_that_is_no_topic(
    wire: Wire, zhang: User, group: Chat
) -> None:
    first = await wire.emulator.says(zhang, "x", chat=group)
    await wire.emulator.says(zhang, "y", chat=group, reply_to=first)
    message = wire.emulator.unconfirmed[-1]["message"]
    assert message["message_thread_id"] == first
    assert "is_topic_message" not in message


# ---------------------------------------------------------------- who can be reached


async def test_a_person_who_never_started_blocked_or_left_cannot_be_written_to(wire: Wire) -> None:
    li = wire.emulator.user(5002, "李")
    call = {"chat_id": 5002, "text": "x"}
    initiate = (403, "Forbidden: bot can't initiate conversation with a user")
    assert await wire.refused("sendMessage", **call) == initiate
    await wire.emulator.says(li, "/start")
    await wire.call("sendMessage", **call)
    await wire.emulator.blocks(li)
    assert await wire.refused("sendMessage", **call) == (403, "Forbidden: bot was blocked by the user")
    assert wire.emulator.unconfirmed[-1]["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    await wire.emulator.unblocks(li)
    await wire.call("sendMessage", **call)
    wire.emulator.deactivate(li)
    assert await wire.refused("sendMessage", **call) == (403, "Forbidden: user is deactivated")


@pytest.mark.parametrize(
    "kind,bot,reason",
    [
        ("supergroup", "kicked", "bot was kicked from the supergroup chat"),
        ("group", "kicked", "bot was kicked from the group chat"),
        ("supergroup", "left", "bot is not a member of the supergroup chat"),
        ("channel", "left", "bot is not a member of the channel chat"),
    ],
)
async def test_a_group_the_bot_is_not_in_cannot_be_written_to(wire: Wire, kind: str, bot: str, reason: str) -> None:
    wire.emulator.group(-7, "群", kind=kind, bot=bot)
    assert await wire.refused("sendMessage", chat_id=-7, text="x") == (403, f"Forbidden: {reason}")


async def test_being_added_and_thrown_out_is_told_as_a_change_of_standing(wire: Wire, zhang: User) -> None:
    group = wire.emulator.group(-8, "新群", bot="left")
    await wire.emulator.adds_bot(zhang, group)
    await wire.emulator.promotes_bot(zhang, group)
    await wire.emulator.removes_bot(zhang, group)
    changes = [update["my_chat_member"] for update in wire.emulator.unconfirmed if "my_chat_member" in update]
    steps = [(one["old_chat_member"]["status"], one["new_chat_member"]["status"]) for one in changes]
    assert steps == [("left", "member"), ("member", "administrator"), ("administrator", "kicked")]
    assert await wire.refused("sendMessage", chat_id=-8, text="x") == (
        403,
        "Forbidden: bot was kicked from the supergroup chat",
    )


async def test_a_group_that_became_a_supergroup_says_where_it_went(wire: Wire, zhang: User) -> None:
    group = wire.emulator.group(-9, "老群", kind="group")
    new = await wire.emulator.migrates(group)
    answer = await wire.ask("sendMessage", chat_id=-9, text="x")
    assert answer["description"] == "Bad Request: group chat was upgraded to a supergroup chat"
    assert answer["parameters"] == {"migrate_to_chat_id": new}
    await wire.call("sendMessage", chat_id=new, text="x")
    left, arrived = (update["message"] for update in wire.emulator.unconfirmed)
    assert (left["chat"]["id"], left["migrate_to_chat_id"]) == (-9, new)
    assert (arrived["chat"]["id"], arrived["migrate_from_chat_id"]) == (new, -9)
    await wire.emulator.says(zhang, "x", chat=group)
    assert wire.emulator.unconfirmed[-1]["message"]["chat"]["id"] == new


async def test_an_anonymous_administrator_and_a_channel_speak_through_stand_ins(
    wire: Wire, zhang: User, group: Chat
) -> None:
    channel = wire.emulator.group(-1005, "频道", kind="channel")
    await wire.emulator.says(zhang, "x", chat=group, sender_chat=group)
    await wire.emulator.says(zhang, "x", chat=group, sender_chat=channel)
    anonymous, posted = (update["message"] for update in wire.emulator.unconfirmed)
    assert (anonymous["from"]["id"], anonymous["sender_chat"]["id"]) == (1087968824, GROUP)
    assert (posted["from"]["id"], posted["sender_chat"]["id"]) == (136817688, -1005)


# ---------------------------------------------------------------- edits and presses


async def test_an_edit_without_a_keyboard_takes_the_keyboard_away(wire: Wire, zhang: User) -> None:
    sent = await wire.call("sendMessage", chat_id=5001, text="x", reply_markup=keyboard("a"))
    edited = await wire.call("editMessageText", chat_id=5001, message_id=sent["message_id"], text="x")
    assert "reply_markup" not in edited
    assert wire.emulator.sent[-1].buttons == ()


async def test_edits_are_refused_in_the_words_of_the_platform(wire: Wire, zhang: User) -> None:
    said = await wire.emulator.says(zhang, "mine")
    text = (await wire.call("sendMessage", chat_id=5001, text="x"))["message_id"]
    photo = (await wire.form("sendPhoto", {"chat_id": "5001", "photo": said_photo(wire)}))["result"]["message_id"]
    cases = [
        ("editMessageText", text, {"text": "x"}, MODIFIED),
        ("editMessageText", text, {"text": "长" * 4097}, "MESSAGE_TOO_LONG"),
        ("editMessageText", 999, {"text": "y"}, "message to edit not found"),
        ("editMessageText", said, {"text": "y"}, "message can't be edited"),
        ("editMessageText", photo, {"text": "y"}, "there is no text in the message to edit"),
        ("editMessageCaption", text, {"caption": "y"}, "there is no caption in the message to edit"),
        ("editMessageCaption", photo, {"caption": "长" * 1025}, "message caption is too long"),
        ("editMessageReplyMarkup", text, {}, MODIFIED),
        ("deleteMessage", 999, {}, "message to delete not found"),
    ]
    for method, message_id, params, reason in cases:
        refused = await wire.refused(method, chat_id=5001, message_id=message_id, **params)
        assert refused == (400, "Bad Request: " + reason)
    await wire.call("editMessageCaption", chat_id=5001, message_id=photo, caption="新")


def said_photo(wire: Wire) -> str:
    """The id of a photo that is on the platform already."""
    from tests.emulators.telegram.methods.sending import media
    from tests.emulators.telegram.world import Upload

    sizes = media(wire.emulator.core, "photo", Upload("photo", "a.jpg", "image/jpeg", b"jpg"))
    return str(sizes[-1]["file_id"])


async def test_a_press_is_answered_once_and_in_time(wire: Wire, zhang: User) -> None:
    sent = await wire.call("sendMessage", chat_id=5001, text="x", reply_markup=keyboard("a"))
    query = await wire.emulator.presses(zhang, sent["message_id"], "a")
    pressed = wire.emulator.unconfirmed[-1]["callback_query"]
    assert (pressed["id"], pressed["data"], pressed["message"]["text"]) == (query, "a", "x")
    too_old = (400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
    assert await wire.refused("answerCallbackQuery", callback_query_id=query, text="长" * 201) == (
        400,
        "Bad Request: MESSAGE_TOO_LONG",
    )
    await wire.call("answerCallbackQuery", callback_query_id=query)
    assert wire.emulator.answered == {query: None}
    assert await wire.refused("answerCallbackQuery", callback_query_id=query) == too_old
    assert await wire.refused("answerCallbackQuery", callback_query_id="1") == too_old
    late = await wire.emulator.presses(zhang, sent["message_id"], "a")
    wire.emulator.expire_queries()
    assert await wire.refused("answerCallbackQuery", callback_query_id=late) == too_old


async def test_a_press_under_an_old_message_brings_an_inaccessible_one(wire: Wire, zhang: User) -> None:
    await wire.emulator.presses(zhang, 7, "a", inaccessible=True)
    message = wire.emulator.unconfirmed[-1]["callback_query"]["message"]
    assert message == {"chat": {"id": 5001, "type": "private", "first_name": "张建国", "username": "zhangjg"}} | {
        "message_id": 7,
        "date": 0,
    }


async def test_a_person_edits_what_they_wrote(wire: Wire, zhang: User, group: Chat) -> None:
    said = await wire.emulator.says(zhang, "诉求", chat=group)
    await wire.emulator.edits(zhang, said, "诉求 停水", chat=group)
    edited = wire.emulator.unconfirmed[-1]["edited_message"]
    assert (edited["message_id"], edited["text"]) == (said, "诉求 停水")


async def test_a_reaction_is_one_emoji_of_the_list(wire: Wire, zhang: User) -> None:
    said = await wire.emulator.says(zhang, "x")
    call = {"chat_id": 5001, "message_id": said}
    await wire.call("setMessageReaction", **call, reaction=[{"type": "emoji", "emoji": "👌"}])
    assert wire.emulator.reactions == {(5001, said): ["👌"]}
    wrong = await wire.refused("setMessageReaction", **call, reaction=[{"type": "emoji", "emoji": "✅"}])
    assert wrong == (400, "Bad Request: REACTION_INVALID")


async def test_only_an_administrator_deletes_what_others_wrote_and_nobody_what_is_old(
    wire: Wire, zhang: User, group: Chat
) -> None:
    said = await wire.emulator.says(zhang, "x", chat=group)
    call = {"chat_id": GROUP, "message_id": said}
    assert await wire.refused("deleteMessage", **call) == (400, "Bad Request: message can't be deleted")
    group.bot = "administrator"
    now = wire.emulator.core.wall()
    wire.emulator.core.wall = lambda: now + 48 * 3600 + 5
    assert await wire.refused("deleteMessage", **call) == (400, "Bad Request: message can't be deleted")
    wire.emulator.core.wall = lambda: now
    await wire.call("deleteMessage", **call)
    assert said not in group.messages


# ---------------------------------------------------------------- the schema


@pytest.mark.parametrize(
    "method,params,status,reason",
    [
        ("sendNothing", {}, 404, "Not Found"),
        ("sendDice", {"chat_id": 5001}, 400, "Bad Request: not emulated"),
        ("sendMessage", {"chat_id": 5001, "text": "x", "txt": "x"}, 400, "Bad Request: unknown parameter txt"),
        ("sendMessage", {"chat_id": 5001}, 400, "Bad Request: message text is empty"),
        ("sendMessage", {"text": "x"}, 400, "Bad Request: chat_id is empty"),
        ("sendMessage", {"chat_id": 5001, "text": 5}, 400, "Bad Request: text must be a String"),
        ("sendMessage", {"chat_id": None, "text": "x"}, 400, None),
        ("getUpdates", {"offset": "1"}, 400, "Bad Request: offset must be an Integer"),
        ("sendMessage", {"chat_id": True, "text": "x"}, 400, None),
        ("sendMessage", {"chat_id": 5001, "text": "x", "reply_markup": {"keybord": []}}, 400, None),
        ("sendMessage", {"chat_id": 5001, "text": "x", "reply_parameters": {"messageid": 1}}, 400, None),
        ("sendMessage", {"chat_id": 5001, "text": "x", "entities": [{"type": "bold", "offset": 0}]}, 400, None),
        (
            "sendMessage",
            {"chat_id": 5001, "text": "x", "ephemeral_message_parameters": {"receiver_user_id": 1}},
            400,
            None,
        ),
        ("setMyCommands", {"commands": [], "scope": {"type": "everybody"}}, 400, None),
    ],
)
async def test_a_call_beside_the_schema_is_refused_and_remembered(
    wire: Wire, zhang: User, method: str, params: dict[str, Any], status: int, reason: str | None
) -> None:
    answer = await wire.ask(method, **params)
    assert answer["error_code"] == status
    assert reason is None or answer["description"] == reason
    assert len(wire.emulator.offences) == 1
    assert wire.emulator.calls[-1].status == status
