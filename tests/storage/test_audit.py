"""The audit chain over history: whatever is done to a sealed row comes to light under its own name."""

from collections.abc import AsyncIterator

import pytest

from domain import chain
from domain.audit import Fault, Kind
from domain.chain import Head, read_heads
from storage import history, seals
from storage.database import Database, Tx
from storage.errors import ConstraintViolated
from tests import needs
from tests.backends import current, open_house
from tests.storage.tampering import AT, DEEDS, KEY, ZERO_WINDOW, attempt, lay_history, seal_all, verified


@pytest.fixture
async def house(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A sealed history in which nothing may turn up late."""
    monkeypatch.setattr(seals, "WINDOW", ZERO_WINDOW)
    opened = await open_house()
    await opened.transaction(lay_history)
    await opened.transaction(seal_all)
    yield opened
    await opened.close()


async def head_of(database: Database) -> Head:
    """What the inspector holds."""
    end = await database.reading(seals.end)
    assert end is not None
    (head,) = read_heads(f"3月11日审计码：{end.code}")
    return head


async def events(tx: Tx) -> int:
    (row,) = await tx.all("SELECT COUNT(*) AS n FROM events")
    return int(row["n"])


async def test_an_untouched_history_is_whole_and_fits_the_code_that_was_kept(house: Database) -> None:
    head = await head_of(house)
    outcome, found = await house.reading(lambda tx: verified(tx, head))
    assert found == []
    assert outcome.end is not None
    assert (outcome.end.n, outcome.waiting, outcome.erased) == (await house.reading(events), 0, 0)


async def test_every_tampering_is_found_and_the_event_named_is_the_one(house: Database) -> None:
    rounds = 50 if current().name == "postgres" and not needs.full() else 500
    head = await head_of(house)
    wrong = [await attempt(house, DEEDS[seed % len(DEEDS)], seed, head) for seed in range(rounds)]
    assert [each for each in wrong if each] == []
    assert (await house.reading(lambda tx: verified(tx, head)))[1] == []
