"""Processes that a benchmark starts beside itself: asked over HTTP, ended for certain, their processor time counted."""

import json
import os
import resource
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ANSWER_SECONDS = 300.0


def say_ready() -> None:
    """Said by a bot before it connects: the processor seconds that its start has cost."""
    print(processor_seconds(resource.getrusage(resource.RUSAGE_SELF)), flush=True)


def processor_seconds(used: resource.struct_rusage) -> float:
    """In its own code and in the kernel's on its behalf."""
    return used.ru_utime + used.ru_stime


class Child:
    """A module run by some Python; `first` is the first line that it said."""

    def __init__(self, python: Path, module: str, *arguments: str) -> None:
        command = [str(python), "-m", module, *arguments]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.first = self._process.stdout.readline().strip()
        self._used: resource.struct_rusage | None = None

    def kill(self) -> resource.struct_rusage:
        """End it at once, as a power cut would; what it has used of the machine."""
        if self._used is None:
            os.kill(self._process.pid, signal.SIGKILL)
            _, status, self._used = os.wait4(self._process.pid, 0)
            self._process.returncode = os.waitstatus_to_exitcode(status)
            assert self._process.stdout is not None
            self._process.stdout.close()
        return self._used


@contextmanager
def child(python: Path, module: str, *arguments: str) -> Iterator[Child]:
    """A process that is gone afterwards, whatever happens; RuntimeError where it ended before its first line."""
    started = Child(python, module, *arguments)
    try:
        if not started.first:
            raise RuntimeError(f"{module} ended without a word")
        yield started
    finally:
        started.kill()


def ask(address: str, path: str, body: bytes | None = None) -> dict[str, Any]:
    """What a stand-in for a platform tells, or does when it is given a body."""
    with urllib.request.urlopen(address + path, body, timeout=ANSWER_SECONDS) as reply:
        return dict(json.loads(reply.read()))


def own_python() -> Path:
    """The Python that runs the benchmark."""
    return Path(sys.executable)
