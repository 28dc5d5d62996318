"""A matter is raised: kinds, pictures, categories, owners, firms, recording for a firm, floods."""

from pathlib import Path

import pytest

from domain.people import Role
from tests import making
from tests.handlers.talk import (
    BOSS,
    CLERK,
    DEPUTY,
    DUTY,
    LIAISON,
    MULTI,
    OFFICE,
    OTHER,
    SINGLE,
    TEACHER,
    appeal,
    change,
    count,
    heard,
    newcomer,
    newest,
    on_leave,
    photo,
    to,
    words,
)
from tests.stories.town import Town

KINDS = [("诉求", "appeal"), ("咨询", "inquiry"), ("投诉", "complaint"), ("建议", "suggestion")]
SPELLINGS = ["{0} {1}", "/{0} {1}", "／{0}{1}", "/{0}@联企 {1}", "@联企 {0} {1}", "{0}：{1}", "{0}:{1}", "{0}\n{1}"]
ENGLISH = {"诉求": "appeal", "咨询": "ask", "投诉": "complain", "建议": "suggest"}


@pytest.mark.parametrize("where", ["", SINGLE, MULTI])
@pytest.mark.parametrize("spelling", [*SPELLINGS, "/{2} {1}", "{2} {1}", "{2}: {1}"])
@pytest.mark.parametrize("word, kind", KINDS)
async def test_every_flow_begins_in_every_spelling_and_place(
    park: Town, word: str, kind: str, spelling: str, where: str
) -> None:
    said = await park.says(BOSS, spelling.format(word, "车间停电了", ENGLISH[word]), where=where)
    assert "appeal.filed" in "".join(line.key for line in said if line.listener in (BOSS, where))
    assert (await appeal(park))["kind"] == kind
    assert await words(park, "file") == ["车间停电了"]


@pytest.mark.parametrize("word, kind", KINDS)
async def test_a_bare_word_survives_a_restart_in_the_middle(tmp_path: Path, word: str, kind: str) -> None:
    url = f"sqlite:///{tmp_path / 'town.db'}"
    before = await Town.open(url)
    picture = await photo(before)
    await before.says(BOSS, word)
    await before.says(BOSS, "", attachments=[picture])
    await before.close()
    after = await Town.open(url, at="2026-03-11 09:20", new=False)
    await after.says(BOSS, "车间停电", message_id="later")
    assert (await appeal(after))["kind"] == kind
    assert await count(after, "event_files") == 1
    await after.close()


# Pictures -------------------------------------------------------------------------------------------------------------
async def test_several_files_come_along_and_reach_the_handler(park: Town) -> None:
    files = [await photo(park, name.encode(), name) for name in ("1.jpg", "2.jpg", "语音.amr")]
    said = await park.says(BOSS, "诉求 停电", attachments=files)
    assert "附件3份" in heard(said, BOSS)
    assert "附件3份" in heard(said, LIAISON)
    task = next(parcel for parcel in park.channel.sent if parcel.id == newest(park, LIAISON, "task.dispatched").id)
    assert [document.name for document in task.documents] == ["1.jpg", "2.jpg", "语音.amr"]
    assert task.documents[0].content == b"1.jpg"


async def test_a_group_is_shown_no_files(park: Town) -> None:
    await park.says(BOSS, "诉求 停电", where=MULTI, attachments=[await photo(park)])
    assert all(not parcel.documents for parcel in park.channel.sent if parcel.chat == f"group:{MULTI}")


async def test_a_new_handler_gets_all_that_the_firm_has_sent(park: Town) -> None:
    await park.says(BOSS, "诉求 停电", attachments=[await photo(park, b"one", "1.jpg")])
    await park.says(BOSS, "补充 1 又拍了一张", attachments=[await photo(park, b"two", "2.jpg")])
    await park.says(OFFICE, "派单 1 县供电公司")
    task = next(parcel for parcel in park.channel.sent if parcel.id == newest(park, DUTY, "task.dispatched").id)
    assert [document.name for document in task.documents] == ["1.jpg", "2.jpg"]


async def test_a_picture_first_waits_for_its_words(park: Town) -> None:
    asked = await park.says(BOSS, "", attachments=[await photo(park)])
    assert to(asked, BOSS) == ["ask.words_for_files"]
    assert to(await park.says(BOSS, "车间停电"), BOSS) == ["appeal.filed"]
    assert await count(park, "event_files") == 1


async def test_a_picture_alone_belongs_to_the_only_open_matter(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    said = await park.says(BOSS, "", attachments=[await photo(park)])
    assert to(said, BOSS) == ["work.supplemented"]
    assert "#1 停电" in heard(said, BOSS)


async def test_a_picture_alone_with_several_open_matters_is_asked_about(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    await park.says(BOSS, "诉求 土地红线")
    assert to(await park.says(BOSS, "", attachments=[await photo(park)]), BOSS) == ["ask.which"]
    await park.presses(BOSS, "#2 土地红线")
    row = await park.one("SELECT appeal_id FROM event_files f JOIN events e ON e.id = f.event_id")
    assert row["appeal_id"] == (await appeal(park, 2))["id"]


async def test_a_picture_with_a_caption_comes_along_in_a_group_and_one_without_is_left_alone(park: Town) -> None:
    assert await park.says(BOSS, "", where=MULTI, attachments=[await photo(park)]) == []
    await park.says(BOSS, "诉求 停电", where=MULTI, attachments=[await photo(park)])
    assert await count(park, "event_files") == 1
    filed = newest(park, MULTI, "appeal.filed")
    said = await park.says(BOSS, "", where=MULTI, reply_to=filed.id, attachments=[await photo(park, b"next")])
    assert to(said, MULTI) == ["work.supplemented"]


# Category and owner ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text, category, owner",
    [
        ("车间停电了", "power", LIAISON),
        ("变压器太小，电压不稳", "power", LIAISON),
        ("职工孩子入学难", "school", LIAISON),
        ("有件说不清的事", "unsure", None),
        ("停电影响孩子入学", "unsure", None),
        ("窗口推诿", "service", None),
    ],
)
async def test_the_category_comes_from_the_words_and_an_unsure_one_waits_for_the_coordinator(
    park: Town, text: str, category: str, owner: str | None
) -> None:
    said = await park.says(BOSS, f"诉求 {text}")
    row = await park.one("SELECT a.*, p.name FROM appeals a LEFT JOIN people p ON p.id = a.handler_id")
    assert (row["category"], row["name"]) == (category, owner)
    assert ("triage.unsure" in to(said, OFFICE)) is (owner is None)
    if category == "unsure":
        assert "类别：待分类" in heard(said, BOSS)


async def test_a_complaint_of_a_known_category_shows_it_while_it_waits(park: Town) -> None:
    assert "类别：要素保障·用电" in heard(await park.says(BOSS, "投诉 停电没人管"), BOSS)


async def test_a_department_category_goes_to_its_duty_officer_and_on_leave_to_his_deputy(park: Town) -> None:
    await change(
        park,
        """INSERT INTO departments(code, name, duty_id)
           SELECT 'land', '自然资源局', id FROM people WHERE name = '郑老师'""",
    )
    assert to(await park.says(BOSS, "诉求 厂区红线划错了"), TEACHER) == ["task.dispatched"]
    await on_leave(park, TEACHER, "2026-03-20 00:00", DUTY)
    assert to(await park.says(BOSS, "诉求 土地证没下来"), DUTY) == ["task.dispatched"]


async def test_the_deputy_of_the_firm_stands_in_and_where_he_is_away_too_the_coordinator_decides(park: Town) -> None:
    await on_leave(park, LIAISON, "2026-03-20 00:00")
    assert to(await park.says(BOSS, "诉求 停电"), DEPUTY) == ["task.dispatched"]
    await on_leave(park, DEPUTY, "2026-03-20 00:00")
    assert to(await park.says(BOSS, "诉求 又停电"), OFFICE) == ["triage.unsure"]


async def test_a_firm_without_liaison_is_dispatched_by_the_coordinator(park: Town) -> None:
    await change(park, "UPDATE enterprises SET liaison_id = NULL, deputy_id = NULL")
    assert to(await park.says(BOSS, "诉求 停电"), OFFICE) == ["triage.unsure"]


# Several firms --------------------------------------------------------------------------------------------------------
async def owner_of_two(park: Town) -> None:
    await change(
        park,
        """INSERT INTO contacts(enterprise_id, person_id)
           SELECT e.id, p.id FROM enterprises e, people p WHERE e.short_name = '和顺物流' AND p.name = '张建国'""",
    )


async def firm_of(park: Town) -> str:
    row = await park.one("SELECT e.short_name FROM appeals a JOIN enterprises e ON e.id = a.enterprise_id")
    return str(row["short_name"])


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize("where", ["", MULTI])
async def test_who_speaks_for_several_firms_says_for_which(park: Town, where: str, typed: bool) -> None:
    await owner_of_two(park)
    asked = await park.says(BOSS, "诉求 停电", where=where)
    assert to(asked, where or BOSS) == ["ask.which_firm"]
    labels = dict(zip(asked[0].buttons, asked[0].data, strict=True))
    if typed:
        await park.says(BOSS, "和顺物流", where=where, addressed=bool(where))
    else:
        await park.says(BOSS, where=where, button=labels["和顺物流"])
    assert await firm_of(park) == "和顺物流"
    assert await words(park, "file") == ["停电"]


async def test_in_the_group_of_one_of_his_firms_nothing_is_asked(park: Town) -> None:
    await owner_of_two(park)
    await park.says(BOSS, "诉求 停电", where=SINGLE)
    assert await firm_of(park) == "宏达机械"


async def test_his_list_names_the_firm_of_each_matter(park: Town) -> None:
    await owner_of_two(park)
    await park.says(BOSS, "诉求 停电", where=SINGLE)
    assert "#1 宏达机械 停电" in heard(await park.says(BOSS, "我的"), BOSS)


async def test_a_contact_of_no_firm_is_told_what_is_missing(park: Town) -> None:
    await newcomer(park, "新来的", Role.CONTACT)
    said = await park.says("新来的", "诉求 停电")
    assert to(said, "新来的") == ["refused.no_firm"]
    assert "绑定" in heard(said, "新来的")


# Recording ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("who", [LIAISON, OFFICE])
@pytest.mark.parametrize(
    "line",
    [
        "代录 宏达机械 车间停电，两小时了",
        "代录：宏达机械，车间停电，两小时了",
        "/record 宏达机械 车间停电，两小时了",
        "代录 宏达机械有限公司 车间停电，两小时了",
    ],
)
async def test_a_cadre_records_for_a_firm_and_its_words_are_kept_as_written(park: Town, who: str, line: str) -> None:
    said = await park.says(who, line)
    assert to(said, who)[0] == "appeal.recorded"
    assert await words(park, "file") == ["车间停电，两小时了"]
    assert to(said, BOSS) == to(said, CLERK) == ["firm.recorded"]
    assert (await appeal(park))["source"] == "record"


async def test_recording_asks_for_what_is_missing_step_by_step(park: Town) -> None:
    assert to(await park.says(LIAISON, "代录"), LIAISON) == ["ask.record"]
    assert to(await park.says(LIAISON, "和顺物流"), LIAISON) == ["ask.record_text"]
    said = await park.says(LIAISON, "门口停电")
    assert to(said, OTHER) == ["firm.recorded"]
    assert await words(park, "file") == ["门口停电"]


async def test_a_liaison_may_record_for_a_firm_that_is_not_his(park: Town) -> None:
    await newcomer(park, "马挂钩", Role.LIAISON)
    said = await park.says("马挂钩", "代录 宏达机械 车间停电")
    assert to(said, "马挂钩") == ["appeal.recorded"]
    assert "#1" in heard(said, "马挂钩")


async def test_what_a_firm_gets_recorded_it_may_correct_and_withdraw(park: Town) -> None:
    await park.says(LIAISON, "代录 宏达机械 车间停电")
    assert to(await park.says(BOSS, "是三号车间", reply_to=newest(park, BOSS, "firm.recorded").id), BOSS) == [
        "work.supplemented"
    ]
    assert to(await park.presses(BOSS, "撤回"), BOSS) == ["work.withdrawn"]


@pytest.mark.parametrize("who", [BOSS, TEACHER, "吴检"])
async def test_nobody_else_records_for_a_firm(park: Town, who: str) -> None:
    assert to(await park.says(who, "代录 宏达机械 停电"), who) == ["refused.not_for_you"]
    assert await count(park, "appeals") == 0


# Floods and titles ----------------------------------------------------------------------------------------------------
async def test_a_firm_raises_twenty_matters_a_day_at_most(park: Town) -> None:
    for n in range(20):
        await park.says(BOSS, f"诉求 第{n}台变压器")
    said = await park.says(CLERK, "诉求 还有一台变压器")
    assert to(said, CLERK) == ["refused.too_many"]
    assert "补充" in heard(said, CLERK)
    assert to(await park.says(OTHER, "诉求 停电"), OTHER) == ["appeal.filed"]
    await park.wait(until="2026-03-12 09:00")
    assert to(await park.says(BOSS, "诉求 停电"), BOSS) == ["appeal.filed"]


HOSTILE = ["<b>停电</b>", "@all 停电", "[停电](http://x)", "*停电* _急_", "停电😀", "停\u202e电"]


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_markup_and_emoji_stay_words_and_direction_marks_fall_away(park: Town, hostile: str) -> None:
    await park.says(BOSS, f"诉求 {hostile}")
    assert await words(park, "file") == [hostile.replace("\u202e", "")]


async def test_the_clock_starts_when_it_was_said(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    assert (await appeal(park))["received_at"] == int(making.civil("2026-03-11 09:00").timestamp() * 1000)
