"""SQLite and its disk: settings, folders, locks, full disks, failing commits, and kill -9."""

import asyncio
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from storage import sqlite_connection
from storage.database import Database, Tx
from storage.errors import StorageUnavailable
from storage.sqlite import open_sqlite
from storage.sqlite_connection import check_settings, connect
from tests.storage.notes import bodies, make_tables, together, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "house.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    opened = await open_sqlite(str(path))
    await opened.transaction(make_tables)
    yield opened
    await opened.close()


OPEN_ONLY = """
import asyncio, sys
from storage.sqlite import open_sqlite
try:
    asyncio.run(open_sqlite(sys.argv[1] + "/house.db"))
except Exception as error:
    print(type(error).__name__, error)
"""


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


class TestTheDisk:
    async def test_the_settings_are_read_back(self, path: Path) -> None:
        path.parent.mkdir()
        with closing(connect(str(path))) as connection:
            for name, value in (
                ("synchronous", "NORMAL"),
                ("foreign_keys", "OFF"),
                ("journal_mode", "DELETE"),
            ):
                check_settings(connection, str(path))
                before = connection.execute(f"PRAGMA {name}").fetchone()[0]
                connection.execute(f"PRAGMA {name} = {value}")
                with pytest.raises(StorageUnavailable, match=name):
                    check_settings(connection, str(path))
                connection.execute(f"PRAGMA {name} = {before}")

    async def test_its_folder_is_made_and_the_file_is_its_owners_alone(self, database: Database, path: Path) -> None:
        assert modes(path.parent) == {"house.db": 0o600, "house.db-wal": 0o600, "house.db-shm": 0o600}

    async def test_closing_leaves_one_file(self, path: Path) -> None:
        database = await open_sqlite(str(path))
        await database.transaction(make_tables)
        await bodies(database)
        await database.close()
        await database.close()
        assert [file.name for file in path.parent.iterdir()] == ["house.db"]
        for call in (database.transaction, database.reading):
            with pytest.raises(StorageUnavailable, match="closed"):
                await call(make_tables)

    async def test_closing_finishes_what_was_handed_in(self, path: Path) -> None:
        database = await open_sqlite(str(path))
        await database.transaction(make_tables)
        tasks = [asyncio.create_task(database.transaction(write(f"n{n}"))) for n in range(100)]
        await asyncio.sleep(0)
        await database.close()
        assert await asyncio.gather(*tasks) == [1] * 100

    async def test_a_folder_that_cannot_be_made_is_told_plainly(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(StorageUnavailable, match=r"file/house\.db"):
            await open_sqlite(str(tmp_path / "file" / "house.db"))

    async def test_a_file_that_is_no_database_is_told_plainly(self, tmp_path: Path) -> None:
        (tmp_path / "house.db").write_text("年报 " * 500)
        with pytest.raises(StorageUnavailable, match="not a database"):
            await open_sqlite(str(tmp_path / "house.db"))

    async def test_a_read_only_file_system_is_told_plainly(self, tmp_path: Path) -> None:
        script = """mount -t tmpfs tmpfs "$0" && mount -o remount,ro "$0" || exit 77; exec "$1" -c "$2" "$0" """
        done = await asyncio.to_thread(
            subprocess.run,
            ["unshare", "-Urm", "sh", "-c", script, str(tmp_path), sys.executable, OPEN_ONLY],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"no private mounts here: {done.stderr.strip()}")
        assert done.stdout.startswith("StorageUnavailable Cannot use")

    async def test_a_locked_database_is_told_and_comes_back(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite_connection, "BUSY_SECONDS", 0.02)
        database = await open_sqlite(str(path))
        await database.transaction(make_tables)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            results = await together(database, write("a"), write("b"))
            assert [str(result)[:71] for result in results] == [
                "The database cannot work: another program held the database locked for "
            ] * 2
            with pytest.raises(StorageUnavailable, match="locked"):
                await database.transaction(write("c"))
            other.execute("ROLLBACK")
        assert await together(database, write("a"), write("b")) == [1, 1]
        await database.close()

    async def test_a_full_disk_confirms_nothing_and_recovers_by_itself(self, database: Database) -> None:
        async def limit(tx: Tx, pages: int = 0) -> int:
            row = await tx.one(f"PRAGMA max_page_count = {pages}")
            assert row is not None
            return 0

        await database.transaction(write("before"))
        await database.transaction(lambda tx: limit(tx, 1))
        results = await together(database, *(write(f"{n}" * 9000) for n in range(5)))
        assert {type(result) for result in results} == {StorageUnavailable}
        assert "the disk is full" in str(results[0])
        assert await bodies(database) == ["before"]
        await database.transaction(lambda tx: limit(tx, 1_000_000))
        assert await together(database, write("x" * 9000), write("after")) == [1, 1]

    async def test_a_commit_the_disk_refuses_confirms_nothing_and_recovers(
        self, database: Database, path: Path
    ) -> None:
        await database.transaction(write("before"))
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        written = path.with_name("house.db-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (written, hard))
        try:
            results = await together(database, write("lost"), write("lost too"))
            with pytest.raises(StorageUnavailable, match="disk failed"):
                await database.transaction(write("lost as well"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert {type(result) for result in results} == {StorageUnavailable}
        assert await together(database, write("after"), write("later")) == [1, 1]
        assert await bodies(database) == ["before", "after", "later"]


BURST = """
import asyncio, sys
from storage.sqlite import open_sqlite

BACKENDS = ("sqlite",)

async def call(database, caller):
    for number in range(1000):
        name = f"{caller}-{number}"
        async def unit(tx):
            await tx.run("INSERT INTO notes (body) VALUES (:b)", {"b": name})
            await tx.run("INSERT INTO owed (note_id) SELECT id FROM notes WHERE body = :b", {"b": name})
        await database.transaction(unit)
        sys.stdout.write(name + "\\n")
        sys.stdout.flush()

async def main():
    database = await open_sqlite(sys.argv[1])
    await asyncio.gather(*(call(database, caller) for caller in range(16)))

asyncio.run(main())
"""


@pytest.mark.parametrize("lines", [1, 40, 333])
async def test_what_was_confirmed_outlives_kill_9(database: Database, path: Path, lines: int) -> None:
    await database.close()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BURST, str(path), cwd=Path(__file__).parents[2], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    confirmed = [await process.stdout.readline() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    confirmed += (await process.stdout.read()).splitlines(keepends=True)
    assert await process.wait() == -signal.SIGKILL
    reopened = await open_sqlite(str(path))
    kept = await bodies(reopened)
    assert {line.decode().strip() for line in confirmed if line.endswith(b"\n")} <= set(kept)
    assert len(kept) >= lines
    for sql, answer in (
        ("PRAGMA integrity_check", [{"integrity_check": "ok"}]),
        ("SELECT 1 FROM notes LEFT JOIN owed ON note_id = notes.id WHERE note_id IS NULL", []),
    ):
        assert await reopened.reading(lambda tx, sql=sql: tx.all(sql)) == answer  # type: ignore[misc]  # the default binds this turn of the loop
    await reopened.close()
