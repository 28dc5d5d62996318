"""Writes what has changed in the generated pages and names it: `make reference`."""

import sys

from deploy.reference.pages import stale

if __name__ == "__main__":
    for path, text in stale().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"written: {path.name}\n")
