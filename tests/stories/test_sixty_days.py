"""A simulated park: sixty days, two hundred matters, everybody at random; the program stops, the clock is set.

What is compared with tests/stories/sixty/oracle.py, a pure function of the history, the roster, the calendar, the
ladders and the hours at which the program was awake, and must be equal to the last line:

- every rung: matter, clock, round, label, listener; when it was due, when it was noted; whether it was told (and when,
  to the second), superseded, held, void, or told to nobody because no chat reaches him;
- every reminder that left the channel: to whom, when, about which matters in which order, each once;
- whom the coordinators were asked to release, how often (not in which words nor at which minute);
- suspensions that ended by themselves: when;
- of every matter status, version, owner, department, round, difficulty, category and its three dates, and of every part
  its date, round and end, all of them counted again from the lines of the history.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from functools import cache

import pytest

from tests.needs import count
from tests.stories.sixty.course import MATTERS, live
from tests.stories.sixty.order import broken
from tests.stories.sixty.park import LADDERS
from tests.stories.sixty.verdict import differences, fates, foretell, gather
from tests.summary import Tally

BACKENDS = ("sqlite",)
QUICK = 4
SEEDS = [
    pytest.param(seed, marks=pytest.mark.xdist_group("sixty days") if seed < QUICK else ())
    for seed in range(count(QUICK, 500))
]


@dataclass(frozen=True)
class Report:
    """What is kept of a seed's sixty days."""

    filed: int
    different: list[str]
    broken: list[str]
    fates: Counter[tuple[str, str, str]]
    marvels: frozenset[str]


async def _lived(seed: int) -> Report:
    town = await live(seed)
    happened = await gather(town)
    oracle = await foretell(town, happened)
    rules = town.app.park.rules
    night = [letter for letter in oracle.letters if letter.left and rules.calendar.local(letter.left).hour < 7]
    marvels = {"woken": bool(oracle.woken), "struck": bool(oracle.struck), "night": bool(night)}
    await town.close()
    return Report(
        len(happened.filed),
        differences(oracle, happened),
        broken(oracle, happened, rules),
        fates(oracle.notes.values()),
        frozenset(name for name, seen in marvels.items() if seen),
    )


@cache
def lived(seed: int) -> Report:
    """The sixty days of a seed, once in a run."""
    return asyncio.run(_lived(seed))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_clock_says_what_the_history_foretells(seed: int, tally: Tally) -> None:
    report = lived(seed)
    tally("R4", 1)
    assert report.filed == MATTERS
    assert not report.different, "\n".join(["", *report.different[:40]])
    assert not report.broken, "\n".join(["", *report.broken])


@pytest.mark.timeout(600)
@pytest.mark.xdist_group("sixty days")
def test_the_sixty_days_reach_every_rung_and_every_turn() -> None:
    """Else they would prove little: every rung is told, every clock overtaken and given up, the rare things happen."""
    reports = [lived(seed) for seed in range(QUICK)]
    seen = sum((report.fates for report in reports), Counter())
    for clock, rungs in LADDERS.items():
        for rung in rungs:
            assert seen[clock.value, rung.label, "told"], f"{clock} {rung.label} was never told"
            assert seen[clock.value, rung.label, "held"] or not rung.release, f"{clock} {rung.label} was never held"
    states = {(clock, state) for clock, _, state in seen}
    assert {(clock.value, "void") for clock in LADDERS} <= states
    assert {(clock, "superseded") for clock in ("acknowledge", "resolve", "part", "milestone", "order")} <= states
    assert "unreachable" in {state for _, state in states}
    assert frozenset[str]().union(*(report.marvels for report in reports)) == {"woken", "struck", "night"}
