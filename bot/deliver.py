"""The outbox pump: claim, render, send, mark; back off; give up loudly."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.channel import Channel, Document, Key, Parcel, Uncertain, Undeliverable, Unsent
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
SET_ASIDE_AFTER = timedelta(minutes=10)
BACK_OFF = (1.0, 5.0, 15.0, 60.0, 120.0)
RESENT_IF_UNCERTAIN = frozenset({Lane.REPLY, Lane.CASE})

Builder = Callable[[Mapping[str, object]], Awaitable[Document]]


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed row with its words."""

    owed: Owed
    body: Body


class Pump:
    """Delivers what is owed. Order holds within a lane of a chat; a channel that is down is paused whole."""

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
        self._paused: dict[str, datetime] = {}

    def wake(self) -> None:
        """Something is owed."""
        self._stir.set()

    async def run(self) -> None:
        """Deliver until cancelled; looks by itself every second, for rows that wait for their hour or another try."""
        await self.recover(everything=True)
        while True:
            self._stir.clear()
            try:
                await self.recover()
                await self.drain()
            except StorageUnavailable as trouble:
                _log.warning("storage cannot work, messages wait: %s", trouble)
            try:
                await asyncio.wait_for(self._stir.wait(), timeout=1.0)
            except TimeoutError:
                continue

    async def drain(self) -> int:
        """Send everything whose hour has come; how many rows left."""
        left = 0
        while True:
            ready = await self._claim()
            if not ready:
                return left
            await asyncio.gather(*(self._deliver(item) for item in ready if item is not None))
            left += len(ready)

    async def recover(self, *, everything: bool = False) -> None:
        """Rows whose claimer died: whether they arrived is uncertain. At start of a single process that is every such row."""
        machine = self._machine() + (delivery.LEASE if everything else timedelta())
        for owed in await self._database.reading(lambda tx: delivery.abandoned(tx, machine)):
            await self._uncertain(owed, "the process ended while sending")

    async def _claim(self) -> Sequence[Ready | None]:
        machine, civil = self._machine(), self._civil()
        open_channels = [name for name in self._channels if self._paused.get(name, machine) <= machine]

        async def unit(tx: Tx) -> list[Ready | None]:
            return [
                await self._prepare(tx, owed, civil)
                for owed in await delivery.claim(tx, open_channels, civil, machine)
            ]

        return await self._database.transaction(unit)

    async def _prepare(self, tx: Tx, owed: Owed, civil: datetime) -> Ready | None:
        """The row with its words; a row that need not leave any more is marked and falls out."""
        body = await outgoing.prepare(tx, self._rules, self._catalogue, owed, civil)
        if body is None:
            await delivery.mark(tx, owed, "superseded", at=civil)
            return None
        if owed.body is None:
            await delivery.keep_body(tx, owed, body.as_json())
        return Ready(owed, body)

    async def _deliver(self, ready: Ready) -> None:
        owed = ready.owed
        try:
            parcel = await self._parcel(ready)
            async with asyncio.timeout(SEND_TIMEOUT):
                platform_id = await self._channels[owed.channel].send(parcel)
        except Undeliverable as end:
            await self._dead(owed, str(end), unreachable=end.unreachable)
        except Unsent as trouble:
            await self._again(owed, trouble)
        except (Uncertain, TimeoutError) as doubt:
            await self._uncertain(owed, str(doubt) or "no answer in time")
        except StorageUnavailable as trouble:
            await self._again(owed, Unsent(str(trouble)))
        except Exception as bug:  # noqa: BLE001 - a bug in one channel must not stop the others
            _log.exception("message %s could not be sent", owed.id, extra={"outbox": owed.id})
            await self._again(owed, Unsent(type(bug).__name__))
        else:
            civil = self._civil()
            await self._database.transaction(
                lambda tx: delivery.mark(tx, owed, "sent", at=civil, platform_id=platform_id)
            )

    async def _parcel(self, ready: Ready) -> Parcel:
        owed, body = ready.owed, ready.body
        edits = None
        if owed.edits is not None:
            edited = owed.edits
            edits = await self._database.reading(lambda tx: delivery.platform_id_of(tx, edited))
            if edits is None:
                raise Unsent("the message to be changed has not been sent yet")
        return Parcel(
            id=owed.id,
            chat_id=owed.chat_id,
            chat=owed.chat,
            kind=owed.kind,
            text=body.text,
            keys=tuple(tuple(Key(label, data) for label, data in row) for row in body.keys),
            documents=tuple([await self._build(document) for document in body.documents]),
            reply_to=owed.reply_to,
            edits=edits,
            silent=owed.silent,
        )

    async def _dead(self, owed: Owed, cause: str, *, unreachable: bool) -> None:
        civil = self._civil()

        async def unit(tx: Tx) -> None:
            if not await delivery.mark(tx, owed, "dead", at=civil, error=cause):
                return
            if unreachable:
                await delivery.unreachable(tx, owed.chat_id)
            await outgoing.tell_undelivered(tx, self._rules, owed, cause, civil)

        _log.warning("message %s given up: %s", owed.id, cause, extra={"outbox": owed.id})
        await self._database.transaction(unit)

    async def _again(self, owed: Owed, trouble: Unsent) -> None:
        """Wait and try once more; a row that blocked its lane for ten minutes while its channel works is set aside."""
        machine = self._machine()
        wait = trouble.seconds if trouble.seconds is not None else self._back_off(owed)
        if trouble.channel_down:
            self._paused[owed.channel] = machine + timedelta(seconds=wait)
        elif owed.first_tried_at is not None and machine - owed.first_tried_at > SET_ASIDE_AFTER:
            await self._dead(owed, str(trouble), unreachable=False)
            return
        counted = not trouble.channel_down
        retry_at = machine + timedelta(seconds=wait)
        await self._database.transaction(
            lambda tx: delivery.put_back(tx, owed, retry_at, str(trouble), counted=counted)
        )

    def _back_off(self, owed: Owed) -> float:
        base = BACK_OFF[min(owed.attempts, len(BACK_OFF) - 1)]
        return base * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, nothing secret

    async def _uncertain(self, owed: Owed, cause: str) -> None:
        """Perhaps it arrived: what must arrive is sent once more, a broadcast is left for a person to decide."""
        harmless = self._channels[owed.channel].abilities.idempotent if owed.channel in self._channels else False
        if harmless or (Lane(owed.lane) in RESENT_IF_UNCERTAIN and owed.attempts == 0):
            machine = self._machine()
            await self._database.transaction(
                lambda tx: delivery.put_back(tx, owed, machine, cause, counted=not harmless)
            )
            return
        civil = self._civil()
        await self._database.transaction(lambda tx: delivery.mark(tx, owed, "uncertain", at=civil, error=cause))
