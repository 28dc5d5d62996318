"""Lives under strace: killed at a system call, or given an error there, or written down call by call."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from tests import needs
from tests.faults import burst
from tests.faults.life import ROOT, Life, begin
from tests.faults.nursery import Upbringing

FIRMS = 2
ROUNDS = 6
FILES = ("house.db", "house.db-wal", "acks", "sent.jsonl")
QUIET = Upbringing()
_CALL = re.compile(r"^(\d+) +(\w+)\(", re.MULTILINE)


def brief() -> burst.Script:
    """What few people say in a short time; enough for every kind of step but those after a rework."""
    return {firm: rounds[:ROUNDS] for firm, rounds in burst.updates().items() if int(firm) < FIRMS}


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A folder in memory where there is one: the calls are counted, not the disk's time."""
    shm = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="lianqi-", dir=shm if os.access(shm, os.W_OK) else None) as name:
        yield Path(name)


class Child:
    """A life that was begun; it may be stopped still, until it is let go."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery = nursery
        self.pid = pid

    def go(self) -> None:
        """Let it begin."""
        os.kill(self.pid, signal.SIGCONT)

    def lives_on(self, seconds: float) -> bool:
        """Whether it has not ended in so many seconds."""
        return self._nursery.silent(seconds)

    def end(self) -> int:
        """Wait for its end: its exit status, or the negative signal that killed it."""
        return int(self._nursery.answer())


class Nursery:
    """The process that has all imported, and one house that every life begins in."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.faults.nursery"]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=pipe, stdout=pipe, bufsize=0)
        self._folder = folder
        self._lives = 0
        template = Life(folder / "template")
        template.folder.mkdir()
        assert self.begin(template).end() == 0

    def answer(self) -> str:
        """The next line it says."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().decode()

    def silent(self, seconds: float) -> bool:
        """Whether it says nothing for so long."""
        assert self._process.stdout is not None
        return not select.select([self._process.stdout], [], [], seconds)[0]

    def new(self) -> Life:
        """A house in which nothing was said yet, and what will be."""
        self._lives += 1
        life = begin(self._folder / str(self._lives), brief())
        shutil.copy(self._folder / "template" / "house.db", life.folder / "house.db")
        return life

    def forget(self, life: Life) -> None:
        """Its house is not looked at any more."""
        shutil.rmtree(life.folder)

    def begin(self, life: Life, how: Upbringing = QUIET, *, waits: bool = False) -> Child:
        """Begin a life."""
        assert self._process.stdin is not None
        told = {"folder": str(life.folder), "waits": waits, **asdict(how)}
        self._process.stdin.write((json.dumps(told) + "\n").encode())
        child = Child(self, int(self.answer()))
        if waits:
            _until_stopped(child.pid)
        return child

    def close(self) -> None:
        """No more lives."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()


@contextmanager
def nursery() -> Iterator[Nursery]:
    """A nursery for the time of the block; the houses vanish with it."""
    with quick_folder() as folder:
        made = Nursery(folder)
        try:
            yield made
        finally:
            made.close()


def _until_stopped(pid: int) -> None:
    """Wait until a process has stopped itself."""
    stat = Path(f"/proc/{pid}/stat")
    while stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "tT":
        pass


class Tracer:
    """strace at a life that waits: it has hold of every thread there will be, and then the life goes on."""

    def __init__(self, child: Child, options: Sequence[str]) -> None:
        command = [needs.strace(), "-f", "-p", str(child.pid), *options]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        line = self._process.stderr.readline()
        while "attached" not in line:
            assert line, "strace ended without a word"
            line = self._process.stderr.readline()
        child.go()

    def let_go(self) -> None:
        """The life goes on without it, and without its faults."""
        self._process.send_signal(signal.SIGTERM)
        self.wait()

    def wait(self) -> None:
        """Until it has ended, as it does with the life."""
        self._process.communicate(timeout=60)


def on_files(life: Life, names: Sequence[str]) -> list[str]:
    """Look at calls on these files of the house only."""
    return [option for name in names for option in ("-P", str(life.folder / name))]


def injected(call: str, what: str) -> list[str]:
    """Options that bring about `what` at a call, and write nothing down."""
    return ["-o", os.devnull, "-e", f"trace={call}", "-e", f"inject={call}:{what}"]


def counted(child: Child, calls: Sequence[str], record: Path) -> dict[str, int]:
    """Let a life go to its end; how often the busiest of its threads made each call."""
    tracer = Tracer(child, ["-o", str(record), "-e", f"trace={','.join(calls)}"])
    assert child.end() == 0
    tracer.wait()
    made = Counter(_CALL.findall(record.read_text(encoding="utf-8", errors="replace")))
    return {call: max((times for (_, name), times in made.items() if name == call), default=0) for call in calls}
