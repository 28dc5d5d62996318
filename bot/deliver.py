"""The outbox pump: claim, render, send, mark; back off; give up loudly."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.channel import Channel, Document, Moved, Parcel, Uncertain, Undeliverable, Unsent
from bot.outcomes import Outcomes, Unit
from bot.pacing import Pacer
from bot.parcels import Part, Ready, Start, next_part, parcel_of
from bot.patience import RISKS, Patience, back_off, may_risk
from bot.rounds import keep_at_it, stir_after
from bot.shares import Shares
from domain.rules import Rules
from handlers import outgoing
from handlers.outgoing import Body
from storage import calendars, chats, delivery
from storage.database import Database, Row, Tx
from storage.delivery import Owed
from storage.errors import StorageUnavailable
from storage.values import from_ms
from texts import Catalogue

_log = logging.getLogger(__name__)

SEND_TIMEOUT = 25.0
LANDING = timedelta(seconds=2)
"""How long after its claim a message of an earlier process is taken to have arrived."""
STOP_GRACE = 5.0
MOST_IN_FLIGHT = 64
MOST_BROKEN = 5
MOST_DEATHS = 5
"""So often a message is sent again that was under way when the process died; it may be what it dies of."""
UPLOAD_RATE = 200_000
"""Bytes a second that an upload must at least make; a slow one gets its time, a dead one is given up."""
RENEW_SECONDS = 20.0
OLD_CLAIM = timedelta(seconds=5)
MEMORY = timedelta(seconds=60)
MOST_REMEMBERED = 3000

Builder = Callable[[Mapping[str, object]], Awaitable[Document]]
Tally = Callable[[Owed, str], None]


class Pump:
    """Delivers what is owed, so many messages at a time. Order holds within a lane of a chat."""

    def __init__(
        self,
        database: Database,
        rules: Rules,
        catalogue: Catalogue,
        channels: Mapping[str, Channel],
        build: Builder,
        *,
        civil: Callable[[], datetime],
        machine: Callable[[], datetime],
        tally: Tally = lambda _, __: None,
    ) -> None:
        """`tally` hears what became of a try: sent, part, failed, uncertain, retried."""
        self._database = database
        self._tally = tally
        self._rules = rules
        self._catalogue = catalogue
        self._channels = channels
        self._build = build
        self._civil = civil
        self._machine = machine
        self._stir = asyncio.Event()
        self._patience = Patience()
        paces = {name: channel.abilities.pace for name, channel in channels.items()}
        self._pacer = Pacer({name: pace for name, pace in paces.items() if pace is not None})
        self._rests: dict[int, datetime] = {}
        self._busy: set[int] = set()
        self.shares = Shares(channels, self.wake)
        self._here: dict[str, datetime] = {}  # when this process last looked for what it may send on a channel
        self._flying: dict[int, asyncio.Task[None]] = {}
        self._outcomes = Outcomes(database)

    def wake(self) -> None:
        """Something is owed."""
        self._stir.set()

    async def run(self) -> None:
        """Deliver until cancelled; what is in flight then may land, so that a stop sends nothing twice."""
        try:
            await keep_at_it("pump", self._stir, self._launch)
        finally:
            await self._land()

    async def drain(self) -> int:
        """Send everything whose hour has come; how many rows were taken up."""
        taken = 0
        while True:
            self._stir.clear()
            new = await self._launch()
            taken += new
            if self._flying:
                await self._stir.wait()
            elif not new and not self._stir.is_set():
                return taken

    async def _land(self) -> None:
        if self._flying:
            _, late = await asyncio.wait(self._flying.values(), timeout=STOP_GRACE)
            for task in late:
                task.cancel()

    # Which rows leave --------------------------------------------------------------------------------------------
    async def _launch(self) -> int:
        """Put up to 64 rows in flight, and see to those whose claimer is gone; how many rows that were."""
        await self._outcomes.record_at_last()
        rows, lost = await self._look()
        for owed in lost:
            await self._doubt(owed, "the process ended while sending", most=MOST_DEATHS)
        for row_id, start in rows.items():
            self._start(row_id, start)
        if (opens := self._pacer.opens(machine := self._machine())) is not None:
            self._stir_in(opens - machine)
        return len(rows) + len(lost)

    def _start(self, row_id: int, start: Start) -> None:
        """Let a row go its way; where somebody counts, a chat has one message under way at a time."""
        if start.chat_id in self._busy:
            return
        if self._pacer.paced(start.channel):
            self._busy.add(start.chat_id)
        if start.probe:
            self._patience.probe(start.channel, start.chat_id, self._machine())
        self._pacer.begin(start.channel)
        self._flying[row_id] = asyncio.create_task(self._fly(row_id, start))

    async def _look(self) -> tuple[Mapping[int, Start], Sequence[Owed]]:
        """The rows that may leave, as many as every channel has room for, and those whose claimer is gone."""
        civil, machine, most = self._civil(), self._machine(), MOST_IN_FLIGHT - len(self._flying)
        mine = [name for name in self.shares.mine() if self._channels[name].here]
        rooms = {name: self._pacer.room(name, machine, most) for name in self._patience.sound(mine)}
        probed = {name: self._patience.probed(name) for name in self._patience.to_probe(mine, machine)}
        started, busy = self.shares.fresh, frozenset(self._busy)

        async def unit(tx: Tx) -> tuple[dict[int, Start], Sequence[Owed]]:
            if started:
                self._recall(await delivery.left_since(tx, machine - self._pacer.memory, MOST_REMEMBERED))
            rows: dict[int, Start] = {}
            for name, room in rooms.items():
                few = min(room, most - len(rows))
                found = await delivery.heads(tx, [name], civil, machine, few, busy) if few > 0 else ()
                rows |= {row: Start(name, chat) for row, chat in found}
            for name, before in probed.items():
                tried = await delivery.heads(tx, [name], civil, machine, 1, busy | before)
                tried = tried or await delivery.heads(tx, [name], civil, machine, 1, busy)
                rows |= {row: Start(name, chat, probe=True) for row, chat in tried}
            return rows, await delivery.abandoned(tx, machine, started=started)

        rows, lost = await self._database.reading(unit)
        self.shares.fresh = False
        self._here |= dict.fromkeys(mine, machine)
        ours = self._flying.keys() | self._outcomes.unrecorded
        return {row: rows[row] for row in rows if row not in ours}, [owed for owed in lost if owed.id not in ours]

    def _recall(self, left: Sequence[Row]) -> None:
        """What another process sent counts as well; of its own sending this one knows more than rows do."""
        for row in left:
            begun, channel = from_ms(row["first_tried_at"]), row["channel"]
            if channel not in self._here or begun > self._here[channel]:
                self._pacer.remember(channel, row["chat_id"], begun + LANDING, private=bool(row["private"]))

    def _stir_in(self, time: timedelta) -> None:
        asyncio.get_running_loop().call_later(max(time.total_seconds(), 0.0), self._stir.set)

    async def _fly(self, row_id: int, start: Start) -> None:
        """One row from claim to outcome."""
        begun, ours = self._machine(), True
        try:
            ready, ours = await self._claim(row_id)
            part = await self._pack(ready, begun) if ready else None
            if ready and part:
                await self._send(ready.owed, part)
            elif start.probe:
                self._patience.probe_fell_out(start.channel, self._machine())
        except StorageUnavailable as trouble:
            self._outcomes.trouble = trouble
        except Exception:  # noqa: BLE001 - the row's lease runs out, and it is taken up again
            _log.exception("message %s was dropped in flight", row_id, extra={"outbox": row_id})
        finally:
            self._pacer.end(start.channel)
            self._busy.discard(start.chat_id)
            del self._flying[row_id]
            stir_after(self._stir, ours=ours)

    # From a row to a parcel --------------------------------------------------------------------------------------
    async def _claim(self, row_id: int) -> tuple[Ready | None, bool]:
        """The row with its words, unless it is marked as one that need not leave, and whether it could be taken."""
        civil, machine = self._civil(), self._machine()

        async def unit(tx: Tx) -> tuple[Ready | None, bool]:
            owed = await delivery.claim(tx, row_id, machine)
            if owed is None:
                return None, False
            body = await self._worded(tx, owed, civil)
            if isinstance(body, outgoing.Dropped):
                await delivery.mark(tx, owed, "superseded", at=civil, error=body.reason)
                return None, True
            if owed.body is None:
                await delivery.keep_body(tx, owed, body.as_json())
            return Ready(owed, body), True

        try:
            return await self._database.transaction(unit)
        except StorageUnavailable:
            raise
        except Exception as bug:  # noqa: BLE001 - a row that cannot be put into words must not stop the others
            _log.exception("message %s has no words", row_id, extra={"outbox": row_id})
            owed = await self._database.transaction(lambda tx: delivery.claim(tx, row_id, machine))
            if owed is not None:
                await self._broken(owed, type(bug).__name__)
            return None, True

    async def _worded(self, tx: Tx, owed: Owed, civil: datetime) -> Body | outgoing.Dropped:
        channel = self._channels[owed.channel]
        can_edit = channel.abilities.edits and channel.may_edit(owed.target)
        if (owed.kind == "edit" and not can_edit) or (owed.kind == "menu" and not channel.abilities.menus):
            return outgoing.Dropped("nothing that this channel can do")
        rules = await calendars.in_force(tx, self._rules)
        return await outgoing.prepare(tx, rules, self._catalogue, owed, civil)

    async def _pack(self, ready: Ready, begun: datetime) -> Part | None:
        """The next part, with its documents; None where they cannot be had, or the row was lost meanwhile: building
        took long, or the process was frozen since `begun`.
        """
        owed = ready.owed
        try:
            documents = tuple([await self._build(document) for document in ready.body.documents])
        except StorageUnavailable:
            raise
        except Undeliverable as gone:
            await self._dead(owed, str(gone))
            return None
        except Exception as bug:  # noqa: BLE001 - a report that cannot be built must not stop the others
            _log.exception("the documents of message %s cannot be built", owed.id, extra={"outbox": owed.id})
            await self._broken(owed, type(bug).__name__)
            return None
        machine = self._machine()
        old = machine - begun > OLD_CLAIM
        if (documents or old) and not await self._database.transaction(lambda tx: delivery.renew(tx, owed, machine)):
            return None
        return next_part(owed, self._channels[owed.channel].parts(parcel_of(ready, documents)))

    # What becomes of it ------------------------------------------------------------------------------------------
    async def _send(self, owed: Owed, part: Part) -> None:
        try:
            platform_id = await self._carry(owed, part.parcel)
        except Undeliverable as end:
            self._patience.up(owed.channel, self._machine())
            await self._dead(owed, str(end), unreachable=end.unreachable)
        except Unsent as trouble:
            await self._again(owed, trouble)
        except Moved as moved:
            await self._follow(owed, moved.chat)
        except StorageUnavailable as trouble:  # the web chat's posts are rows too
            await self._again(owed, Unsent(str(trouble), channel_down=True))
        except (Uncertain, TimeoutError) as doubt:
            self._patience.doubtful(owed.channel, self._machine())
            harmless = isinstance(doubt, Uncertain) and doubt.harmless
            await self._doubt(owed, str(doubt) or "no answer in time", harmless=harmless)
        except Exception as bug:  # noqa: BLE001 - a bug in one channel must not stop the others
            _log.exception("message %s: the channel failed", owed.id, extra={"outbox": owed.id})
            await self._doubt(owed, type(bug).__name__)
        else:
            self._patience.delivered(owed, self._machine())
            self._tally(owed, "sent" if part.last else "part")
            await self._arrived(owed, part, platform_id)

    async def _carry(self, owed: Owed, parcel: Parcel) -> str:
        """Let the channel send it; the claim is kept for as long as an upload makes headway."""
        size = sum(len(document.content) for document in parcel.documents)
        keeping = asyncio.create_task(self._keep_claim(owed)) if size else None
        try:
            async with asyncio.timeout(SEND_TIMEOUT + size / UPLOAD_RATE):
                return await self._channels[owed.channel].send(parcel)
        finally:
            if keeping is not None:
                keeping.cancel()
            machine = self._machine()
            if (rest := self._pacer.landed(owed.channel, owed.chat_id, machine, private=owed.private)) is not None:
                self._rests[owed.id] = rest
                self._stir_in(rest - machine)

    async def _keep_claim(self, owed: Owed) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            machine = self._machine()
            await self._database.transaction(lambda tx, machine=machine: delivery.renew(tx, owed, machine))  # type: ignore[misc]  # mypy cannot type a lambda with a default

    async def _arrived(self, owed: Owed, part: Part, platform_id: str) -> None:
        """One part more; after the last the row is sent."""
        civil = self._civil()

        async def unit(tx: Tx) -> None:
            if not part.last:
                await delivery.part_arrived(tx, owed, platform_id, bears_keys=part.bears_keys)
                return
            told = platform_id if part.bears_keys else None
            if await delivery.mark(tx, owed, "sent", at=civil, platform_id=told) and told is None:
                await delivery.note_part(tx, owed, platform_id)

        await self._record(owed, unit)

    async def _follow(self, owed: Owed, chat: str) -> None:
        """The chat has moved: in one transaction all that is known of it moves along, and the row is to leave again."""
        civil, machine = self._civil(), self._machine()

        async def unit(tx: Tx) -> None:
            await chats.move(tx, owed.channel, owed.chat, chat, civil)
            await delivery.put_back(tx, owed, machine, "the chat has moved", counted=False)

        await self._record(owed, unit)

    async def _again(self, owed: Owed, trouble: Unsent) -> None:
        """Wait and try once more; an answer to a press is tried once only, for its presser has moved on."""
        machine = self._machine()
        down = trouble.channel_down and (trouble.seconds is not None or not self._patience.alone(owed))
        if down:
            self._patience.down(owed.channel, machine, trouble.seconds)
        else:
            self._patience.up(owed.channel, machine)
        if owed.kind == "answer" or (not down and self._patience.exhausted(owed, machine)):
            await self._dead(owed, str(trouble))
            return
        self._tally(owed, "retried")
        wait = timedelta() if down else back_off(owed.attempts, trouble.seconds)
        asked = not down and trouble.seconds is not None

        async def unit(tx: Tx) -> None:
            await delivery.put_back(tx, owed, machine + wait, str(trouble), counted=not down)

        await self._record(owed, unit, hold=machine + wait if asked else None)

    async def _broken(self, owed: Owed, cause: str) -> None:
        """A bug of ours before anything left: a few more tries, as the next may find things mended, then set aside."""
        if owed.attempts + 1 >= MOST_BROKEN:
            await self._dead(owed, cause)
            return
        retry_at = self._machine() + back_off(owed.attempts)
        await self._record(owed, lambda tx: delivery.put_back(tx, owed, retry_at, cause))

    async def _doubt(self, owed: Owed, cause: str, most: int = RISKS, *, harmless: bool = False) -> None:
        """Perhaps it arrived: sent again where nobody sees that twice, or losing it is worse; else people hear."""
        channel, machine = self._channels.get(owed.channel), self._machine()
        if self._patience.harmless(owed, machine, channel.abilities if channel else None, harmless=harmless):
            retry_at = machine + back_off(owed.attempts)
            await self._record(owed, lambda tx: delivery.put_back(tx, owed, retry_at, cause, doubt=harmless))
        elif may_risk(owed, most):
            await self._record(owed, lambda tx: delivery.put_back(tx, owed, machine, cause, doubt=True))
        else:
            await self._left_open(owed, cause)

    async def _left_open(self, owed: Owed, cause: str) -> None:
        """Nobody will know whether it arrived: whoever can look after it hears so."""
        civil = self._civil()

        async def unit(tx: Tx) -> None:
            if await delivery.mark(tx, owed, "uncertain", at=civil, error=cause):
                await outgoing.tell_doubtful(tx, await calendars.in_force(tx, self._rules), owed, civil)

        _log.warning("message %s may not have arrived: %s", owed.id, cause, extra={"outbox": owed.id})
        self._tally(owed, "uncertain")
        await self._record(owed, unit)

    async def _dead(self, owed: Owed, cause: str, *, unreachable: bool = False) -> None:
        """Given up: the next leg carries it, or who can call hears so; an edit or an answer is missed by nobody."""
        civil = self._civil()

        async def unit(tx: Tx) -> None:
            if not await delivery.mark(tx, owed, "dead", at=civil, error=cause) or owed.kind != "send":
                return
            if unreachable:
                await delivery.unreachable(tx, owed.chat_id)
            rules = await calendars.in_force(tx, self._rules)
            await outgoing.tell_undelivered(tx, rules, owed, cause, civil)

        self._tally(owed, "failed")
        _log.warning("message %s given up: %s", owed.id, cause, extra={"outbox": owed.id})
        await self._record(owed, unit)

    async def _record(self, owed: Owed, unit: Unit, hold: datetime | None = None) -> None:
        """Write an outcome, and until when its chat rests."""
        waits = (self._rests.pop(owed.id, None), hold)
        until = max((moment for moment in waits if moment is not None), default=None)

        async def whole(tx: Tx) -> None:
            await unit(tx)
            if until is not None:
                await delivery.hold(tx, owed.chat_id, until)

        await self._outcomes.record(owed.id, whole)
