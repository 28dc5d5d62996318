"""The bundle for machines without a network: what is in it, and that an installation takes its wheels. No network."""

import base64
import hashlib
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from deploy import bundle
from tests.deploy.test_bootstrap import LOCK, ROOT, bootstrap, lay_out
from tests.house import pins

pytestmark = pytest.mark.xdist_group("bootstrap")


def tiny_wheel(folder: Path) -> str:
    """A wheel of one module, and the line by which a lock names it."""
    folder.mkdir(exist_ok=True)
    wheel = folder / "tiny-1.0-py3-none-any.whl"
    parts = {
        "tiny.py": "ANSWER = 42\n",
        "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{name},sha256={_digest(text)},{len(text)}" for name, text in parts.items()]
    with zipfile.ZipFile(wheel, "w") as made:
        for name, text in parts.items():
            made.writestr(name, text)
        made.writestr("tiny-1.0.dist-info/RECORD", "\n".join([*record, "tiny-1.0.dist-info/RECORD,,", ""]))
    return f"tiny==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "my park")


def test_an_installation_takes_the_wheels_that_lie_there(checkout: Path) -> None:
    (checkout / LOCK).write_text(tiny_wheel(checkout / "wheels"), encoding="ascii")
    done = bootstrap(checkout, PIP_INDEX_URL="http://127.0.0.1:9/simple")
    assert done.returncode == 0, done.stderr
    assert "installing 1 packages into .venv from ./wheels" in done.stderr
    python = checkout / ".venv" / "bin" / "python"
    said = subprocess.run([python, "-c", "import tiny; print(tiny.ANSWER)"], capture_output=True, text=True, check=True)
    assert said.stdout == "42\n"


def test_without_the_folder_they_are_not_found(checkout: Path) -> None:
    (checkout / LOCK).write_text(tiny_wheel(checkout / "elsewhere"), encoding="ascii")
    assert bootstrap(checkout).returncode == 1


def test_a_wheel_that_the_lock_does_not_know_is_refused(checkout: Path) -> None:
    (checkout / LOCK).write_text(tiny_wheel(checkout / "wheels"), encoding="ascii")
    with zipfile.ZipFile(checkout / "wheels" / "tiny-1.0-py3-none-any.whl", "a") as wheel:
        wheel.writestr("evil.py", "")
    done = bootstrap(checkout)
    assert done.returncode == 1
    assert "hash" in done.stderr.lower()


@pytest.fixture
def unpacked(checkout: Path, tmp_path: Path) -> Path:
    """A bundle of a small checkout, unpacked."""
    (checkout / "bot" / "__init__.py").write_text('__version__ = "9.8.7"\n', encoding="ascii")
    tiny_wheel(tmp_path / "fetched")
    names = ["bot/__init__.py", "deploy/bootstrap.py", LOCK]
    bundle.pack(checkout, names, tmp_path / "fetched", tmp_path / "out.tar.gz")
    assert not (tmp_path / "out.tar.gz.part").exists()
    with tarfile.open(tmp_path / "out.tar.gz") as packed:
        assert {(member.uid, member.uname) for member in packed} == {(0, "")}
        packed.extractall(tmp_path / "there", filter="data")
    return tmp_path / "there" / "lianqi-9.8.7"


def test_a_bundle_holds_source_and_wheels_each_with_its_checksum(unpacked: Path) -> None:
    listed = (unpacked / bundle.SUMS).read_text(encoding="utf-8").splitlines()
    found = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    assert {line.partition("  ")[2] for line in listed} == found - {bundle.SUMS}
    assert "wheels/tiny-1.0-py3-none-any.whl" in found
    checked = ["sha256sum", "-c", "--quiet", bundle.SUMS]
    assert subprocess.run(checked, cwd=unpacked, check=False).returncode == 0
    (unpacked / "bot" / "__init__.py").write_text("changed\n", encoding="ascii")
    assert subprocess.run(checked, cwd=unpacked, capture_output=True, check=False).returncode == 1


def test_what_git_does_not_keep_is_not_packed(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".gitignore", tmp_path)
    (tmp_path / "config.toml").touch()
    (tmp_path / "README.md").touch()
    for words in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    assert bundle.kept_files(tmp_path) == [".gitignore", "README.md"]
    assert bundle.version(ROOT)


def test_the_wheels_of_the_bundle_serve_both_ways_to_run() -> None:
    needed = pins(ROOT / "requirements" / "run.lock")
    assert needed
    assert needed.items() <= pins(ROOT / bundle.LOCK).items()
