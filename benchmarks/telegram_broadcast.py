"""A notice to 330 groups at the platform's own pace: `python -m benchmarks.telegram_broadcast`.

The emulator counts as Telegram does: 30 messages a second, one a second in a chat, 20 a minute in a group. The whole
program delivers what is owed; how long it takes is measured where it arrives, and nothing may be refused.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks._lianqi_bot import MORNING
from benchmarks._process import ask, child, own_python
from benchmarks._telegram_channel import TOKEN, make_channel
from benchmarks.messages import rules
from bot.app import App, Park, machine_time
from bot.civil import CivilClock
from domain.notices import Lane
from domain.policy import Content, notice_facts
from storage.database import Tx
from storage.open import open_database
from storage.outbox import Letter, owe
from storage.values import to_ms
from texts import Catalogue

GROUPS = 330
OVERALL = 30
MOST = 1.05
EVERY_SECONDS = 0.5
FIRST_GROUP = -1_001_000_000_000
NOTICE = Content(
    "设备更新补贴", "2026年设备更新补贴开始受理，请有意向的企业尽早准备材料。", fields={"window": "3月16日至4月15日"}
)


async def owe_all(tx: Tx, groups: int) -> None:
    """A notice for each of so many approved groups."""
    for number in range(groups):
        row = await tx.one(
            """INSERT INTO chats(channel, external_id, private, name, approved_at)
               VALUES ('telegram', :id, 0, :name, :at) RETURNING id""",
            {"id": str(FIRST_GROUP - number), "name": f"第{number + 1}机械", "at": to_ms(MORNING)},
        )
        assert row is not None
        letter = Letter(row["id"], "policy.notice", notice_facts(NOTICE), lane=Lane.BROADCAST)
        await owe(tx, letter, at=MORNING)


async def arrive(address: str, folder: Path, groups: int) -> None:
    """Run the program until every group has its notice, or far too long."""
    database = await open_database(f"sqlite:///{folder / 'lianqi.db'}")
    await database.transaction(lambda tx: owe_all(tx, groups))
    channels = {"telegram": make_channel(address)}
    app = App(Park(rules(), Catalogue.load()), database, channels, civil=CivilClock(machine_time, MORNING))
    running = asyncio.create_task(app.run())
    await asyncio.to_thread(wait, address, groups)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await database.close()


def wait(address: str, groups: int) -> None:
    """Until every group has its notice, or three times as long as that may take."""
    left = 3 * groups / OVERALL + 10
    while left > 0 and len(moments(address)) < groups:
        time.sleep(EVERY_SECONDS)
        left -= EVERY_SECONDS


def moments(address: str) -> Sequence[float]:
    """When each message took effect, in seconds of the emulator's clock."""
    told = ask(address, "/_control/sent")["result"]["sent"]
    return [one["at"] for one in told if one["method"] == "sendMessage"]


def report(address: str, groups: int) -> bool:
    """Print the figures; whether they are within the limits."""
    at, refusals = moments(address), ask(address, "/_control/state")["result"]["refusals"]
    if len(at) != groups:
        print(f"{len(at)} of {groups} groups have the notice; {refusals} refusals")
        return False
    spent, most = at[-1] - at[0], MOST * (groups - 1) / OVERALL
    gap = max(later - earlier for earlier, later in pairwise(at))
    print(f"{groups} groups in {spent:.2f} s (at most {most:.2f} s), longest pause {gap:.2f} s, ", end="")
    print(f"{refusals} refusals (none allowed)")
    return spent <= most and not refusals


def main() -> int:
    """Measure; the exit status says whether the limits were met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=GROUPS, help="that get the notice")
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to be measured")
    options = parser.parse_args()
    emulator = ("tests.emulators.telegram", "--limits", "--token", TOKEN)
    with child(own_python(), *emulator) as platform, tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for number in range(options.groups):
            group = {"chat_id": FIRST_GROUP - number, "title": f"第{number + 1}机械"}
            ask(platform.first, "/_control/group", body=json.dumps(group).encode())
        asyncio.run(arrive(platform.first, Path(folder), options.groups))
        return 0 if report(platform.first, options.groups) else 1


if __name__ == "__main__":
    sys.exit(main())
