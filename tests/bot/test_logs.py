"""The program's own lines: one an event, with what came along, and quiet libraries."""

import logging
from collections.abc import Iterator

import pytest

from bot import logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


def test_a_line_has_time_level_event_and_what_came_along(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up()
    logging.getLogger("lianqi").warning("message %s given up", 7, extra={"outbox": 7})
    line = capsys.readouterr().err
    assert line.startswith("timestamp=")
    assert 'level=warning event="message 7 given up" outbox=7' in line


def test_everyday_lines_of_libraries_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up()
    logging.getLogger("apscheduler.scheduler").info("Added job")
    assert capsys.readouterr().err == ""
