"""Reads a roster's workbook in a process of its own, which may take so much memory and time, and no more.

A file of a few kilobytes can hold what takes gigabytes to read, in ways that no look at it beforehand finds out.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from domain.errors import Refused
from domain.roster import Table
from domain.said import from_facts, to_facts

MOST_MEMORY = 768 * 1024 * 1024
"""Bytes of address space, the interpreter's own and the libraries' included."""
MOST_SECONDS = 20
"""Seconds of computing; on a busy machine these may take a few times as long."""
_PATIENCE = 6
_TOO_LONG = -signal.SIGXCPU


def read(path: Path, *, memory: int = MOST_MEMORY, seconds: int = MOST_SECONDS) -> tuple[Table, ...]:
    """What `bot.workbook.read` reads; Refused as there, and for what would take more than `memory` or `seconds`."""
    command = [sys.executable, "-m", "bot.apart", str(path), str(memory), str(seconds)]
    known = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(command, env=known, capture_output=True, timeout=seconds * _PATIENCE, check=False)  # noqa: S603 - this very program
    except subprocess.TimeoutExpired:
        raise Refused("roster.too_slow", {"most": seconds}) from None
    if done.returncode == _TOO_LONG:
        raise Refused("roster.too_slow", {"most": seconds})
    if done.returncode:
        raise Refused("roster.too_heavy")
    return _taken(json.loads(done.stdout))


def _taken(told: Mapping[str, Any]) -> tuple[Table, ...]:
    """What the other process has read, or why it did not."""
    if "refused" in told:
        raise Refused(told["refused"], from_facts(told["facts"]))
    return tuple(_table(table) for table in told["tables"])


def _table(told: Mapping[str, Any]) -> Table:
    rows = tuple((number, tuple(cells)) for number, cells in told["rows"])
    return Table(told["name"], rows, {(row, column): key for row, column, key in told["faults"]})


# In the other process -------------------------------------------------------------------------------------------------
def main(arguments: Sequence[str]) -> None:
    """Read the file that is named and write down what it says; ends badly where it takes more than it may."""
    path, memory, seconds = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    from bot import workbook  # what reads workbooks takes memory, and the running program reads none

    _bound(memory, seconds)
    try:
        tables = workbook.read(path, lambda: 0.0)
        written = json.dumps({"tables": [_told(table) for table in tables]})
    except Refused as refused:
        written = json.dumps({"refused": refused.key, "facts": to_facts(refused.facts)})
    except MemoryError:
        sys.exit(1)
    sys.stdout.write(written)


def _told(table: Table) -> Mapping[str, Any]:
    faults = [(row, column, key) for (row, column), key in table.faults.items()]
    return {"name": table.name, "rows": table.rows, "faults": faults}


def _bound(memory: int, seconds: int) -> None:
    """From here on no more than that, and no image of the memory is left on the disk."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(sys.argv[1:])
