"""The verbs that keep the house: backup, restore, migrate."""

import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from bot import __version__
from bot.app import machine_time
from bot.errands import Echo, Failed, Office, read_office
from domain.errors import Refused
from domain.said import Fact
from storage import backup, restore
from storage.archive import About, Told
from storage.database import Database
from storage.errors import StorageError
from storage.migrations import Migration, migrate, pending
from storage.open import is_there, open_as_it_is
from storage.values import from_ms

STEPS = 1000
KB, MB = 1_000, 1_000_000


async def back_up(path: Path, file: Path, echo: Echo) -> None:
    """`lianqi backup`: all that the house holds in one file, while others work in it."""
    office = read_office(path)
    if not is_there(office.config.storage_url):
        raise Failed(office.say("backup.no_house"))
    park = office.config.park.name
    async with _as_it_is(office) as database:
        with _plain(office, file, "upkeep.unwritable"), _bar(office, "upkeep.backing_up") as told:
            about = await backup.back_up(database, file, park=park, release=__version__, told=told)
        with suppress(StorageError):  # the backup is good even so
            await database.transaction(lambda tx: backup.note(tx, machine_time()))
    echo(office.say("upkeep.backed_up", {"file": str(file), "size": _size(file), **_contents(about)}))
    echo(office.say("upkeep.key_apart", {"key": str(office.config.security.key_file)}))


async def bring_back(path: Path, file: Path, echo: Echo) -> None:
    """`lianqi restore`: an empty house is filled from a backup."""
    office = read_office(path)
    at = machine_time()
    async with _as_it_is(office) as database:
        with (
            _plain(office, file, "upkeep.unreadable"),
            _bar(office, "upkeep.checking") as checking,
            _bar(office, "upkeep.filling") as filling,
        ):
            about = await restore.restore(
                database, file, release=__version__, at=at, checking=checking, filling=filling
            )
    echo(office.say("upkeep.restored", {"park": about.park, "made": from_ms(about.made_at), **_contents(about)}))
    echo(office.say("upkeep.restored_key", {"key": str(office.config.security.key_file)}))


async def bring_up_to_date(path: Path, echo: Echo) -> None:
    """`lianqi migrate`: the house gets the schema of this release; harmless where it has it."""
    office = read_office(path)

    def reached(step: Migration) -> None:
        echo(office.say("upkeep.step", {"step": step.label}))

    async with _as_it_is(office) as database:
        missing = await pending(database)
        await migrate(database, at=machine_time(), release=__version__, reached=reached)
        after = await database.reading(restore.schema_of)
    facts = {"before": f"{after - len(missing):04}", "after": f"{after:04}"}
    echo(office.say("upkeep.migrated" if missing else "upkeep.up_to_date", facts))


def _contents(about: About) -> Mapping[str, Fact]:
    appeals = next((member.rows for member in about.members if member.table == "appeals"), 0)
    return {"appeals": appeals, "rows": about.rows, "schema": f"{about.schema:04}"}


def _size(file: Path) -> str:
    size = file.stat().st_size
    return f"{size / MB:.1f} MB" if size >= MB else f"{size / KB:.1f} KB"


@asynccontextmanager
async def _as_it_is(office: Office) -> AsyncIterator[Database]:
    """The house without being brought up to date."""
    database = await open_as_it_is(office.config.storage_url)
    try:
        yield database
    finally:
        await database.close()


@contextmanager
def _plain(office: Office, file: Path, trouble: str) -> Iterator[None]:
    """What may go wrong with the file, in plain words."""
    try:
        yield
    except Refused as refused:
        raise Failed(office.say(refused.key, refused.facts)) from None
    except OSError as error:
        raise Failed(office.say(trouble, {"file": str(file), "cause": os.strerror(error.errno or 0)})) from None


def is_terminal() -> bool:
    """Whether somebody watches."""
    return sys.stderr.isatty()


@contextmanager
def _bar(office: Office, label: str) -> Iterator[Told]:
    """A progress bar on a terminal from the first word on; nothing elsewhere."""
    shown: list[Any] = []

    def told(done: int, whole: int) -> None:
        if not shown and is_terminal():
            shown.append(click.progressbar(length=STEPS, label=office.say(label), file=sys.stderr))
            shown[0].__enter__()
        for bar in shown:
            bar.update(STEPS * done // max(whole, 1) - bar.pos)

    try:
        yield told
    finally:
        for bar in shown:
            bar.__exit__(None, None, None)
