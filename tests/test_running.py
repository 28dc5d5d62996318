"""How a run of the tests itself behaves: error lines, missing resources, the table at the end."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ALWAYS = ("backends.py", "conftest.py", "errors.py", "groups.py", "needs.py", "pgserver.py", "summary.py")
pytestmark = pytest.mark.xdist_group("running")  # so that the run below is made once

PLANTED = """
import logging, warnings
import pytest, structlog

def test_logs_an_error():
    logging.getLogger("x").error("on fire")

def test_logs_a_structured_error():
    structlog.get_logger().error("flood", floor=3)

@pytest.fixture
def house():
    yield
    logging.error("late")

def test_logs_while_cleaning_up(house): ...

async def test_logs_what_it_declared(expected_errors):
    expected_errors.expect("on f.re")
    logging.error("on fire")

def test_declares_what_never_comes(expected_errors):
    expected_errors.expect("frogs")

def test_logs_a_mere_warning():
    logging.warning("smoke")

def test_warns():
    warnings.warn("old")

def test_asks_by_fixture(chromium): ...

@pytest.mark.needs("browser")
def test_asks_by_mark(): ...

@pytest.mark.full
def test_takes_long(): ...
"""


def run(bench: Path, text: str, **environment: str) -> tuple[int, str]:
    """Exit code and output of a run with our settings and this one test file."""
    (bench / "tests" / "domain").mkdir(parents=True)
    shutil.copy(ROOT / "pyproject.toml", bench)
    for name in ALWAYS:
        shutil.copy(ROOT / "tests" / name, bench / "tests")
    (bench / "tests" / "domain" / "test_it.py").write_text(text, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LIANQI_", "PYTEST_"))}
    kept |= {"CHROMIUM": "no-such-browser"} | environment
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-rA",
        "--color=no",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
    ]
    done = subprocess.run(command, cwd=bench, env=kept, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a run of the planted tests says on a machine without a browser."""
    return run(tmp_path_factory.mktemp("bench"), PLANTED)[1]


def outcome(output: str, test: str) -> set[str]:
    """PASSED, FAILED, ERROR: what the run says of a test."""
    return set(re.findall(rf"^([A-Z]+) tests/domain/test_it\.py::{test}\b", output, re.MULTILINE))


def test_an_error_line_fails_the_test(output: str) -> None:
    assert outcome(output, "test_logs_an_error") == {"FAILED"}
    assert "unexpected ERROR line: x: on fire" in output


def test_a_structured_error_line_fails_the_test(output: str) -> None:
    assert outcome(output, "test_logs_a_structured_error") == {"FAILED"}
    assert "event='flood' floor=3" in output


def test_an_error_line_while_cleaning_up_counts_too(output: str) -> None:
    assert "ERROR" in outcome(output, "test_logs_while_cleaning_up")
    assert "unexpected ERROR line: root: late" in output


def test_a_declared_error_line_is_fine(output: str) -> None:
    assert outcome(output, "test_logs_what_it_declared") == {"PASSED"}


def test_a_declared_error_line_that_never_comes_fails(output: str) -> None:
    assert outcome(output, "test_declares_what_never_comes") == {"FAILED"}
    assert "expected ERROR line never came: frogs" in output


def test_a_logged_warning_is_no_error(output: str) -> None:
    assert outcome(output, "test_logs_a_mere_warning") == {"PASSED"}


def test_a_python_warning_fails_the_test(output: str) -> None:
    assert outcome(output, "test_warns") == {"FAILED"}


def test_a_missing_browser_skips_and_tells_the_remedy(output: str) -> None:
    assert "skipped 2: no browser: make browser-deps" in output


def test_a_long_trial_waits_until_it_is_asked_for(output: str) -> None:
    assert "1 deselected" in output


def test_the_table_comes_before_the_closing_line(output: str) -> None:
    lines = output.splitlines()
    table = next(line for line in lines if line.startswith("tests/domain "))
    assert table.split()[:4] == ["tests/domain", "8", "5", "2"]
    assert "4 failed, 3 passed, 2 skipped, 1 deselected, 1 error" in lines[-1]


def test_what_is_required_fails_where_it_is_missing_and_long_trials_run(tmp_path: Path) -> None:
    code, said = run(tmp_path, PLANTED, LIANQI_REQUIRE="browser", LIANQI_FULL="1")
    assert code == 1
    assert outcome(said, "test_asks_by_mark") == {"ERROR"}
    assert outcome(said, "test_asks_by_fixture") == {"ERROR"}
    assert "LIANQI_REQUIRE names browser: make browser-deps" in said
    assert outcome(said, "test_takes_long") == {"PASSED"}


def test_a_browser_that_is_there_is_handed_over(tmp_path: Path) -> None:
    text = f"def test_it(chromium):\n    assert chromium == {sys.executable!r}\n"
    assert run(tmp_path, text, CHROMIUM=sys.executable, LIANQI_REQUIRE="browser")[0] == 0


def test_requiring_something_unknown_stops_the_run(tmp_path: Path) -> None:
    code, said = run(tmp_path, "def test_it(): ...\n", LIANQI_REQUIRE="browser,fax")
    assert code == 4
    assert "LIANQI_REQUIRE names fax; known are: browser, pg, faketime, strace" in said
