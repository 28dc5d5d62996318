"""What machines ask: /readyz with what is wrong, /metrics for those who are near, no name and no word in it."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from bot.app import App, Park
from bot.channel import Undeliverable
from bot.channels.memory import MemoryChannel
from bot.civil import CivilClock
from bot.metrics import Metrics
from bot.timed import TimedDatabase
from bot.web.bell import Bell
from bot.web.board import PostBoard
from bot.web.context import WebContext
from bot.web.server import make_web
from storage.errors import StorageUnavailable
from tests import making
from tests.backends import open_house
from tests.making import civil
from tests.stories.town import LADDERS, Town, people_the_town
from texts import Catalogue

NINE = civil("2026-03-11 09:00")
SECRET_WORDS = ("锅炉房", "宏达", "张建国", "王敏", "13812345678")
ROOT = Path(__file__).resolve().parents[3]


class Polling(MemoryChannel):
    """A platform that is asked all the time."""

    @property
    def listens(self) -> bool:
        return True


class Fragile:
    """A database that fails, or hangs, when told to."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self.trouble: Exception | None = None
        self.hangs = asyncio.Event()
        self.hangs.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def transaction(self, unit: Any) -> Any:
        await self.hangs.wait()
        if self.trouble is not None:
            raise self.trouble
        return await self._database.transaction(unit)

    async def reading(self, unit: Any) -> Any:
        if self.trouble is not None:
            raise self.trouble
        return await self._database.reading(unit)


@dataclass
class Place:
    town: Town
    web: Starlette
    database: Fragile
    clock: CivilClock

    async def get(self, path: str, client: str = "127.0.0.1", **headers: str) -> httpx.Response:
        transport = httpx.ASGITransport(self.web, client=(client, 5))
        async with httpx.AsyncClient(transport=transport, base_url="http://anything", headers=headers) as asker:
            return await asker.get(path)

    async def ready(self) -> tuple[int, list[str]]:
        self.clock.move_to(self.clock() + timedelta(seconds=3))
        answer = await self.get("/readyz")
        assert answer.json()["ready"] is (answer.status_code == 200)
        return answer.status_code, answer.json()["wrong"]

    async def measured(self) -> dict[str, float]:
        """Every sample by its name and labels."""
        text = (await self.get("/metrics")).text
        return {
            sample.name + "".join(f" {sample.labels[name]}" for name in sorted(sample.labels)): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


@pytest.fixture(params=["sqlite", "postgres"])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    from tests.backends import chosen

    with chosen(request.param):
        opened = await open_house("sqlite:///:memory:")
        await opened.transaction(people_the_town)
        clock = CivilClock(lambda: NINE, NINE, frozen=True)
        park = Park(making.make_rules(ladders=LADDERS), Catalogue.load(strict=True))
        channel = Polling()
        metrics = Metrics(lambda: clock().timestamp())
        database = Fragile(TimedDatabase(opened, metrics))
        app = App(park, database, {"memory": channel}, civil=clock, machine=clock, metrics=metrics)
        bell = Bell()
        context = WebContext(
            database=database,
            rules=park.rules,
            catalogue=park.catalogue,
            board=PostBoard(database, bell, clock),
            wake=app.dispatcher.wake,
            clock_now=clock,
            machine_now=clock,
            public_url="https://park.example",
            health=app.health.problems,
            metrics=app.scrape,
        )
        yield Place(Town(app, channel), make_web(context), database, clock)
        await opened.close()


pytestmark = pytest.mark.needs("pg")


async def test_not_ready_until_the_platform_has_answered_and_ready_from_then_on(place: Place) -> None:
    assert await place.ready() == (503, ["memory：还没有连上平台"])
    place.town.app.signs.heard("memory")
    assert await place.ready() == (200, [])


async def test_a_silent_platform_is_told_and_well_again_by_itself(place: Place) -> None:
    place.town.app.signs.heard("memory")
    place.clock.move_to(place.clock() + timedelta(minutes=7))
    assert await place.ready() == (503, ["memory：已7分钟收不到平台的消息"])
    place.town.app.signs.heard("memory")
    assert await place.ready() == (200, [])


async def test_what_another_process_hears_counts(place: Place) -> None:
    place.town.app.signs.heard("memory")
    await place.town.app.watch.look()
    place.town.app.signs._seen.clear()
    assert await place.ready() == (200, [])


async def test_storage_that_fails_or_hangs_is_told_and_well_again_by_itself(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.town.app.signs.heard("memory")
    place.database.trouble = StorageUnavailable("the disk is full")
    assert await place.ready() == (503, ["存储写不进去：the disk is full"])
    place.database.trouble = sqlite3.OperationalError("no such table: pulses")
    assert await place.ready() == (503, ["存储写不进去：no such table: pulses"])
    place.database.trouble = None
    assert await place.ready() == (200, [])
    place.database.hangs.clear()
    monkeypatch.setattr("bot.health.TRIAL_SECONDS", 0.05)
    assert (await place.ready())[0] == 503
    assert (await place.get("/livez")).status_code == 200
    assert (await place.ready())[0] == 503
    place.database.hangs.set()
    monkeypatch.setattr("bot.health.TRIAL_SECONDS", 5.0)
    await asyncio.sleep(0.02)
    assert await place.ready() == (200, [])


async def test_a_newer_schema_is_told(place: Place) -> None:
    place.town.app.signs.heard("memory")
    await place.database.transaction(
        lambda tx: tx.run(
            "INSERT INTO schema_migrations(number, name, checksum, applied_at) VALUES (9999, 'later', '-', 0)"
        )
    )
    status, (wrong,) = await place.ready()
    assert (status, "第9999版" in wrong) == (503, True)
    await place.database.transaction(lambda tx: tx.run("DELETE FROM schema_migrations WHERE number = 9999"))


async def busy(place: Place) -> dict[str, float]:
    """A matter, a reply, a failure, something that waits."""
    town = place.town
    await town.says("张建国", "诉求 锅炉房停电，电话13812345678", where="宏达机械联企群")
    town.channel.failures = [Undeliverable("blocked")]
    await town.says("陈和顺", "进度 1")
    town.app.signs.heard("memory")
    place.clock.move_to(place.clock() + timedelta(seconds=90))
    await place.database.transaction(
        lambda tx: tx.run("UPDATE outbox SET state = 'pending', due_at = 0 WHERE id = (SELECT MIN(id) FROM outbox)")
    )
    return await place.measured()


async def test_the_figures_are_those_of_the_house(place: Place) -> None:
    found = await busy(place)
    assert found["lianqi_intake_age_seconds memory"] == 90
    assert found["lianqi_delivery_age_seconds memory"] >= 90
    assert found["lianqi_inbox_waiting memory"] == found["lianqi_inbox_dead memory"] == 0
    assert sum(n for name, n in found.items() if re.match("lianqi_outbox_waiting memory .* pending", name)) == 1
    assert found["lianqi_outbox_oldest_age_seconds memory"] > 90
    assert found["lianqi_outbox_undelivered memory reply dead"] == 1
    assert found["lianqi_messages_total memory reply failed"] == 1
    assert found["lianqi_messages_total memory reply sent"] >= 1
    assert found["lianqi_handler_seconds_count appeal"] == 1
    assert found["lianqi_storage_unit_seconds_count write"] > 3
    assert found["lianqi_appeals_open dispatched"] == 1
    assert found["lianqi_appeals_overdue"] == 0
    assert found["lianqi_lease_held memory"] == 0
    assert found["lianqi_storage_up"] == 1
    assert found["process_resident_memory_bytes"] > 0
    assert found["process_open_fds"] > 0


async def test_what_is_past_its_date_counts_and_what_is_sealed_does_not(place: Place) -> None:
    await busy(place)
    run = place.database.transaction
    await run(lambda tx: tx.run("UPDATE appeals SET due_at = 1"))
    assert (await place.measured())["lianqi_appeals_overdue"] == 1
    await run(lambda tx: tx.run("UPDATE appeals SET sealed = 1"))
    found = await place.measured()
    assert (found["lianqi_appeals_overdue"], "lianqi_appeals_open dispatched" in found) == (0, False)


async def test_no_label_holds_a_name_or_a_word(place: Place) -> None:
    await busy(place)
    text = (await place.get("/metrics")).text
    assert [word for word in SECRET_WORDS if word in text] == []
    assert not re.search("[\u4e00-\u9fff]", text)


async def test_without_storage_the_process_tells_of_itself(place: Place) -> None:
    place.database.trouble = StorageUnavailable("gone")
    found = await place.measured()
    assert found["lianqi_storage_up"] == 0
    assert found["process_open_fds"] > 0
    assert "lianqi_appeals_overdue" not in found


@pytest.mark.parametrize(
    "client,headers,status",
    [
        ("127.0.0.1", {}, 200),
        ("10.1.2.3", {}, 200),
        ("192.168.7.7", {}, 200),
        ("::1", {}, 200),
        ("8.8.8.8", {}, 404),
        ("2400:3200::1", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "8.8.8.8"}, 404),
        ("127.0.0.1", {"Forwarded": "for=8.8.8.8"}, 404),
        ("127.0.0.1", {"Via": "1.1 gate"}, 404),
        ("127.0.0.1", {"Host": "park.example"}, 404),
        ("10.1.2.3", {"Host": "lianqi-1:8080"}, 200),
        ("unix", {}, 404),
    ],
)
async def test_metrics_are_for_those_who_are_near(
    place: Place, client: str, headers: dict[str, str], status: int
) -> None:
    assert (await place.get("/metrics", client, **headers)).status_code == status


async def test_every_metric_stands_in_the_guide(place: Place) -> None:
    guide = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    await busy(place)
    text = (await place.get("/metrics")).text
    names = {name.removesuffix("_created") for name in re.findall(r"^# TYPE (lianqi_\w+)", text, re.MULTILINE)}
    assert {name for name in names if f"`{name}`" not in guide and f"`{name}_total`" not in guide} == set()
