"""Pack what an intranet needs into one file: the source, the wheels of requirements/pg.lock, and a list of checksums.

`python3 deploy/bundle.py` (`make bundle`) writes dist/lianqi-VERSION-cpXY-MACHINE.tar.gz. It is for the Python version
and the kind of machine that pack it. Where it is unpacked `make run` finds ./wheels and asks no network.
"""

from __future__ import annotations

import hashlib
import io
import platform
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = "requirements/pg.lock"
SUMS = "SHA256SUMS"
WHEELS = "wheels"


def version(root: Path) -> str:
    """The version of the program in a checkout."""
    found = re.search(r'^__version__ = "([^"]+)"', (root / "bot" / "__init__.py").read_text("utf-8"), re.MULTILINE)
    assert found is not None, "bot/__init__.py names the version"
    return found[1]


def kept_files(root: Path) -> list[str]:
    """What git keeps of the source and is there."""
    command = ["git", "-C", str(root), "ls-files", "-z"]
    names = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode().split("\0")
    return sorted(name for name in names if name and (root / name).is_file())


def download(lock: Path, into: Path) -> None:
    """Fetch every wheel that the lock names; pip refuses one whose hash the lock does not have."""
    terms = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(lock), "-d", str(into)]
    quiet = ["-qq", "--disable-pip-version-check", "--no-input"]
    done = subprocess.run([sys.executable, "-m", "pip", "download", *quiet, *terms], check=False)
    if done.returncode:
        sys.exit("lianqi: the wheels could not be fetched; is there a network, and pip for this Python?")


def members(root: Path, names: Iterable[str], wheels: Path) -> Iterator[tuple[str, Path]]:
    """Name in the bundle and place on the disk of everything it holds."""
    yield from ((name, root / name) for name in names)
    yield from ((f"{WHEELS}/{wheel.name}", wheel) for wheel in sorted(wheels.iterdir()))


def pack(root: Path, names: Iterable[str], wheels: Path, out: Path) -> None:
    """Write the bundle, a list of checksums in it that `sha256sum -c SHA256SUMS` reads; whole or not at all."""
    top, sums = f"lianqi-{version(root)}", []
    part = out.with_name(out.name + ".part")
    with tarfile.open(part, "w:gz") as bundle:
        for name, place in members(root, names, wheels):
            bundle.add(place, f"{top}/{name}", filter=_nobodys)
            sums.append(f"{hashlib.sha256(place.read_bytes()).hexdigest()}  {name}\n")
        listed = "".join(sums).encode()
        about = tarfile.TarInfo(f"{top}/{SUMS}")
        about.size = len(listed)
        about.mode = 0o644
        bundle.addfile(about, io.BytesIO(listed))
    part.replace(out)


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Whoever unpacks it owns it."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def main() -> None:
    """Fetch and pack."""
    kind = f"cp{sys.version_info[0]}{sys.version_info[1]}-{platform.machine()}"
    out = ROOT / "dist" / f"lianqi-{version(ROOT)}-{kind}.tar.gz"
    out.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        download(ROOT / LOCK, Path(folder))
        pack(ROOT, kept_files(ROOT), Path(folder), out)
    print(f"lianqi: {out.relative_to(ROOT)}, {out.stat().st_size / 1_000_000:.1f} MB")


if __name__ == "__main__":
    main()
