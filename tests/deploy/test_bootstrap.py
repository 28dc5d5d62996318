"""The script that makes the environments, tried with lock files that name no package: no network needed."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.xdist_group("bootstrap")  # so that `made` is made once
LOCK = "requirements/run.lock"


def lay_out(root: Path) -> Path:
    """A checkout whose lock is empty and whose program tells its arguments."""
    for folder in ("deploy", "requirements", "bot"):
        (root / folder).mkdir(parents=True)
    shutil.copy(ROOT / "deploy" / "bootstrap.py", root / "deploy")
    (root / LOCK).write_text("# nothing\n", encoding="ascii")
    (root / "bot" / "__init__.py").touch()
    (root / "bot" / "__main__.py").write_text(
        "import sys\nprint(sys.argv[1:], sys.prefix)\n", encoding="ascii"
    )
    return root


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A fresh checkout, with a space in its path."""
    return lay_out(tmp_path / "my park")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose environment was made; for tests that change nothing in it."""
    root = lay_out(tmp_path_factory.mktemp("made") / "my park")
    done = bootstrap(root)
    assert done.returncode == 0, done.stderr
    assert "installing 0 packages into .venv" in done.stderr
    return root


def bootstrap(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script as make does."""
    python = os.path.realpath(sys.executable)
    command = [python, "-I", "-S", str(checkout / "deploy" / "bootstrap.py"), "run"]
    kept = os.environ | {"PIP_NO_INDEX": "1"} | environment
    return subprocess.run(command, env=kept, capture_output=True, text=True, check=False)


def test_it_makes_an_environment_that_runs_the_program_from_anywhere(made: Path, tmp_path: Path) -> None:
    away = tmp_path / "lianqi"
    away.symlink_to(made / ".venv" / "bin" / "lianqi")
    said = subprocess.run([away, "demo"], cwd="/", capture_output=True, text=True, check=True).stdout
    assert said == f"['demo'] {made / '.venv'}\n"


def test_scripts_know_their_final_place(made: Path) -> None:
    activate = (made / ".venv" / "bin" / "activate").read_text(encoding="utf-8")
    assert str(made / ".venv") in activate
    assert ".venv.tmp" not in activate


def test_the_second_time_does_nothing(made: Path) -> None:
    before = (made / ".venv" / "stamp").stat().st_ino
    again = bootstrap(made)
    assert (again.returncode, again.stderr) == (0, "")
    assert (made / ".venv" / "stamp").stat().st_ino == before


def test_a_changed_lock_makes_it_anew(checkout: Path) -> None:
    bootstrap(checkout)
    (checkout / ".venv" / "left-over").touch()
    (checkout / LOCK).write_text("# nothing, newly\n", encoding="ascii")
    assert "is ready" in bootstrap(checkout).stderr
    assert not (checkout / ".venv" / "left-over").exists()
    assert sorted(path.name for path in checkout.glob(".venv*")) == [".venv"]


def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Path) -> None:
    bootstrap(checkout)
    (checkout / ".venv" / "bin" / "python").unlink()
    assert "is ready" in bootstrap(checkout).stderr


def test_an_environment_of_another_python_is_made_anew(checkout: Path) -> None:
    bootstrap(checkout)
    stamp = checkout / ".venv" / "stamp"
    stamp.write_text(stamp.read_text(encoding="ascii").split()[0] + " 3.99\n", encoding="ascii")
    assert "is ready" in bootstrap(checkout).stderr


def test_an_interrupted_one_is_never_used(checkout: Path) -> None:
    (checkout / ".venv.tmp123" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to("/bin/false")
    assert bootstrap(checkout).returncode == 0
    assert sorted(path.name for path in checkout.glob(".venv*")) == [".venv"]


def test_a_failed_installation_leaves_the_old_one_in_place(checkout: Path) -> None:
    bootstrap(checkout)
    (checkout / ".venv" / "treasure").touch()
    digest = "0" * 64
    (checkout / LOCK).write_text(f"no-such-package==1.0 --hash=sha256:{digest}\n", encoding="ascii")
    failed = bootstrap(checkout)
    assert failed.returncode == 1
    assert "no-such-package" in failed.stderr
    assert "this step failed" in failed.stderr
    assert (checkout / ".venv" / "treasure").exists()


def test_a_package_without_hash_is_refused(checkout: Path) -> None:
    (checkout / LOCK).write_text("no-such-package==1.0\n", encoding="ascii")
    failed = bootstrap(checkout)
    assert failed.returncode == 1
    assert "hash" in failed.stderr.lower()


def test_two_at_once_make_one(checkout: Path) -> None:
    done: list[subprocess.CompletedProcess[str]] = []
    threads = [threading.Thread(target=lambda: done.append(bootstrap(checkout))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.returncode for one in done] == [0, 0]
    assert sum("is ready" in one.stderr for one in done) == 1
