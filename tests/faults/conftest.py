"""What the trials of faults share: where they write down how often they really tried."""

from collections.abc import Callable

import pytest

from tests.summary import TRIALS

Tally = Callable[[str, int], None]


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Tally:
    """`tally("R3", 500)`: so many trials of a promise were really made; told in the table at the end of the run."""

    def note(promise: str, trials: int) -> None:
        record_property(TRIALS, f"{promise}={trials}")

    return note
