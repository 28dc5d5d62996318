"""Backups: all of a house in one file, on both engines, and nothing of a damaged one ever comes back (R13)."""

import hashlib
import json
import random
import sqlite3
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.errors import Refused
from storage import archive, backup, restore, shape
from storage.archive import About
from storage.database import Database, Tx
from storage.errors import ConstraintViolated
from storage.migrations import SCHEMA, migrate
from storage.open import open_as_it_is, open_database
from tests import needs
from tests.backends import Backend, chosen, open_bare, open_house
from tests.faults.crashing import Dead, Fate, MortalDatabase
from tests.storage import furnishing
from tests.storage.looking import broken, contents, how_it_is_made
from tests.storage.test_archive import back_up, forged
from tests.storage.test_upgrades import house_of, quiet, schema_until

AT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
FLIPS = needs.count(20, 100)
NEWEST = furnishing.newest()


async def bring_back(house: Database, file: Path, folder: Path = SCHEMA) -> About:
    return await restore.restore(house, file, release="0.1.0", at=AT, checking=quiet, filling=quiet, folder=folder)


@pytest.fixture
async def house(tmp_path: Path, backend: Backend) -> AsyncIterator[Database]:
    """A house of the present schema with rows in every table."""
    made = await house_of(NEWEST, tmp_path, backend)
    await migrate(made, at=AT)
    yield made
    await made.close()


@pytest.fixture
async def file(house: Database, tmp_path: Path) -> Path:
    await back_up(house, tmp_path / "a.zip")
    return tmp_path / "a.zip"


async def refusal(house: Database, file: Path, folder: Path = SCHEMA) -> Refused:
    """Why a file is not restored; nothing is written then."""
    before = await tables(house)
    with pytest.raises(Refused) as refused:
        await bring_back(house, file, folder)
    assert await tables(house) == before
    return refused.value


async def tables(house: Database) -> dict[str, Any]:
    return {name: len(rows) for name, rows in (await contents(house)).items()}


# There and back -------------------------------------------------------------------------------------------------------
async def test_every_row_comes_back_as_it_was(house: Database, file: Path) -> None:
    empty = await open_bare()
    about = await bring_back(empty, file)
    assert await contents(empty) == await contents(house)
    assert await how_it_is_made(empty) == await how_it_is_made(house)
    assert await broken(empty) == []
    assert about.rows == sum(map(len, (await contents(house)).values()))
    assert min(map(len, (await contents(empty)).values())) > 0
    await empty.close()


async def test_a_house_moves_from_one_engine_to_the_other_and_back(
    house: Database, file: Path, tmp_path: Path, backend: Backend
) -> None:
    needs.need("pg")
    with chosen({"sqlite": "postgres", "postgres": "sqlite"}[backend.name]):
        other = await open_bare(f"sqlite:///{tmp_path}/other.db")
        await bring_back(other, file)
        assert await contents(other) == await contents(house)
        again = tmp_path / "again.zip"
        await back_up(other, again)
        await other.close()
    back = await open_bare()
    await bring_back(back, again)
    assert await contents(back) == await contents(house)
    await back.close()


async def test_both_engines_make_the_same_members(house: Database, file: Path, tmp_path: Path) -> None:
    await furnishing.make(NEWEST, tmp_path / "same.db")
    sqlite = await open_as_it_is(f"sqlite:///{tmp_path}/same.db")
    there = await back_up(sqlite, tmp_path / "same.zip")
    await sqlite.close()
    with file.open("rb") as opened:
        here = archive.examine(opened, quiet)
    assert {each.table: each for each in here.members} == {each.table: each for each in there.members}


async def test_what_follows_gets_new_numbers(file: Path) -> None:
    empty = await open_bare()
    await bring_back(empty, file)

    async def unit(tx: Tx) -> tuple[int, int]:
        (most,) = await tx.all("SELECT MAX(id) AS id FROM people")
        (made,) = await tx.all("INSERT INTO people (name) VALUES ('新来的') RETURNING id")
        return int(most["id"]), int(made["id"])

    last, following = await empty.transaction(unit)
    assert following == last + 1
    await empty.close()


async def test_a_house_without_rows_is_backed_up_and_counts_from_one(tmp_path: Path) -> None:
    new = await open_house()
    await back_up(new, tmp_path / "new.zip")
    await new.close()
    empty = await open_bare()
    await bring_back(empty, tmp_path / "new.zip")
    (row,) = await empty.transaction(lambda tx: tx.all("INSERT INTO people (name) VALUES ('甲') RETURNING id"))
    assert row["id"] == 1
    await empty.close()


async def test_many_rows_and_rows_of_the_same_first_key_are_paged_without_loss(tmp_path: Path) -> None:
    new = await open_house()

    async def unit(tx: Tx) -> None:
        for person in range(1, 4):
            await tx.run("INSERT INTO people (name) VALUES (:name)", {"name": f"人{person}"})
            for n in range(backup.PAGE):
                role = {"id": person, "role": f"r{n}"}
                await tx.run("INSERT INTO person_roles (person_id, role) VALUES (:id, :role)", role)

    await new.transaction(unit)
    await back_up(new, tmp_path / "many.zip")
    empty = await open_bare()
    await bring_back(empty, tmp_path / "many.zip")
    assert await contents(empty) == await contents(new)
    assert len((await contents(empty))["person_roles"]) == 3 * backup.PAGE
    await new.close()
    await empty.close()


async def test_a_row_may_refer_to_one_that_follows_much_later(tmp_path: Path) -> None:
    new = await open_house()

    async def unit(tx: Tx) -> None:
        for n in range(400):
            await tx.run("INSERT INTO people (name) VALUES (:name)", {"name": f"人{n}"})
        await tx.run("UPDATE people SET deputy_id = 400 WHERE id = 1")

    await new.transaction(unit)
    await back_up(new, tmp_path / "far.zip")
    empty = await open_bare()
    await bring_back(empty, tmp_path / "far.zip")
    assert await contents(empty) == await contents(new)
    assert await how_it_is_made(empty) == await how_it_is_made(new)
    await new.close()
    await empty.close()


def write_beside(url: str) -> None:
    """Another process changes rows."""
    sql = "UPDATE turns SET taken_at = taken_at + 1"
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.execute(sql)
            connection.commit()
        return
    import psycopg

    with psycopg.connect(url) as session:
        session.execute(sql)


async def test_the_backup_is_of_one_moment_while_others_write(
    house: Database, tmp_path: Path, backend: Backend
) -> None:
    before = await contents(house)
    written: list[int] = []

    def told(done: int, whole: int) -> None:
        quiet(done, whole)
        if not written:
            written.append(done)
            write_beside(backend.url(f"sqlite:///{tmp_path}/house.db"))

    await backup.back_up(house, tmp_path / "one.zip", park="", release="0.1.0", told=told)
    assert await contents(house) != before
    empty = await open_bare()
    await bring_back(empty, tmp_path / "one.zip")
    assert await contents(empty) == before
    await empty.close()


async def keep_large_file(tx: Tx, n: int) -> None:
    await tx.run(
        "INSERT INTO files (hash, media_type, size, content, kept_at) VALUES (:hash, 'x', 1, :content, 1)",
        {"hash": f"h{n}", "content": random.Random(n).randbytes(1_000_000)},
    )


async def test_memory_stays_flat_however_large_the_files_are(tmp_path: Path) -> None:
    new = await open_house(f"sqlite:///{tmp_path}/large.db")
    for n in range(12):
        await new.transaction(lambda tx, n=n: keep_large_file(tx, n))  # type: ignore[misc]  # the default binds the number
    empty = await open_bare(f"sqlite:///{tmp_path}/empty.db")
    tracemalloc.start()
    try:
        await back_up(new, tmp_path / "large.zip")
        await bring_back(empty, tmp_path / "large.zip")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 11_000_000
    assert await contents(empty) == await contents(new)
    await new.close()
    await empty.close()


# What is refused ------------------------------------------------------------------------------------------------------
async def test_a_reference_that_leads_nowhere_undoes_it_all(file: Path) -> None:
    def orphan(members: dict[str, bytes]) -> None:
        lines = members["tables/person_roles.jsonl"].replace(b"[1,", b"[404404,", 1)
        about = json.loads(members[archive.MANIFEST])
        for each in about["members"]:
            if each["table"] == "person_roles":
                each["sha256"] = hashlib.sha256(lines).hexdigest()
        members["tables/person_roles.jsonl"] = lines
        members[archive.MANIFEST] = json.dumps(about).encode()

    empty = await open_bare()
    with pytest.raises((Refused, ConstraintViolated)):
        await bring_back(empty, forged(file, orphan))
    assert await tables(empty) == {}
    await empty.close()


async def test_a_house_that_holds_anything_is_not_overwritten(house: Database, file: Path) -> None:
    assert (await refusal(house, file)).key == "backup.inhabited"
    new = await open_house()
    await new.transaction(lambda tx: tx.run("INSERT INTO bots (channel, name, link) VALUES ('x', 'y', 'z')"))
    assert (await refusal(new, file)).key == "backup.inhabited"
    await new.close()


async def test_a_house_that_has_a_schema_only_is_filled(house: Database, file: Path) -> None:
    new = await open_house()
    await bring_back(new, file)
    assert await contents(new) == await contents(house)
    await new.close()


async def test_a_backup_of_a_newer_schema_names_the_release_to_install(file: Path, tmp_path: Path) -> None:
    empty = await open_bare()
    refused = await refusal(empty, file, schema_until(NEWEST - 1, tmp_path))
    assert (refused.key, refused.facts["release"]) == ("backup.newer", "0.1.0")
    await empty.close()


async def test_a_backup_of_an_older_schema_is_brought_up_to_date(tmp_path: Path, backend: Backend) -> None:
    old = await house_of(2, tmp_path, backend)
    await back_up(old, tmp_path / "old.zip")
    empty, fresh = await open_bare(), await open_house()
    assert (await bring_back(empty, tmp_path / "old.zip")).schema == 2
    await migrate(old, at=AT)
    assert await contents(empty) == await contents(old)
    assert await how_it_is_made(empty) == await how_it_is_made(fresh)
    assert (await refusal(fresh, tmp_path / "old.zip")).key == "backup.house_ahead"
    for each in (old, empty, fresh):
        await each.close()


async def test_a_backup_with_other_steps_is_refused(file: Path, tmp_path: Path) -> None:
    other = schema_until(NEWEST, tmp_path)
    for part in other.glob("0002_*"):
        part.rename(other / part.name.replace("0002_", "0002_other_"))
    empty = await open_bare()
    assert (await refusal(empty, file, other)).key == "backup.other_steps"
    await empty.close()


# Accidents ------------------------------------------------------------------------------------------------------------
async def test_a_restore_that_dies_on_its_way_leaves_an_empty_house_for_the_next(file: Path, house: Database) -> None:
    counted = Fate()
    await bring_back(MortalDatabase(await open_bare(), counted), file)
    for end in random.Random(1).sample(range(1, counted.steps), needs.count(5, 60)):
        empty = await open_bare()
        with pytest.raises(Dead):
            await bring_back(MortalDatabase(empty, Fate(end)), file)
        if not await tables(empty):
            await bring_back(empty, file)
        await migrate(empty, at=AT)
        assert await contents(empty) == await contents(house), end
        await empty.close()


async def test_a_database_without_a_house_is_not_backed_up(tmp_path: Path) -> None:
    empty = await open_bare()
    with pytest.raises(Refused) as refused:
        await back_up(empty, tmp_path / "none.zip")
    assert refused.value.key == "backup.no_house"
    await empty.close()


async def test_the_house_remembers_when_it_was_backed_up() -> None:
    new = await open_house()
    assert await new.reading(backup.latest) is None
    for hours in (0, 5):
        await new.transaction(lambda tx, hours=hours: backup.note(tx, AT + timedelta(hours=hours)))  # type: ignore[misc]  # the default binds the hours of this turn
    assert await new.reading(backup.latest) == AT + timedelta(hours=5)
    await new.close()


async def test_every_table_of_the_park_is_in_it_on_either_engine(house: Database) -> None:
    here = {table.name for table in (await house.reading(shape.shape)).tables}
    plain = await open_database("sqlite:///:memory:")
    there = {table.name for table in (await plain.reading(shape.shape)).tables}
    await plain.close()
    assert here == there
    assert all(table.key for table in (await house.reading(shape.shape)).tables)
