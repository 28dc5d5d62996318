"""ERROR lines fail the test that caused them, unless the test said that it expects them."""

import logging
import re
from dataclasses import dataclass, field

import structlog


@dataclass(slots=True)
class ExpectedErrors:
    """The ERROR lines of one test, and the patterns it has declared for them."""

    patterns: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def expect(self, pattern: str) -> None:
        """Say that at least one ERROR line matches this regular expression; all that match are fine."""
        self.patterns.append(pattern)

    def stray(self, start: int = 0) -> list[str]:
        """The lines from this one on that nobody expected."""
        return [line for line in self.lines[start:] if not any(re.search(p, line) for p in self.patterns)]

    def missing(self) -> list[str]:
        """The patterns whose line never came."""
        return [p for p in self.patterns if not any(re.search(p, line) for line in self.lines)]


class Listener(logging.Handler):
    """Keeps the ERROR lines of the test that runs."""

    def __init__(self) -> None:
        """Start with nobody's errors."""
        super().__init__(logging.ERROR)
        self.errors = ExpectedErrors()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line, with the exception if there is one."""
        line = f"{record.name}: {record.getMessage()}"
        if record.exc_info and record.exc_info[1] is not None:
            line += f" ({record.exc_info[1]!r})"
        self.errors.lines.append(line)


def lead_structlog_to_logging() -> None:
    """Let structured log lines end in `logging`, where the listener (and pytest) hears them."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_logger_name,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
