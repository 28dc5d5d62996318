"""The loop of those who work when they are stirred, and look by themselves every second."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from storage.errors import StorageUnavailable

_log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
ELSEWHERE_SECONDS = 0.05
"""How soon to look again at what another process had in hand."""


async def keep_at_it(name: str, stir: asyncio.Event, work: Callable[[], Awaitable[object]]) -> None:
    """Work until cancelled: at once when stirred, else after a second, for what waits for its time or another try.

    While storage cannot work, and after a bug, a second passes before the next try.
    """
    while True:
        stir.clear()
        try:
            await work()
        except StorageUnavailable as trouble:
            _log.warning("storage cannot work, the %s waits: %s", name, trouble)
            stir.clear()
        except Exception:  # noqa: BLE001 - what one round stumbles over must not end the program
            _log.exception("the %s stumbled", name)
            stir.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EVERY_SECONDS):
                await stir.wait()


def stir_after(stir: asyncio.Event, *, ours: bool) -> None:
    """Something has ended: look for more, at once where it was done here, a moment later where it is done elsewhere."""
    if ours:
        stir.set()
    else:
        asyncio.get_running_loop().call_later(ELSEWHERE_SECONDS, stir.set)
