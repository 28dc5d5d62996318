"""What every test of the project lives with; fixtures of one theme stand beside their tests."""

import logging
import sys
import threading
from collections.abc import Callable, Generator, Iterator

import pytest
from hypothesis import settings

from bot.logs import QUIET
from tests import backends, needs, summary
from tests.errors import ExpectedErrors, Listener, lead_structlog_to_logging
from tests.summary import TRIALS, Tally

settings.register_profile("quick", max_examples=60, deadline=None, print_blob=True)
settings.register_profile("full", parent=settings.get_profile("quick"), max_examples=2_000)

LISTENER = Listener()
TWICE = frozenset({"storage", "stories", "security"})
"""The folders whose tests run on both databases."""


def pytest_configure(config: pytest.Config) -> None:
    """Refuse unknown names in LIANQI_REQUIRE, choose how hard to try, hang up the table and the listener."""
    needs.required()
    settings.load_profile("full" if needs.full() else "quick")
    config.pluginmanager.register(summary, "lianqi-summary")
    if config.pluginmanager.hasplugin("xdist"):
        from tests import groups

        config.pluginmanager.register(groups, "lianqi-groups")
    logging.getLogger().addHandler(LISTENER)
    if not hasattr(config, "workerinput"):
        backends.begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave logging as it was, and no server behind."""
    logging.getLogger().removeHandler(LISTENER)
    backends.tidy()
    if not hasattr(config, "workerinput"):
        backends.end_run()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests of what is kept, and of who may touch it, run on both databases, those of handlers in the long run only.

    A module says otherwise by `BACKENDS = ("sqlite",)`, a test by parametrizing `backend` itself.
    """
    folder = metafunc.definition.path.parent.name
    both = folder in TWICE or (folder == "handlers" and needs.full())
    wanted = getattr(metafunc.module, "BACKENDS", backends.BOTH if both else None)
    if any("backend" in str(mark.args[0]) for mark in metafunc.definition.iter_markers("parametrize")):
        return
    if wanted is not None:
        metafunc.parametrize("backend", wanted, indirect=True)


@pytest.fixture(autouse=True)
def backend(request: pytest.FixtureRequest) -> Iterator[backends.Backend]:
    """The kind of database on which this test runs; see tests/backends.py."""
    name = getattr(request, "param", backends.SQLITE)
    if name == backends.POSTGRES:
        needs.need("pg")
    with backends.chosen(name) as choice:
        yield choice


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked `full` unless LIANQI_FULL=1 asks for it."""
    long = [] if needs.full() else [item for item in items if item.get_closest_marker("full")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Hold the mark `needs`: what the machine has not is skipped, or fails where it is required."""
    for mark in item.iter_markers("needs"):
        for name in mark.args:
            needs.need(name)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Give each test a listener of its own."""
    LISTENER.errors = ExpectedErrors()
    lead_structlog_to_logging()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Fail a test that logged an ERROR it had not declared."""
    done = yield
    if stray := LISTENER.errors.stray():
        pytest.fail("unexpected ERROR line: " + "\n".join(stray), pytrace=False)
    if missing := LISTENER.errors.missing():
        pytest.fail("expected ERROR line never came: " + ", ".join(missing), pytrace=False)
    return done


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, object, object]:
    """The same for what is logged while the test's things are put away."""
    before = len(LISTENER.errors.lines)
    done = yield
    if stray := LISTENER.errors.stray(before):
        pytest.fail("unexpected ERROR line: " + "\n".join(stray), pytrace=False)
    return done


@pytest.fixture
def expected_errors() -> ExpectedErrors:
    """Where a test declares the ERROR lines it provokes: `expected_errors.expect("no such chat")`."""
    return LISTENER.errors


@pytest.fixture
def chromium() -> str:
    """The path of a Chromium; the test is skipped, or fails where required, if there is none."""
    return needs.browser()


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """A test may run a verb that sets logging up: all is as before afterwards, and the verb's handler gone."""
    root = logging.getLogger()
    levels = {logger: logger.level for logger in (root, *map(logging.getLogger, QUIET))}
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield
    for handler in [one for one in root.handlers if type(one) is logging.StreamHandler]:
        root.removeHandler(handler)
    for logger, level in levels.items():
        logger.setLevel(level)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    if LISTENER not in root.handlers:
        root.addHandler(LISTENER)


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Tally:
    """`tally("R3", 500)`: so many trials of a promise were really made; told in the table at the end of the run."""

    def note(promise: str, trials: int) -> None:
        record_property(TRIALS, f"{promise}={trials}")

    return note
