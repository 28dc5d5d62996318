"""Where the program's own words go: one structured line an event on standard error, never a message's text."""

import logging
import sys

import structlog

_QUIET = ("apscheduler", "uvicorn", "asyncio", "aiosqlite", "aiohttp", "telegram", "websockets")
"""Libraries whose everyday lines say nothing to an operator, and may hold parameters."""


def set_up(level: int = logging.INFO) -> None:
    """Send all logging through one handler: time, level, event and what came along as extra fields."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], drop_missing=True),
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
