"""One process at a time works on a house of SQLite: a second would take what the first has in hand for abandoned."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.errors import AlreadyRunning
from storage.open import file_of


@contextmanager
def sole(url: str) -> Iterator[None]:
    """Keep the house of this URL to oneself; the system lets go of it when the process ends, however it ends.

    A database in memory is one's own anyway, and PostgreSQL is made for several.

    Raises:
        AlreadyRunning: another process works on it.

    """
    file = file_of(url)
    if file is None:
        yield
        return
    with Path(f"{file}.running").open("w") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlreadyRunning(f"Another lianqi is running on {file}: stop it first, or use PostgreSQL.") from None
        yield
