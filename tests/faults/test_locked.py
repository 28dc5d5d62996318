"""Another program holds the database locked: nothing is acknowledged meanwhile, nothing is lost, the loop turns."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from bot.app import machine_seconds
from tests import needs
from tests.conftest import Tally
from tests.faults.life import Life, differences
from tests.faults.nursery import Upbringing
from tests.faults.tracing import Child, Nursery, nursery

QUICK = ((2.0, 4.0), (2.0, 0.3))
LONG = ((30.0, 10.0),) * 5
ENOUGH = 30.0

pytestmark = [pytest.mark.xdist_group("strace"), pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def lives() -> Iterator[Nursery]:
    with nursery() as begun:
        yield begun


def until_it_speaks(life: Life, child: Child) -> None:
    while len(life.sent) < 3:
        assert child.lives_on(0.005)


def hold(life: Life, child: Child, seconds: float) -> tuple[str, str]:
    """Lock the house for so long; what was acknowledged soon after the beginning, and at the end."""
    with closing(sqlite3.connect(life.folder / "house.db", timeout=20, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert child.lives_on(0.1)
        end, before = machine_seconds() + seconds, (life.folder / "acks").read_text(encoding="ascii")
        while machine_seconds() < end:
            assert child.lives_on(0.05)
        after = (life.folder / "acks").read_text(encoding="ascii")
        life.look()
        life.claims.clear()  # nobody has died
        other.execute("ROLLBACK")
    return before, after


@pytest.mark.parametrize("seconds, patience", LONG if needs.full() else QUICK)
def test_while_another_program_holds_the_lock_nothing_is_acknowledged_and_the_loop_turns(
    seconds: float, patience: float, lives: Nursery, tally: Tally
) -> None:
    once, life = lives.new(), lives.new()
    assert lives.begin(once).end() == 0
    child = lives.begin(life, Upbringing(busy=patience))
    until_it_speaks(life, child)
    before, after = hold(life, child, seconds)
    assert not child.lives_on(ENOUGH)
    tally("R11", 1)
    assert child.end() == 0
    assert before == after
    assert differences(life, once) == []
    assert float((life.folder / "lag").read_text(encoding="ascii")) < min(1.0, patience * 3)
