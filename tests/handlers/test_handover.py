"""交接: exactly the confirmed list moves, in one transaction; dates stand, what is closed keeps its name."""

import asyncio

import pytest

from domain.appeal import OPEN, Status
from domain.people import Role
from domain.roster import EnterpriseEntry, PersonEntry, Roster, Sheet
from domain.rules import Listener
from storage import appeals, people, roster, standing
from storage.database import Tx
from storage.scope import SYSTEM
from storage.values import from_json
from tests.handlers.talk import (
    BOSS,
    DEPUTY,
    DUTY,
    HEAD,
    INSPECTOR,
    LIAISON,
    OFFICE,
    OTHER,
    TEACHER,
    appeal,
    change,
    heard,
    newcomer,
    newest,
    reported_done,
    taken_on,
    to,
)
from tests.handlers.test_duty import owner
from tests.making import Maker, make_rules
from tests.stories.town import Town


async def handed_over(park: Town, line: str = "交接 王敏 李强") -> None:
    await park.says(OFFICE, line)
    await park.presses(OFFICE, "确认")


async def named(park: Town, sql: str) -> list[str]:
    return [row["name"] for row in await park.all(sql)]


# The list -------------------------------------------------------------------------------------------------------------
async def test_the_coordinator_reads_all_that_would_move_and_nothing_moves_yet(park: Town) -> None:
    await taken_on(park)
    await park.says(BOSS, "诉求 土地红线不清")
    await park.says(OFFICE, "派单 2 郑老师")
    await change(park, "UPDATE people SET deputy_id = (SELECT id FROM people WHERE name = '王敏') WHERE name = '赵工'")
    said = await park.says(OFFICE, "交接 王敏 李强")
    assert to(said, OFFICE) == ["duty.ask_hand_over"]
    assert heard(said, OFFICE).splitlines() == [
        "王敏的工作全部交给李强：",
        "未办结的事2件：",
        "· #1 宏达机械 车间停电，3月25日（周三）17:30到期",
        "· #2 宏达机械 土地红线不清，3月25日（周三）17:30到期（挂钩，由他人办理）",
        "挂钩企业：宏达机械、和顺物流",
        "给这些同事备岗：赵工",
        "时限、状态都不变，企业会收到通知；已办结的仍记在王敏名下。确认后一次办妥。",
    ]
    assert await owner(park) == LIAISON


@pytest.mark.parametrize("line", ["交接 王敏 李强", "交接 王敏 给李强", "/handover 王敏，李强"])
async def test_one_confirmation_moves_matters_and_roster(park: Town, line: str) -> None:
    await taken_on(park)
    await park.says(OFFICE, line)
    said = await park.presses(OFFICE, "确认")
    assert to(said, OFFICE) == ["duty.handed_over"]
    assert await owner(park) == DEPUTY
    liaisons = "SELECT DISTINCT p.name FROM enterprises e JOIN people p ON p.id = e.liaison_id"
    assert await named(park, liaisons) == [DEPUTY]
    assert await park.all("SELECT id FROM enterprises WHERE deputy_id IS NOT NULL") == []


async def test_departments_rota_deputies_and_chiefs_move_with_the_roles_they_need(park: Town) -> None:
    await newcomer(park, "新同志", Role.LIAISON)
    await park.says(OFFICE, "值班 供电公司 3月11日-3月20日 赵工")
    duty = "(SELECT id FROM people WHERE name = '赵工')"
    await change(park, f"UPDATE people SET deputy_id = {duty} WHERE name = '钱主任'")
    await park.says(HEAD, "请假 2天 赵工")
    said = await park.says(OFFICE, "交接 赵工 新同志")
    assert "经办部门：县供电公司" in heard(said, OFFICE)
    assert "值班：县供电公司 3月11日（周三）到3月20日（周五）" in heard(said, OFFICE)
    assert "新同志同时增加角色：经办人" in heard(said, OFFICE)
    await park.presses(OFFICE, "确认")
    await park.says(BOSS, "诉求 有件说不清的事")
    await park.says(OFFICE, "派单 1 供电公司")
    assert await owner(park) == "新同志"
    officers = "SELECT p.name FROM departments d JOIN people p ON p.id = d.duty_id ORDER BY d.id"
    assert await named(park, officers) == ["新同志", TEACHER]
    assert to(await park.says("新同志", "备注 1 代负责人看过"), "新同志") == ["work.noted"]


# What moves and what stands -------------------------------------------------------------------------------------------
async def test_dates_status_and_clocks_stand_and_the_history_has_a_step_of_its_own(park: Town) -> None:
    await taken_on(park)
    before = dict(await appeal(park))
    await handed_over(park)
    after = dict(await appeal(park))
    moved = {name for name in before if before[name] != after[name]}
    assert moved == {"handler_id", "liaison_id", "version"}
    event = await park.one("SELECT * FROM events WHERE name = 'hand_over' AND appeal_id IS NOT NULL")
    assert (event["version"], event["from_status"], event["to_status"]) == (4, "in_progress", "in_progress")
    assert "交接" in heard(await park.says(DEPUTY, "回溯 1"), DEPUTY)


async def test_firms_hear_who_is_in_charge_and_each_cadre_one_message(park: Town) -> None:
    await taken_on(park)
    await park.says(OTHER, "诉求 库房停电")
    await park.says(OFFICE, "交接 王敏 李强")
    said = await park.presses(OFFICE, "确认")
    assert "#1 车间停电：责任人由王敏改为李强，时限不变" in heard(said, BOSS)
    assert to(said, OTHER) == ["firm.handed_over"]
    assert (to(said, LIAISON), to(said, DEPUTY)) == (["duty.given_away"], ["duty.received"])
    assert "· #1 宏达机械 车间停电" in heard(said, DEPUTY)
    assert "· #1 宏达机械" in heard(said, LIAISON)
    assert "车间停电" not in heard(said, LIAISON)


async def test_who_only_loses_a_firm_as_liaison_brings_no_news_to_the_firm(park: Town) -> None:
    await park.says(BOSS, "诉求 车间停电")
    await park.says(OFFICE, "派单 1 郑老师")
    await park.says(OFFICE, "交接 王敏 李强")
    assert to(await park.presses(OFFICE, "确认"), BOSS) == []
    row = await appeal(park)
    assert await owner(park) == TEACHER
    assert row["liaison_id"] == (await park.one("SELECT id FROM people WHERE name = '李强'"))["id"]


async def test_buttons_of_the_old_owner_are_struck_out_and_those_of_the_firm_live_on(park: Town) -> None:
    await reported_done(park)
    survey = newest(park, BOSS, "firm.survey")
    await taken_on(park, "变压器冒烟")
    await handed_over(park)
    his = "person_id = (SELECT id FROM people WHERE name = '王敏')"
    rows = await park.all(f"SELECT buttons FROM outbox WHERE appeal_id IS NOT NULL AND kind = 'send' AND {his}")
    assert {row["buttons"] for row in rows} == {"[]"}
    kept = await park.one("SELECT buttons FROM outbox WHERE id = :id", id=survey.id)
    assert "satisfied" in kept["buttons"]
    said = await park.says(BOSS, button=survey.data[survey.buttons.index("满意")])
    assert to(said, BOSS) == ["work.closed"]
    assert to(await park.says(LIAISON, "进展 2 再看看"), LIAISON) == ["refused.not_found"]
    assert to(await park.says(DEPUTY, "进展 2 已到现场"), DEPUTY) == ["work.progress"]


async def test_the_stand_in_of_the_old_owner_loses_his_buttons_too(park: Town) -> None:
    await park.says(LIAISON, "请假 3天 赵工")
    await park.says(BOSS, "诉求 车间停电")
    await park.says(OFFICE, "派单 1 王敏")
    assert newest(park, DUTY, "task.dispatched").buttons
    await handed_over(park)
    his = "person_id = (SELECT id FROM people WHERE name = '赵工') AND appeal_id IS NOT NULL AND kind = 'send'"
    assert {row["buttons"] for row in await park.all(f"SELECT buttons FROM outbox WHERE {his}")} == {"[]"}


async def test_what_is_closed_keeps_the_old_name(park: Town) -> None:
    await reported_done(park)
    await park.presses(BOSS, "满意")
    await taken_on(park, "变压器冒烟")
    await handed_over(park)
    assert (await owner(park, 1), await owner(park, 2)) == (LIAISON, DEPUTY)


async def test_what_is_sealed_moves_by_no_list_and_is_not_counted(park: Town) -> None:
    await park.says(BOSS, "诉求 车间停电")
    await park.says(OFFICE, "派单 1 吴检")
    await change(park, "UPDATE appeals SET sealed = 1")
    assert to(await park.says(OFFICE, "交接 吴检 李强"), OFFICE) == ["duty.nothing_to_hand_over"]
    assert await owner(park) == INSPECTOR


async def test_a_reminder_that_the_old_owner_was_owed_reaches_the_new_one(park: Town) -> None:
    await taken_on(park)
    await park.wait(until="2026-03-23 17:36")
    await change(park, "UPDATE rungs SET state = 'owed', told_at = NULL WHERE label = '-2wd'")
    await handed_over(park)
    said = await park.wait(until="2026-03-24 09:00")
    assert [line.listener for line in said if line.key == "remind.one"] == [DEPUTY]


async def test_a_part_of_a_matter_passes_on_with_its_date(park: Town) -> None:
    await taken_on(park)
    await park.says(OFFICE, "协办 1 供电公司 检查线路")
    before = dict(await park.one("SELECT * FROM parts"))
    await handed_over(park, "交接 赵工 郑老师")
    after = dict(await park.one("SELECT * FROM parts"))
    assert {name for name in before if before[name] != after[name]} == {"handler_id"}
    told = await park.one("SELECT facts FROM events WHERE name = 'hand_over' AND appeal_id IS NOT NULL")
    moved = {"instead_of_id": before["handler_id"], "taker_id": after["handler_id"]}
    assert moved.items() <= from_json(told["facts"]).items()
    assert to(await park.says(TEACHER, "接单 1"), TEACHER) == ["shares.part_acknowledge"]
    assert await owner(park) == LIAISON


# Between question and answer ------------------------------------------------------------------------------------------
async def test_a_list_that_changed_meanwhile_is_asked_about_again(park: Town) -> None:
    await taken_on(park)
    await park.says(OFFICE, "交接 王敏 李强")
    await park.says(BOSS, "诉求 变压器冒烟")
    said = await park.presses(OFFICE, "确认")
    assert to(said, OFFICE) == ["duty.ask_hand_over"]
    assert "清单在您确认前有变化" in heard(said, OFFICE)
    assert await owner(park, 1) == LIAISON
    said = await park.presses(OFFICE, "确认")
    assert to(said, OFFICE) == ["duty.handed_over"]
    assert (await owner(park, 1), await owner(park, 2)) == (DEPUTY, DEPUTY)


async def test_what_is_filed_afterwards_goes_to_who_holds_the_firm_then(park: Town) -> None:
    await handed_over(park)
    await park.says(BOSS, "诉求 变压器冒烟")
    assert await owner(park) == DEPUTY


async def test_cancelled_is_cancelled(park: Town) -> None:
    await taken_on(park)
    await park.says(OFFICE, "交接 王敏 李强")
    await park.says(OFFICE, "取消")
    assert to(await park.presses(OFFICE, "确认"), OFFICE) == ["refused.nothing_to_confirm"]
    assert await owner(park) == LIAISON


@pytest.mark.parametrize(
    "line, key",
    [
        ("交接", "duty.ask_who_hands_over"),
        ("交接 王敏", "duty.ask_successor"),
        ("交接 无名氏 李强", "refused.person_unknown"),
        ("交接 王敏 无名氏", "refused.person_unknown"),
        ("交接 王敏 王敏", "duty.successor_unfit"),
        ("交接 王敏 郑老师", "duty.successor_unfit"),
        ("交接 张建国 李强", "refused.person_unknown"),
    ],
)
async def test_a_handover_that_cannot_be_says_why(park: Town, line: str, key: str) -> None:
    await park.says(TEACHER, "请假 2天 赵工")
    assert to(await park.says(OFFICE, line), OFFICE) == [key]


async def test_names_are_asked_for_one_by_one(park: Town) -> None:
    await taken_on(park)
    await park.says(OFFICE, "交接")
    assert to(await park.says(OFFICE, "王敏"), OFFICE) == ["duty.ask_successor"]
    assert to(await park.says(OFFICE, "李强"), OFFICE) == ["duty.ask_hand_over"]
    assert to(await park.presses(OFFICE, "确认"), OFFICE) == ["duty.handed_over"]
    assert await owner(park) == DEPUTY


async def test_only_a_coordinator_hands_over(park: Town) -> None:
    assert to(await park.says(HEAD, "交接 王敏 李强"), HEAD) == ["refused.not_for_you"]


async def test_the_work_of_somebody_who_left_the_roster_can_still_be_handed_over(park: Town) -> None:
    await taken_on(park)
    await change(park, "UPDATE people SET active = 0 WHERE name = '王敏'")
    assert to(await park.says(BOSS, "催办 1"), OFFICE) == ["task.urged"]
    await handed_over(park)
    assert await owner(park) == DEPUTY


# Many, and nobody without an owner ------------------------------------------------------------------------------------
async def test_a_hundred_matters_move_within_a_second_and_ten_are_listed(park: Town) -> None:
    async def many(tx: Tx) -> None:
        wang = (await people.people_named(tx, LIAISON, park.app.civil()))[0]
        maker = Maker(tx, make_rules())
        for number in range(100):
            await maker.started(1, park.app.civil(), wang.id, number=str(1000 + number))

    await park.database.transaction(many)
    await park.settle()
    said = await park.says(OFFICE, "交接 王敏 李强")
    assert heard(said, OFFICE).count("· #") == 10
    assert "另有90件" in heard(said, OFFICE)
    clock = asyncio.get_running_loop().time
    started = clock()
    assert to(await park.presses(OFFICE, "确认"), OFFICE) == ["duty.handed_over"]
    assert clock() - started < 3  # with all that the firm is told; a busy machine is given its grace
    handlers = "SELECT DISTINCT p.name FROM appeals a JOIN people p ON p.id = a.handler_id"
    assert await named(park, handlers) == [DEPUTY]


async def test_after_leave_handover_and_import_every_open_matter_has_somebody_who_hears(park: Town) -> None:
    for text in ("车间停电", "变压器冒烟", "有件说不清的事", "电压低"):
        await park.says(BOSS, f"诉求 {text}")
    await park.says(OFFICE, "派单 2 供电公司")
    await every_matter_is_heard(park)
    await park.says(LIAISON, "请假 3月12日-3月20日 李强")
    await park.says(DEPUTY, "请假 3月12日-3月13日 王敏")
    await park.says(DUTY, "请假 3天")
    for day in ("2026-03-11 10:00", "2026-03-12 10:00", "2026-03-14 10:00", "2026-03-23 10:00"):
        await park.wait(until=day)
        await every_matter_is_heard(park)
    await handed_over(park)
    await every_matter_is_heard(park)
    line = PersonEntry("李强", roles=(Role.HANDLER,))
    firm = EnterpriseEntry("宏达机械有限公司", liaison="王敏", deputy="")
    workbook = Roster(enterprises=(firm,), people=(line,), sheets=frozenset({Sheet.ENTERPRISES, Sheet.PEOPLE}))
    await park.database.transaction(lambda tx: roster.apply(tx, workbook, park.app.civil()))
    await every_matter_is_heard(park)
    await change(park, "UPDATE people SET active = 0 WHERE name IN ('李强', '赵工')")
    await every_matter_is_heard(park)


async def every_matter_is_heard(park: Town) -> None:
    """Somebody who is there, and who may see it, hears what is meant for the handler of each open matter."""

    async def unit(tx: Tx) -> None:
        at = park.app.civil()
        found = await appeals.visible(tx, SYSTEM, OPEN | {Status.RESOLVED})
        assert found
        for each in found:
            hearing = await standing.hearers(tx, Listener.HANDLER, each, at)
            assert hearing, each.number
            assert not [one for one in hearing if one.person.on_leave], each.number

    await park.database.transaction(unit)
