"""How much memory the idle program holds: `python -m benchmarks.memory`, limit 80 MB resident."""

import sys
import tempfile
import time
from pathlib import Path

from benchmarks._demo import answers, demo

LIMIT_MB = 80.0
SETTLE_SECONDS = 8.0


def resident_mb(pid: int) -> float:
    """Megabytes of memory that a process holds, as the kernel counts them."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this machine does not tell how much memory a process holds")


def main() -> int:
    """Print the figure; 1 if it is above the limit. The pages were asked for once, and the clock has rung."""
    with tempfile.TemporaryDirectory() as base, demo(Path(base)) as (pid, address):
        answers(address)
        time.sleep(SETTLE_SECONDS)
        held = resident_mb(pid)
    print(f"the whole program at rest {held:6.1f} MB   limit {LIMIT_MB:.0f} MB")
    return int(held > LIMIT_MB)


if __name__ == "__main__":
    sys.exit(main())
