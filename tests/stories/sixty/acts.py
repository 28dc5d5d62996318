"""What people of the park may say of a matter as it stands, with how readily they say it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from tests.making import ZONE
from tests.stories.sixty.park import (
    CADRES,
    CHIEFS,
    COLLEAGUES,
    COORDINATORS,
    FIRMS,
    INSPECTOR,
    LIAISONS,
    UNHEARD,
    UNITS,
    contacts,
)
from tests.stories.town import Town

Option = tuple[float, str, str]
"""How readily, who, what."""

_MATTERS = """
SELECT a.number, a.status, a.escalated, a.difficulty, h.name AS handler, e.short_name AS firm, s.name AS chief,
       EXISTS (SELECT 1 FROM rungs r WHERE r.appeal_id = a.id AND r.state = 'held') AS held
FROM appeals a JOIN enterprises e ON e.id = a.enterprise_id
LEFT JOIN people h ON h.id = a.handler_id LEFT JOIN people s ON s.id = e.chief_id
WHERE a.status NOT IN ('closed_disputed') ORDER BY a.id
"""
_PARTS = """
SELECT a.number, p.kind, p.unit, h.name AS handler FROM parts p JOIN appeals a ON a.id = p.appeal_id
LEFT JOIN people h ON h.id = p.handler_id WHERE p.outcome IS NULL ORDER BY p.appeal_id, p.n
"""
_WISHES = "SELECT a.number, r.verb FROM requests r JOIN appeals a ON a.id = r.appeal_id WHERE r.decided_at IS NULL"
_SETTLED = {"closed": 0.08, "withdrawn": 0.3, "unrated": 0.5, "resolved": 1.4, "suspended": 0.3, "long_term": 0.8}


@dataclass
class Case:
    """A matter as the people see it."""

    number: str
    status: str
    escalated: bool
    difficulty: str
    handler: str | None
    firm: str
    chief: str | None
    held: bool
    parts: list[tuple[str, str, str | None]] = field(default_factory=list)
    wishes: list[str] = field(default_factory=list)

    @property
    def weight(self) -> float:
        """How much people care: some matters are let lie."""
        neglected = int(self.number) * 7919 % 10 < 4
        return (0.12 if neglected else 1.0) * _SETTLED.get(self.status, 1.0) * (3.0 if self.wishes else 1.0)


async def cases(town: Town) -> list[Case]:
    """All matters about which somebody could still say something."""
    found = {
        row["number"]: Case(**{**row, "escalated": bool(row["escalated"]), "held": bool(row["held"])})
        for row in await town.all(_MATTERS)
    }
    for row in await town.all(_PARTS):
        if row["number"] in found:
            found[row["number"]].parts.append((row["kind"], row["unit"], row["handler"]))
    for row in await town.all(_WISHES):
        if row["number"] in found:
            found[row["number"]].wishes.append(row["verb"])
    return list(found.values())


_PROBLEMS = (
    "车间停电",
    "变压器老响",
    "职工子女入学",
    "土地红线不清",
    "被罚款了",
    "窗口推诿",
    "有件说不清的事",
    "电压低",
)
_KINDS = ("诉求", "诉求", "诉求", "诉求", "咨询", "投诉", "建议", "建议")


def new_matter(dice: Random) -> tuple[str, str]:
    """A firm raises a matter, or its cadre records one for it."""
    firm, problem = dice.choice(FIRMS), dice.choice(_PROBLEMS)
    if dice.random() < 0.08:
        return dice.choice((*LIAISONS, *COORDINATORS)), f"代录 {firm} {problem}"
    return dice.choice(contacts(firm)), f"{dice.choice(_KINDS)} {problem}"


def leave(dice: Random, now: datetime) -> tuple[str, str]:
    """Somebody of the park's side takes leave or comes back; or a coordinator names who stands in for somebody."""
    who, other = dice.sample(CADRES, 2)
    first = (now + timedelta(days=dice.randint(1, 4))).astimezone(ZONE)
    last = first + timedelta(days=dice.randint(0, 4))
    planned = f"{first.month}月{first.day}日-{last.month}月{last.day}日"
    named = dice.choice((other, ""))
    how = dice.choice(
        (f"{dice.randint(1, 6)}天 {named}", f"{dice.randint(1, 6)}天 {named}", f"{planned} {named}", "结束")
    )
    if dice.random() < 0.25:
        return dice.choice(COORDINATORS), f"代班 {who} {other}"
    return who, f"请假 {how}".strip()


def handover(dice: Random) -> tuple[str, str]:
    """A coordinator moves all that is in somebody's hands to a colleague."""
    old, new = dice.sample(dice.choice(COLLEAGUES), 2)
    return dice.choice(COORDINATORS), f"交接 {old} {new}"


def on_duty(dice: Random) -> tuple[str, str]:
    """A coordinator enters who is on duty in a department for some days: its officer, or its head himself."""
    unit = dice.choice([name for name, (_, officer, head) in UNITS.items() if officer and head != UNHEARD and head])
    return dice.choice(COORDINATORS), f"值班 {unit} {dice.randint(2, 9)}天 {dice.choice(UNITS[unit][1:])}"


@dataclass
class Talk:
    """One turn: the dice, the matter, the time; its methods say who might say what."""

    dice: Random
    case: Case
    now: datetime

    def options(self) -> list[Option]:
        """Everything that might be said now."""
        case = self.case
        if case.escalated and case.status == "rework":
            return [*self._inspector(), *self._anybody()]
        found = [*_BY_STATUS.get(case.status, Talk._anybody)(self), *self._wishes()]
        if case.held:
            found.append((3, self.coordinator, self.about("放行")))
        return [(weight, who, text) for weight, who, text in found if who]

    # Words ----------------------------------------------------------------------------------------------------------
    def about(self, word: str, text: str = "") -> str:
        """A command with the matter's number."""
        return f"{word} {self.case.number} {text}".strip()

    def day(self, least: int, most: int) -> str:
        """A day that comes, as people write it."""
        day = (self.now + timedelta(days=self.dice.randint(least, most))).astimezone(ZONE)
        return f"{day.year}-{day.month:02}-{day.day:02}"

    def days(self, least: int, most: int) -> str:
        """So many days, as people write it."""
        return f"{self.dice.randint(least, most)}天"

    @property
    def coordinator(self) -> str:
        """One of the office."""
        return self.dice.choice(COORDINATORS)

    @property
    def contact(self) -> str:
        """Somebody of the firm."""
        return self.dice.choice(contacts(self.case.firm))

    @property
    def handler(self) -> str:
        """Who holds the matter, if anybody."""
        return self.case.handler or ""

    @property
    def unit(self) -> str:
        """Some department."""
        return self.dice.choice(list(UNITS))

    @property
    def somebody(self) -> str:
        """Who might get a matter."""
        return self.dice.choice((*LIAISONS, *UNITS))

    # By where the matter stands ---------------------------------------------------------------------------------------
    def _anybody(self) -> list[Option]:
        leader = self.case.chief or self.dice.choice(CHIEFS)
        return [
            (0.4, self.contact, self.about("催办")),
            (0.3, self.contact, self.about("补充", "还有一张照片")),
            (0.2, self.coordinator, self.about("备注", "已电话了解")),
            (0.1, leader, self.about("已阅")),
        ]

    def _orders(self) -> list[Option]:
        when = self.dice.choice(("", self.days(1, 4), self.day(2, 9)))
        return [
            (0.5, self.coordinator, self.about("督办", f"{when} 请抓紧办理")),
            (0.4, self.case.chief or "", self.about("批示", f"{when} 请尽快解决")),
            (0.3, self.handler, self.about("提请", "协调不动了")),
            (0.3, self.contact, self.about("紧急")),
        ]

    def _undecided(self) -> list[Option]:
        again = self.dice.choice(("派单", "指定")) if self.case.status == "returned" else "派单"
        return [
            (6, self.coordinator, self.about(again, f"{self.somebody} 属其职责")),
            (0.6, self.coordinator, self.about("改类", self.dice.choice(("power", "land", "school")))),
            (0.5, self.coordinator, self.about("即办", "电话里答复了")),
            (0.4, self.contact, self.about("撤回")),
            (0.5, self.contact, self.about("紧急")),
            (0.3, self.coordinator, self.about("难易", f"{self.dice.choice('易中难')} 情况清楚")),
            *self._anybody(),
        ]

    def _given(self) -> list[Option]:
        return [
            (7, self.handler, self.about("接单")),
            (1, self.handler, self.about("已联系", "说好了时间")),
            (1.5, self.handler, self.about("退单", f"{self.unit} 属其职责")),
            (0.7, self.handler, self.about("即办", "当场办妥")),
            (0.8, self.coordinator, self.about("派单", f"{self.somebody} 更合适")),
            (0.5, self.handler, self.about("转办", f"{self.somebody} 更熟悉")),
            (0.4, self.contact, self.about("撤回")),
            *self._sharing(),
            *self._grading(),
            *self._orders(),
            *self._anybody(),
        ]

    def _grading(self) -> list[Option]:
        return [
            (0.4, self.handler, self.about("难易", f"{self.dice.choice('易中难')} 情况如此")),
            (0.3, self.coordinator, self.about("难易", f"{self.dice.choice('易中难难')} 情况如此")),
            (0.2, self.coordinator, self.about("改类", self.dice.choice(("power", "land")))),
        ]

    def _sharing(self) -> list[Option]:
        when = self.dice.choice(("", "", self.days(1, 5)))
        asks = self.handler if self.dice.random() < 0.3 else self.coordinator
        found = [(1.2, asks, self.about("协办", f"{self.unit} {when} 出具意见"))]
        for kind, unit, helper in self.case.parts:
            if kind == "share":
                found += self._share(unit, helper)
        return found

    def _share(self, unit: str, helper: str | None) -> list[Option]:
        return [
            (0.6, helper or "", self.about("接单")),
            (0.5, helper or "", self.about("进展", "正在看图纸")),
            (1.2, helper or "", self.about("办结", "意见已出")),
            (0.2, helper or "", self.about("退单", "不归我们")),
            (0.3, self.coordinator, self.about("免办", f"{unit} 不再需要")),
            (0.4, self.coordinator, self.about("代复", f"{unit} {self.dice.choice(('', '办结'))} 来电说可以")),
        ]

    def _working(self) -> list[Option]:
        asked = (self.now - timedelta(days=1)).astimezone(ZONE)
        above = f"省电力公司 {asked.month}月{asked.day}日 增容批复"
        either = self.handler if self.dice.random() < 0.5 else self.coordinator
        answered = [(1.0, self.handler, self.about("超权限", "答复 同意"))] if self._has("beyond") else []
        return [
            (3, self.handler, self.about("进展", "正在协调")),
            (4, self.handler, self.about("办结", "已办妥")),
            (0.6, self.handler, self.about("解释办结", "政策不允许")),
            (1.3, either, self.about("延期", f"{self.days(2, 8)} 等配件")),
            (1.2, either, self.about("挂起", f"{self.day(1, 12)} 等批复")),
            (0.8, either, self.about("长期", f"{self.day(4, 15)} 完成设计")),
            (0.4, self.handler, self.about("外部时限", f"{self.day(1, 14)} 上级要求")),
            (0.5, self.handler, self.about("超权限", above)),
            (0.5, self.coordinator, self.about("派单", f"{self.somebody} 更合适")),
            (0.3, self.contact, self.about("撤回")),
            *answered,
            *self._sharing(),
            *self._grading(),
            *self._orders(),
            *self._anybody(),
        ]

    def _has(self, kind: str) -> bool:
        return any(part[0] == kind for part in self.case.parts)

    def _asleep(self) -> list[Option]:
        return [
            (1, self.coordinator, self.about("恢复")),
            (0.5, self.handler, self.about("恢复", "批复到了")),
            (1, self.handler, self.about("进展", "还在等")),
            (0.5, self.coordinator, self.about("免办", "不再需要")),
            *self._orders(),
            *self._anybody(),
        ]

    def _long(self) -> list[Option]:
        return [
            (1.2, self.handler, self.about("里程碑", f"{self.day(3, 12)} 开工")),
            (2, self.handler, self.about("里程碑", "完成 已经做完")),
            (0.8, self.coordinator, self.about("恢复")),
            *self._orders(),
            *self._anybody(),
        ]

    def _judged(self) -> list[Option]:
        verdict = self.dice.choice(("满意", "基本满意", "不满意 还没好"))
        return [
            (2, self.contact, self.about("满意")),
            (1, self.contact, self.about("基本满意")),
            (2.5, self.contact, self.about("不满意", "还是老样子")),
            (0.5, self.contact, self.about("已解决")),
            (0.5, self.contact, self.about("未解决")),
            (1.5, self.coordinator, self.about("回访", self.dice.choice(("无人接听", "无人接听", verdict)))),
        ]

    def _gone(self) -> list[Option]:
        return [(1, self.contact, self.about("撤销"))]

    def _inspector(self) -> list[Option]:
        return [
            (1, INSPECTOR, self.about("批示", "再办一次")),
            (1, INSPECTOR, self.about("存疑办结", "双方各执一词")),
        ]

    def _wishes(self) -> list[Option]:
        found: list[Option] = []
        for verb in self.case.wishes:
            if verb == "agree":
                found += [(4, self.contact, self.about("认可")), (0.7, self.contact, self.about("不认可"))]
            else:
                found += [
                    (6, self.coordinator, self.about("批准")),
                    (1, self.coordinator, self.about("不同意", "不妥")),
                ]
        return found


_BY_STATUS: Mapping[str, Callable[[Talk], list[Option]]] = {
    "submitted": Talk._undecided,
    "returned": Talk._undecided,
    "dispatched": Talk._given,
    "in_progress": Talk._working,
    "rework": Talk._working,
    "suspended": Talk._asleep,
    "long_term": Talk._long,
    "resolved": Talk._judged,
    "unrated": Talk._judged,
    "closed": Talk._judged,
    "withdrawn": Talk._gone,
}
