"""The two ways in which the domain says no: refused (for good) and stale (look again)."""

from collections.abc import Mapping

from domain.said import Fact


class Refused(Exception):
    """What was asked is not allowed or not possible; the person is told `key` with `facts`, and nothing changes."""

    def __init__(self, key: str, facts: Mapping[str, Fact] | None = None) -> None:
        super().__init__(key)
        self.key = key
        self.facts: Mapping[str, Fact] = facts or {}


class Stale(Exception):
    """Somebody changed the appeal between the read and the write; the same request is to be run again."""
