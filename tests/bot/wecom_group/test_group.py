"""Group robots: they call one person by name, slowly enough, and say when they are gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.channel import Document, Key, Mention, Parcel, Uncertain, Undeliverable, Unsent
from bot.channels import Kit
from bot.channels.wecom_group import NAME, PACE, WecomGroup, make
from bot.config.sections import WecomGroup as Section
from bot.deliver import Pump
from tests.bot.posthouse import CATALOGUE, RULES, no_documents, post_house
from tests.bot.telegram.desks import NoteDesk, words
from tests.bot.wecom_app.desks import Clock
from tests.emulators.wecom.api import WecomApiEmulator
from tests.errors import ExpectedErrors

GROUP = "大树营联企群"
CALL = Mention("zhang", "张建国")


@dataclass
class Line:
    """The robot of one group, at its platform."""

    server: WecomApiEmulator
    channel: WecomGroup
    clock: Clock

    async def send(self, text: str = "@张建国 请打开私聊", **more: Any) -> list[str]:
        """One parcel through all its parts."""
        parcel = replace(Parcel(7, 1, GROUP, "send", text, private=False), **{"mention": CALL, **more})
        return [await self.channel.send(part) for part in self.channel.parts(parcel)]


@asynccontextmanager
async def line() -> AsyncIterator[Line]:
    """A robot that the group knows; no call of it was against the rules."""
    clock = Clock()
    async with WecomApiEmulator(clock) as server:
        server.robot("k1")
        channel = WecomGroup({GROUP: "k1"}, server.api_base)
        yield Line(server, channel, clock)
        await channel.close()
        assert server.offences == []


@pytest.fixture
async def wire() -> AsyncIterator[Line]:
    async with line() as opened:
        yield opened


async def test_a_person_is_called_by_his_user_id_and_named_once(wire: Line) -> None:
    await wire.send()
    (post,) = wire.server.posts
    assert (post.text, post.mentioned, post.kind) == ("张建国 请打开私聊", ("zhang",), "text")


async def test_a_long_text_calls_once(wire: Line) -> None:
    await wire.send("@张建国 " + "请打开私聊。" * 200)
    assert [post.mentioned for post in wire.server.posts] == [("zhang",), ()]
    assert all(len(post.text.encode()) <= 2048 for post in wire.server.posts)


async def test_buttons_and_files_stay_away(wire: Line) -> None:
    keys = ((Key("接单", "acknowledge:1:1"),),)
    await wire.send("通知", mention=None, keys=keys, documents=(Document("a.txt", "text/plain", b"x" * 9),))
    assert [(post.text, post.mentioned) for post in wire.server.posts] == [("通知", ())]


async def test_a_robot_that_is_gone_is_out_of_reach(wire: Line, expected_errors: ExpectedErrors) -> None:
    expected_errors.expect("a group robot is gone")
    wire.server.core.robots["k1"] = False
    with pytest.raises(Undeliverable) as gone:
        await wire.send()
    assert gone.value.unreachable
    with pytest.raises(Undeliverable) as unknown:
        await wire.channel.send(Parcel(7, 1, "没有配的群", "send", "x"))
    assert unknown.value.unreachable


@pytest.mark.parametrize("kind", ["edit", "menu", "answer"])
async def test_a_robot_only_speaks(wire: Line, kind: str) -> None:
    with pytest.raises(Undeliverable):
        await wire.send("x", kind=kind)
    assert wire.channel.read({}, NoteDesk().now()) is None


@pytest.mark.parametrize(
    "how, kind, down",
    [
        ({"code": 45009}, Unsent, False),
        ({"code": -1}, Unsent, False),
        ({"status": 502}, Unsent, True),
        ({"answer": "none", "effect": True}, Uncertain, False),
        ({"code": 40008}, Undeliverable, False),
    ],
)
async def test_trouble_has_its_right_name(wire: Line, how: dict[str, Any], kind: type[Exception], down: bool) -> None:
    wire.server.fault("webhook/send", **how)
    with pytest.raises(kind) as trouble:
        await wire.send()
    assert getattr(trouble.value, "channel_down", False) is down
    assert "k1" not in str(trouble.value)


async def test_a_robot_never_says_more_than_twenty_things_a_minute(wire: Line) -> None:
    async with post_house() as house:
        await house.chat(GROUP, channel=NAME, private=False)
        for number in range(50):
            await house.owe(GROUP, f"第{number}条")
        channels, civil, machine = {NAME: wire.channel}, house.civil, house.machine
        pump = Pump(house.database, RULES, CATALOGUE, channels, no_documents, civil=civil, machine=machine)
        for _ in range(400):
            await pump.drain()
            house.machine.on(seconds=0.5)
            wire.clock.at += 0.5
        assert await house.states() == {"sent": 50}
    assert [call.errcode for call in wire.server.core.calls] == [0] * 50
    assert PACE.windows[0].most == 20


async def test_the_house_hears_in_which_groups_robots_speak(wire: Line) -> None:
    desk = NoteDesk()
    running = asyncio.create_task(wire.channel.run(desk))
    await asyncio.sleep(0.01)
    running.cancel()
    assert desk.spoken_in == (NAME, (GROUP,))


async def found(channel: WecomGroup, **groups: str) -> list[tuple[str, bool, object]]:
    told = await channel.examine(groups)
    return [(each.said.key, each.must, each.said.facts.get("group")) for each in told]


async def test_a_key_is_tried_without_a_word(wire: Line) -> None:
    assert await found(wire.channel, wr1=GROUP) == []
    assert wire.server.posts == []


async def test_a_key_that_nobody_has_must_be_made_anew(wire: Line) -> None:
    wire.server.core.robots["k1"] = False
    assert await found(wire.channel, wr1=GROUP) == [("check.wecom_group_key", True, GROUP)]
    wire.server.fault("webhook/send", status=502)
    assert await found(wire.channel, wr1=GROUP) == [("check.wecom_network", True, None)]


async def test_groups_without_robot_and_robots_without_group_are_named(wire: Line) -> None:
    assert await found(wire.channel, wr2="另一个群") == [
        ("check.wecom_group_unknown", False, GROUP),
        ("check.wecom_group_none", False, "另一个群"),
    ]
    by_id = WecomGroup({"wr2": "k1"}, wire.server.api_base)
    assert await found(by_id, wr2="另一个群") == []
    await by_id.close()


def test_the_config_names_a_group_and_its_key() -> None:
    section = Section(webhooks={GROUP: "k1"})
    assert make(Kit(section, words))._webhooks == {GROUP: "k1"}
