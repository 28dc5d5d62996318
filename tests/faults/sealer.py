"""A process that seals for as long as it lives: `python -m tests.faults.sealer URL KEY READY_FILE`."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from bot.clock import Bell
from handlers import sealer
from storage import seals
from storage.open import open_database
from tests.faults.burst import MORNING
from tests.making import make_rules


async def live(url: str, key: bytes, ready: Callable[[], None]) -> None:
    """Ring the one job over and over; in small batches, so that there is always a unit under way."""
    seals.BATCH = 5
    database = await open_database(url, connections=2)
    bell = Bell(database, make_rules(), [sealer(key)], civil=lambda: MORNING, done=lambda: None)
    ready()
    while True:
        await bell.ring_safely()
        await asyncio.sleep(0.001)


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1], bytes.fromhex(sys.argv[2]), Path(sys.argv[3]).touch))
