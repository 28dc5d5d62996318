"""The environment of other people's bots, .venv-bench, made on demand from requirements/bench.lock."""

import sys
from pathlib import Path

from deploy import bootstrap

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / ".venv-bench"
LOCK = ROOT / "requirements" / "bench.lock"


def python() -> Path:
    """Its Python; where the environment cannot be made, the benchmark says so and ends with 1."""
    try:
        if not bootstrap.fits(PLACE, LOCK):
            bootstrap.build(PLACE, LOCK)
    except SystemExit as stopped:
        print(stopped, file=sys.stderr)
        print("the bots to compare with cannot be installed: is there a network?", file=sys.stderr)
        sys.exit(1)
    return PLACE / "bin" / "python"
