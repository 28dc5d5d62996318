"""Cards and files to the stand-in for WeCom's long connection: what it takes, and what it will not have."""

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.emulators.wecom.aibot import AibotEmulator
from tests.emulators.wecom.aibot.wire import Clock, Wire, button_card, notice

SEND = "aibot_send_msg"
INIT, PART, FINISH = "aibot_upload_media_init", "aibot_upload_media_chunk", "aibot_upload_media_finish"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def emulator(clock: Clock) -> AsyncIterator[AibotEmulator]:
    async with AibotEmulator(clock=clock) as found:
        found.user("Zhang", "张建国", wrote=True)
        found.user("Wang", "王敏")
        found.group("wrGroup", "大树营联企群", "Zhang", "Wang", spoken=True)
        yield found


@pytest.fixture
async def wire(emulator: AibotEmulator) -> AsyncIterator[Wire]:
    async with Wire(emulator) as found:
        yield found


# ---------------------------------------------------------------- cards

LINKED = {"type": 1, "url": "https://example.org"}
ROW = {"keyname": "企业", "value": "宏达机械"}
RIGHT_CARDS = [
    button_card("t1", "接单", "转办"),
    button_card("A_b-c@1", sub_title_text="正文", horizontal_content_list=[ROW] * 6, card_action=LINKED),
    button_card("x" * 128, *[f"k{number}" for number in range(6)]),
    button_card("t2", "k" * 1024),
    notice(jump_list=[{"type": 1, "url": "https://x.cn", "title": "看"}] * 3, emphasis_content={"title": "3"}),
    notice(main_title={}, sub_title_text="只有正文"),
    notice(card_type="news_notice", card_image={"url": "https://x.cn/a.png", "aspect_ratio": 2}),
    {
        "card_type": "vote_interaction",
        "checkbox": {"question_key": "q", "option_list": [{"id": "1", "text": "是"}], "mode": 1},
        "submit_button": {"text": "提交", "key": "s"},
        "task_id": "v1",
    },
    {
        "card_type": "multiple_interaction",
        "select_list": [{"question_key": "q", "option_list": [{"id": "1", "text": "是"}, {"id": "2", "text": "否"}]}],
        "submit_button": {"text": "提交", "key": "s"},
        "task_id": "m1",
    },
]
WRONG_CARDS = {
    "no kind": {"main_title": {"title": "x"}},
    "no such kind": button_card("t") | {"card_type": "button"},
    "no title": button_card("t", main_title={}),
    "no task_id": {key: value for key, value in button_card("t").items() if key != "task_id"},
    "task_id with a space": button_card("a b"),
    "task_id in Chinese": button_card("诉求1"),
    "task_id too long": button_card("x" * 129),
    "seven buttons": button_card("t", *[f"k{number}" for number in range(7)]),
    "no buttons": button_card("t", button_list=[]),
    "two buttons with one key": button_card("t", "a", "a"),
    "a key of 1025 bytes": button_card("t", "k" * 1025),
    "a button without key": button_card("t", button_list=[{"text": "接单"}]),
    "a button with a link": button_card("t", button_list=[{"text": "接单", "key": "a", "url": "https://x.cn"}]),
    "seven rows": button_card("t", horizontal_content_list=[ROW] * 7),
    "a row without name": button_card("t", horizontal_content_list=[{"value": "x"}]),
    "a row with no link": button_card("t", horizontal_content_list=[{"keyname": "x", "type": 1}]),
    "jumps on buttons": button_card("t", jump_list=[{"title": "x"}]),
    "an unknown field": button_card("t", footer="x"),
    "a notice without action": {"card_type": "text_notice", "main_title": {"title": "x"}},
    "a notice with action 0": notice(card_action={"type": 0}),
    "a notice with no address": notice(card_action={"type": 1}),
    "four jumps": notice(jump_list=[{"title": "x"}] * 4),
    "news without picture": notice(card_type="news_notice"),
    "buttons on a notice": notice(button_list=[{"text": "x", "key": "x"}]),
    "a menu without task_id": notice(action_menu={"desc": "x", "action_list": [{"text": "a", "key": "a"}]}),
    "four selects": {
        "card_type": "multiple_interaction",
        "select_list": [{"question_key": str(n), "option_list": [{"id": "1", "text": "是"}]} for n in range(4)],
        "submit_button": {"text": "提交", "key": "s"},
        "task_id": "m1",
    },
}


@pytest.mark.parametrize("card", RIGHT_CARDS, ids=[str(one["card_type"]) + str(n) for n, one in enumerate(RIGHT_CARDS)])
async def test_a_right_card_is_shown(wire: Wire, emulator: AibotEmulator, card: dict[str, Any]) -> None:
    assert await wire.push_card("Zhang", card) == 0
    assert emulator.visible[0].kind == "template_card"
    assert emulator.offences == []


@pytest.mark.parametrize("card", WRONG_CARDS.values(), ids=WRONG_CARDS.keys())
async def test_a_wrong_card_is_refused_and_an_offence(
    wire: Wire, emulator: AibotEmulator, card: dict[str, Any]
) -> None:
    assert await wire.push_card("Zhang", card) == 40058
    assert len(emulator.offences) == 1
    assert emulator.visible == []


async def test_a_task_id_is_used_once_for_ever(wire: Wire, emulator: AibotEmulator, clock: Clock) -> None:
    assert await wire.push_card("Zhang", button_card("t1")) == 0
    clock.now += 400 * 86400
    assert await wire.push_card("wrGroup", button_card("t1")) == 40058
    assert emulator.offences == ["aibot_send_msg: task_id t1 was used before"]


async def test_the_same_card_again_is_refused_without_an_offence(wire: Wire, emulator: AibotEmulator) -> None:
    codes = [await wire.push_card("Zhang", button_card("t1")) for _ in range(2)]
    assert codes == [0, 40058]
    assert emulator.offences == []
    assert len(emulator.visible) == 1


async def test_a_card_that_was_too_many_has_not_used_its_task_id_up(emulator: AibotEmulator) -> None:
    async with Wire(emulator) as wire:
        for _ in range(30):
            await wire.push("Zhang")
        assert await wire.push_card("Zhang", button_card("t1")) == 846607
        assert await wire.push_card("wrGroup", button_card("t1")) == 0


async def test_a_card_reads_as_lines_and_buttons(wire: Wire, emulator: AibotEmulator) -> None:
    card = button_card("t1", "接单", "转办", sub_title_text="车间停电", horizontal_content_list=[ROW])
    await wire.push_card("Zhang", card)
    [shown] = emulator.seen("Zhang")
    assert shown.text == "诉求 #1\n车间停电\n企业：宏达机械"
    assert shown.buttons == (("接单", "接单"), ("转办", "转办"))
    assert emulator.advice == []


@pytest.mark.parametrize(
    "card",
    [
        button_card("t", main_title={"title": "字" * 37}),
        button_card("t", sub_title_text="字" * 113),
        button_card("t", "一个太长太长太长的按钮"),
        button_card("t", horizontal_content_list=[{"keyname": "六个字的名字", "value": "x"}]),
    ],
)
async def test_what_people_see_cut_off_is_told(wire: Wire, emulator: AibotEmulator, card: dict[str, Any]) -> None:
    assert await wire.push_card("Zhang", card) == 0
    assert len(emulator.advice) == 1


# ---------------------------------------------------------------- files


async def test_a_file_goes_up_in_chunks_and_is_sent(wire: Wire, emulator: AibotEmulator) -> None:
    content = bytes(range(256)) * 5000
    media = await wire.upload(content)
    body = {"chatid": "Zhang", "chat_type": 1, "msgtype": "file", "file": {"media_id": media}}
    assert (await wire.call(SEND, body))["errcode"] == 0
    [shown] = emulator.seen("Zhang")
    assert shown.file is not None
    assert (shown.text, shown.file.content) == ("台账.xlsx", content)
    assert emulator.offences == []


async def test_media_lives_three_days(wire: Wire, emulator: AibotEmulator, clock: Clock) -> None:
    body = {"chatid": "Zhang", "msgtype": "file", "file": {"media_id": await wire.upload(b"a file")}}
    clock.now += 3 * 86400 - 1
    assert (await wire.call(SEND, body))["errcode"] == 0
    clock.now += 2
    assert (await wire.call(SEND, body))["errcode"] == 40007


async def test_media_of_one_kind_is_not_sent_as_another(wire: Wire) -> None:
    media = await wire.upload(b"a file")
    assert (await wire.call(SEND, {"chatid": "Zhang", "msgtype": "image", "image": {"media_id": media}}))[
        "errcode"
    ] == 40007


def announced(**more: Any) -> dict[str, Any]:
    md5 = hashlib.md5(b"hello").hexdigest()
    return {"type": "file", "filename": "a.txt", "total_size": 5, "total_chunks": 1, "md5": md5} | more


@pytest.mark.parametrize(
    "body",
    [
        announced(type="document"),
        announced(filename=""),
        announced(total_size=4),
        announced(total_size=True),
        announced(total_chunks=0),
        announced(total_chunks=101),
        announced(total_size=512 * 1024 + 1),
        announced(size=5),
    ],
)
async def test_a_wrong_announcement_of_a_file_is_an_offence(
    wire: Wire, emulator: AibotEmulator, body: dict[str, Any]
) -> None:
    assert (await wire.call(INIT, body))["errcode"] == 40058
    assert len(emulator.offences) == 1


async def test_a_file_must_be_what_was_announced(wire: Wire, emulator: AibotEmulator) -> None:
    for data, words in (("aGVsbE8=", "the md5 is another"), ("aGVsbA==", "4 bytes came, 5 were announced")):
        upload = (await wire.call(INIT, announced()))["body"]["upload_id"]
        await wire.call(PART, {"upload_id": upload, "chunk_index": 0, "base64_data": data})
        assert (await wire.call(FINISH, {"upload_id": upload}))["errcode"] == 40058
        assert emulator.offences.pop() == f"{FINISH}: {words}"


async def test_a_file_is_not_finished_before_it_is_whole(wire: Wire, emulator: AibotEmulator) -> None:
    upload = (await wire.call(INIT, announced()))["body"]["upload_id"]
    assert (await wire.call(FINISH, {"upload_id": upload}))["errcode"] == 40058
    part = {"upload_id": upload, "chunk_index": 1, "base64_data": "aGVsbG8="}
    assert (await wire.call(PART, part))["errcode"] == 40058
    assert (await wire.call(PART, part | {"chunk_index": 0, "base64_data": "!"}))["errcode"] == 40058
    assert len(emulator.offences) == 3


async def test_a_chunk_holds_512_kib_at_most(wire: Wire, emulator: AibotEmulator) -> None:
    most = 512 * 1024
    upload = (await wire.call(INIT, announced(total_size=most + 1, total_chunks=2)))["body"]["upload_id"]
    for size, code in ((most, 0), (most + 1, 45002)):
        data = base64.b64encode(bytes(size)).decode()
        part = {"upload_id": upload, "chunk_index": 0, "base64_data": data}
        assert (await wire.call(PART, part))["errcode"] == code
    assert len(emulator.offences) == 1


async def test_an_upload_is_forgotten_after_half_an_hour(wire: Wire, emulator: AibotEmulator, clock: Clock) -> None:
    upload = (await wire.call(INIT, announced()))["body"]["upload_id"]
    clock.now += 1800
    assert (await wire.call(PART, {"upload_id": upload, "chunk_index": 0, "base64_data": "aGVsbG8="}))[
        "errcode"
    ] == 40007
    assert emulator.offences == []


async def test_more_than_thirty_uploads_a_minute_are_846607(wire: Wire) -> None:
    codes = [(await wire.call(INIT, announced()))["errcode"] for _ in range(31)]
    assert codes == [0] * 30 + [846607]
