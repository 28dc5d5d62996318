"""The file of a backup: a zip with one member of JSON lines a table, a manifest of them, and a digest of the whole.

The last 64 characters, in the zip's comment, are the SHA-256 of all bytes before them: a flipped bit anywhere shows.
The manifest holds the number of rows and the SHA-256 of each member, so that nothing is missing and nothing is foreign.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Self, cast

from domain.errors import Refused

FORMAT = 1
OWNER_ONLY = 0o600
CHUNK = 1 << 20
MARK = b"lianqi backup, sha256 "
DIGEST = 64
MANIFEST = "manifest.json"
LEVEL = 3
"""How hard zlib tries: at 6 the file is 7 % smaller and takes nearly twice as long."""

Told = Callable[[int, int], None]
"""Hears how much is done, and of how much."""
Done = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Member:
    """One table as it stands in the file; `sha256` is that of its lines."""

    table: str
    columns: tuple[str, ...]
    rows: int
    sha256: str

    @property
    def name(self) -> str:
        """How the member is called."""
        return f"tables/{self.table}.jsonl"


@dataclass(frozen=True, slots=True)
class About:
    """What the manifest tells of a backup; `made_at` in milliseconds, `steps` are the migrations it had."""

    park: str
    release: str
    engine: str
    made_at: int
    steps: tuple[str, ...]
    members: tuple[Member, ...] = ()

    @property
    def schema(self) -> int:
        """The number of the schema."""
        return len(self.steps)

    @property
    def rows(self) -> int:
        """All rows of all tables."""
        return sum(member.rows for member in self.members)


# Writing --------------------------------------------------------------------------------------------------------------
class Lines:
    """A member that is being written."""

    def __init__(self, file: IO[bytes], table: str, columns: Sequence[str]) -> None:
        self._file = file
        self._about = Member(table, tuple(columns), 0, "")
        self._digest = hashlib.sha256()
        self.rows = 0

    def add(self, values: Sequence[Any]) -> None:
        """One row; bytes are written as base64."""
        line = (json.dumps(values, ensure_ascii=False, separators=(",", ":"), default=_pack) + "\n").encode()
        self._digest.update(line)
        self._file.write(line)
        self.rows += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def member(self) -> Member:
        """What the manifest is to say of it."""
        return Member(self._about.table, self._about.columns, self.rows, self._digest.hexdigest())


def _pack(value: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(value).decode()}


def begin(file: IO[bytes]) -> zipfile.ZipFile:
    """An archive that is to be written into an empty file."""
    return zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)


def begin_member(archive: zipfile.ZipFile, table: str, columns: Sequence[str]) -> Lines:
    """The next table."""
    name = Member(table, (), 0, "").name
    return Lines(archive.open(name, "w", force_zip64=True), table, columns)


def seal(archive: zipfile.ZipFile, file: IO[bytes], about: About) -> None:
    """Write the manifest and close the archive, then the digest of all that, and have the disk keep it."""
    archive.writestr(MANIFEST, json.dumps({"format": FORMAT, **asdict(about)}, ensure_ascii=False, indent=1))
    archive.comment = MARK + b"0" * DIGEST
    archive.close()
    put_digest(file)
    file.flush()
    os.fsync(file.fileno())


def put_digest(file: IO[bytes]) -> None:
    """Write the digest of all bytes before it in the place kept for it."""
    size = file.seek(0, os.SEEK_END) - DIGEST
    digest = _digest(file, size, lambda _: None)
    file.seek(size)
    file.write(digest)


def _digest(file: IO[bytes], size: int, told: Done) -> bytes:
    """The digest of the first `size` bytes."""
    found = hashlib.sha256()
    file.seek(0)
    for start in range(0, size, CHUNK):
        found.update(file.read(min(CHUNK, size - start)))
        told(min(start + CHUNK, size))
    return found.hexdigest().encode()


def create(path: Path) -> IO[bytes]:
    """A new file that only its owner reads."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "w+b")


def refuse_taken(path: Path) -> None:
    """Refused where there is a file of that name."""
    if path.exists():
        raise Refused("backup.exists", {"file": str(path)})


def publish(part: Path, path: Path) -> None:
    """Give the complete file its name, durably; Refused where there is one of that name by now."""
    try:
        os.link(part, path)
    except OSError:
        refuse_taken(path)
        part.rename(path)  # a file system without hard links
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


# Reading --------------------------------------------------------------------------------------------------------------
def opened(path: Path) -> IO[bytes]:
    """The file of a backup."""
    return path.open("rb")


def examine(file: IO[bytes], told: Told) -> About:
    """Look at every byte and every row before anything is done with them; Refused says what is wrong."""
    size = file.seek(0, os.SEEK_END)
    _check_digest(file, size, lambda done: told(done, 2 * size))
    try:
        with zipfile.ZipFile(file) as archive:
            about = _manifest(archive)
            _check_members(archive, about, lambda done: told(size + done, 2 * size))
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, TypeError):
        raise Refused("backup.damaged") from None
    return about


def _check_digest(file: IO[bytes], size: int, told: Done) -> None:
    if size < len(MARK) + DIGEST:
        raise Refused("backup.damaged")
    file.seek(size - DIGEST - len(MARK))
    if file.read(len(MARK)) != MARK or _digest(file, size - DIGEST, told) != file.read(DIGEST):
        raise Refused("backup.damaged")


def _manifest(archive: zipfile.ZipFile) -> About:
    told = json.loads(archive.read(MANIFEST))
    if told.pop("format") != FORMAT:
        raise Refused("backup.format", {"release": str(told["release"])})
    members = tuple(Member(**{**each, "columns": tuple(each["columns"])}) for each in told.pop("members"))
    return About(**{**told, "steps": tuple(told["steps"]), "members": members})


def _check_members(archive: zipfile.ZipFile, about: About, told: Done) -> None:
    """The file holds exactly what its manifest says: no member more or less, no row more or less."""
    if sorted(archive.namelist()) != sorted([MANIFEST, *(member.name for member in about.members)]):
        raise Refused("backup.damaged")
    done = 0
    for member in about.members:
        _check_member(archive, member)
        done += archive.getinfo(member.name).compress_size
        told(done)


def _check_member(archive: zipfile.ZipFile, member: Member) -> None:
    digest, rows = hashlib.sha256(), 0
    with _lines(archive, member) as lines:
        for line in lines:
            digest.update(line)
            rows += 1
            if len(json.loads(line)) != len(member.columns):
                raise Refused("backup.damaged")
    if (digest.hexdigest(), rows) != (member.sha256, member.rows):
        raise Refused("backup.damaged")


def _lines(archive: zipfile.ZipFile, member: Member) -> IO[bytes]:
    return cast(IO[bytes], io.BufferedReader(cast(Any, archive.open(member.name)), CHUNK))


def rows(archive: zipfile.ZipFile, member: Member) -> Iterator[list[Any]]:
    """The rows of a table, in the order of its columns."""
    with _lines(archive, member) as lines:
        for line in lines:
            yield [_unpack(value) for value in json.loads(line)]


def _unpack(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value
