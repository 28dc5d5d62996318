"""A bot to be killed: the whole program at a Bot API server; `python -m tests.faults.telegram_burst DATABASE API`."""

from __future__ import annotations

import asyncio
import sys

from bot.app import App, Park
from bot.channels.telegram import Account, TelegramChannel
from bot.civil import CivilClock
from bot.program import kits
from domain.people import Role
from storage import accounts
from storage.database import Tx
from storage.open import open_database
from tests import making
from tests.making import civil
from texts import Catalogue

TOKEN = "123456:TEST-token"
FIRMS = 50
MATTERS = 10
MORNING = civil("2026-03-11 09:00")


def owner(firm: int) -> int:
    """The Telegram user who speaks for a firm."""
    return 5000 + firm


def liaison(firm: int) -> int:
    """The Telegram user who answers for it."""
    return 6000 + firm


async def people_it(tx: Tx) -> None:
    """Firms with a contact and a liaison each, known to Telegram by their ids."""
    power = await making.make_department(tx, "县供电公司", "power")
    for firm in range(FIRMS):
        contact = await making.make_person(tx, f"企业{firm}", Role.CONTACT, chat=False)
        cadre = await making.make_person(tx, f"干部{firm}", Role.LIAISON, chat=False, department_id=power)
        await making.make_enterprise(tx, f"第{firm}机械有限公司", contact, liaison_id=cadre)
        await accounts.bind_externally(tx, "telegram", str(owner(firm)), contact, by=None, at=MORNING)
        await accounts.bind_externally(tx, "telegram", str(liaison(firm)), cadre, by=None, at=MORNING)


async def live(path: str, api: str) -> None:
    """Run until killed."""
    database = await open_database(f"sqlite:///{path}")
    park = Park(making.make_rules(), Catalogue.load(strict=True))
    channel = TelegramChannel(Account(TOKEN, api), kits(park, {"telegram": None})["telegram"], pace=None)
    clock = CivilClock(lambda: MORNING, MORNING, frozen=True)
    await App(park, database, {"telegram": channel}, civil=clock).run()


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1], sys.argv[2]))
