"""Killed without a word in the middle of a burst, again and again: every message has exactly one effect."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.deliver import MOST_DEATHS
from tests import needs
from tests.faults import burst

ROOT = Path(__file__).resolve().parents[2]
KILLS = 10
BURSTS = needs.count(1, 10)
MOST_SENT = 900
"""A burst brings forth a few messages more than this."""


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
        """Right after a death: nothing was sent that is not committed, and what is in flight is noted."""
        rows = {row["id"]: row for row in self.query("SELECT id, state, token, doubts, appeal_id, body FROM outbox")}
        self.claims |= {(row["id"], row["token"]) for row in rows.values() if row["state"] == "sending"}
        appeals = {row["id"] for row in self.query("SELECT DISTINCT appeal_id AS id FROM events")}
        for line in self.sent:
            row = rows.get(line["id"])
            if row is None or not row["token"] or json.loads(row["body"])["text"] != line["text"]:
                self.wrong.append(f"sent but not committed: {line}")
            elif row["appeal_id"] is not None and row["appeal_id"] not in appeals:
                self.wrong.append(f"sent about a matter without history: {line}")
        received = {row["external_id"] for row in self.query("SELECT external_id FROM inbox")}
        lost = set((self.folder / "acks").read_text(encoding="utf-8").split()) - received
        self.wrong += [f"acknowledged to the platform but not kept: {each}" for each in lost]


def begin(folder: Path) -> Life:
    folder.mkdir()
    (folder / "platform.json").write_text(json.dumps(burst.updates(), ensure_ascii=False), encoding="utf-8")
    (folder / "acks").touch()
    return Life(folder)


def let_live(life: Life) -> None:
    """To the end, undisturbed."""
    process = life.start()
    assert process.wait(timeout=50) == 0


def kill_often(life: Life, times: int, dice: random.Random) -> None:
    """Kill it at so many moments of the burst, each after it has sent some messages more."""
    for left in range(times, 0, -1):
        process = life.start()
        share = max(1, (MOST_SENT - len(life.sent)) // left)
        wait_for(life, process, dice.randint(1, share))
        still_lives(process, dice.uniform(0, 0.03))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        life.kills += 1
        life.look()


def wait_for(life: Life, process: subprocess.Popen[bytes], more: int) -> None:
    """Wait until so many messages more were sent; not longer than 40 seconds."""
    path = life.folder / "sent.jsonl"
    before = len(life.sent)
    for _ in range(20_000):
        if path.exists() and path.read_bytes().count(b"\n") >= before + more:
            return
        still_lives(process, 0.002)
    raise AssertionError(f"{more} messages more were never sent")


def still_lives(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Let it live so much longer; it must not come to its end by itself."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
        raise AssertionError("it came to its end before it was killed")


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """The burst without any kill."""
    life = begin(tmp_path_factory.mktemp("faults") / "once")
    let_live(life)
    return life


@pytest.fixture(scope="module", params=range(BURSTS))
def killed(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Life:
    """The same burst, killed ten times and then led to its end; ten such bursts in the long trial."""
    life = begin(tmp_path_factory.mktemp("faults") / "killed")
    kill_often(life, KILLS, random.Random(request.param))
    let_live(life)
    return life


pytestmark = [pytest.mark.xdist_group("heavy"), pytest.mark.timeout(120 if not needs.full() else 3600)]


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


def test_it_was_really_killed_in_the_middle_of_500_messages(killed: Life) -> None:
    assert killed.kills == KILLS
    assert len(killed.query("SELECT id FROM inbox")) == 500


def test_every_message_has_exactly_one_effect(once: Life, killed: Life) -> None:
    assert {row["state"] for row in killed.query("SELECT state FROM inbox")} == {"done"}
    assert len(history(once)) == 2 * burst.FIRMS
    assert history(killed) == history(once)


def test_exactly_what_is_owed_without_a_kill_is_owed(once: Life, killed: Life) -> None:
    assert owed(killed) == owed(once)


def test_after_each_death_all_that_was_sent_and_all_that_was_acknowledged_was_on_the_disk(killed: Life) -> None:
    assert killed.wrong == []


def test_every_row_was_sent_but_those_in_flight_at_many_deaths(killed: Life) -> None:
    rows = killed.query("SELECT id, state, reply_to FROM outbox WHERE kind = 'send'")
    doubtful = {row["id"] for row in rows if row["state"] == "uncertain"}
    assert {row["id"] for row in rows if row["state"] != "sent"} == doubtful
    in_flight = killed.in_flight
    assert [row for row in doubtful if in_flight[row] <= MOST_DEATHS] == []
    assert {row["id"] for row in rows} - {line["id"] for line in killed.sent} <= doubtful
    said = {body["message_id"] for rounds in burst.updates().values() for bodies in rounds for body in bodies}
    answered = {row["reply_to"] for row in rows}
    assert answered >= said


def test_a_matter_that_was_acknowledged_is_in_the_database_under_its_number(killed: Life) -> None:
    numbers = {row["id"]: row["number"] for row in killed.query("SELECT id, number FROM appeals")}
    about = {row["id"]: row["appeal_id"] for row in killed.query("SELECT id, appeal_id FROM outbox")}
    acknowledged = [line for line in killed.sent if about[line["id"]] is not None]
    assert len({about[line["id"]] for line in acknowledged}) == 2 * burst.FIRMS
    assert [line for line in acknowledged if f"#{numbers[about[line['id']]]}" not in line["text"]] == []


def test_order_holds_within_each_lane_of_each_chat(killed: Life) -> None:
    place = {row["id"]: row for row in killed.query("SELECT id, chat_id, lane, seq FROM outbox")}
    lanes: dict[tuple[int, int], list[int]] = defaultdict(list)
    for line in firsts(killed):
        row = place[line["id"]]
        lanes[row["chat_id"], row["lane"]].append(row["seq"])
    assert [key for key, seqs in lanes.items() if seqs != sorted(seqs)] == []


def test_each_chat_is_answered_in_the_order_in_which_it_spoke(killed: Life) -> None:
    answers: dict[str, list[str]] = defaultdict(list)
    for line in firsts(killed):
        if line["reply_to"]:
            answers[line["chat"]].append(line["reply_to"])
    assert [chat for chat, ids in answers.items() if ids != sorted(ids)] == []


def test_at_most_what_was_in_flight_at_a_kill_arrived_twice(
    once: Life, killed: Life, record_property: Callable[[str, object], None]
) -> None:
    assert max(Counter(line["id"] for line in once.sent).values()) == 1
    in_flight = killed.in_flight
    doubles = {row: times - 1 for row, times in Counter(line["id"] for line in killed.sent).items() if times > 1}
    told = f"{killed.kills} kills, {len(doubles)} doubles of {in_flight.total()} messages in flight"
    record_property("doubles", told)
    sys.stdout.write(told + "\n")
    assert [row for row, times in doubles.items() if times > in_flight[row]] == []


def test_the_database_is_whole(killed: Life) -> None:
    assert killed.query("PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    assert killed.query("PRAGMA foreign_key_check") == []
