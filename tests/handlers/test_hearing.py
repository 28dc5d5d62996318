"""What a message wants: commands among talk, buttons and their typed twins, answers to questions, edits."""

import pytest

from tests.handlers.talk import (
    BOSS,
    INSPECTOR,
    LIAISON,
    MULTI,
    OTHER,
    SINGLE,
    TEACHER,
    appeal,
    count,
    heard,
    newest,
    reported_done,
    to,
    words,
)
from tests.stories.town import Town

NUMBERS = ["1", "#1", "＃1", "１", "LQ-2026-00001", "lq-2026-1", "1号", "1："]


# Among people ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "line",
    [
        "满意",
        "确认",
        "取消",
        "接单",
        "办结",
        "已解决",
        "认可",
        "跟进",
        "延期",
        "满意，大家都满意",
        "建议大家周五聚餐",
        "我的车停在门口了",
        "投诉电话是多少",
        "12",
        "谁知道停电的事？",
    ],
)
@pytest.mark.parametrize("who", [BOSS, LIAISON, "路人"])
async def test_people_who_talk_among_themselves_are_left_alone(park: Town, line: str, who: str) -> None:
    assert await park.says(who, line, where=MULTI) == []


async def test_a_bare_word_among_people_counts_where_it_fits_the_speaker(park: Town) -> None:
    await reported_done(park)
    said = await park.says(BOSS, "满意", where=MULTI)
    assert (to(said, MULTI), to(said, BOSS)) == (["reply.sent_privately"], ["work.closed"])


async def test_a_word_said_to_the_bot_is_answered_even_where_nothing_fits(park: Town) -> None:
    assert to(await park.says(BOSS, "满意", where=MULTI, addressed=True), MULTI) == ["refused.nothing_fits"]
    assert to(await park.says(BOSS, "@联企 满意", where=MULTI), MULTI) == ["refused.nothing_fits"]
    assert to(await park.says(BOSS, "/满意", where=MULTI), MULTI) == ["refused.nothing_fits"]


async def test_a_sentence_said_to_the_bot_in_a_group_is_offered_without_its_words(park: Town) -> None:
    said = await park.says(BOSS, "@联企 车间又停电了", where=MULTI)
    assert to(said, MULTI) == ["ask.file_here"]
    assert "停电" not in heard(said, MULTI)
    assert to(await park.says(BOSS, button=said[0].data[0], where=MULTI), MULTI) == ["appeal.filed"]


async def test_an_unknown_command_in_a_group_is_answered_in_one_line(park: Town) -> None:
    said = await park.says(BOSS, "/开门", where=SINGLE)
    assert to(said, SINGLE) == ["refused.unknown_command"]


WITHOUT_HANDLER = ["融资 需要贷款五百万", "办不了贷款", "很难办，我们厂停电了", "重复收了两次电费", "人工"]


@pytest.mark.parametrize("line", WITHOUT_HANDLER)
async def test_a_word_that_no_command_goes_by_begins_a_sentence_like_any_other(park: Town, line: str) -> None:
    assert to(await park.says(BOSS, line), BOSS) == ["ask.file"]


@pytest.mark.parametrize("line", WITHOUT_HANDLER)
async def test_and_it_answers_the_question_that_stands_open(park: Town, line: str) -> None:
    await park.says(BOSS, "诉求")
    await park.says(BOSS, line)
    assert await count(park, "appeals") == 1


# Numbers --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("number", NUMBERS)
async def test_a_number_is_understood_in_every_spelling(park: Town, number: str) -> None:
    await park.says(BOSS, "诉求 停电")
    await park.says(BOSS, "诉求 土地红线")
    assert to(await park.says(BOSS, f"撤回 {number}"), BOSS) == ["work.withdrawn"]
    assert (await appeal(park))["status"] == "withdrawn"


async def test_the_number_of_a_house_names_no_matter(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    await park.says(BOSS, "补充 12号楼也停电")
    assert await words(park, "supplement") == ["12号楼也停电"]


@pytest.mark.parametrize("answer", ["2", "#2", "2号", "＃２", "LQ-2026-00002", "#2 土地红线"])
async def test_which_one_may_be_answered_by_number_or_title(park: Town, answer: str) -> None:
    await park.says(BOSS, "诉求 停电")
    await park.says(BOSS, "诉求 土地红线")
    asked = await park.says(BOSS, "补充 已经两个小时了")
    assert to(asked, BOSS) == ["ask.which"]
    assert to(await park.says(BOSS, answer), BOSS) == ["work.supplemented"]
    assert await words(park, "supplement") == ["已经两个小时了"]
    row = await park.one("SELECT appeal_id FROM events WHERE name = 'supplement'")
    assert row["appeal_id"] == (await appeal(park, 2))["id"]


async def test_words_that_choose_nothing_are_asked_again_and_lose_nothing(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    await park.says(BOSS, "诉求 土地红线")
    await park.says(BOSS, "补充 已经两个小时了")
    assert to(await park.says(BOSS, "停电的那件"), BOSS) == ["ask.which"]
    await park.says(BOSS, "1")
    assert await words(park, "supplement") == ["已经两个小时了"]


async def test_which_one_is_never_asked_in_a_group(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    await park.says(BOSS, "诉求 土地红线")
    said = await park.says(BOSS, "撤回", where=SINGLE)
    assert (to(said, SINGLE), to(said, BOSS)) == (["reply.sent_privately"], ["ask.which"])
    await park.presses(BOSS, "#2 土地红线")
    assert (await appeal(park, 2))["status"] == "withdrawn"


async def test_replying_to_a_foreign_matter_never_means_one_of_ones_own(park: Town) -> None:
    await park.says(OTHER, "诉求 门口停电")
    await park.says(BOSS, "诉求 车间停电", where=MULTI)
    said = await park.says(OTHER, "撤回", where=MULTI, reply_to=newest(park, MULTI, "appeal.filed").id)
    assert to(said, MULTI) == ["refused.not_found"]
    assert {row["status"] for row in await park.all("SELECT status FROM appeals")} == {"dispatched"}


async def test_a_reply_to_a_private_message_stands_for_its_number(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    first = newest(park, BOSS, "appeal.filed")
    await park.says(BOSS, "诉求 土地红线")
    assert to(await park.says(BOSS, "撤回", reply_to=first.id), BOSS) == ["work.withdrawn"]
    assert (await appeal(park))["status"] == "withdrawn"


async def test_where_only_the_quoted_words_are_known_the_number_in_them_counts(park: Town) -> None:
    await park.says(BOSS, "诉求 车间停电", where=SINGLE)
    said = await park.says(BOSS, "二车间也停了", where=SINGLE, addressed=True, quoted="已登记 #1：宏达…")
    assert to(said, SINGLE) == ["work.supplemented"]


@pytest.mark.parametrize("quoted", ["#1 和 #2 一样", "去 #12 车间看看", "1号车间", "#1-2 栋", ""])
async def test_other_quoted_words_mean_no_matter(park: Town, quoted: str) -> None:
    await park.says(BOSS, "诉求 车间停电", where=SINGLE)
    said = await park.says(BOSS, "二车间也停了", where=SINGLE, addressed=True, quoted=quoted)
    assert "work.supplemented" not in to(said, SINGLE)


async def test_a_quoted_number_of_which_the_chat_was_never_told_means_no_matter(park: Town) -> None:
    await park.says(OTHER, "诉求 门口停电")
    said = await park.says(BOSS, "撤回", where=SINGLE, addressed=True, quoted="#1 车间")
    assert {row["status"] for row in await park.all("SELECT status FROM appeals")} == {"dispatched"}
    assert "refused.not_found" not in to(said, SINGLE)


# Questions and their buttons ------------------------------------------------------------------------------------------
async def test_cancel_by_button_and_by_word_ends_the_question(park: Town) -> None:
    await park.says(BOSS, "车间又停电了")
    assert to(await park.presses(BOSS, "取消"), BOSS) == ["help.cancelled"]
    assert await count(park, "steps") == 0
    await park.says(BOSS, "诉求")
    assert to(await park.says(BOSS, "/cancel"), BOSS) == ["help.cancelled"]
    assert to(await park.says(BOSS, "取消"), BOSS) == ["help.nothing_to_cancel"]
    assert await count(park, "appeals") == 0


async def test_the_offered_button_may_be_typed(park: Town) -> None:
    await park.says(BOSS, "车间又停电了")
    assert to(await park.says(BOSS, "登记"), BOSS) == ["appeal.filed"]
    assert await words(park, "file") == ["车间又停电了"]


async def test_an_owner_may_say_it_in_several_lines(park: Town) -> None:
    await park.says(BOSS, "车间又停电了")
    await park.says(BOSS, "已经两个小时")
    await park.says(BOSS, "订单要误了")
    assert to(await park.presses(BOSS, "登记"), BOSS) == ["appeal.filed"]
    assert await words(park, "file") == ["车间又停电了\n已经两个小时\n订单要误了"]


async def test_a_pressed_offer_of_long_ago_asks_for_the_words_again(park: Town) -> None:
    await park.says(BOSS, "车间又停电了")
    await park.wait(hours=0.6)
    assert to(await park.presses(BOSS, "登记"), BOSS) == ["ask.appeal"]
    assert to(await park.says(BOSS, "车间又停电了"), BOSS) == ["appeal.filed"]


async def test_a_confirmation_holds_for_its_own_question_only(park: Town) -> None:
    said = await park.says(BOSS, button="confirm::")
    assert to(said, BOSS) == ["refused.nothing_to_confirm"]
    assert to(await park.says(BOSS, "确认"), BOSS) == ["refused.nothing_to_confirm"]
    await park.says(BOSS, "诉求")
    assert to(await park.says(BOSS, button="confirm:::1"), BOSS) == ["refused.nothing_to_confirm"]
    assert await count(park, "appeals") == 0


async def test_a_command_ends_the_question_before_it(park: Town) -> None:
    await park.says(BOSS, "诉求")
    await park.says(BOSS, "我的")
    assert to(await park.says(BOSS, "车间停电"), BOSS) == ["ask.file"]


async def test_a_refused_answer_leaves_the_question_open_and_a_refused_matter_ends_it(park: Town) -> None:
    await park.says(BOSS, "诉求")
    assert to(await park.says(BOSS, "★★"), BOSS) == ["refused.no_words"]
    assert to(await park.says(BOSS, "车间停电"), BOSS) == ["appeal.filed"]
    await park.says(LIAISON, "退单 1")
    await park.says(BOSS, "撤回 1")
    assert to(await park.says(LIAISON, "不归我管"), LIAISON) == ["refused.status"]
    assert await count(park, "steps") == 0


async def test_in_a_group_a_question_says_how_to_answer_it(park: Town) -> None:
    said = await park.says(BOSS, "诉求", where=SINGLE)
    assert to(said, SINGLE) == ["ask.in_group"]
    assert "回复本条消息" in heard(said, SINGLE)


async def test_two_people_in_one_group_answer_each_his_own_question(park: Town) -> None:
    first = await park.says(BOSS, "诉求", where=MULTI)
    await park.says(OTHER, "咨询", where=MULTI)
    await park.says(BOSS, "车间停电", where=MULTI, reply_to=first[0].id)
    await park.says(OTHER, "补助怎么报", where=MULTI, addressed=True)
    rows = await park.all("SELECT kind FROM appeals ORDER BY id")
    assert [row["kind"] for row in rows] == ["appeal", "inquiry"]


# Talk of the office ---------------------------------------------------------------------------------------------------
async def test_what_a_liaison_writes_plainly_may_be_recorded_for_a_firm(park: Town) -> None:
    asked = await park.says(LIAISON, "门口路灯坏了三天")
    assert to(asked, LIAISON) == ["ask.record_offer"]
    assert to(await park.presses(LIAISON, "代录"), LIAISON) == ["ask.record_firm"]
    said = await park.says(LIAISON, "和顺物流")
    assert to(said, LIAISON)[0].startswith("appeal.recorded")
    assert to(said, OTHER) == ["firm.recorded"]
    assert await words(park, "file") == ["门口路灯坏了三天"]


@pytest.mark.parametrize("who", [TEACHER, INSPECTOR])
async def test_others_of_the_office_are_told_how_to_go_on(park: Town, who: str) -> None:
    said = await park.says(who, "这个事我知道了")
    assert to(said, who) == ["help.not_understood"]
    assert "帮助" in heard(said, who)


# Edits ----------------------------------------------------------------------------------------------------------------
async def test_an_edit_runs_no_command(park: Town) -> None:
    assert await park.says(BOSS, "诉求 停电", edited=True) == []
    assert await count(park, "appeals") == 0


async def test_an_edited_matter_is_added_to_until_it_is_taken_on(park: Town) -> None:
    await park.says(BOSS, "诉求 停电", message_id="m1")
    said = await park.says(BOSS, "诉求 一号车间停电", message_id="m1", edited=True)
    assert to(said, BOSS) == ["work.supplemented"]
    assert to(said, LIAISON) == ["task.supplemented"]
    assert await words(park, "supplement") == ["一号车间停电"]
    await park.presses(LIAISON, "接单")
    assert await park.says(BOSS, "诉求 二号车间停电", message_id="m1", edited=True) == []
    assert await count(park, "appeals") == 1


async def test_an_edited_command_of_the_office_changes_nothing(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    await park.says(LIAISON, "接单 1", message_id="m2")
    assert await park.says(LIAISON, "办结 1 好了", message_id="m2", edited=True) == []
    assert (await appeal(park))["status"] == "in_progress"
