"""The composition root: wires everything, runs it in one TaskGroup, stops cleanly; sole reader of the real clock."""

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.channel import Channel
from bot.civil import CivilClock
from bot.clock import Bell
from bot.deliver import Pump
from bot.desk import FrontDesk
from bot.dispatch import Dispatcher
from bot.documents import Documents
from bot.flooding import Flood
from bot.health import Health
from bot.machine import MachineClock
from bot.metrics import Metrics, View
from bot.signs import Signs
from bot.watch import Watch
from domain.rules import Rules
from handlers import AT_START, JOBS, ROUTER, sealer
from handlers.conversation import House
from storage import gauges
from storage.database import Database
from storage.delivery import Owed
from storage.errors import StorageUnavailable
from texts import Catalogue

_log = logging.getLogger(__name__)

SWITCH_SECONDS = 0.0005
"""How soon Python's threads take turns: at the default 5 ms the storage writer starves beside a busy event loop."""


SENDING = "sending"


async def _for_ever() -> None:
    await asyncio.get_running_loop().create_future()


def machine_time() -> datetime:
    """The real clock, in UTC."""
    return datetime.now(UTC)


def steady_time() -> datetime:
    """What the real clock showed when the program began, and what has passed since, however that clock is set."""
    return _BEGUN + timedelta(seconds=_passed())


def _passed() -> float:
    """Seconds since the machine started, those included for which it slept where the system counts them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


_BEGUN = machine_time() - timedelta(seconds=_passed())


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
        machine: Callable[[], datetime] = steady_time,
        key: bytes | None = None,
        metrics: Metrics | None = None,
        flood: Flood | None = None,
    ) -> None:
        """With the `key` of its audit chain the program seals what happens.

        `flood` watches over everybody's pace; without it whatever is said is heard.
        """
        self.park = park
        self.metrics = metrics or Metrics(machine_seconds)
        self.database = database
        self.channels = channels
        self.civil = civil or CivilClock(machine_time)
        self.machine = MachineClock(machine)
        self.signs = Signs(self.machine)
        self.health = Health(database, channels, self.signs, self.machine)
        documents = Documents(database, park.rules, park.catalogue)
        self.pump = Pump(
            database,
            park.rules,
            park.catalogue,
            channels,
            documents.build,
            civil=self.civil,
            machine=self.machine,
            tally=self._tally,
        )
        self.dispatcher = Dispatcher(
            database, self._house(), channels, civil=self.civil, machine=self.machine, done=self.pump.wake, flood=flood
        )
        self.leases = {name: False for name, channel in channels.items() if channel.listens}
        self.desk = FrontDesk(database, self.civil, self.dispatcher.wake, self._holding, self.signs.heard)
        self.dispatcher.fetch_to(self.desk)
        sealers = () if key is None else (sealer(key),)
        self.bell = Bell(
            database, park.rules, (*sealers, *JOBS), civil=self.civil, done=self.pump.wake, at_start=AT_START
        )
        self.watch = Watch(
            database, park.rules, channels, self.signs, civil=self.civil, machine=self.machine, done=self.pump.wake
        )
        self._stepping = asyncio.Lock()

    def _house(self) -> House:
        menus = frozenset(name for name, channel in self.channels.items() if channel.abilities.menus)
        router = ROUTER.surrounded(self.metrics.handling)
        vocabulary = router.known_among(self.park.catalogue.words())
        return House(self.park.rules, vocabulary, self.park.bot_names, router, menus)

    async def run(self) -> None:
        """Run channels, dispatcher, pump and clock in one group until cancelled; one failing ends all."""
        sys.setswitchinterval(SWITCH_SECONDS)
        self.database.watch(self._look_around)
        if self.database.shared:
            await self.machine.follow(self.database)
        else:
            await self.machine.go_on_from(self.database)
        try:
            async with self._ringing(), asyncio.TaskGroup() as group:
                if self.database.shared:
                    group.create_task(self.machine.keep_following(self.database), name="machine time")
                for channel in self.channels.values():
                    group.create_task(channel.run(self.desk), name=f"channel {channel.name}")
                    if self.database.shared:
                        self._share(channel, group)
                group.create_task(self.dispatcher.run(), name="dispatcher")
                group.create_task(self.pump.run(), name="pump")
                group.create_task(self.watch.run(), name="watch")
        finally:
            for channel in self.channels.values():
                await channel.close()

    def _look_around(self) -> None:
        """Another process has committed something."""
        self.dispatcher.wake()
        self.pump.wake()

    def _share(self, channel: Channel, group: asyncio.TaskGroup) -> None:
        """Where processes share the house, one of them sends on a channel that allows one connection or counts."""
        if channel.abilities.single_connection or channel.abilities.pace is not None:
            self.pump.shares.leave(channel.name)
        if channel.abilities.pace is not None and not channel.abilities.single_connection:
            self.leases[f"{SENDING}:{channel.name}"] = False
            group.create_task(self.desk.alone(f"{SENDING}:{channel.name}", _for_ever), name=f"sending {channel.name}")

    def _tally(self, owed: Owed, outcome: str) -> None:
        """What became of a try to send is counted, and is a sign of life where it arrived."""
        if outcome in ("sent", "part"):
            self.signs.delivered(owed.channel)
        if outcome != "part":
            self.metrics.message(owed.channel, owed.lane, outcome)

    async def scrape(self) -> bytes:
        """What /metrics tells at this moment."""
        civil = self.civil()
        try:
            found = await self.database.reading(lambda tx: gauges.look(tx, civil))
        except StorageUnavailable:
            found = None
        return self.metrics.told(found, View(self.signs, self.channels, self.leases, civil, self.machine()))

    @contextlib.contextmanager
    def _holding(self, lease: str) -> Iterator[None]:
        """This process alone does something now."""
        first, _, rest = lease.partition(":")
        name = f"{SENDING}:{rest}" if first == SENDING else first
        self.leases[name] = True
        try:
            with self._sending(lease):
                yield
        finally:
            self.leases[name] = False

    @contextlib.contextmanager
    def _sending(self, lease: str) -> Iterator[None]:
        """Send on a channel for as long as this process holds its connection, or the right to send there."""
        first, _, rest = lease.partition(":")
        name = rest if first == SENDING else first
        sends = first == SENDING or (name in self.channels and self.channels[name].abilities.single_connection)
        if not (sends and self.database.shared):
            yield
            return
        self.pump.shares.take_up(name)
        try:
            yield
        finally:
            self.pump.shares.leave(name)

    @contextlib.asynccontextmanager
    async def _ringing(self) -> AsyncIterator[None]:
        scheduler = AsyncIOScheduler(timezone=UTC)
        rope = self.bell.hang(scheduler)
        scheduler.start()
        ringing = asyncio.create_task(self.bell.keep_ringing(rope))
        try:
            yield
        finally:
            ringing.cancel()
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
