"""A process that dies at a chosen step: at a statement, right after a commit, before or after a message has left."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from bot.app import App, Park
from bot.channel import Abilities, NotKept, Parcel
from bot.channels.memory import MemoryChannel
from bot.civil import CivilClock
from storage.database import NO_PARAMS, Database, Params, Row, Tx
from storage.errors import StorageUnavailable
from tests import making
from tests.bot.posthouse import Clock
from tests.stories.town import LADDERS
from texts import Catalogue

PARK = Park(making.make_rules(ladders=LADDERS), Catalogue.load(strict=True))


class Dead(StorageUnavailable):
    """The process is no more: it can neither read nor write nor send."""


class Fate:
    """Counts the steps of a life; at step `end` it dies, and nothing works any more. Without an end it only counts."""

    def __init__(self, end: int | None = None) -> None:
        self.end = end
        self.steps = 0
        self.dead = False

    def step(self) -> None:
        """One more step is to be done; it may be the last one, and is not done then."""
        self.steps += 1
        self.dead = self.dead or self.steps == self.end
        if self.dead:
            raise Dead


class MortalTx:
    """A Tx each of whose statements is a step."""

    def __init__(self, inner: Tx, fate: Fate) -> None:
        self._inner = inner
        self._fate = fate

    @property
    def engine(self) -> str:
        return self._inner.engine

    async def one(self, sql: str, params: Params = NO_PARAMS) -> Row | None:
        self._fate.step()
        return await self._inner.one(sql, params)

    async def all(self, sql: str, params: Params = NO_PARAMS) -> Sequence[Row]:
        self._fate.step()
        return await self._inner.all(sql, params)

    async def run(self, sql: str, params: Params = NO_PARAMS) -> int:
        self._fate.step()
        return await self._inner.run(sql, params)

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        return self._inner.savepoint()

    def remembered(self) -> dict[Hashable, Any]:
        """Nothing, so that every life takes the same steps."""
        return {}

    def on_commit(self, call: Callable[[], None]) -> None:
        self._inner.on_commit(call)


class MortalDatabase:
    """A Database whose statements and commits are steps; what was committed outlives the process."""

    def __init__(self, inner: Database, fate: Fate) -> None:
        self._inner = inner
        self._fate = fate

    shared = False

    def watch(self, call: Callable[[], None]) -> None:
        """Nobody else is there."""

    async def transaction(self, unit: Callable[[Tx], Awaitable[Any]]) -> Any:
        async def mortal(tx: Tx) -> Any:
            value = await unit(MortalTx(tx, self._fate))
            self._fate.step()  # all is written, nothing committed
            return value

        value = await self._inner.transaction(mortal)
        self._fate.step()  # it is committed, and nobody was told
        return value

    async def reading(self, unit: Callable[[Tx], Awaitable[Any]]) -> Any:
        if self._fate.dead:
            raise Dead
        return await self._inner.reading(unit)

    async def close(self) -> None:
        """The file stays open: it is the next process's."""


class MortalChannel(MemoryChannel):
    """Sending is a step before and a step after the message has left."""

    def __init__(self, fate: Fate, sent: list[Parcel]) -> None:
        super().__init__(Abilities(edits=False))
        self._fate = fate
        self.sent = sent

    async def send(self, parcel: Parcel) -> str:
        """Die before, or leave and die."""
        self._fate.step()
        platform_id = await super().send(parcel)
        self._fate.step()
        return platform_id


class Lives:
    """One house and all the processes that lived in it, one after the other."""

    def __init__(self, database: Database, at: str) -> None:
        self.database = database
        self.sent: list[Parcel] = []
        self.civil = making.civil(at)
        self.machine = Clock(self.civil)

    def app(self, fate: Fate) -> App:
        """A process that starts now."""
        channel = MortalChannel(fate, self.sent)
        clock = CivilClock(self.machine, self.civil, frozen=True)
        return App(PARK, MortalDatabase(self.database, fate), {"memory": channel}, civil=clock, machine=self.machine)

    async def live(self, fate: Fate, bodies: Sequence[Mapping[str, Any]]) -> bool:
        """Messages come in (again, if nobody said they were received) and are worked off; False if it died of it."""
        app = self.app(fate)
        channel = app.channels["memory"]
        assert isinstance(channel, MemoryChannel)
        try:
            for body in bodies:
                await channel.say(app.desk, body)
            await app.settle()
        except (Dead, NotKept):
            while app.pump._flying:
                await app.pump._stir.wait()
                app.pump._stir.clear()
            return False
        return True
