"""Whom a policy concerns, what the coordinator's form says, and what is wrong with it."""

from __future__ import annotations

import contextlib
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.grams import grams, ranked, rarest, weights
from domain.people import Enterprise
from domain.policy import Audience, Content, notice_facts, wanting_facts
from domain.policy_dates import read_moment, read_window
from domain.policy_form import UNREAD, Faults, read_audience, read_draft, read_fields
from domain.said import Said
from tests.making import ZONE

NOW = datetime(2026, 3, 11, 10, 0, tzinfo=ZONE)
TODAY = NOW.date()
FULL = """标题：设备更新补助开始申报
文号：园管发〔2026〕4号
正文：去年买新设备满100万元，可按10%申请补助，最高50万元。
链接：https://park.example.cn/zc/4
惠及对象：行业=机械,食品；规模=规上；片区=大树营；标签=高新
申报条件：发票在2025年内，设备已投用
申报时间：3月16日至4月15日
兑现时限：公示后20个工作日
受理地址：政务大厅3号窗口
咨询电话：经发科 0738-1234567
材料：发票、照片
发布时间：3月12日 9:00"""


# Whom it concerns ---------------------------------------------------------------------------------------------------
WORDS = st.sampled_from(["机械", "食品", "化工", "规上", "小微", "大树营", "河西", "高新", "专精特新"])
FACET = st.lists(WORDS, max_size=3, unique=True).map(tuple)
FIRMS = st.builds(
    Enterprise,
    id=st.just(1),
    name=st.just("甲"),
    short_name=st.just("甲"),
    industry=WORDS | st.just(""),
    size=WORDS | st.just(""),
    zone=WORDS | st.just(""),
    tags=st.frozensets(WORDS, max_size=3),
)


@given(audience=st.builds(Audience, FACET, FACET, FACET, FACET), firm=FIRMS)
def test_a_firm_matches_when_each_facet_that_says_something_says_it_of_the_firm(
    audience: Audience, firm: Enterprise
) -> None:
    meets_all = True
    if audience.industries and firm.industry not in audience.industries:
        meets_all = False
    if audience.sizes and firm.size not in audience.sizes:
        meets_all = False
    if audience.zones and firm.zone not in audience.zones:
        meets_all = False
    if audience.tags and not firm.tags.intersection(audience.tags):
        meets_all = False
    assert audience.matches(firm) is meets_all


@given(firm=FIRMS)
def test_an_audience_without_facets_is_everybody(firm: Enterprise) -> None:
    assert Audience(words="园区企业").matches(firm)
    assert Audience().everybody


def test_a_short_word_fits_the_longer_one_of_the_roster_but_not_the_other_way() -> None:
    firm = Enterprise(1, "甲", "甲", zone="大树营片区", tags=frozenset({"高新技术企业"}))
    assert Audience(zones=("大树营",), tags=("高新",)).matches(firm)
    assert not Audience(zones=("大树营片区东段",)).matches(firm)


def test_words_that_fit_no_firm_are_named() -> None:
    firms = [Enterprise(1, "甲", "甲", industry="机械"), Enterprise(2, "乙", "乙", industry="食品", zone="河西")]
    assert Audience(industries=("机械", "机戒"), zones=("机械",)).unknown(firms) == ("机戒", "机械")


# The form -----------------------------------------------------------------------------------------------------------
def read(text: str) -> Content:
    return read_draft(read_fields(text, first=True), NOW).content


def faults_of(text: str) -> list[str]:
    with pytest.raises(Faults) as caught:
        read(text)
    return [sentence.key.removeprefix("policy.fault_") for sentence in caught.value.sentences]


def test_a_full_form_is_read_line_by_line() -> None:
    draft = read_draft(read_fields(FULL, first=True), NOW)
    content = draft.content
    assert (content.title, content.doc_no) == ("设备更新补助开始申报", "园管发〔2026〕4号")
    assert content.audience == Audience(("机械", "食品"), ("规上",), ("大树营",), ("高新",))
    assert content.url == "https://park.example.cn/zc/4"
    assert content.closes_on == date(2026, 4, 15)
    assert content.fields["materials"] == "发票、照片"
    assert draft.post_at == datetime(2026, 3, 12, 9, 0, tzinfo=ZONE)


GOOD: list[tuple[str, str, object]] = [
    ("标题：甲\n正文：乙", "title", "甲"),
    ("正文：乙\n标题：甲", "title", "甲"),
    ("标题:甲\n正文:乙", "body", "乙"),
    ("title: A\ntext: b", "title", "A"),
    ("Title : A\nSummary：b", "body", "b"),
    ("设备补助\n正文：乙", "title", "设备补助"),
    ("标题：甲\n一句话：乙", "body", "乙"),
    ("标题：甲\n正文：乙\n还有一行：丙", "body", "乙\n还有一行：丙"),
    ("标题：甲\n\n  正文： 乙  ", "body", "乙"),
    ("· 标题：甲\n· 正文：乙", "title", "甲"),
    ("标题：甲\n正文：乙\n文号：", "doc_no", ""),
    ("请复制下面的表\n标题：甲\n正文：乙", "title", "甲"),
    ("标题：甲\n正文：乙\n链接：\nhttps://a.cn/1?b=c", "url", "https://a.cn/1?b=c"),
    ("标题：甲\n正文：乙\nDoc No: 园〔2026〕1号", "doc_no", "园〔2026〕1号"),
    ("标题：甲\n正文：乙\n对象：全部企业", "audience", Audience()),
    ("标题：甲\n正文：乙\n惠及对象：园区规上工业企业", "audience", Audience(words="园区规上工业企业")),
    ("标题：甲\n正文：乙\n对象：行业＝机械、食品;规模＝", "audience", Audience(industries=("机械", "食品"))),
    ("标题：甲\n正文：乙\n对象：industry=a/b zone=c", "audience", Audience(("a", "b"), (), ("c",))),
    ("标题：甲\n正文：乙\n申报时间：长期", "closes_on", None),
]

BAD: list[tuple[str, list[str]]] = [
    ("文号：1", ["missing", "missing"]),
    ("标题：甲", ["missing"]),
    ("标题：……\n正文：乙", ["missing"]),
    (f"标题：{'甲' * 61}\n正文：乙", ["long"]),
    (f"标题：甲\n正文：{'乙' * 801}", ["long"]),
    ("标题：甲\n第二行\n正文：乙", ["lines"]),
    ("标题：甲\n正文：乙\n链接：park.cn", ["url"]),
    ("标题：甲\n正文：乙\n链接：https://a.cn 见附件", ["url"]),
    ("标题：甲\n正文：乙\n对象：产值=1亿", ["facet"]),
    ("标题：甲\n正文：乙\n申报时间：下个月", ["window"]),
    ("标题：甲\n正文：乙\n申报时间：3月32日至4月15日", ["window"]),
    ("标题：甲\n正文：乙\n申报时间：2026-04-15~2026-03-16", ["window"]),
    ("标题：甲\n正文：乙\n申报时间：2月1日至3月10日", ["closed"]),
    ("标题：甲\n正文：乙\n申报时间：至3月20日\n发布时间：3月21日 9:00", ["closed"]),
    ("标题：甲\n正文：乙\n发布时间：回头", ["post_at"]),
    ("标题：甲\n正文：乙\n发布时间：3月12日 25:00", ["post_at"]),
    ("标题：甲\n正文：乙\n发布时间：3月10日 9:00", ["past"]),
    ("标题：甲\n正文：乙\n发布时间：今天 9:59", ["past"]),
    ("链接：x\n申报时间：y\n发布时间：z", ["missing", "missing", "url", "window", "post_at"]),
]


@pytest.mark.parametrize("text,name,value", GOOD)
def test_the_form_takes_what_people_write(text: str, name: str, value: object) -> None:
    assert getattr(read(text), name) == value


@pytest.mark.parametrize("text,wrong", BAD)
def test_everything_wrong_is_named_at_once(text: str, wrong: list[str]) -> None:
    assert faults_of(text) == wrong


def test_a_later_line_without_a_label_is_told_and_not_taken_for_the_title() -> None:
    assert read_fields("好的", first=False) == {UNREAD: "好的"}
    assert "unread" in faults_after({"title": "甲", "body": "乙"}, "好的")


def faults_after(before: dict[str, str], text: str) -> list[str]:
    with pytest.raises(Faults) as caught:
        read_draft(before | read_fields(text, first=False), NOW)
    return [sentence.key.removeprefix("policy.fault_") for sentence in caught.value.sentences]


@given(st.text(max_size=200))
def test_no_text_breaks_the_form(text: str) -> None:
    with contextlib.suppress(Faults):
        assert read_draft(read_fields(text, first=True), NOW).content.title


@given(st.text(alphabet="0123456789年月日-/.至到~ :点半上下午明天前止", max_size=20))
def test_no_date_breaks_the_grammar(text: str) -> None:
    with contextlib.suppress(ValueError):
        read_window(text, TODAY)
    with contextlib.suppress(ValueError):
        read_moment(text, NOW)


# Dates --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text,last",
    [
        ("3月16日至4月15日", date(2026, 4, 15)),
        ("2026-03-16~2026-04-15", date(2026, 4, 15)),
        ("2026年3月16日—4月15日", date(2026, 4, 15)),
        ("2026/3/16-2026/4/15", date(2026, 4, 15)),
        ("３月１６日～３１日", date(2026, 3, 31)),
        ("3.16-4.15", date(2026, 4, 15)),
        ("即日起至4月15日止", date(2026, 4, 15)),
        ("4月15日前", date(2026, 4, 15)),
        ("until 2026-04-15", date(2026, 4, 15)),
        ("2026年12月20日至1月15日", date(2027, 1, 15)),
        ("至1月5日", date(2027, 1, 5)),
        ("常年受理", None),
    ],
)
def test_a_window_ends_on_its_last_day(text: str, last: date | None) -> None:
    assert read_window(text, TODAY) == last


def test_a_window_over_the_turn_of_the_year_ends_in_the_next_one() -> None:
    assert read_window("12月20日至1月15日", date(2026, 12, 10)) == date(2027, 1, 15)
    assert read_window("12月20日至1月15日", date(2027, 1, 3)) == date(2027, 1, 15)


@pytest.mark.parametrize(
    "text,at",
    [
        ("立即", None),
        ("", None),
        ("Now", None),
        ("3月12日 9:00", "2026-03-12T09:00"),
        ("3月12日（周四）９：００", "2026-03-12T09:00"),
        ("2026-03-12 14:30", "2026-03-12T14:30"),
        ("明天 9:00", "2026-03-12T09:00"),
        ("明天下午3点半", "2026-03-12T15:30"),
        ("后天上午9点", "2026-03-13T09:00"),
        ("10:30", "2026-03-11T10:30"),
        ("3月12日", "2026-03-12T00:00"),
        ("1月5日 9:00", "2027-01-05T09:00"),
    ],
)
def test_a_posting_time_is_read(text: str, at: str | None) -> None:
    moment = read_moment(text, NOW)
    assert moment == (datetime.fromisoformat(at).replace(tzinfo=ZONE) if at else None)


# How it reads -------------------------------------------------------------------------------------------------------
def test_the_notice_always_shows_the_five_things_in_three_lines_when_given() -> None:
    facts = notice_facts(read(FULL))
    shown = [facts["who"], facts["when"], facts["where"]]
    parts = [part for line in shown if isinstance(line, Said) for part in line.facts.values() if isinstance(part, Said)]
    assert [part.key.removeprefix("policy.part_") for part in parts] == [
        "audience",
        "conditions",
        "window",
        "time_limit",
        "address",
        "phone",
    ]
    assert parts[0].facts["value"] == "机械、食品；规上；大树营；高新"


def test_what_is_not_given_leaves_no_line() -> None:
    facts = notice_facts(read("标题：甲\n正文：乙\n咨询电话：123"))
    assert facts["who"] is None
    assert facts["when"] is None
    assert facts["where"] == Said("policy.part_phone", {"value": "123"})


def test_who_wants_to_apply_after_the_last_day_hears_that_it_is_over() -> None:
    content = read(FULL)
    assert wanting_facts(content, date(2026, 4, 15))["closed"] is None
    assert wanting_facts(content, date(2026, 4, 16))["closed"] == Said("policy.closed")


def test_an_audience_is_described_or_narrowed_or_both() -> None:
    both = read_audience("规上工业企业；行业=机械")
    assert (both.words, both.industries) == ("规上工业企业", ("机械",))
    assert both.shown == "规上工业企业"


# Search -------------------------------------------------------------------------------------------------------------
def test_pairs_of_characters_ignore_width_case_and_marks() -> None:
    assert grams("用电，ＰＶ!") == {"用电", "pv"}
    assert grams("电") == {"电"}
    assert grams("——") == frozenset()


def test_a_pair_counts_for_its_weightiest_part() -> None:
    assert weights([("用电", 3), ("用电补贴", 1)]) == {"用电": 3, "电补": 1, "补贴": 1}


def test_rare_pairs_say_more_than_common_ones() -> None:
    frequencies = {"补贴": 90, "用电": 1}
    assert rarest(frequencies, 1) == ("用电",)
    assert ranked([(1, "补贴", 1), (2, "用电", 1)], frequencies, 100) == (2,)
    assert ranked([(1, "补贴", 1), (2, "用电", 1)], frequencies, 100, least=0) == (2, 1)
