"""No firm's words are read by anybody else: random sessions under watch, and the same with one filter taken out."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from domain.verbs import Verb
from handlers import conversation, looking
from storage import appeals, ledger
from storage.scope import VISIBLE
from tests import needs
from tests.backends import Backend
from tests.security.canaries import found_in
from tests.security.sessions import opened
from tests.summary import Tally

PARKS = needs.count(2, 50)
SESSIONS = {"sqlite": needs.count(50, 100), "postgres": needs.count(12, 100)}
MOST = 400
"""So many sessions at most until a filter that is missing must have been noticed."""

Mutation = tuple[object, str, Any]
FILTERS: Mapping[str, Mutation] = {
    "what a list may read": (appeals, "VISIBLE", "(1 = 1)"),
    "what is sealed, in lists": (appeals, "VISIBLE", VISIBLE.replace("a.sealed = 0 AND", "")),
    "what is sealed, in the ledger": (ledger, "_ENTRIES", ledger._ENTRIES.replace("a.sealed = 0 AND", "")),
    "words in a group of several firms": (conversation, "_may_be_open", lambda chat, reply: True),
    "a matter in the group of another firm": (conversation, "_is_foreign", lambda chat, appeal: False),
    "what is discreet": (conversation, "_is_discreet", lambda request, reply: False),
    "complaints and what is sensitive": (conversation, "_is_sensitive", lambda request, appeal: False),
    "the office's inner words": (looking, "_WORDS_FOR_FIRMS", frozenset(verb.value for verb in Verb)),
}
QUICK = ("what a list may read", "what is sealed, in the ledger")


@contextmanager
def overheard() -> Iterator[list[str]]:
    """Every line that is logged, down to DEBUG."""
    lines: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.getMessage()} {record.exc_text} {record.stack_info}")

    root, ear = logging.getLogger(), Ear(logging.DEBUG)
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(ear)
        root.setLevel(level)


@pytest.mark.parametrize("seed", range(PARKS))
async def test_in_random_sessions_nobody_reads_what_is_not_his(seed: int, backend: Backend, tally: Tally) -> None:
    sessions = SESSIONS[backend.name]
    with overheard() as log:
        async with opened(seed) as session:
            for _ in range(sessions):
                await session.run()
            await session.round_off()
    assert session.watch.leaks == []
    assert session.watch.looked_at > 2 * sessions
    tally("S4", sessions)
    assert [line for line in log if found_in(line)] == []


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", FILTERS if needs.full() else QUICK)
async def test_a_filter_that_is_missing_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, attribute, without = FILTERS[name]
    monkeypatch.setattr(module, attribute, without)
    if name == "the office's inner words":
        monkeypatch.setattr(looking, "_HIDDEN_FROM_FIRMS", frozenset())
    async with opened(1) as session:
        for _ in range(0 if "ledger" in name else MOST):
            await session.run()
            if session.watch.leaks:
                break
        else:
            await session.round_off()
    assert session.watch.leaks, f"nobody noticed that {name} went unfiltered"
