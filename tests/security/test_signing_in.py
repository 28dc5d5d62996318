"""Codes and cookies: none is fixed beforehand, used twice, spent by a preview, or good after its end or elsewhere."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta

import httpx
import pytest

from storage import invites, people, sessions
from storage.database import Tx
from storage.sessions import IDLE
from tests.needs import count
from tests.summary import Tally
from tests.webtown import HOST, Town, open_town

STATE = "/api/chat/state"
PUBLIC = "https://lianqi.park.example"
PREVIEWS = (
    "TelegramBot (like TwitterBot)",
    "Mozilla/5.0 wxwork/4.1 MicroMessenger",
    "facebookexternalhit/1.1",
    "Slackbot-LinkExpanding 1.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1)",
    "WhatsApp/2.23",
    "curl/8",
    "",
)


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with open_town() as opened:
        yield opened


async def code_for(town: Town, name: str) -> str:
    async def unit(tx: Tx) -> str:
        person = await people.person(tx, town.people[name], town.civil())
        assert person is not None
        return await invites.make(tx, person, town.civil())

    return await town.database.transaction(unit)


async def enter(browser: httpx.AsyncClient, code: str) -> httpx.Response:
    return await browser.post("/join", data={"code": code, "sure": "yes"})


async def is_in(town: Town, token: str) -> bool:
    async with town.browser(token) as browser:
        return (await browser.get(STATE)).status_code == 200


# The link -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("fixed", ["A" * 43, "known", ""])
async def test_a_session_that_somebody_planted_is_not_the_one_that_opens(town: Town, fixed: str, tally: Tally) -> None:
    async with town.browser(fixed) as browser:
        done = await enter(browser, await code_for(town, "张建国"))
        given = done.cookies["lianqi"]
    assert given != fixed
    assert len(given) == 43
    assert not await is_in(town, fixed or "x")
    tally("S12", 1)


async def test_a_guests_session_does_not_rise_with_him(town: Town) -> None:
    """Whoever had it before he was known is not known with him."""

    async def unit(tx: Tx) -> str:
        return await sessions.begin(tx, (await sessions.meet_guest(tx, "某人")).id, town.machine())

    before = await town.database.transaction(unit)
    async with town.browser(before) as browser:
        after = (await enter(browser, await code_for(town, "张建国"))).cookies["lianqi"]
    assert after != before
    assert (await is_in(town, before), await is_in(town, after)) == (False, True)


async def test_a_link_that_was_used_opens_nothing_again(town: Town, tally: Tally) -> None:
    code = await code_for(town, "张建国")
    spellings = (code, code.lower(), code.replace("-", ""), f" {code} ", code.replace("-", " "))
    async with town.browser() as first:
        assert (await enter(first, code)).status_code == 303
        again = [await enter(first, spelling) for spelling in spellings]
    async with town.browser() as second:
        again += [await enter(second, spelling) for spelling in spellings]
        assert (await second.get(STATE)).status_code == 401
    assert [answer.status_code for answer in again] == [404] * len(again)
    assert all("set-cookie" not in answer.headers for answer in again)
    tally("S12", len(again))


async def test_no_preview_of_a_link_spends_it_or_learns_more_than_its_reader(town: Town, tally: Tally) -> None:
    code = await code_for(town, "张建国")
    async with town.browser() as bot:
        for agent in PREVIEWS:
            for method in ("GET", "HEAD", "OPTIONS"):
                answer = await bot.request(method, "/join", params={"code": code}, headers={"User-Agent": agent})
                assert answer.status_code in (200, 405)
                assert "set-cookie" not in answer.headers
    async with town.browser() as person:
        assert (await enter(person, code)).status_code == 303
    tally("S12", 3 * len(PREVIEWS))


async def test_of_two_browsers_with_one_link_one_gets_in(town: Town) -> None:
    code = await code_for(town, "张建国")
    async with town.browser() as one, town.browser() as other:
        for browser in (one, other):
            assert (await browser.get("/join", params={"code": code})).status_code == 200
        assert [(await enter(browser, code)).status_code for browser in (other, one)] == [303, 404]
        assert [(await browser.get(STATE)).status_code for browser in (other, one)] == [200, 401]


@pytest.mark.parametrize("url", [HOST, PUBLIC])
async def test_a_cookie_is_for_this_host_and_no_script(url: str) -> None:
    async with open_town(public_url=url) as town, town.browser() as browser:
        host = url.partition("//")[2]
        headers = {"Host": host, "Origin": url}
        code = await code_for(town, "张建国")
        done = await browser.post("/join", data={"code": code, "sure": "yes"}, headers=headers)
    cookie = done.headers["set-cookie"].lower()
    parts = {part.strip() for part in cookie.split(";")[1:]}
    assert {"httponly", "path=/", "samesite=lax"} <= parts
    assert not any(part.startswith("domain") for part in parts)
    assert ("secure" in parts) == cookie.startswith("__host-") == (url == PUBLIC)


# The cookie in other hands --------------------------------------------------------------------------------------------
async def signed_out(town: Town, token: str) -> str:
    async with town.browser(token) as browser:
        assert (await browser.post("/api/chat/sign-out")).status_code == 204
    return token


async def followed(town: Town, token: str) -> str:
    """Its owner has signed in anew in the same browser."""
    async with town.browser(token) as browser:
        await enter(browser, await code_for(town, "张建国"))
    return token


async def idle(town: Town, token: str) -> str:
    town.machine.at += IDLE + timedelta(seconds=1)
    return token


async def left(town: Town, token: str) -> str:
    person = town.people["张建国"]
    await town.database.transaction(lambda tx: tx.run("UPDATE people SET active = 0 WHERE id = :id", {"id": person}))
    return token


async def hashed(town: Town, token: str) -> str:
    """What stands in a stolen database."""
    row = await town.one("SELECT token_hash FROM sessions ORDER BY opened_at DESC LIMIT 1")
    assert row["token_hash"] == hashlib.sha256(token.encode()).hexdigest()
    return str(row["token_hash"])


def turned(how: Callable[[str], str]) -> Callable[[Town, str], Awaitable[str]]:
    """The cookie changed by hand."""

    async def changed(town: Town, token: str) -> str:
        assert how(token) != token
        return how(token)

    return changed


STOLEN: Mapping[str, Callable[[Town, str], Awaitable[str]]] = {
    "after its owner signed out": signed_out,
    "after its owner signed in anew": followed,
    "after thirty idle days": idle,
    "after its owner left the roster": left,
    "out of a stolen database": hashed,
    "cut short": turned(lambda token: token[:-1]),
    "made longer": turned(lambda token: f"{token}A"),
    "in other letters": turned(str.swapcase),
    "turned round": turned(lambda token: token[::-1]),
    "with another first letter": turned(lambda token: ("A" if token[0] != "A" else "B") + token[1:]),
    "twice": turned(lambda token: token * 2),
    "with a pattern for all": turned(lambda _: "%"),
    "with a pattern of its length": turned(lambda token: "_" * len(token)),
    "with a condition": turned(lambda _: "' OR 1=1 --"),
    "as a number": turned(lambda _: "1"),
    "as nothing": turned(lambda _: "null"),
    "with a path": turned(lambda token: f"../{token}"),
    "in brackets": turned(lambda token: f"[{token}]"),
    "with a sign behind it": turned(lambda token: f"{token}%00"),
}


@pytest.mark.parametrize("how", STOLEN)
async def test_a_stolen_cookie_is_good_for_nothing(town: Town, how: str, tally: Tally) -> None:
    token = await town.token("张建国")
    assert await is_in(town, token)
    stolen = await STOLEN[how](town, token)
    async with town.browser() as thief:
        thief.headers["Cookie"] = f"lianqi={stolen}"
        assert (await thief.get(STATE)).status_code == 401
        room = await town.private("张建国")
        said = await thief.post(f"/api/chat/rooms/{room}/say", data={"id": "12345678", "text": "诉求 停电"})
        assert said.status_code == 401
    assert await town.inbox() == []
    tally("S12", 1)


@pytest.mark.parametrize("url", [HOST, PUBLIC])
async def test_a_session_comes_in_its_own_cookie_and_no_other_way(url: str, tally: Tally) -> None:
    async with open_town(public_url=url) as town:
        token = await town.token("张建国")
        wrong = "__Host-lianqi" if url == HOST else "lianqi"
        ways: list[Mapping[str, Mapping[str, str]]] = [
            {"headers": {"Cookie": f"{wrong}={token}"}},
            {"headers": {"Authorization": f"Bearer {token}"}},
            {"headers": {"X-Session": token, "X-Lianqi": token}},
            {"params": {"lianqi": token, "token": token, "session": token}},
        ]
        async with town.browser() as thief:
            answers = [await thief.get(STATE, **way) for way in ways]  # type: ignore[arg-type]  # keywords of httpx
    assert [answer.status_code for answer in answers] == [401] * len(ways)
    tally("S12", len(ways))


async def test_tokens_are_long_and_none_is_like_another(town: Town, tally: Tally) -> None:
    many = count(200, 5000)
    found = {await town.token("张建国") for _ in range(many)}
    assert len(found) == many
    assert {len(token) for token in found} == {43}
    assert len({token[:6] for token in found}) == many
    tally("S12", many)
