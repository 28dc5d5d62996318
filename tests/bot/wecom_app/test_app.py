"""The app beside sending and hearing: files, findings, names, who is at the web page, and its way through the pump."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.channels import Kit
from bot.channels.wecom_app import PACE, WecomApp
from bot.channels.wecom_app.reading import NAME
from bot.deliver import Pump
from domain.chat import Attachment, LostFile
from tests.bot.posthouse import CATALOGUE, RULES, PostHouse, no_documents, post_house
from tests.bot.telegram.desks import words
from tests.bot.wecom_app.desks import URL, Line, app_at, line
from tests.emulators.wecom.api import WecomApiEmulator

JPEG = b"\xff\xd8\xff" + b"x" * 50


@pytest.fixture
async def wire() -> AsyncIterator[Line]:
    async with line() as opened:
        yield opened


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long in a test."""
    monkeypatch.setattr("bot.channels.wecom_app.FETCH_PAUSE", 0.0)


# Files ----------------------------------------------------------------------------------------------------------
async def test_a_picture_is_fetched_and_known_by_its_bytes(wire: Line) -> None:
    media_id = wire.server.keep("image", "photo.jpg", JPEG)
    wire.server.fault("media/get", status=502, times=2)
    kept = await wire.channel.fetch(media_id, wire.desk)
    assert isinstance(kept, Attachment)
    assert (kept.media_type, wire.desk.files) == ("image/jpeg", [(JPEG, media_id)])


async def test_a_file_that_wecom_does_not_keep_any_more_is_lost(wire: Line) -> None:
    lost = await wire.channel.fetch("gone", wire.desk)
    assert isinstance(lost, LostFile)
    assert [call.path for call in wire.server.core.calls].count("media/get") == 1
    assert lost.cause.key == "file.unreachable"


# Names and sign-in ----------------------------------------------------------------------------------------------
async def test_a_name_is_asked_for_once(wire: Line) -> None:
    assert [await wire.channel.name_of("zhang") for _ in range(3)] == ["张建国"] * 3
    assert [call.path for call in wire.server.core.calls].count("user/get") == 1
    assert await wire.channel.name_of("nobody") == ""


async def test_a_browser_is_sent_to_wecom_and_comes_back_with_who_it_is(wire: Line) -> None:
    way = urlsplit(wire.channel.way(f"{URL}/join/wecom", "s1"))
    query = {name: values[0] for name, values in parse_qs(way.query).items()}
    assert (way.netloc, way.fragment) == ("open.weixin.qq.com", "wechat_redirect")
    assert query == {
        "appid": wire.server.core.corp_id,
        "redirect_uri": f"{URL}/join/wecom",
        "response_type": "code",
        "scope": "snsapi_base",
        "agentid": "1000002",
        "state": "s1",
    }
    code = wire.server.authorizes("zhang")
    assert [await wire.channel.who(code), await wire.channel.who(code)] == ["zhang", None]
    assert await wire.channel.who(wire.server.authorizes("someone", outsider=True)) is None


async def test_where_wecom_does_not_answer_nobody_is_taken_for_anybody(wire: Line) -> None:
    wire.server.fault("auth/getuserinfo", status=502)
    with pytest.raises(TimeoutError):
        await wire.channel.who(wire.server.authorizes("zhang"))


# Before going live ----------------------------------------------------------------------------------------------
async def found(channel: WecomApp) -> list[tuple[str, bool]]:
    return [(finding.said.key, finding.must) for finding in await channel.examine({})]


async def test_an_app_that_answers_is_told_its_callback_address(wire: Line) -> None:
    assert await found(wire.channel) == [("check.wecom_app", False), ("check.wecom_app_callback", False)]
    told = await wire.channel.examine({})
    assert told[1].said.facts == {"url": f"{URL}/channels/wecom_app"}


async def test_without_an_address_of_https_nothing_comes_in(wire: Line) -> None:
    channel = WecomApp(app_at(wire.server), Kit(None, words))
    assert (await found(channel))[1] == ("check.wecom_app_address", True)
    await channel.close()


@pytest.mark.parametrize(
    "path, how, key",
    [
        ("gettoken", {"code": 40001}, "check.wecom_app_secret"),
        ("gettoken", {"code": 40013}, "check.wecom_app_secret"),
        ("gettoken", {"code": 60020}, "check.wecom_app_ip"),
        ("agent/get", {"code": 60020}, "check.wecom_app_ip"),
        ("agent/get", {"code": 301002}, "check.wecom_app_agent"),
        ("agent/get", {"status": 502}, "check.wecom_network"),
        ("agent/get", {"code": 50001}, "check.wecom_network"),
    ],
)
async def test_what_is_wrong_is_told_with_what_to_click(wire: Line, path: str, how: dict[str, int], key: str) -> None:
    wire.server.fault(path, **how)
    assert await found(wire.channel) == [(key, True)]


async def test_the_house_learns_how_the_app_is_called(wire: Line) -> None:
    running = asyncio.create_task(wire.channel.run(wire.desk))
    while not wire.desk.introduced:  # noqa: ASYNC110 - the desk has no bell
        await asyncio.sleep(0.001)
    running.cancel()
    assert wire.desk.introduced == [(NAME, "联企", "")]


# Through the pump -----------------------------------------------------------------------------------------------
def pump_of(house: PostHouse, channel: WecomApp) -> Pump:
    """A pump that delivers by the app."""
    channels, civil, machine = {NAME: channel}, house.civil, house.machine
    return Pump(house.database, RULES, CATALOGUE, channels, no_documents, civil=civil, machine=machine)


async def test_a_message_whose_answer_was_lost_again_and_again_arrives_once(wire: Line) -> None:
    async with post_house() as house:
        await house.chat("zhang", channel=NAME)
        row = await house.owe("zhang", "停电")
        pump = pump_of(house, wire.channel)
        for _ in range(2):
            wire.server.fault("message/send", answer="none", effect=True)
            await pump.drain()
            house.machine.on(seconds=10)
        await pump.drain()
        assert (await house.row(row))["state"] == "sent"
    assert (len(wire.server.sent), wire.server.core.repeats) == (1, 2)


async def test_a_doubt_that_lasts_longer_than_wecom_remembers_doubles_a_message_once_at_most(wire: Line) -> None:
    async with post_house() as house:
        await house.chat("zhang", channel=NAME)
        row = await house.owe("zhang", "停电")
        pump = pump_of(house, wire.channel)
        wire.server.fault("message/send", answer="none", effect=True, times=99)
        for _ in range(99):
            await pump.drain()
            house.machine.on(minutes=5)
            wire.clock.at += 300
        assert (await house.row(row))["state"] == "uncertain"
    assert len(wire.server.sent) <= 2


async def test_nobody_gets_more_than_wecom_lets_through() -> None:
    async with line() as wire, post_house() as house:
        for name in ("zhang", "li"):
            wire.server.member(name, name)
            await house.chat(name, channel=NAME)
            for number in range(70):
                await house.owe(name, f"第{number}条")
        pump = pump_of(house, wire.channel)
        for _ in range(400):
            await pump.drain()
            house.machine.on(seconds=0.5)
            wire.clock.at += 0.5
        assert [sent.dropped for sent in wire.server.sent if sent.dropped] == []
        assert len(wire.server.sent) == 140


def test_the_pace_is_the_platforms_own() -> None:
    assert [(window.most, window.seconds) for window in PACE.windows] == [(30, 60.0), (1000, 3600.0)]


async def test_a_member_whom_the_app_does_not_reach_is_given_up_and_marked() -> None:
    async with WecomApiEmulator() as server, post_house() as house:
        channel = WecomApp(app_at(server), Kit(None, words))
        chat = await house.chat("zhang", channel=NAME)
        row = await house.owe("zhang", "停电")
        await pump_of(house, channel).drain()
        assert (await house.row(row))["state"] == "dead"
        assert (await house.all("SELECT reachable FROM chats WHERE id = :id", id=chat))[0]["reachable"] == 0
        await channel.close()
