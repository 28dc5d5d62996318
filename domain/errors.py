"""The ways in which a request is not carried out: refused (for good), stale (look again), unfetched (files first)."""

from collections.abc import Mapping, Sequence

from domain.said import Fact


class Refused(Exception):
    """What was asked is not allowed or not possible; the person is told `key` with `facts`, and nothing changes."""

    def __init__(self, key: str, facts: Mapping[str, Fact] | None = None) -> None:
        super().__init__(key)
        self.key = key
        self.facts: Mapping[str, Fact] = facts or {}


class Stale(Exception):
    """Somebody changed the appeal between the read and the write; the same request is to be run again."""


class Unfetched(Exception):
    """The message wants files that are still with its platform: fetch them, then hear it again."""

    def __init__(self, remotes: Sequence[str]) -> None:
        super().__init__("files are to be fetched first")
        self.remotes = tuple(remotes)
