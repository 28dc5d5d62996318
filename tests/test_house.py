"""The house keeps its own rules; and each rule bites when it is broken."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import house

ROOT = Path(__file__).resolve().parent.parent
Rule = Callable[[Path], list[str]]

RULES: list[Rule] = [
    house.long_functions,
    house.long_files,
    house.side_doors,
    house.database_clocks,
    house.long_naps,
    house.places_of_a_machine,
    house.bare_ignores,
    house.impurities,
]

LONG_BODY = "def endless():\n" + "    work()\n" * 50
MIDDLING = "".join(f"def step_{n}():\n" + "    work()\n" * 12 for n in range(8))
LARGE = "".join(f"def large_{n}():\n" + "    work()\n" * 42 for n in range(2)) + "def small(): ...\n" * 9

OFFENDERS: list[tuple[Rule, str, str]] = [
    (house.long_functions, "domain/endless.py", LONG_BODY),
    (house.long_functions, "domain/middling.py", MIDDLING),
    (house.long_functions, "domain/large.py", LARGE),
    (house.long_files, "handlers/all.py", "x = 1\n" * 401),
    (house.side_doors, "storage/sideways.py", 'SQL = "UPDATE appeals SET status = 1"\n'),
    (house.side_doors, "storage/sideways.py", 'SQL = f"""\n  insert into\n  appeals values (:n)"""\n'),
    (house.side_doors, "console/page.py", 'SQL = "DELETE FROM appeals WHERE number = :n"\n'),
    (house.database_clocks, "storage/turns.py", "SQL = \"INSERT INTO t VALUES (datetime('now'))\"\n"),
    (house.database_clocks, "storage/turns.py", 'SQL = "SELECT now()"\n'),
    (
        house.database_clocks,
        "storage/schema/0009_late.sql",
        "CREATE TABLE t (at DEFAULT CURRENT_TIMESTAMP);\n",
    ),
    (house.long_naps, "tests/test_slow.py", "async def test_slow():\n    await asyncio.sleep(0.2)\n"),
    (house.long_naps, "tests/stories/test_slow.py", "from time import sleep\nsleep(1)\n"),
    (house.places_of_a_machine, "docs/install.md", "put it into /" + "home/anna/lianqi\n"),
    (house.places_of_a_machine, "requirements/x.lock", "--index-url https://" + "pypi" + ".org/simple\n"),
    (house.bare_ignores, "handlers/quiet.py", "import os  # no" + "qa: F401\n"),
    (house.bare_ignores, "handlers/quiet.py", "x: int = ''  # type: " + "ignore[assignment]\n"),
    (house.impurities, "domain/model.py", "from pydantic import BaseModel\n"),
    (house.impurities, "domain/wait.py", "async def wait() -> None: ...\n"),
]

FORBIDDEN_IMPORTS = [
    ("domain/clerk.py", "import storage\n", "domain is not allowed to import storage"),
    ("domain/clerk.py", "import texts\n", "domain is not allowed to import texts"),
    ("handlers/clerk.py", "from bot import app\n", "handlers is not allowed to import bot"),
    ("storage/clerk.py", "import reports\n", "storage is not allowed to import reports"),
    ("handlers/clerk.py", "import asyncio\n", "handlers is not allowed to import asyncio"),
    ("domain/clerk.py", "import sqlite3\n", "domain is not allowed to import sqlite3"),
    ("bot/channels/clerk.py", "import storage\n", "bot.channels is not allowed to import storage"),
]

HARMLESS = [
    (house.side_doors, "storage/appeals.py", 'SQL = "UPDATE appeals SET status = 1"\n'),
    (house.side_doors, "storage/schema/0002_more.sql", "UPDATE appeals SET difficulty = 'plain';\n"),
    (house.side_doors, "storage/reading.py", 'SQL = "SELECT * FROM appeals"\n'),
    (house.side_doors, "storage/reading.py", 'SQL = "UPDATE appeals_marks SET x = 1"\n'),
    (house.database_clocks, "storage/leases.py", "SQL = \"SELECT unixepoch('now')\"\n"),
    (house.database_clocks, "bot/app.py", 'def f(clock):\n    """Calls now()."""\n    return clock.now()\n'),
    (house.long_naps, "tests/test_quick.py", "sleep(0.01)\nsleep(0)\n"),
    (house.bare_ignores, "handlers/quiet.py", "import os  # no" + "qa: F401 -- read by the template\n"),
    (house.bare_ignores, "handlers/quiet.py", "x = y  # type: " + "ignore[misc]  # the library errs here\n"),
    (house.impurities, "domain/model.py", "import tomllib\nfrom domain import errors\n"),
    (house.long_functions, "domain/short.py", "def work():\n    return 1\n"),
]


def plant(root: Path, name: str, text: str) -> None:
    """Write a file, and the folders it stands in."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def check_floors(root: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter in a folder."""
    check = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    command = [sys.executable, "-c", check]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@pytest.fixture
def empty_house(tmp_path: Path) -> Path:
    """A house with the project's contracts and nothing in its rooms."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for room in ("bot", "bot/channels", "handlers", "domain", "storage", "reports", "texts"):
        plant(tmp_path, f"{room}/__init__.py", '"""Empty."""\n')
    plant(tmp_path, "bot/app.py", '"""Empty."""\n')
    return tmp_path


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_the_rule_against(rule: Rule) -> None:
    found = rule(ROOT)
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize("rule,name,text", OFFENDERS)
def test_a_rule_names_who_breaks_it(rule: Rule, name: str, text: str, tmp_path: Path) -> None:
    plant(tmp_path, name, text)
    found = rule(tmp_path)
    assert found
    assert all(name in offender for offender in found)


@pytest.mark.parametrize("rule,name,text", HARMLESS)
def test_a_rule_leaves_the_others_alone(rule: Rule, name: str, text: str, tmp_path: Path) -> None:
    plant(tmp_path, name, text)
    assert rule(tmp_path) == []


def test_imports_go_down_only() -> None:
    checked = check_floors(ROOT)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("name,text,told", FORBIDDEN_IMPORTS)
def test_an_import_that_climbs_is_found(name: str, text: str, told: str, empty_house: Path) -> None:
    assert check_floors(empty_house).returncode == 0
    plant(empty_house, name, text)
    checked = check_floors(empty_house)
    assert checked.returncode == 1
    assert told in " ".join(checked.stdout.split())


def test_neighbours_that_import_each_other_are_found(empty_house: Path) -> None:
    plant(empty_house, "domain/hen.py", "import domain.egg\n")
    plant(empty_house, "domain/egg.py", "import domain.hen\n")
    checked = check_floors(empty_house)
    assert checked.returncode == 1
    assert "No circles between neighbours, on any level BROKEN" in checked.stdout


def test_every_floor_that_stands_is_under_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    standing = {floor for floor in house.FLOORS if (ROOT / floor / "__init__.py").exists()}
    assert set(contracts["root_packages"]) == standing


def test_lock_files_hold_what_is_asked_for_and_agree() -> None:
    folder = ROOT / "requirements"
    run, test = house.pins(folder / "run.lock"), house.pins(folder / "test.lock")
    assert house.wanted(folder / "run.in") <= run.keys()
    assert house.wanted(folder / "test.in") <= test.keys()
    assert run.items() <= test.items()
