"""One process at a time on a house of SQLite."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.__main__ import main
from storage.errors import AlreadyRunning
from storage.sole import sole

BACKENDS = ("sqlite",)
HOLDER = """
import sys, time
from storage.sole import sole
with sole(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/house.db"
    with sole(url), pytest.raises(AlreadyRunning, match="stop it first"), sole(url):
        pass
    with sole(url):
        pass


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/house.db"
    with subprocess.Popen([sys.executable, "-c", HOLDER, url], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(AlreadyRunning), sole(url):
            pass
        holder.kill()
        holder.wait()
        with sole(url):
            pass


@pytest.mark.parametrize("url", ["sqlite:///:memory:", "postgresql://lianqi@db/lianqi"])
def test_where_nobody_can_be_in_the_way_there_are_many(url: str) -> None:
    with sole(url), sole(url):
        pass


def test_the_command_line_says_that_another_is_running(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with sole(f"sqlite:///{tmp_path}/data/lianqi.db"):
        told = CliRunner().invoke(main, ["demo", "--port", "0", "--data", str(tmp_path / "data")])
    assert told.exit_code == 1
    assert "Another lianqi is running" in told.output
