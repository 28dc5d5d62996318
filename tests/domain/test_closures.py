from datetime import UTC, date

import pytest

from domain.closures import Closing, listed, read_closing, stretches
from domain.errors import Refused
from domain.said import Said
from texts import Catalogue, render

TODAY = date(2026, 8, 19)


def days(*texts: str) -> tuple[date, ...]:
    return tuple(date.fromisoformat(text) for text in texts)


@pytest.mark.parametrize(
    "said, first, last, reason",
    [
        ("8月20日 台风", "2026-08-20", "2026-08-20", "台风"),
        ("8月20日", "2026-08-20", "2026-08-20", ""),
        ("８月２０日　台风", "2026-08-20", "2026-08-20", "台风"),
        ("8/20 typhoon", "2026-08-20", "2026-08-20", "typhoon"),
        ("2026-08-20 typhoon warning", "2026-08-20", "2026-08-20", "typhoon warning"),
        ("明天 台风", "2026-08-20", "2026-08-20", "台风"),
        ("8月18日 停电", "2026-08-18", "2026-08-18", "停电"),  # yesterday, not next year
        ("1月5日 年会", "2027-01-05", "2027-01-05", "年会"),
        ("8月20日-8月21日 台风", "2026-08-20", "2026-08-21", "台风"),
        ("8月20日至8月21日 台风", "2026-08-20", "2026-08-21", "台风"),
        ("8月20日到21日 台风", "2026-08-20", "2026-08-21", "台风"),
        ("8月20-21日，台风", "2026-08-20", "2026-08-21", "台风"),
        ("8月20日—8月21日 台风", "2026-08-20", "2026-08-21", "台风"),
        ("8/20 - 8/21 flood", "2026-08-20", "2026-08-21", "flood"),
        ("8/20 to 8/21 flood", "2026-08-20", "2026-08-21", "flood"),
        ("2026-08-20 - 2026-08-21 flood", "2026-08-20", "2026-08-21", "flood"),
        ("8月31日-9月1日 防汛", "2026-08-31", "2026-09-01", "防汛"),
        ("8月20日 台风\n第二行", "2026-08-20", "2026-08-20", "台风 第二行"),
    ],
)
def test_days_and_reason_are_read(said: str, first: str, last: str, reason: str) -> None:
    closing = read_closing(said, TODAY)
    assert (closing.days[0], closing.days[-1]) == days(first, last)
    assert (closing.reason, closing.reopens) == (reason, False)


def test_every_day_of_a_stretch_is_meant() -> None:
    assert read_closing("12月30日-1月2日 检修", date(2026, 12, 20)).days == days(
        "2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02"
    )


@pytest.mark.parametrize("word", ["取消", "撤销", "恢复", "不停工了", "cancel", "Undo", "取消。"])
def test_a_closure_is_taken_back_by_one_word(word: str) -> None:
    assert read_closing(f"8月20日 {word}", TODAY) == Closing(days("2026-08-20"), reopens=True)
    assert read_closing(f"8月20日-21日 {word}", TODAY) == Closing(days("2026-08-20", "2026-08-21"), reopens=True)


def test_a_reason_that_begins_like_that_word_is_a_reason() -> None:
    assert read_closing("8月20日 取消年会的检修", TODAY).reason == "取消年会的检修"


@pytest.mark.parametrize(
    "said, key",
    [
        ("台风", "closure.unclear"),
        ("3天 台风", "closure.unclear"),
        ("13月45日", "closure.unclear"),
        ("8月20日-45日 台风", "closure.unclear"),
        ("8月20日-8月19日 台风", "closure.too_long"),
        ("8月20日-9月30日 台风", "closure.too_long"),
        ("2026-06-01 台风", "closure.too_far"),
        ("2028-08-20 台风", "closure.too_far"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_right_form(said: str, key: str) -> None:
    with pytest.raises(Refused) as refused:
        read_closing(said, TODAY)
    assert refused.value.key == key
    catalogue = Catalogue.load(strict=True)
    for language in ("zh", "en"):
        assert render(catalogue, Said(refused.value.key, refused.value.facts), language, UTC)


def test_neighbouring_days_are_told_as_one_stretch() -> None:
    told = listed(stretches(days("2026-08-21", "2026-08-20", "2026-08-24", "2026-08-20")))
    assert told is not None
    assert render(Catalogue.load(strict=True), told, "zh", UTC) == "8月20日（周四）至8月21日（周五）、8月24日（周一）"
    assert listed(stretches(())) is None
