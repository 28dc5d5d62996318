"""Killed without a word in the middle of a burst, again and again: every message has exactly one effect."""

import random
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from bot.deliver import MOST_DEATHS
from tests import needs
from tests.faults import burst
from tests.faults.life import Life, begin, firsts, history, let_live, owed
from tests.summary import Tally

ROOT = Path(__file__).resolve().parents[2]
KILLS = 10
BURSTS = needs.count(1, 20)
MOST_SENT = 900
"""A burst brings forth a few messages more than this."""


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
    """The same burst, killed ten times and then led to its end; twenty such bursts in the long trial."""
    life = begin(tmp_path_factory.mktemp("faults") / "killed")
    kill_often(life, KILLS, random.Random(request.param))
    let_live(life)
    return life


pytestmark = [pytest.mark.xdist_group("heavy"), pytest.mark.timeout(120 if not needs.full() else 3600)]


def test_it_was_really_killed_in_the_middle_of_500_messages(killed: Life, tally: Tally) -> None:
    tally("R2c", killed.kills)
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
