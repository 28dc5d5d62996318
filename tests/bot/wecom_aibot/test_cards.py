"""Buttons on cards: what fits, how long labels are shown, and what can be typed instead."""

import pytest

from bot.channel import Key, Parcel
from bot.channels.wecom_aibot import cards
from bot.channels.wecom_aibot.sending import parts
from domain.said import Button
from domain.verbs import Verb
from tests.bot.wecom_aibot.desks import words
from tests.emulators.wecom.aibot import card_text
from tests.emulators.wecom.aibot.cards import advised, check_card

TASK = (
    "【待接单】#1 宏达机械·大树营片区\n车间电压低\n联系人：张建国\n承办单位：县供电公司\n接单时限：3月12日（周四）17:30"
)
ACCEPT = Key("接单", "acknowledge:1:2")
RETURN = Key("退单", "return:1:2")


def parcel(text: str = TASK, *keys: Key) -> Parcel:
    return Parcel(id=7, chat_id=1, chat="WangMin", kind="send", text=text, keys=tuple((key,) for key in keys))


def shown(text: str, *keys: Key) -> list[tuple[str, list[str]]]:
    """Text and labels of each part; every card was held against the platform's rules and advice."""
    found: list[tuple[str, list[str]]] = []
    for part in parts(parcel(text, *keys), words):
        flat = [key for row in part.keys for key in row]
        if not flat:
            found.append((part.text, []))
            continue
        laid = cards.laid_out(part.text, flat)
        assert laid is not None
        card = dict(cards.card(*laid, cards.task_id("bot", part)))
        check_card(card)
        assert list(advised(card)) == []
        found.append((card_text(card), [button["text"] for button in card["button_list"]]))
    return found


def test_a_task_is_one_card_whose_last_lines_are_rows() -> None:
    assert shown(TASK, ACCEPT, RETURN) == [(TASK, ["接单", "退单"])]
    face = cards.face_of(TASK)
    assert face is not None
    assert face.rows[0] == ("联系人", "张建国")
    assert face.body == "车间电压低"


def test_a_text_too_long_for_a_card_goes_before_it_whole() -> None:
    long = "已登记 #12：" + "宏达机械反映车间电压低。" * 20
    assert shown(long, ACCEPT) == [(long, []), ("#12 请点一个", ["接单"])]


def test_a_blank_line_survives_on_a_card() -> None:
    assert shown("请确认\n\n车间电压低", ACCEPT)[0][0] == "请确认\n\n车间电压低"


def test_matters_to_pick_from_are_rows_with_their_numbers_on_the_buttons() -> None:
    picks = [Key(f"#{n} 车间电压低，一天跳停三次", f"pick:{n}::status") for n in (7, 12)]
    ((text, labels),) = shown("您指哪一件？", *picks)
    assert labels == ["#7", "#12"]
    assert text == "您指哪一件？\n#7：车间电压低，一天跳停三次\n#12：车间电压低，一天跳停三次"


def test_rows_of_choices_never_push_a_texts_own_lines_off_the_card() -> None:
    text = "您指哪一件？\n" + "停" * 100 + "\n联系人：张建国\n承办单位：县供电公司"
    pick = Key("#7 车间电压低，一天跳停三次", "pick:7::status")
    (words_part, card) = shown(text, pick)
    assert words_part == (text, [])
    assert card[1] == ["#7"]


def test_two_buttons_that_do_the_same_are_no_card() -> None:
    ((text, labels),) = shown("请确认", ACCEPT, ACCEPT)
    assert labels == []
    assert text.endswith("接单 1\n接单 1")


def test_other_long_labels_bear_signs_that_are_no_matters_number() -> None:
    firms = [Key(f"第{n}精密机械制造有限公司", f"confirm:::{n}") for n in (1, 2)]
    ((text, labels),) = shown("是哪一家？", *firms)
    assert labels == ["①", "②"]
    assert "①：第1精密机械制造有限公司" in text


def test_more_than_six_are_written_out_to_be_typed() -> None:
    picks = [Key(f"#{n} 车间电压低", f"pick:{n}::status") for n in range(1, 9)]
    ((text, labels),) = shown("您指哪一件？", *picks)
    assert labels == []
    lines = text.split("\n")
    assert lines[:3] == ["您指哪一件？", "", "请回复其中一句："]
    assert lines[3] == "1　#1 车间电压低"
    assert len(lines) == 11


@pytest.mark.parametrize(
    "key, typed",
    [
        (Key("接单", "acknowledge:12:3"), "接单 12"),
        (Key("进度", "status:M-7K3Q9X:"), "进度 M-7K3Q9X"),
        (Key("确认", "confirm::"), "确认"),
        (Key("宏达机械", "confirm:::5"), "宏达机械"),
        (Key("#12 车间电压低", "pick:12::status"), "12"),
        (Key("惠企十条", Button(Verb.POLICY, argument="p7").data), "政策 惠企十条"),
        (Key("纸条", "nonsense"), "纸条"),
    ],
)
def test_each_button_has_words_that_do_the_same(key: Key, typed: str) -> None:
    assert cards.twin(key, words) == typed


def test_a_card_has_the_same_name_on_every_try_and_no_other_message_has_it() -> None:
    (part,) = parts(parcel(TASK, ACCEPT), words)
    (again,) = parts(parcel(TASK, ACCEPT), words)
    (other,) = parts(parcel(TASK.replace("#1", "#2"), ACCEPT), words)
    assert cards.task_id("bot", part) == cards.task_id("bot", again)
    assert len({cards.task_id("bot", part), cards.task_id("bot", other), cards.task_id("another", part)}) == 3


@pytest.mark.parametrize(
    "text, data", [("已登记 #12：x", "status:12:"), ("请确认", "help::"), ("#" + "9" * 30, f"status:{'9' * 20}:")]
)
def test_a_card_whose_buttons_are_over_offers_to_look_the_matter_up(text: str, data: str) -> None:
    assert cards.done_key(text, words) == Key("已处理", data)
