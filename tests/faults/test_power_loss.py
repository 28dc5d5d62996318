"""The current fails at any moment, and takes with it any part of what was not synced: nothing acknowledged is lost."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import needs
from tests.conftest import Tally
from tests.faults.nursery import Upbringing
from tests.faults.power import Findings, fail_often, record
from tests.faults.tracing import Nursery, nursery, quick_folder

STATES = needs.count(500, 1_000)
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


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder() as made:
        yield made


def trial(lives: Nursery, folder: Path, synchronous: str, states: int, seed: int) -> Findings:
    tape = record(lives, Upbringing(synchronous))
    assert sum(step.file == "acks" for step in tape.steps) > 2
    return fail_often(tape, states, folder, random.Random(seed))


@pytest.mark.parametrize("seed", range(BATCHES))
def test_a_power_failure_loses_nothing_acknowledged_and_damages_nothing(
    seed: int, lives: Nursery, folder: Path, tally: Tally
) -> None:
    found = trial(lives, folder, "FULL", STATES, seed)
    tally("R3", found.states)
    assert found.states == STATES
    assert (found.lost, found.corrupt) == ([], [])


def test_the_trial_notices_where_commits_are_not_synced(lives: Nursery, folder: Path) -> None:
    found = trial(lives, folder, "NORMAL", 150, 1)
    assert len(found.lost) > 10
    assert found.corrupt == []


def test_the_trial_notices_where_nothing_is_synced(lives: Nursery, folder: Path) -> None:
    found = trial(lives, folder, "OFF", 300, 1)
    assert len(found.lost) > 10
    assert len(found.corrupt) > 10
