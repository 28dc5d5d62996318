"""How facts become words."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.said import Fact, Said
from tests.errors import ExpectedErrors
from texts import Catalogue, Text, TextError, render

STRICT = Catalogue.load(strict=True)
ZONE = ZoneInfo("Asia/Shanghai")
THURSDAY = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)


def say(template: str, facts: Mapping[str, Fact], language: str = "zh", *, strict: bool = True) -> str:
    texts = {**STRICT.texts, "trial.text": Text(template, template)}
    return render(replace(STRICT, texts=texts, strict=strict), Said("trial.text", facts), language, ZONE)


@pytest.mark.parametrize(
    "template, fact, zh, en",
    [
        ("{x:when}", THURSDAY, "3月12日（周四）17:30", "Thu 12 Mar 17:30"),
        ("{x}", THURSDAY, "3月12日（周四）17:30", "Thu 12 Mar 17:30"),
        ("{x:day}", THURSDAY, "3月12日（周四）", "Thu 12 Mar"),
        ("{x:date}", THURSDAY, "2026年3月12日", "12 Mar 2026"),
        ("{x:time}", THURSDAY, "17:30", "17:30"),
        ("{x:day}", date(2026, 3, 15), "3月15日（周日）", "Sun 15 Mar"),
        ("{x:when}", date(2026, 12, 1), "12月1日（周二）", "Tue 1 Dec"),
        ("{x:percent}", 0.875, "87.5%", "87.5%"),
        ("{x:percent}", 1, "100%", "100%"),
        ("{x}", 2.50, "2.5", "2.5"),
        ("{x}", 1234567.5, "1234567.5", "1234567.5"),
        ("{x}", 0, "0", "0"),
        ("{x}", True, "是", "yes"),
        ("{x}", Said("status.resolved.firm"), "请您确认", "please confirm"),
        ("{x}", ("一", Said("word.no")), "一\n否", "一\nno"),
        ("{x}", "{not} a hole", "{not} a hole", "{not} a hole"),
        ("{x:said}", "停电", "“停电”", "“停电”"),
        ("{x:said}", "停电\n办结时限：明年", "“停电\n│ 办结时限：明年”", "“停电\n│ 办结时限：明年”"),
        ("{x}", "停电\n办结时限：明年", "停电\n│ 办结时限：明年", "停电\n│ 办结时限：明年"),
        ("{x:plain}", "停电\n明天来电", "停电\n明天来电", "停电\n明天来电"),
    ],
)
def test_a_fact_is_said_in_the_listeners_language(template: str, fact: Fact, zh: str, en: str) -> None:
    assert say(template, {"x": fact}) == zh
    assert say(template, {"x": fact}, "en") == en


def test_the_day_is_the_civil_one() -> None:
    assert say("{x:day}", {"x": datetime(2026, 3, 12, 16, 0, tzinfo=UTC)}) == "3月13日（周五）"


@pytest.mark.parametrize("nothing", [None, "", (), ("", "")])
def test_a_line_whose_holes_are_all_empty_is_left_out(nothing: Fact) -> None:
    template = "一\n照片：{photos}\n{a}和{photos}\n二"
    assert say(template, {"photos": nothing, "a": "甲"}) == "一\n甲和\n二"


def test_a_zero_is_not_empty() -> None:
    assert say("新增{n}", {"n": 0}) == "新增0"


def test_a_language_that_is_not_spoken_is_answered_in_chinese() -> None:
    assert say("{x}", {"x": True}, "fr") == "是"


@pytest.mark.parametrize(
    "template, facts",
    [
        ("{x}", {}),
        ("{x:time}", {"x": datetime(2026, 3, 12)}),  # noqa: DTZ001 - the naive datetime is the point
        ("{x:percent}", {"x": THURSDAY}),
        ("{x}", {"x": Said("no.such.text")}),
    ],
)
def test_a_fact_that_does_not_fit_is_an_error_in_tests_and_a_gap_in_production(
    template: str, facts: Mapping[str, Fact], expected_errors: ExpectedErrors
) -> None:
    with pytest.raises(TextError):
        say(template, facts)
    expected_errors.expect("text trouble")
    assert say(f"一{template}二", facts, strict=False) == "一「…」二"


def test_a_message_without_a_text_still_tells_its_facts(expected_errors: ExpectedErrors) -> None:
    expected_errors.expect("there is no text gone.key")
    catalogue = Catalogue.load()
    assert (
        render(catalogue, Said("gone.key", {"number": "12", "title": "停电"}), "zh", ZONE) == "「…」 12 停电"
    )
