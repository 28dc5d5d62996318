"""Three processes over one PostgreSQL in the middle of a burst, and what may befall them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from storage.open import open_database
from tests.emulators.link import Link
from tests.faults import burst
from tests.pgserver import Server

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Member:
    """One process, with its own line to the database."""

    name: str
    line: Link
    process: asyncio.subprocess.Process


@dataclass
class Crowd:
    """The burst, its processes, and what was in flight whenever something befell one of them."""

    folder: Path
    server: Server
    lease: float
    members: list[Member] = field(default_factory=list)
    in_flight: Counter[int] = field(default_factory=Counter)
    takeovers: list[float] = field(default_factory=list)
    troubles: int = 0
    _born: int = 0

    @property
    def url(self) -> str:
        """The database, straight."""
        return self.server.dsn("postgres")

    async def start(self, line: Link | None = None) -> Member:
        """One process more; on the line of one that died, or on a new one."""
        self._born += 1
        name = f"r{self._born}"
        if line is None:
            line = Link(("127.0.0.1", self.server.port))
            await line.start()
        command = [sys.executable, "-m", "tests.faults.replica", str(self.folder), name]
        url = self.server.dsn("postgres", port=line.port)
        process = await asyncio.create_subprocess_exec(
            *command, url, str(self.lease), cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        member = Member(name, line, process)
        self.members.append(member)
        return member

    async def bury(self, member: Member) -> None:
        """Wait for its end, and put another in its place."""
        await member.process.wait()
        self.members.remove(member)
        await self.start(member.line)

    async def close(self) -> None:
        """Nobody is left behind, frozen or not."""
        for member in self.members:
            if member.process.returncode is None:
                member.process.send_signal(signal.SIGCONT)
                member.process.kill()
                await member.process.wait()
            await member.line.close()

    async def stop(self) -> list[int | None]:
        """Ask all to stop; their exit codes."""
        for member in self.members:
            member.process.terminate()
        return [await asyncio.wait_for(member.process.wait(), 20) for member in self.members]

    # What the world and the database say --------------------------------------------------------------------------
    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows of the database."""
        with psycopg.connect(self.url, autocommit=True, row_factory=dict_row) as connection:
            return connection.execute(sql.encode()).fetchall()

    def run(self, sql: str) -> None:
        """One statement that brings no rows."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.encode())

    @property
    def sent(self) -> list[dict[str, Any]]:
        """What reached the platform, in order."""
        return burst.lines(self.folder / "sent.jsonl")

    def note_in_flight(self) -> None:
        """What is claimed just now may arrive twice."""
        self.troubles += 1
        self.in_flight.update(row["id"] for row in self.query("SELECT id FROM outbox WHERE state = 'sending'"))

    def holder(self) -> Member | None:
        """Who brings what people say."""
        tellers = [line["by"] for line in burst.lines(self.folder / "acks.jsonl")]
        return next((member for member in self.members if tellers and member.name == tellers[-1]), None)

    async def until_sent(self, count: int) -> None:
        """Until so many messages have reached the platform; a minute is too long."""
        async with asyncio.timeout(60):
            while len(self.sent) < count:
                self._miss()
                await asyncio.sleep(0.02)

    async def until_followed(self, name: str, since: float) -> None:
        """Until somebody else than `name` brings what people say."""
        def others() -> Sequence[Mapping[str, Any]]:
            acks = burst.lines(self.folder / "acks.jsonl")
            return [line for line in acks if line["by"] != name and line["at"] > since]

        async with asyncio.timeout(60):
            while not (new := others()):
                self._miss()
                await asyncio.sleep(0.02)
        self.takeovers.append(new[0]["at"] - since)

    def _miss(self) -> None:
        """People go on without answers that are lost for good."""
        sql = "SELECT reply_to FROM outbox WHERE state = 'uncertain' AND reply_to IS NOT NULL"
        (self.folder / "missed").write_text("\n".join(row["reply_to"] for row in self.query(sql)), encoding="utf-8")

    async def until_rest(self) -> None:
        """Until everybody has said everything and heard all answers."""
        said = sum(len(bodies) for rounds in burst.updates().values() for bodies in rounds)
        still = """SELECT (SELECT COUNT(*) FROM inbox WHERE state <> 'done') AS news,
            (SELECT COUNT(*) FROM outbox WHERE state IN ('pending', 'sending')) AS owed,
            (SELECT COUNT(*) FROM inbox) AS heard"""
        async with asyncio.timeout(120):
            while (rest := self.query(still)[0]) != {"news": 0, "owed": 0, "heard": said}:
                if rest["heard"] == said and not rest["news"]:
                    (self.folder / "over").touch()  # what handlers said cannot be taken back any more
                self._miss()
                await asyncio.sleep(0.05)


def lay_out(folder: Path) -> Path:
    """The world before anybody has spoken."""
    folder.mkdir()
    (folder / "platform.json").write_text(json.dumps(burst.updates(), ensure_ascii=False), encoding="utf-8")
    (folder / "missed").touch()
    return folder


def are_ready(folder: Path) -> int:
    """How many processes are at work."""
    return len(list(folder.glob("*.ready")))


async def gather(folder: Path, server: Server, lease: float, size: int = 3) -> Crowd:
    """So many processes over a peopled house, all at work."""
    crowd = Crowd(lay_out(folder), server, lease)
    database = await open_database(crowd.url)
    await database.transaction(burst.people_it)
    await database.close()
    for _ in range(size):
        await crowd.start()
    async with asyncio.timeout(30):
        while are_ready(folder) < size:  # noqa: ASYNC110 - other processes ring no event
            await asyncio.sleep(0.02)
    return crowd
