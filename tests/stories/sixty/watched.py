"""A town whose hours are written down: its program can be stopped, be down for days, and have its clock set."""

from datetime import datetime, timedelta
from typing import Any

from bot.app import App, Park
from bot.channels.memory import MemoryChannel
from bot.civil import CivilClock
from bot.clock import Bell
from domain.rules import Rules
from handlers import chase, duty
from storage.database import Database
from storage.migrations import migrate
from storage.sqlite import SqliteDatabase
from storage.sqlite_connection import MEMORY, connect
from storage.sqlite_writer import Writer, _WriterTx
from storage.units import Job, deliver, drive
from tests.making import civil
from tests.stories.sixty.oracle import Entry, Moment, Released, Stretch
from tests.stories.sixty.park import furnish
from tests.stories.sixty.roster import Roster, read_roster
from tests.stories.town import Said, Town
from texts import Catalogue


class UnthreadedWriter(Writer):
    """The writer of SQLite as it is, but in the caller's thread: sixty days are a hundred thousand transactions."""

    async def start(self) -> None:
        """Open the database here."""
        self._connection = connect(self._path)

    async def run(self, unit: Any, *, reading: bool = False) -> Any:
        """One unit, one transaction; who only reads is given one that cannot be kept."""
        if reading:
            return self._read(unit)
        job = Job(unit, reading, self._loop.create_future())
        deliver(self._loop, self._settle([job]))
        return job.answer.result()

    def _read(self, unit: Any) -> Any:
        connection = self._open_connection()
        connection.execute("BEGIN")
        tx = _WriterTx(connection, True, self._remembered)
        try:
            return drive(unit, tx)
        finally:
            tx.end()
            connection.execute("ROLLBACK")

    async def close(self) -> None:
        """Let go of the file."""
        self._drop_connection()


async def open_unthreaded() -> Database:
    """A database in memory, at the present schema."""
    writer = UnthreadedWriter(MEMORY)
    await writer.start()
    database = SqliteDatabase(writer, None)
    await migrate(database)
    return database


class Machine:
    """The clock of the machine, which anybody may set."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


class WatchedTown(Town):
    """A town that keeps a journal of when its program was awake. Nobody waits for a handler's minute to be over."""

    machine: Machine
    journal: list[Entry]
    roster: Roster
    twice: list[tuple[datetime, datetime]]

    @classmethod
    async def found(cls, rules: Rules, at: str) -> "WatchedTown":
        """The park of sixty days on its first morning."""
        machine, database = Machine(civil(at)), await open_unthreaded()
        await database.transaction(furnish)
        channel = MemoryChannel()
        park = Park(rules, Catalogue.load(strict=True))
        town = cls(_program(park, database, channel, machine), channel)
        town.machine, town.journal, town.twice = machine, [], []
        town.roster = await database.reading(read_roster)
        return town

    @property
    def now(self) -> datetime:
        """Civil time."""
        return self.app.civil()

    # Awake ----------------------------------------------------------------------------------------------------------
    async def answered(self) -> list[Said]:
        """What was said at once."""
        return await self.settle()

    async def settle(self) -> list[Said]:
        """Let the program come to rest, and note that it was awake."""
        said = await super().settle()
        released = {line.facts["number"] for line in said if line.key == "oversight.released"}
        for number in sorted(released):
            self.journal.append(Released(int(number)))
        self.journal.append(Moment(self.now, await self._heard()))
        return said

    async def pass_to(self, moment: datetime) -> None:
        """Let time pass while the program is awake, up to a moment at which somebody does something."""
        self.journal.append(Stretch(self.now, moment))
        while (upcoming := await self.app.bell.upcoming(self.now)) is not None and upcoming <= moment:
            self.app.civil.move_to(upcoming)
            await self.app.settle()
        self.app.civil.move_to(moment)
        await self._listen()

    async def _heard(self) -> int:
        return int((await self.one("SELECT COALESCE(MAX(id), 0) AS id FROM events"))["id"])

    # Troubles -------------------------------------------------------------------------------------------------------
    async def tell_unheard(self, who: str, text: str) -> None:
        """A message is received and not yet handled."""
        body = {"chat": f"private:{who}", "private": True, "sender": who, "sender_name": who, "text": text}
        await self.channel.say(self.app.desk, body)

    async def die_before_sending(self) -> None:
        """The clock rings when it has something to say, and the program dies before anything leaves."""
        upcoming = await self.app.bell.upcoming(self.now)
        if upcoming is not None:
            self.app.civil.move_to(upcoming)
            heard = await self._heard()
            await self.app.bell.ring()
            self.journal.append(Moment(self.now, heard, sends=False))

    def restart(self, down: timedelta) -> None:
        """The program is thrown away; after a while a new one is started on the same database."""
        self.machine.at = self.now + down
        self.app = _program(self.app.park, self.database, self.channel, self.machine)

    def set_clock(self, by: timedelta) -> None:
        """Somebody sets the clock of the machine, ahead or back, while the program runs."""
        before = self.now
        self.machine.at += by
        if self.now < before:
            self.twice.append((self.now, before))


def _program(park: Park, database: Database, channel: MemoryChannel, machine: Machine) -> App:
    app = App(park, database, {"memory": channel}, civil=CivilClock(machine), machine=machine)
    jobs = (*chase.JOBS, *duty.JOBS)  # nothing else is due here
    app.bell = Bell(database, park.rules, jobs, civil=app.civil, done=app.pump.wake)
    return app
