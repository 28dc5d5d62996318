"""The audit key: made at the first run, readable by its owner only, and the one that the chain was begun with."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from bot.channel import Finding
from domain import chain
from domain.said import Said
from storage import seals
from storage.database import Database

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_BYTES = 32


class KeyTrouble(Exception):
    """The key cannot be used; `said` names the file and the remedy."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.key)
        self.said = said


async def settle_key(database: Database, path: Path) -> bytes:
    """The key of this house's chain; where no chain was begun yet, key and chain begin here."""
    begun = await database.reading(seals.first) is not None
    key = read_key(path) if begun else _new_key(path)
    if not await database.transaction(lambda tx: seals.begin(tx, key)):
        raise _trouble("config.key_differs", path)
    return key


async def known_key(database: Database, path: Path) -> bytes | None:
    """The key of the chain that was begun; None where there is no chain yet."""
    begun = await database.reading(seals.first)
    if begun is None:
        return None
    key = read_key(path)
    if chain.begin(key) != begun:
        raise _trouble("config.key_differs", path)
    return key


async def key_findings(database: Database, path: Path) -> list[Finding]:
    """What `lianqi check` finds: a key that the program would not start with."""
    try:
        if await known_key(database, path) is None:
            _try_key(path)
    except KeyTrouble as trouble:
        return [Finding(trouble.said, must=True)]
    return []


def _new_key(path: Path) -> bytes:
    if not path.exists():
        make_key(path)
    return read_key(path)


def _try_key(path: Path) -> None:
    """A key that stands there before the first run must be one that can be used."""
    if path.exists():
        read_key(path)


def read_key(path: Path) -> bytes:
    """The key in a file; KeyTrouble where it is not there, not a key, or not its owner's alone."""
    try:
        if os.name == "posix" and path.stat().st_mode & _OTHERS:
            raise _trouble("config.key_exposed", path)
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise _trouble("config.key_missing", path) from None
    except (OSError, ValueError):
        raise _trouble("config.key_unreadable", path) from None
    with suppress(ValueError):
        key = bytes.fromhex(text)
        if len(key) == _BYTES:
            return key
    raise _trouble("config.key_unreadable", path)


def make_key(path: Path) -> None:
    """Write a new key, whole or not at all; where another process was faster, its key stays."""
    own = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(own, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(own, path)
    except OSError:
        raise _trouble("config.key_unwritable", path) from None
    finally:
        with suppress(OSError):
            own.unlink()
    _keep_name(path.parent)


def _keep_name(folder: Path) -> None:
    """See to it that the file is still found after a power cut: the chain is begun with it in a moment."""
    if os.name == "posix":
        entry = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(entry)
        finally:
            os.close(entry)


def _trouble(key: str, path: Path) -> KeyTrouble:
    return KeyTrouble(Said(key, {"file": str(path)}))
