"""What the trials of faults share: lives that may be cut short."""

from collections.abc import Iterator

import pytest

from tests.faults.life import Life
from tests.faults.tracing import Nursery, nursery


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
