"""How long from the command to the first answered page: `python -m benchmarks.start`, limit 1.5 s."""

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks._demo import answers, demo

LIMIT = 1.5
TIMES = 5


def seconds(folder: Path) -> float:
    """One start until the first page was answered."""
    begun = perf_counter()
    with demo(folder) as (_, address):
        status = answers(address)
        spent = perf_counter() - begun
    assert status < 500, f"the first page was answered with {status}"
    return spent


def bare() -> float:
    """A start of Python that does nothing."""
    begun = perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return perf_counter() - begun


def main() -> int:
    """Print the figures; 1 if a start over a park that stands takes longer than the limit."""
    with tempfile.TemporaryDirectory() as base:
        first = seconds(Path(base))
        later = median(seconds(Path(base)) for _ in range(TIMES))
    nothing = median(bare() for _ in range(TIMES))
    print(f"first start, with the park to be made {first:5.2f} s")
    print(f"later starts                          {later:5.2f} s   limit {LIMIT} s")
    print(f"python -c pass                        {nothing:5.2f} s   {later / nothing:.0f} times as long")
    return int(max(first, later) > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
