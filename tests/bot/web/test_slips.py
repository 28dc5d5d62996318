"""The page behind a forwarding slip: what it shows, what an answer does, and every way to be refused."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from domain.parts import Outcome
from domain.verbs import Verb
from storage import slips
from storage.values import from_json
from tests.slips import CANARIES, Given, hand_out, present, read_page, step, token_of
from tests.webtown import HOST, Town, open_town

FILLED = {"text": "已到现场，周五更换", "state": "going", "expected": "2026-03-20", "officer": "刘工"}
GONE = "这个链接无效、已用过或已过期。"
PAYLOADS = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "'-alert(1)-'",
    "{{7*7}}{% raw %}${7*7}",
    "javascript:alert(1)",
    "<svg/onload=alert(1)>",
    "&lt;b&gt;&amp;",
)


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with open_town() as opened:
        yield opened


@pytest.fixture
async def unit(town: Town) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of somebody at the power company, who is nobody here."""
    async with town.browser() as browser:
        yield browser


async def send(browser: httpx.AsyncClient, given: Given, **fields: str) -> httpx.Response:
    """Open the page and send the form as a person would."""
    token = token_of((await browser.get(given.path)).text)
    return await browser.post(given.path, data={"token": token, **FILLED, **fields})


async def events(town: Town, name: str) -> list[dict[str, Any]]:
    rows = await town.all(
        """SELECT e.*, t.body FROM events e LEFT JOIN event_texts t ON t.event_id = e.id
           WHERE e.name = :name ORDER BY e.id""",
        name=name,
    )
    return [dict(row) for row in rows]


async def told(town: Town, name: str) -> list[dict[str, Any]]:
    """What is owed to somebody: key and facts, oldest first."""
    rows = await town.all(
        "SELECT text_key, facts FROM outbox WHERE person_id = :id ORDER BY id", id=town.people[name]
    )
    return [{"key": row["text_key"], "facts": from_json(row["facts"])} for row in rows]


async def untouched(town: Town, given: Given) -> bool:
    """Whether nothing was written: no event, no count."""
    slip = await town.one("SELECT answers, used_at FROM slips WHERE id = :id", id=given.slip)
    same = (await present(town, given)).version == given.appeal.version
    return same and (slip["answers"], slip["used_at"]) == (0, None)


# Looking ------------------------------------------------------------------------------------------------------------
async def test_an_outside_unit_sees_what_it_is_asked_for_without_an_account(
    town: Town, unit: httpx.AsyncClient
) -> None:
    page = await unit.get((await hand_out(town)).path)
    words = read_page(page.text)
    assert page.status_code == 200
    shown = ("县供电公司", "商请", "宏达机械", "要素保障·用电", "更换变压器", "LQ-2026-00001-1", "3月16日（周一）")
    assert [told_here for told_here in shown if told_here not in words] == []
    assert "set-cookie" not in page.headers
    assert page.headers["x-robots-tag"].startswith("noindex")
    assert page.headers["referrer-policy"] == "same-origin"


async def test_it_is_asked_and_never_ordered(town: Town, unit: httpx.AsyncClient) -> None:
    given = await hand_out(town)
    pages = [await unit.get(given.path), await send(unit, given, text=""), await send(unit, given)]
    assert [word for page in pages for word in ("催办", "督办") if word in page.text] == []


async def test_no_note_phone_contact_rating_or_other_matter_is_on_any_page(town: Town, unit: httpx.AsyncClient) -> None:
    given = await hand_out(town)
    pages = [await unit.get(given.path), await send(unit, given, officer=""), await send(unit, given)]
    pages.append(await send(unit, given, state="done"))
    pages.append(await unit.get(given.path))
    assert [page.status_code for page in pages] == [200, 422, 200, 200, 404]
    assert [word for page in pages for word in CANARIES if word in page.text] == []
    assert "139****78" in pages[0].text


async def test_nothing_else_is_reachable_from_the_page(town: Town, unit: httpx.AsyncClient) -> None:
    given = await hand_out(town)
    page = (await unit.get(given.path)).text
    assert set(re.findall(r'(?:href|src|action)="(/[^"?]*)', page)) == {
        "/static/icon.svg",
        "/static/chat.css",
        given.path,
    }
    assert "<script" not in page
    for elsewhere in ("/api/chat/state", "/files/x", "/api/chat/rooms/1/posts"):
        assert (await unit.get(elsewhere)).status_code == 401


async def test_previews_change_nothing_and_use_nothing_up(town: Town, unit: httpx.AsyncClient) -> None:
    given = await hand_out(town)
    before = await town.one("SELECT (SELECT COUNT(*) FROM events) AS events, (SELECT COUNT(*) FROM outbox) AS owed")
    for _ in range(30):
        assert (await unit.get(given.path)).status_code == 200
        assert (await unit.head(given.path)).status_code == 200
    after = await town.one("SELECT (SELECT COUNT(*) FROM events) AS events, (SELECT COUNT(*) FROM outbox) AS owed")
    assert dict(before) == dict(after)
    assert await untouched(town, given)


@pytest.mark.parametrize(
    "accepted,title",
    [
        ("en-GB,en;q=0.9,zh;q=0.8", "Answer to a forwarding slip"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "诉求转办单回执"),
        ("fr-FR", "诉求转办单回执"),
        ("", "诉求转办单回执"),
        ("x" * 5000, "诉求转办单回执"),
    ],
)
async def test_the_page_is_in_the_language_that_the_browser_asks_for(
    town: Town, unit: httpx.AsyncClient, accepted: str, title: str
) -> None:
    page = await unit.get((await hand_out(town)).path, headers={"Accept-Language": accepted})
    assert title in page.text


@pytest.mark.parametrize("payload", PAYLOADS)
async def test_what_people_wrote_is_shown_as_they_wrote_it(
    town: Town, unit: httpx.AsyncClient, payload: str
) -> None:
    given = await hand_out(town, title=payload, part=payload, unit=payload)
    page = await unit.get(given.path)
    again = await send(unit, given, text=payload, expected=payload, officer=payload[:20])
    assert read_page(page.text).count(payload) >= 3
    assert again.status_code == 422
    for answer in (page, again):
        assert "<script>alert" not in answer.text
        assert re.findall(r"<(?:img|svg)[^>]*on\w+=", answer.text) == []


# Answering ----------------------------------------------------------------------------------------------------------
async def test_news_reaches_the_lead_under_the_units_name_and_the_link_goes_on(
    town: Town, unit: httpx.AsyncClient
) -> None:
    given = await hand_out(town)
    page = await send(unit, given)
    assert page.status_code == 200
    assert "已收到，谢谢" in page.text
    [said] = await events(town, "part_progress")
    facts = from_json(said["facts"])
    assert (said["actor_id"], said["body"]) == (None, "已到现场，周五更换")
    assert (facts["on_behalf"], facts["officer"], facts["expected"]) == ("县供电公司", "刘工", {"day": "2026-03-20"})
    news = (await told(town, "王敏"))[-1]
    assert news["key"] == "task.part_progress"
    assert (news["facts"]["unit"], news["facts"]["text"]) == ("县供电公司", "已到现场，周五更换")
    assert (news["facts"]["officer"], news["facts"]["expected"]) == ("刘工", {"day": "2026-03-20"})
    assert town.wakes[0] > 0
    assert (await present(town, given)).part(1).is_open  # type: ignore[union-attr]  # it stands there
    assert (await send(unit, given, text="明天完工")).status_code == 200
    assert len(await events(town, "part_progress")) == 2


async def test_the_last_answer_ends_the_part_and_the_link(town: Town, unit: httpx.AsyncClient) -> None:
    given = await hand_out(town)
    done = await send(unit, given, text="已更换", state="done", expected="2020-01-01")
    assert (done.status_code, "感谢贵单位" in done.text) == (200, True)
    part = (await present(town, given)).part(1)
    assert part is not None
    assert (part.outcome, part.ended_at) == (Outcome.DONE, town.civil())
    assert (await told(town, "王敏"))[-1]["key"] == "task.part_done"
    [said] = await events(town, "part_done")
    assert from_json(said["facts"])["expected"] is None
    page = await unit.get(given.path)
    assert (page.status_code, GONE in page.text) == (404, True)


async def test_a_form_that_is_sent_twice_counts_once(town: Town, unit: httpx.AsyncClient) -> None:
    given = await hand_out(town)
    body = {"token": token_of((await unit.get(given.path)).text), **FILLED}
    assert (await unit.post(given.path, data=body)).status_code == 200
    again = await unit.post(given.path, data=body)
    assert (again.status_code, "刚才已经收到" in again.text, "已到现场" in again.text) == (422, True, True)
    assert len(await events(town, "part_progress")) == 1
    last = {**body, "token": token_of(again.text), "state": "done"}
    assert (await unit.post(given.path, data=last)).status_code == 200
    assert (await unit.post(given.path, data=last)).status_code == 404
    assert len(await events(town, "part_done")) == 1


async def test_of_two_codes_of_one_slip_both_are_good_and_both_end(town: Town, unit: httpx.AsyncClient) -> None:
    given = await hand_out(town)

    code = await town.database.transaction(lambda tx: slips.add_code(tx, given.slip))
    second = Given(code, given.slip, given.appeal)
    assert (await unit.get(second.path)).status_code == 200
    await send(unit, second, state="done")
    assert (await unit.get(given.path)).status_code == 404


async def test_only_the_hash_of_a_code_is_kept(town: Town) -> None:
    given = await hand_out(town)
    for row in await town.all("SELECT * FROM slip_codes"):
        assert given.code not in str(dict(row))
    assert len(given.code.replace("-", "")) * 5 >= 128


async def test_a_code_typed_from_paper_is_read_however_it_is_written(town: Town, unit: httpx.AsyncClient) -> None:
    given = await hand_out(town)
    assert (await unit.get(f"/slip/{given.code.lower().replace('-', '')}")).status_code == 200


# Refused ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "fields,sentence",
    [
        ({"text": " \n"}, "请写办理情况。"),
        ({"text": "字" * 3001}, "3000"),
        ({"state": ""}, "请选择“还在办”或“办完了”。"),
        ({"state": "maybe"}, "请选择“还在办”或“办完了”。"),
        ({"officer": "  "}, "请填经办人姓名。"),
        ({"officer": "刘" * 21}, "最多20个字"),
        ({"expected": "下下周"}, "看不明白"),
        ({"expected": "2026-02-30"}, "看不明白"),
        ({"expected": "2099-01-01"}, "看不明白"),
        ({"expected": "2026-03-10"}, "已经过去"),
        ({"token": ""}, "没有提交成功"),
        ({"token": "0" * 64}, "没有提交成功"),
    ],
)
async def test_bad_input_gets_a_sentence_and_keeps_what_was_typed(
    town: Town, unit: httpx.AsyncClient, fields: dict[str, str], sentence: str
) -> None:
    given = await hand_out(town)
    page = await send(unit, given, **fields)
    sent = {**FILLED, **fields}
    assert (page.status_code, sentence in page.text) == (422, True)
    for kept in (sent["text"].strip(), sent["officer"].strip(), sent["expected"]):
        assert kept in page.text
    assert ('value="going" required checked' in page.text) == (sent["state"] == "going")
    assert await untouched(town, given)


async def test_a_day_may_be_written_as_people_write_it(town: Town, unit: httpx.AsyncClient) -> None:
    given = await hand_out(town)
    assert (await send(unit, given, expected="3月20日")).status_code == 200
    assert (await send(unit, given, text="再报", expected="")).status_code == 200
    days = [from_json(row["facts"])["expected"] for row in await events(town, "part_progress")]
    assert days == [{"day": "2026-03-20"}, None]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": HOST, "Sec-Fetch-Site": "cross-site"},
        {},
    ],
)
async def test_no_foreign_page_answers_for_a_unit(
    town: Town, unit: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    given = await hand_out(town)
    body = {"token": token_of((await unit.get(given.path)).text), **FILLED}
    del unit.headers["Origin"]
    assert (await unit.post(given.path, data=body, headers=headers)).status_code == 403
    assert await untouched(town, given)


async def test_a_link_ends_after_its_days(town: Town, unit: httpx.AsyncClient) -> None:
    given = await hand_out(town)
    body = {"token": token_of((await unit.get(given.path)).text), **FILLED}
    town.civil.at += timedelta(days=14, seconds=-1)
    assert (await unit.get(given.path)).status_code == 200
    town.civil.at += timedelta(seconds=1)
    page, sent = await unit.get(given.path), await unit.post(given.path, data=body)
    assert (page.status_code, sent.status_code) == (404, 404)
    assert await untouched(town, given)


async def test_unknown_used_and_expired_links_are_answered_alike(town: Town, unit: httpx.AsyncClient) -> None:
    given = await hand_out(town)
    unknown = await unit.get("/slip/AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA")
    await send(unit, given, state="done")
    used = await unit.get(given.path)
    town.civil.at += timedelta(days=15)
    expired = await unit.get(given.path)
    assert unknown.text == used.text == expired.text
    assert {unknown.status_code, used.status_code, expired.status_code} == {404}


@pytest.mark.parametrize("code", ["<script>alert(1)</script>", "A" * 500, "%00", "..%2f..%2fetc", "％" * 20, "{{7*7}}"])
async def test_odd_codes_do_no_harm(town: Town, unit: httpx.AsyncClient, code: str) -> None:
    for answer in (await unit.get(f"/slip/{code}"), await unit.post(f"/slip/{code}", data=FILLED)):
        assert answer.status_code == 404
        assert "<script>alert" not in answer.text


async def test_guessing_is_stopped_by_place_and_signing_in_with_it(town: Town, unit: httpx.AsyncClient) -> None:
    given = await hand_out(town)
    answers = [await unit.get(f"/slip/AAAA-{number:04}") for number in range(12)]
    assert [answer.status_code for answer in answers] == [404] * 10 + [429] * 2
    assert (await unit.get(given.path)).status_code == 429
    assert (await unit.get("/join", params={"code": "AAAA-AAAA-AA"})).status_code == 429
    town.machine.on(minutes=15)
    assert (await unit.get(given.path)).status_code == 200


async def test_answers_without_end_are_stopped_and_nothing_typed_is_lost(town: Town, unit: httpx.AsyncClient) -> None:
    given = await hand_out(town)
    answers = [await send(unit, given, text=f"第{number}次") for number in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert "第10次" in answers[-1].text
    assert len(await events(town, "part_progress")) == 10


@pytest.mark.parametrize(
    "verb,details,words",
    [
        (Verb.PART_DONE, {"text": "电话说换好了", "part": 1, "facts": {"part": 1}}, "已经办完"),
        (Verb.WAIVE, {"text": "已另行解决", "part": 1, "facts": {"part": 1}}, "不用再办了"),
        (Verb.SUSPEND, {"text": "等批复", "until": "later"}, "暂缓办理"),
    ],
)
async def test_what_is_not_wanted_any_more_is_said(
    town: Town, unit: httpx.AsyncClient, verb: Verb, details: dict[str, Any], words: str
) -> None:
    given = await hand_out(town)
    body = {"token": token_of((await unit.get(given.path)).text), **FILLED}
    if "until" in details:
        details = {**details, "until": town.civil() + timedelta(days=5)}
    held = await step(town, given, verb, **details)
    for page in (await unit.get(given.path), await unit.post(given.path, data=body)):
        assert (page.status_code, words in read_page(page.text)) == (410, True)
        assert "<form" not in page.text
        assert [word for word in CANARIES if word in page.text] == []
    assert (await present(town, given)).version == held.version


async def test_a_matter_that_is_over_wants_no_answer(town: Town, unit: httpx.AsyncClient) -> None:
    given = await hand_out(town)
    await town.database.transaction(lambda tx: tx.run("UPDATE appeals SET status = 'withdrawn'"))
    page = await unit.get(given.path)
    assert (page.status_code, "已经了结" in page.text) == (410, True)


async def test_a_sealed_matter_is_behind_no_link(town: Town, unit: httpx.AsyncClient) -> None:
    given = await hand_out(town)
    await town.database.transaction(lambda tx: tx.run("UPDATE appeals SET sealed = 1"))
    assert (await unit.get(given.path)).status_code == 404


async def test_a_form_with_a_file_or_too_many_fields_is_no_answer(town: Town, unit: httpx.AsyncClient) -> None:
    given = await hand_out(town)
    token = token_of((await unit.get(given.path)).text)
    files = {"x": ("a.png", b"x")}
    assert (await unit.post(given.path, data={"token": token, **FILLED}, files=files)).status_code == 400
    many = {f"f{number}": "x" for number in range(20)}
    assert (await unit.post(given.path, data={"token": token, **FILLED, **many})).status_code == 400
    assert await untouched(town, given)
