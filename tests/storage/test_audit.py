"""The audit chain over history: whatever is done to a sealed row comes to light under its own name."""

from collections.abc import AsyncIterator

import pytest

from domain import audit, chain
from domain.audit import Fault, Kind
from domain.chain import Head, read_heads
from storage import erasing, history, seals, verifying
from storage.database import Database, Tx
from storage.errors import ConstraintViolated
from tests import needs
from tests.backends import current, open_house
from tests.storage.tampering import (
    AT,
    DEEDS,
    ZERO_WINDOW,
    Tamperer,
    attempt,
    for_a_moment,
    lay_history,
    seal_all,
    verified,
)


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


@pytest.mark.parametrize("table", ["events", "seals"])
@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE {t} SET {c} = 'x'",
        "UPDATE {t} SET {c} = {c} WHERE {i} = 1",
        "DELETE FROM {t} WHERE {i} = 1",
        "DELETE FROM {t}",
        "{clear}",
    ],
)
async def test_the_database_refuses_to_change_or_delete(house: Database, table: str, deed: str) -> None:
    column, number = {"events": ("facts", "id"), "seals": ("hash", "n")}[table]
    clear = {"postgres": f"TRUNCATE {table} CASCADE", "sqlite": f"REPLACE INTO {table} SELECT * FROM {table}"}
    sql = deed.format(t=table, c=column, i=number, clear=clear[current().name])
    with pytest.raises(ConstraintViolated, match="append-only"):
        await house.transaction(lambda tx: tx.run(sql))
    assert (await house.reading(verified))[1] == []


async def test_erased_words_leave_a_whole_chain_and_are_counted(house: Database) -> None:
    async def erase(tx: Tx) -> tuple[int, int]:
        (row,) = await tx.all("SELECT id FROM people WHERE name = '王敏'")
        return await erasing.words_of_appeal(tx, 1), await erasing.words_of_person(tx, row["id"])

    of_appeal, of_person = await house.transaction(erase)
    assert (of_appeal, of_person > 5) == (2, True)
    outcome, found = await house.reading(verified)
    assert (found, outcome.erased) == ([], of_appeal + of_person)
    left = "SELECT COUNT(*) AS n FROM event_texts t JOIN events e ON e.id = t.event_id WHERE e.appeal_id = 1"
    (row,) = await house.reading(lambda tx: tx.all(left))
    assert row["n"] == 0


async def test_every_column_of_an_event_is_bound(house: Database) -> None:
    (row,) = await house.reading(lambda tx: tx.all("SELECT * FROM events WHERE id = 1"))
    assert {*row} == {"id", *chain.COLUMNS}


async def test_another_key_is_told_as_such_and_cannot_go_on(house: Database) -> None:
    other = bytes(32)
    assert not await house.transaction(lambda tx: seals.begin(tx, other))
    outcome, found = await house.reading(lambda tx: verified(tx, key=other))
    assert (found, outcome.faults) == ([Fault(Kind.WRONG_KEY)], 1)


async def test_who_has_the_key_and_writes_history_anew_is_betrayed_by_the_code(house: Database) -> None:
    head = await head_of(house)

    async def forge(tx: Tx) -> list[Fault]:
        forger = await Tamperer.come(tx, 1)
        await tx.run("UPDATE events SET actor_id = 99 WHERE id = 3")
        for link in forger.chain:
            await forger.remove(link, "seal")
        await seal_all(tx)
        assert (await verified(tx))[1] == []
        return (await verified(tx, head))[1]

    assert await for_a_moment(house, forge) == [Fault(Kind.REWRITTEN, head.n or 0)]


async def test_a_full_hash_without_its_number_is_looked_for_in_the_whole_chain(house: Database) -> None:
    (row,) = await house.reading(lambda tx: tx.all("SELECT hash FROM seals WHERE n = 7"))
    for start, kinds in ((row["hash"], []), ("f" * 64, [Kind.CUT])):
        (head,) = read_heads(start)
        _, found = await house.reading(lambda tx, head=head: verified(tx, head))  # type: ignore[misc]  # mypy cannot type a lambda with a default
        assert [fault.kind for fault in found] == kinds


async def test_many_faults_are_each_told(house: Database) -> None:
    async def tamper(tx: Tx) -> list[Fault]:
        await Tamperer.come(tx, 1)
        await tx.run("UPDATE events SET at = at + 1 WHERE id IN (2, 3, 9)")
        await tx.run("DELETE FROM event_texts WHERE event_id = 6")
        await tx.run("DELETE FROM events WHERE id = 6")
        return (await verified(tx))[1]

    found = await for_a_moment(house, tamper)
    assert [(fault.kind, fault.event) for fault in found if fault.n] == [
        (Kind.CHANGED, 2),
        (Kind.CHANGED, 3),
        (Kind.MISSING, 6),
        (Kind.CHANGED, 9),
    ]


async def test_more_faults_than_can_be_weighed_are_told_all_the_same(
    house: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "MOST_WEIGHED", 3)

    async def tamper(tx: Tx) -> set[int | None]:
        await Tamperer.come(tx, 1)
        await tx.run("UPDATE events SET at = at + 1 WHERE id < 11")
        return {fault.event for fault in (await verified(tx))[1] if fault.kind is Kind.CHANGED}

    assert await for_a_moment(house, tamper) == set(range(1, 11))


async def test_a_lost_step_names_the_appeal_even_before_it_is_sealed(house: Database) -> None:
    async def tamper(tx: Tx) -> list[Fault]:
        await Tamperer.come(tx, 1)
        await tx.run("UPDATE appeals SET version = version + 1 WHERE id = 1")
        return (await verified(tx))[1]

    assert await for_a_moment(house, tamper) == [Fault(Kind.STEP_MISSING, 0, None, "1")]


async def test_what_is_not_sealed_yet_is_counted_and_no_fault(house: Database) -> None:
    line = history.Line("park", "noted", None, AT, {}, text="新的")
    await house.transaction(lambda tx: history.write(tx, line))
    outcome, found = await house.reading(verified)
    assert (found, outcome.waiting) == ([], 1)
    await house.transaction(seal_all)
    outcome, found = await house.reading(verified)
    assert (found, outcome.waiting) == ([], 0)


async def test_a_long_chain_is_sealed_and_read_in_pages(house: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "BATCH", 7)
    monkeypatch.setattr(verifying, "PAGE", 5)
    for _ in range(30):
        await house.transaction(lambda tx: history.write(tx, history.Line("park", "noted", None, AT, {})))
    await house.transaction(seal_all)
    outcome, found = await house.reading(verified)
    assert (found, outcome.waiting) == ([], 0)
    assert outcome.end is not None
    assert outcome.end.n == await house.reading(events)
