"""Killed at every system call by which anything is kept, told or passed on: nothing acknowledged is lost."""

import random
import signal
from collections.abc import Iterator, Sequence
from itertools import zip_longest

import pytest

from tests import needs
from tests.conftest import Tally
from tests.faults.life import Life, differences, wholeness
from tests.faults.tracing import Nursery, Tracer, counted, injected, nursery

CALLS = ("pwrite64", "fdatasync", "sendto", "write")
"""A page written, the disk asked to keep it, the loop woken up, a message put on the wire."""
KILLS = needs.count(30, 100)
BATCHES = needs.count(1, 20)

pytestmark = [
    pytest.mark.needs("strace"),
    pytest.mark.xdist_group("strace"),
    pytest.mark.timeout(needs.count(180, 900)),
]


@pytest.fixture(scope="module")
def lives() -> Iterator[Nursery]:
    with nursery() as begun:
        yield begun


@pytest.fixture(scope="module")
def once(lives: Nursery) -> Life:
    """The life that nothing disturbs."""
    life = lives.new()
    assert lives.begin(life).end() == 0
    return life


@pytest.fixture(scope="module")
def moments(lives: Nursery) -> Sequence[tuple[str, int]]:
    """Calls by their names and numbers, one of each kind in turn until the rarer are used up; then all again."""
    life = lives.new()
    made = counted(lives.begin(life, waits=True), CALLS, life.folder / "calls")
    dice, wanted = random.Random(20261121), KILLS * BATCHES
    every = [dice.sample(range(1, made[call] + 1), made[call]) for call in CALLS]
    turns = [(call, number) for turn in zip_longest(*every) for call, number in zip(CALLS, turn, strict=True) if number]
    return (turns * (1 + wanted // len(turns)))[:wanted]


def kill_at(lives: Nursery, call: str, number: int) -> tuple[Life, bool]:
    """A life that ends where it makes a call for that time, and then one in peace; whether it was really killed."""
    life = lives.new()
    child = lives.begin(life, waits=True)
    tracer = Tracer(child, injected(call, f"signal=SIGKILL:when={number}"))
    status = child.end()
    tracer.wait()
    assert status in (0, -signal.SIGKILL)
    life.look()
    life.wrong += wholeness(life)
    assert lives.begin(life).end() == 0
    return life, status != 0


@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_kill_at_any_system_call_loses_nothing_and_doubles_at_most_what_was_in_flight(
    batch: int, lives: Nursery, once: Life, moments: Sequence[tuple[str, int]], tally: Tally
) -> None:
    wrong, kills = [], 0
    for call, number in moments[batch * KILLS :][:KILLS]:
        life, killed = kill_at(lives, call, number)
        kills += killed
        wrong += [f"killed at {call} {number}: {each}" for each in differences(life, once)]
        lives.forget(life)
    tally("R2b", kills)
    assert wrong == []
    assert kills > KILLS * 0.8
