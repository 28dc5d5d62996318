"""Writes what is made from the model: `python -m bot.config reference` or `python -m bot.config example`."""

import sys

from bot.config.pages import example, reference

PAGES = {"reference": reference, "example": example}

if __name__ == "__main__":
    sys.stdout.write(PAGES[sys.argv[1]]())
