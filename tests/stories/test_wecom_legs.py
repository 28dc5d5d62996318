"""Somebody is reached on WeCom by what reaches him: the bot, else the app, else by name in a group, else by phone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import httpx
import pytest
from starlette.applications import Starlette

from bot.channel import Channel
from bot.channels import Kit
from bot.channels.wecom_app import WecomApp
from bot.channels.wecom_group import WecomGroup
from tests.bot.telegram.desks import words
from tests.bot.wecom_app.desks import app_at
from tests.emulators.wecom.api import Callback, WecomApiEmulator
from tests.stories.test_wecom_talk import BOSS, GROUP, LIAISON, OFFICE
from tests.stories.wecom_town import WecomTown, wecom_town


@dataclass
class Legs:
    """The town on the smart bot, with the app and the robot of one group beside it."""

    town: WecomTown
    server: WecomApiEmulator
    web: httpx.AsyncClient

    def is_shut_by_the_bot(self, who: str) -> None:
        """He has never written to the bot."""
        self.town.emulator.world.wrote.discard(self.town.users[who])

    async def arrives(self, callback: Callback) -> None:
        """WeCom calls us, and all that follows is done."""
        answer = await self.web.post("/channels/wecom_app", params=callback.query, content=callback.body)
        assert answer.status_code == 200
        await self.town.settle()

    def by_the_app(self, who: str) -> list[str]:
        """What the app told somebody."""
        return [sent.text for sent in self.server.sent if self.town.users[who] in sent.to]


@asynccontextmanager
async def beside(town: WecomTown) -> AsyncIterator[Legs]:
    """Everybody of the town is a member of the corporation, and the app reaches him."""
    clock = town.app.civil
    async with WecomApiEmulator(lambda: clock().timestamp()) as server:
        for name, userid in town.users.items():
            server.member(userid, name)
        app = WecomApp(app_at(server), Kit(None, words), pace=None)
        robots = WecomGroup({GROUP: server.robot("k1")}, server.api_base, pace=None)
        channels = cast(dict[str, Channel], town.app.channels)
        channels |= {"wecom_app": app, "wecom_group": robots}
        await town.app.desk.introduce("wecom_app", "联企", "")
        await town.app.desk.introduce("wecom_aibot", "小联", "")
        await town.app.desk.speak_in("wecom_group", [GROUP])
        served = httpx.ASGITransport(Starlette(routes=list(app.routes(town.app.desk))))
        async with httpx.AsyncClient(transport=served, base_url="https://lianqi.example.cn") as web:
            yield Legs(town, server, web)
        await app.close()
        await robots.close()
        assert server.offences == []


@pytest.fixture
async def legs() -> AsyncIterator[Legs]:
    async with wecom_town() as town, beside(town) as opened:
        yield opened


async def test_who_writes_to_the_bot_hears_from_the_bot_alone(legs: Legs) -> None:
    await legs.town.says(BOSS, "诉求 车间电压低")
    assert legs.town.seen(LIAISON)
    assert legs.server.sent == []
    assert legs.server.posts == []


async def test_who_never_wrote_to_the_bot_hears_by_the_app_and_can_act_there(legs: Legs) -> None:
    legs.is_shut_by_the_bot(LIAISON)
    await legs.town.says(BOSS, "诉求 车间电压低")
    (told,) = [sent for sent in legs.server.sent if legs.town.users[LIAISON] in sent.to and sent.buttons]
    assert "watch.unreachable" not in [said.key for said in legs.town.said]
    label = told.buttons[0][0]
    before = await legs.town.one("SELECT version FROM appeals")
    await legs.arrives(legs.server.press(legs.town.users[LIAISON], told, label))
    assert (await legs.town.one("SELECT version FROM appeals"))["version"] > before["version"]
    assert [card for card, _ in legs.server.core.updated] == [told.id]
    kept = await legs.town.all(
        """SELECT o.kind FROM outbox o JOIN chats c ON c.id = o.chat_id
           WHERE c.channel = 'wecom_app' AND o.state = 'sent' ORDER BY o.id"""
    )
    assert sorted(row["kind"] for row in kept) == ["edit"] + ["send"] * len(legs.server.sent)


async def test_what_he_writes_to_the_app_is_heard_as_his(legs: Legs) -> None:
    await legs.arrives(legs.server.message(legs.town.users[BOSS], "text", Content="诉求 路灯不亮"))
    row = await legs.town.one("SELECT title, contact_id FROM appeals")
    owner = await legs.town.one("SELECT name FROM people WHERE id = :id", id=row["contact_id"])
    assert (row["title"], owner["name"]) == ("路灯不亮", BOSS)
    assert any("路灯不亮" in text for text in legs.by_the_app(BOSS))


async def test_whom_neither_reaches_is_called_in_his_group_and_the_office_rings_him_up(legs: Legs) -> None:
    legs.is_shut_by_the_bot(LIAISON)
    legs.server.core.members[legs.town.users[LIAISON].lower()].visible = False
    told = await legs.town.says(BOSS, "诉求 车间电压低")
    (post,) = legs.server.posts
    assert post.mentioned == (legs.town.users[LIAISON],)
    assert LIAISON in post.text
    assert "车间" not in post.text
    assert "watch.unreachable" in [said.key for said in told if said.listener == OFFICE]
    digest = await legs.town.wait(until="2026-03-12 08:35")
    morning = [said.text for said in digest if said.key == "digest.office"]
    assert any(f"· {LIAISON}，有1件事要告诉他" in text for text in morning)


async def test_who_writes_again_hears_from_the_bot_again(legs: Legs) -> None:
    legs.is_shut_by_the_bot(LIAISON)
    await legs.town.says(BOSS, "诉求 车间电压低")
    await legs.town.says(LIAISON, "帮助")
    before = len(legs.server.sent)
    await legs.town.says(BOSS, "诉求 路灯不亮")
    assert len(legs.server.sent) == before
