"""What the trials of faults share: lives that may be cut short, and where it is written down how often they tried."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults.life import Life
from tests.faults.tracing import Nursery, nursery
from tests.summary import TRIALS

Tally = Callable[[str, int], None]


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Tally:
    """`tally("R3", 500)`: so many trials of a promise were really made; told in the table at the end of the run."""

    def note(promise: str, trials: int) -> None:
        record_property(TRIALS, f"{promise}={trials}")

    return note


@pytest.fixture(scope="module")
def lives() -> Iterator[Nursery]:
    """Where lives begin, each in a process of its own."""
    with nursery() as begun:
        yield begun


@pytest.fixture(scope="module")
def once(lives: Nursery) -> Life:
    """The life that nothing disturbs."""
    life = lives.new()
    assert lives.begin(life).end() == 0
    return life
