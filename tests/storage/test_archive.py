"""The file of a backup: any damage is found before anything is done with it, and it is whole or not there."""

import random
import stat
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from domain.errors import Refused
from storage import archive, backup
from storage.archive import About
from storage.database import Database
from storage.errors import StorageUnavailable
from tests import needs
from tests.backends import Backend
from tests.storage import furnishing
from tests.storage.test_upgrades import house_of, quiet
from tests.summary import Tally

BACKENDS = ("sqlite",)
FLIPS = needs.count(20, 100)


async def back_up(house: Database, file: Path) -> About:
    return await backup.back_up(house, file, park="试点园区", release="0.1.0", told=quiet)


@pytest.fixture
async def house(tmp_path: Path, backend: Backend) -> AsyncIterator[Database]:
    made = await house_of(furnishing.newest(), tmp_path, backend)
    yield made
    await made.close()


@pytest.fixture
async def file(house: Database, tmp_path: Path) -> Path:
    await back_up(house, tmp_path / "a.zip")
    return tmp_path / "a.zip"


def verdict(file: Path) -> str:
    """What is found in a file."""
    try:
        with file.open("rb") as opened:
            archive.examine(opened, quiet)
    except Refused as refused:
        return refused.key
    return "good"


def names(folder: Path, part: str) -> list[str]:
    return [path.name for path in folder.iterdir() if part in path.name]


def test_every_flipped_bit_and_every_cut_is_found(file: Path, tmp_path: Path, tally: Tally) -> None:
    good, dice, bad = file.read_bytes(), random.Random(13), tmp_path / "bad.zip"
    for n in range(FLIPS):
        damaged = bytearray(good)
        if n % 4 == 3:
            del damaged[dice.randrange(len(good)) :]
        else:
            damaged[dice.randrange(len(good))] ^= 1 << dice.randrange(8)
        bad.write_bytes(damaged)
        assert verdict(bad) == "backup.damaged", n
    assert verdict(file) == "good"
    tally("R13b", FLIPS)


@pytest.mark.parametrize("found", [b"", b"x", b"hello" * 100, b"PK\x05\x06" + b"\0" * 18])
def test_something_else_is_no_backup(found: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(found)
    assert verdict(tmp_path / "x.zip") == "backup.damaged"


def forged(file: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A backup with other members, whose digest is right again."""
    with zipfile.ZipFile(file) as given:
        members = {name: given.read(name) for name in given.namelist()}
    change(members)
    made = file.with_name("forged.zip")
    made.unlink(missing_ok=True)
    with archive.create(made) as opened:
        with archive.begin(opened) as zipped:
            for name, content in members.items():
                zipped.writestr(name, content)
            zipped.comment = archive.MARK + b"0" * archive.DIGEST
        archive.put_digest(opened)
    return made


def drop_member(members: dict[str, bytes]) -> None:
    del members["tables/people.jsonl"]


def add_member(members: dict[str, bytes]) -> None:
    members["tables/passwords.jsonl"] = b""


def drop_row(members: dict[str, bytes]) -> None:
    members["tables/people.jsonl"] = members["tables/people.jsonl"].split(b"\n", 1)[1]


def change_row(members: dict[str, bytes]) -> None:
    members["tables/people.jsonl"] = members["tables/people.jsonl"].replace("王敏".encode(), "王梅".encode())


def drop_manifest(members: dict[str, bytes]) -> None:
    del members[archive.MANIFEST]


def spoil_manifest(members: dict[str, bytes]) -> None:
    members[archive.MANIFEST] = b'{"format": 1}'


@pytest.mark.parametrize("change", [drop_member, add_member, drop_row, change_row, drop_manifest, spoil_manifest])
def test_members_that_are_not_as_the_manifest_says_are_found(
    change: Callable[[dict[str, bytes]], None], file: Path
) -> None:
    assert verdict(forged(file, lambda members: None)) == "good"
    assert verdict(forged(file, change)) == "backup.damaged"


async def test_a_backup_that_dies_leaves_no_file_of_that_name(house: Database, tmp_path: Path) -> None:
    def told(done: int, whole: int) -> None:
        if done > whole // 2:
            raise StorageUnavailable("gone")

    with pytest.raises(StorageUnavailable):
        await backup.back_up(house, tmp_path / "half.zip", park="", release="0.1.0", told=told)
    assert names(tmp_path, "half") == []


async def test_a_file_that_is_there_is_left_alone(house: Database, tmp_path: Path) -> None:
    (tmp_path / "old.zip").write_bytes(b"the old one")
    with pytest.raises(Refused) as refused:
        await back_up(house, tmp_path / "old.zip")
    assert refused.value.key == "backup.exists"

    def told(done: int, whole: int) -> None:
        (tmp_path / "late.zip").write_bytes(b"somebody else's")

    with pytest.raises(Refused):
        await backup.back_up(house, tmp_path / "late.zip", park="", release="0.1.0", told=told)
    assert (tmp_path / "late.zip").read_bytes() == b"somebody else's"
    assert (tmp_path / "old.zip").read_bytes() == b"the old one"
    assert names(tmp_path, ".part") == []


def test_only_its_owner_reads_it(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_where_files_cannot_have_two_names_it_gets_its_name_all_the_same(
    house: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.link", refuse)
    await back_up(house, tmp_path / "b.zip")
    assert verdict(tmp_path / "b.zip") == "good"
    assert names(tmp_path, ".part") == []
