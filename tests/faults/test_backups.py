"""Backups taken while messages stream in and processes are killed: what was acknowledged before is in them (R13)."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage import restore
from tests import backends, needs
from tests.backends import Backend, open_bare
from tests.storage.looking import broken
from tests.summary import Tally

BACKENDS = backends.BOTH
ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
ROUNDS = needs.count(5, 50)
pytestmark = [pytest.mark.xdist_group("heavy"), pytest.mark.timeout(120 if not needs.full() else 3600)]


class Place:
    """A park in its folder, with somebody who keeps messages in it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.acks = folder / "acks"
        self.acks.touch()
        (folder / "config.toml").write_text(f'[park]\nname = "试点园区"\n[storage]\nurl = "{url}"\n', encoding="utf-8")
        (folder / "config.toml").chmod(0o600)
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def scribe(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.faults.scribe", self.url, str(self.acks)]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment)

    def lianqi(self, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "bot", *words, "--config", "config.toml"]
        return subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def acked(self) -> set[str]:
        """What was confirmed so far, whole lines only."""
        lines = self.acks.read_text(encoding="ascii").split("\n")
        return set(lines[:-1])


@contextmanager
def writing(place: Place) -> Iterator[subprocess.Popen[bytes]]:
    """Somebody writes, and has begun; he is killed in the end."""
    before, scribe = len(place.acked()), place.scribe()
    try:
        wait_until(scribe, lambda: len(place.acked()) > before + 20)
        yield scribe
    finally:
        kill(scribe)


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def wait_until(process: subprocess.Popen[bytes], reached: Callable[[], object]) -> None:
    """At most half a minute, and only while the process lives."""
    for _ in range(6_000):
        if reached():
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.005)
            raise AssertionError("it came to its end by itself")
    raise AssertionError("it never came so far")


def take(place: Place, name: str, scribe: subprocess.Popen[bytes], *, amid: bool) -> set[str]:
    """Make a backup, and kill who writes `amid` it; what was acknowledged before it began."""
    before = place.acked()
    making = place.lianqi("backup", name)
    if amid:
        wait_until(making, lambda: list(place.folder.glob(f".{name}.*.part")))
        kill(scribe)
    told, _ = making.communicate(timeout=50)
    assert making.returncode == 0, told.decode()
    return before


async def messages_in(file: Path) -> set[str]:
    """Restore it; the messages that are in it."""
    house = await open_bare()
    quiet = lambda *_: None  # noqa: E731 - nobody watches
    await restore.restore(house, file, release="0.1.0", at=AT, checking=quiet, filling=quiet)
    rows = await house.reading(lambda tx: tx.all("SELECT external_id FROM inbox"))
    assert await broken(house) == []
    await house.close()
    return {row["external_id"] for row in rows}


@pytest.fixture
def place(tmp_path: Path, backend: Backend) -> Place:
    return Place(tmp_path, backend.url(f"sqlite:///{tmp_path}/house.db"))


async def test_what_was_acknowledged_before_a_backup_began_is_in_it(place: Place, tally: Tally) -> None:
    for n in range(ROUNDS):
        with writing(place) as scribe:
            before = take(place, f"{n}.zip", scribe, amid=n % 2 == 1)
        kept = await messages_in(place.folder / f"{n}.zip")
        assert before <= kept, f"lost: {sorted(before - kept)[:5]}"
        assert before
    tally("R13a", ROUNDS)


async def test_a_backup_that_is_killed_leaves_no_file_of_its_name_and_the_next_succeeds(place: Place) -> None:
    with writing(place) as scribe:
        making = place.lianqi("backup", "a.zip")
        wait_until(making, lambda: list(place.folder.glob(".a.zip.*.part")))
        kill(making)
        assert not (place.folder / "a.zip").exists()
        before = take(place, "a.zip", scribe, amid=True)
    assert before <= await messages_in(place.folder / "a.zip")
