"""A process that keeps messages until it is killed: `python -m tests.faults.scribe URL ACKS`.

Each line of ACKS is one that was confirmed, written after its commit.
"""

import asyncio
import itertools
import os
import sys
from datetime import UTC, datetime

from storage import inbox
from storage.database import Database, Tx
from storage.open import open_database

AT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
HANDS = 8
PAUSE = 0.03
"""Between two messages of a hand, so that the house does not grow faster than it can be looked at."""


async def write(database: Database, acks: int, hand: int) -> None:
    """One after the other."""
    for number in itertools.count():
        update = f"{os.getpid()}-{hand}-{number}"

        async def unit(tx: Tx, update: str = update) -> None:
            body = {"text": f"第{update}条" * 20}
            await inbox.keep(tx, "memory", "", update, f"chat {hand}", body, AT)

        await database.transaction(unit)
        os.write(acks, f"{update}\n".encode())
        await asyncio.sleep(PAUSE)


async def main(url: str, path: str) -> None:
    """All hands."""
    database = await open_database(url)
    acks = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    await asyncio.gather(*(write(database, acks, hand) for hand in range(HANDS)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
