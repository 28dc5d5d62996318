"""What was read of roster and calendar and nobody has changed since, kept from unit to unit: they seldom change."""

import re
from collections.abc import Awaitable, Callable, Hashable
from functools import lru_cache
from typing import TypeVar, cast

from storage.database import Tx

T = TypeVar("T")

_CHANGES = re.compile(
    r"\b(?:INTO|UPDATE|DELETE\s+FROM)\s+(?:people|person_roles|enterprises|enterprise_tags|contacts|departments"
    r"|accounts|chat_enterprises|chat_moves|calendar_years|closures)\b",
    re.IGNORECASE,
)
"""A write to one of the tables whose rows are kept."""


@lru_cache(maxsize=1024)
def changes_kept(sql: str) -> bool:
    """Whether a statement may change what is kept."""
    return _CHANGES.search(sql) is not None


async def recall(tx: Tx, key: Hashable, read: Callable[[], Awaitable[T]]) -> T:
    """What was read under this key before, else what `read` finds now. Only values that nobody can change are kept."""
    kept = tx.remembered()
    if key in kept:
        return cast(T, kept[key])
    found = await read()
    kept[key] = found
    return found
