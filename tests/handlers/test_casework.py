"""A matter is worked on and judged: by command, by button, by replying; who hears what of it."""

import pytest

from tests.handlers.talk import (
    BOSS,
    CLERK,
    DUTY,
    LIAISON,
    OFFICE,
    appeal,
    change,
    heard,
    newest,
    photo,
    reported_done,
    taken_on,
    to,
    words,
)
from tests.stories.town import Town

WAYS = ["{0} 1 {1}", "/{0} #1 {1}", "{0}1 {1}", "@联企 {0} 1：{1}", "{0} {1}"]


@pytest.mark.parametrize("way", WAYS)
async def test_the_handler_works_by_command_in_every_spelling(park: Town, way: str) -> None:
    await park.says(BOSS, "诉求 停电")
    for word, key, status in (
        ("接单", "work.acknowledged", "in_progress"),
        ("已联系", "work.contacted", "in_progress"),
        ("进展", "work.progress", "in_progress"),
        ("备注", "work.noted", "in_progress"),
        ("办结", "work.resolved", "resolved"),
    ):
        said = await park.says(LIAISON, way.format(word, "已到现场"))
        assert to(said, LIAISON) == [key], word
        assert "#1 停电" in heard(said, LIAISON)
        assert (await appeal(park))["status"] == status


async def test_the_handler_works_by_buttons(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    assert to(await park.presses(LIAISON, "接单"), LIAISON) == ["work.acknowledged"]
    assert to(await park.presses(LIAISON, "已联系"), LIAISON) == ["work.contacted"]
    assert to(await park.presses(LIAISON, "进展"), LIAISON) == ["ask.progress"]
    assert to(await park.says(LIAISON, "已到现场"), LIAISON) == ["work.progress"]
    assert to(await park.presses(LIAISON, "办结"), LIAISON) == ["ask.resolve"]
    assert to(await park.says(LIAISON, "已送电"), LIAISON) == ["work.resolved"]


@pytest.mark.parametrize("word", ["接单", "已联系", "退单 不归我管", "备注 内部", "转办 教体局 归他们", "进度", "回溯"])
async def test_a_bare_word_as_a_reply_means_the_matter_replied_to(park: Town, word: str) -> None:
    await park.says(BOSS, "诉求 停电")
    task = newest(park, LIAISON, "task.dispatched")
    await park.says(BOSS, "诉求 变压器冒烟")
    said = await park.says(LIAISON, word, reply_to=task.id)
    assert "#1 停电" in heard(said, LIAISON)
    assert (await appeal(park, 2))["version"] == 2


async def test_the_firm_hears_of_taking_on_of_progress_and_of_the_end(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    assert to(await park.presses(LIAISON, "接单"), BOSS) == ["firm.acknowledged"]
    assert "线路老化" in heard(await park.says(LIAISON, "进展 1 线路老化，明天换"), BOSS)
    said = await park.says(LIAISON, "办结 1 已换新线", attachments=[await photo(park)])
    survey = newest(park, BOSS, "firm.survey")
    assert survey.buttons == ("已解决", "部分解决", "未解决", "满意", "基本满意", "不满意")
    assert "张建国，#1 停电" in heard(said, BOSS)
    sent = next(parcel for parcel in park.channel.sent if parcel.id == survey.id)
    assert [document.name for document in sent.documents] == ["现场.jpg"]


async def test_the_handler_is_told_whom_to_call_even_where_only_the_firm_is_known(park: Town) -> None:
    await park.says(OFFICE, "代录 宏达机械 停电")
    assert "请尽快联系宏达机械" in heard(await park.presses(LIAISON, "接单"), LIAISON)


async def test_contact_is_noted_once(park: Town) -> None:
    await taken_on(park)
    await park.says(LIAISON, "已联系 1 约了下午到现场")
    said = await park.says(LIAISON, "已联系 1")
    assert to(said, LIAISON) == ["refused.contacted_already"]
    assert "进展" in heard(said, LIAISON)


async def test_a_return_is_possible_twice_and_within_a_working_day(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    for owner in (LIAISON, "李强"):
        await park.says(owner, "退单 1 待定 不归我管")
        await park.says(OFFICE, f"派单 1 {'李强' if owner == LIAISON else '王敏'} 请办")
    said = await park.says(LIAISON, "退单 1 待定 还是不归我管")
    assert to(said, LIAISON) == ["refused.returned_twice"]
    await park.says(BOSS, "诉求 变压器冒烟")
    await park.wait(until="2026-03-13 09:00")
    assert to(await park.says(LIAISON, "退单 2 待定 不归我管"), LIAISON) == ["refused.return_too_late"]


async def test_a_ruled_matter_cannot_be_returned(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    await park.says(LIAISON, "退单 1 待定 不归我管")
    ruled = await park.says(OFFICE, "指定 1 王敏 就由你办")
    assert to(ruled, OFFICE) == ["oversight.dispatched"]
    assert newest(park, LIAISON, "task.dispatched").buttons == ("接单", "已联系")
    assert to(await park.says(LIAISON, "退单 1 待定 还是不归我管"), LIAISON) == ["refused.ruled"]


# Plain replies --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("label, name", [("进展", "progress"), ("备注", "note")])
async def test_plain_words_of_a_handler_are_progress_or_a_note_by_his_choice(park: Town, label: str, name: str) -> None:
    await taken_on(park)
    picture = await photo(park)
    said = await park.says(
        LIAISON, "线路老化", reply_to=newest(park, LIAISON, "task.dispatched").id, attachments=[picture]
    )
    assert said[0].buttons == ("进展", "备注", "取消")
    await park.presses(LIAISON, label)
    assert await words(park, name) == ["线路老化"]
    assert len(await park.all("SELECT * FROM event_files")) == 1


async def test_the_choice_may_be_typed(park: Town) -> None:
    await taken_on(park)
    await park.says(LIAISON, "线路老化", reply_to=newest(park, LIAISON, "task.dispatched").id)
    await park.says(LIAISON, "进展")
    assert await words(park, "progress") == ["线路老化"]


async def test_before_it_is_taken_on_plain_words_can_only_be_a_note(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    said = await park.says(LIAISON, "我先问问", reply_to=newest(park, LIAISON, "task.dispatched").id)
    assert (to(said, LIAISON), said[0].buttons) == (["ask.note_it"], ("备注", "取消"))


async def test_plain_words_of_a_coordinator_can_only_be_a_note(park: Town) -> None:
    await park.says(BOSS, "诉求 有件说不清的事")
    said = await park.says(OFFICE, "等明天会上定", reply_to=newest(park, OFFICE, "triage.unsure").id)
    assert to(said, OFFICE) == ["ask.note_it"]


async def test_plain_words_of_the_firm_belong_to_its_matter(park: Town) -> None:
    await taken_on(park)
    said = await park.says(BOSS, "二号车间也停了", reply_to=newest(park, BOSS, "firm.acknowledged").id)
    assert (to(said, BOSS), to(said, LIAISON)) == (["work.supplemented"], ["task.supplemented"])
    assert "王敏会看到" in heard(said, BOSS)


async def test_plain_words_under_the_survey_are_asked_whether_they_are_the_reason(park: Town) -> None:
    await reported_done(park)
    said = await park.says(BOSS, "下午又停了", reply_to=newest(park, BOSS, "firm.survey").id)
    assert (to(said, BOSS), said[0].buttons) == (["ask.reason_or_more"], ("不满意", "补充", "取消"))
    assert to(await park.presses(BOSS, "不满意"), BOSS) == ["work.reworked"]
    assert await words(park, "dissatisfied") == ["下午又停了"]


@pytest.mark.parametrize("word", ["满意", "基本满意", "不满意 还是停", "已解决", "部分解决", "未解决"])
async def test_a_verdict_may_be_a_reply_to_the_survey(park: Town, word: str) -> None:
    await reported_done(park)
    version = (await appeal(park))["version"]
    await park.says(BOSS, word, reply_to=newest(park, BOSS, "firm.survey").id)
    assert (await appeal(park))["version"] == version + 1


# The firm's own steps -------------------------------------------------------------------------------------------------
async def test_a_matter_that_waits_for_the_coordinator_can_be_urged_too(park: Town) -> None:
    await park.says(BOSS, "诉求 有件说不清的事")
    said = await park.says(BOSS, "催办")
    assert (to(said, BOSS), to(said, OFFICE)) == (["work.urged"], ["triage.urged"])
    assert "优化办" in heard(said, BOSS)


async def test_urging_reaches_the_handler_once_a_day(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    assert to(await park.says(BOSS, "催办 1 客户在等"), LIAISON) == ["task.urged"]
    again = await park.says(CLERK, "催办 1")
    assert (to(again, CLERK), to(again, LIAISON)) == (["work.urged_already"], [])
    await park.wait(until="2026-03-12 09:00")
    assert "task.urged" in to(await park.says(BOSS, "催办"), LIAISON)


async def test_a_withdrawal_can_be_taken_back_within_ten_working_days(park: Town) -> None:
    await taken_on(park)
    due = (await appeal(park))["due_at"]
    assert to(await park.says(BOSS, "撤回 已经好了"), LIAISON) == ["task.withdrawn"]
    await park.wait(until="2026-03-20 09:00")
    said = await park.presses(BOSS, "撤销")
    assert (to(said, BOSS), to(said, OFFICE)) == (["work.undone"], ["triage.again"])
    assert (await appeal(park))["due_at"] == due
    await park.says(BOSS, "撤回 1")
    await park.wait(until="2026-04-20 09:00")
    said = await park.says(BOSS, "撤销 1")
    assert to(said, BOSS) == ["refused.too_late"]
    assert "重新登记" in heard(said, BOSS)


async def test_a_long_supplement_is_turned_away_and_a_short_one_is_taken_then(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    await park.says(BOSS, "补充 1")
    assert to(await park.says(BOSS, "电" * 3001), BOSS) == ["refused.too_long"]
    assert to(await park.says(BOSS, "二号车间也停了"), BOSS) == ["work.supplemented"]


# The verdict ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("word, value", [("满意", "satisfied"), ("基本满意", "fairly_satisfied")])
async def test_the_firms_yes_strikes_off(park: Town, word: str, value: str) -> None:
    await reported_done(park)
    said = await park.presses(BOSS, word)
    row = await appeal(park)
    assert (row["status"], row["satisfaction"]) == ("closed", value)
    assert f"“{word}”销号" in heard(said, BOSS)
    assert "不满意 1" in heard(said, BOSS)


async def test_the_firms_no_needs_a_reason_and_gets_a_date_of_its_own(park: Town) -> None:
    await reported_done(park)
    before = await appeal(park)
    assert to(await park.presses(BOSS, "不满意"), BOSS) == ["ask.dissatisfied"]
    assert (await appeal(park))["status"] == "resolved"
    said = await park.says(BOSS, "下午又停了")
    after = await appeal(park)
    assert (after["status"], after["round"]) == ("rework", 2)
    assert after["due_at"] != before["due_at"]
    assert (to(said, LIAISON), to(said, OFFICE)) == (["task.rework"], ["watch.rework"])
    assert "下午又停了" in heard(said, LIAISON)


async def test_a_second_no_is_said_to_go_to_the_inspector(park: Town) -> None:
    await reported_done(park)
    await park.says(BOSS, "不满意 1 还是停")
    await park.says(LIAISON, "办结 1 又送电了")
    said = await park.says(BOSS, "不满意 1 又停了")
    assert "纪检" in heard(said, BOSS)
    assert to(said, "吴检") == ["watch.escalated"]


async def test_a_closed_matter_is_reopened_once(park: Town) -> None:
    await reported_done(park)
    await park.says(BOSS, "满意 1")
    assert to(await park.says(BOSS, "不满意 1 又停了"), BOSS) == ["work.reworked"]
    await park.says(LIAISON, "办结 1 换了新线")
    said = await park.says(BOSS, "满意 1")
    assert "不满意 1" not in heard(said, BOSS)
    assert to(await park.says(BOSS, "不满意 1 又停了"), BOSS) == ["refused.reopened_once"]


async def test_solution_and_satisfaction_are_asked_apart(park: Town) -> None:
    await reported_done(park)
    said = await park.presses(BOSS, "部分解决")
    assert said[0].buttons == ("满意", "基本满意", "不满意")
    row = await appeal(park)
    assert (row["status"], row["solution"], row["satisfaction"]) == ("resolved", "partly_solved", None)
    await park.presses(BOSS, "满意")
    assert to(await park.says(BOSS, "未解决 1"), BOSS) == ["work.solution_noted_late"]


async def test_silence_is_never_a_yes(park: Town) -> None:
    await reported_done(park)
    await park.wait(days=120)
    row = await appeal(park)
    assert (row["status"], row["satisfaction"]) == ("resolved", None)


async def test_the_rating_reaches_nobody_who_handled_it(park: Town) -> None:
    await reported_done(park)
    said = await park.says(BOSS, "基本满意 1 就是慢了点")
    for line in said:
        if line.listener != BOSS:
            assert "满意" not in line.text
            assert "慢了点" not in line.text


async def test_whoever_lost_a_matter_hears_so_without_its_words(park: Town) -> None:
    await taken_on(park)
    await change(park, "UPDATE appeals SET liaison_id = NULL")
    await change(park, "UPDATE enterprises SET liaison_id = NULL")
    said = await park.says(OFFICE, "派单 1 县供电公司 属线路改造")
    assert to(said, DUTY) == ["task.dispatched"]
    assert heard(said, LIAISON) == "#1 已改由他人办理，您不用再跟进。"
