"""A house that is killed and lives again: what was seen from outside, and what lies on the disk."""

import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.deliver import MOST_DEATHS
from tests.faults import burst

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Life:
    """One burst in its folder: what was killed when, and what the database said right after each death."""

    folder: Path
    kills: int = 0
    claims: set[tuple[int, int]] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def start(self) -> subprocess.Popen[bytes]:
        """A new process over what the last one left."""
        command = [sys.executable, "-m", "tests.faults.burst", str(self.folder)]
        return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows of the database as it lies on the disk."""
        with closing(sqlite3.connect(f"file:{self.folder}/house.db?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]

    @property
    def in_flight(self) -> Counter[int]:
        """At how many deaths a row was in flight: between its claim and its outcome."""
        return Counter(row for row, _ in self.claims)

    @property
    def sent(self) -> list[dict[str, Any]]:
        """What reached the platform, in order."""
        return burst.lines(self.folder / "sent.jsonl")

    def look(self) -> None:
        """Nothing was sent or acknowledged that is not on the disk, and what is in flight is noted.

        What the world outside was told is looked at first: a process that is not dead yet goes on meanwhile.
        """
        sent, told = self.sent, set((self.folder / "acks").read_text(encoding="utf-8").split())
        rows = {row["id"]: row for row in self.query("SELECT id, state, token, doubts, appeal_id, body FROM outbox")}
        self.claims |= {(row["id"], row["token"]) for row in rows.values() if row["state"] == "sending"}
        appeals = {row["id"] for row in self.query("SELECT DISTINCT appeal_id AS id FROM events")}
        for line in sent:
            row = rows.get(line["id"])
            if row is None or not row["token"] or json.loads(row["body"])["text"] != line["text"]:
                self.wrong.append(f"sent but not committed: {line}")
            elif row["appeal_id"] is not None and row["appeal_id"] not in appeals:
                self.wrong.append(f"sent about a matter without history: {line}")
        lost = told - {row["external_id"] for row in self.query("SELECT external_id FROM inbox")}
        self.wrong += [f"acknowledged to the platform but not kept: {each}" for each in lost]


def begin(folder: Path, said: burst.Script | None = None) -> Life:
    """A new folder, and what people will say there."""
    folder.mkdir()
    told = json.dumps(burst.updates() if said is None else said, ensure_ascii=False)
    (folder / "platform.json").write_text(told, encoding="utf-8")
    (folder / "acks").touch()
    return Life(folder)


def let_live(life: Life) -> None:
    """To the end, undisturbed."""
    process = life.start()
    assert process.wait(timeout=50) == 0


def history(life: Life) -> dict[str, list[tuple[Any, ...]]]:
    """Every matter with its steps, told by its words, for the order in which firms get their numbers is chance."""
    told: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in life.query(
        """SELECT e.appeal_id, e.version, e.name, e.from_status, e.to_status, e.actor_id, t.body
           FROM events e JOIN appeals a ON a.id = e.appeal_id LEFT JOIN event_texts t ON t.event_id = e.id
           ORDER BY e.appeal_id, e.version"""
    ):
        told[row.pop("appeal_id")].append(tuple(row.values()))
    return {steps[0][-1]: steps for steps in told.values()}


def owed(life: Life) -> Counter[tuple[str, str, int]]:
    """How many messages of each kind each chat was owed."""
    rows = life.query(
        """SELECT c.external_id, o.text_key, o.lane FROM outbox o JOIN chats c ON c.id = o.chat_id
           WHERE o.kind = 'send'"""
    )
    return Counter((row["external_id"], row["text_key"], row["lane"]) for row in rows)


def firsts(life: Life) -> Iterator[dict[str, Any]]:
    """What was sent, doubles left out."""
    seen = set()
    for line in life.sent:
        if line["id"] not in seen:
            seen.add(line["id"])
            yield line


def wholeness(life: Life) -> list[str]:
    """What is wrong with the file itself, or refers to rows that are not there."""
    torn = [row["integrity_check"] for row in life.query("PRAGMA integrity_check")]
    orphans = life.query("PRAGMA foreign_key_check")
    return [each for each in torn if each != "ok"] + [f"orphan: {row}" for row in orphans]


def differences(life: Life, once: Life) -> list[str]:
    """What distinguishes a life that was disturbed from the undisturbed one, but for doubles of what was in flight."""
    wrong = life.wrong + wholeness(life)
    if {row["state"] for row in life.query("SELECT state FROM inbox")} != {"done"}:
        wrong.append("not every message was heard")
    if history(life) != history(once):
        wrong.append("the matters have another history")
    if owed(life) != owed(once):
        wrong.append(f"other messages were owed: {owed(life) - owed(once)}, {owed(once) - owed(life)}")
    times, in_flight = Counter(line["id"] for line in life.sent), life.in_flight
    rows = life.query("SELECT id, state FROM outbox WHERE kind = 'send'")
    wrong += [f"{row} is still owed" for row in rows if row["state"] not in ("sent", "uncertain")]
    wrong += [f"{row} never left" for row in rows if row["state"] == "sent" and not times[row["id"]]]
    wrong += [f"{row} left {n} times" for row, n in times.items() if n > 1 + in_flight[row]]
    doubtful = [row["id"] for row in rows if row["state"] == "uncertain"]
    wrong += [f"{row} is doubtful" for row in doubtful if in_flight[row] <= MOST_DEATHS]
    return wrong
