"""Updates come in again, out of order and to two workers at once: each has the effect that it has once."""

import asyncio
import random
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.app import App
from bot.channel import Channel, Desk, Parcel
from bot.channels.telegram import Account, TelegramChannel
from bot.channels.web import WebChannel
from bot.channels.wecom_aibot import WecomAibotChannel
from bot.channels.wecom_aibot.connection import Account as WecomAccount
from bot.civil import CivilClock
from bot.program import kits
from bot.web.bell import Bell
from bot.web.board import PostBoard
from domain.chat import Attachment
from storage.database import Database
from storage.open import open_database
from tests import needs
from tests.conftest import Tally
from tests.faults.crashing import PARK
from tests.faults.test_crash_points import state
from tests.faults.tours import AT, PHOTO, TOURS, Recorded, Tour
from tests.making import civil

SEQUENCES = needs.count(67, 100)
BATCHES = needs.count(1, 17)
LONGEST = 4
MOST_COPIES = 5
MINUTES = timedelta(minutes=2)
"""What a handler might take back is told by then."""
LEAST: Mapping[str, int] = {"telegram": 20, "wecom": 12, "web": 11}

pytestmark = [pytest.mark.xdist_group("replays"), pytest.mark.timeout(needs.count(120, 600))]


class QuietTelegram(TelegramChannel):
    """Reads as ever; what it sends arrives, what it fetches is a picture."""

    async def send(self, parcel: Parcel) -> str:
        return str(parcel.id)

    async def fetch(self, remote: str, desk: Desk) -> Attachment:
        return await desk.keep_file(PHOTO, remote, "image/jpeg")


class QuietWecom(WecomAibotChannel):
    """The same."""

    @property
    def here(self) -> bool:
        return True

    async def send(self, parcel: Parcel) -> str:
        return str(parcel.id)


def quiet(tour: Tour) -> Channel | None:
    """The platform of a tour with nobody at the other end; the web chat needs none but a house."""
    made = kits(PARK, {"telegram": None, "wecom_aibot": None})
    if tour.channel == "telegram":
        return QuietTelegram(Account("1:x"), made["telegram"], pace=None)
    if tour.channel == "wecom_aibot":
        return QuietWecom(WecomAccount("b", "s", "联企", "ws://127.0.0.1:9"), made["wecom_aibot"], pace=None)
    return None


@dataclass
class Stage:
    """A tour that may begin anywhere: what the house was like before each of its updates."""

    tour: Tour
    channel: Channel | None
    folder: Path

    def app(self, database: Database) -> App:
        """A process over that house."""
        clock = CivilClock(lambda: civil(AT), civil(AT), frozen=True)
        channel = self.channel or WebChannel(PostBoard(database, Bell(), clock))
        return App(PARK, database, {self.tour.channel: channel}, civil=clock, machine=clock)

    async def prepare(self) -> None:
        """Go the tour once and keep the house at every step."""
        (self.folder / "0").write_bytes(self.tour.before)
        for number, update in enumerate(self.tour.updates):
            found = self.folder / "found.db"
            await self.go(number, [[update]], found)
            found.rename(self.folder / str(number + 1))

    async def go(self, start: int, batches: Sequence[Sequence[Recorded]], path: Path) -> dict[str, list[Any]]:
        """From one of these houses on; each batch comes in, and two workers hear it at once. What became of all."""
        shutil.copy(self.folder / str(start), path)
        database = await open_database(f"sqlite:///{path}")
        first, second = self.app(database), self.app(database)
        for batch in batches:
            for update in batch:
                await update.bring(first)
            await asyncio.gather(first.dispatcher.drain(), second.dispatcher.drain())
            await first.pump.drain()
        await first.step_to(first.civil() + MINUTES)
        found = await state(database)
        await database.close()
        return {name: ordered(name, rows) for name, rows in found.items()}


@asynccontextmanager
async def going(tour: Tour, folder: Path) -> AsyncIterator[Stage]:
    """A tour whose houses are kept in a folder."""
    stage = Stage(tour, quiet(tour), folder)
    await stage.prepare()
    yield stage
    if stage.channel is not None:
        await stage.channel.close()


def ordered(name: str, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Rows without what only tells which chat was served first: who fetches a picture may be overtaken."""
    if name == "owed":
        return sorted(((chat, *rest) for chat, _, *rest in rows), key=repr)
    return sorted(rows, key=repr)


def shuffled(updates: Sequence[Recorded], dice: random.Random) -> list[Recorded]:
    """In another order, but within a chat: a platform keeps that."""
    chats = {one.chat: iter([other for other in updates if other.chat == one.chat]) for one in updates}
    return [next(chats[update.chat]) for update in dice.sample(updates, len(updates))]


def told_again(updates: Sequence[Recorded], dice: random.Random) -> list[list[Recorded]]:
    """In up to three batches, each update one to five times, a copy never before the first."""
    told = list(updates)
    for update in updates:
        for _ in range(dice.randrange(MOST_COPIES)):
            told.insert(dice.randint(told.index(update) + 1, len(told)), update)
    cuts = sorted(dice.choices(range(len(told) + 1), k=2))
    return [batch for batch in (told[: cuts[0]], told[cuts[0] : cuts[1]], told[cuts[1] :]) if batch]


def only_once(batches: Sequence[Sequence[Recorded]]) -> list[list[Recorded]]:
    """The same with every update where it comes first."""
    seen: set[int] = set()
    first: list[list[Recorded]] = []
    for batch in batches:
        first.append([one for one in {id(one): one for one in batch}.values() if id(one) not in seen])
        seen.update(id(one) for one in batch)
    return first


@pytest.mark.parametrize("place", TOURS)
@pytest.mark.parametrize("batch", range(BATCHES))
async def test_each_update_has_exactly_one_effect_however_often_it_comes(
    place: str, batch: int, tmp_path: Path, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.rounds.ELSEWHERE_SECONDS", 0.002)
    tour = await TOURS[place]()
    assert len(tour.updates) >= LEAST[place]
    dice, wrong = random.Random(f"{place} {batch}"), []
    async with going(tour, tmp_path) as stage:
        for sequence in range(SEQUENCES):
            start = dice.randrange(len(tour.updates))
            window = tour.updates[start : start + dice.randint(1, LONGEST)]
            batches = told_again(shuffled(window, dice), dice)
            once = await stage.go(start, only_once(batches), tmp_path / "once.db")
            often = await stage.go(start, batches, tmp_path / "often.db")
            if often != once:
                wrong.append((sequence, [[tour.updates.index(one) for one in each] for each in batches], once, often))
    tally("R1", SEQUENCES)
    assert wrong == []
