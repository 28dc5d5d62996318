"""Bad input through the whole program: one clear answer that says what would be right, and nothing changes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.stories.town import Town

BOSS, OTHER_BOSS, LIAISON, OFFICE, INSPECTOR = "张建国", "陈和顺", "王敏", "周芳", "吴检"
MULTI, SINGLE = "大树营联企群", "宏达机械联企群"
PHOTO = {"hash": "a" * 64, "name": "现场.jpg", "media_type": "image/jpeg"}
TABLES = (
    "appeals",
    "events",
    "event_texts",
    "event_files",
    "rungs",
    "requests",
    "people",
    "person_roles",
    "enterprises",
    "contacts",
    "invites",
    "policies",
    "policy_presses",
)


@dataclass(frozen=True)
class Case:
    """Who says or presses what where; `key` is the answer's (None: silence), `names` what its words must name."""

    name: str
    who: str
    text: str = ""
    key: str | None = None
    names: tuple[str, ...] = ()
    where: str = ""
    button: str | None = None
    more: dict[str, Any] = field(default_factory=dict)


def refused(name: str, who: str, text: str, key: str, *names: str, **more: Any) -> Case:
    return Case(name, who, text, key, names, **more)


CASES = (
    # What cannot be read as a matter.
    refused("an appeal of a symbol", BOSS, "诉求 ★☆★", "refused.no_words", "一句话"),
    refused("an empty appeal", BOSS, "诉求", "ask.appeal", "取消"),
    refused("an appeal of blanks", BOSS, "诉求   \n\t ", "ask.appeal", "取消"),
    refused("an appeal of punctuation", BOSS, "诉求 ？？？！！！", "ask.appeal", "取消"),
    refused(
        "an appeal of ten thousand characters", BOSS, "诉求 " + "电" * 10_000, "refused.too_long", "3000", "分几次"
    ),
    refused("an appeal one character too long", BOSS, "诉求 " + "电" * 3001, "refused.too_long", "3001"),
    refused("an appeal of control characters", BOSS, "诉求 \x00\x01\x1b\x7f", "ask.appeal", "取消"),
    refused("an appeal of direction characters", BOSS, "诉求 \u202e\u2066\u2069\u200b", "ask.appeal", "取消"),
    refused("an inquiry without a question", BOSS, "咨询", "ask.inquiry", "取消"),
    refused("a complaint without a word", BOSS, "投诉", "ask.complaint", "哪个部门"),
    refused("a suggestion without a word", BOSS, "建议", "ask.suggestion", "取消"),
    refused("an unknown command", BOSS, "/开门", "help.all", "开门"),
    refused("an unknown English command", BOSS, "/open_sesame now", "help.all", "open_sesame"),
    refused("an unknown command in a group", BOSS, "/开门", "refused.unknown_command", "开门", "帮助", where=SINGLE),
    refused("a sentence that is no command", BOSS, "车间又停电了", "ask.file", "登记"),
    refused("markup instead of words", BOSS, "<b>车间</b> <script>alert(1)</script>", "ask.file", "登记"),
    refused("a call to everybody", BOSS, "@all 都来看", "ask.file", "登记"),
    # Numbers.
    refused("another firm's number", BOSS, "进度 2", "refused.not_found", "#2", "我的"),
    refused("a number that does not exist", BOSS, "进度 99", "refused.not_found", "#99", "我的"),
    refused("a huge number", BOSS, "进度 999999999", "refused.not_found", "我的"),
    refused("another firm's number to withdraw", BOSS, "撤回 2", "refused.not_found", "#2"),
    refused("another firm's number to rate", BOSS, "满意 2", "refused.not_found", "#2"),
    refused("another firm's number to supplement", BOSS, "补充 2 我也来说", "refused.not_found", "#2"),
    refused("another firm's history", OTHER_BOSS, "回溯 1", "refused.not_found", "#1"),
    refused("another firm's number in a group", OTHER_BOSS, "进度 1", "refused.not_found", "#1", where=MULTI),
    refused("a sealed number that does not exist", BOSS, "进度 M-7K3Q9X", "refused.not_found", "M-7K3Q9X"),
    # Roles.
    refused("an owner takes a matter on", BOSS, "接单 1", "refused.not_yours", "进度 1"),
    refused("an owner reports progress", BOSS, "进展 1 快好了", "refused.not_yours", "进度 1"),
    refused("an owner says that it is done", BOSS, "办结 1 好了", "refused.not_yours", "进度 1"),
    refused("an owner notes for the office", BOSS, "备注 1 内部", "refused.not_yours", "进度 1"),
    refused("an owner dispatches", BOSS, "派单 1 李强", "refused.not_yours", "进度 1"),
    refused("an owner wants the ledger", BOSS, "台账", "refused.not_for_you", "帮助"),
    refused("an owner publishes a policy", BOSS, "发布", "refused.not_for_you", "帮助"),
    refused("an owner wants the firms without liaison", BOSS, "无挂钩", "refused.not_for_you", "帮助"),
    refused("an owner wants the digest", BOSS, "日报", "refused.not_for_you", "帮助"),
    refused("a cadre rates for the firm", LIAISON, "满意 3", "refused.not_yours", "进度 3"),
    refused("a cadre rejects for the firm", LIAISON, "不满意 3 不行", "refused.not_yours", "进度 3"),
    refused("a cadre withdraws for the firm", LIAISON, "撤回 1", "refused.not_yours", "进度 1"),
    refused("a cadre raises a matter of his own", LIAISON, "诉求 停电", "refused.not_for_you", "帮助"),
    refused("a cadre dispatches", LIAISON, "派单 1 李强", "refused.not_yours", "进度 1"),
    refused("a cadre wants the ledger", LIAISON, "台账", "refused.not_for_you", "帮助"),
    refused("a coordinator rates", OFFICE, "满意 3", "refused.not_yours", "进度 3"),
    refused("a coordinator takes a matter on", OFFICE, "接单 1", "refused.not_yours", "进度 1"),
    refused("an inspector works on a matter", INSPECTOR, "办结 1 好了", "refused.not_yours", "进度 1"),
    refused("another liaison takes it", "郑老师", "接单 1", "refused.not_found", "#1"),
    # The wrong moment.
    refused("rating before it is done", BOSS, "满意 1", "refused.status", "满意"),
    refused("rating again what is closed", BOSS, "满意 4", "refused.status", "已销号"),
    refused("finishing what was not taken on", LIAISON, "办结 1 好了", "refused.status", "待接单"),
    refused("taking on twice", LIAISON, "接单 3", "refused.status", "待评价"),
    refused("returning what was taken on", LIAISON, "退单 3 不归我管", "refused.status", "待评价"),
    refused("withdrawing what is closed", BOSS, "撤回 4", "refused.status", "已销号"),
    refused("undoing what was never withdrawn", BOSS, "撤销 1", "refused.status"),
    refused("releasing where nothing waits", OFFICE, "放行 1", "refused.nothing_held", "#1"),
    refused("approving where nothing was asked", OFFICE, "批准 1", "refused.nothing_asked", "#1"),
    refused("denying where nothing was asked", OFFICE, "不同意 1 不行", "refused.nothing_asked", "#1"),
    refused("a call noted where no answer is awaited", OFFICE, "回访 1 满意", "refused.follow_up_not_asked", "待接单"),
    # What is missing is asked for.
    refused("dissatisfied without a reason", BOSS, "不满意 3", "ask.dissatisfied", "原因"),
    refused("done before it was taken on", LIAISON, "办结 2", "refused.status", "待接单"),
    refused("returned without a reason", LIAISON, "退单 1", "ask.return", "为什么"),
    refused("progress before it was taken on", LIAISON, "进展 1", "refused.status", "待接单"),
    refused("a supplement without content", BOSS, "补充 1", "ask.supplement", "照片"),
    refused("dispatched to nobody", OFFICE, "派单 1", "ask.whom", "派单 1"),
    refused("recorded for nobody", LIAISON, "代录", "ask.record", "代录"),
    # Names that fit nobody.
    refused(
        "dispatched to an unknown person", OFFICE, "派单 1 王小二 快办", "refused.person_unknown", "王小二", "部门"
    ),
    refused("dispatched to an owner", OFFICE, "派单 1 张建国 快办", "refused.person_unknown", "张建国"),
    refused("an unknown category", OFFICE, "改类 1 天气", "refused.category_unknown", "天气"),
    refused("recorded for an unknown firm", LIAISON, "代录 不存在公司 停电", "refused.firm_unknown", "不存在公司"),
    refused(
        "a call with an unknown outcome", OFFICE, "回访 3 还行吧", "refused.follow_up_unknown", "还行吧", "无人接听"
    ),
    refused("a ledger of an unknown time", OFFICE, "台账 前天", "ledger.period_unknown", "前天"),
    # Buttons that lianqi never made, or made for others.
    refused("a forged verb", BOSS, "", "refused.button_unknown", "帮助", button="format_disk:1:1"),
    refused("a truncated button", BOSS, "", "refused.button_unknown", "帮助", button="satis"),
    refused("an empty button", BOSS, "", "refused.button_unknown", "帮助", button=""),
    refused("a button with another firm's number", BOSS, "", "refused.not_found", "#2", button="withdraw:2:2"),
    refused("a handler's button pressed by the owner", BOSS, "", "refused.not_yours", button="acknowledge:1:2"),
    refused("a firm's button pressed by the cadre", LIAISON, "", "refused.not_yours", button="satisfied:3:4"),
    refused("a button from before it was done", LIAISON, "", "refused.outdated", "待评价", button="acknowledge:3:2"),
    refused(
        "a button whose choice is made up", OFFICE, "", "refused.choice_gone", "姓名", button="dispatch:1:2:person-4040"
    ),
    refused("a choice of no verb", BOSS, "", "refused.button_unknown", "帮助", button="pick:1::nonsense"),
    # Strangers, and groups that nobody approved.
    refused("a stranger asks for a number", "路人", "进度 1", "joining.unknown", "绑定"),
    refused("a stranger guesses a code", "路人", "绑定 AAAA-AAAA-AA", "joining.wrong_code"),
    Case("an unapproved group", BOSS, "诉求 停电", None, where="别处的群"),
    Case("nobody with authority", "", "诉求 停电", None, where=SINGLE),
    Case("people talk among themselves", BOSS, "建议大家中午一起吃饭", None, where=SINGLE),
    Case("somebody mentions his car", BOSS, "我的车坏了", None, where=MULTI),
    refused("nothing to cancel", BOSS, "取消", "help.nothing_to_cancel"),
    # Numbers that are none.
    refused("number nought", BOSS, "撤回 0", "refused.not_found", "#0", "我的"),
    refused("a number of ten digits", BOSS, "进度 1234567890", "ask.which", "发编号"),
    refused("a number of another year's paper", BOSS, "撤回 LQ-2031-00002", "refused.not_found", "#2", "我的"),
    refused("a number in Chinese numerals", BOSS, "进度 第二件", "ask.which", "发编号"),
    refused("a number with letters", BOSS, "进度 1abc", "ask.which", "发编号"),
    # Buttons at the wrong time or in wrong hands.
    refused("a confirmation of nothing", BOSS, "确认", "refused.nothing_to_confirm", "再发一次"),
    refused("a pressed confirmation of nothing", BOSS, "", "refused.nothing_to_confirm", button="confirm::"),
    refused("a firm chosen where none was asked", BOSS, "", "refused.nothing_to_confirm", button="confirm:::2"),
    refused("a button of five thousand characters", BOSS, "", "refused.button_unknown", "帮助", button="a" * 5000),
    refused("a button with a second command in it", BOSS, "", "refused.button_unknown", button="urge:1:2\nclose:1:2"),
    refused("a button with a version of the far future", LIAISON, "", "refused.status", button="acknowledge:3:99999"),
    refused("a choice of a foreign matter", BOSS, "", "refused.not_found", "#2", button="pick:2::withdraw"),
    refused("a choice that would publish", BOSS, "", "refused.not_for_you", "帮助", button="pick:::publish"),
    refused("a dispatch chosen by an owner", BOSS, "", "refused.not_yours", button="dispatch:1:2:person-1"),
    refused("a dispatch to a made-up kind", OFFICE, "", "refused.choice_gone", "部门", button="dispatch:1:2:ghost-1"),
    refused("a dispatch to an owner by button", OFFICE, "", "refused.choice_gone", button="dispatch:1:2:person-11"),
    refused("a stranger presses a button", "路人", "", "joining.unknown", "绑定", button="satisfied:3:4"),
    Case("nobody with authority presses a button", "", "", None, where=SINGLE, button="satisfied:3:4"),
    Case("a button pressed in an unapproved group", BOSS, "", None, where="别处的群", button="withdraw:1:2"),
    # What is said to others.
    Case("a command to another bot", BOSS, "/诉求@other_bot 停电", None, where=SINGLE),
    Case("a bare word that fits nothing", OTHER_BOSS, "满意", None, where=MULTI),
    Case("a bare word of another trade", BOSS, "接单", None, where=MULTI),
    Case("an edited command", BOSS, "撤回 1", None, more={"edited": True}),
    Case("a picture among people", BOSS, "", None, where=MULTI, more={"attachments": [PHOTO]}),
    Case("nothing at all", BOSS, "", None),
    Case("nothing but blanks", BOSS, " \n\t ", None),
    # Words that are no verdict, names that are no names.
    refused("almost a verdict on the phone", OFFICE, "回访 3 满意度一般", "refused.follow_up_unknown", "无人接听"),
    refused("a rejection on the phone without a reason", OFFICE, "回访 3 不满意", "ask.follow_up_reason", "原因"),
    refused("dispatched by a wildcard", OFFICE, "派单 1 %", "refused.person_unknown", "部门"),
    refused("dispatched by a quotation mark", OFFICE, "派单 1 ' OR 1=1", "refused.person_unknown", "部门"),
    refused("handed over to nobody known", LIAISON, "转办 1 天王老子 他能办", "refused.person_unknown", "天王老子"),
    refused("handed over to himself", LIAISON, "转办 1 王敏 还是我", "refused.same_owner", "#1"),
    refused("handed over without a reason", LIAISON, "转办 1 县供电公司", "ask.transfer_reason", "理由"),
    refused("recorded for every firm", LIAISON, "代录 % 停电", "refused.firm_unknown", "%"),
    refused("recorded for several firms", LIAISON, "代录 有限公司 停电", "refused.firm_unclear", "全称"),
    refused("recorded without a word", LIAISON, "代录 宏达机械 ？？？", "refused.no_words", "一句话"),
    refused("a category of all", OFFICE, "改类 1 ·", "refused.category_unknown", "改类"),
    refused("a category for what is closed", OFFICE, "改类 4 用电", "refused.status", "已销号"),
    # Too long.
    refused("a supplement of ten thousand characters", BOSS, "补充 1 " + "电" * 10_000, "refused.too_long", "3000"),
    refused("a sentence of ten thousand characters", BOSS, "电" * 10_000, "refused.too_long", "3000"),
    refused("a reason of ten thousand characters", BOSS, "不满意 3 " + "差" * 10_000, "refused.too_long", "3000"),
    refused("a command word of ten thousand characters", BOSS, "/" + "开" * 10_000, "help.all", "开开开"),
    refused("a sentence of emoji alone", BOSS, "😀😀👍🏽👨‍👩‍👧", "refused.no_words", "一句话"),
    refused("a cadre's emoji", LIAISON, "👍", "refused.no_words"),
)


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    """#1 waits to be taken on, #2 is another firm's, #3 waits for the firm's answer, #4 is closed."""
    opened = await Town.open()
    await opened.says(BOSS, "诉求 车间电压低")
    await opened.says(OTHER_BOSS, "诉求 门口停电")
    for number, words in (("3", "诉求 变压器太吵"), ("4", "诉求 车间停电")):
        await opened.says(BOSS, words)
        await opened.says(LIAISON, f"接单 {number}")
        await opened.says(LIAISON, f"办结 {number} 已处理")
    await opened.says(BOSS, "满意 4")
    yield opened
    await opened.close()


async def everything(town: Town) -> dict[str, list[dict[str, Any]]]:
    """All that bad input must leave alone, to the byte."""
    return {table: [dict(row) for row in await town.all(f"SELECT * FROM {table}")] for table in TABLES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_bad_input_is_answered_and_changes_nothing(town: Town, case: Case) -> None:
    before = await everything(town)
    answers = await town.says(case.who, case.text, where=case.where, button=case.button, **case.more)
    heard = [line for line in answers if line.listener in (case.who, case.where)]
    assert await everything(town) == before
    if case.key is None:
        assert heard == []
        return
    assert [line.key for line in heard if line.key != "reply.sent_privately"] == [case.key]
    spoken = "\n".join(line.text for line in heard)
    assert [name for name in case.names if name not in spoken] == []


def test_there_are_enough_cases_and_no_two_alike() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60
