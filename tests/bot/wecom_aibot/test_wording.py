"""Texts in pieces that WeCom takes, and every sign of them shown as it stands."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.pieces import GOES_ON
from bot.channels.wecom_aibot.wording import MOST_BYTES, known_as, literal, size, split
from tests.emulators.wecom.aibot import plain

SIGNS = st.text(alphabet="ab停 \n\t*_`~[](){}<>@#!|>-=+.\\&;/:1\u3000", max_size=60)


@pytest.mark.parametrize(
    "said",
    [
        "# 停电三天",
        "> 停电\n>> 又停",
        "**停电** __三天__ *真的*",
        "`停电`",
        "~~停电~~",
        "[点这里](http://x.cn)",
        "<@WangMin> 请看",
        '<font color="warning">急</font>',
        "停电\n---\n三天",
        "停电\n===",
        "C:\\*file",
        "|a|b|\n|--|--|",
        "&lt;停电&gt;",
        "    停电",
    ],
)
def test_markup_in_what_people_say_is_shown_and_not_obeyed(said: str) -> None:
    shown = literal(said)
    assert shown != said
    assert plain(shown) == shown
    assert "".join(unicodedata.normalize("NFKC", shown).split()) == "".join(said.split())


@pytest.mark.parametrize(
    "said",
    [
        "已登记 #12：宏达机械",
        "新增0｜今日到期0",
        "电压 3*4、型号 A_1，损失<3万",
        "看 https://lianqi.example.cn/a_b?x=1&y=2#z 吧",
        "· 宏达机械 #1 车间电压低",
        "1. 电压低\n2. 跳闸",
        "",
    ],
)
def test_what_is_no_markup_stays_as_it_is(said: str) -> None:
    assert literal(said) == said
    assert plain(said) == said


def test_an_address_works_on_and_hides_no_markup() -> None:
    assert literal("https://a.cn/x_y_z") == "https://a.cn/x%5Fy%5Fz"
    shown = literal("https://a.cn/[点这里](http://b.cn)**急**")
    assert plain(shown) == shown


@given(SIGNS)
def test_nobody_can_write_anything_that_is_taken_for_markup(said: str) -> None:
    shown = literal(said)
    assert plain(shown) == shown
    assert literal(shown) == shown


@given(st.text(alphabet="停电a😀👨\u200d👩é\u0301🇨🇳\n。，# >", max_size=400), st.integers(300, 600))
def test_pieces_hold_everything_and_are_never_too_long(text: str, most: int) -> None:
    pieces = split(text, most)
    assert all(0 < size(piece) <= most for piece in pieces)
    assert "".join("".join(pieces).replace(GOES_ON, "").split()) == "".join(literal(text).split())


def test_a_text_of_the_very_length_is_one_piece() -> None:
    assert split("停" * 6826 + "aa") == ["停" * 6826 + "aa"]
    assert [size(piece) <= MOST_BYTES for piece in split("停" * 6826 + "aaa")] == [True, True]


def test_a_long_text_is_cut_at_the_end_of_a_line() -> None:
    line = "第一家企业反映车间电压低，一天跳停三次。\n"
    first, *rest = split(line * 500)
    assert rest
    assert first.endswith("。")
    assert all(piece.startswith(f"{GOES_ON}第一家") for piece in rest)


@pytest.mark.parametrize("whole", ["👨‍👩‍👧‍👦", "🇨🇳", "e\u0301", "👍🏽", "1️⃣"])
def test_no_piece_ends_within_what_people_see_as_one_character(whole: str) -> None:
    pieces = split(whole * 600, 600)
    assert len(pieces) > 1
    assert all(piece.removeprefix(GOES_ON).replace(whole, "") == "" for piece in pieces)


def test_a_piece_that_begins_at_a_cut_begins_no_heading() -> None:
    pieces = split("停" * 100 + "，# 电" * 50, 400)
    assert len(pieces) > 1
    assert all(plain(piece) == piece for piece in pieces)
    assert all(piece.startswith(GOES_ON) for piece in pieces[1:])


def test_a_message_is_known_again_by_its_words_however_they_are_spaced() -> None:
    assert known_as("已登记 #1：宏达机械\n类别：用电") == known_as(" 已登记 #1：宏达机械 类别：用电\n")
    assert known_as(literal("**急** #1")) == known_as("**急** #1")
    assert known_as("已登记 #1") != known_as("已登记 #2")
