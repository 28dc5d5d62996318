"""Opening the database that a URL names."""

from pathlib import Path

import pytest

from storage.errors import UnknownBackend
from storage.open import open_database

BACKENDS = ("sqlite",)


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    (tmp_path / "0001_notes.sql").write_text("CREATE TABLE notes (body TEXT);", encoding="utf-8")
    return tmp_path


async def test_three_slashes_begin_a_path_from_here(
    tmp_path: Path, schema: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    database = await open_database("sqlite:///data/house.db", schema=schema)
    await database.close()
    assert (tmp_path / "data" / "house.db").exists()


async def test_four_slashes_begin_a_path_from_the_root(tmp_path: Path, schema: Path) -> None:
    database = await open_database(f"sqlite:///{tmp_path}/deep/down/house.db", schema=schema)
    await database.close()
    assert (tmp_path / "deep" / "down" / "house.db").exists()


async def test_a_database_in_memory_starts_empty_each_time(schema: Path) -> None:
    for _ in range(2):
        database = await open_database("sqlite:///:memory:", schema=schema)
        await database.transaction(lambda tx: tx.run("INSERT INTO notes VALUES ('x')"))
        assert len(await database.reading(lambda tx: tx.all("SELECT * FROM notes"))) == 1
        await database.close()


@pytest.mark.parametrize(
    "url,reason",
    [
        ("postgresql://house:secret@db/house?sslmode", "reads postgresql://user@host/database"),
        ("mysql://house:secret@db/house", "no such backend; it has: sqlite, postgresql"),
        ("data/house.db", "no such backend"),
        ("sqlite://house.db", "three slashes"),
        ("sqlite:///", "three slashes"),
    ],
)
async def test_a_url_that_cannot_be_used_is_told_plainly_and_without_its_password(url: str, reason: str) -> None:
    with pytest.raises(UnknownBackend, match=reason) as told:
        await open_database(url)
    assert "secret" not in str(told.value)
