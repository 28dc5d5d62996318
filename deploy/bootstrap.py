"""Make the virtual environment that `make run` or `make test` needs, out of a hash-locked list.

`python3 deploy/bootstrap.py run` makes `.venv` from requirements/run.lock, `... run-pg` makes it from
requirements/pg.lock, with PostgreSQL's driver, `... test` makes `.venv-test` from requirements/test.lock. Where
there is a folder ./wheels (see deploy/bundle.py) the first two are installed from it, with no network. A
stamp inside says from which lock and Python it was made; where both still fit, nothing is done. A new one is
built beside the old one and renamed when it is complete, so an interrupted one is never used. The script
needs the standard library only, starts on Python 3.8 or newer, and builds with a 3.11 or newer that it finds.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

OLDEST = (3, 11)
OLDEST_PIP = (22, 3)  # the first with `pip --python`
NAMES = ("python3.11", "python3.12", "python3.13", "python3.14", "python3")
ROOT = Path(__file__).resolve().parent.parent
PLACES = {"run": (".venv", "run"), "run-pg": (".venv", "pg"), "test": (".venv-test", "test")}
LAUNCHER = """\
#!/bin/sh
here=$(dirname -- "$(readlink -f -- "$0")")
exec "$here/python" -P -m bot "$@"
"""


def stamp_for(lock: Path, version: tuple[int, ...]) -> str:
    """What identifies an environment: the sha256 of its lock, and the Python it was made with."""
    return f"{hashlib.sha256(lock.read_bytes()).hexdigest()} {version[0]}.{version[1]}"


def fits(place: Path, lock: Path) -> bool:
    """Whether the environment was completed from this lock for this Python, which is still there."""
    try:
        stamp = (place / "stamp").read_text(encoding="ascii").strip()
    except OSError:
        return False
    wanted = stamp_for(lock, sys.version_info[:2])
    if sys.version_info[:2] < OLDEST:  # this Python only starts the script; any that was found before will do
        stamp, wanted = stamp.split()[0], wanted.split()[0]
    return stamp == wanted and (place / "bin" / "python").exists()


def say(text: str) -> None:
    """Tell the person at the terminal what goes on."""
    print("lianqi: " + text, file=sys.stderr, flush=True)


def version_of(python: str) -> tuple[int, ...]:
    """The version of an interpreter, or () where it does not start."""
    import subprocess

    ask = "import sys; print(*sys.version_info[:3])"
    command = [python, "-c", ask]
    answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return tuple(int(part) for part in answer.stdout.split()) if answer.returncode == 0 else ()


def find_python() -> str:
    """The real path of a Python that is new enough: the running one first, then by name on the PATH."""
    import shutil

    if sys.version_info[:2] >= OLDEST:
        return os.path.realpath(sys.executable)
    for found in filter(None, map(shutil.which, NAMES)):
        if version_of(found)[:2] >= OLDEST:
            return found
    sys.exit(
        "lianqi: needs Python 3.11 or newer, found {}.{}.\n"
        "  on Debian or Ubuntu: sudo apt-get install python3 python3-venv\n"
        "  or name one: make run PYTHON=/path/to/python3.12".format(*sys.version_info[:2])
    )


def call(*command: str) -> None:
    """Run one step; where it fails, stop with its own words."""
    import subprocess

    done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        sys.exit(f"lianqi: this step failed ({done.returncode}): {' '.join(command)}")


def pip_version(python: str) -> tuple[int, ...]:
    """The version of an interpreter's pip, or () where it has none."""
    import subprocess

    asked = subprocess.run(
        [python, "-m", "pip", "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    words = asked.stdout.decode().split()
    return tuple(int(part) for part in words[1].split(".") if part.isdigit()) if len(words) > 1 else ()


def make_empty(python: str, place: Path, *, pip: bool) -> None:
    """Make an environment without packages; with its own pip only where the machine's pip will not do."""
    try:
        call(python, "-m", "venv", "--prompt", "lianqi", str(place), *([] if pip else ["--without-pip"]))
    except SystemExit as stopped:
        remedy = "on Debian or Ubuntu: sudo apt-get install python3-venv"
        raise SystemExit(f"{stopped}\nlianqi: {python} cannot make environments; {remedy}") from None


def source(lock: Path) -> list[str]:
    """Where packages come from: ./wheels alone where it is there; it holds what it takes to run, not to test."""
    wheels = ROOT / "wheels"
    if lock.name == "test.lock" or not wheels.is_dir():
        return []
    return ["--no-index", "--find-links", str(wheels)]


def fill(python: str, place: Path, lock: Path) -> None:
    """Make the environment and install exactly what the lock names, by uv where it is there, else by pip."""
    import shutil

    inside = str(place / "bin" / "python")
    terms = ["--require-hashes", "--no-deps", "--only-binary", ":all:", *source(lock), "-r", str(lock)]
    uv = shutil.which("uv")
    if uv:
        make_empty(python, place, pip=False)
        return call(uv, "pip", "install", "--quiet", "--python", inside, *terms)
    quiet = ["install", "-qq", "--no-compile", "--disable-pip-version-check", "--no-input"]
    if pip_version(python) >= OLDEST_PIP:
        make_empty(python, place, pip=False)
        return call(python, "-m", "pip", "--python", inside, *quiet, *terms)
    make_empty(python, place, pip=True)
    return call(inside, "-m", "pip", *quiet, *terms)


def settle(place: Path, final: Path) -> None:
    """Make the environment fit its final place: scripts, the checkout on the path, the `lianqi` command."""
    for script in (place / "bin").iterdir():
        if script.is_symlink() or not script.is_file():
            continue
        body = script.read_bytes()
        if not body.startswith(b"\x7fELF") and str(place).encode() in body:
            script.write_bytes(body.replace(str(place).encode(), str(final).encode()))
    for packages in (place / "lib").glob("python3*/site-packages"):
        checkout = os.path.relpath(str(ROOT), str(packages))
        (packages / "lianqi.pth").write_text(checkout + "\n", encoding="utf-8")
    launcher = place / "bin" / "lianqi"
    launcher.write_text(LAUNCHER, encoding="ascii")
    launcher.chmod(0o755)


def exchange(new: Path, place: Path) -> None:
    """Put the complete environment in the place of the old one."""
    import shutil

    old = place.with_name(place.name + ".old")
    shutil.rmtree(str(old), ignore_errors=True)
    if place.exists() or place.is_symlink():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(str(old), ignore_errors=True)


def build(place: Path, lock: Path) -> None:
    """Build the environment beside its place, stamp it, and move it in."""
    import shutil
    import time

    started = time.monotonic()
    python = find_python()
    for left in ROOT.glob(place.name + ".tmp*"):
        shutil.rmtree(str(left), ignore_errors=True)
    new = place.with_name(f"{place.name}.tmp{os.getpid()}")  # an orphan may still fill another
    count = sum("==" in line for line in lock.read_text(encoding="utf-8").splitlines())
    say(f"installing {count} packages into {place.name}{' from ./wheels' if source(lock) else ''} (once) ...")
    fill(python, new, lock)
    settle(new, place)
    (new / "stamp").write_text(stamp_for(lock, version_of(python)) + "\n", encoding="ascii")
    exchange(new, place)
    say(f"{place.name} is ready after {time.monotonic() - started:.1f} s")


def ensure(kind: str) -> None:
    """Leave a fitting environment of this kind behind; two callers at once take turns."""
    folder, name = PLACES[kind]
    place, lock = ROOT / folder, ROOT / "requirements" / (name + ".lock")
    if fits(place, lock):
        return
    import fcntl

    turn = os.open(str(ROOT), os.O_RDONLY)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not fits(place, lock):
            build(place, lock)
    finally:
        os.close(turn)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in PLACES:
        sys.exit("usage: python3 deploy/bootstrap.py " + "|".join(PLACES))
    ensure(sys.argv[1])
