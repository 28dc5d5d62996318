"""The whole program behind its Telegram channel, for benchmarks: a fresh durable database, everybody known, no pacing.

`python -m benchmarks._lianqi_bot http://127.0.0.1:1234 FOLDER --firms 64`. The first line on stdout is the processor
time in seconds that went into starting. With --profile it writes loop.prof and writer.prof into FOLDER when stopped.
"""

import argparse
import asyncio
import contextlib
import signal
from datetime import datetime
from pathlib import Path

from benchmarks._crowd import FIRST_PERSON
from benchmarks._process import say_ready
from benchmarks._profile import Profiles
from benchmarks._telegram_channel import make_channel
from benchmarks.messages import rules
from bot.app import App, Park, machine_time
from bot.civil import CivilClock
from domain.people import Role
from storage.database import Tx
from storage.open import open_database
from texts import Catalogue

FIRST_LIAISON = 2 * FIRST_PERSON
MORNING = datetime.fromisoformat("2026-03-10T10:00:00+08:00")
"""A working day on which no digest and no deadline falls into the run."""


async def people(tx: Tx, firms: int) -> None:
    """So many firms, each with a contact and a liaison who have both spoken to the bot before."""
    for number in range(firms):
        contact = await _person(tx, f"企业{number + 1}", Role.CONTACT, FIRST_PERSON + number)
        liaison = await _person(tx, f"干部{number + 1}", Role.LIAISON, FIRST_LIAISON + number)
        firm = {"id": number + 1, "name": f"第{number + 1}机械", "liaison": liaison}
        await tx.run(
            "INSERT INTO enterprises(id, name, short_name, liaison_id) VALUES (:id, :name, :name, :liaison)", firm
        )
        await tx.run("INSERT INTO contacts VALUES (:firm, :person)", {"firm": number + 1, "person": contact})


async def _person(tx: Tx, name: str, role: Role, user: int) -> int:
    row = await tx.one("INSERT INTO people(name) VALUES (:name) RETURNING id", {"name": name})
    assert row is not None
    one = {"id": row["id"], "name": name, "role": role.value, "user": str(user)}
    await tx.run("INSERT INTO person_roles VALUES (:id, :role)", one)
    await tx.run(
        "INSERT INTO accounts(channel, external_id, name, person_id) VALUES ('telegram', :user, :name, :id)", one
    )
    await tx.run(
        """INSERT INTO chats(channel, external_id, private, account_id)
           SELECT channel, external_id, 1, id FROM accounts WHERE channel = 'telegram' AND external_id = :user""",
        one,
    )
    return int(row["id"])


async def run(address: str, folder: Path, firms: int) -> None:
    """Run until stopped."""
    database = await open_database(f"sqlite:///{folder / 'lianqi.db'}")
    await database.transaction(lambda tx: people(tx, firms))
    channels = {"telegram": make_channel(address, pace=None)}
    app = App(Park(rules(), Catalogue.load()), database, channels, civil=CivilClock(machine_time, MORNING))
    running = asyncio.create_task(app.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    say_ready()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await database.close()


def main() -> None:
    """Run, measured from inside where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", help="of the Bot API")
    parser.add_argument("folder", type=Path, help="where the database is made")
    parser.add_argument("--firms", type=int, default=64, help="each with a contact and a liaison")
    parser.add_argument("--profile", action="store_true", help="write what the two threads spend their time on")
    options = parser.parse_args()
    with Profiles(options.folder) if options.profile else contextlib.nullcontext():
        asyncio.run(run(options.address, options.folder, options.firms))


if __name__ == "__main__":
    main()
