"""The table at the end of a run: what ran, folder by folder, and what was skipped and why."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

TRIALS = "trials"
Tally = Callable[[str, int], None]
"""What the fixture `tally` gives: which promise was tried, and how often."""
RAN = ("passed", "failed", "error", "xfailed", "xpassed")


@dataclass(slots=True)
class Folder:
    """The tests of one folder: how each kind of outcome counts, and the seconds they took together."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def folder_of(nodeid: str) -> str:
    """The folder of a test under tests/, or the file where it stands in tests/ itself."""
    parts = nodeid.partition("::")[0].split("/")
    return "/".join(parts[:2]) if len(parts) > 1 else parts[0]


def reason_of(report: pytest.TestReport) -> str:
    """Why a test was skipped, in its own words."""
    told = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return told.removeprefix("Skipped: ")


def count(reports: Iterable[tuple[str, pytest.TestReport]]) -> dict[str, Folder]:
    """Reports with their outcome, gathered by folder."""
    folders: dict[str, Folder] = defaultdict(Folder)
    for outcome, report in reports:
        folder = folders[folder_of(report.nodeid)]
        folder.seconds += report.duration
        if outcome:
            folder.outcomes[outcome] += 1
    return folders


def draw(folders: dict[str, Folder], reasons: Counter[str]) -> Iterator[str]:
    """The lines of the table."""
    width = max(map(len, folders), default=6)
    yield f"{'tests':<{width}}  {'ran':>6} {'failed':>6} {'skipped':>7} {'seconds':>8}"
    for name, folder in sorted(folders.items()):
        ran = sum(folder.outcomes[kind] for kind in RAN)
        bad = folder.outcomes["failed"] + folder.outcomes["error"]
        yield f"{name:<{width}}  {ran:>6} {bad:>6} {folder.outcomes['skipped']:>7} {folder.seconds:>8.1f}"
    for reason, times in sorted(reasons.items()):
        yield f"skipped {times}: {reason}"


def trials(reports: Iterable[tuple[str, pytest.TestReport]]) -> dict[str, tuple[int, int]]:
    """How many trials of each promise were made, and in how many tests one of them failed, as tests have noted it."""
    made: dict[str, tuple[int, int]] = {}
    for outcome, report in reports:
        for name, value in report.user_properties if report.when == "call" else ():
            if name == TRIALS:
                promise, _, times = str(value).partition("=")
                before, bad = made.get(promise, (0, 0))
                made[promise] = before + int(times), bad + (outcome == "failed")
    return made


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table; pytest's own closing line follows it."""
    stats: Mapping[str, Sequence[object]] = terminalreporter.stats
    told = [
        (kind, report)
        for kind in ("", *RAN, "skipped")  # "" holds the set-up and tear-down of tests that passed
        for report in stats.get(kind, ())
        if isinstance(report, pytest.TestReport)
    ]
    if not told:
        return
    terminalreporter.section("what ran, and what was skipped")
    reasons = Counter(reason_of(report) for kind, report in told if kind == "skipped")
    for line in draw(count(told), reasons):
        terminalreporter.write_line(line)
    for promise, (times, bad) in sorted(trials(told).items()):
        terminalreporter.write_line(f"trials of {promise}: {times}, failed tests: {bad}")
