"""What the machine must offer to a test: found, skipped with the remedy, or, where it is required, a failure.

`LIANQI_REQUIRE=browser,pg` names what may not be skipped. A test asks by the mark
`@pytest.mark.needs("strace")`, or by the fixture `chromium`, which gives the path.
`LIANQI_FULL=1` asks for the long trials.
"""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests import pgserver


def find_chromium() -> str | None:
    """The path of a Chromium: $CHROMIUM, else by its names on the PATH."""
    named = os.environ.get("CHROMIUM")
    names = [named] if named else ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    return next(filter(None, map(shutil.which, names)), None)


def find_strace() -> str | None:
    """The path of an strace that may trace here; containers often deny it."""
    path = shutil.which("strace")
    if path is None:
        return None
    tried = subprocess.run([path, "-o", os.devnull, "true"], capture_output=True, check=False)
    return path if tried.returncode == 0 else None


def find_faketime() -> str | None:
    """The path of the library that shows a program another time than the clock's."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return str(found[0]) if found else None


def find_pg() -> str | None:
    """A PostgreSQL for tests: the server of $LIANQI_TEST_PG, else programs to start one; and its driver."""
    if importlib.util.find_spec("psycopg") is None:
        return None
    return os.environ.get("LIANQI_TEST_PG") or pgserver.find_programs()


@dataclass(frozen=True, slots=True)
class Resource:
    """Something outside the project: how it is found, and what a person does to get it."""

    find: Callable[[], str | None]
    remedy: str


RESOURCES: Mapping[str, Resource] = {
    "browser": Resource(find_chromium, "make browser-deps"),
    "pg": Resource(find_pg, "make pg-deps, or LIANQI_TEST_PG=postgresql://user@host/postgres"),
    "faketime": Resource(find_faketime, "make faketime-deps"),
    "strace": Resource(find_strace, "make strace-deps, and permission to trace"),
}


@cache
def find(name: str) -> str | None:
    """Where a resource is, asked once a run."""
    return RESOURCES[name].find()


def required() -> frozenset[str]:
    """The names in LIANQI_REQUIRE; a name that nobody knows is an error, as it would require nothing."""
    names = frozenset(filter(None, os.environ.get("LIANQI_REQUIRE", "").replace(" ", "").split(",")))
    if unknown := names - RESOURCES.keys():
        known = ", ".join(RESOURCES)
        raise pytest.UsageError(f"LIANQI_REQUIRE names {', '.join(sorted(unknown))}; known are: {known}")
    return names


def need(name: str) -> str:
    """The path of a resource; without it the test is skipped, or fails where LIANQI_REQUIRE names it."""
    path = find(name)
    if path is not None:
        return path
    if name in required():
        pytest.fail(f"LIANQI_REQUIRE names {name}: {RESOURCES[name].remedy}", pytrace=False)
    pytest.skip(f"no {name}: {RESOURCES[name].remedy}")


def browser() -> str:
    """The path of a Chromium."""
    return need("browser")


def strace() -> str:
    """The path of an strace that works here."""
    return need("strace")


def full() -> bool:
    """Whether the long trials are asked for."""
    return os.environ.get("LIANQI_FULL") == "1"


def count(quick: int, long: int) -> int:
    """How often to try something: the first number in every run, the second in `make test-full`."""
    return long if full() else quick
