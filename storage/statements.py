"""What an engine must know about a statement before it runs it."""

from functools import lru_cache

_TRANSACTION_WORDS = ("BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE")


@lru_cache(maxsize=512)
def controls_transaction(sql: str) -> bool:
    """Whether the statement would begin, end or nest a transaction, which only the engine may do."""
    return sql.lstrip()[:9].upper().startswith(_TRANSACTION_WORDS)
