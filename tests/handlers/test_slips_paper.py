"""诉求转办单 in chat: who is offered one, what it says when opened, and what becomes of the answer by its link."""

import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import docx
import pytest

from bot.channel import Unsent
from handlers import forwarding
from handlers.forwarding import Answer
from reports.papers import qr_code
from storage import slips
from storage.database import Tx
from tests.handlers.talk import BOSS, CONTROL, DUTY, LIAISON, OFFICE, change, count, heard, newest, taken_on, to
from tests.making import civil, make_department, make_rules
from tests.stories.town import LADDERS, Said, Town

PUBLIC = "https://park.example/lianqi"


@pytest.fixture
async def site() -> AsyncIterator[Town]:
    """A park with a public address, where the power company has nobody on duty, and a matter in work."""
    opened = await Town.open(rules=replace(make_rules(ladders=LADDERS), public_url=PUBLIC))
    await opened.settle()
    await change(opened, "UPDATE departments SET duty_id = NULL WHERE code = 'power'")
    await opened.database.transaction(lambda tx: make_department(tx, "县建设局", "building", external=1))
    await taken_on(opened, "车间停电，多次催办无果")
    yield opened
    await opened.close()


async def share(site: Town, words: str = "协办 1 供电公司 更换变压器") -> Sequence[Said]:
    await site.says(LIAISON, words)
    return await site.presses(OFFICE, "批准")


def documents(site: Town) -> list[tuple[str, bytes]]:
    """Every document that left, oldest first."""
    return [(paper.name, paper.content) for parcel in site.channel.sent for paper in parcel.documents]


def lines(content: bytes) -> list[str]:
    """All that stands on a paper, tables last."""
    paper = docx.Document(io.BytesIO(content))
    cells = [cell.text for table in paper.tables for row in table.rows for cell in row.cells]
    return [paragraph.text for paragraph in paper.paragraphs if paragraph.text] + cells


def rows(content: bytes) -> dict[str, str]:
    """The tables of a paper by label."""
    paper = docx.Document(io.BytesIO(content))
    return {row.cells[0].text: row.cells[1].text for table in paper.tables for row in table.rows}


def pictures(content: bytes) -> list[bytes]:
    """The pictures on a paper."""
    parts = docx.Document(io.BytesIO(content)).part.related_parts.values()
    return [part.blob for part in parts if part.content_type == "image/png"]


def link_on(content: bytes) -> str:
    """The address on a paper."""
    [link] = [line.partition("：")[2] for line in lines(content) if "https://" in line]
    return link


async def test_who_asks_a_unit_that_nobody_reaches_is_offered_paper_and_proxy(site: Town) -> None:
    said = await share(site)
    assert to(said, OFFICE) == ["oversight.granted", "watch.part_by_paper"]
    offer = newest(site, OFFICE, "watch.part_by_paper")
    assert offer.buttons == ("转办单", "代复")
    for words in ("#1", "县供电公司", "更换变压器", "3月16日（周一）17:30"):
        assert words in offer.text
    assert "task.part" not in [line.key for line in said]
    assert to(said, BOSS) == ["firm.part"]


async def test_an_officer_whom_no_chat_reaches_counts_as_nobody(site: Town) -> None:
    await change(
        site,
        "UPDATE departments SET duty_id = (SELECT id FROM people WHERE name = :who) WHERE code = 'power'",
        who=DUTY,
    )
    await change(site, "UPDATE chats SET reachable = 0 WHERE external_id = :id", id=f"private:{DUTY}")
    said = await share(site)
    assert to(said, OFFICE) == ["oversight.granted", "watch.part_by_paper"]
    assert to(said, DUTY) == []


async def test_a_unit_that_a_chat_reaches_is_asked_there(site: Town) -> None:
    await change(
        site,
        "UPDATE departments SET duty_id = (SELECT id FROM people WHERE name = :who) WHERE code = 'power'",
        who=DUTY,
    )
    said = await share(site)
    assert (to(said, DUTY), to(said, OFFICE)) == (["task.part"], ["oversight.granted"])


async def test_the_button_hands_the_paper_out_and_it_says_what_the_record_says(site: Town) -> None:
    await share(site)
    said = await site.presses(OFFICE, "转办单")
    assert to(said, OFFICE) == ["slips.made"]
    assert "3月25日" in heard(said, OFFICE)  # 14 days on
    name, content = documents(site)[-1]
    assert name == "诉求转办单-LQ-2026-00001.docx"
    shown = rows(content)
    assert shown["企业名称"] == "宏达机械"
    assert shown["片区"] == "大树营片区"
    assert shown["诉求类别"] == "要素保障·用电"
    assert shown["问题和诉求"] == "车间停电，多次催办无果"
    assert shown["希望办理时间"] == "3月16日（周一）17:30"
    assert shown["转办单编号"] == "LQ-2026-00001-1"
    assert shown["承办单位"] == "县供电公司"
    blank = ("办理情况", "预计完成时间", "经办人及电话", "单位签章及日期")
    assert [label for label in blank if shown[label].strip()] == []
    text = "\n".join(lines(content))
    assert "县供电公司：" in text
    assert "商请办理“更换变压器”，烦请于3月16日（周一）17:30前办理" in text
    assert "回执" in text
    assert "督办" not in text
    assert "催办" not in text.replace("车间停电，多次催办无果", "")  # the firm's own words stay its own


async def test_the_picture_is_the_address_and_the_address_is_good(site: Town) -> None:
    await share(site)
    await site.presses(OFFICE, "转办单")
    _, content = documents(site)[-1]
    link = link_on(content)
    assert link.startswith(f"{PUBLIC}/slip/")
    assert pictures(content) == [qr_code(link)]
    code = urlsplit(link).path.rpartition("/")[2]
    rules = site.app.park.rules
    asked = await site.database.reading(lambda tx: forwarding.behind(tx, rules, code, site.app.civil()))
    assert asked is not None
    assert (asked.appeal.number, asked.part.unit) == ("1", "县供电公司")
    kept = await site.all("SELECT facts, files, body FROM outbox")
    assert [row for row in kept if code in str(dict(row))] == []


async def test_what_comes_back_by_the_link_is_told_to_the_lead_under_the_units_name(site: Town) -> None:
    await share(site)
    await site.presses(OFFICE, "转办单")
    code = link_on(documents(site)[-1][1]).rpartition("/")[2]
    going = Answer("周五更换", "刘工", False, civil("2026-03-13 00:00").date(), slips.form_token(code, 0))
    await answer(site, code, going)
    said = await site.settle()
    assert to(said, LIAISON) == ["task.part_progress"]
    for words in ("县供电公司反馈“更换变压器”", "周五更换", "经办人：刘工", "预计完成：3月12日"):
        assert words in heard(said, LIAISON)
    await answer(site, code, replace(going, text="已更换", done=True, expected=None, token=slips.form_token(code, 1)))
    said = await site.settle()
    assert to(said, LIAISON) == ["task.part_done"]
    assert "预计完成" not in heard(said, LIAISON)
    assert to(said, BOSS) == []
    trace = heard(await site.says(OFFICE, "回溯 1"), OFFICE)
    assert "县供电公司 刘工" in trace
    assert "转办单" in trace
    assert "转办单" not in heard(await site.says(BOSS, "回溯 1"), BOSS)
    assert to(await site.says(LIAISON, "办结 1 已送电"), LIAISON) == ["work.resolved"]


async def answer(site: Town, code: str, given: Answer) -> None:
    rules, at = site.app.park.rules, site.app.civil()

    async def unit(tx: Tx) -> None:
        assert await forwarding.take_answer(tx, rules, code, given, at) is not None

    await site.database.transaction(unit)


async def test_the_words_of_the_command_are_the_same_as_the_button(site: Town) -> None:
    await share(site)
    for line in ("转办单 1 供电公司", "转办单 1", "转办单", "转办单 1 国网供电所", "/slip 1 县供电公司"):
        assert to(await site.says(OFFICE, line), OFFICE) == ["slips.made"], line
    assert await count(site, "slips") == 5


async def test_a_unit_that_was_not_asked_is_asked_first(site: Town) -> None:
    said = await site.says(OFFICE, "转办单 1 供电公司")
    assert to(said, OFFICE) == ["refused.slip_without_part"]
    assert "协办 1 县供电公司" in heard(said, OFFICE)
    await share(site)
    said = await site.says(OFFICE, "转办单 1 建设局")
    assert to(said, OFFICE) == ["refused.slip_without_part"]
    assert "协办 1 县建设局" in heard(said, OFFICE)
    assert await count(site, "slips") == 0
    assert documents(site) == []


async def test_a_unit_that_is_not_on_the_roster_is_not_said_to_be_asked_first(site: Town) -> None:
    assert to(await site.says(OFFICE, "转办单 1 县消防大队"), OFFICE) == ["refused.unit_unknown"]


async def test_with_several_units_the_office_says_which(site: Town) -> None:
    await share(site)
    await share(site, "协办 1 建设局 出具意见")
    said = await site.says(OFFICE, "转办单 1")
    assert to(said, OFFICE) == ["ask.slip"]
    assert "县供电公司、县建设局" in heard(said, OFFICE)
    assert to(await site.says(OFFICE, "建设局"), OFFICE) == ["slips.made"]
    assert rows(documents(site)[-1][1])["承办单位"] == "县建设局"


async def test_a_part_that_is_over_gets_no_paper(site: Town) -> None:
    await share(site)
    await site.says(OFFICE, "免办 1 供电公司 已另行解决")
    assert to(await site.says(OFFICE, "转办单 1 供电公司"), OFFICE) == ["refused.slip_without_part"]
    said = await site.presses(OFFICE, "转办单")
    assert to(said, OFFICE) == ["refused.slip_without_parts"]
    assert "还没有请哪个单位配合。请先发“协办 1 单位名称 要做的事”" in heard(said, OFFICE)


async def test_only_the_coordinator_hands_slips_out_and_no_group_sees_one(site: Town) -> None:
    await share(site)
    assert to(await site.says(LIAISON, "转办单 1 供电公司"), LIAISON) == ["refused.not_yours"]
    assert to(await site.says(DUTY, "转办单 1 供电公司"), DUTY) == ["refused.not_found"]
    said = await site.says(OFFICE, "转办单 1 供电公司", where=CONTROL, addressed=True)
    assert (to(said, OFFICE), to(said, CONTROL)) == (["slips.made"], ["reply.sent_privately"])


async def test_without_a_public_address_the_paper_says_how_the_answer_comes_back() -> None:
    park = await Town.open()
    await park.settle()
    await change(park, "UPDATE departments SET duty_id = NULL WHERE code = 'power'")
    await taken_on(park)
    await share(park)
    said = await park.presses(OFFICE, "转办单")
    assert to(said, OFFICE) == ["slips.made_without_link"]
    assert "代复 1 县供电公司" in heard(said, OFFICE)
    _, content = documents(park)[-1]
    text = "\n".join(lines(content))
    assert "送回测试园区优化营商环境办公室" in text
    assert "http" not in text
    assert pictures(content) == []
    assert await count(park, "slips") == 0
    await park.close()


async def test_the_other_button_notes_what_was_said_on_the_phone(site: Town) -> None:
    await share(site)
    await share(site, "协办 1 建设局 出具意见")
    offer = next(line for line in site.said if line.listener == OFFICE and line.key == "watch.part_by_paper")
    said = await site.says(OFFICE, button=offer.data[offer.buttons.index("代复")], reply_to=offer.id)
    assert to(said, OFFICE) == ["ask.proxy_of"]
    said = await site.says(OFFICE, "完成 已更换")
    assert (to(said, OFFICE), to(said, LIAISON)) == (["shares.part_done"], ["task.part_done"])
    assert "县供电公司" in heard(said, LIAISON)


async def test_a_paper_that_is_sent_again_has_a_link_that_works(site: Town) -> None:
    await share(site)
    site.channel.failures.append(Unsent("busy"))
    await site.presses(OFFICE, "转办单")
    await site.wait(hours=1)
    code = link_on(documents(site)[-1][1]).rpartition("/")[2]
    found = await site.database.reading(lambda tx: slips.meant(tx, code, site.app.civil()))
    assert found is not None
    assert await count(site, "slips") == 1
