"""A program to be killed: 25 firms and liaisons talk to the whole of lianqi; `python -m tests.faults.burst FOLDER`.

The folder is the world outside: `platform.json` (what people will say), `acks` (which updates the platform was told are
received), `sent.jsonl` (every message that reached the platform, doubles too). The house itself is `house.db` there.
Everybody waits for the answers to what he said before he goes on; some say several things at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.app import App, Park
from bot.channel import Abilities, Desk, NotKept, Parcel, Update
from bot.channels.memory import MemoryChannel
from bot.civil import CivilClock
from domain.guards import SECOND_THOUGHTS
from domain.people import Purpose, Role
from storage.database import Database, Tx
from storage.errors import StorageUnavailable
from storage.open import open_database
from tests import making
from tests.making import civil
from tests.stories.town import group, make
from texts import Catalogue

FIRMS = 25
MORNING = civil("2026-03-11 09:00")
AT_ONCE = 40
LATENCY = 0.002
AGAIN = 0.05


def script(firm: int) -> list[list[tuple[str, str]]]:
    """What is said about one firm, twenty messages in rounds of (who, text).

    F is the firm, G the firm in its group, L its liaison.
    """
    return [
        [("G" if firm % 2 else "F", f"/诉求 {firm}号车间电压低，一天跳停三次")],
        [("L", "接单")],
        [("L", "已联系")],
        [("L", "进展 已到现场"), ("L", "进展 变压器负荷过高"), ("L", "进展 已报检修")],
        [("F", "补充 三号线最重"), ("F", "补充 夜班也停"), ("F", "我的")],
        [("L", "办结 已换变压器")],
        [("F", "不满意 下午还是跳闸")],
        [("L", "接单"), ("L", "进展 第二台也要换"), ("L", "待办")],
        [("L", "办结 两台都换了")],
        [("F", "满意"), ("F", "诉求")],
        [("F", f"{firm}号厂门口路灯不亮")],
        [("F", "进度"), ("L", "办结")],
    ]


Script = Mapping[str, Sequence[Sequence[Mapping[str, Any]]]]
"""The rounds of every firm, by its number."""


def updates() -> Script:
    """The rounds of every firm, each message with the platform's id."""
    told: dict[str, list[list[dict[str, Any]]]] = {}
    for firm in range(FIRMS):
        number = 0
        told[str(firm)] = []
        for step in script(firm):
            told[str(firm)].append([])
            for who, text in step:
                told[str(firm)][-1].append(_body(firm, number, who, text))
                number += 1
    return told


def _body(firm: int, number: int, who: str, text: str) -> dict[str, Any]:
    sender = f"干部{firm}" if who == "L" else f"企业{firm}"
    chat = f"group:群{firm}" if who == "G" else f"private:{sender}"
    return {
        "message_id": f"{firm}-{number:02}",
        "chat": chat,
        "chat_name": "",
        "private": who != "G",
        "sender": sender,
        "sender_name": sender,
        "text": text,
    }


class Platform(MemoryChannel):
    """A platform outside the process: it repeats what was not acknowledged, and writes down what it is sent."""

    def __init__(self, folder: Path) -> None:
        super().__init__(Abilities(edits=False))
        self._scripts = json.loads((folder / "platform.json").read_text(encoding="utf-8"))
        self._acks = os.open(folder / "acks", os.O_CREAT | os.O_RDWR | os.O_APPEND)
        self._sent = os.open(folder / "sent.jsonl", os.O_CREAT | os.O_RDWR | os.O_APPEND)
        self._brought = set((folder / "acks").read_text(encoding="utf-8").split())
        self._answered = {line["reply_to"] for line in lines(folder / "sent.jsonl")}
        self._news = asyncio.Event()

    async def run(self, desk: Desk) -> None:
        """Bring what people say, each round when the one before was answered; return when all has been said."""
        while (waiting := list(self._rounds())) or self._unanswered():
            self._news.clear()
            for n in range(0, len(waiting), AT_ONCE):
                batch = waiting[n : n + AT_ONCE]
                brought = [Update(body["message_id"], body["chat"], body) for body in batch]
                await self._bring(desk, brought)
                os.write(self._acks, "".join(f"{body['message_id']}\n" for body in batch).encode())
                self._brought.update(body["message_id"] for body in batch)
            if not any(self._rounds()):
                await self._news.wait()

    async def _bring(self, desk: Desk, batch: Sequence[Update]) -> None:
        """Until it is received; whoever hears that it could not be kept repeats it."""
        while True:
            with contextlib.suppress(NotKept):
                await desk.receive("memory", "memory", batch)
                return
            await asyncio.sleep(AGAIN)

    def _rounds(self) -> Iterator[Mapping[str, Any]]:
        for rounds in self._scripts.values():
            for said in rounds:
                yield from (body for body in said if body["message_id"] not in self._brought)
                if not all(body["message_id"] in self._answered for body in said):
                    break

    def _unanswered(self) -> bool:
        said = (body for rounds in self._scripts.values() for bodies in rounds for body in bodies)
        return any(body["message_id"] not in self._answered for body in said)

    def go_on_without(self, message_ids: Iterable[str | None]) -> None:
        """Some answers are lost for good: their row was in flight at two deaths, and nobody knows. People go on."""
        self._answered.update(message_ids)
        self._news.set()

    async def send(self, parcel: Parcel) -> str:
        """It is on its way, it arrives, it is confirmed: the process may die in between, and what is written stays."""
        await asyncio.sleep(LATENCY)
        line = {"id": parcel.id, "chat": parcel.chat, "reply_to": parcel.reply_to, "text": parcel.text}
        os.write(self._sent, (json.dumps(line, ensure_ascii=False) + "\n").encode())
        await asyncio.sleep(LATENCY)
        self._answered.add(parcel.reply_to)
        self._news.set()
        return f"out-{parcel.id}"


def lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file of JSON; one that was cut off had not arrived."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1]]


async def people_it(tx: Tx) -> None:
    """Firms with a contact, a liaison and a group each; one coordinator for all."""
    power = await making.make_department(tx, "县供电公司", "power")
    await make(tx, "周芳", Role.COORDINATOR)
    for firm in range(FIRMS):
        contact = await make(tx, f"企业{firm}", Role.CONTACT)
        liaison = await make(tx, f"干部{firm}", Role.LIAISON, department_id=power)
        made = await making.make_enterprise(tx, f"第{firm}机械有限公司", contact, liaison_id=liaison)
        await group(tx, Purpose.LIAISON, f"群{firm}", made)


async def at_rest(database: Database) -> bool:
    """Whether nothing waits any more; while nobody can say it is not so."""

    async def unit(tx: Tx) -> bool:
        news = await tx.all("SELECT id FROM inbox WHERE state = 'new' LIMIT 1")
        owed = await tx.all("SELECT id FROM outbox WHERE state IN ('pending', 'sending') LIMIT 1")
        return not news and not owed

    try:
        return await database.reading(unit)
    except StorageUnavailable:
        return False


async def miss_answers(database: Database, platform: Platform) -> None:
    """Tell the people which answers they need not wait for any more."""
    sql = "SELECT reply_to FROM outbox WHERE state = 'uncertain' AND reply_to IS NOT NULL"
    while True:
        with contextlib.suppress(StorageUnavailable):
            platform.go_on_without([row["reply_to"] for row in await database.reading(lambda tx: tx.all(sql))])
        await asyncio.sleep(0.05)


async def live(folder: Path, *beside: Callable[[], Awaitable[None]]) -> None:
    """Run until everybody has said everything and heard all answers; what is to go on `beside` it meanwhile."""
    database = await open_database(f"sqlite:///{folder}/house.db")
    if not await database.reading(lambda tx: tx.all("SELECT id FROM people LIMIT 1")):
        await database.transaction(people_it)
    (folder / "alive").touch()
    platform = Platform(folder)
    park = Park(making.make_rules(), Catalogue.load(strict=True))
    clock = CivilClock(lambda: MORNING, MORNING, frozen=True)
    app = App(park, database, {"memory": platform}, civil=clock)
    saying = asyncio.create_task(platform.run(app.desk))
    missing = miss_answers(database, platform)
    working = [asyncio.create_task(each) for each in (app.dispatcher.run(), app.pump.run(), missing)]
    working += [asyncio.ensure_future(each()) for each in beside]
    await saying
    clock.move_to(MORNING + SECOND_THOUGHTS)  # what handlers said cannot be taken back any more
    app.pump.wake()
    while not await at_rest(database):  # noqa: ASYNC110 - nothing rings when all is still
        await asyncio.sleep(0.005)
    for task in working:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await database.close()


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1])))
