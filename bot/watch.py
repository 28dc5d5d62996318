"""The round that writes down the channels' signs of life, and has the office told of a channel that shows none."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from bot.channel import Channel
from bot.signs import Signs
from domain.rules import Rules
from handlers import watching
from storage import calendars, pulses
from storage.database import Database, Tx
from storage.errors import StorageUnavailable

_log = logging.getLogger(__name__)

EVERY_SECONDS = 15.0


class Watch:
    """Of this process; what it sees counts for all that share the house, and each silence is told once."""

    def __init__(
        self,
        database: Database,
        rules: Rules,
        channels: Mapping[str, Channel],
        signs: Signs,
        *,
        civil: Callable[[], datetime],
        machine: Callable[[], datetime],
        done: Callable[[], None],
    ) -> None:
        self._database = database
        self._rules = rules
        self._channels = channels
        self._signs = signs
        self._civil = civil
        self._machine = machine
        self._done = done
        self._since: datetime | None = None

    async def run(self) -> None:
        """Look every quarter of a minute until cancelled; trouble is logged and the next look tries again."""
        while True:
            try:
                await self.look()
            except StorageUnavailable as trouble:
                _log.warning("storage cannot work, the watch waits: %s", trouble)
            except Exception:  # noqa: BLE001 - the next look tries again
                _log.exception("the watch stumbled")
            await asyncio.sleep(EVERY_SECONDS)

    async def look(self) -> None:
        """Write down what was seen, and tell what is silent, stuck or back."""
        machine = self._machine()
        self._since = self._since or machine
        listening = [name for name, channel in self._channels.items() if channel.listens]
        sight = watching.Sight(list(self._channels), listening, self._since, machine, self._civil())
        news = self._signs.news()

        async def unit(tx: Tx) -> None:
            tx.on_commit(self._done)
            await pulses.keep(tx, news)
            await watching.look(tx, await calendars.in_force(tx, self._rules), sight)

        await self._database.transaction(unit)
        self._signs.kept(news)
