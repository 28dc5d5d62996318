"""Inside WeCom the page knows who opened it; nobody is let in as somebody else, and strangers hear what to do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bot.channels import Kit
from bot.channels.wecom_app import WecomApp
from bot.web.page import INSIDE
from domain.people import Role
from storage import accounts
from storage.database import Tx
from tests.bot.telegram.desks import words
from tests.bot.wecom_app.desks import app_at
from tests.emulators.wecom.api import WecomApiEmulator
from tests.making import make_person
from tests.webtown import Town, open_town

URL = "https://lianqi.example.cn"
PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 15) wxwork/4.1.30 MicroMessenger/7.0.1"}


@dataclass
class House:
    """The park with its app, at WeCom's platform."""

    town: Town
    server: WecomApiEmulator

    def browser(self, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.town.app), base_url=URL, headers=PHONE | headers)

    async def bind(self, userid: str, name: str) -> None:
        """The roster says whose user id this is."""

        async def unit(tx: Tx) -> None:
            await accounts.bind_externally(
                tx, "wecom_app", userid, self.town.people[name], by=None, at=self.town.civil()
            )

        await self.town.database.transaction(unit)


@asynccontextmanager
async def open_house(url: str = URL) -> AsyncIterator[House]:
    async with WecomApiEmulator() as server:
        channel = WecomApp(app_at(server), Kit(None, words))
        async with open_town(public_url=url, doorkeeper=channel) as town:
            yield House(town, server)
        await channel.close()


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as opened:
        yield opened


async def sent_away(browser: httpx.AsyncClient) -> str:
    """The state with which the platform sends this browser back."""
    answer = await browser.get(INSIDE)
    assert answer.status_code == 303
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query["redirect_uri"] == [f"{URL}{INSIDE}"]
    return query["state"][0]


async def comes_back(house: House, browser: httpx.AsyncClient, userid: str = "zhang") -> httpx.Response:
    """The whole way there and back."""
    state = await sent_away(browser)
    return await browser.get(INSIDE, params={"code": house.server.authorizes(userid), "state": state})


async def test_the_page_opened_inside_wecom_leads_to_being_recognised(house: House) -> None:
    async with house.browser() as browser:
        answer = await browser.get("/")
        assert (answer.status_code, answer.headers["location"]) == (303, INSIDE)
    async with house.browser(**{"User-Agent": "Mozilla/5.0 Firefox/150"}) as browser:
        assert (await browser.get("/")).status_code == 200


async def test_who_is_on_the_roster_is_let_in_as_himself(house: House) -> None:
    await house.bind("zhang", "张建国")
    async with house.browser() as browser:
        answer = await comes_back(house, browser)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert (await browser.get("/")).status_code == 200
        assert (await browser.get("/api/chat/state")).json()["me"]["name"] == "张建国"


async def test_every_way_in_leads_to_the_same_talk(house: House) -> None:
    await house.bind("zhang", "张建国")
    for _ in range(2):
        async with house.browser() as browser:
            assert (await comes_back(house, browser)).status_code == 303
    found = await house.town.all(
        "SELECT id FROM accounts WHERE channel = 'web' AND person_id = :id", id=house.town.people["张建国"]
    )
    assert len(found) == 1


async def test_who_never_used_the_web_gets_his_own_talk(house: House) -> None:
    house.town.people["新来的"] = await house.town.database.transaction(
        lambda tx: make_person(tx, "新来的", Role.LIAISON)
    )
    for table, column in (("chats", "account_id"), ("accounts", "id")):
        await house.town.database.transaction(
            lambda tx, table=table, column=column: tx.run(  # type: ignore[misc]  # mypy cannot type a lambda with a default
                f"DELETE FROM {table} WHERE {column} IN (SELECT id FROM accounts WHERE name = '新来的')"
            )
        )
    await house.bind("xin", "新来的")
    async with house.browser() as browser:
        assert (await comes_back(house, browser, "xin")).status_code == 303
        assert (await browser.get("/api/chat/state")).json()["me"]["name"] == "新来的"


async def test_a_member_whom_nobody_bound_hears_what_to_do(house: House) -> None:
    async with house.browser() as browser:
        answer = await comes_back(house, browser, "stranger")
        assert answer.status_code == 403
        assert "请输入邀请码" in answer.text
        assert (await browser.get("/api/chat/state")).status_code == 401


async def test_somebody_of_another_organisation_hears_what_to_do(house: House) -> None:
    async with house.browser() as browser:
        state = await sent_away(browser)
        code = house.server.authorizes("someone", outsider=True)
        answer = await browser.get(INSIDE, params={"code": code, "state": state})
        assert (answer.status_code, "不是本单位" in answer.text) == (403, True)


@pytest.mark.parametrize("state", ["", "0" * 64, "another's"])
async def test_a_code_from_another_browser_lets_nobody_in(house: House, state: str) -> None:
    """Somebody sends a victim the address that would sign the victim in as the sender."""
    await house.bind("zhang", "张建国")
    async with house.browser() as mine, house.browser() as victim:
        own = await sent_away(mine)
        await sent_away(victim)
        code = house.server.authorizes("zhang")
        given = own if state == "another's" else state
        answer = await victim.get(INSIDE, params={"code": code, "state": given})
        assert answer.status_code == 400
        assert (await victim.get("/api/chat/state")).status_code == 401
        assert code in house.server.core.codes


async def test_the_way_back_is_walked_once(house: House) -> None:
    await house.bind("zhang", "张建国")
    async with house.browser() as browser:
        state = await sent_away(browser)
        params = {"code": house.server.authorizes("zhang"), "state": state}
        assert (await browser.get(INSIDE, params=params)).status_code == 303
        assert (await browser.get(INSIDE, params=params)).status_code == 400


async def test_while_wecom_is_silent_the_code_of_the_desk_card_is_left(house: House) -> None:
    house.server.fault("auth/getuserinfo", status=502)
    async with house.browser() as browser:
        answer = await comes_back(house, browser)
        assert (answer.status_code, 'name="code"' in answer.text) == (503, True)


async def test_who_tries_codes_is_stopped(house: House) -> None:
    async with house.browser() as browser:
        told = [
            (
                await browser.get(INSIDE, params={"code": f"guess-{number}", "state": await sent_away(browser)})
            ).status_code
            for number in range(11)
        ]
        assert told == [403] * 10 + [429]


async def test_where_the_house_has_no_address_nobody_is_sent_away() -> None:
    async with open_house("") as house, house.browser(Host="127.0.0.1:8080") as browser:
        assert (await browser.get(INSIDE)).status_code == 404


async def test_the_cookies_are_the_hosts_own(house: House) -> None:
    await house.bind("zhang", "张建国")
    async with house.browser() as browser:
        away = (await browser.get(INSIDE)).headers["set-cookie"]
        assert away.startswith("__Host-lianqi-way=")
        assert all(part in away.lower() for part in ("secure", "httponly", "samesite=lax", "path=/"))
