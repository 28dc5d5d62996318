"""What people say and press in chats, each through the whole program: raising, working, judging, looking, steering."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stories.town import Said, Town

BOSS, CLERK, OTHER_BOSS, LIAISON, DEPUTY, OFFICE = "张建国", "张会计", "陈和顺", "王敏", "李强", "周芳"
MULTI, SINGLE = "大树营联企群", "宏达机械联企群"
PHOTO = {"hash": "a" * 64, "name": "现场.jpg", "media_type": "image/jpeg"}


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    opened = await Town.open()
    yield opened
    await opened.close()


def to(said: list[Said], who: str) -> list[str]:
    """The keys of what somebody heard."""
    return [line.key for line in said if line.listener == who]


async def keep_photo(town: Town) -> None:
    kept = await town.app.desk.keep_file(b"photo", PHOTO["name"], PHOTO["media_type"])
    PHOTO["hash"] = kept.hash


# Raising --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("where", ["", SINGLE, MULTI])
@pytest.mark.parametrize(
    "line",
    [
        "/诉求 停电",
        "／诉求停电",
        "/appeal 停电",
        "诉求 停电",
        "诉求：停电",
        "@联企 诉求 停电",
        "诉求\n停电",
        "/诉求@联企 停电",
    ],
)
async def test_a_matter_is_raised_in_every_spelling_and_place(town: Town, line: str, where: str) -> None:
    said = await town.says(BOSS, line, where=where)
    assert to(said, where or BOSS) == ["appeal.filed"]
    appeal = await town.one("SELECT * FROM appeals")
    text = await town.one("SELECT body FROM event_texts")
    assert (appeal["kind"], text["body"]) == ("appeal", "停电")


@pytest.mark.parametrize("word, kind", [("咨询", "inquiry"), ("投诉", "complaint"), ("建议", "suggestion")])
async def test_the_other_flows_are_filed_as_what_they_are(town: Town, word: str, kind: str) -> None:
    await town.says(BOSS, f"{word} 变压器的补助怎么报")
    assert (await town.one("SELECT kind FROM appeals"))["kind"] == kind


async def test_the_answer_shows_number_category_lead_and_both_dates(town: Town) -> None:
    text = (await town.says(BOSS, "诉求 车间电压低"))[0].text
    for label in (
        "#1",
        "类别：要素保障·用电",
        "责任人：王敏",
        "承办单位：县供电公司",
        "接单时限：3月12日（周四）17:30",
    ):
        assert label in text
    assert "办结时限：3月25日（周三）17:30" in text


async def test_a_bare_word_asks_for_what_is_missing_and_survives_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'town.db'}"
    before = await Town.open(url)
    assert to(await before.says(BOSS, "诉求"), BOSS) == ["ask.appeal"]
    await before.close()
    after = await Town.open(url, at="2026-03-11 09:10", new=False)
    assert to(await after.says(BOSS, "车间停电", message_id="later"), BOSS) == ["appeal.filed"]
    await after.close()


async def test_an_unanswered_question_is_forgotten_after_half_an_hour(town: Town) -> None:
    await town.says(BOSS, "诉求")
    await town.wait(hours=0.6)
    assert to(await town.says(BOSS, "车间停电"), BOSS) == ["ask.file"]


async def test_in_a_group_only_a_reply_or_a_mention_answers_the_question(town: Town) -> None:
    asked = (await town.says(BOSS, "诉求", where=SINGLE))[0]
    assert await town.says(BOSS, "中午吃什么", where=SINGLE) == []
    assert to(await town.says(BOSS, "车间停电", where=SINGLE, reply_to=asked.id), SINGLE) == ["appeal.filed"]


async def test_cancel_leaves_nothing_behind(town: Town) -> None:
    await town.says(BOSS, "诉求")
    assert to(await town.says(BOSS, "取消"), BOSS) == ["help.cancelled"]
    assert await town.all("SELECT * FROM steps") == []
    assert await town.all("SELECT * FROM appeals") == []


async def test_a_plain_sentence_is_offered_and_one_press_files_it(town: Town) -> None:
    await town.says(BOSS, "车间又停电了")
    assert to(await town.presses(BOSS, "登记"), BOSS) == ["appeal.filed"]
    assert (await town.one("SELECT body FROM event_texts"))["body"] == "车间又停电了"


async def test_photos_come_along_come_first_and_follow_as_a_reply(town: Town) -> None:
    await keep_photo(town)
    filed = (await town.says(BOSS, "诉求 停电", attachments=[PHOTO]))[0]
    assert "附件1份" in filed.text
    await town.says(BOSS, "诉求")
    assert to(await town.says(BOSS, "", attachments=[PHOTO]), BOSS) == ["ask.appeal"]
    assert to(await town.says(BOSS, "水也停了"), BOSS)[0].startswith("appeal.filed")
    await town.says(BOSS, "", attachments=[PHOTO], reply_to=filed.id)
    files = await town.all("SELECT e.name FROM event_files f JOIN events e ON e.id = f.event_id ORDER BY e.id")
    assert [row["name"] for row in files] == ["file", "file", "supplement"]


async def test_an_unsure_text_waits_for_the_coordinator_and_never_goes_to_a_wrong_office(town: Town) -> None:
    said = await town.says(BOSS, "诉求 有件说不清的事")
    assert to(said, BOSS) == ["appeal.filed_waiting"]
    assert to(said, OFFICE) == ["triage.unsure"]
    assert (await town.one("SELECT status, handler_id FROM appeals"))["status"] == "submitted"
    said = await town.presses(OFFICE, "派单")
    assert said[0].key == "ask.whom"
    said = await town.presses(OFFICE, "县供电公司")
    assert to(said, "赵工") == ["task.dispatched"]
    assert to(said, BOSS) == ["firm.dispatched"]


async def test_a_liaison_on_leave_is_stood_in_for_by_his_deputy(town: Town) -> None:
    await town.says(LIAISON, "请假 3天 李强")
    said = await town.says(BOSS, "诉求 停电")
    assert to(said, DEPUTY) == ["task.dispatched"]


async def test_a_category_of_a_department_goes_to_its_duty_officer(town: Town) -> None:
    await town.database.transaction(
        lambda tx: tx.run(
            """INSERT INTO departments(code, name, duty_id)
               SELECT 'land', '自然资源局', id FROM people WHERE name = '郑老师'"""
        )
    )
    said = await town.says(BOSS, "诉求 厂区红线划错了")
    assert to(said, "郑老师") == ["task.dispatched"]
    assert to(said, LIAISON) == ["task.informed"]


async def test_a_complaint_in_a_group_is_answered_privately(town: Town) -> None:
    said = await town.says(BOSS, "投诉 窗口推诿", where=MULTI)
    assert to(said, MULTI) == ["reply.sent_privately"]
    assert to(said, BOSS) == ["appeal.filed_waiting"]
    assert to(said, LIAISON) == []


async def test_a_cadre_records_for_a_firm_that_phoned_and_the_firm_hears_of_it(town: Town) -> None:
    said = await town.says(LIAISON, "代录 和顺物流 门口停电")
    assert to(said, LIAISON)[0] == "appeal.recorded"
    assert to(said, OTHER_BOSS) == ["firm.recorded"]
    assert (await town.one("SELECT source FROM appeals"))["source"] == "record"


# Working --------------------------------------------------------------------------------------------------------------
async def test_the_handler_works_by_replying_to_the_bots_message(town: Town) -> None:
    await town.says(BOSS, "诉求 停电")
    task = next(line for line in town.said if line.key == "task.dispatched")
    assert to(await town.says(LIAISON, "接单", reply_to=task.id), LIAISON) == ["work.acknowledged"]
    assert to(await town.says(LIAISON, "已联系", reply_to=task.id), LIAISON) == ["work.contacted"]
    assert to(await town.says(LIAISON, "办结 线路已修好", reply_to=task.id), LIAISON) == ["work.resolved"]
    assert (await town.one("SELECT status FROM appeals"))["status"] == "resolved"


async def test_a_handlers_plain_reply_is_asked_whether_the_firm_may_read_it(town: Town) -> None:
    await town.says(BOSS, "诉求 停电")
    await town.presses(LIAISON, "接单")
    task = next(line for line in town.said if line.key == "task.dispatched")
    assert to(await town.says(LIAISON, "线路老化要换", reply_to=task.id), LIAISON) == ["ask.progress_or_note"]
    said = await town.presses(LIAISON, "备注")
    assert to(said, LIAISON) == ["work.noted"]
    assert to(said, BOSS) == []
    assert "线路老化要换" in [row["body"] for row in await town.all("SELECT body FROM event_texts")]


async def test_a_note_is_never_shown_to_the_firm(town: Town) -> None:
    await town.says(BOSS, "诉求 停电")
    await town.says(LIAISON, "备注 1 企业用电超了合同容量")
    heard = await town.says(BOSS, "回溯 1")
    assert "超了合同容量" not in heard[0].text
    assert "超了合同容量" in (await town.says(LIAISON, "回溯 1"))[0].text


async def test_a_return_goes_to_the_coordinator_and_the_firm_hears_that_the_date_stands(town: Town) -> None:
    await town.says(BOSS, "诉求 停电")
    due = (await town.one("SELECT due_at FROM appeals"))["due_at"]
    await town.presses(LIAISON, "退单")
    said = await town.says(LIAISON, "应由供电公司直接办")
    assert to(said, OFFICE) == ["triage.returned"]
    assert to(said, BOSS) == ["firm.reassigning"]
    assert "应由供电公司" not in next(line for line in said if line.listener == BOSS).text
    await town.says(OFFICE, "派单 1 县供电公司 请直接办理")
    assert (await town.one("SELECT due_at FROM appeals"))["due_at"] == due


async def test_a_transfer_is_asked_by_the_handler_and_decided_by_the_coordinator(town: Town) -> None:
    await town.says(BOSS, "诉求 停电")
    await town.presses(LIAISON, "接单")
    said = await town.says(LIAISON, "转办 1 县供电公司 属线路改造")
    assert to(said, OFFICE) == ["triage.asked_transfer"]
    said = await town.presses(OFFICE, "批准")
    assert to(said, "赵工") == ["task.dispatched"]
    assert "task.taken_over" in to(said, LIAISON) or "task.informed" in to(said, LIAISON)


async def test_a_refused_transfer_stays_where_it_is(town: Town) -> None:
    await town.says(BOSS, "诉求 停电")
    await town.says(LIAISON, "转办 1 县供电公司 太忙")
    await town.presses(OFFICE, "不同意")
    said = await town.says(OFFICE, "请先到现场看看")
    assert to(said, LIAISON) == ["task.denied"]
    handler = await town.one("SELECT p.name FROM appeals a JOIN people p ON p.id = a.handler_id")
    assert handler["name"] == LIAISON


async def test_another_category_counts_its_own_term_from_intake(town: Town) -> None:
    await town.says(BOSS, "诉求 有件说不清的事")
    await town.says(OFFICE, "改类 1 用电")
    assert (await town.one("SELECT category FROM appeals"))["category"] == "power"


async def test_the_firm_adds_urges_withdraws_and_brings_back(town: Town) -> None:
    await town.says(BOSS, "诉求 停电")
    assert to(await town.says(BOSS, "补充 12号楼也停电"), LIAISON) == ["task.supplemented"]
    assert to(await town.says(BOSS, "催办"), LIAISON) == ["task.urged"]
    again = await town.says(BOSS, "催办 1")
    assert (to(again, BOSS), to(again, LIAISON)) == (["work.urged_already"], [])
    assert to(await town.says(BOSS, "撤回 1"), LIAISON) == ["task.withdrawn"]
    assert to(await town.says(BOSS, "撤销 1"), OFFICE) == ["triage.again"]


async def test_with_several_open_matters_the_person_picks_by_title(town: Town) -> None:
    await town.says(BOSS, "诉求 停电")
    await town.says(BOSS, "诉求 变压器漏油")
    asked = (await town.says(BOSS, "撤回"))[0]
    assert asked.key == "ask.which"
    assert set(asked.buttons) == {"#1 停电", "#2 变压器漏油"}
    await town.presses(BOSS, "#2 变压器漏油")
    rows = await town.all("SELECT status FROM appeals ORDER BY id")
    assert [row["status"] for row in rows] == ["dispatched", "withdrawn"]


# Judging --------------------------------------------------------------------------------------------------------------
async def resolved(town: Town) -> None:
    await town.says(BOSS, "诉求 停电", where=MULTI)
    await town.presses(LIAISON, "接单")
    await town.says(LIAISON, "办结 1 已送电")


async def test_only_the_firms_word_ends_a_matter_and_silence_is_none(town: Town) -> None:
    await resolved(town)
    await town.wait(days=60)
    assert (await town.one("SELECT status, satisfaction FROM appeals"))["status"] == "resolved"
    assert to(town.said, BOSS).count("remind.one") == 1
    assert [line.text for line in town.said if line.key == "remind.one" and "回访" in line.text]


async def test_two_people_press_one_button_one_effect_and_the_second_is_told(town: Town) -> None:
    await resolved(town)
    button = next(line for line in town.said if line.key == "firm.survey").data[3]
    await town.says(BOSS, button=button)
    second = await town.says(CLERK, button=button)
    assert to(second, CLERK) == ["refused.outdated"]
    assert len(await town.all("SELECT id FROM events WHERE name = 'satisfied'")) == 1


async def test_ratings_never_reach_a_group_or_the_handler(town: Town) -> None:
    await resolved(town)
    await town.presses(BOSS, "不满意")
    await town.says(BOSS, "电压还是低")
    loud = [line for line in town.said if line.listener in (MULTI, SINGLE)]
    assert not [line for line in loud if "不满意" in line.text or "电压还是低" in line.text]
    await town.says(LIAISON, "办结 1 再次送电")
    said = await town.presses(BOSS, "基本满意")
    assert not [line for line in said if line.listener != BOSS and "满意" in line.text]


async def test_the_handlers_history_tells_no_rating_and_the_coordinators_does(town: Town) -> None:
    await resolved(town)
    await town.presses(BOSS, "部分解决")
    await town.presses(BOSS, "基本满意")
    handlers = (await town.says(LIAISON, "回溯 1"))[0].text
    assert "满意" not in handlers
    assert "部分解决" not in handlers
    assert "确认，销号" in handlers
    assert "基本满意" in (await town.says(OFFICE, "回溯 1"))[0].text


@pytest.mark.parametrize("verb, status", [("批示", "in_progress"), ("存疑办结", "closed_disputed")])
async def test_the_inspector_decides_on_what_was_rejected_twice(town: Town, verb: str, status: str) -> None:
    await resolved(town)
    await town.says(BOSS, "不满意 1 还是停")
    await town.says(LIAISON, "办结 1 又送电了")
    await town.says(BOSS, "不满意 1 又停了")
    assert to(await town.presses("吴检", verb), "吴检") == ["ask.decide"]
    said = await town.says("吴检", "请换线路")
    assert (await town.one("SELECT status FROM appeals"))["status"] == status
    assert len(to(said, BOSS)) == 1


async def test_a_second_rejection_goes_to_the_inspector(town: Town) -> None:
    await resolved(town)
    await town.says(BOSS, "不满意 1 还是停")
    await town.says(LIAISON, "办结 1 又送电了")
    said = await town.says(BOSS, "不满意 1 又停了")
    assert to(said, "吴检") == ["watch.escalated"]


async def test_a_call_is_recorded_with_its_caller_and_three_vain_ones_leave_it_unrated(town: Town) -> None:
    await resolved(town)
    for _ in range(3):
        await town.says(OFFICE, "回访 1 无人接听")
    row = await town.one("SELECT status, satisfaction FROM appeals")
    assert (row["status"], row["satisfaction"]) == ("unrated", None)
    await town.says(BOSS, "满意 1")
    assert (await town.one("SELECT status FROM appeals"))["status"] == "closed"


# Looking --------------------------------------------------------------------------------------------------------------
async def test_what_is_asked_in_a_group_is_answered_privately(town: Town) -> None:
    await town.says(BOSS, "诉求 停电")
    for command in ("我的", "待办"):
        said = await town.says(BOSS, command, where=MULTI)
        assert to(said, MULTI) == ["reply.sent_privately"]
        assert len(to(said, BOSS)) == 1


async def test_progress_is_shown_in_place_only_in_the_firms_own_group(town: Town) -> None:
    await town.says(BOSS, "诉求 停电")
    assert to(await town.says(BOSS, "进度 1", where=SINGLE), SINGLE) == ["look.status"]
    assert to(await town.says(BOSS, "进度 1", where=MULTI), MULTI) == ["reply.sent_privately"]


async def test_a_group_of_several_firms_never_reads_the_problem(town: Town) -> None:
    await town.says(BOSS, "诉求 密密麻麻的变压器故障", where=MULTI)
    await town.presses(LIAISON, "接单")
    await town.says(LIAISON, "进展 1 密密麻麻的线路已查", where=MULTI)
    await town.says(LIAISON, "办结 1 密密麻麻的线路已换", where=MULTI)
    await town.presses(BOSS, "满意")
    assert not [line for line in town.said if line.listener == MULTI and "密密麻麻" in line.text]


async def test_a_firms_group_sees_no_handlers_buttons(town: Town) -> None:
    await town.says(BOSS, "诉求 停电", where=SINGLE)
    said = await town.says(LIAISON, "接单 1", where=SINGLE)
    assert [line.buttons for line in said if line.listener == SINGLE] == [(), ()]


async def test_help_lists_only_what_works_for_the_asker(town: Town) -> None:
    owner = (await town.says(BOSS, "帮助"))[0].text
    office = (await town.says(OFFICE, "帮助"))[0].text
    assert "诉求" in owner
    assert "派单" not in owner
    assert "派单" in office
    assert "您还没绑定" not in owner


async def test_a_foreign_number_is_answered_exactly_like_none(town: Town) -> None:
    await town.says(BOSS, "诉求 停电")
    foreign = (await town.says(OTHER_BOSS, "进度 1"))[0].text
    nothing = (await town.says(OTHER_BOSS, "进度 7"))[0].text
    assert foreign.replace("#1", "#") == nothing.replace("#7", "#")


# The clock ------------------------------------------------------------------------------------------------------------
async def test_several_late_matters_become_one_message_and_two_a_day_are_enough(town: Town) -> None:
    for matter in ("一号车间停电", "二号车间停电", "三号车间停电"):
        await town.says(BOSS, f"诉求 {matter}")
    await town.wait(days=30)
    reminders = [line for line in town.said if line.listener == LIAISON and line.key.startswith("remind.")]
    assert "remind.several" in {line.key for line in reminders}
    days = [line.time.split()[0] for line in reminders]
    assert max(days.count(day) for day in days) <= 2


async def test_nobody_is_reminded_after_the_work_is_done_nor_twice_of_one_rung(town: Town) -> None:
    await resolved(town)
    await town.says(BOSS, "满意 1")
    await town.wait(days=40)
    assert not [line for line in town.said if line.key.startswith("remind.")]


async def test_office_people_hear_nothing_at_night_at_noon_or_on_holidays(town: Town) -> None:
    await town.wait(until="2026-04-30 20:00")
    await town.says(BOSS, "诉求 停电")
    await town.wait(until="2026-05-20 09:00")
    heard = [line for line in town.said if line.listener == LIAISON and line.key in ("task.dispatched", "remind.one")]
    assert heard[0].time == "05-06 08:30"
    for line in heard:
        clock = line.time.split()[1]
        assert "08:30" <= clock <= "12:05" or "14:00" <= clock <= "17:35", line.time


async def test_after_a_long_sleep_one_message_tells_the_highest_rung(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'town.db'}"
    before = await Town.open(url)
    await before.says(BOSS, "诉求 停电")
    await before.presses(LIAISON, "接单")
    await before.close()
    after = await Town.open(url, at="2026-03-27 10:00", new=False)
    said = await after.settle()
    assert len([line for line in said if line.listener == LIAISON and line.key.startswith("remind.")]) == 1
    states = await after.all("SELECT label, state FROM rungs WHERE clock = 'resolve' ORDER BY due_at")
    assert [row["state"] for row in states if row["label"] in ("-2wd", "0s")] == ["superseded", "superseded"]
    assert await after.settle() == []
    await after.close()


async def test_who_cannot_be_reached_is_called_by_somebody_who_can(town: Town) -> None:
    await town.says(BOSS, "诉求 停电")
    await town.database.transaction(
        lambda tx: tx.run("UPDATE chats SET reachable = 0 WHERE external_id = :id", {"id": f"private:{LIAISON}"})
    )
    await town.wait(days=2)
    assert "watch.unreachable" in to(town.said, OFFICE)
