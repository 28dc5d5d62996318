"""Hostile presses made of real buttons, and whether a presser could have typed what they did, by other rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from domain.access import Relation
from domain.lifecycle import open_to
from domain.people import Role
from domain.said import Button
from domain.verbs import Verb
from storage.database import Row
from tests.domain.test_access import MAY
from tests.security.dumps import Dump, changed
from tests.stories.town import Town

BOSS, SECOND, OTHER, LIAISON, DEPUTY, OFFICE = "张建国", "张会计", "陈和顺", "王敏", "李强", "周芳"
EVERYBODY = (BOSS, SECOND, OTHER, LIAISON, DEPUTY, OFFICE, "赵工", "钱主任", "孙县长", "吴检", "郑老师", "路人")
PLACES = ("", "", "", "大树营联企群", "宏达机械联企群", "优化办调度群", "别处的群")
OURS, THEIRS = "Ψ宏达Ψ", "Ψ和顺Ψ"
BY_BUTTON: Mapping[str, frozenset[Role]] = {
    "approve_group": frozenset({Role.COORDINATOR}),
    "bind": frozenset({Role.COORDINATOR, Role.LIAISON}),
    "leave": frozenset(Role),
}
"""What may happen that concerns no matter, and through whom."""
OWN = frozenset({"people", "policy_presses", "kept_messages", "binding_requests", "chats", "accounts", "requests"})
"""Where somebody may leave a trace of his own without a word in history: his language, his request, that he was met."""


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody presses, or pretends to, somewhere."""

    who: str
    where: str
    data: str


async def live(town: Town) -> None:
    """A story with a matter in most statuses, a question, a request, a stranger and a group that wait for a button."""
    for who, words in ((BOSS, OURS), (OTHER, THEIRS)) * 4:
        await town.says(who, f"诉求 {words} 停电")
    await town.says(BOSS, f"投诉 {OURS} 推诿")
    await town.says(BOSS, f"诉求 {OURS} 天晴")
    for number in "23456":
        await town.says(LIAISON, f"接单 {number}")
    for number in "345":
        await town.says(LIAISON, f"办结 {number} 已修好")
    await town.says(BOSS, "满意 3")
    await town.says(OTHER, "不满意 4 还是停")
    await town.says(BOSS, "撤回 7")
    await town.says(LIAISON, "延期 2 3天 等配件")
    await town.says(LIAISON, "协办 6 教体局 出意见")
    await town.says(OFFICE, "协办 6 教体局 出意见")
    await town.says("路人", "绑定 宏达机械")
    await town.says(BOSS, "诉求 停电", where="别处的群")
    for who in EVERYBODY:
        for line in ("待办", "我的", "进度", "语言", "帮助"):
            await town.says(who, line)


def shown(town: Town) -> list[tuple[str, str]]:
    """Every button that anybody was shown, with who it was."""
    return sorted({(line.listener, data) for line in town.said for data in line.data})


def bent(random: Random, known: Sequence[tuple[str, str]]) -> Press:
    """A press that nobody was meant to make."""
    owner, data = random.choice(known)
    who = random.choice(EVERYBODY) if random.random() < 0.7 or owner not in EVERYBODY else owner
    ways = (_same, _same, _verb, _verb, _number, _number, _version, _version, _argument, _cut, _sign, _long)
    return Press(who, random.choice(PLACES), random.choice(ways)(random, data))


def _parts(data: str) -> list[str]:
    return [*data.split(":", 3), "", "", ""][:4]


def _joined(parts: Sequence[str]) -> str:
    return ":".join(parts).rstrip(":") if not parts[3] else ":".join(parts)


def _same(random: Random, data: str) -> str:
    return data


def _verb(random: Random, data: str) -> str:
    return _joined([random.choice(list(Verb)).value, *_parts(data)[1:]])


def _number(random: Random, data: str) -> str:
    verb, _, version, argument = _parts(data)
    number = random.choice(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "99", "M-AAAAAA", "01", ""])
    return _joined([verb, number, version, argument])


def _version(random: Random, data: str) -> str:
    verb, number, _, argument = _parts(data)
    return _joined([verb, number, random.choice(["", "0", "1", "2", "3", "4", "5", "99999"]), argument])


def _argument(random: Random, data: str) -> str:
    kind, n = random.choice(["person-", "unit-", "r", "a", "", "firm-", "confirm"]), random.randint(0, 14)
    return _joined([*_parts(data)[:3], f"{kind}{n}"])


def _cut(random: Random, data: str) -> str:
    return data[: random.randint(0, len(data))]


def _sign(random: Random, data: str) -> str:
    at = random.randint(0, len(data))
    return data[:at] + random.choice(":;\n\0 \u202e１九é😀%'\"{}<>\ufffd-_") + data[at + 1 :]


def _long(random: Random, data: str) -> str:
    return random.choice([data * 50, data + ":" + "x" * 3000, data + "\n" + data, f" {data}", f"{data} ", data.upper()])


# Judging --------------------------------------------------------------------------------------------------------------
def standing(house: Dump, who: int, appeal: Row) -> frozenset[Relation]:
    """How somebody stands to a matter, read from the tables."""
    firm = next(row for row in house["enterprises"] if row["id"] == appeal["enterprise_id"])
    roles = {row["role"] for row in house["person_roles"] if row["person_id"] == who}
    parts = [row for row in house["parts"] if row["appeal_id"] == appeal["id"]]
    units = {appeal["department_id"], *(part["department_id"] for part in parts)}
    heads = {row["id"] for row in house["departments"] if row["head_id"] == who}
    speaks = {"enterprise_id": firm["id"], "person_id": who} in house["contacts"]
    told = {
        Relation.FIRM: "contact" in roles and (speaks if not appeal["sealed"] else who == appeal["contact_id"]),
        Relation.HANDLER: who == appeal["handler_id"],
        Relation.LIAISON: who in (appeal["liaison_id"], firm["liaison_id"], firm["deputy_id"]),
        Relation.HEAD: bool(heads & units),
        Relation.CHIEF: who == firm["chief_id"],
        Relation.COORDINATOR: "coordinator" in roles,
        Relation.INSPECTOR: "inspector" in roles,
        Relation.CO_HANDLER: who in {part["handler_id"] for part in parts},
    }
    return frozenset(relation for relation, true in told.items() if true)


def judge(press: Press, before: Dump, after: Dump, who: int | None) -> list[str]:
    """What a press did that its presser could not have done by typing; empty where all is well."""
    wrong: list[str] = []
    known = {row["id"] for row in before["events"]}
    new = [row for row in after["events"] if row["id"] not in known]
    if not new and (strange := changed(before, after) - OWN - {"roster_revisions"}):
        wrong.append(f"{sorted(strange)} changed without a word in history")
    wrong += [fault for row in new for fault in _event_faults(row, before, who)]
    return wrong + _stale_faults(press, before, new)


def _event_faults(event: Row, before: Dump, who: int | None) -> list[str]:
    if who is None or event["actor_id"] not in (who, None):
        return [f"{event['name']} in the name of {event['actor_id']}"]
    if event["appeal_id"] is None:
        roles = {Role(row["role"]) for row in before["person_roles"] if row["person_id"] == who}
        return [] if roles & BY_BUTTON.get(event["name"], frozenset()) else [f"{event['name']} by {sorted(roles)}"]
    found = [row for row in before["appeals"] if row["id"] == event["appeal_id"]]
    if event["actor_id"] is None or not found:
        return []  # what follows by rule, and what is new
    verb, held = Verb(event["name"]), standing(before, who, found[0])
    wrong = [] if any(verb in MAY[relation] for relation in held) else [f"{verb} by {sorted(held)}"]
    if open_to(verb) and found[0]["status"] not in open_to(verb):
        wrong.append(f"{verb} in {found[0]['status']}")
    return wrong


def _stale_faults(press: Press, before: Dump, new: Sequence[Row]) -> list[str]:
    """A button of a state that is over does nothing to its matter."""
    button = Button.parse(press.data)
    if button is None or button.number is None or button.version is None or button.verb is Verb.PICK:
        return []
    found = [row for row in before["appeals"] if row["number"] == button.number]
    then = [row for row in before["events"] if found and row["appeal_id"] == found[0]["id"]]
    seen = [row["to_status"] for row in then if row["version"] == button.version and row["to_status"]]
    over = bool(seen) and seen[0] != found[0]["status"]
    done = [row["name"] for row in new if found and row["appeal_id"] == found[0]["id"]]
    return [f"{done} by a button of {seen[0]}"] if over and done else []
