"""The composition root: wires everything, runs it in one TaskGroup, stops cleanly; sole reader of the real clock."""

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.channel import Channel
from bot.civil import CivilClock
from bot.clock import Bell
from bot.deliver import Pump
from bot.desk import FrontDesk
from bot.dispatch import Dispatcher
from bot.documents import Documents
from domain.rules import Rules
from handlers import AT_START, JOBS, ROUTER
from handlers.conversation import House
from storage.database import Database
from texts import Catalogue

_log = logging.getLogger(__name__)

SWITCH_SECONDS = 0.0005
"""How soon Python's threads take turns: at the default 5 ms the storage writer starves beside a busy event loop."""


def machine_time() -> datetime:
    """The real clock, in UTC."""
    return datetime.now(UTC)


def machine_seconds() -> float:
    """Seconds of a clock that only runs forward, for measuring how long something takes."""
    return time.monotonic()


@dataclass(frozen=True, slots=True)
class Park:
    """What one park has settled: its rules, its words, the names the bot is called by."""

    rules: Rules
    catalogue: Catalogue
    bot_names: Collection[str] = ("联企", "lianqi")


class App:
    """The running program, channel-blind: what came in is heard, what is due is done, what is owed is delivered."""

    def __init__(
        self,
        park: Park,
        database: Database,
        channels: Mapping[str, Channel],
        *,
        civil: CivilClock | None = None,
        machine: Callable[[], datetime] = machine_time,
    ) -> None:
        self.park = park
        self.database = database
        self.channels = channels
        self.civil = civil or CivilClock(machine)
        menus = frozenset(name for name, channel in channels.items() if channel.abilities.menus)
        house = House(park.rules, park.catalogue.words(), park.bot_names, ROUTER, menus)
        documents = Documents(database, park.rules, park.catalogue)
        self.pump = Pump(
            database, park.rules, park.catalogue, channels, documents.build, civil=self.civil, machine=machine
        )
        self.dispatcher = Dispatcher(
            database, house, channels, civil=self.civil, machine=machine, done=self.pump.wake
        )
        self.desk = FrontDesk(database, self.civil, self.dispatcher.wake)
        self.dispatcher.fetch_to(self.desk)
        self.bell = Bell(
            database, park.rules, JOBS, civil=self.civil, done=self.pump.wake, at_start=AT_START
        )
        self._stepping = asyncio.Lock()

    async def run(self) -> None:
        """Run channels, dispatcher, pump and clock in one group until cancelled; one failing ends all."""
        sys.setswitchinterval(SWITCH_SECONDS)
        try:
            async with self._ringing(), asyncio.TaskGroup() as group:
                for channel in self.channels.values():
                    group.create_task(channel.run(self.desk), name=f"channel {channel.name}")
                group.create_task(self.dispatcher.run(), name="dispatcher")
                group.create_task(self.pump.run(), name="pump")
        finally:
            for channel in self.channels.values():
                await channel.close()

    @contextlib.asynccontextmanager
    async def _ringing(self) -> AsyncIterator[None]:
        scheduler = AsyncIOScheduler(timezone=UTC)
        self.bell.hang(scheduler)
        scheduler.start()
        try:
            yield
        finally:
            scheduler.shutdown(wait=False)

    async def settle(self) -> None:
        """Hear, do and deliver everything that can be, now; afterwards nothing waits but for time."""
        while True:
            heard = await self.dispatcher.drain()
            rung = await self.bell.ring()
            sent = await self.pump.drain()
            if not heard + rung + sent:
                return

    async def step_to(self, moment: datetime) -> None:
        """Run civil time ahead to `moment` through every instant at which something falls due, settling at each."""
        async with self._stepping:
            await self.settle()
            while (upcoming := await self.bell.upcoming(self.civil())) is not None and upcoming <= moment:
                self.civil.move_to(upcoming)
                await self.settle()
            self.civil.move_to(moment)
            await self.settle()

    async def step_on(self, most: datetime) -> datetime:
        """Run civil time ahead to the next instant at which something is due, at most to `most`; where it is then."""
        upcoming = await self.bell.upcoming(self.civil())
        await self.step_to(min(upcoming, most) if upcoming else most)
        return self.civil()
