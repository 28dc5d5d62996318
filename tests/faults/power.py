"""The current fails: from a record of all writes and syncs, every state in which the disk may be found afterwards.

What was synced is there. Of what was written since, nothing may be there, or all, or any part of it in any order, or
the last write up to some sector. Files and their names are taken to outlive the failure, as SQLite syncs the folder.
"""

from __future__ import annotations

import json
import random
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.life import Life
from tests.faults.nursery import Upbringing
from tests.faults.tracing import FILES, Nursery, Tracer, on_files

SECTOR = 512
KEPT = ("house.db", "house.db-wal")
CALLS = "pwrite64,write,fdatasync,fsync,ftruncate,unlink"
LOSSES = ("nothing", "everything", "some", "torn")
_LINE = re.compile(r'^(\d+\.\d+) (\w+)\((?:\d+<)?"?([^>"]*)[>"]?(?:, (?:"([^"]*)", )?([\d, ]+))?\) = \d+', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Step:
    """One call on a file. A write has `data` at `offset` (None: at the end); a truncation leaves `offset` bytes."""

    call: str
    file: str
    data: bytes = b""
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Tape:
    """The house as it was before, and what was done to it."""

    before: bytes
    steps: Sequence[Step]


def record(nursery: Nursery, how: Upbringing) -> Tape:
    """One undisturbed life, written down call by call."""
    life = nursery.new()
    before = (life.folder / "house.db").read_bytes()
    child = nursery.begin(life, how, waits=True)
    options = ["-ff", "-o", str(life.folder / "tape"), "-y", "-xx", "-s", "1000000", "-e", f"trace={CALLS}"]
    tracer = Tracer(child, [*options, "--absolute-timestamps=format:unix,precision:ns", *on_files(life, FILES)])
    assert child.end() == 0
    tracer.wait()
    tape = Tape(before, list(_steps(life)))
    nursery.forget(life)
    return tape


def _steps(life: Life) -> Iterator[Step]:
    """All threads' calls in the order of their beginnings, until the log is taken away at the end."""
    threads = [path.read_text(encoding="ascii") for path in life.folder.glob("tape.*")]
    lines = [match.groups() for thread in threads for match in _LINE.finditer(thread)]
    for _, call, name, data, numbers in sorted(lines, key=lambda groups: float(groups[0])):
        file = Path(_plain(name).decode()).name
        if call == "unlink":
            return
        offset = int(numbers.split(",")[-1]) if call in ("pwrite64", "ftruncate") else None
        yield Step(call, file, _plain(data or ""), offset)


def _plain(hexed: str) -> bytes:
    return bytes.fromhex(hexed.replace("\\x", "")) if hexed.startswith("\\x") else hexed.encode()


@dataclass(slots=True)
class Disk:
    """One file: what is on the disk for certain, and what was written since."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Step] = field(default_factory=list)

    def take(self, step: Step) -> None:
        """Let a call be done to it."""
        if step.call in ("fdatasync", "fsync"):
            for each in self.pending:
                apply(self.durable, each)
            self.pending = []
        else:
            self.pending.append(step)

    def found(self, loss: str, dice: random.Random) -> bytearray:
        """What is there when the current is back."""
        content = bytearray(self.durable)
        for step in _survivors(self.pending, loss, dice):
            apply(content, step)
        return content


def apply(content: bytearray, step: Step) -> None:
    """Do one call to a file's content."""
    assert step.offset is not None
    if step.call == "ftruncate":
        del content[step.offset :]
        content.extend(bytes(step.offset - len(content)))
        return
    content.extend(bytes(max(0, step.offset - len(content))))
    content[step.offset : step.offset + len(step.data)] = step.data


def _survivors(pending: Sequence[Step], loss: str, dice: random.Random) -> Sequence[Step]:
    if loss == "everything" or not pending:
        return ()
    if loss == "nothing":
        return pending
    if loss == "some":
        return [step for step in dice.sample(pending, len(pending)) if dice.random() < 0.5]
    last = dice.randrange(len(pending))
    torn = pending[last]
    kept = SECTOR * dice.randrange(len(torn.data) // SECTOR + 1)
    return [*pending[:last], Step(torn.call, torn.file, torn.data[:kept], torn.offset)]


@dataclass(slots=True)
class Findings:
    """What became of so many states."""

    states: int = 0
    lost: list[str] = field(default_factory=list)
    corrupt: list[str] = field(default_factory=list)


def fail_often(tape: Tape, states: int, folder: Path, dice: random.Random) -> Findings:
    """Let the current fail after some of the calls, and start again from what is there each time."""
    moments = [(number, loss) for number in range(len(tape.steps)) for loss in LOSSES]
    chosen: dict[int, list[str]] = {}
    for number, loss in dice.sample(moments, min(states, len(moments))):
        chosen.setdefault(number, []).append(loss)
    disks = {"house.db": Disk(bytearray(tape.before)), "house.db-wal": Disk()}
    told: dict[str, bytearray] = {"acks": bytearray(), "sent.jsonl": bytearray()}
    findings = Findings()
    for number, step in enumerate(tape.steps):
        if step.file in disks:
            disks[step.file].take(step)
        else:
            told[step.file] += step.data
        for loss in chosen.get(number, ()):
            findings.states += 1
            _start_again(folder, {name: disk.found(loss, dice) for name, disk in disks.items()})
            _judge(folder, told, f"after call {number}, {loss} lost", findings)
    return findings


def _start_again(folder: Path, files: Mapping[str, bytes | bytearray]) -> None:
    for path in folder.iterdir():
        path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _judge(folder: Path, told: Mapping[str, bytearray], when: str, findings: Findings) -> None:
    """Look at what a process would find: is the file whole, and is all there that anybody was told of?"""
    try:
        with closing(sqlite3.connect(folder / "house.db")) as house:
            whole = [row for (row,) in house.execute("PRAGMA integrity_check")] + list(
                house.execute("PRAGMA foreign_key_check")
            )
            kept = {row for (row,) in house.execute("SELECT external_id FROM inbox")}
            owed = {row for (row,) in house.execute("SELECT id FROM outbox WHERE token > 0 AND body IS NOT NULL")}
    except sqlite3.DatabaseError as error:
        findings.corrupt.append(f"{when}: {error}")
        return
    if whole != ["ok"]:
        findings.corrupt.append(f"{when}: {whole[:2]}")
    acknowledged = set(told["acks"].decode().split())
    sent = {json.loads(line)["id"] for line in told["sent.jsonl"].splitlines()}
    if missing := (acknowledged - kept) | (sent - owed):
        findings.lost.append(f"{when}: {sorted(map(str, missing))}")
