"""Keeps the tests of a group (`pytest.mark.xdist_group`) in one worker, so that what they share is made once.

xdist writes the group behind a test's id, where this pytest does not look any more; so they are read from the files.
"""

import re
from functools import cache
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling

_GROUP = re.compile(r"""^pytestmark = .*?xdist_group\("(?P<name>\w+)"\)""", re.MULTILINE | re.DOTALL)


@cache
def group_of(path: Path) -> str | None:
    """The group that a file puts all its tests into."""
    found = _GROUP.search(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found["name"] if found else None


class Groups(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no type information
    """A test goes to whichever worker is free, a group as one."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(self.config.rootpath / nodeid.partition("::")[0]) or nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Take the place of xdist's own where groups are asked for."""
    return Groups(config, log) if config.getoption("dist") == "loadgroup" else None
