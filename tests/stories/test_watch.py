"""A channel that goes silent or stuck: the office hears it once by another one, and once when it is back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.app import App, Park
from bot.channel import Abilities, Unsent
from bot.channels.memory import MemoryChannel
from bot.civil import CivilClock
from bot.signs import Signs
from bot.watch import Watch
from storage import outbox
from storage.outbox import Letter
from tests import making
from tests.backends import open_house
from tests.making import civil
from tests.stories.town import LADDERS, people_the_town
from texts import Catalogue

TEN = civil("2026-03-11 10:00")
OFFICE, BOSS = "周芳", "张建国"


class Listening(MemoryChannel):
    """A platform that is asked all the time."""

    def __init__(self, name: str, *, listens: bool = True) -> None:
        super().__init__(Abilities(edits=False))
        self.name = name
        self._listens = listens

    @property
    def listens(self) -> bool:
        return self._listens


class House:
    """Two platforms: the firms' one, which may fall silent, and another one on which the office can be reached."""

    def __init__(self, app: App, clock: CivilClock) -> None:
        self.app = app
        self.clock = clock
        self.phone: Any = app.channels["phone"]
        self.page: Any = app.channels["page"]
        self.others: list[Watch] = []

    async def minutes(self, count: float, *, heard: bool = False, step: float = 0.25) -> None:
        """Time goes by, a look every quarter of a minute; every replica looks."""
        for _ in range(round(count / step)):
            self.clock.move_to(self.clock() + timedelta(minutes=step))
            if heard:
                self.app.signs.heard("phone")
            for watch in (self.app.watch, *self.others):
                await watch.look()
            await self.app.settle()

    def told(self, channel: str = "page") -> list[str]:
        """The first words of what the office was told of the machinery."""
        sent = self.app.channels[channel].sent  # type: ignore[attr-defined]  # it keeps what was sent
        return [parcel.text.partition("】")[0].lstrip("【") for parcel in sent if parcel.text.startswith("【")]

    def last(self) -> str:
        """All of the last of them."""
        return str(self.page.sent[-1].text)

    async def owe(self, count: int, name: str = BOSS) -> None:
        """So many messages to somebody on the phone."""
        letter = Letter(await self.chat_of(name), "digest.nothing", {"name": name})
        for _ in range(count):
            await self.app.database.transaction(lambda tx: outbox.owe(tx, letter, at=self.clock()))

    async def run(self, sql: str, **params: Any) -> None:
        await self.app.database.transaction(lambda tx: tx.run(sql, params))

    async def chat_of(self, name: str) -> int:
        """Somebody's chat on the phone."""
        row = await self.app.database.reading(
            lambda tx: tx.one(
                "SELECT id FROM chats WHERE external_id = :id AND channel = 'phone'", {"id": f"private:{name}"}
            )
        )
        assert row is not None
        return int(row["id"])

    def another_watch(self, signs: Signs | None = None) -> Watch:
        """That of another process, which has seen nothing or what is given."""
        app, clock = self.app, self.clock
        return Watch(
            app.database,
            app.park.rules,
            app.channels,
            signs or Signs(clock),
            civil=clock,
            machine=clock,
            done=app.pump.wake,
        )


@pytest.fixture
async def house() -> AsyncIterator[House]:
    database = await open_house("sqlite:///:memory:")
    await database.transaction(people_the_town)
    clock = CivilClock(lambda: TEN, TEN, frozen=True)
    park = Park(making.make_rules(ladders=LADDERS), Catalogue.load(strict=True))
    channels = {"phone": Listening("phone"), "page": Listening("page", listens=False)}
    app = App(park, database, channels, civil=clock, machine=clock)
    house = House(app, clock)
    await house.run("UPDATE accounts SET channel = 'phone'")
    await house.run("UPDATE chats SET channel = 'phone'")
    await house.run(
        """INSERT INTO accounts(channel, external_id, person_id)
           SELECT 'page', name, id FROM people WHERE name = :name""",
        name=OFFICE,
    )
    await house.run(
        """INSERT INTO chats(channel, external_id, private, account_id)
           SELECT 'page', external_id, 1, id FROM accounts WHERE channel = 'page'"""
    )
    await house.minutes(1, heard=True)
    yield house
    await database.close()


async def test_a_silence_is_told_once_by_another_channel_and_once_when_it_is_over(house: House) -> None:
    await house.minutes(4)
    assert house.told() == []
    await house.minutes(1.5)
    assert house.told() == ["渠道中断"]
    await house.minutes(60)
    assert house.told() == ["渠道中断"]
    await house.app.desk.receive("phone", "phone", [])
    await house.minutes(1, heard=True)
    assert house.told() == ["渠道中断", "渠道恢复"]
    assert "中断了66分钟" in house.last() or "中断了67分钟" in house.last()
    await house.minutes(60, heard=True)
    assert len(house.told()) == 2
    await house.minutes(6)
    assert house.told() == ["渠道中断", "渠道恢复", "渠道中断"]
    assert house.told("phone") == []


async def test_what_came_in_after_it_is_counted(house: House) -> None:
    await house.minutes(6)
    for n in range(3):
        body = {"chat": f"private:{BOSS}", "private": True, "sender": BOSS, "sender_name": BOSS, "text": "我的"}
        body["message_id"] = str(n)
        await house.phone.say(house.app.desk, body)
    await house.minutes(0.5, heard=True)
    assert "已补收3条" in house.last()


async def test_messages_that_do_not_leave_are_told_after_ten_minutes_with_how_many_wait(house: House) -> None:
    house.phone.failures = [Unsent("502", channel_down=True)] * 500
    await house.owe(7)
    await house.minutes(9, heard=True)
    assert house.told() == []
    await house.minutes(2, heard=True)
    assert house.told() == ["发送停滞"]
    assert "等着发出的有7条" in house.last()
    await house.owe(5)
    await house.minutes(5, heard=True)
    house.phone.failures = []
    await house.minutes(3, heard=True)
    assert house.told() == ["发送停滞", "发送恢复"]
    assert "最多时有12条等着发出" in house.last()


async def test_a_chat_that_alone_takes_nothing_while_others_do_is_no_stop(house: House) -> None:
    await house.owe(1)
    await house.run("UPDATE outbox SET retry_at = 99999999999999")
    for _ in range(4):
        await house.minutes(5, heard=True)
        await house.owe(1, "王敏")
    assert house.told() == []


async def test_three_replicas_tell_once(house: House) -> None:
    house.others = [house.another_watch() for _ in range(2)]
    await house.minutes(7)
    await house.minutes(1, heard=True)
    assert house.told() == ["渠道中断", "渠道恢复"]


async def test_what_one_replica_hears_counts_for_the_others(house: House) -> None:
    house.others = [house.another_watch()]
    await house.minutes(20, heard=True)
    assert house.told() == []


async def test_a_process_that_has_just_begun_neither_complains_nor_takes_it_back(house: House) -> None:
    await house.minutes(30)
    assert house.told() == ["渠道中断"]
    house.app.watch = house.another_watch(house.app.signs)
    await house.minutes(30)
    assert house.told() == ["渠道中断"]
    await house.minutes(1, heard=True)
    assert house.told() == ["渠道中断", "渠道恢复"]


async def test_a_process_that_begins_while_nothing_leaves_does_not_take_that_back(house: House) -> None:
    house.phone.failures = [Unsent("502", channel_down=True)] * 500
    await house.owe(2)
    await house.minutes(12, heard=True)
    house.app.watch = house.another_watch(house.app.signs)
    await house.minutes(5, heard=True)
    assert house.told() == ["发送停滞"]


async def test_at_night_nobody_is_woken_and_of_what_is_over_by_then_the_end_alone_is_told(house: House) -> None:
    house.clock.move_to(civil("2026-03-12 02:00"))
    await house.minutes(0.25, heard=True)
    before = len(house.told())
    await house.minutes(30)
    await house.minutes(1, heard=True)
    assert len(house.told()) == before
    house.clock.move_to(civil("2026-03-12 08:01"))
    await house.minutes(0.25, heard=True)
    assert house.told()[before:] == ["渠道恢复"]


async def test_who_has_no_other_channel_is_told_where_he_can_be(house: House) -> None:
    await house.run("UPDATE chats SET reachable = 0 WHERE channel = 'page'")
    await house.minutes(6)
    assert house.told("phone") == ["渠道中断"]
