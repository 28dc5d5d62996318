"""A house of any earlier schema becomes one of the present schema, whatever happens on the way (R14)."""

import asyncio
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from storage import backup, restore
from storage.database import Database
from storage.errors import SchemaTooNew
from storage.migrations import SCHEMA, migrate, pending, read_folder
from storage.open import open_as_it_is
from tests import needs
from tests.backends import Backend, open_bare, open_house
from tests.faults.crashing import Dead, Fate, MortalDatabase
from tests.storage import furnishing
from tests.storage.looking import broken, contents, how_it_is_made
from tests.storage.test_migrations import MIGRATOR
from tests.summary import Tally

AT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
OLDER = range(1, furnishing.newest())
CRASHES = needs.count(12, 10_000)
"""On PostgreSQL, where each needs a database of its own, so many statements are chosen; on SQLite it is every one."""
FILLED_CRASHES = {"sqlite": needs.count(2, 10_000), "postgres": needs.count(1, 20)}


def schema_until(number: int, folder: Path) -> Path:
    """The migrations as a release had them whose schema was `number`."""
    made = folder / f"schema{number}"
    made.mkdir(exist_ok=True)
    for file in SCHEMA.glob("*.sql"):
        if int(file.name[:4]) <= number:
            shutil.copy(file, made)
    return made


def quiet(done: int, whole: int) -> None:
    assert 0 <= done <= whole


async def house_of(number: int, folder: Path, backend: Backend) -> Database:
    """A furnished house of that schema; its URL is that of house.db in the folder."""
    kept = folder / "house.db"
    await furnishing.make(number, kept)
    if backend.name == "sqlite":
        return await open_as_it_is(f"sqlite:///{kept}")
    source = await open_as_it_is(f"sqlite:///{kept}")
    file = folder / "kept.zip"
    await backup.back_up(source, file, park="试点园区", release="0.0.1", told=quiet)
    await source.close()
    house = await open_bare(f"sqlite:///{kept}")
    older = schema_until(number, folder)
    await restore.restore(house, file, release="0.0.1", at=AT, checking=quiet, filling=quiet, folder=older)
    return house


@pytest.fixture
async def fresh() -> AsyncIterator[Database]:
    """A house that was never older."""
    database = await open_house(at=AT)
    yield database
    await database.close()


def projected(after: dict[str, list[dict[str, Any]]], before: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """What of the rows after an upgrade was there before."""
    return {
        name: sorted(({column: row[column] for column in rows[0]} for row in after[name]), key=repr)
        for name, rows in before.items()
        if rows
    }


def test_a_house_of_every_earlier_schema_is_kept_and_has_rows_in_every_table(tmp_path: Path) -> None:
    assert list(furnishing.kept()) == list(OLDER), "run `python -m tests.storage.furnishing`"
    for number in OLDER:
        furnishing.load(number, tmp_path / f"{number}.db")
        assert [name for name, rows in furnishing.table_rows(tmp_path / f"{number}.db").items() if not rows] == []


@pytest.mark.parametrize("number", OLDER)
async def test_it_is_brought_up_to_date_and_every_row_is_kept(
    number: int, tmp_path: Path, backend: Backend, fresh: Database
) -> None:
    house = await house_of(number, tmp_path, backend)
    before = await contents(house)
    steps = await migrate(house, at=AT, release="0.1.0")
    assert [step.number for step in steps] == list(range(number + 1, furnishing.newest() + 1))
    assert await how_it_is_made(house) == await how_it_is_made(fresh)
    assert projected(await contents(house), before) == {name: rows for name, rows in before.items() if rows}
    assert await broken(house) == []
    assert await migrate(house, at=AT) == []
    await house.close()


async def migrations_done(house: Database) -> list[int]:
    rows = await house.reading(lambda tx: tx.all("SELECT number FROM schema_migrations ORDER BY number"))
    return [row["number"] for row in rows]


async def crash(house: Database, end: int | None) -> int:
    """Migrate, and die at that step; how many steps there were."""
    fate = Fate(end)
    try:
        await migrate(MortalDatabase(house, fate), at=AT)
    except Dead:
        assert fate.dead
    return fate.steps


async def test_a_migrator_that_dies_at_any_statement_is_made_good_by_the_next(
    backend: Backend, fresh: Database, tally: Tally
) -> None:
    whole = await open_bare()
    steps = await crash(whole, None)
    await whole.close()
    wanted = await how_it_is_made(fresh)
    ends: list[int] = list(range(1, steps + 1))
    if backend.name == "postgres":
        ends = sorted(random.Random(6).sample(ends, min(CRASHES, steps)))
    assert steps > 100
    for end in ends:
        house = await open_bare()
        assert await crash(house, end) == end
        await migrate(house, at=AT)
        assert await how_it_is_made(house) == wanted, end
        await house.close()
    tally("R14", len(ends))


@pytest.mark.parametrize("number", OLDER)
async def test_a_filled_house_whose_migrator_dies_is_brought_up_to_date_by_the_next_and_keeps_every_row(
    number: int, tmp_path: Path, backend: Backend, fresh: Database, tally: Tally
) -> None:
    wanted, trial = await how_it_is_made(fresh), await house_of(number, tmp_path, backend)
    steps = await crash(trial, None)
    await trial.close()
    ends = random.Random(number).sample(range(1, steps + 1), min(FILLED_CRASHES[backend.name], steps))
    for end in ends:
        folder = tmp_path / str(end)
        folder.mkdir()
        house = await house_of(number, folder, backend)
        before = await contents(house)
        assert await crash(house, end) == end
        await migrate(house, at=AT)
        assert await how_it_is_made(house) == wanted, end
        assert projected(await contents(house), before) == {name: rows for name, rows in before.items() if rows}, end
        assert await broken(house) == [], end
        await house.close()
    tally("R14", len(ends))


@pytest.mark.parametrize("lines", range(1, 1 + needs.count(2, 4)))
async def test_a_migrator_killed_amid_the_real_steps_is_made_good_by_the_next(
    lines: int, tmp_path: Path, backend: Backend, fresh: Database
) -> None:
    url = backend.url(f"sqlite:///{tmp_path}/house.db", empty=True)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", MIGRATOR, url, str(SCHEMA), cwd=Path(__file__).parents[2], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    for _ in range(lines):
        await process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    await process.wait()
    house = await open_as_it_is(url)
    assert len(await migrations_done(house)) >= lines
    await migrate(house, at=AT)
    assert await how_it_is_made(house) == await how_it_is_made(fresh)
    await house.close()


async def test_an_old_release_names_the_one_to_install(tmp_path: Path) -> None:
    house = await open_bare()
    await migrate(house, at=AT, release="0.7.3")
    older = schema_until(furnishing.newest() - 1, tmp_path)
    with pytest.raises(SchemaTooNew, match=r"install lianqi 0\.7\.3, by which"):
        await migrate(house, older, at=AT, release="0.1.0")
    with pytest.raises(SchemaTooNew):
        await pending(house, older)
    await house.close()


async def test_a_record_without_releases_grows_by_them(tmp_path: Path, backend: Backend) -> None:
    house = await house_of(1, tmp_path, backend)
    await migrate(house, at=AT, release="0.7.3")
    rows = await house.reading(lambda tx: tx.all("SELECT number, release FROM schema_migrations ORDER BY number"))
    assert rows[-1]["release"] == "0.7.3"
    assert len(rows) == len(read_folder(SCHEMA, backend.name))
    await house.close()
