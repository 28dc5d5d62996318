"""Messages a second over Telegram, beside plain bots of other frameworks: `python -m benchmarks.telegram`.

All speak to the same plain responder, in turns. The others say again what they heard. lianqi files each message as an
appeal, durably, acknowledges it to the firm and tells its liaison: two messages sent for each.
"""

import argparse
import sqlite3
import sys
import tempfile
import urllib.error
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import _others
from benchmarks._process import Child, ask, child, own_python, processor_seconds

LEAST, AIM = 2.5, 5.0
OURS, FLOOR = "lianqi", "ptb"
NAMES: Mapping[str, str] = {
    FLOOR: "python-telegram-bot",
    "ptb-concurrent": "  concurrent_updates(True)",
    "aiogram": "aiogram",
    OURS: "lianqi",
}
SENT_FOR_EACH: Mapping[str, int] = {OURS: 2}
AFAR, AFAR_UPDATES = 0.03, 640
"""Seconds to a server far away, and so many updates for a run against it."""
MATTERS_A_FIRM = 20
"""More are refused on one day."""


@dataclass(frozen=True, slots=True)
class Run:
    """Messages sent, seconds from the first fetch to the last message, processor seconds of the bot within them."""

    sends: int
    seconds: float
    processor: float

    @property
    def per_second(self) -> float:
        """Messages a second."""
        return self.sends / self.seconds

    @property
    def per_thousand(self) -> float:
        """Processor seconds for a thousand messages."""
        return self.processor / self.sends * 1000


def run(bot: str, python: Path, updates: int, base: Path | None, latency: float = 0.0) -> Run:
    """One bot works off what waits; each message is answered after so many seconds."""
    firms = max(64, -(-updates // MATTERS_A_FIRM))
    waiting = ("--updates", str(updates), "--chats", str(firms), "--latency", str(latency))
    with tempfile.TemporaryDirectory(dir=base) as folder, child(python, "benchmarks._responder", *waiting) as responder:
        if bot == OURS:
            with child(own_python(), "benchmarks._lianqi_bot", responder.first, folder, "--firms", str(firms)) as ours:
                done = _timed(ours, responder.first, updates * SENT_FOR_EACH[bot])
            _filed(Path(folder), updates)
            return done
        with child(python, "benchmarks._echo", bot, responder.first) as theirs:
            return _timed(theirs, responder.first, updates)


def _timed(bot: Child, address: str, sends: int) -> Run:
    told = ask(address, f"/_done?sends={sends}")
    spent = processor_seconds(bot.kill()) - float(bot.first)
    return Run(sends, told["last_send"] - told["first_poll"], spent)


def _filed(folder: Path, updates: int) -> None:
    """What was acknowledged is on record: the bot was killed without a warning."""
    with closing(sqlite3.connect(folder / "lianqi.db")) as connection:
        (filed,) = connection.execute("SELECT COUNT(*) FROM appeals").fetchone()
    assert filed == updates, f"{filed} appeals of {updates} are on record"


def report(runs: Mapping[str, Sequence[Run]]) -> float:
    """Print the figures; the ratio of lianqi to the first of the others, in the median of the rounds."""
    print(f"{'':28}{'sent/s':>8}  {'(least to most)':17}{'to ptb':>8}{'cpu s per 1,000':>17}")
    ratio = 0.0
    for bot, turns in runs.items():
        speeds = [turn.per_second for turn in turns]
        floor = [turn.per_second for turn in runs[FLOOR]]
        ratio = median(mine / theirs for mine, theirs in zip(speeds, floor, strict=True))
        spread = f"({min(speeds):,.0f} to {max(speeds):,.0f})"
        spent = median(turn.per_thousand for turn in turns)
        print(f"{NAMES[bot]:28}{median(speeds):8,.0f}  {spread:17}{ratio:7.2f}x{spent:17.2f}")
    return ratio


def main() -> int:
    """Measure; the exit status says whether the limit was met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--updates", type=int, default=1280, help="that wait for each bot")
    parser.add_argument("--rounds", type=int, default=3, help="how many turns each bot takes")
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to be measured")
    options = parser.parse_args()
    python = _others.python()
    runs: dict[str, list[Run]] = {bot: [] for bot in NAMES}
    try:
        for turn in range(options.rounds):
            for bot in list(NAMES)[:: 1 if turn % 2 else -1]:
                runs[bot].append(run(bot, python, options.updates, options.folder))
        afar = {bot: [run(bot, python, AFAR_UPDATES, options.folder, AFAR)] for bot in NAMES}
    except (TimeoutError, urllib.error.URLError, RuntimeError) as trouble:
        print(f"a bot did not work off what waited: {trouble}")
        return 1
    ratio = report(runs)
    print(f"lianqi: two messages for each appeal, {ratio:.2f}x ptb (at least {LEAST}x, aim {AIM:.0f}x)")
    print(f"each message answered after {AFAR * 1000:.0f} ms, as over a real network:")
    report(afar)
    return int(ratio < LEAST)


if __name__ == "__main__":
    sys.exit(main())
