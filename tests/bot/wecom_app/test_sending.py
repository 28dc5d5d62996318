"""What the app sends: each kind of message in the shape that WeCom takes, and every outcome by its right name."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from bot.channel import Document, Uncertain, Undeliverable, Unsent
from bot.channels.pieces import GOES_ON, pieces
from bot.channels.qyapi import READ_SECONDS, SLOWEST, Account, Lost, NotDone, Wire
from tests.bot.telegram.desks import dripping, gateway
from tests.bot.wecom_app.desks import Line, called, keys, line
from tests.emulators.pushed import BEGIN, run_pushed, seconds
from tests.errors import ExpectedErrors

JPEG = Document("现场.jpg", "image/jpeg", b"\xff\xd8\xff" + b"x" * 50)
XLSX = Document("台账.xlsx", "application/vnd.openxmlformats", b"PK\x03\x04" + b"x" * 50)


@pytest.fixture
async def wire() -> AsyncIterator[Line]:
    async with line() as opened:
        yield opened


def texts(wire: Line) -> list[str]:
    return [sent.text for sent in wire.server.sent]


async def test_a_text_reaches_the_member_it_is_for(wire: Line) -> None:
    assert await wire.send("已登记 #12\n我们马上办") == [wire.server.sent[0].id]
    assert (texts(wire), wire.server.sent[0].to) == (["已登记 #12\n我们马上办"], ("zhang",))


async def test_a_long_text_goes_in_pieces_of_2048_bytes_and_loses_nothing(wire: Line) -> None:
    text = "停电了，请尽快处理。" * 300
    await wire.send(text)
    assert "".join(texts(wire)).replace(GOES_ON, "") == text
    assert all(len(piece.encode()) <= 2048 for piece in texts(wire))
    assert all(piece.endswith("。") for piece in texts(wire))


@pytest.mark.parametrize("text", ["", " \n ", "a", "😀" * 1000, "长" * 682, "长" * 683, "x" * 5000, "一\n\n二" * 500])
def test_pieces_never_tear_a_character(text: str) -> None:
    found = pieces(text, 2048)
    assert all(0 < len(piece.encode()) <= 2048 for piece in found)
    assert [piece[0] for piece in found[1:]] == [GOES_ON] * (len(found) - 1)
    assert "".join("".join(found).replace(GOES_ON, "").split()) == "".join(text.split())


async def test_what_people_write_never_becomes_a_link(wire: Line) -> None:
    await wire.send('点<a href="http://evil">这里</a> <abc> < A >')
    assert texts(wire) == ['点＜a href="http://evil">这里＜/a> <abc> ＜ A >']


# Cards ----------------------------------------------------------------------------------------------------------
async def test_a_short_message_with_buttons_is_one_card(wire: Line) -> None:
    (card,) = await wire.send("请接单 #12\n车间停电", keys=keys("接单", "退单"))
    (sent,) = wire.server.sent
    assert (sent.kind, sent.text) == ("template_card", "请接单 #12\n车间停电")
    assert sent.buttons == [("接单", "acknowledge:1:1"), ("退单", "acknowledge:2:1")]
    assert sent.content["task_id"] == card


async def test_a_long_message_with_buttons_is_a_text_and_then_a_card(wire: Line) -> None:
    text = "车间停电，" * 60
    ids = await wire.send(text, keys=keys("接单"))
    assert texts(wire) == [text, "card.choose {}"]
    assert (len(ids), wire.server.sent[1].buttons) == (2, [("接单", "acknowledge:1:1")])


async def test_more_than_six_buttons_need_more_cards(wire: Line) -> None:
    await wire.send("请选择", keys=keys(*"一二三四五六七八"))
    assert [len(sent.buttons) for sent in wire.server.sent] == [6, 2]
    assert len({sent.content["task_id"] for sent in wire.server.sent}) == 2


async def test_labels_too_long_for_a_button_stand_in_numbered_rows(wire: Line) -> None:
    long = "南厂区三号车间昨夜起反复跳闸，已影响两条生产线正常运行，损失不小"
    await wire.send("请选择", keys=keys(long, "其他"))
    (sent,) = wire.server.sent
    assert sent.content["horizontal_content_list"] == [
        {"keyname": "1", "value": f"{long[:29]}…"},
        {"keyname": "2", "value": "其他"},
    ]
    assert sent.buttons == [("1", "acknowledge:1:1"), ("2", "acknowledge:2:1")]


async def test_a_card_is_changed_once_by_the_code_that_came_with_it(wire: Line) -> None:
    (card,) = await wire.send("请接单", keys=keys("接单"))
    assert wire.channel.may_edit(card)
    assert await wire.send("请接单", kind="edit", edits=card) == [card]
    assert wire.server.core.updated == [(wire.server.sent[0].id, {"replace_name": "card.over {}"})]
    assert not wire.channel.may_edit(card)
    with pytest.raises(Undeliverable):
        await wire.send("请接单", kind="edit", edits=card)


async def test_the_buttons_that_are_left_stay_on_the_card(wire: Line) -> None:
    (card,) = await wire.send("请接单", keys=keys("接单", "退单"))
    await wire.send("请接单", kind="edit", edits=card, keys=keys("退单"))
    ((_, changed),) = wire.server.core.updated
    assert [button["text"] for button in changed["button_list"]] == ["退单"]
    assert changed["task_id"] == card


async def test_a_press_brings_another_code(wire: Line) -> None:
    (card,) = await wire.send("请接单", keys=keys("接单"))
    await wire.send("请接单", kind="edit", edits=card, keys=keys("退单"))
    async with called(wire):
        await wire.server.presses("zhang", wire.server.sent[0], "接单")
    assert await wire.send("请接单", kind="edit", edits=card) == [card]
    assert len(wire.server.core.updated) == 2


# Files ----------------------------------------------------------------------------------------------------------
async def test_files_follow_the_text_pictures_as_pictures(wire: Line) -> None:
    await wire.send("附件", documents=(JPEG, XLSX))
    assert [sent.kind for sent in wire.server.sent] == ["text", "image", "file"]
    names = [wire.server.core.media[sent.content["media_id"]].name for sent in wire.server.sent[1:]]
    assert names == ["现场.jpg", "台账.xlsx"]


async def test_a_file_that_is_too_large_is_named_in_its_place(wire: Line) -> None:
    large = replace(XLSX, content=b"x" * (20 * 1024 * 1024 + 1))
    await wire.send("附件", documents=(large, replace(XLSX, content=b"x")))
    assert [text[:17] for text in texts(wire)] == ["附件", "file.not_sendable", "file.not_sendable"]


async def test_a_file_sent_again_is_the_same_message(wire: Line) -> None:
    wire.server.fault("message/send", answer="none", effect=True)
    with pytest.raises(Uncertain):
        await wire.send("", documents=(XLSX,))
    await wire.send("", documents=(XLSX,))
    assert (len(wire.server.sent), wire.server.core.repeats) == (1, 1)


async def test_a_media_id_that_is_gone_is_made_anew(wire: Line) -> None:
    await wire.send("", documents=(XLSX,), row=1)
    wire.server.core.media.clear()
    with pytest.raises(Unsent):
        await wire.send("", documents=(XLSX,), row=2)
    await wire.send("", documents=(XLSX,), row=2)
    assert len(wire.server.sent) == 2


# Outcomes -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("more", [{}, {"keys": keys("接单")}])
async def test_an_uncertain_send_is_repeated_byte_for_byte_and_arrives_once(wire: Line, more: dict[str, Any]) -> None:
    wire.server.fault("message/send", answer="none", effect=True)
    with pytest.raises(Uncertain):
        await wire.send("请接单", **more)
    wire.server.revoke()
    await wire.send("请接单", **more)
    bodies = [call.body for call in wire.server.core.calls if call.path == "message/send"]
    assert len(set(bodies)) == 1
    assert (len(wire.server.sent), wire.server.core.repeats) == (1, 1)


async def test_the_same_words_meant_twice_are_heard_twice(wire: Line) -> None:
    await wire.send("没看懂", row=7)
    await wire.send("没看懂", row=8)
    assert texts(wire) == ["没看懂", "没看懂"]
    await wire.send("没看懂", row=7 + 630)
    await wire.send("没看懂", row=7 + 12_600)
    assert len(texts(wire)) == 4
    intervals = [json.loads(sent.raw)["duplicate_check_interval"] for sent in wire.server.sent]
    assert 1800 <= min(intervals) < max(intervals) <= 4 * 3600


async def test_a_stranger_to_the_app_is_out_of_reach(wire: Line) -> None:
    wire.server.member("Wang", "王芳", visible=False)
    with pytest.raises(Undeliverable) as gone:
        await wire.send(chat="Wang")
    assert gone.value.unreachable


async def test_who_is_named_as_invalid_is_out_of_reach_however_it_is_spelt(wire: Line) -> None:
    with pytest.raises(Undeliverable) as gone:
        await wire.send(chat="Nobody|zhang")
    assert gone.value.unreachable


@pytest.mark.parametrize("code", [40014, 42001])
async def test_a_token_that_ended_early_is_renewed_once(wire: Line, code: int) -> None:
    await wire.send(row=1)
    wire.server.revoke(code)
    await wire.send(row=2)
    assert (len(wire.server.sent), wire.server.core.tokens_given) == (2, 2)


async def test_all_who_wait_share_one_renewal(wire: Line) -> None:
    await wire.send(row=1)
    wire.server.revoke()
    await asyncio.gather(*(wire.send(row=number) for number in range(2, 22)))
    asked = [call for call in wire.server.core.calls if call.path == "gettoken"]
    assert (len(wire.server.sent), len(asked)) == (21, 2)


@pytest.mark.parametrize("how", [{"status": 502}, {"code": -1}, {"answer": "broken"}], ids=str)
async def test_all_who_wait_share_one_failure_and_the_next_asks_again(wire: Line, how: dict[str, object]) -> None:
    wire.server.fault("gettoken", **how)
    ends = await asyncio.gather(*(wire.send(row=number) for number in range(1, 9)), return_exceptions=True)
    assert {type(end) for end in ends} == {Unsent}
    asked = [call.path for call in wire.server.core.calls].count("gettoken")
    assert (asked, wire.server.core.faults.waiting[0].met) in {(1, 1), (0, 1)}  # half an answer is not noted as a call
    await wire.send()
    assert [call.path for call in wire.server.core.calls].count("gettoken") == asked + 1


@pytest.mark.parametrize("told", ['{"errcode":0}', '{"errcode":0,"access_token":"x","expires_in":"soon"}'])
async def test_a_token_that_cannot_be_read_is_none(told: str) -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        return web.Response(text=told)

    async with gateway(handler) as base:
        with pytest.raises(NotDone):
            await Account(wire := Wire(base), "corp", "secret").get("agent/get")
        await wire.close()


def test_an_answer_that_comes_in_drops_and_never_ends_is_given_up() -> None:
    async def main() -> float:
        async with gateway(dripping) as base:
            wire = Wire(base)
            with pytest.raises(Lost):
                await wire.ask("message/send", {}, b"{}")
            await wire.close()
        return seconds() - BEGIN

    assert run_pushed(main()) == pytest.approx(SLOWEST * READ_SECONDS, abs=0.5)


async def test_a_token_that_stays_refused_stops_the_channel_and_not_the_message(
    wire: Line, expected_errors: ExpectedErrors
) -> None:
    expected_errors.expect("wecom refuses this app")
    wire.server.fault("message/send", code=42001, times=2)
    with pytest.raises(Unsent) as trouble:
        await wire.send()
    assert trouble.value.channel_down
    assert [call.path for call in wire.server.core.calls].count("message/send") == 2


@pytest.mark.parametrize(
    "how, kind, down",
    [
        ({"code": -1}, Unsent, False),
        ({"code": 45009}, Unsent, True),
        ({"status": 502}, Unsent, True),
        ({"status": 504}, Uncertain, False),
        ({"answer": "none"}, Uncertain, False),
        ({"answer": "broken", "effect": True}, Uncertain, False),
        ({"code": 40058}, Undeliverable, False),
    ],
)
async def test_trouble_has_its_right_name(
    wire: Line, how: dict[str, object], kind: type[Exception], down: bool
) -> None:
    wire.server.fault("message/send", **how)
    with pytest.raises(kind) as trouble:
        await wire.send()
    assert getattr(trouble.value, "channel_down", False) is down


async def test_a_file_that_could_not_be_handed_over_has_not_arrived(wire: Line) -> None:
    wire.server.fault("media/upload", answer="broken", effect=True)
    with pytest.raises(Unsent):
        await wire.send("", documents=(XLSX,))


@pytest.mark.parametrize("path, code", [("gettoken", 40001), ("gettoken", 40013), ("message/send", 60020)])
async def test_what_the_operator_must_mend_stops_the_channel(
    wire: Line, expected_errors: ExpectedErrors, path: str, code: int
) -> None:
    expected_errors.expect("wecom refuses this app")
    wire.server.fault(path, code=code)
    with pytest.raises(Unsent) as trouble:
        await wire.send()
    assert trouble.value.channel_down
    assert trouble.value.seconds == 60


async def test_no_secret_is_in_any_words_of_trouble(wire: Line, caplog: pytest.LogCaptureFixture) -> None:
    wire.server.fault("gettoken", answer="none", times=9)
    with pytest.raises(Unsent) as trouble:
        await wire.send()
    assert wire.server.core.secret not in f"{trouble.value}{trouble.value.__cause__}{caplog.text}"
