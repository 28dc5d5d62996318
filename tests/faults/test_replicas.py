"""Three processes over one PostgreSQL, killed, frozen, cut off amid a burst: each message has exactly one effect."""

import asyncio
import random
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.deliver import MOST_DEATHS
from tests import needs
from tests.faults import burst
from tests.faults.replicas import Crowd, Member, gather
from tests.pgserver import Server, durable_server
from tests.summary import Tally

BACKENDS = ("postgres",)
QUICK, REAL = 2.0, 15.0
"""Seconds of a lease; where it is shortened, so is everything that hangs on it."""
TAKEOVER = 20.0
WAITED = 18.0
"""Seconds until another process follows; most of it is waiting for the lease, which shrinks with it."""
BURSTS = [(QUICK, 3)] if not needs.full() else [(QUICK, 30)] * 10 + [(REAL, 6)]
"""Lease and number of troubles of each."""
pytestmark = [
    pytest.mark.xdist_group("heavy"),
    pytest.mark.needs("pg"),
    pytest.mark.timeout(180 if not needs.full() else 3600),
]


async def kill(crowd: Crowd, member: Member, _: random.Random) -> None:
    """It dies without a word, and another is started in its place."""
    member.process.kill()
    crowd.note_in_flight()
    await crowd.bury(member)


async def freeze(crowd: Crowd, member: Member, dice: random.Random) -> None:
    """It stands still for longer than all that it holds, and then goes on as if nothing had been."""
    member.process.send_signal(signal.SIGSTOP)
    crowd.note_in_flight()
    await asyncio.sleep(crowd.lease * dice.uniform(1.5, 2.5))
    member.process.send_signal(signal.SIGCONT)


async def cut(crowd: Crowd, member: Member, dice: random.Random) -> None:
    """Its line to the database is cut or blocked, and mended later."""
    (member.line.cut if dice.random() < 0.5 else member.line.block)()
    crowd.note_in_flight()
    await asyncio.sleep(crowd.lease * dice.uniform(1.5, 2.5))
    member.line.mend()


FATES: tuple[Callable[[Crowd, Member, random.Random], Coroutine[Any, Any, None]], ...] = (kill, freeze, cut)


async def befall(crowd: Crowd, trials: int, dice: random.Random) -> None:
    """One thing after the other happens to whoever brings the messages, spread over the burst."""
    for trial in range(trials):
        await crowd.until_sent(40 + trial * 800 // trials)
        member = crowd.holder() or crowd.members[0]
        since = time.monotonic()  # noqa: TID251 - the clock of all processes of this machine
        happening = asyncio.create_task(FATES[trial % len(FATES)](crowd, member, dice))
        await crowd.until_followed(member.name, since)
        await happening


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that loses nothing, reached by TCP."""
    needs.need("pg")
    with durable_server() as made:
        yield made


@pytest.fixture(scope="module", params=range(len(BURSTS)))
def burst_over(server: Server, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A burst of 500 messages that was led to its end through all of it; what is asked is asked afterwards."""
    folder = tmp_path_factory.mktemp("replicas") / "world"
    lease, trials = BURSTS[request.param]
    crowd = asyncio.run(_live(folder, server, lease, trials, random.Random(request.param)))
    assert crowd.troubles == trials
    yield crowd
    _empty(crowd)


async def _live(folder: Path, server: Server, lease: float, trials: int, dice: random.Random) -> Crowd:
    crowd = await gather(folder, server, lease)
    try:
        await befall(crowd, trials, dice)
        await crowd.until_rest()
        assert await crowd.stop() == [0, 0, 0]
    finally:
        await crowd.close()
    return crowd


def _empty(crowd: Crowd) -> None:
    crowd.run("DROP SCHEMA public CASCADE")
    crowd.run("CREATE SCHEMA public")


def test_every_message_has_exactly_one_effect(burst_over: Crowd, tally: Tally) -> None:
    tally("R16", burst_over.troubles)
    told: dict[int, list[str]] = defaultdict(list)
    for row in burst_over.query("SELECT appeal_id, name FROM events WHERE appeal_id IS NOT NULL ORDER BY version"):
        told[row["appeal_id"]].append(row["name"])
    assert len(told) == 2 * burst.FIRMS
    assert sorted(Counter(map(tuple, told.values())).values()) == [burst.FIRMS, burst.FIRMS]
    assert {row["state"] for row in burst_over.query("SELECT state FROM inbox")} == {"done"}


def test_no_message_that_was_acknowledged_is_lost(burst_over: Crowd) -> None:
    acknowledged = {each for line in burst.lines(burst_over.folder / "acks.jsonl") for each in line["ids"]}
    kept = {row["external_id"] for row in burst_over.query("SELECT external_id FROM inbox")}
    assert len(acknowledged) == 500
    assert acknowledged <= kept


def test_every_row_was_sent_but_those_in_flight_at_many_deaths(burst_over: Crowd) -> None:
    rows = burst_over.query("SELECT id, state FROM outbox WHERE kind = 'send'")
    doubtful = {row["id"] for row in rows if row["state"] == "uncertain"}
    assert {row["id"] for row in rows if row["state"] != "sent"} == doubtful
    assert [row for row in doubtful if burst_over.in_flight[row] <= MOST_DEATHS] == []
    assert {row["id"] for row in rows} - {line["id"] for line in burst_over.sent} <= doubtful


def firsts(crowd: Crowd) -> list[Mapping[str, Any]]:
    """What was sent, doubles left out."""
    seen: dict[int, Mapping[str, Any]] = {}
    for line in crowd.sent:
        seen.setdefault(line["id"], line)
    return list(seen.values())


def test_order_holds_within_each_lane_of_each_chat(burst_over: Crowd) -> None:
    place = {row["id"]: row for row in burst_over.query("SELECT id, chat_id, lane, seq FROM outbox")}
    lanes: dict[tuple[int, int], list[int]] = defaultdict(list)
    for line in firsts(burst_over):
        row = place[line["id"]]
        lanes[row["chat_id"], row["lane"]].append(row["seq"])
    assert [key for key, seqs in lanes.items() if seqs != sorted(seqs)] == []


def test_each_chat_is_answered_in_the_order_in_which_it_spoke(burst_over: Crowd) -> None:
    answers: dict[str, list[str]] = defaultdict(list)
    for line in firsts(burst_over):
        if line["reply_to"]:
            answers[line["chat"]].append(line["reply_to"])
    assert [chat for chat, ids in answers.items() if ids != sorted(ids)] == []


def test_nothing_arrived_twice_but_what_was_in_flight(
    burst_over: Crowd, record_property: Callable[[str, object], None]
) -> None:
    doubles = {row: times - 1 for row, times in Counter(line["id"] for line in burst_over.sent).items() if times > 1}
    senders = Counter(line["by"] for line in burst_over.sent)
    told = (
        f"{burst_over.troubles} troubles, {len(doubles)} doubles of {burst_over.in_flight.total()} in flight, "
        f"taken over within {max(burst_over.takeovers):.2f} s, sent by {dict(senders)}"
    )
    record_property("replicas", told)
    sys.stdout.write(told + "\n")
    assert len(senders) >= 3
    assert [row for row, times in doubles.items() if times > burst_over.in_flight[row]] == []


def test_another_process_brought_the_messages_in_time(burst_over: Crowd) -> None:
    assert len(burst_over.takeovers) == burst_over.troubles
    assert max(burst_over.takeovers) <= TAKEOVER - WAITED + WAITED * burst_over.lease / REAL
