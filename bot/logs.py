"""Where the program's own words go: one structured line an event on standard error, no message's text, no secret."""

import logging
import sys
import threading
from collections.abc import Collection
from types import TracebackType
from typing import Any

import structlog

from bot.redaction import Redactor

QUIET = (
    *("apscheduler", "uvicorn", "asyncio", "aiosqlite", "aiohttp"),
    *("telegram", "websockets", "httpx", "httpcore", "psycopg"),
)
"""Libraries whose everyday lines say nothing to an operator, and may hold parameters."""
_log = logging.getLogger("lianqi")


class Redacted(logging.Formatter):
    """A formatter whose finished lines, with extras and tracebacks, are rid of what no log may hold."""

    def __init__(self, inner: logging.Formatter, redact: Redactor) -> None:
        super().__init__()
        self._inner = inner
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        return self._redact(self._inner.format(record))


def set_up(level: int = logging.INFO, secrets: Collection[str] = (), *, quiet: bool = True) -> None:
    """Send all logging through one handler: time, level, event and what came along as extra fields.

    `secrets` are this park's own, which no line will hold whatever they look like. `quiet` libraries only warn.
    What ends the program or a thread is a line like any other.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Redacted(_lines(), Redactor(secrets)))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in QUIET if quiet else ():
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _ended
    threading.excepthook = lambda hook: _ended(hook.exc_type, hook.exc_value, hook.exc_traceback)
    sys.unraisablehook = lambda hook: _ended(hook.exc_type, hook.exc_value, hook.exc_traceback)


def _lines() -> logging.Formatter:
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], drop_missing=True),
        ],
    )


def _ended(kind: type[BaseException], error: BaseException | None, where: TracebackType | None) -> None:
    """Nobody has caught it."""
    if issubclass(kind, KeyboardInterrupt):
        return
    caught: Any = (kind, error or kind(), where)
    _log.critical("ended by %s", kind.__name__, exc_info=caught)
