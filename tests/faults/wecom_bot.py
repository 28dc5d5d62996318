"""A bot to be killed or frozen: the whole program; `python -m tests.faults.wecom_bot DATABASE URL`.

With a third argument every span of a lease is that part of what it is in earnest.
"""

from __future__ import annotations

import asyncio
import sys

from bot import leasing
from bot.app import App, Park
from bot.channels.wecom_aibot import WecomAibotChannel
from bot.channels.wecom_aibot.connection import Account
from bot.civil import CivilClock
from bot.program import kits
from domain.people import Role
from storage import accounts
from storage.database import Tx
from storage.open import open_database
from tests import making
from tests.making import civil
from texts import Catalogue

CHANNEL = "wecom_aibot"
BOT, SECRET = "aib-TEST", "a-secret-of-the-bot"
OWNER, LIAISON = "ZhangJG", "WangMin"
MORNING = civil("2026-03-11 09:00")


async def people_it(tx: Tx) -> None:
    """One firm with a contact and a liaison, known to WeCom by their userids; both have written to the bot before."""
    contact = await making.make_person(tx, "张建国", Role.CONTACT, chat=False)
    cadre = await making.make_person(tx, "王敏", Role.LIAISON, chat=False)
    await making.make_enterprise(tx, "宏达机械有限公司", contact, liaison_id=cadre)
    await accounts.bind_externally(tx, CHANNEL, OWNER, contact, by=None, at=MORNING)
    await accounts.bind_externally(tx, CHANNEL, LIAISON, cadre, by=None, at=MORNING)
    await tx.run("UPDATE chats SET reachable = 1 WHERE channel = :channel", {"channel": CHANNEL})


def hasten(part: float) -> None:
    """Let leases run out sooner."""
    for name in ("LEASE_SECONDS", "RENEW_SECONDS", "LOOK_SECONDS", "STOP_SECONDS"):
        setattr(leasing, name, getattr(leasing, name) * part)


async def live(path: str, url: str) -> None:
    """Run until killed."""
    database = await open_database(f"sqlite:///{path}")
    park = Park(making.make_rules(), Catalogue.load(strict=True))
    account = Account(BOT, SECRET, "小联", url)
    channel = WecomAibotChannel(account, kits(park, {CHANNEL: None})[CHANNEL], pace=None)
    clock = CivilClock(lambda: MORNING, MORNING, frozen=True)
    await App(park, database, {CHANNEL: channel}, civil=clock).run()


if __name__ == "__main__":
    hasten(float(sys.argv[3]) if len(sys.argv) > 3 else 1.0)
    asyncio.run(live(sys.argv[1], sys.argv[2]))
