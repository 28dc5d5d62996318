"""What a plain python-telegram-bot loses when its process is killed: `python -m benchmarks.telegram_kills`.

500 messages wait; the bot handles each in 2 ms and notes it down; in the midst of them it is killed and started anew,
ten times, with 500 more waiting each time. Then it may finish. Our own bot's trial of this kind is a test.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks import _others
from benchmarks._crowd import FIRST_UPDATE
from benchmarks._process import Child, ask, child

EVERY_SECONDS = 0.005
QUIET_SECONDS = 3.0
GIVE_UP_SECONDS = 60.0


def handled(file: Path) -> list[int]:
    """The ids of the updates that were handled, as often as they were."""
    text = file.read_text(encoding="ascii") if file.exists() else ""
    return [int(line) for line in text.splitlines()]


def until(file: Path, many: int) -> None:
    """Wait until so many updates were handled; RuntimeError where that takes too long."""
    left = GIVE_UP_SECONDS
    while len(handled(file)) < many:
        time.sleep(EVERY_SECONDS)
        left -= EVERY_SECONDS
        if left < 0:
            raise RuntimeError(f"only {len(handled(file))} of {many} updates were handled in {GIVE_UP_SECONDS:.0f} s")


def finish(file: Path) -> None:
    """Wait until nothing was handled for a while."""
    before, still = len(handled(file)), 0.0
    while still < QUIET_SECONDS:
        time.sleep(0.1)
        now = len(handled(file))
        before, still = now, still + 0.1 if now == before else 0.0


def drill(python: Path, file: Path, kills: int, updates: int) -> Counter[int]:
    """How many updates were handled so many times."""
    draw = random.Random(7)
    with child(python, "benchmarks._responder", "--updates", "0") as responder:
        for _ in range(kills):
            ask(responder.first, f"/_queue?updates={updates}", b"")
            aim = len(handled(file)) + draw.randint(updates // 10, updates * 9 // 10)
            bot = Child(python, "benchmarks._echo", "kept", responder.first, "--file", str(file))
            try:
                until(file, aim)
            finally:
                bot.kill()
        last = Child(python, "benchmarks._echo", "kept", responder.first, "--file", str(file))
        try:
            finish(file)
        finally:
            last.kill()
    times = Counter(handled(file))
    return Counter(times[FIRST_UPDATE + number] for number in range(kills * updates))


def main() -> int:
    """Print the row; 0 where the drill ran, whatever the bot has lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10, help="how often the bot is killed")
    parser.add_argument("--updates", type=int, default=500, help="that come to wait before each kill")
    options = parser.parse_args()
    python = _others.python()
    with tempfile.TemporaryDirectory() as folder:
        times = drill(python, Path(folder) / "handled", options.kills, options.updates)
    never, once = times[0], times[1]
    print("| bot | updates | kills | handled once | handled twice or more | never handled |")
    print("|---|---:|---:|---:|---:|---:|")
    total = options.kills * options.updates
    print(
        f"| python-telegram-bot, run_polling | {total:,} | {options.kills} "
        f"| {once:,} | {total - never - once:,} | {never:,} |"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
