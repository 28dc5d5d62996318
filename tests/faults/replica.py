"""One of several processes that share a PostgreSQL: `python -m tests.faults.replica FOLDER NAME URL [SECONDS]`.

The folder is the world outside, as in `burst`; one process at a time brings what people say, all of them hear and send.
SECONDS shortens the lease of the channel to so much, and everything that depends on it in proportion.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bot import leasing, rounds
from bot.app import App, Park
from bot.channel import Abilities, Desk, NotKept, Parcel, Update
from bot.channels.memory import MemoryChannel
from bot.civil import CivilClock
from domain.guards import SECOND_THOUGHTS
from storage import delivery, postgres_connection
from storage.open import open_database
from tests import making
from tests.faults.burst import AT_ONCE, LATENCY, MORNING, lines
from texts import Catalogue

LEASE = "memory:1"
LOOK_SECONDS = 0.02


class World(MemoryChannel):
    """The platform outside all processes: its files tell what was received and what has arrived, by whom and when."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(Abilities(edits=False))
        self._folder = folder
        self._by = name
        self._scripts = json.loads((folder / "platform.json").read_text(encoding="utf-8"))
        self._sent = os.open(folder / "sent.jsonl", os.O_CREAT | os.O_RDWR | os.O_APPEND)
        self._acks = os.open(folder / "acks.jsonl", os.O_CREAT | os.O_RDWR | os.O_APPEND)

    async def run(self, desk: Desk) -> None:
        """Bring what people say while this process alone may; what is said twice counts once."""
        await desk.alone(LEASE, lambda: self._bring(desk))

    async def _bring(self, desk: Desk) -> None:
        self._note(self._acks, {"ids": []})
        while True:
            waiting = list(self._waiting())
            for n in range(0, len(waiting), AT_ONCE):
                batch = waiting[n : n + AT_ONCE]
                try:
                    brought = [Update(body["message_id"], body["chat"], body) for body in batch]
                    await desk.receive("memory", "memory", brought)
                except NotKept:
                    break
                self._note(self._acks, {"ids": [body["message_id"] for body in batch]})
            await asyncio.sleep(LOOK_SECONDS)

    def _waiting(self) -> Iterator[Mapping[str, Any]]:
        """What was not acknowledged of the rounds whose forerunners were all answered."""
        brought = {each for line in lines(self._folder / "acks.jsonl") for each in line["ids"]}
        answered = {line["reply_to"] for line in lines(self._folder / "sent.jsonl")}
        answered |= set((self._folder / "missed").read_text(encoding="utf-8").split())
        for rounds_ in self._scripts.values():
            for said in rounds_:
                yield from (body for body in said if body["message_id"] not in brought)
                if not all(body["message_id"] in answered for body in said):
                    break

    async def send(self, parcel: Parcel) -> str:
        """It is on its way, it arrives, it is confirmed."""
        await asyncio.sleep(LATENCY)
        line = {"id": parcel.id, "chat": parcel.chat, "reply_to": parcel.reply_to, "text": parcel.text}
        self._note(self._sent, line)
        await asyncio.sleep(LATENCY)
        return f"out-{parcel.id}"

    def _note(self, file: int, line: Mapping[str, Any]) -> None:
        told = {**line, "by": self._by, "at": time.monotonic()}  # noqa: TID251 - one clock for all processes of a machine
        os.write(file, (json.dumps(told, ensure_ascii=False) + "\n").encode())


def hasten(seconds: float) -> None:
    """Shorten what a death or a freeze costs."""
    share = seconds / leasing.LEASE_SECONDS
    leasing.LEASE_SECONDS *= share
    leasing.RENEW_SECONDS *= share
    leasing.LOOK_SECONDS *= share
    leasing.STOP_SECONDS *= share
    delivery.LEASE *= share
    rounds.EVERY_SECONDS *= share
    idle = round(postgres_connection.IDLE_SECONDS * share * 1000)
    postgres_connection.SETTINGS += f"SET idle_in_transaction_session_timeout = '{idle}ms';"
    postgres_connection.LINK = {**postgres_connection.LINK, "tcp_user_timeout": round(10_000 * share)}


async def live(folder: Path, name: str, url: str) -> None:
    """Hear, send and bring until told to stop."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    database = await open_database(url, connections=6)
    park = Park(making.make_rules(), Catalogue.load(strict=True))
    over = folder / "over"
    clock = CivilClock(lambda: MORNING + SECOND_THOUGHTS if over.exists() else MORNING)
    app = App(park, database, {"memory": World(folder, name)}, civil=clock)
    running = asyncio.create_task(app.run())
    (folder / f"{name}.ready").touch()
    await asyncio.wait({running, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        await running
    running.cancel()
    await asyncio.wait({running})
    await database.close()


if __name__ == "__main__":
    if len(sys.argv) > 4:
        hasten(float(sys.argv[4]))
    asyncio.run(live(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
