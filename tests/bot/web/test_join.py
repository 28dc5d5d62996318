"""Signing in by a desk card's code."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from storage import invites, people
from storage.database import Tx
from tests.webtown import Town, fresh, open_town, words


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with open_town() as opened:
        yield opened


async def card(town: Town, target: str, name: str) -> str:
    """A code for a person, firm (by name) or group."""

    async def unit(tx: Tx) -> str:
        if target == "person":
            person = await people.person(tx, town.people[name], town.civil())
            assert person is not None
            return await invites.make(tx, person, town.civil())
        if target == "firm":
            [firm] = await people.enterprises_called(tx, name)
            return await invites.make(tx, firm, town.civil())
        return await invites.make(tx, await people.chat(tx, town.rooms[name]), town.civil())

    return await town.database.transaction(unit)


async def enter(browser: httpx.AsyncClient, code: str, name: str = "") -> httpx.Response:
    return await browser.post("/join", data={"code": code, "name": name, "sure": "yes"})


async def rooms(browser: httpx.AsyncClient) -> list[str]:
    return [room["name"] for room in (await browser.get("/api/chat/state")).json()["rooms"]]


async def test_a_preview_of_the_link_uses_nothing_up(town: Town) -> None:
    code = await card(town, "firm", "宏达机械")
    async with town.browser() as browser:
        pages = [await browser.get("/join", params={"code": code}) for _ in range(3)]
        assert [page.status_code for page in pages] == [200] * 3
        assert "您将作为“宏达机械有限公司”的联系人进入联企。" in pages[0].text
        assert "set-cookie" not in pages[0].headers
        assert (await enter(browser, code)).status_code == 303


async def test_a_firms_card_makes_the_bearer_its_contact_with_a_private_chat(town: Town) -> None:
    async with town.browser() as browser:
        done = await enter(browser, await card(town, "firm", "和顺物流"), "刘总")
        state = (await browser.get("/api/chat/state")).json()
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert state["me"] == {"id": state["me"]["id"], "name": "刘总", "guest": False, "office": False}
    assert [room["name"] for room in state["rooms"]] == ["联企办事助手", "和顺群", "片区群"]
    cookie = done.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Path=/"))
    row = await town.one(
        "SELECT COUNT(*) AS count FROM sessions WHERE token_hash = :raw", raw=cookie.split("=")[1][:43]
    )
    assert row["count"] == 0  # only its hash is kept


async def test_a_code_works_once(town: Town) -> None:
    code = await card(town, "firm", "宏达机械")
    async with town.browser() as first, town.browser() as second:
        assert (await enter(first, code)).status_code == 303
        again = await enter(second, code)
        assert again.status_code == 404
        assert "已用过" in again.text
        assert (await second.get("/api/chat/state")).status_code == 401


async def test_a_code_ends_after_its_days(town: Town) -> None:
    code = await card(town, "person", "张建国")
    town.civil.at += timedelta(days=7, seconds=1)
    async with town.browser() as browser:
        assert (await enter(browser, code)).status_code == 404


async def test_a_person_finds_the_same_talk_on_a_second_phone(town: Town) -> None:
    async with await town.browser_of("张建国") as old, town.browser() as new:
        await old.post(f"/api/chat/rooms/{await town.private('张建国')}/say", **words("诉求 停电"))
        await enter(new, await card(town, "person", "张建国"))
        [private, *_] = (await new.get("/api/chat/state")).json()["rooms"]
        assert private["last"]["text"] == "诉求 停电"
        assert (await old.get("/api/chat/state")).status_code == 200


async def test_a_guest_sees_the_group_of_his_link_and_nothing_else(town: Town) -> None:
    code = await card(town, "group", "片区群")
    async with town.browser() as browser:
        nameless = await enter(browser, code)
        assert "请告诉我们怎么称呼您。" in nameless.text
        assert (await enter(browser, code, "老板娘")).status_code == 303
        assert await rooms(browser) == ["联企办事助手", "片区群"]
        said = await browser.post(f"/api/chat/rooms/{town.rooms['片区群']}/say", **words("大家好"))
    async with await town.browser_of("张建国") as other:
        seen = (await other.get(f"/api/chat/rooms/{town.rooms['片区群']}/posts")).json()["posts"][0]
    assert said.status_code == 200
    assert seen["who"] == {"kind": "firm", "name": "老板娘", "note": "访客"}


async def test_signing_in_ends_the_session_that_was_there(town: Town) -> None:
    token = await town.token("李芳")
    async with town.browser(token) as browser:
        page = await browser.get("/join", params={"code": await card(town, "person", "张建国")})
        assert "您现在以“李芳”的身份登录" in page.text
        await enter(browser, await card(town, "person", "张建国"))
        assert (await browser.get("/api/chat/state")).json()["me"]["name"] == "张建国"
    async with town.browser(token) as stale:
        assert (await stale.get("/api/chat/state")).status_code == 401


async def test_a_colleague_with_another_name_on_a_shared_phone_is_somebody_else(town: Town) -> None:
    async with await town.browser_of("张建国") as browser:
        await enter(browser, await card(town, "firm", "和顺物流"), "刘总")
        assert (await browser.get("/api/chat/state")).json()["me"]["name"] == "刘总"
        assert "宏达群" not in await rooms(browser)
    async with await town.browser_of("张建国") as owner:
        assert "和顺群" not in await rooms(owner)


async def test_an_owner_of_two_firms_adds_the_second_under_his_name(town: Town) -> None:
    async with await town.browser_of("张建国") as browser:
        await enter(browser, await card(town, "firm", "和顺物流"), "张建国")
        assert set(await rooms(browser)) == {"联企办事助手", "宏达群", "和顺群", "片区群"}


async def test_a_cadre_who_opens_a_firms_card_does_not_become_its_contact(town: Town) -> None:
    async with await town.browser_of("王敏") as browser:
        await enter(browser, await card(town, "firm", "和顺物流"))
        assert (await browser.get("/api/chat/state")).json()["me"]["name"] != "王敏"
    async with await town.browser_of("王敏") as cadre:
        assert "和顺群" not in await rooms(cadre)


async def test_wrong_codes_are_answered_alike_and_stopped_by_place(town: Town) -> None:
    async with town.browser() as browser:
        answers = [await browser.get("/join", params={"code": f"AAAA-AAAA-{number:02}"}) for number in range(12)]
        assert [answer.status_code for answer in answers] == [404] * 10 + [429] * 2
        good = await card(town, "person", "张建国")
        assert (await enter(browser, good)).status_code == 429
        town.machine.on(minutes=15)
        assert (await enter(browser, good)).status_code == 303
    assert not await town.all("SELECT id FROM accounts WHERE external_id LIKE 'guest:%'")


@pytest.mark.parametrize("code", ["", "<script>alert(1)</script>", "A" * 500, "\x00", "％" * 20])
async def test_odd_codes_do_no_harm(town: Town, code: str) -> None:
    async with town.browser() as browser:
        page = await browser.get("/join", params={"code": code})
        posted = await browser.post("/join", data={"code": code})
    assert page.status_code in (200, 404)
    assert posted.status_code == 404
    assert "<script>alert" not in page.text + posted.text


async def test_the_door_leads_to_the_confirmation_first(town: Town) -> None:
    code = await card(town, "person", "张建国")
    async with town.browser() as browser:
        page = await browser.post("/join", data={"code": code.lower().replace("-", " ")})
        assert page.status_code == 200
        assert "您将以“张建国”的身份进入联企。" in page.text
        assert (await browser.get("/api/chat/state")).status_code == 401


async def test_a_form_with_a_file_is_no_sign_in(town: Town) -> None:
    async with town.browser() as browser:
        answer = await browser.post("/join", data={"code": fresh()}, files={"x": ("a.png", b"x")})
    assert answer.status_code == 400
