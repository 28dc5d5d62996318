"""What became of messages: an outcome that storage cannot take now is remembered, so that what has arrived is not sent
again.
"""

import logging
from collections.abc import Awaitable, Callable, KeysView

from storage.database import Database, Tx
from storage.errors import StorageUnavailable

_log = logging.getLogger(__name__)

Unit = Callable[[Tx], Awaitable[object]]


class Outcomes:
    """Outcomes by the id of their row. `trouble` is what storage failed with last, to be met before more is sent."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[int, Unit] = {}
        self.trouble: StorageUnavailable | None = None

    @property
    def unrecorded(self) -> KeysView[int]:
        """The rows whose outcome is known here only."""
        return self._kept.keys()

    async def record(self, row_id: int, unit: Unit) -> None:
        """Write an outcome, or remember it."""
        try:
            await self._database.transaction(unit)
        except StorageUnavailable as trouble:
            self._kept[row_id] = unit
            self.trouble = trouble

    async def record_at_last(self) -> None:
        """Write what is remembered.

        Raises:
            StorageUnavailable: storage has failed since, or fails still.

        """
        if self.trouble is not None:
            trouble, self.trouble = self.trouble, None
            raise trouble
        for row_id, unit in list(self._kept.items()):
            try:
                await self._database.transaction(unit)
            except StorageUnavailable:
                raise
            except Exception:  # noqa: BLE001 - the row's lease runs out, and it is taken up again
                _log.exception("the outcome of message %s cannot be recorded", row_id, extra={"outbox": row_id})
            self._kept.pop(row_id, None)
