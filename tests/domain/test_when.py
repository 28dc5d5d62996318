"""The head of a line: how people write days and dates, and what is no date at all."""

from datetime import date

import pytest

from domain.when import When, read_when
from domain.workdays import Span, Unit
from tests.making import make_calendar

TODAY = date(2026, 3, 9)  # a Monday
APRIL = date(2026, 4, 10)


def days(count: int, rest: str) -> When:
    return When(count, None, rest)


def on(day: date, rest: str) -> When:
    return When(None, day, rest)


WRITTEN = [
    # so many working days
    ("5天 等配件", days(5, "等配件")),
    ("5天等配件", days(5, "等配件")),
    ("５天　等配件", days(5, "等配件")),
    ("5个工作日 等配件", days(5, "等配件")),
    ("5工作日等配件", days(5, "等配件")),
    ("10个工作日内 等配件", days(10, "等配件")),
    ("10天以内，等配件", days(10, "等配件")),
    ("10天之内：等配件", days(10, "等配件")),
    ("5 天 , 等配件", days(5, "等配件")),
    ("  5天\t等配件  ", days(5, "等配件")),
    ("5天", days(5, "")),
    ("0天 x", days(0, "x")),
    ("120天 等审批", days(120, "等审批")),
    ("3wd waiting for parts", days(3, "waiting for parts")),
    ("3WD waiting", days(3, "waiting")),
    ("3 days waiting", days(3, "waiting")),
    ("1 day: waiting", days(1, "waiting")),
    ("5 working days, waiting", days(5, "waiting")),
    ("1 Working Day waiting", days(1, "waiting")),
    # a date
    ("4月10日 等批复", on(APRIL, "等批复")),
    ("4月10号等批复", on(APRIL, "等批复")),
    ("4月10 等批复", on(APRIL, "等批复")),
    ("04月10日 等批复", on(APRIL, "等批复")),
    ("４月１０日 等批复", on(APRIL, "等批复")),
    ("２０２６年４月１０日，等批复", on(APRIL, "等批复")),
    ("４／１０ 等批复", on(APRIL, "等批复")),
    ("４．１０ 等批复", on(APRIL, "等批复")),
    ("４－１０ 等批复", on(APRIL, "等批复")),
    ("2026年4月10日 等批复", on(APRIL, "等批复")),
    ("2026 年 4 月 10 日 等批复", on(APRIL, "等批复")),
    ("2026-04-10 等批复", on(APRIL, "等批复")),
    ("2026/4/10等批复", on(APRIL, "等批复")),
    ("2026.4.10; 等批复", on(APRIL, "等批复")),
    ("4-10 等批复", on(APRIL, "等批复")),
    ("4/10 等批复", on(APRIL, "等批复")),
    ("4.10 等批复", on(APRIL, "等批复")),
    ("4月10日前 等批复", on(APRIL, "等批复")),
    ("4月10日之前，等批复", on(APRIL, "等批复")),
    ("4月10日以前等批复", on(APRIL, "等批复")),
    ("4月10日止 等批复", on(APRIL, "等批复")),
    ("至4月10日 等批复", on(APRIL, "等批复")),
    ("到4月10日等批复", on(APRIL, "等批复")),
    ("延至4月10日 等批复", on(APRIL, "等批复")),
    ("延到 4月10日 等批复", on(APRIL, "等批复")),
    ("截至4月10日 等批复", on(APRIL, "等批复")),
    ("until 4/10 waiting", on(APRIL, "waiting")),
    ("Until 2026-04-10, waiting", on(APRIL, "waiting")),
    ("by 4/10 waiting", on(APRIL, "waiting")),
    ("to 4-10: waiting", on(APRIL, "waiting")),
    ("4月10日", on(APRIL, "")),
    ("4月10日10点开会", on(APRIL, "10点开会")),
    # a day by its name
    ("今天 办完", on(TODAY, "办完")),
    ("今日 办完", on(TODAY, "办完")),
    ("明天等电话", on(date(2026, 3, 10), "等电话")),
    ("明日前 办完", on(date(2026, 3, 10), "办完")),
    ("到后天，等电话", on(date(2026, 3, 11), "等电话")),
    ("today: done", on(TODAY, "done")),
    ("by tomorrow waiting", on(date(2026, 3, 10), "waiting")),
    ("Tomorrow waiting", on(date(2026, 3, 10), "waiting")),
    # which year is meant
    ("12月31日 x", on(date(2026, 12, 31), "x")),
    ("3月9日 x", on(TODAY, "x")),
    ("3月8日 x", on(date(2026, 3, 8), "x")),  # a slip, not next year
    ("1月8日 x", on(date(2026, 1, 8), "x")),  # 60 days ago
    ("1月7日 x", on(date(2027, 1, 7), "x")),  # 61 days ago
    ("2026-01-07 x", on(date(2026, 1, 7), "x")),  # a year that was written is meant
    ("2027年1月7日 x", on(date(2027, 1, 7), "x")),
    # what people wrote stays as they wrote it
    ("5天 等Ａ公司５月的配件（型号／Ｂ）", days(5, "等Ａ公司５月的配件（型号／Ｂ）")),
    ("4月10日 等3月20日的会", on(APRIL, "等3月20日的会")),
    ("４月１０日 等Ａ型／Ｂ型", on(APRIL, "等Ａ型／Ｂ型")),
    ("明天 等５／Ｂ号楼", on(date(2026, 3, 10), "等５／Ｂ号楼")),
    # words of which the first character could close a date belong to what follows
    ("5天 内部协调未完成", days(5, "内部协调未完成")),
    ("5天 前置审批未完成", days(5, "前置审批未完成")),
    ("4月10日 前期工作未完成", on(APRIL, "前期工作未完成")),
    ("明天 前台办理", on(date(2026, 3, 10), "前台办理")),
]
NOT_READ = [
    "",
    "   ",
    "等配件",
    "等5天",
    "5",
    "５",
    "天",
    "五天 等配件",
    "下周五 等配件",
    "1000天 等配件",
    "-3天 等配件",
    "13月1日 等批复",
    "0月5日 等批复",
    "2月30日 等批复",
    "2月29日 等批复",  # 2026 has none
    "4月31日 等批复",
    "4月0日 等批复",
    "2026-13-01 x",
    "2026-02-29 x",
    "20260410 x",
    "4月 等批复",
    "4月101日 等批复",
    "soon",
    "until further notice",
    "1.5天 等配件", "5日 等配件",  # no January 5
    "3-5天 等配件",  # no March 5
    "2-3个工作日 等配件",
]


@pytest.mark.parametrize("text,expected", WRITTEN, ids=[text for text, _ in WRITTEN])
def test_a_day_is_read_as_people_write_it(text: str, expected: When) -> None:
    assert read_when(text, TODAY) == expected


@pytest.mark.parametrize("text", NOT_READ)
def test_what_is_no_day_is_not_taken_for_one(text: str) -> None:
    assert read_when(text, TODAY) is None


@pytest.mark.parametrize(
    "today,text,day",
    [
        (date(2026, 12, 30), "1月5日", date(2027, 1, 5)),
        (date(2026, 12, 30), "12月31日", date(2026, 12, 31)),
        (date(2026, 12, 30), "11月1日", date(2026, 11, 1)),
        (date(2027, 1, 5), "12月28日", date(2026, 12, 28)),  # eight days ago: a slip, or when those above were asked
        (date(2027, 1, 5), "10月28日", date(2027, 10, 28)),
        (date(2027, 12, 1), "2月29日", date(2028, 2, 29)),
        (date(2026, 12, 31), "明天", date(2027, 1, 1)),
        (date(2028, 2, 28), "明天", date(2028, 2, 29)),
    ],
)
def test_a_date_without_a_year_is_the_next_one_or_one_that_is_just_over(today: date, text: str, day: date) -> None:
    assert read_when(text, today) == When(None, day, "")


@pytest.mark.parametrize(
    "text,since,count",
    [
        ("5天 x", TODAY, 5),
        ("3月16日 x", TODAY, 5),
        ("3月14日 x", TODAY, 4),  # a Saturday
        ("3月9日 x", TODAY, 0),
        ("3月6日 x", TODAY, -1),
        ("4月7日 x", date(2026, 4, 3), 1),  # over the holiday
    ],
)
def test_a_day_is_counted_in_working_days_from_the_day_after_another(text: str, since: date, count: int) -> None:
    when = read_when(text, TODAY)
    assert when is not None
    assert when.span(make_calendar(), since) == Span(count, Unit.WORKING_DAYS)
