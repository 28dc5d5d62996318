import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.emulators.telegram import Chat, User
from tests.emulators.telegram.entities import bot_commands, spelled
from tests.emulators.telegram.wire import Wire

GROUP = -1001234


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


# ---------------------------------------------------------------- commands and privacy


@pytest.mark.parametrize(
    "text,found",
    [
        ("/appeal 停电", ["/appeal"]),
        ("/appeal停电", []),
        ("/诉求 停电", []),
        ("/appeal，停电", ["/appeal"]),
        ("/appeal@lianqi_bot 停电", ["/appeal@lianqi_bot"]),
        ("见 /help 和/start。", ["/help"]),
        ("😀 /help", ["/help"]),
        ("a/b http://x/y", []),
        ("/a/b", []),
        ("</b>", []),
        ("/" + "a" * 65, []),
    ],
)
def test_a_command_is_what_the_client_library_marks_as_one(text: str, found: list[str]) -> None:
    assert [spelled(text, one) for one in bot_commands(text)] == found


async def heard(wire: Wire) -> list[str]:
    """The texts that waited for the bot, taken away."""
    updates = await wire.call("getUpdates")
    await wire.ids(offset=updates[-1]["update_id"] + 1 if updates else 0)
    return [update["message"].get("text", "?") for update in updates]


async def test_with_privacy_a_member_hears_only_what_is_meant_for_it(wire: Wire, zhang: User, group: Chat) -> None:
    wire.emulator.core.privacy = True
    assert (await wire.call("getMe"))["can_read_all_group_messages"] is False
    for text in ("诉求 停电", "/appeal 停电", "/appeal@lianqi_bot 停电", "/appeal@other_bot x", "@lianqi_bot 你好"):
        await wire.emulator.says(zhang, text, chat=group)
    assert await heard(wire) == ["/appeal@lianqi_bot 停电"]
    own = (await wire.call("sendMessage", chat_id=GROUP, text="x"))["message_id"]
    await wire.emulator.says(zhang, "/appeal 停电", chat=group)
    await wire.emulator.says(zhang, "/诉求 停电", chat=group)
    await wire.emulator.says(zhang, "回复", chat=group, reply_to=own)
    await wire.emulator.renames(group, "新名")
    assert await heard(wire) == ["/appeal 停电", "回复", "?"]
    await wire.emulator.other_bot_speaks(group)
    await wire.emulator.says(zhang, "/appeal 停电", chat=group)
    await wire.emulator.says(zhang, "悄悄话")
    assert await heard(wire) == ["悄悄话"]


async def test_an_administrator_hears_everything_in_spite_of_privacy(wire: Wire, zhang: User, group: Chat) -> None:
    wire.emulator.core.privacy = True
    group.bot = "administrator"
    await wire.emulator.says(zhang, "诉求 停电", chat=group)
    assert await heard(wire) == ["诉求 停电"]


async def test_command_menus_are_kept_by_scope_and_language(wire: Wire, group: Chat) -> None:
    menu = [{"command": "appeal", "description": "提出诉求"}]
    await wire.call("setMyCommands", commands=menu)
    scope = {"type": "chat", "chat_id": GROUP}
    await wire.call("setMyCommands", commands=menu, scope=scope, language_code="zh")
    assert wire.emulator.commands == {"default": menu, f"chat:{GROUP}/zh": menu}
    assert await wire.call("getMyCommands", scope=scope, language_code="zh") == menu
    await wire.call("deleteMyCommands")
    assert await wire.call("getMyCommands") == []
    wrong = [
        ([{"command": "诉求", "description": "x"}], "BOT_COMMAND_INVALID"),
        ([{"command": "x", "description": ""}], "BOT_COMMAND_DESCRIPTION_INVALID"),
        (menu * 101, "BOT_COMMANDS_TOO_MUCH"),
    ]
    for commands, reason in wrong:
        assert await wire.refused("setMyCommands", commands=commands) == (400, f"Bad Request: {reason}")


# ---------------------------------------------------------------- files


async def test_an_upload_can_be_downloaded_and_sent_again(wire: Wire, zhang: User) -> None:
    form = aiohttp.FormData(quote_fields=False)
    for name, value in {"chat_id": "5001", "caption": "台账", "document": "attach://file0"}.items():
        form.add_field(name, value)
    form.add_field("file0", b"PK table", filename="台账.xlsx", content_type="application/vnd.ms-excel")
    async with wire.session.post(wire.url("sendDocument"), data=form) as answer:
        sent = (await answer.json())["result"]
    assert sent["document"]["file_name"] == "台账.xlsx"
    assert wire.emulator.sent[0].files[0].data == b"PK table"
    path = (await wire.call("getFile", file_id=sent["document"]["file_id"]))["file_path"]
    url = f"{wire.emulator.api_base}/file/bot{wire.emulator.token}/{path}"
    async with wire.session.get(url) as found:
        assert await found.read() == b"PK table"
    wire.emulator.expire_files()
    async with wire.session.get(url) as found:
        assert found.status == 404
    await wire.call("sendDocument", chat_id=5001, document=sent["document"]["file_id"])
    wrong = await wire.refused("sendDocument", chat_id=5001, document="no-such-id")
    assert wrong == (400, "Bad Request: wrong file identifier/HTTP URL specified")


async def test_a_file_over_20_megabytes_cannot_be_fetched(wire: Wire, zhang: User) -> None:
    await wire.emulator.says(zhang, document=("大.zip", b"x", "application/zip"), claimed_size=20 * 1024 * 1024 + 1)
    document = wire.emulator.unconfirmed[-1]["message"]["document"]
    assert await wire.refused("getFile", file_id=document["file_id"]) == (400, "Bad Request: file is too big")
    unknown = await wire.refused("getFile", file_id="x")
    assert unknown == (400, "Bad Request: wrong file_id or the file is temporarily unavailable")


async def test_an_upload_over_the_limit_is_too_large(wire: Wire, zhang: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.emulators.telegram.reading.UPLOAD", 10)
    form = aiohttp.FormData({"chat_id": "5001"})
    form.add_field("document", b"x" * 11, filename="a.bin")
    async with wire.session.post(wire.url("sendDocument"), data=form) as answer:
        found = await answer.json()
    assert (answer.status, found["description"]) == (413, "Request Entity Too Large")


async def test_an_album_of_a_person_shares_one_name_and_has_its_caption_first(
    wire: Wire, zhang: User, group: Chat
) -> None:
    await wire.emulator.album(zhang, [b"one", b"two"], caption="诉求 照片", chat=group)
    first, second = (update["message"] for update in wire.emulator.unconfirmed)
    assert first["media_group_id"] == second["media_group_id"]
    assert (first.get("caption"), second.get("caption")) == ("诉求 照片", None)


async def test_an_album_of_the_bot_holds_two_to_ten_of_a_kind(wire: Wire, zhang: User) -> None:
    await wire.emulator.says(zhang, photo=b"x")
    photo = wire.emulator.unconfirmed[-1]["message"]["photo"][-1]["file_id"]
    one = {"type": "photo", "media": photo}
    assert len(await wire.call("sendMediaGroup", chat_id=5001, media=[one] * 10)) == 10
    for media, reason in [
        ([one], "media must include 2-10 items"),
        ([one] * 11, "media must include 2-10 items"),
        ([one, {"type": "document", "media": photo}], "document can't be mixed with other media types"),
    ]:
        assert await wire.refused("sendMediaGroup", chat_id=5001, media=media) == (400, f"Bad Request: {reason}")


# ---------------------------------------------------------------- the rest


async def test_members_are_counted_and_known(wire: Wire, zhang: User, group: Chat) -> None:
    wang = wire.emulator.user(5003, "王")
    await wire.emulator.joins(zhang, group)
    await wire.emulator.joins(wang, group, status="creator")
    assert await wire.call("getChatMemberCount", chat_id=GROUP) == 3
    assert [one["user"]["id"] for one in await wire.call("getChatAdministrators", chat_id=GROUP)] == [5003]
    await wire.emulator.leaves(zhang, group)
    assert (await wire.call("getChatMember", chat_id=GROUP, user_id=5001))["status"] == "left"


async def test_leaving_a_group_is_told_and_ends_sending(wire: Wire, group: Chat) -> None:
    await wire.call("leaveChat", chat_id=GROUP)
    assert wire.emulator.unconfirmed[-1]["my_chat_member"]["new_chat_member"]["status"] == "left"
    refused = await wire.refused("sendMessage", chat_id=GROUP, text="x")
    assert refused == (403, "Forbidden: bot is not a member of the supergroup chat")


async def test_signs_of_life_and_descriptions_are_kept(wire: Wire, zhang: User) -> None:
    await wire.call("sendChatAction", chat_id=5001, action="typing")
    await wire.call("setMyShortDescription", short_description="联企")
    assert wire.emulator.core.actions == [(5001, "typing")]
    assert wire.emulator.core.descriptions == {"short_description": "联企"}


async def test_whoever_waits_for_a_send_is_told_at_once(wire: Wire, zhang: User) -> None:
    waiting = asyncio.ensure_future(wire.emulator.until_sent(2))
    await wire.call("sendMessage", chat_id=5001, text="1")
    assert not waiting.done()
    await wire.call("sendMessage", chat_id=5001, text="2")
    assert [one.text for one in await waiting] == ["1", "2"]
