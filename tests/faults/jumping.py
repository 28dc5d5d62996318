"""A bot whose machine's clock is set: the whole program at a Bot API server, by the time that its clock shows.

`python -m tests.faults.jumping DATABASE API`
"""

from __future__ import annotations

import asyncio
import sys

from bot.app import App, Park
from bot.channels.telegram import Account, TelegramChannel
from bot.program import kits
from storage.open import open_database
from tests import making
from tests.faults.telegram_burst import TOKEN
from texts import Catalogue


async def live(path: str, api: str) -> None:
    """Run until stopped."""
    database = await open_database(f"sqlite:///{path}")
    park = Park(making.make_rules(), Catalogue.load(strict=True))
    channel = TelegramChannel(Account(TOKEN, api), kits(park, {"telegram": None})["telegram"], pace=None)
    await App(park, database, {"telegram": channel}).run()


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1], sys.argv[2]))
