"""The outbox pump: claim, render, send, mark; back off; give up loudly."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.channel import Channel, Document, Key, Parcel, Uncertain, Undeliverable, Unsent
from bot.patience import Patience, back_off
from bot.rounds import keep_at_it
from domain.notices import Lane
from domain.rules import Rules
from handlers import outgoing
from handlers.outgoing import Body
from storage import delivery
from storage.database import Database, Tx
from storage.delivery import Owed
from storage.errors import StorageUnavailable
from texts import Catalogue

_log = logging.getLogger(__name__)

SEND_TIMEOUT = 25.0
STOP_GRACE = 5.0
MOST_IN_FLIGHT = 64
MOST_BROKEN = 5
RESENT_IF_UNCERTAIN = frozenset({Lane.REPLY, Lane.CASE})

Builder = Callable[[Mapping[str, object]], Awaitable[Document]]
Unit = Callable[[Tx], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed row with its words."""

    owed: Owed
    body: Body


class Pump:
    """Delivers what is owed, so many messages at a time. Order holds within a lane of a chat.

    An outcome that cannot be recorded because storage fails is remembered and recorded later, so that what has arrived
    is not sent again.
    """

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
    ) -> None:
        self._database = database
        self._rules = rules
        self._catalogue = catalogue
        self._channels = channels
        self._build = build
        self._civil = civil
        self._machine = machine
        self._stir = asyncio.Event()
        self._patience = Patience()
        self._started = True
        self._flying: dict[int, asyncio.Task[None]] = {}
        self._unrecorded: dict[int, Unit] = {}
        self._trouble: StorageUnavailable | None = None

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
            elif not new:
                return taken

    async def _land(self) -> None:
        if self._flying:
            _, late = await asyncio.wait(self._flying.values(), timeout=STOP_GRACE)
            for task in late:
                task.cancel()

    # Which rows leave --------------------------------------------------------------------------------------------
    async def _launch(self) -> int:
        """Put up to 64 rows in flight, and see to those whose claimer is gone; how many rows that were."""
        if self._trouble is not None:
            trouble, self._trouble = self._trouble, None
            raise trouble
        await self._record_at_last()
        rows, lost = await self._look()
        for owed in lost:
            await self._doubt(owed, "the process ended while sending")
        for row_id, probed in rows.items():
            if probed is not None:
                self._patience.probe(probed, self._machine())
            self._flying[row_id] = asyncio.create_task(self._fly(row_id, probed))
        return len(rows) + len(lost)

    async def _look(self) -> tuple[Mapping[int, str | None], Sequence[Owed]]:
        """The rows that may leave, each with the channel it probes, if it does; and those whose claimer is gone."""
        civil, machine, most = self._civil(), self._machine(), MOST_IN_FLIGHT - len(self._flying)
        sound = self._patience.sound(self._channels)
        probed = self._patience.to_probe(self._channels, machine)
        started = self._started

        async def unit(tx: Tx) -> tuple[dict[int, str | None], Sequence[Owed]]:
            rows: dict[int, str | None] = dict.fromkeys(await delivery.heads(tx, sound, civil, machine, most))
            for channel in probed:
                rows |= dict.fromkeys(await delivery.heads(tx, [channel], civil, machine, 1), channel)
            return rows, await delivery.abandoned(tx, machine, started=started)

        rows, lost = await self._database.reading(unit)
        self._started = False
        ours = self._flying.keys() | self._unrecorded.keys()
        return {row: rows[row] for row in rows if row not in ours}, [owed for owed in lost if owed.id not in ours]

    async def _fly(self, row_id: int, probed: str | None) -> None:
        """One row from claim to outcome."""
        try:
            ready = await self._claim(row_id)
            parcel = await self._pack(ready) if ready else None
            if ready and parcel:
                await self._send(ready.owed, parcel)
            elif probed is not None:
                self._patience.probe_fell_out(probed, self._machine())
        except StorageUnavailable as trouble:
            self._trouble = trouble
        except Exception:  # noqa: BLE001 - the row's lease runs out, and it is taken up again
            _log.exception("message %s was dropped in flight", row_id, extra={"outbox": row_id})
        finally:
            del self._flying[row_id]
            self._stir.set()

    # From a row to a parcel --------------------------------------------------------------------------------------
    async def _claim(self, row_id: int) -> Ready | None:
        """The row with its words, in one transaction; one that need not leave any more is marked and falls out."""
        civil, machine = self._civil(), self._machine()

        async def unit(tx: Tx) -> Ready | None:
            owed = await delivery.claim(tx, row_id, machine)
            if owed is None:
                return None
            body = await outgoing.prepare(tx, self._rules, self._catalogue, owed, civil)
            if isinstance(body, outgoing.Dropped):
                await delivery.mark(tx, owed, "superseded", at=civil, error=body.reason)
                return None
            if owed.body is None:
                await delivery.keep_body(tx, owed, body.as_json())
            return Ready(owed, body)

        try:
            return await self._database.transaction(unit)
        except StorageUnavailable:
            raise
        except Exception as bug:  # noqa: BLE001 - a row that cannot be put into words must not stop the others
            _log.exception("message %s has no words", row_id, extra={"outbox": row_id})
            owed = await self._database.transaction(lambda tx: delivery.claim(tx, row_id, machine))
            if owed is not None:
                await self._broken(owed, type(bug).__name__)
            return None

    async def _pack(self, ready: Ready) -> Parcel | None:
        """The parcel with its documents; None where they cannot be had, or took so long that the row was lost."""
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
        if documents and not await self._database.transaction(lambda tx: delivery.renew(tx, owed, machine)):
            return None
        return _parcel(ready, documents)

    # What becomes of it ------------------------------------------------------------------------------------------
    async def _send(self, owed: Owed, parcel: Parcel) -> None:
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                platform_id = await self._channels[owed.channel].send(parcel)
        except Undeliverable as end:
            self._patience.up(owed.channel)
            await self._dead(owed, str(end), unreachable=end.unreachable)
        except Unsent as trouble:
            await self._again(owed, trouble)
        except StorageUnavailable as trouble:  # the web chat's posts are rows too
            await self._again(owed, Unsent(str(trouble), channel_down=True))
        except (Uncertain, TimeoutError) as doubt:
            self._patience.doubtful(owed.channel, self._machine())
            await self._doubt(owed, str(doubt) or "no answer in time")
        except Exception as bug:  # noqa: BLE001 - a bug in one channel must not stop the others
            _log.exception("message %s: the channel failed", owed.id, extra={"outbox": owed.id})
            await self._doubt(owed, type(bug).__name__)
        else:
            self._patience.delivered(owed, self._machine())
            await self._sent(owed, platform_id)

    async def _sent(self, owed: Owed, platform_id: str) -> None:
        civil = self._civil()
        await self._record(owed, lambda tx: delivery.mark(tx, owed, "sent", at=civil, platform_id=platform_id))

    async def _again(self, owed: Owed, trouble: Unsent) -> None:
        """Wait and try once more; an answer to a press is tried once only, for its presser has moved on."""
        machine = self._machine()
        if trouble.channel_down:
            self._patience.down(owed.channel, machine, trouble.seconds)
        else:
            self._patience.up(owed.channel)
        if owed.kind == "answer" or (not trouble.channel_down and self._patience.exhausted(owed, machine)):
            await self._dead(owed, str(trouble))
            return
        wait = timedelta() if trouble.channel_down else back_off(owed.attempts, trouble.seconds)
        asked = not trouble.channel_down and trouble.seconds is not None

        async def unit(tx: Tx) -> None:
            await delivery.put_back(tx, owed, machine + wait, str(trouble), counted=not trouble.channel_down)
            if asked:
                await delivery.hold(tx, owed.chat_id, machine + wait)

        await self._record(owed, unit)

    async def _broken(self, owed: Owed, cause: str) -> None:
        """A bug of ours before anything left: a few more tries, as the next may find things mended, then set aside."""
        if owed.attempts + 1 >= MOST_BROKEN:
            await self._dead(owed, cause)
            return
        retry_at = self._machine() + back_off(owed.attempts)
        await self._record(owed, lambda tx: delivery.put_back(tx, owed, retry_at, cause))

    async def _doubt(self, owed: Owed, cause: str) -> None:
        """Perhaps it arrived: what must arrive is sent once more, a broadcast is left for a person to decide."""
        channel = self._channels.get(owed.channel)
        if owed.kind == "edit" or (channel is not None and channel.abilities.idempotent):
            retry_at = self._machine() + back_off(owed.attempts)
            await self._record(owed, lambda tx: delivery.put_back(tx, owed, retry_at, cause))
        elif owed.kind == "send" and Lane(owed.lane) in RESENT_IF_UNCERTAIN and not owed.doubts:
            retry_at = self._machine()
            await self._record(owed, lambda tx: delivery.put_back(tx, owed, retry_at, cause, doubt=True))
        else:
            _log.warning("message %s may not have arrived: %s", owed.id, cause, extra={"outbox": owed.id})
            civil = self._civil()
            await self._record(owed, lambda tx: delivery.mark(tx, owed, "uncertain", at=civil, error=cause))

    async def _dead(self, owed: Owed, cause: str, *, unreachable: bool = False) -> None:
        """Given up: the next leg carries it, or who can call hears so; an edit or an answer is missed by nobody."""
        civil = self._civil()

        async def unit(tx: Tx) -> None:
            if not await delivery.mark(tx, owed, "dead", at=civil, error=cause) or owed.kind != "send":
                return
            if unreachable:
                await delivery.unreachable(tx, owed.chat_id)
            await outgoing.tell_undelivered(tx, self._rules, owed, cause, civil)

        _log.warning("message %s given up: %s", owed.id, cause, extra={"outbox": owed.id})
        await self._record(owed, unit)

    async def _record(self, owed: Owed, unit: Unit) -> None:
        """Write an outcome; while storage cannot, remember it."""
        try:
            await self._database.transaction(unit)
        except StorageUnavailable as trouble:
            self._unrecorded[owed.id] = unit
            self._trouble = trouble

    async def _record_at_last(self) -> None:
        for row_id, unit in list(self._unrecorded.items()):
            try:
                await self._database.transaction(unit)
            except StorageUnavailable:
                raise
            except Exception:  # noqa: BLE001 - the row's lease runs out, and it is taken up again
                _log.exception("the outcome of message %s cannot be recorded", row_id, extra={"outbox": row_id})
            self._unrecorded.pop(row_id, None)


def _parcel(ready: Ready, documents: tuple[Document, ...]) -> Parcel:
    owed, body = ready.owed, ready.body
    return Parcel(
        id=owed.id,
        chat_id=owed.chat_id,
        chat=owed.chat,
        kind=owed.kind,
        text=body.text,
        keys=tuple(tuple(Key(label, data) for label, data in row) for row in body.keys),
        documents=documents,
        reply_to=owed.reply_to,
        edits=owed.target,
        silent=owed.silent,
    )
