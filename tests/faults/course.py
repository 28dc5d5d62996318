"""What people say and press so that every command is heard once at least, and succeeds; most of it on one morning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.channel import Undeliverable
from domain.verbs import Verb
from tests.faults.tours import image
from tests.handlers.test_policies import FORM
from tests.making import ZONE
from tests.stories.test_undelivered import failing
from tests.stories.town import Said, Town

Body = Mapping[str, Any]

BOSS, OTHER, NEWCOMER = "张建国", "陈和顺", "新来的"
LIAISON, DEPUTY, DUTY, TEACHER = "王敏", "李强", "赵工", "郑老师"
OFFICE, CHIEF, INSPECTOR = "周芳", "孙县长", "吴检"
GROUP = "宏达机械联企群"
UNKNOWN = "还没认过的群"


@dataclass(frozen=True, slots=True)
class Line:
    """Somebody says something, or presses what he was shown; `where` is a group, else it is private."""

    verb: str
    who: str
    text: str = ""
    where: str = ""
    press: str = ""
    fails: str = ""  # a group in which nothing arrives meanwhile
    until: str = ""  # when it is said; at once, if nothing is written


COURSE: Sequence[Line] = (
    Line(Verb.APPEAL, BOSS, "诉求 车间电压低，一天跳停三次", GROUP),
    Line(Verb.ACKNOWLEDGE, LIAISON, "接单 1"),
    Line(Verb.CONTACTED, LIAISON, "已联系 1 约了下午到厂"),
    Line(Verb.PROGRESS, LIAISON, "进展 1 已到现场"),
    Line(Verb.NOTE, LIAISON, "备注 1 变压器过载"),
    Line(Verb.SUPPLEMENT, BOSS, "补充 1 二号车间也停了"),
    Line(Verb.URGE, BOSS, "催办 1"),
    Line(Verb.URGENT, BOSS, "紧急 1 机器冒烟"),
    Line(Verb.EXTEND, LIAISON, "延期 1 2天 等配件到货"),
    Line(Verb.APPROVE, OFFICE, "批准 1"),
    Line(Verb.HARD_DATE, LIAISON, "外部时限 1 3月20日 12345转办单"),
    Line(Verb.SUSPEND, LIAISON, "挂起 1 3月18日 等电网批复"),
    Line(Verb.DENY, OFFICE, "不同意 1 不必等"),
    Line(Verb.SUSPEND, OFFICE, "挂起 1 3月16日 等电网批复"),
    Line(Verb.RESUME, OFFICE, "恢复 1 批复已到"),
    Line(Verb.ASSIST, OFFICE, "协办 1 教体局 出具占用绿地意见"),
    Line(Verb.PART_ACKNOWLEDGE, TEACHER, "接单 1"),
    Line(Verb.PART_PROGRESS, TEACHER, "进展 1 正在看"),
    Line(Verb.PART_DONE, TEACHER, "办结 1 已出意见"),
    Line(Verb.ASSIST, OFFICE, "协办 1 县供电公司 配合停电"),
    Line(Verb.SLIP, OFFICE, "转办单 1 县供电公司"),
    Line(Verb.PROXY, OFFICE, "代复 1 县供电公司 正在看"),
    Line(Verb.WAIVE, OFFICE, "免办 1 县供电公司 已另行解决"),
    Line(Verb.BEYOND, LIAISON, "超权限 1 市供电公司 3月10日 增容批复"),
    Line(Verb.BEYOND, LIAISON, "超权限 1 答复 可以增容"),
    Line(Verb.REFER, LIAISON, "提请 1 请协调建设局会商"),
    Line(Verb.APPROVE, OFFICE, "批准 1"),
    Line(Verb.SUPERVISE, CHIEF, "督办 1 3月18日 请建设局会商"),
    Line(Verb.INSTRUCT, CHIEF, "批示 1 3月18日 请换线路"),
    Line(Verb.READ, CHIEF, "已阅 1"),
    Line(Verb.STATUS, BOSS, "进度 1"),
    Line(Verb.TRACE, BOSS, "回溯 1"),
    Line(Verb.MINE, BOSS, "我的"),
    Line(Verb.TODO, LIAISON, "待办"),
    Line(Verb.RESOLVE, LIAISON, "办结 1 已更换变压器，电压恢复"),
    Line(Verb.PARTLY_SOLVED, BOSS, "部分解决 1"),
    Line(Verb.DISSATISFIED, BOSS, "不满意 1 还是跳闸"),
    Line(Verb.EXPLAIN, LIAISON, "解释办结 1 按供电规则不在支持范围"),
    Line(Verb.UNSOLVED, BOSS, "未解决 1"),
    Line(Verb.DISSATISFIED, BOSS, "不满意 1 没有解决"),
    Line(Verb.CLOSE_DISPUTED, INSPECTOR, "存疑办结 1 多次协调未一致"),
    Line(Verb.INQUIRE, BOSS, "咨询 设备补助怎么申报"),
    Line(Verb.DISPATCH, OFFICE, "派单 2 王敏 请答复"),
    Line(Verb.INSTANT, LIAISON, "即办 2 已当场答复"),
    Line(Verb.SOLVED, BOSS, "已解决 2"),
    Line(Verb.SATISFIED, BOSS, "满意 2"),
    Line(Verb.SUGGEST, BOSS, "建议 园区门口加一个公交站"),
    Line(Verb.RECATEGORISE, OFFICE, "改类 3 用电"),
    Line(Verb.DIFFICULTY, OFFICE, "难易 3 难 要征地"),
    Line(Verb.DISPATCH, OFFICE, "派单 3 教体局 专业问题"),
    Line(Verb.RETURN, TEACHER, "退单 3 县供电公司 不归我管"),
    Line(Verb.RULE, OFFICE, "指定 3 王敏 由牵头单位负责"),
    Line(Verb.ACKNOWLEDGE, LIAISON, "接单 3"),
    Line(Verb.TRANSFER, LIAISON, "转办 3 郑老师 学校门口的事"),
    Line(Verb.APPROVE, OFFICE, "批准 3"),
    Line(Verb.WITHDRAW, BOSS, "撤回 3 不用了"),
    Line(Verb.UNDO, BOSS, "撤销 3"),
    Line(Verb.COMPLAIN, BOSS, "投诉 办证窗口上班没人"),
    Line(Verb.RECORD, LIAISON, "代录 宏达机械 车间电压低"),
    Line(Verb.INSTANT, LIAISON, "即办 5 已当场办好"),
    Line(Verb.FAIRLY_SATISFIED, BOSS, "基本满意 5"),
    Line(Verb.APPEAL, OTHER, "诉求 库房停电"),
    Line(Verb.INSTANT, LIAISON, "即办 6 送上电了"),
    Line(Verb.FOLLOW_UP, OFFICE, "回访 6 满意"),
    Line("", OTHER, "厂门口的变压器响得厉害"),
    Line(Verb.FILE, OTHER, press="登记"),
    Line(Verb.ACKNOWLEDGE, LIAISON, "接单 7"),
    Line(Verb.LONG_TERM, LIAISON, "长期 7 6月30日 变电站完成立项"),
    Line(Verb.APPROVE, OFFICE, "批准 7"),
    Line(Verb.DISAGREE, OTHER, "不认可 7 年底前必须用"),
    Line(Verb.LONG_TERM, OFFICE, "长期 7 6月30日 变电站完成立项"),
    Line(Verb.AGREE, OTHER, "认可 7"),
    Line(Verb.MILESTONE_DONE, LIAISON, "里程碑 7 完成 立项了"),
    Line(Verb.MILESTONE, LIAISON, "里程碑 7 9月30日 主体完工"),
    Line(Verb.UNLINKED, OFFICE, "无挂钩"),
    Line(Verb.BIND, NEWCOMER, "绑定 宏达机械"),
    Line(Verb.CONFIRM_BINDING, LIAISON, press="宏达机械"),
    Line("", BOSS, "诉求 门口积水", UNKNOWN),
    Line(Verb.APPROVE_GROUP, OFFICE, press="批准此群"),
    Line(Verb.LEAVE, DUTY, "请假 3月12日-3月13日"),
    Line(Verb.STAND_IN, OFFICE, "代班 赵工 郑老师"),
    Line(Verb.DUTY, OFFICE, "值班 县供电公司 3月12日-3月13日 钱主任"),
    Line(Verb.HAND_OVER, OFFICE, "交接 李强 赵工"),
    Line(Verb.CONFIRM, OFFICE, press="确认"),
    Line(Verb.CLOSURE, OFFICE, "停工 3月24日 台风"),
    Line(Verb.CANCEL, OFFICE, "取消"),
    Line(Verb.CLOSURE, OFFICE, "停工 3月24日 台风"),
    Line(Verb.CONFIRM, OFFICE, press="确认"),
    Line(Verb.DIGEST, OFFICE, "日报"),
    Line(Verb.LEDGER, OFFICE, "台账 本月"),
    Line(Verb.PUBLISH, OFFICE, "发布"),
    Line("", OFFICE, FORM.replace("对象：行业=机械\n", "")),
    Line(Verb.CONFIRM, OFFICE, press="确认", fails=GROUP),
    Line(Verb.UNDELIVERED, OFFICE, "未送达"),
    Line(Verb.RESEND, OFFICE, press="补发"),
    Line(Verb.KNOWN, BOSS, where=GROUP, press="已知晓"),
    Line(Verb.WANT, BOSS, where=GROUP, press="想申报"),
    Line(Verb.ORIGINAL, BOSS, where=GROUP, press="原文"),
    Line(Verb.UNCLEAR, BOSS, where=GROUP, press="看不懂"),
    Line(Verb.OUT_OF_REACH, BOSS, where=GROUP, press="享受不到"),
    Line(Verb.POLICY, BOSS, "政策 设备"),
    Line(Verb.HELP, BOSS, "帮助"),
    Line(Verb.APPEAL, BOSS, "诉求 车间又停电了"),
    Line(Verb.ACKNOWLEDGE, LIAISON, "接单 8"),
    Line(Verb.RELEASE, OFFICE, "放行 8", until="2026-04-08 09:00"),
    Line(Verb.LANGUAGE, BOSS, "语言 English"),
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of the course, the house as it was before, the time, and the message as the channel reads it."""

    line: Line
    house: Path
    at: str
    body: Body
    answers: Sequence[Said]


async def walk(folder: Path) -> Sequence[Moment]:
    """Go the course once and keep the house before every line."""
    town, moments = await Town.open(), []
    await town.settle()
    for n, line in enumerate(COURSE):
        if line.until:
            await town.wait(until=line.until)
        house, at = folder / f"{n}.db", town.app.civil().astimezone(ZONE).strftime("%Y-%m-%d %H:%M")
        house.write_bytes(await image(town.database))
        body = {"message_id": f"course-{n}", **_body(town, line)}
        moments.append(Moment(line, house, at, body, await _hear(town, line, body)))
    await town.close()
    return moments


async def _hear(town: Town, line: Line, body: Body) -> Sequence[Said]:
    with failing(town, line.fails, Undeliverable("chat not found", unreachable=False)):
        await town.channel.say(town.app.desk, body)
        return await town.answered()


def _body(town: Town, line: Line) -> Body:
    place = {"chat": f"group:{line.where}" if line.where else f"private:{line.who}", "private": not line.where}
    spoken = {"sender": line.who, "sender_name": line.who, "chat_name": line.where}
    if not line.press:
        return {**place, **spoken, "text": line.text}
    shown = next(s for s in reversed(town.said) if s.listener == (line.where or line.who) and line.press in s.buttons)
    data = shown.data[shown.buttons.index(line.press)]
    return {**place, **spoken, "text": "", "button": data, "reply_to": f"out-{shown.id}"}
