"""The disk refuses a write or a sync, once or for a while, or is full: nothing is acknowledged that is not kept.

When there is room again all goes on by itself, in the same process.
"""

import os
import random
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.app import machine_seconds
from tests import needs
from tests.conftest import Tally
from tests.faults.life import Life, differences
from tests.faults.nursery import Upbringing
from tests.faults.tracing import Child, Nursery, Tracer, counted, injected, nursery

ERRORS = ("ENOSPC", "EIO")
CALLS = ("pwrite64", "fdatasync")
"""Nothing but the database makes these."""
ONCE = needs.count(13, 70)
LASTING = needs.count(5, 28)
LIMITED = needs.count(1, 2)
BATCHES = needs.count(1, 10)
ENOUGH = 30.0
"""Within so many seconds all is done, once there is room again."""
SMALL = 120_000
QUICK = Upbringing(rounds=0.1)

pytestmark = [
    pytest.mark.needs("strace"),
    pytest.mark.xdist_group("strace"),
    pytest.mark.timeout(needs.count(180, 900)),
]


@pytest.fixture(scope="module")
def lives() -> Iterator[Nursery]:
    with nursery() as begun:
        yield begun


@pytest.fixture(scope="module")
def once(lives: Nursery) -> Life:
    """The life that nothing disturbs."""
    life = lives.new()
    assert lives.begin(life).end() == 0
    return life


@pytest.fixture(scope="module")
def often(lives: Nursery) -> dict[str, int]:
    """How often a life makes each call on the house's files."""
    life = lives.new()
    return counted(lives.begin(life, waits=True), CALLS, life.folder / "calls")


def disturbed(lives: Nursery, call: str, fault: str) -> tuple[Life, Child, Tracer]:
    """A life whose calls on the house's files fail so."""
    life = lives.new()
    child = lives.begin(life, QUICK, waits=True)
    return life, child, Tracer(child, injected(call, fault))


def watch(life: Life, child: Child, seconds: float) -> None:
    """Note what is acknowledged or sent and not kept; look again and again, for so long."""
    end = machine_seconds() + seconds
    while machine_seconds() < end and child.lives_on(0.05):
        life.look()
    life.claims.clear()  # nobody has died


def recovers(lives: Nursery, life: Life, child: Child) -> list[str]:
    """Whether the process comes to its end, with all done, soon enough; where not it is killed.

    One that cannot even open the house says so and stops; nothing was received by then, and it is started again.
    """
    late = child.lives_on(ENOUGH)
    if late:
        os.kill(child.pid, signal.SIGKILL)
    status = child.end()
    if status == 1 and not (life.folder / "alive").exists() and not (life.folder / "acks").read_text():
        status = lives.begin(life).end()
    return ["it did not recover in time"] if late else [f"it ended with {status}"] if status else []


def one_error(lives: Nursery, dice: random.Random, often: dict[str, int]) -> tuple[str, Life, list[str]]:
    call, error = dice.choice(CALLS), dice.choice(ERRORS)
    what = f"error={error}:when={dice.randint(1, often[call])}"
    life, child, tracer = disturbed(lives, call, what)
    wrong = recovers(lives, life, child)
    tracer.wait()
    return f"{call} {what}", life, wrong


def lasting_error(lives: Nursery, dice: random.Random, often: dict[str, int]) -> tuple[str, Life, list[str]]:
    call, error = dice.choice(CALLS), dice.choice(ERRORS)
    what = f"error={error}:when={dice.randint(1, often[call] // 2)}+"
    life, child, tracer = disturbed(lives, call, what)
    watch(life, child, dice.uniform(0.3, 0.8))
    tracer.let_go()
    return f"{call} {what}", life, recovers(lives, life, child)


def limited(lives: Nursery, dice: random.Random, _: dict[str, int]) -> tuple[str, Life, list[str]]:
    """No file may grow beyond a size, for a while."""
    life = lives.new()
    child = lives.begin(life, Upbringing(rounds=0.1, file_size=dice.randint(SMALL // 2, SMALL)), waits=True)
    child.go()
    watch(life, child, 1.0)
    wrong = [] if child.lives_on(0) else ["it was never short of room"]
    resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return "a limit of file sizes", life, wrong + recovers(lives, life, child)


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.parametrize("fault, times", [(one_error, ONCE), (lasting_error, LASTING), (limited, LIMITED)])
def test_a_failing_disk_costs_nothing_and_is_got_over_without_a_restart(
    fault: Callable[..., tuple[str, Life, list[str]]],
    times: int,
    batch: int,
    lives: Nursery,
    once: Life,
    often: dict[str, int],
    tally: Tally,
) -> None:
    dice, wrong = random.Random(batch), []
    for _ in range(times):
        what, life, found = fault(lives, dice, often)
        wrong += [f"{what}: {each}" for each in found + differences(life, once)]
        lives.forget(life)
    tally("R10", times)
    assert wrong == []


@pytest.fixture
def cramped(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "lianqi", str(tmp_path)]
    made = subprocess.run(mount, capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no small disk: mounting one needs root")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_full_disk_is_waited_for(cramped: Path, lives: Nursery, once: Life, tally: Tally) -> None:
    life = lives.new()
    (life.folder / "house.db").replace(life.folder / "seed")
    (cramped / "house.db").write_bytes((life.folder / "seed").read_bytes())
    (life.folder / "house.db").symlink_to(cramped / "house.db")
    room = os.statvfs(cramped)
    (cramped / "ballast").write_bytes(bytes(room.f_bavail * room.f_frsize - SMALL))
    child = lives.begin(life, QUICK, waits=True)
    child.go()
    watch(life, child, 1.0)
    assert os.statvfs(cramped).f_bavail < 8
    (cramped / "ballast").unlink()
    wrong = recovers(lives, life, child)
    tally("R10", 1)
    assert wrong + differences(life, once) == []
