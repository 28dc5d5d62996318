"""The command line with every line shown, its libraries' too: `python -m tests.security.loud VERB`.

With LIANQI_TEST_CRASH=1 the program ends by a bug that had its whole config in hand.
"""

import logging
import os
from collections.abc import Collection
from typing import Any

from bot import errands, logs
from bot.__main__ import main
from bot.config import secrets_of

_set_up = logs.set_up


def show_all(level: int = logging.INFO, secrets: Collection[str] = (), *, quiet: bool = True) -> None:
    """Every line of everybody, through the handler of the program."""
    _set_up(logging.DEBUG, secrets, quiet=False)


async def crash(office: errands.Office, plan: Any, announce: Any) -> None:
    """A bug with everything in its message, and in that of its cause."""
    logs.set_up(secrets=secrets_of(office.config))
    try:
        raise ValueError(f"{office.config!r} {sorted(secrets_of(office.config))}")
    except ValueError as error:
        raise RuntimeError(f"{plan!r} {plan.channels}") from error


if __name__ == "__main__":
    logs.set_up = show_all
    if os.environ.get("LIANQI_TEST_CRASH"):
        errands._run = crash
    main()
