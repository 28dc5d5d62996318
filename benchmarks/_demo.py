"""Starts the whole program, `lianqi demo` on a free port, for the benchmarks that measure it from outside."""

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


@contextmanager
def demo(folder: Path) -> Iterator[tuple[int, str]]:
    """The process id of a demo park in this folder and the address of its pages, as soon as it says it."""
    command = [sys.executable, "-m", "bot", "demo", "--port", "0", "--data", str(folder)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if said := ADDRESS.search(line):
                yield process.pid, said[0]
                return
        raise RuntimeError("the demo ended without saying where its pages are")
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


def answers(address: str) -> int:
    """The status of the first page."""
    try:
        with urllib.request.urlopen(address, timeout=10) as reply:
            reply.read()
            return int(reply.status)
    except urllib.error.HTTPError as refused:
        return refused.code
